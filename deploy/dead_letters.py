"""Dead letters as an operator reaches them: each service keeps its own group's in its own database."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from asyncpg import PostgresError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import Sessions, make_engine, make_sessions
from shared.messaging.dead_letters import (
    DeadLetter,
    count_waiting,
    discard,
    printable_body,
    request_replay,
    waiting,
    whole_record,
)
from shared.messaging.groups import GROUPS

_POLL_S = 0.3

Fate = Literal["replayed", "failed", "parked", "asked for"]
"""`parked`: still behind one that failed. `asked for`: no service has taken it up yet."""


class Away(Exception):
    """A service's database can't be read; the message says which and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of a record that was asked to be replayed. `error` is of the newest try."""

    group: str
    id: int
    fate: Fate
    error: str | None = None


@dataclass(frozen=True)
class GivenUp:
    """What was discarded, and how many records still wait behind it."""

    key: str | None
    behind: int


class DeadLetters:
    """The dead letters of some groups.

    Args:
        databases: each group's database URL: its service's.
    """

    def __init__(self, databases: Mapping[str, str]) -> None:
        self._databases = dict(databases)

    @property
    def groups(self) -> list[str]:
        """The groups there are."""
        return list(self._databases)

    async def waiting(self, group: str, limit: int) -> tuple[list[DeadLetter], int]:
        """The oldest of one group's dead and parked records, and how many there are."""
        async with self._sessions(group) as sessions, sessions() as session:
            counts = await count_waiting(session)
            return await waiting(session, group=group, limit=limit), counts.get(group, 0)

    async def record(self, group: str, letter_id: int) -> dict[str, Any] | None:
        """One record with headers and a printable body. Nothing that is sealed is opened."""
        async with self._sessions(group) as sessions, sessions() as session:
            row = await whole_record(session, letter_id)
        if row is None or row["consumer_group"] != group:
            return None
        return row | {"body": printable_body(row)}

    async def groups_with(self, letter_id: int) -> list[str]:
        """The groups that have a record of this number: numbers are per database."""
        return [group for group in self.groups if await self.record(group, letter_id) is not None]

    async def replay(
        self, groups: Sequence[str], *, key: str | None, letter_id: int | None, within_s: float
    ) -> list[Outcome]:
        """Ask the running services to take records again, and wait until they have.

        Args:
            groups: whose records.
            key: only those parked by this key.
            letter_id: only this one, with what is parked behind it.
            within_s: how long to wait; what was not taken up by then stays asked for.
        """
        outcomes = await asyncio.gather(*(self._replay(group, key, letter_id, within_s) for group in groups))
        return [outcome for each in outcomes for outcome in each]

    async def _replay(self, group: str, key: str | None, letter_id: int | None, within_s: float) -> list[Outcome]:
        async with self._sessions(group) as sessions:
            async with sessions.begin() as session:
                await request_replay(session, group=group, key=key, letter_id=letter_id)
                # now() is the transaction's: exactly the rows that were just asked for.
                asked = await session.scalars(
                    text("SELECT id FROM dead_letters WHERE replay_requested_at = now() ORDER BY id")
                )
                ids = list(asked)
            until = time.monotonic() + within_s
            while True:
                outcomes = await _fates(sessions, group, ids)
                if not any(each.fate == "asked for" for each in outcomes) or time.monotonic() >= until:
                    return outcomes
                await asyncio.sleep(_POLL_S)

    async def give_up(self, group: str, letter_id: int) -> GivenUp | None:
        """Delete one record for good; where nothing waits behind it, its key flows again. None if it is not there."""
        async with self._sessions(group) as sessions, sessions.begin() as session:
            row = await whole_record(session, letter_id)
            if row is None or row["consumer_group"] != group:
                return None
            key = row["parking_key"]
            if not await discard(session, group, letter_id):
                return None
            return GivenUp(key, await _behind(session, group, key))

    @asynccontextmanager
    async def _sessions(self, group: str) -> AsyncIterator[Sessions]:
        engine = make_engine(self._databases[group], pool_size=1)
        try:
            yield make_sessions(engine)
        except ProgrammingError as error:
            raise Away(
                f"{group} 的数据库缺少表。The database of {group} lacks the tables; "
                f"run: baoshen migrate {GROUPS[group]}"
            ) from error
        except (SQLAlchemyError, PostgresError, OSError, TimeoutError) as error:
            raise Away(
                f"{group} 的数据库没有回答（{type(error).__name__}）。The database of {group} does not answer: "
                f"is the stack running (make up), and is DATABASE_URL_{GROUPS[group].upper()} right?"
            ) from error
        finally:
            await engine.dispose()


async def _fates(sessions: Sessions, group: str, ids: Sequence[int]) -> list[Outcome]:
    async with sessions() as session:
        rows = await session.execute(
            text("SELECT id, status, error, replay_requested_at FROM dead_letters WHERE id = ANY(:ids)"),
            {"ids": list(ids)},
        )
        left = {row.id: row for row in rows}
    outcomes = []
    for letter_id in ids:
        row = left.get(letter_id)
        if row is None:
            outcomes.append(Outcome(group, letter_id, "replayed"))
        elif row.replay_requested_at is not None:
            outcomes.append(Outcome(group, letter_id, "asked for"))
        else:
            outcomes.append(Outcome(group, letter_id, "parked" if row.status == "parked" else "failed", row.error))
    return outcomes


async def _behind(session: AsyncSession, group: str, key: str | None) -> int:
    """How many records of the key are left."""
    behind = await session.scalar(
        text("SELECT count(*) FROM dead_letters WHERE consumer_group = :group AND parking_key = :key"),
        {"group": group, "key": key},
    )
    return int(behind or 0)
