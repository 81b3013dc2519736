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
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from deploy.local.throwaway import throwaway_stack
from services.validation import consumers, queries, use_cases
from services.validation.domain import GONE, Check
from services.validation.pictures import Pictures
from shared.contracts.upload import MaterialUploaded
from shared.database import Sessions, make_engine, make_sessions
from shared.messaging import inbox, outbox
from shared.messaging.connection import consumer_settings, producer_settings
from shared.messaging.envelope import body_of, headers_of, wire_headers
from shared.messaging.kafka import MAX_RECORDS, POLL_MS, at_least_once_router, by_image, make_broker
from shared.security.sealing import KeyRing
from shared.telemetry import tracing
from shared.telemetry.tracing import tracer

TOPIC = MaterialUploaded.topic
EVENTS_PER_APPLICATION = 8
GOOD = Check("accept", "ok", (), {"width_px": 1600, "height_px": 1200})

Mark = tuple[float, int]
"""When a batch was done, and how many events it had."""


@dataclass(frozen=True)
class Result:
    """Events per second, round by round."""

    ours: list[float]
    bare: list[float]

    @property
    def ratio(self) -> float:
        """Our median against the bare one."""
        return statistics.median(self.ours) / statistics.median(self.bare)

    def line(self) -> dict[str, float]:
        """What the command prints last."""
        return {
            "ratio": round(self.ratio, 3),
            "events_per_s": round(statistics.median(self.ours)),
            "bare_events_per_s": round(statistics.median(self.bare)),
        }


class ReadyVerdicts(Pictures):
    """Stands in for the pictures: every look has been had already."""

    def __init__(self) -> None:
        """Nothing to open."""

    async def check_all(self, events: Sequence[MaterialUploaded]) -> dict[UUID, Check]:
        """The same verdict on all of them."""
        return {event.image_id: GOOD for event in events}


async def measure(
    *, events: int, rounds: int, on_round: Callable[[int, float, float], None] = lambda *_: None
) -> Result:
    """Measure on a stack of its own in a throw-away folder.

    Args:
        events: heard in each run.
        rounds: how often each of the two runs, after one run each that does not count.
        on_round: hears of each round: its number (0 is the warm-up), ours and bare in events per second.
    """
    async with throwaway_stack(services=()) as stack:
        bench = _Bench(stack.environment, events)
        try:
            return await bench.run(rounds, on_round)
        finally:
            await bench.engine.dispose()


