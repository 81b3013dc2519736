"""Whose password it is: an adapter to the accounts of the exam registration; the development one keeps imported ones.

Which accounts are activated is ours, so that it holds with either adapter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.database import Sessions
from shared.security.passwords import verify_password
from shared.security.sealing import lookup_hash


@dataclass(frozen=True)
class CandidateAccount:
    """A candidate's account as it is imported; the password is hashed already.

    Attributes:
        activated: the first login is behind it.
    """

    application_no: str
    password_hash: str
    activated: bool = False


_FIND = text(
    """
    SELECT accounts.application_no, password_hash FROM accounts JOIN applications USING (application_no)
    WHERE accounts.application_no = :login OR id_number_hash = :hash ORDER BY year DESC LIMIT 1
    """
)


class Accounts(Protocol):
    """Checks a candidate's login."""

    async def check(self, sessions: Sessions, login: str, password: str) -> str | None:
        """The application number that `login` (number or ID number) and `password` open, or None.

        Raises:
            Unavailable: the accounts can't be asked now.
        """
        ...


class ImportedAccounts:
    """The development adapter: accounts that `baoshen import accounts` wrote.

    Args:
        lookup_key: the key of the hash by which an ID number is found.
    """

    def __init__(self, lookup_key: bytes) -> None:
        self._lookup_key = lookup_key

    async def check(self, sessions: Sessions, login: str, password: str) -> str | None:
        """See `Accounts`. Takes as long for a login that does not exist; no connection is held meanwhile."""
        who = {"login": login.strip().upper(), "hash": lookup_hash(self._lookup_key, login)}
        async with sessions() as session:
            row = (await session.execute(_FIND, who)).first()
        matches = await verify_password(row.password_hash if row is not None else None, password)
        return row.application_no if row is not None and matches else None


async def import_candidates(session: AsyncSession, accounts: Sequence[CandidateAccount]) -> int:
    """Write development accounts, replacing those that are there; returns how many. What is activated stays so."""
    await session.execute(
        text(
            """
            INSERT INTO accounts (application_no, password_hash)
            SELECT * FROM unnest(CAST(:numbers AS text[]), CAST(:hashes AS text[]))
            ON CONFLICT (application_no) DO UPDATE SET password_hash = excluded.password_hash
            """
        ),
        {
            "numbers": [account.application_no for account in accounts],
            "hashes": [account.password_hash for account in accounts],
        },
    )
    await activate(session, [account.application_no for account in accounts if account.activated])
    return len(accounts)


@dataclass(frozen=True)
class Standing:
    """What we know of an application whose password was right."""

    registered: bool
    activated: bool


async def standing(session: AsyncSession, application_no: str) -> Standing:
    """Has the registration arrived, and is the account activated?"""
    row = (
        await session.execute(
            text(
                "SELECT EXISTS (SELECT FROM applications WHERE application_no = :no), "
                "EXISTS (SELECT FROM activations WHERE application_no = :no)"
            ),
            {"no": application_no},
        )
    ).one()
    return Standing(*row)


async def activate(session: AsyncSession, numbers: Sequence[str]) -> None:
    """Link accounts at their first login; again changes nothing."""
    await session.execute(
        text(
            "INSERT INTO activations (application_no, activated_at) SELECT unnest(CAST(:numbers AS text[])), :now "
            "ON CONFLICT DO NOTHING"
        ),
        {"numbers": list(numbers), "now": clock.now()},
    )
