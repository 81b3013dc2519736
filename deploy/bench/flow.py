"""How fast events go through inbox + state + outbox: our router against a bare aiokafka loop with the same SQL.

Both hear the same 20,000 `material.uploaded.v1` records in batches of 200 and do in one transaction per batch what
validation does: which are new (inbox), what was found (checks), what is told (outbox). Ours is validation's real
handler behind the real router: envelope, parking, spans, metrics, dead letters. The looks at the images are ready
made, since it is the messaging that is measured. The rival does the same statements and commits by hand; it checks
nothing and would lose, repeat or stop on what the router deals with.
"""

import asyncio
import gc
import hashlib
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from deploy.local.databases import database_url, make_databases
from deploy.local.throwaway import throwaway_stack
from services.validation import consumers, queries
from services.validation.domain import GONE, Check, Look
from services.validation.pictures import Pictures, Seen
from services.validation.use_cases import checks as recording
from services.validation.use_cases import copies
from shared.contracts.upload import MaterialUploaded
from shared.database import Sessions, make_engine, make_sessions, migrate
from shared.messaging import inbox, outbox
from shared.messaging.connection import consumer_settings, producer_settings
from shared.messaging.envelope import body_of, headers_of, wire_headers
from shared.messaging.kafka import MAX_RECORDS, POLL_MS, at_least_once_router, by_image, make_broker
from shared.security.sealing import KeyRing
from shared.telemetry import tracing
from shared.telemetry.tracing import tracer

TOPIC = MaterialUploaded.topic
SOURCE = "baoshen/validation"
EVENTS_PER_APPLICATION = 8
# Events until the other has its turn: a quarter of a second.
SLICE = 2_000
GOOD = Check("accept", "ok", (), {"width_px": 1600, "height_px": 1200})


@dataclass
class Result:
    """Events per second of every slice of every round that counts."""

    ours: list[list[float]] = field(default_factory=list)
    bare: list[list[float]] = field(default_factory=list)

    def line(self) -> dict[str, float]:
        """What the command prints last: the medians of all slices."""
        ours = statistics.median(chain.from_iterable(self.ours))
        bare = statistics.median(chain.from_iterable(self.bare))
        return {"ratio": round(ours / bare, 3), "events_per_s": round(ours), "bare_events_per_s": round(bare)}


class ReadyVerdicts(Pictures):
    """Stands in for the pictures: every look has been had already."""

    def __init__(self) -> None:
        """Nothing to open."""

    async def check_all(self, events: Sequence[MaterialUploaded]) -> Seen:
        """The same verdict on all of them."""
        return Seen({event.image_id: Look(GOOD) for event in events})


class _Side:
    """One of the two, at work and clocked in its turns only.

    A turn is short, so that what else the machine does meanwhile slows both alike.

    Attributes:
        joined: set once the first batch is done; that one, and joining the group, are not counted.
        finished: set once all events are heard.
        rates: events per second, slice by slice.
    """

    def __init__(self, events: int) -> None:
        self.joined = asyncio.Event()
        self.finished = asyncio.Event()
        self.rates: list[float] = []
        self.other = self
        self._left = events
        self._turn = asyncio.Event()
        self._began = 0.0
        self._in_slice = 0

    def go(self) -> None:
        """It is its turn."""
        self._turn.set()

    async def batch_done(self, events: int) -> None:
        """Count a batch; at the end of a slice wait while the other has its turn."""
        now = time.perf_counter()
        self._left -= events
        if self._left <= 0:
            self.finished.set()
        if self.joined.is_set():
            self._in_slice += events
            if self._in_slice < SLICE and not self.finished.is_set():
                return
            self.rates.append(self._in_slice / (now - self._began))
            self._in_slice = 0
            self.other.go()
        self.joined.set()
        if not self.finished.is_set():
            if not self.other.finished.is_set():
                self._turn.clear()
            await self._turn.wait()
            self._began = time.perf_counter()


