"""Guessing is made slow: failures are counted per login and per address, and beyond a few the service refuses.

Nobody is locked out for good: what counts is a window that moves on, and what was refused is not counted. What was
typed, and addresses, are kept as keyed hashes, for an hour.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from fastapi import Request
from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.errors import TooManyRequests
from shared.security.sealing import lookup_hash

WINDOW = timedelta(minutes=15)
KEPT_FOR = timedelta(hours=1)

Refuse = Callable[[timedelta], TooManyRequests]
"""What is said to those who failed too often, given the time until a failure leaves the window."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:kind || encode(:who, 'hex'), 0))")
_COUNT = text("SELECT count(*) FROM attempts WHERE kind = :kind AND who = :who AND at > :since")
_LIMITING = text(
    "SELECT at FROM attempts WHERE kind = :kind AND who = :who AND at > :since ORDER BY at DESC OFFSET :before LIMIT 1"
)
_FORGET = text(
    "DELETE FROM attempts WHERE kind IN ('login', 'code') AND who = :login OR kind = 'login-here' AND who = :here"
)
_ADD = text("INSERT INTO attempts (kind, who, at) VALUES (:kind, :who, :at) RETURNING attempt_id")


def attempts_table(metadata: MetaData) -> Table:
    """Failed logins and what else is counted; `who` is a keyed hash of what was typed, or of an address."""
    return Table(
        "attempts",
        metadata,
        Column("attempt_id", BigInteger, Identity(always=True), primary_key=True),
        Column("kind", Text, nullable=False),
        Column("who", LargeBinary, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Index("attempts_who", "kind", "who", "at"),
        Index("attempts_at", "at"),
    )


@dataclass(frozen=True)
class Attempt:
    """A login under way: it counts as failed until it is known to be none.

    Attributes:
        login: a keyed hash of what was typed.
        here: the same of both that and the address.
        last: should it fail, the next one is refused.
    """

    login: bytes
    here: bytes
    rows: tuple[int, ...]
    last: bool


@dataclass(frozen=True)
class _Limit:
    kind: Literal["login", "login-here", "address"]
    who: bytes
    most: int


class Attempts:
    """Counts.

    Args:
        key: of the keyed hashes.
        per_login: failures within the window after which a login is refused.
        per_address: the same for an address; a school's candidates, or an office's staff, share one.
        refuse: what is said then.
        per_login_anywhere: with it `per_login` counts for each address by itself, and this, much higher, for all
            together: a stranger who knows a login must not be able to keep its owner out.
    """

    def __init__(
        self, key: bytes, *, per_login: int, per_address: int, refuse: Refuse, per_login_anywhere: int | None = None
    ) -> None:
        self._key = key
        self._per_login = per_login
        self._per_login_anywhere = per_login_anywhere
        self._per_address = per_address
        self._refuse = refuse

    async def begin(self, session: AsyncSession, login: str, address: str, *, excused: bool = False) -> Attempt:
        """Count a try before its password is looked at, so that many at once can't all be the fifth.

        Args:
            session: the caller's transaction; commit it before the password is looked at.
            login: what was typed.
            address: where it comes from.
            excused: something came along that lets one try through, such as a right captcha.

        Raises:
            TooManyRequests: too many failed.
        """
        limits = self._limits(login, address)
        failed = [await self._count(session, limit.kind, limit.who, WINDOW) for limit in limits]
        if not excused and any(n >= limit.most for n, limit in zip(failed, limits, strict=True)):
            raise self._refuse(max([await self._until(session, limit.kind, limit.who, limit.most) for limit in limits]))
        rows = tuple([await self._add(session, limit.kind, limit.who) for limit in limits])
        last = any(n + 1 >= limit.most for n, limit in zip(failed, limits, strict=True))
        return Attempt(self._hash("login", login), self._here(login, address), rows, last)

    async def begin_code(self, session: AsyncSession, attempt: Attempt) -> Attempt:
        """Count a second factor, too, before it is looked at; gives the attempt with both.

        Only who gave the right password comes so far, so the small limit holds for all addresses together: nobody
        guesses six digits from a thousand of them.

        Args:
            session: the caller's transaction; commit it before the code is looked at.
            attempt: whose password was right.

        Raises:
            TooManyRequests: too many failed.
        """
        who = attempt.login
        if await self._count(session, "code", who, WINDOW) >= self._per_login:
            raise self._refuse(await self._until(session, "code", who, self._per_login))
        return replace(attempt, rows=(*attempt.rows, await self._add(session, "code", who)))

    async def succeeded(self, session: AsyncSession, attempt: Attempt) -> None:
        """It was right: the login's failures are forgotten, but for those that other addresses have by themselves."""
        # One after the other: each would delete its own row first, and then wait for the other's.
        await session.execute(_LOCK, {"kind": "login", "who": attempt.login})
        await self.never_was(session, attempt)
        await session.execute(_FORGET, {"login": attempt.login, "here": attempt.here})

    async def never_was(self, session: AsyncSession, attempt: Attempt) -> None:
        """Nothing was tried after all."""
        await session.execute(
            text("DELETE FROM attempts WHERE attempt_id = ANY(CAST(:rows AS bigint[]))"), {"rows": list(attempt.rows)}
        )

    async def allow(self, session: AsyncSession, kind: str, address: str, most: int, within: timedelta) -> None:
        """Count something that an address may do so often within a time.

        Raises:
            TooManyRequests: it did so already.
        """
        where = self._hash(kind, address)
        if await self._count(session, kind, where, within) >= most:
            raise TooManyRequests(
                "too-often",
                "操作过于频繁，请稍后再试。",
                "Too many of these from your network. Wait a little and try again.",
                retry_after_s=20,
            )
        await self._add(session, kind, where)

    async def first(self, session: AsyncSession, kind: str, value: str, within: timedelta = KEPT_FOR) -> bool:
        """True when `value` comes for the first time in that time (`KEPT_FOR` at most), also of many at once."""
        who = self._hash(kind, value)
        if await self._count(session, kind, who, within) > 0:
            return False
        await self._add(session, kind, who)
        return True

    async def first_refusal(
        self, session: AsyncSession, login: str, address: str
    ) -> Literal["login", "address"] | None:
        """What a refused try ran into, where it is the first one of that login, or of that address, in the window.

        An address that has used itself up is one thing, whatever logins it goes on to try.
        """
        of: Literal["login", "address"] = "login"
        for limit in self._limits(login, address):
            if limit.kind == "address" and await self._count(session, limit.kind, limit.who, WINDOW) >= limit.most:
                of = "address"
        value = login if of == "login" else address
        return of if await self.first(session, f"refused-{of}", value, WINDOW) else None

    def _limits(self, login: str, address: str) -> list[_Limit]:
        """Always in this order: each is counted under a lock."""
        where = _Limit("address", self._hash("address", address), self._per_address)
        who = self._hash("login", login)
        if self._per_login_anywhere is None:
            return [_Limit("login", who, self._per_login), where]
        here = _Limit("login-here", self._here(login, address), self._per_login)
        return [_Limit("login", who, self._per_login_anywhere), here, where]

    def _here(self, login: str, address: str) -> bytes:
        return self._hash("login-here", f"{address} {login}")  # no address has a blank

    def _hash(self, kind: str, value: str) -> bytes:
        return lookup_hash(self._key, f"{kind}:{value}")

    async def _count(self, session: AsyncSession, kind: str, who: bytes, within: timedelta) -> int:
        await session.execute(_LOCK, {"kind": kind, "who": who})
        found = await session.scalar(_COUNT, {"kind": kind, "who": who, "since": clock.now() - within})
        return int(found or 0)

    async def _until(self, session: AsyncSession, kind: str, who: bytes, most: int) -> timedelta:
        """How long until fewer than `most` are left in the window."""
        values = {"kind": kind, "who": who, "since": clock.now() - WINDOW, "before": most - 1}
        at: datetime | None = await session.scalar(_LIMITING, values)
        return timedelta() if at is None else at + WINDOW - clock.now()

    async def _add(self, session: AsyncSession, kind: str, who: bytes) -> int:
        return int(await session.scalar(_ADD, {"kind": kind, "who": who, "at": clock.now()}) or 0)


def address_of(request: Request) -> str:
    """Where a request comes from; of an IPv6 address the network, which is one household's.

    The server takes X-Forwarded-For from the gateway only (uvicorn's `forwarded_allow_ips`: loopback unless it is told
    otherwise), and the gateway takes it from nobody.
    """
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


async def forget_old(session: AsyncSession) -> None:
    """Drop what no window looks back to."""
    await session.execute(text("DELETE FROM attempts WHERE at < :before"), {"before": clock.now() - KEPT_FOR})
