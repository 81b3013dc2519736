"""Whose password it is: an adapter to the registration system's accounts; the development one keeps imported ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import Sessions
from shared.security.passwords import verify_password
from shared.security.sealing import lookup_hash


@dataclass(frozen=True)
class CandidateAccount:
    """A candidate's account as it is imported; the password is hashed already."""

    application_no: str
    password_hash: str


_FIND = text(
    """
    SELECT accounts.application_no, password_hash FROM accounts JOIN applications USING (application_no)
    WHERE accounts.application_no = :login OR id_number_hash = :hash ORDER BY year DESC LIMIT 1
    """
)


class Accounts(Protocol):
    """Checks a candidate's login."""

    async def check(self, sessions: Sessions, login: str, password: str) -> str | None:
        """The application number that `login` (number or ID number) and `password` open, or None."""
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
    """Write development accounts, replacing those that are there; returns how many."""
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
    return len(accounts)
