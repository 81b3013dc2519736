"""The inbox: an event heard twice, in one batch, in two, or by two processes at once, is fresh once."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.messaging.inbox import first_time, forget_old, hearing_group
from tests.shared.conftest import Noted, Station, key_of


@pytest.fixture
def group() -> Iterator[str]:
    name = f"inbox-{uuid4().hex[:8]}"
    token = hearing_group.set(name)
    yield name
    hearing_group.reset(token)


def some(station: Station, count: int) -> list[Noted]:
    kind, _ = station.kinds
    return [kind(application_no=key_of(n), n=n) for n in range(count)]


async def test_events_are_fresh_the_first_time_only_and_keep_their_order(station: Station, group: str) -> None:
    events = some(station, 50)

    async with station.sessions.begin() as session:
        once = await first_time(session, events[:30])
    async with station.sessions.begin() as session:
        twice = await first_time(session, events)

    assert once == events[:30]
    assert twice == events[30:]


async def test_an_event_that_is_twice_in_a_batch_is_fresh_once(station: Station, group: str) -> None:
    one, other = some(station, 2)

    async with station.sessions.begin() as session:
        fresh = await first_time(session, [one, other, one, one])

    assert fresh == [one, other]


async def test_no_events_need_no_statement(station: Station, group: str) -> None:
    async with station.sessions() as session:
        assert await first_time(session, []) == []
        assert not session.in_transaction()


async def test_a_transaction_that_fails_leaves_the_events_fresh(station: Station, group: str) -> None:
    events = some(station, 3)

    async with station.sessions() as session:
        await first_time(session, events)
        await session.rollback()
    async with station.sessions.begin() as session:
        again = await first_time(session, events)

    assert again == events


async def test_two_groups_each_hear_an_event(station: Station, group: str) -> None:
    events = some(station, 3)
    async with station.sessions.begin() as session:
        await first_time(session, events)

    token = hearing_group.set(group + "-reading")
    async with station.sessions.begin() as session:
        other = await first_time(session, events)
    hearing_group.reset(token)

    assert other == events


async def test_two_processes_at_once_share_a_batch_without_overlap(station: Station, group: str) -> None:
    events = some(station, 100)
    started = asyncio.Event()

    async def slow_process() -> list[Noted]:
        async with station.sessions.begin() as session:
            fresh = await first_time(session, events[:60])
            started.set()
            await asyncio.sleep(0.2)
        return fresh

    async def other_process() -> list[Noted]:
        await started.wait()
        async with station.sessions.begin() as session:
            return await first_time(session, events)

    mine, others = await asyncio.gather(slow_process(), other_process())

    assert mine == events[:60]
    assert others == events[60:]


async def test_rows_that_no_repeat_can_reach_are_forgotten(station: Station, group: str) -> None:
    old, recent = some(station, 2)
    async with station.sessions.begin() as session:
        await first_time(session, [old, recent])
        await session.execute(
            text("UPDATE inbox SET heard_at = now() - interval '61 days' WHERE event_id = :id"), {"id": old.event_id}
        )

    async with station.sessions.begin() as session:
        forgotten = await forget_old(session)
    async with station.sessions.begin() as session:
        fresh = await first_time(session, [old, recent])

    assert forgotten >= 1
    assert fresh == [old]
