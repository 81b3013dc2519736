"""A service seen from its edges: it hears, is asked, and tells. Kafka is left out; PostgreSQL and S3 are real."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx
from aiokafka import ConsumerRecord
from sqlalchemy import text

from shared.contracts import EVENTS
from shared.contracts.event import Event
from shared.messaging.envelope import Received, body_of, decode, headers_of
from shared.service import Service

E = TypeVar("E", bound=Event)
_offset = 0


def record_of(event: Event, *, topic: str | None = None) -> ConsumerRecord:
    """The record that Kafka would deliver for `event`."""
    global _offset
    _offset += 1
    headers = tuple((name, value.encode()) for name, value in headers_of(event, "test").items())
    return raw_record(topic or event.topic, event.key.encode(), body_of(event), headers, _offset)


def raw_record(
    topic: str, key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes], ...] = (), offset: int = 0
) -> ConsumerRecord:
    """Any record, well-formed or not."""
    return ConsumerRecord(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(value or b""),
        headers=headers,
    )


class ServiceUnderTest:
    """One service with its own database, without Kafka.

    Attributes:
        client: an HTTP client against its app (cookies are kept; refusals do not raise).
        service: what `main.build` made.
    """

    def __init__(self, service: Service, client: httpx.AsyncClient) -> None:
        self.service = service
        self.client = client

    async def hears(self, *events: Event) -> None:
        """Deliver events, each topic's as one batch, in order."""
        by_topic: dict[str, list[ConsumerRecord]] = {}
        for event in events:
            by_topic.setdefault(event.topic, []).append(record_of(event))
        for topic, records in by_topic.items():
            await self.hears_records(topic, records)

    async def hears_records(self, topic: str, records: list[ConsumerRecord]) -> None:
        """Deliver records as they are, to every group that hears the topic."""
        groups = {router.group: router for router in self.service.routers if topic in router.delivery.subscriptions}
        for router in groups.values():
            await router.delivery.take(topic, records)

    async def tells(self, kind: type[E]) -> list[E]:
        """What it has told of one kind since the last look, in order; those are taken away, others stay."""
        async with self.service.sessions.begin() as session:
            rows = await session.execute(
                text("DELETE FROM outbox WHERE topic = :topic RETURNING id, key, body, headers"), {"topic": kind.topic}
            )
            found = []
            for _, key, body, headers in sorted(rows.all()):
                parsed = headers if isinstance(headers, dict) else json.loads(headers)
                wire = tuple((name, value.encode()) for name, value in parsed.items())
                received = decode(raw_record(kind.topic, key.encode(), bytes(body), wire), kind)
                assert isinstance(received, Received), received
                assert isinstance(received.event, kind)
                found.append(received.event)
        return found

    async def dead_letters(self) -> int:
        """How many records wait in its dead letters."""
        async with self.service.sessions() as session:
            return int(await session.scalar(text("SELECT count(*) FROM dead_letters")) or 0)

    async def clear(self) -> None:
        """Empty every table but Alembic's."""
        async with self.service.sessions.begin() as session:
            names = (
                await session.scalars(
                    text(
                        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
                    )
                )
            ).all()
            await session.execute(text("TRUNCATE " + ", ".join(f'"{name}"' for name in names) + " RESTART IDENTITY"))


@asynccontextmanager
async def running(service: Service, origin: str = "http://127.0.0.1:8100") -> AsyncIterator[ServiceUnderTest]:
    """Open what the service opens, and a client on its app. Build it with `ROLES=api`, so that nothing needs Kafka."""
    async with service.app.router.lifespan_context(service.app):
        transport = httpx.ASGITransport(app=service.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=origin, headers={"Origin": origin}) as client:
            yield ServiceUnderTest(service, client)


def event_types() -> dict[str, type[Event]]:
    """Every kind of event by topic."""
    return {kind.topic: kind for kind in EVENTS}
