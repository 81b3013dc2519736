"""Hearing an event twice has one effect: its id is written down in the same transaction as what it caused."""

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.event import Event

E = TypeVar("E", bound=Event)

# Twice the longest retention of a topic (30 days): no record can come back after its row is gone.
KEPT_FOR = timedelta(days=60)

hearing_group: ContextVar[str] = ContextVar("hearing_group")
"""The consumer group on whose behalf a handler runs; the router sets it."""

INSERT = text(
    """
    INSERT INTO inbox (consumer_group, event_id)
    SELECT :group, unnest(CAST(:ids AS uuid[]))
    ON CONFLICT DO NOTHING
    RETURNING event_id
    """
)
_FORGET = text(
    """
    DELETE FROM inbox WHERE (consumer_group, event_id) IN
        (SELECT consumer_group, event_id FROM inbox WHERE heard_at < now() - CAST(:kept AS interval) LIMIT 10000)
    """
)


def newest_of(events: Iterable[E], key: Callable[[E], str], order: Callable[[E], Any]) -> list[E]:
    """The last event of each key, in the order of the keys: one statement can't touch a row twice.

    Of two that are equal in order the first stays.
    """
    newest: dict[str, E] = {}
    for event in events:
        known = newest.get(key(event))
        if known is None or order(event) > order(known):
            newest[key(event)] = event
    return [newest[name] for name in sorted(newest)]


async def first_time(session: AsyncSession, events: Sequence[E]) -> list[E]:
    """Those of `events` that this consumer group has not heard before, in their order, each once."""
    if not events:
        return []
    rows = await session.execute(INSERT, {"group": hearing_group.get(), "ids": [event.event_id for event in events]})
    fresh = set(rows.scalars())
    chosen = []
    for event in events:
        if event.event_id in fresh:
            fresh.discard(event.event_id)
            chosen.append(event)
    return chosen


async def forget_old(session: AsyncSession) -> int:
    """Drop up to 10,000 rows that no repeat can reach any more; returns how many."""
    result = await session.execute(_FORGET, {"kept": KEPT_FOR})
    return int(result.rowcount)  # type: ignore[attr-defined]