async def measure(
    *, events: int, rounds: int, on_round: Callable[[int, float, float], None] = lambda *_: None
) -> Result:
    """Measure on a stack of its own in a throw-away folder.

    Args:
        events: heard by each side in each round.
        rounds: how often, after one round that does not count.
        on_round: hears of each round: its number (0 is the warm-up), ours and bare in events per second.
    """
    async with throwaway_stack(services=()) as stack, AsyncExitStack() as opened:
        server = stack.environment["DATABASE_URL"]
        # A database for each: the same events must be new to both.
        urls = {name: database_url(server, name) for name in ("bench_ours", "bench_bare")}
        await make_databases(server, urls)
        for url in urls.values():
            await asyncio.to_thread(migrate, "validation", url)
        engines = {name: make_engine(url) for name, url in urls.items()}
        for engine in engines.values():
            opened.push_async_callback(engine.dispose)
        return await _Bench(stack.environment, engines, events).run(rounds, on_round)


class _Bench:
    def __init__(self, environment: dict[str, str], engines: dict[str, AsyncEngine], events: int) -> None:
        # As a service has them. Logs only where something is wrong, and to stderr.
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        tracing.start("bench")
        self.bootstrap = environment["KAFKA_BOOTSTRAP_SERVERS"]
        self.engines = engines
        self.sessions = {name: make_sessions(engine, source=SOURCE) for name, engine in engines.items()}
        self.sealer = KeyRing(environment["MASTER_KEYS"], Path(environment["DATA_KEYS_FILE"]))
        self.events = events

    async def run(self, rounds: int, on_round: Callable[[int, float, float], None]) -> Result:
        await self._tell_uploads()
        result = Result()
        for number in range(rounds + 1):
            await self._clear()
            gc.collect()
            ours, bare = await self._round(ours_first=bool(number % 2))
            await self._check_effects()
            on_round(number, statistics.median(ours), statistics.median(bare))
            if number > 0:
                result.ours.append(ours)
                result.bare.append(bare)
        return result

    async def _round(self, *, ours_first: bool) -> tuple[list[float], list[float]]:
        group = f"bench-{uuid4().hex[:8]}"
        ours, bare = _Side(self.events), _Side(self.events)
        ours.other, bare.other = bare, ours
        async with asyncio.timeout(600), asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ours(f"{group}-ours", ours))
            tasks.create_task(self._bare(f"{group}-bare", bare))
            await ours.joined.wait()
            await bare.joined.wait()
            (ours if ours_first else bare).go()
        return ours.rates, bare.rates

    async def _tell_uploads(self) -> None:
        """Put the events on the topic once; each run hears them as a group of its own."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, **producer_settings("bench"))
        await producer.start()
        try:
            for number in range(self.events):
                image_id = uuid4()
                event = MaterialUploaded(
                    application_no=f"2021{number // EVENTS_PER_APPLICATION:08d}",
                    region="15",
                    item="diploma",
                    image_id=image_id,
                    object_key=f"15/2021/{image_id}",
                    sha256=hashlib.sha256(image_id.bytes).hexdigest(),
                    size=180_000,
                    content_type="image/jpeg",
                )
                # Each upload is a request with a trace of its own.
                with tracer.start_as_current_span("upload"):
                    headers = wire_headers(headers_of(event, "baoshen/upload"))
                await producer.send(TOPIC, key=event.key.encode(), value=body_of(event), headers=headers)
        finally:
            await producer.stop()

    async def _clear(self) -> None:
        for engine in self.engines.values():
            async with engine.connect() as connection:
                settled = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await settled.execute(text("TRUNCATE inbox, checks, outbox"))
                await settled.execute(text("CHECKPOINT"))

    async def _check_effects(self) -> None:
        """A round that did not do its work has no speed."""
        for name, sessions in self.sessions.items():
            async with sessions() as session:
                for table in ("inbox", "checks", "outbox"):
                    rows = await session.scalar(text(f"SELECT count(*) FROM {table}"))
                    if rows != self.events:
                        raise RuntimeError(f"{name}: {table} has {rows} rows after {self.events} events")

    async def _ours(self, group: str, side: _Side) -> None:
        async def heard(events: list[MaterialUploaded], sessions: Sessions, pictures: Pictures) -> None:
            await consumers.on_materials_uploaded(events, sessions, pictures)
            await side.batch_done(len(events))

        router = at_least_once_router(group, park_by=by_image)
        router.batch(MaterialUploaded, max_records=MAX_RECORDS)(heard)
        router.provide(sessions=self.sessions["bench_ours"], sealer=self.sealer, pictures=ReadyVerdicts())
        broker = make_broker(self.bootstrap, "bench", [router])
        await broker.start()
        try:
            await side.finished.wait()
        finally:
            await broker.stop()

    async def _bare(self, group: str, side: _Side) -> None:
        consumer = AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=self.bootstrap,
            group_id=group,
            enable_auto_commit=False,
            **consumer_settings(),
        )
        await consumer.start()
        try:
            while not side.finished.is_set():
                polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
                records = [record for partition in polled.values() for record in partition]
                if records:
                    await self._take(group, records)
                    await side.batch_done(len(records))
                    await consumer.commit()
        finally:
            await consumer.stop()

    async def _take(self, group: str, records: list[ConsumerRecord]) -> None:
        """The statements of `on_materials_uploaded`, written out."""
        uploads: dict[UUID, dict[str, Any]] = {}
        for record in records:
            upload = json.loads(record.value)
            upload["image_id"] = UUID(upload["image_id"])
            uploads[UUID(dict(record.headers)["ce_id"].decode())] = upload
        sessions = self.sessions["bench_bare"]
        async with sessions() as session:
            images = [upload["image_id"] for upload in uploads.values()]
            removed = set((await session.execute(queries.REMOVED, {"ids": images})).scalars())
        async with sessions.begin() as session:
            new = await session.execute(inbox.INSERT, {"group": group, "ids": list(uploads)})
            fresh = [uploads[event_id] for event_id in new.scalars()]
            await _record(session, fresh, removed)


async def _record(session: AsyncSession, uploads: list[dict[str, Any]], removed: set[UUID]) -> None:
    at = datetime.now(UTC)
    checks = [GONE if upload["image_id"] in removed else GOOD for upload in uploads]
    await session.execute(recording.SLOTS, {"numbers": sorted({upload["application_no"] for upload in uploads})})
    rows = await session.execute(
        recording.RECORD,
        {
            "at": at,
            "ids": [upload["image_id"] for upload in uploads],
            "numbers": [upload["application_no"] for upload in uploads],
            "items": [upload["item"] for upload in uploads],
            "regions": [upload["region"] for upload in uploads],
            "sha256s": [upload["sha256"] for upload in uploads],
            "verdicts": [check.verdict for check in checks],
            "reasons": [check.reason for check in checks],
            "findings": [json.dumps([finding.model_dump() for finding in check.findings]) for check in checks],
            "metrics": [json.dumps(check.metrics) for check in checks],
            "fingerprints": [None] * len(uploads),
        },
    )
    numbers = {row.image_id: row.check_no for row in rows}
    told, headers = [], []
    for upload, check in zip(uploads, checks, strict=True):
        body = {
            "application_no": upload["application_no"],
            "item": upload["item"],
            "image_id": str(upload["image_id"]),
            "sha256": upload["sha256"],
            "check_no": numbers[upload["image_id"]],
            "verdict": check.verdict,
            "reason": check.reason,
            "findings": [finding.model_dump() for finding in check.findings],
            "metrics": check.metrics,
            "checked_at": at.isoformat(),
        }
        about = {
            "ce_specversion": "1.0",
            "ce_id": str(uuid4()),
            "ce_type": "material.checked.v1",
            "ce_source": SOURCE,
            "ce_time": at.isoformat(),
            "ce_subject": upload["application_no"],
            "content-type": "application/json",
        }
        told.append(json.dumps(body).encode())
        headers.append(json.dumps(about))
    await session.execute(
        outbox.INSERT,
        {
            "topics": ["material.checked.v1"] * len(uploads),
            "keys": [upload["application_no"] for upload in uploads],
            "bodies": told,
            "headers": headers,
        },
    )
    sha256s = [upload["sha256"] for upload in uploads]
    await session.execute(copies.ONE_AT_A_TIME, {"locks": [copies.lock_of(sha256) for sha256 in sha256s]})
    await session.execute(copies.COPIES, {"sha256s": sha256s})
