"""The relay on a real broker and database: all of the outbox, in order per key, by one leader at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import Sessions, make_sessions
from shared.messaging import relay as relays
from shared.messaging.connection import producer_settings
from shared.messaging.envelope import Received, decode
from shared.messaging.outbox import tell, tell_raw
from shared.messaging.relay import Relay
from tests.shared.conftest import Noted, a_kind, key_of, topics_named, until


class Office:
    """An outbox of its own, relays, and what arrived on the topic."""

    def __init__(self, bootstrap: str, engine: AsyncEngine, kind: type[Noted]) -> None:
        self.bootstrap = bootstrap
        self.engine = engine
        self.kind = kind
        self.name = f"office-{uuid4().hex[:8]}"
        self.url = engine.url.render_as_string(hide_password=False)
        self.relays: list[Relay] = []
        self._running: list[asyncio.Task[None]] = []

    @property
    def sessions(self) -> Sessions:
        return make_sessions(self.engine, source="baoshen/office", on_told=self._wake)

    def _wake(self) -> None:
        for relay in self.relays:
            relay.wake()

    def start(self) -> Relay:
        relay = Relay(self.url, self.bootstrap, self.name)
        self.relays.append(relay)
        self._running.append(asyncio.create_task(relay.run()))
        return relay

    async def stop(self) -> None:
        for relay in self.relays:
            relay.stop()
        await asyncio.wait_for(asyncio.gather(*self._running), 20)

    @property
    def leaders(self) -> list[Relay]:
        return [relay for relay in self.relays if relay.leading]

    async def tells(self, numbers: range, keys: int = 7) -> None:
        for start in range(numbers.start, numbers.stop, 50):
            async with self.sessions.begin() as session:
                some = range(start, min(start + 50, numbers.stop))
                await tell(session, *(self.kind(application_no=key_of(n % keys), n=n) for n in some))

    async def backlog(self) -> int:
        async with self.engine.connect() as connection:
            return int(
                await connection.scalar(
                    text("SELECT count(*) FROM outbox WHERE topic = :topic"), {"topic": self.kind.topic}
                )
            )

    async def drained(self, left: int = 0) -> None:
        async def empty() -> bool:
            return await self.backlog() == left

        await until(empty)

    async def arrived(self) -> dict[str, list[int]]:
        """What is on the topic by key, in the order of the partition."""
        consumer = AIOKafkaConsumer(
            self.kind.topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        found: dict[str, list[int]] = {}
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            left = sum(ends.values())
            while left > 0:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        left -= 1
                        received = decode(record, self.kind)
                        assert isinstance(received, Received)
                        assert isinstance(received.event, Noted)
                        found.setdefault(received.event.key, []).append(received.event.n)
        finally:
            await consumer.stop()
        return found


@pytest_asyncio.fixture
async def office(kafka: str, messaging_engine: AsyncEngine) -> AsyncIterator[Office]:
    async with messaging_engine.begin() as connection:
        await connection.execute(text("TRUNCATE outbox"))
    made = Office(kafka, messaging_engine, a_kind())
    async with topics_named(kafka, made.kind.topic, partitions=3):
        yield made
        await made.stop()


def in_order(numbers: range, keys: int = 7) -> dict[str, list[int]]:
    return {key_of(key): [n for n in numbers if n % keys == key] for key in range(keys)}


def first_arrivals(found: dict[str, list[int]]) -> dict[str, list[int]]:
    """Without repeats: what the inbox lets through."""
    return {key: list(dict.fromkeys(numbers)) for key, numbers in found.items()}


async def test_what_is_told_arrives_in_order_and_leaves_the_outbox(office: Office) -> None:
    office.start()

    await office.tells(range(1200))
    await office.drained()

    assert await office.arrived() == in_order(range(1200))


async def test_what_is_told_in_a_transaction_that_fails_is_not_told(office: Office) -> None:
    office.start()

    with contextlib.suppress(ZeroDivisionError):
        async with office.sessions.begin() as session:
            await tell(session, office.kind(application_no=key_of(0), n=0))
            await session.flush()
            raise ZeroDivisionError
    await office.tells(range(1, 2), keys=1)
    await office.drained()

    assert await office.arrived() == {key_of(0): [1]}


async def test_a_commit_wakes_the_relay_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "POLL_S", 30)
    office.start()
    await office.tells(range(10))
    await office.drained()

    started = asyncio.get_running_loop().time()
    await office.tells(range(10, 20))
    await office.drained()

    assert asyncio.get_running_loop().time() - started < 5


async def test_of_two_relays_one_leads_and_the_other_takes_over(office: Office) -> None:
    first = office.start()

    async def leads() -> bool:
        return first.leading

    await until(leads)
    second = office.start()
    telling = asyncio.create_task(office.tells(range(1000)))
    most = 0
    for _ in range(20):
        await asyncio.sleep(0.05)
        most = max(most, len(office.leaders))
    await telling

    first.stop()
    await office.tells(range(1000, 2000))
    await office.drained()

    assert most == 1
    assert office.leaders == [second]
    assert first_arrivals(await office.arrived()) == in_order(range(2000))


async def test_a_leader_that_loses_its_connection_loses_nothing(office: Office) -> None:
    office.start()
    office.start()

    async def tell_and_cut() -> None:
        for start in range(0, 2000, 200):
            await office.tells(range(start, start + 200))
            await _cut_the_leader(office)

    await tell_and_cut()
    await office.drained()

    found = await office.arrived()
    assert first_arrivals(found) == in_order(range(2000))
    # The one whose connection was cut learns of it with its next look: until then it only believes that it leads.
    async with asyncio.timeout(30):
        while len(office.leaders) > 1:  # noqa: ASYNC110 other tasks' work, nothing wakes us
            await asyncio.sleep(0.05)


async def _cut_the_leader(office: Office) -> None:
    connection = await asyncpg.connect(office.url.replace("postgresql+asyncpg", "postgresql"), timeout=5)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted",
            office.relays[0]._lock,
        )
    finally:
        await connection.close()


async def test_a_row_too_large_holds_back_its_own_key_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "HOLD_BACK_S", 0.2)
    stuck, free = key_of(0), key_of(1)
    async with office.sessions.begin() as session:
        for n in range(30):
            await tell(session, office.kind(application_no=stuck, n=n, text="x" * (2_000_000 if n == 3 else 1)))
            await tell(session, office.kind(application_no=free, n=n))
    office.start()

    await office.drained(left=27)
    await office.tells(range(30, 40), keys=1)  # more of the stuck key
    await asyncio.sleep(1)
    backlog = await office.backlog()
    found = await office.arrived()
    async with office.engine.begin() as connection:
        await connection.execute(text("DELETE FROM outbox WHERE length(body) > 1000000"))
    await office.drained()

    assert backlog == 37
    assert found == {stuck: [0, 1, 2], free: list(range(30))}
    assert (await office.arrived())[stuck] == [n for n in range(40) if n != 3]


async def test_a_relay_killed_between_publishing_and_deleting_repeats_and_keeps_the_order(office: Office) -> None:
    await office.tells(range(300))
    connection = await asyncpg.connect(office.url.replace("postgresql+asyncpg", "postgresql"), timeout=5)
    producer = AIOKafkaProducer(bootstrap_servers=office.bootstrap, **producer_settings("killed"))
    await producer.start()
    killed = Relay(office.url, office.bootstrap, office.name)
    rows = await connection.fetch("SELECT id, topic, key, body, headers FROM outbox ORDER BY id LIMIT 200")
    await killed._send(connection, producer, rows)  # and then nothing more
    await producer.stop()
    await connection.close()

    office.start()
    await office.drained()

    found = await office.arrived()
    assert sum(len(numbers) for numbers in found.values()) == 500
    assert first_arrivals(found) == in_order(range(300))


async def test_a_tombstone_travels_as_an_empty_body(office: Office) -> None:
    office.start()
    async with office.sessions.begin() as session:
        await tell_raw(session, office.kind.topic, key_of(0), None, {"why": "retention"})
    await office.drained()

    consumer = AIOKafkaConsumer(
        office.kind.topic, bootstrap_servers=office.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 10)
    await consumer.stop()

    assert (record.key, record.value, record.headers) == (key_of(0).encode(), None, (("why", b"retention"),))
