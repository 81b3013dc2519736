"""Telling others: a row in the caller's own transaction, so that a fact and its telling are one."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.event import Event
from shared.messaging.envelope import body_of, headers_of, trace_headers

_HEADERS = TypeAdapter(dict[str, str])
# WITH ORDINALITY keeps the order of the arrays: the identity column follows it.
INSERT = text(
    """
    INSERT INTO outbox (topic, key, body, headers)
    SELECT t.topic, t.key, t.body, t.headers
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:bodies AS bytea[]), CAST(:headers AS jsonb[]))
         WITH ORDINALITY AS t(topic, key, body, headers, n)
    ORDER BY t.n
    """
)


async def tell(session: AsyncSession, *events: Event, source: str | None = None) -> None:
    """Tell facts once the caller's transaction commits. Lock the application's row before, so that order per key holds.

    Args:
        session: the caller's; it is never committed here.
        *events: the facts, in order.
        source: who tells; the session factory's `info["source"]` by default.
    """
    if not events:
        return
    who = source or str(session.info.get("source", "baoshen"))
    trace = trace_headers()
    await _insert(
        session,
        [(event.topic, event.key, body_of(event), _json(headers_of(event, who, trace))) for event in events],
    )


async def tell_raw(session: AsyncSession, topic: str, key: str, body: bytes | None, headers: dict[str, str]) -> None:
    """Tell a record that is not an event of ours to read: a dead letter, or a tombstone (`body` None)."""
    await _insert(session, [(topic, key, body, _json(headers))])


def _json(headers: dict[str, str]) -> str:
    return _HEADERS.dump_json(headers).decode()


async def _insert(session: AsyncSession, rows: list[tuple[str, str, bytes | None, str]]) -> None:
    session.info["told"] = True
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    await session.execute(INSERT, dict(zip(("topics", "keys", "bodies", "headers"), columns, strict=True)))
