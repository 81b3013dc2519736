"""From records to handlers: decode, hold back what is parked, try, bisect to the poison record, bury it, go on."""

import asyncio
import contextlib
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import ConsumerRecord
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from shared.contracts.event import Event
from shared.database import Sessions
from shared.failpoints import failpoint
from shared.messaging.dead_letters import BodySealer, Burial, as_record, bury, discard, is_anything_parked, parked
from shared.messaging.envelope import Received, Undecodable, decode
from shared.messaging.inbox import hearing_group
from shared.messaging.transient import is_transient
from shared.telemetry import metrics
from shared.telemetry.tracing import causes_of, tracer

log = structlog.get_logger(__name__)

Handle = Callable[[list[Event]], Awaitable[None]]
ParkBy = Callable[[Event], str]

# A record alone is tried five times within 0.3 s: who comes behind it waits less than a second.
SINGLE_PAUSES_S = (0.02, 0.04, 0.08, 0.16)
# Waiting in place for a database or a store: after a minute the batch is given back, so that the group can rebalance.
TRANSIENT_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
TRANSIENT_LIMIT_S = 60.0
REPLAY_POLL_S = 1.0
# What another process of the group parks is seen so late at most (a batch under way may take as long); what this one
# parks, and what comes with a rebalance, at once. A look before every batch cost a busy consumer 4 % of its time.
LOOK_AGAIN_S = 0.5


class StillAway(Exception):
    """An outside part did not come back in time; the batch must be read again later."""


@dataclass(frozen=True)
class Subscription:
    """One handler for one kind of event."""

    event_type: type[Event]
    handle: Handle
    max_records: int


