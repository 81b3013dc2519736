"""A station: one consumer group of its own, with a handler that can be told to fail, on real Kafka and PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import uuid4

import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.event import ApplicationNo, Event
from shared.database import Sessions, make_engine, make_sessions
from shared.messaging import dead_letters
from shared.messaging.connection import producer_settings
from shared.messaging.dead_letters import DeadLetter
from shared.messaging.envelope import body_of, headers_of, wire_headers
from shared.messaging.inbox import first_time
from shared.messaging.kafka import ParkBy, Router, at_least_once_router, by_key, make_broker
from shared.messaging.lag import LagReader
from shared.messaging.tables import messaging_tables
from shared.security.sealing import KeyRing


class Noted(Event):
    """Something happened to an application, `n` counts."""

    topic: ClassVar[str] = ""

    application_no: ApplicationNo
    n: int
    text: str = ""


class Trouble(Exception):
    """What a handler raises about a record that it can't take."""


def a_kind() -> type[Noted]:
    """A kind of event on a topic of its own."""
    name = f"test.noted-{uuid4().hex[:8]}.v1"

    class Kind(Noted):
        topic: ClassVar[str] = name

    return Kind


def key_of(number: int) -> str:
    return f"2021{number:06d}"


@dataclass
class Station:
    """One consumer group, two kinds of events, and what became of them.

    Attributes:
        poison: events (by `n`) that the handler refuses.
        away: raised by the handler while it is set, as by a database that is gone.
        batches: the sizes of the handler's calls, failed ones too.
    """

    bootstrap: str
    engine: AsyncEngine
    sessions: Sessions
    sealer: KeyRing
    kinds: tuple[type[Noted], type[Noted]]
    park_by: ParkBy = by_key
    group: str = field(default_factory=lambda: f"station-{uuid4().hex[:8]}")
    poison: set[int] = field(default_factory=set)
    away: Exception | None = None
    batches: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.router = self.make_router()

    def make_router(self, max_records: tuple[int, int] = (200, 200)) -> Router:
        router = at_least_once_router(self.group, self.park_by)
        for kind, most in zip(self.kinds, max_records, strict=True):
            router.batch(kind, max_records=most)(self.on_noted)
        router.provide(sessions=self.sessions, sealer=self.sealer)
        return router

    async def on_noted(self, events: list[Noted], sessions: Sessions) -> None:
        self.batches.append((events[0].topic, len(events)))
        if self.away is not None:
            raise self.away
        async with sessions.begin() as session:
            for event in await first_time(session, events):
                await session.execute(
                    text("INSERT INTO effects (consumer_group, topic, key, n) VALUES (:group, :topic, :key, :n)"),
                    {"group": self.group, "topic": event.topic, "key": event.key, "n": event.n},
                )
                if event.n in self.poison:
                    raise Trouble(f"can't take {event.text}")

    async def effects(self, key: str | None = None) -> list[int]:
        """The events (by `n`) that had their effect, in its order."""
        async with self.sessions() as session:
            rows = await session.scalars(
                text("SELECT n FROM effects WHERE consumer_group = :group AND key = coalesce(:key, key) ORDER BY id"),
                {"group": self.group, "key": key},
            )
            return list(rows)

    async def letters(self) -> list[DeadLetter]:
        async with self.sessions() as session:
            return await dead_letters.waiting(session, group=self.group)

    async def request_replay(self, key: str | None = None, letter_id: int | None = None) -> int:
        async with self.sessions.begin() as session:
            return await dead_letters.request_replay(session, group=self.group, key=key, letter_id=letter_id)

    async def parked_keys(self) -> set[str]:
        async with self.sessions() as session:
            return set(
                await session.scalars(
                    text("SELECT key FROM parked_keys WHERE consumer_group = :group"), {"group": self.group}
                )
            )

    @asynccontextmanager
    async def hearing(self, router: Router | None = None) -> AsyncIterator[None]:
        """Hear from Kafka, as a process of a service does."""
        broker = make_broker(self.bootstrap, "station", [router or self.router])
        await broker.start()
        try:
            yield
        finally:
            (router or self.router).delivery.stop()
            await broker.stop()

    async def behind(self) -> int:
        """Records that are not committed."""
        async with LagReader(self.bootstrap) as reader:
            return sum(lag.behind for lag in await reader.read(self.group, [kind.topic for kind in self.kinds]))

    async def settled(self, count: int) -> None:
        """Wait until `count` records had their effect or are in the dead letters, and all offsets are committed."""

        async def seen() -> bool:
            return len(await self.effects()) + len(await self.letters()) >= count and await self.behind() == 0

        await until(seen)


async def until(true: Callable[[], Awaitable[bool]], within_s: float = 45) -> None:
    """Wait until something is true."""
    end = time.monotonic() + within_s
    while not await true():
        assert time.monotonic() < end, "it did not become true in time"
        await asyncio.sleep(0.1)


@pytest_asyncio.fixture(scope="session")
async def messaging_engine(
    scratch_database: Callable[[str | None], Awaitable[str]],
) -> AsyncIterator[AsyncEngine]:
    """A database with nothing but the messaging tables, and `effects`."""
    engine = make_engine(await scratch_database(None))
    metadata = MetaData()
    messaging_tables(metadata)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(
            text(
                "CREATE TABLE effects (id bigserial PRIMARY KEY, consumer_group text NOT NULL, topic text NOT NULL, "
                "key text NOT NULL, n int NOT NULL)"
            )
        )
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def station(kafka: str, messaging_engine: AsyncEngine, key_ring: KeyRing) -> Station:
    """A station whose topics do not exist yet."""
    sessions = make_sessions(messaging_engine, source="baoshen/station")
    return Station(kafka, messaging_engine, sessions, key_ring, (a_kind(), a_kind()))


@pytest_asyncio.fixture
async def topics(kafka: str, station: Station) -> AsyncIterator[None]:
    """Make the station's topics, four partitions each."""
    async with topics_named(kafka, *(kind.topic for kind in station.kinds)):
        yield


@asynccontextmanager
async def topics_named(bootstrap: str, *names: str, partitions: int = 4, **config: str) -> AsyncIterator[None]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config) for name in names])
        yield
        await admin.delete_topics(list(names))
    finally:
        await admin.close()


class Teller:
    """Puts records on topics, well-formed or not."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def tell(self, *events: Event) -> None:
        for sent in [await self._send(event) for event in events]:
            await sent

    async def _send(self, event: Event) -> asyncio.Future[object]:
        headers = wire_headers(headers_of(event, "test"))
        return await self._producer.send(event.topic, key=event.key.encode(), value=body_of(event), headers=headers)

    async def tell_raw(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> None:
        await self._producer.send_and_wait(topic, value, key=key, headers=headers, partition=partition)


@pytest_asyncio.fixture(scope="session")
async def teller(kafka: str) -> AsyncIterator[Teller]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, **producer_settings("test"))
    await producer.start()
    yield Teller(producer)
    await producer.stop()