class _Bench:
    def __init__(self, environment: dict[str, str], events: int) -> None:
        # As a service has them: spans, an engine with its time-outs. Logs only where something is wrong, to stderr.
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )
        tracing.start("bench")
        self.bootstrap = environment["KAFKA_BOOTSTRAP_SERVERS"]
        self.engine: AsyncEngine = make_engine(environment["DATABASE_URL_VALIDATION"])
        self.sessions: Sessions = make_sessions(self.engine, source="baoshen/validation")
        self.sealer = KeyRing(environment["MASTER_KEYS"], Path(environment["DATA_KEYS_FILE"]))
        self.events = events

    async def run(self, rounds: int, on_round: Callable[[int, float, float], None]) -> Result:
        await self._tell_uploads()
        result = Result([], [])
        runs: list[tuple[Callable[[str], Awaitable[list[Mark]]], list[float]]] = [
            (self._ours, result.ours),
            (self._bare, result.bare),
        ]
        for number in range(rounds + 1):
            # Whoever goes second finds warmer caches: take turns.
            for run, rates in runs if number % 2 else reversed(runs):
                await self._clear()
                gc.collect()
                rates.append(_rate(await run(f"bench-{uuid4().hex[:8]}"), self.events))
                await self._check_effects()
            on_round(number, result.ours[-1], result.bare[-1])
        return Result(result.ours[1:], result.bare[1:])

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
        async with self.engine.connect() as connection:
            settled = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await settled.execute(text("TRUNCATE inbox, checks, outbox"))
            await settled.execute(text("CHECKPOINT"))

    async def _check_effects(self) -> None:
        """A run that did not do its work has no speed."""
        async with self.sessions() as session:
            for table in ("inbox", "checks", "outbox"):
                rows = await session.scalar(text(f"SELECT count(*) FROM {table}"))
                if rows != self.events:
                    raise RuntimeError(f"{table} has {rows} rows after {self.events} events")

    async def _ours(self, group: str) -> list[Mark]:
        marks: list[Mark] = []
        finished = asyncio.Event()

        async def heard(events: list[MaterialUploaded], sessions: Sessions, pictures: Pictures) -> None:
            await consumers.on_materials_uploaded(events, sessions, pictures)
            if _mark(marks, len(events)) >= self.events:
                finished.set()

        router = at_least_once_router(group, park_by=by_image)
        router.batch(MaterialUploaded, max_records=MAX_RECORDS)(heard)
        router.provide(sessions=self.sessions, sealer=self.sealer, pictures=ReadyVerdicts())
        broker = make_broker(self.bootstrap, "bench", [router])
        await broker.start()
        try:
            async with asyncio.timeout(300):
                await finished.wait()
        finally:
            await broker.stop()
        return marks

    async def _bare(self, group: str) -> list[Mark]:
        marks: list[Mark] = []
        consumer = AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=self.bootstrap,
            group_id=group,
            enable_auto_commit=False,
            **consumer_settings(),
        )
        await consumer.start()
        try:
            async with asyncio.timeout(300):
                heard = 0
                while heard < self.events:
                    polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
                    records = [record for partition in polled.values() for record in partition]
                    if records:
                        await self._take(group, records)
                        heard = _mark(marks, len(records))
                        await consumer.commit()
        finally:
            await consumer.stop()
        return marks

    async def _take(self, group: str, records: list[ConsumerRecord]) -> None:
        """The statements of `on_materials_uploaded`, written out."""
        uploads: dict[UUID, dict[str, Any]] = {}
        for record in records:
            upload = json.loads(record.value)
            upload["image_id"] = UUID(upload["image_id"])
            uploads[UUID(dict(record.headers)["ce_id"].decode())] = upload
        async with self.sessions() as session:
            images = [upload["image_id"] for upload in uploads.values()]
            removed = set((await session.execute(queries.REMOVED, {"ids": images})).scalars())
        async with self.sessions.begin() as session:
            new = await session.execute(inbox.INSERT, {"group": group, "ids": list(uploads)})
            fresh = [uploads[event_id] for event_id in new.scalars()]
            await _record(session, fresh, removed)


async def _record(session: AsyncSession, uploads: list[dict[str, Any]], removed: set[UUID]) -> None:
    at = datetime.now(UTC)
    checks = [GONE if upload["image_id"] in removed else GOOD for upload in uploads]
    rows = await session.execute(
        use_cases.RECORD,
        {
            "at": at,
            "ids": [upload["image_id"] for upload in uploads],
            "numbers": [upload["application_no"] for upload in uploads],
            "items": [upload["item"] for upload in uploads],
            "sha256s": [upload["sha256"] for upload in uploads],
            "verdicts": [check.verdict for check in checks],
            "reasons": [check.reason for check in checks],
            "findings": [json.dumps([finding.model_dump() for finding in check.findings]) for check in checks],
            "metrics": [json.dumps(check.metrics) for check in checks],
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
            "ce_source": "baoshen/validation",
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


def _mark(marks: list[Mark], events: int) -> int:
    """Note that a batch is done; returns how many events are."""
    marks.append((time.perf_counter(), events))
    return sum(count for _, count in marks)


def _rate(marks: list[Mark], events: int) -> float:
    """Events per second from the end of the first batch to the end of the last: joining the group is left out."""
    (began, first), (ended, _) = marks[0], marks[-1]
    return (events - first) / (ended - began)