class Delivery:
    """Hands the records of one consumer group to its handlers, at least once, and loses none.

    Args:
        group: the consumer group, which is also the inbox's.
        park_by: whose later events must wait when one can't be taken (application number, or image id).
        park_unreadable: True where the record's key is what `park_by` gives, so that even an unreadable record's
            followers can be told.
    """

    def __init__(self, group: str, park_by: ParkBy, *, park_unreadable: bool) -> None:
        self.group = group
        self.subscriptions: dict[str, Subscription] = {}
        self.last_batch_at = time.monotonic()
        self._park_by = park_by
        self._park_unreadable = park_unreadable
        self._clear_at = self._changed_at = 0.0
        self._stopping = asyncio.Event()
        self._sessions: Sessions | None = None
        self._sealer: BodySealer | None = None

    def connect(self, sessions: Sessions, sealer: BodySealer) -> None:
        """Give it the database that inbox and dead letters live in, and what seals unreadable bodies."""
        self._sessions, self._sealer = sessions, sealer

    def look_again(self) -> None:
        """Something may be parked since the last look: we buried a record, or took over another process's keys."""
        self._changed_at = time.monotonic()

    def stop(self) -> None:
        """Stop waiting for parts that are away: the batch is given back."""
        self._stopping.set()

    @property
    def _database(self) -> tuple[Sessions, BodySealer]:
        if self._sessions is None or self._sealer is None:
            raise RuntimeError("connect() the router before it hears anything")
        return self._sessions, self._sealer

    async def take(self, topic: str, records: Sequence[ConsumerRecord]) -> None:
        """Deal with one batch of a topic: when this returns, every record has had its effect or is in the dead letters.

        Raises:
            StillAway: an outside part is away; nothing may be committed.
        """
        subscription = self.subscriptions[topic]
        started = time.perf_counter()
        self.last_batch_at = time.monotonic()
        parent, links = causes_of(records)
        with tracer.start_as_current_span(f"hear {topic}", context=parent, links=links):
            received: list[Received] = []
            for record in records:
                if record.value is None and subscription.event_type.compacted:
                    continue  # a tombstone: the record that it takes away was dealt with in its time
                outcome = decode(record, subscription.event_type)
                if isinstance(outcome, Received):
                    received.append(outcome)
                    continue
                # What came before it has its effect first; only what comes behind it may have to wait.
                await self._hear(subscription, await self._hold_back_parked(received))
                received = []
                await self._bury_unreadable(outcome)
            await self._hear(subscription, await self._hold_back_parked(received))
        failpoint(f"{self.group}.after_work")
        metrics.HEARD.labels(self.group, topic).inc(len(records))
        metrics.BATCH_SECONDS.labels(self.group, topic).observe(time.perf_counter() - started)

    async def _hold_back_parked(self, received: list[Received]) -> list[Received]:
        """Put those whose key is parked behind what they wait for; return the others."""
        if not received:
            return []
        if not await self._persist(self._is_anything_parked):
            return received
        return await self._park(received)

    async def _is_anything_parked(self) -> bool:
        looked_at = time.monotonic()
        if self._changed_at < self._clear_at and looked_at - self._clear_at < LOOK_AGAIN_S:
            return False
        sessions, _ = self._database
        # In one round trip: no transaction around one statement.
        engine: AsyncEngine = sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            found = await is_anything_parked(connection, self.group)
        if not found:
            self._clear_at = looked_at
        return found

    async def _park(self, received: list[Received]) -> list[Received]:
        sessions, sealer = self._database

        async def work() -> list[Received]:
            async with sessions.begin() as session:
                # Locked: the replayer can't unpark a key between our look and our row.
                waiting = await parked(session, self.group, [self._park_by(e.event) for e in received])
                behind = [each for each in received if self._park_by(each.event) in waiting]
                burials = [
                    Burial(each.record, self._park_by(each.event), "parked", "waits behind a dead letter")
                    for each in behind
                ]
                metrics.PARKED.labels(self.group).inc(await bury(session, self.group, burials, sealer))
            return [each for each in received if self._park_by(each.event) not in waiting]

        clear: list[Received] = await self._persist(work)
        return clear

    async def _bury_unreadable(self, unreadable: Undecodable) -> None:
        key = self._key_of_unreadable(unreadable.record)
        await self._bury([Burial(unreadable.record, key, "dead", unreadable.why, sealed=True)])

    def _key_of_unreadable(self, record: ConsumerRecord) -> str | None:
        if not self._park_unreadable or not record.key:
            return None
        try:
            key = bytes(record.key).decode("ascii")
        except UnicodeDecodeError:
            return None
        return key if key.isprintable() and len(key) <= 100 else None

    async def _bury(self, burials: list[Burial]) -> None:
        sessions, sealer = self._database

        async def work() -> int:
            async with sessions.begin() as session:
                return await bury(session, self.group, burials, sealer)

        written = await self._persist(work)
        self.look_again()
        metrics.DEAD.labels(self.group).inc(written)
        for burial in burials:
            log.error(
                "record.dead",
                group=self.group,
                topic=burial.record.topic,
                partition=burial.record.partition,
                offset=burial.record.offset,
                parking_key=burial.parking_key,
                error=burial.error,
            )

    async def _hear(self, subscription: Subscription, received: list[Received]) -> None:
        """Call the handler; on a failure that is a record's fault, halve until that record stands alone."""
        if not received:
            return
        try:
            await self._call(subscription, received)
        except StillAway:
            raise
        except Exception as error:  # noqa: BLE001 whatever a handler raises, the record must not be lost
            if len(received) == 1:
                await self._try_alone(subscription, received[0], error)
                return
            metrics.RETRIES.labels(self.group, "bisect").inc()
            half = len(received) // 2
            await self._hear(subscription, received[:half])
            # The first half may have parked a key that the second half goes on with.
            await self._hear(subscription, await self._hold_back_parked(received[half:]))

    async def _try_alone(self, subscription: Subscription, each: Received, error: Exception) -> None:
        for pause in SINGLE_PAUSES_S:
            await asyncio.sleep(pause)
            metrics.RETRIES.labels(self.group, "single").inc()
            try:
                await self._call(subscription, [each])
            except StillAway:
                raise
            except Exception as again:  # noqa: BLE001 as above
                error = again
            else:
                return
        why = _describe(error)
        await self._bury([Burial(each.record, self._park_by(each.event), "dead", why, tries=len(SINGLE_PAUSES_S) + 1)])

    async def _call(self, subscription: Subscription, received: list[Received]) -> None:
        events = [each.event for each in received]

        async def work() -> None:
            token = hearing_group.set(self.group)
            try:
                with contextlib.ExitStack() as bound:
                    if len(events) == 1:
                        bound.enter_context(
                            structlog.contextvars.bound_contextvars(
                                application_no=getattr(events[0], "application_no", None),
                                event_id=str(events[0].event_id),
                            )
                        )
                    await subscription.handle(events)
            finally:
                hearing_group.reset(token)

        await self._persist(work)

    async def _persist(self, work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 it returns what `work` does
        """Do `work`, waiting in place while the database or the store is away."""
        started = time.monotonic()
        tries = 0
        while True:
            try:
                return await work()
            except Exception as error:
                if not is_transient(error):
                    raise
                if self._stopping.is_set() or time.monotonic() - started > TRANSIENT_LIMIT_S:
                    raise StillAway(type(error).__name__) from error
                pause = TRANSIENT_PAUSES_S[min(tries, len(TRANSIENT_PAUSES_S) - 1)]
                tries += 1
                metrics.RETRIES.labels(self.group, "transient").inc()
                log.warning("batch.waits", group=self.group, error=type(error).__name__, retry_in_s=pause)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)

    async def replay_requested(self) -> int:
        """Take again what an operator asked for, each key in order, until one fails; returns how many went through."""
        sessions, _ = self._database
        engine: AsyncEngine = sessions.kw["bind"]
        lock = {"lock": zlib.crc32(f"replay:{self.group}".encode())}
        # One replayer per group: two would break the order of a key. The lock is the connection's, not a transaction's:
        # a replay may take longer than a transaction may idle.
        async with engine.connect() as raw:
            connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
            if not await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), lock):
                return 0
            try:
                return await self._replay_asked(connection)
            finally:
                # Cancelled or cut off in the middle of a statement, the connection is gone, and the lock with it.
                if not connection.invalidated:
                    await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), lock)

    async def _replay_asked(self, connection: AsyncConnection) -> int:
        replayed = 0
        with contextlib.suppress(StillAway):  # what was asked for stays asked for
            asked = await connection.execute(
                text(
                    """
                    SELECT DISTINCT coalesce(parking_key, '') AS key, CASE WHEN parking_key IS NULL THEN id END AS id
                    FROM dead_letters WHERE consumer_group = :group AND replay_requested_at IS NOT NULL
                    ORDER BY 1, 2 LIMIT 500
                    """
                ),
                {"group": self.group},
            )
            for key, letter_id in asked.all():
                replayed += await self._replay(key if letter_id is None else None, letter_id)
        return replayed

    async def _replay(self, key: str | None, letter_id: int | None) -> int:
        sessions, sealer = self._database
        replayed = 0
        while True:
            async with sessions() as session:
                row = await self._next_to_replay(session, key, letter_id)
            if row is None:
                return replayed
            error = await self._replay_one(row, sealer)
            async with sessions.begin() as session:
                if error is not None:
                    await session.execute(
                        text(
                            """
                            UPDATE dead_letters SET status = 'dead', error = :error, tries = tries + 1,
                                   replay_requested_at = NULL
                            WHERE id = :id
                            """
                        ),
                        {"id": row["id"], "error": error},
                    )
                    # What waits behind it goes on waiting.
                    await session.execute(
                        text(
                            "UPDATE dead_letters SET replay_requested_at = NULL "
                            "WHERE consumer_group = :group AND parking_key = :key"
                        ),
                        {"group": self.group, "key": key},
                    )
                    return replayed
                # With the last one the key flows again, in the same moment; what a consumer parks until then is seen.
                await discard(session, self.group, row["id"])
            replayed += 1
            metrics.REPLAYED.labels(self.group).inc()

    async def _next_to_replay(
        self, session: AsyncSession, key: str | None, letter_id: int | None
    ) -> dict[str, Any] | None:
        rows = await session.execute(
            text(
                """
                SELECT * FROM dead_letters WHERE consumer_group = :group
                  AND (parking_key = CAST(:key AS text) OR id = CAST(:id AS bigint)) ORDER BY id LIMIT 1
                """
            ),
            {"group": self.group, "key": key, "id": letter_id},
        )
        row = rows.mappings().first()
        return dict(row) if row is not None else None

    async def _replay_one(self, row: dict[str, Any], sealer: BodySealer) -> str | None:
        """None when the record went through, else why not."""
        subscription = self.subscriptions.get(row["topic"])
        if subscription is None:
            return f"nobody hears {row['topic']} any more"
        try:
            record = as_record(row, sealer)
        except Exception as error:  # noqa: BLE001 its key was destroyed, say: that must not hold up other letters
            return _describe(error)
        outcome = decode(record, subscription.event_type)
        if isinstance(outcome, Undecodable):
            return outcome.why
        try:
            await self._call(subscription, [outcome])
        except StillAway:
            raise
        except Exception as error:  # noqa: BLE001 it stays in the dead letters with what went wrong
            return _describe(error)
        return None


def _describe(error: BaseException) -> str:
    """The kind of error and where it was raised. Never its message: that may quote personal data."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_name}:{place.tb_lineno}" if place is not None else ""
    return f"{type(error).__name__}{where}"
