"""Tries to log in, counted before they are looked at; one that is refused as too many goes on record, too."""

from dataclasses import dataclass

from services.review.accounts.people import Account, credentials
from services.review.domain import Staff
from services.review.use_cases import audit
from shared.database import Sessions
from shared.errors import TooManyRequests
from shared.security.attempts import Attempt, Attempts


@dataclass(frozen=True)
class Tries:
    """The tries of one login, from one address.

    Attributes:
        login: what was typed.
        address: where it comes from.
        act: what the trail calls it, such as `logged_in`.
        by: who tries; None before a login.
    """

    sessions: Sessions
    attempts: Attempts
    login: str
    address: str
    act: str
    by: Staff | None = None

    async def begin(self) -> Attempt:
        """Count a try of the password, or of a code by somebody who is logged in.

        Raises:
            TooManyRequests: too many failed (`too-many-attempts`).
        """
        try:
            async with self.sessions.begin() as session:
                return await self.attempts.begin(session, self.login, self.address)
        except TooManyRequests:
            await self._write_down()
            raise

    async def begin_code(self, attempt: Attempt) -> Attempt:
        """Count a try of the second factor, too, by somebody with the right password.

        Raises:
            TooManyRequests: too many failed, wherever they came from (`too-many-attempts`).
        """
        try:
            async with self.sessions.begin() as session:
                return await self.attempts.begin_code(session, attempt)
        except TooManyRequests:
            async with self.sessions.begin() as session:
                await self.attempts.never_was(session, attempt)
            await self._write_down()
            raise

    async def _write_down(self) -> None:
        """One line for each login and window, whoever floods it; of an address that used itself up, one for all."""
        async with self.sessions.begin() as session:
            of = await self.attempts.first_refusal(session, self.login, self.address)
            if of is None:
                return
            account = await credentials(session, self.login) if of == "login" else None
            await audit.write(session, refused(self.act, self.by, account, "too-many-tries"))


def refused(act: str, by: Staff | None, account: Account | None, wrong: str) -> dict[str, object]:
    """A line about a try that failed. It is nobody's act; of an account that exists it is said whose it would be."""
    of = account.staff if account is not None else None
    return audit.line(
        act,
        by,
        region=of.region if of else None,
        site=of.site if of else None,
        outcome="refused",
        detail={"wrong": wrong} | ({"account": str(of.id)} if of else {}),
    )
