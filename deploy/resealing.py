"""Sealing anew what lies sealed in the databases: under the newest version of its data key, batch by batch."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.environment import SERVICES, database_of
from shared.contracts.event import Sealed
from shared.database import Sessions, make_engine, make_sessions
from shared.security.sealing import KeyDestroyed, KeyRing

# Rows that one transaction looks at: their locks are held for a tenth of a second.
WINDOW = 2000
# While the first pass runs, services may still write what they had sealed before, or hear it from a topic.
_PASSES = 3


@dataclass(frozen=True)
class Place:
    """A column that holds what is sealed: JSON, or bytes whose key's id is in a column of its own.

    Attributes:
        key: the primary key's columns with their types, in its order.
    """

    service: str
    table: str
    key: tuple[tuple[str, str], ...]
    column: str
    key_id: str | None = None

    def __str__(self) -> str:
        return f"{self.service}.{self.table}.{self.column}"


_BY_NUMBER = (("application_no", "text"),)
PLACES = (
    Place("upload", "applications", _BY_NUMBER, "sealed"),
    Place("upload", "contacts", _BY_NUMBER, "sealed"),
    Place("upload", "phone_codes", (("code_id", "uuid"),), "sealed"),
    Place("review", "applications", _BY_NUMBER, "sealed"),
    Place("review", "readings", (("image_id", "uuid"), ("about", "text")), "sealed"),
    Place("review", "staff", (("id", "uuid"),), "totp_sealed", "totp_key_id"),
    Place("review", "enrolments", (("staff_id", "uuid"),), "sealed", "key_id"),
    Place("notify", "applications", _BY_NUMBER, "sealed"),
    Place("notify", "applications", _BY_NUMBER, "contact"),
    Place("notify", "applications", _BY_NUMBER, "contact_over"),
    Place("notify", "codes", (("code_id", "uuid"),), "sealed"),
    *(Place(service, "dead_letters", (("id", "bigint"),), "body", "body_sealed_by") for service in SERVICES),
)
"""Every such column of the four databases."""


@dataclass
class Resealed:
    """How many rows were sealed anew, by place, and how many are not intact and stayed as they were."""

    rows: Counter[str]
    damaged: int = 0


async def reseal(env: Mapping[str, str], ring: KeyRing, old: Sequence[str], *, window: int = WINDOW) -> Resealed:
    """Seal anew every row that lies under one of the keys. Stopped half-way, it is simply run again.

    Args:
        env: with the databases' URLs.
        ring: whose newest versions are to be used.
        old: ids of the versions that are not the newest.
        window: rows of one transaction.

    Raises:
        SQLAlchemyError: a database does not answer.
    """
    done = Resealed(Counter({str(place): 0 for place in PLACES}))
    for service in SERVICES:
        engine = make_engine(database_of(service, dict(env)), pool_size=1)
        try:
            for place in (each for each in PLACES if each.service == service):
                await _place(make_sessions(engine), place, ring, old, window, done)
        finally:
            await engine.dispose()
    return done


async def _place(
    sessions: Sessions, place: Place, ring: KeyRing, old: Sequence[str], window: int, done: Resealed
) -> None:
    for _ in range(_PASSES):
        before = done.rows[str(place)]
        # What can't be opened is counted once, however often it is passed by.
        damaged = await _pass(sessions, place, ring, old, window, done)
        if done.rows[str(place)] == before:
            break
    done.damaged += damaged


async def _pass(
    sessions: Sessions, place: Place, ring: KeyRing, old: Sequence[str], window: int, done: Resealed
) -> int:
    after: tuple[Any, ...] | None = None
    damaged = 0
    while True:
        async with sessions.begin() as session:
            upto = await _end_of_window(session, place, after, window)
            rows = await _locked(session, place, old, after, upto)
            fresh = []
            for row in rows:
                try:
                    sealed = _resealed(ring, place, row)
                except KeyDestroyed:
                    continue  # erased meanwhile
                except ValueError:
                    damaged += 1
                else:
                    if sealed is not None:
                        fresh.append((row[: len(place.key)], sealed))
            if fresh:
                await _write(session, place, fresh)
        done.rows[str(place)] += len(fresh)
        if upto is None:
            return damaged
        after = upto


async def _end_of_window(
    session: AsyncSession, place: Place, after: tuple[Any, ...] | None, window: int
) -> tuple[Any, ...] | None:
    """The key that so many rows further on ends the window; None where fewer are left."""
    names = ", ".join(name for name, _ in place.key)
    where = f"WHERE {_place_in(place, '>', 'after')}" if after else ""
    found = await session.execute(
        text(f"SELECT {names} FROM {place.table} {where} ORDER BY {names} OFFSET :skip LIMIT 1"),
        _values(place, "after", after) | {"skip": window - 1},
    )
    row = found.first()
    return tuple(row) if row else None


async def _locked(
    session: AsyncSession,
    place: Place,
    old: Sequence[str],
    after: tuple[Any, ...] | None,
    upto: tuple[Any, ...] | None,
) -> list[tuple[Any, ...]]:
    """Those of the window that lie under an old key, in the order in which everybody locks them."""
    names = ", ".join(name for name, _ in place.key)
    key_id = place.key_id or f"{place.column} ->> 'key_id'"
    where = [f"({key_id}) = ANY(CAST(:old AS text[]))"]
    if after:
        where.append(_place_in(place, ">", "after"))
    if upto:
        where.append(_place_in(place, "<=", "upto"))
    rows = await session.execute(
        text(
            f"SELECT {names}, {key_id}, {place.column} FROM {place.table} WHERE {' AND '.join(where)} "
            f"ORDER BY {names} FOR NO KEY UPDATE"
        ),
        {"old": list(old)} | _values(place, "after", after) | _values(place, "upto", upto),
    )
    return [tuple(row) for row in rows]


def _resealed(ring: KeyRing, place: Place, row: tuple[Any, ...]) -> tuple[str, Any] | None:
    key_id, content = row[-2:]
    if place.key_id is not None:
        return ring.reseal_bytes(key_id, bytes(content))
    found = content if isinstance(content, dict) else json.loads(content)
    sealed = ring.reseal(Sealed.model_validate(found))
    return None if sealed is None else (sealed.key_id, sealed.model_dump_json())


async def _write(session: AsyncSession, place: Place, fresh: Sequence[tuple[tuple[Any, ...], tuple[str, Any]]]) -> None:
    arrays = [f"CAST(:{name} AS {kind}[])" for name, kind in place.key]
    arrays += ["CAST(:key_ids AS text[])", f"CAST(:sealed AS {'bytea' if place.key_id else 'jsonb'}[])"]
    names = [name for name, _ in place.key]
    sets = f"{place.column} = n.n_sealed" + (f", {place.key_id} = n.n_key_id" if place.key_id else "")
    same = " AND ".join(f"t.{name} = n.{name}" for name in names)
    await session.execute(
        text(
            f"UPDATE {place.table} AS t SET {sets} FROM unnest({', '.join(arrays)}) "
            f"AS n({', '.join(names)}, n_key_id, n_sealed) WHERE {same}"
        ),
        {name: [key[at] for key, _ in fresh] for at, name in enumerate(names)}
        | {"key_ids": [key_id for _, (key_id, _) in fresh], "sealed": [sealed for _, (_, sealed) in fresh]},
    )


def _place_in(place: Place, comparison: str, prefix: str) -> str:
    names = ", ".join(name for name, _ in place.key)
    given = ", ".join(f"CAST(:{prefix}_{name} AS {kind})" for name, kind in place.key)
    return f"({names}) {comparison} ({given})"


def _values(place: Place, prefix: str, key: tuple[Any, ...] | None) -> dict[str, Any]:
    return dict(_named(place, prefix, key)) if key else {}


def _named(place: Place, prefix: str, key: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for (name, _), value in zip(place.key, key, strict=True):
        yield f"{prefix}_{name}", value
