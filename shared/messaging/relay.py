"""From the outbox to Kafka: one leader per service, in order per key, deleting only what the broker acknowledged."""

import asyncio
import contextlib
import json
import time
import zlib
from dataclasses import dataclass

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from sqlalchemy.engine import make_url

from shared.failpoints import failpoint
from shared.messaging.connection import producer_settings
from shared.messaging.envelope import wire_headers
from shared.telemetry import metrics

log = structlog.get_logger(__name__)

BATCH = 500
# 50 ms of polling costs 20 empty index scans a second; a NOTIFY per insert cost 4,142 → 726 commits/s.
POLL_S = 0.05
STANDBY_POLL_S = 1.0
HOLD_BACK_S = 5.0

_SELECT = """
    SELECT id, topic, key, body, headers FROM outbox
    WHERE NOT (key = ANY($1::text[])) ORDER BY id LIMIT 500
"""
_DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_BACKLOG = "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox"


@dataclass
class _Held:
    """Keys whose next record could not be sent, so that what follows it must wait."""

    keys: set[str]
    until: float


class Relay:
    """Reads the outbox on one dedicated connection outside the pool, whose advisory lock makes it the leader.

    Args:
        url: PostgreSQL URL of the service's database.
        bootstrap: Kafka's bootstrap servers.
        service: name of the service, for the lock, logs and metrics.
    """

    def __init__(self, url: str, bootstrap: str, service: str) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._bootstrap = bootstrap
        self._service = service
        self._lock = zlib.crc32(f"relay:{service}".encode())
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._held = _Held(set(), 0.0)
        self.leading = False

    def wake(self) -> None:
        """Look at the outbox now: something was committed in this process."""
        self._woken.set()

    def stop(self) -> None:
        """End `run` after the batch that is under way."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        """Lead, or stand by, until `stop`. Whatever breaks is tried again from a fresh connection."""
        pause = 0.1
        while not self._stopping.is_set():
            try:
                await self._stand_by_then_lead()
                pause = 0.1
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError) as error:
                log.warning("relay.interrupted", service=self._service, error=type(error).__name__, retry_in_s=pause)
                await self._rest(pause)
                pause = min(pause * 2, 5.0)
            except Exception:
                # Nothing foresaw it, but a relay that ends would stop everything that is told.
                log.exception("relay.broke", service=self._service, retry_in_s=pause)
                await self._rest(pause)
                pause = min(pause * 2, 5.0)
            finally:
                self.leading = False
                metrics.RELAY_LEADING.labels(self._service).set(0)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _stand_by_then_lead(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=5, command_timeout=30)
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", self._lock):
                await self._rest(STANDBY_POLL_S)
                if self._stopping.is_set():
                    return
            producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, **producer_settings(self._service))
            await asyncio.wait_for(producer.start(), 20)
            try:
                self.leading = True
                metrics.RELAY_LEADING.labels(self._service).set(1)
                log.info("relay.leads", service=self._service)
                await self._lead(connection, producer)
            finally:
                await producer.stop()
        finally:
            # A connection that hangs would keep the lock: five seconds, then it is cut.
            with contextlib.suppress(Exception):
                await connection.close(timeout=5)

    async def _lead(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> None:
        measured = 0.0
        while not self._stopping.is_set():
            self._woken.clear()
            if time.monotonic() - measured > 5:
                measured = time.monotonic()
                await self._measure(connection)
            sent = await self.relay_batch(connection, producer)
            if sent < BATCH and not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), POLL_S)

    async def relay_batch(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        """Send up to 500 rows and delete those that were acknowledged; returns how many were."""
        if time.monotonic() > self._held.until:
            self._held.keys.clear()
        rows = await connection.fetch(_SELECT, list(self._held.keys))
        if not rows:
            return 0
        outcomes = await self._send(connection, producer, rows)
        acknowledged: list[int] = []
        failure: BaseException | None = None
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome is not None:
                failure = failure or outcome
                self._held.keys.add(row["key"])
                self._held.until = time.monotonic() + HOLD_BACK_S
            elif row["key"] not in self._held.keys:
                acknowledged.append(row["id"])
        failpoint("relay.after_publish")
        if acknowledged:
            await connection.execute(_DELETE, acknowledged)
            metrics.RELAYED.labels(self._service).inc(len(acknowledged))
        if failure is not None:
            log.warning("relay.held_back", service=self._service, keys=len(self._held.keys), error=_name(failure))
            if not isinstance(failure, MessageSizeTooLargeError):
                if not acknowledged:
                    self._held.keys.clear()  # nobody's fault: the broker is away
                # An idempotent producer does not recover from the gap that a lost send leaves: take a fresh one.
                raise KafkaError(f"a send was not acknowledged: {_name(failure)}")
        return len(acknowledged)

    async def _send(
        self, connection: asyncpg.Connection, producer: AIOKafkaProducer, rows: list[asyncpg.Record]
    ) -> list[BaseException | None]:
        """Send all rows; for each, None when it was acknowledged, or what went wrong."""
        sends: list[asyncio.Future[object] | BaseException] = []
        refused: dict[str, BaseException] = {}
        for row in rows:
            if row["key"] in refused:
                sends.append(refused[row["key"]])  # what follows a record that can't be sent must not overtake it
                continue
            if connection.is_closed():
                # Somebody else may lead already: what is not sent yet is theirs.
                raise asyncpg.InterfaceError("the leader's connection is gone")
            try:
                sends.append(
                    await producer.send(
                        row["topic"],
                        key=row["key"].encode(),
                        value=row["body"],
                        headers=wire_headers(json.loads(row["headers"])),
                    )
                )
            except KafkaError as error:
                refused[row["key"]] = error
                sends.append(error)
        waiting = [send for send in sends if not isinstance(send, BaseException)]
        await asyncio.gather(*waiting, return_exceptions=True)
        return [send if isinstance(send, BaseException) else send.exception() for send in sends]

    async def _measure(self, connection: asyncpg.Connection) -> None:
        count, oldest = await connection.fetchrow(_BACKLOG)
        metrics.OUTBOX_ROWS.labels(self._service).set(count)
        metrics.OUTBOX_OLDEST.labels(self._service).set(oldest)


def _name(error: BaseException) -> str:
    return type(error).__name__
