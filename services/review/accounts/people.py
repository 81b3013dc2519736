"""Reading accounts: for a login, and on every call of a session."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Staff
from shared.errors import Forbidden, TooManyRequests, Unauthenticated
from shared.security.sessions import LoggedIn

Through = Literal["password", "code", "recovery_code", "provider"]
"""How somebody was known at the login; `code` and `recovery_code` came along with the password."""

_SESSIONS = tables.metadata.tables["sessions"]
_COLUMNS = tuple(tables.staff.c[name] for name in ("id", "login", "display_name", "role", "region", "site"))


@dataclass(frozen=True)
class Account:
    """An account as the row says at this moment.

    Attributes:
        second_factor: it has one.
    """

    staff: Staff
    second_factor: bool
    password_hash: str | None


@dataclass(frozen=True)
class Known:
    """Somebody who is logged in, and how that came about."""

    staff: Staff
    second_factor: bool
    through: Through
    session_id: UUID

    @property
    def lacks_second_factor(self) -> bool:
        """True for those who came with a password alone; what an identity provider asked for is its own matter."""
        # A session that a password alone opened stays one, also once its person has set a factor up elsewhere.
        return self.through == "password" or (self.through != "provider" and not self.second_factor)


async def credentials(session: AsyncSession, login: str) -> Account | None:
    """The account with this login, while it is open."""
    return await _open(session, tables.staff.c.login == login)


async def by_id(session: AsyncSession, staff_id: UUID) -> Account | None:
    """The account, while it is open; nobody changes it until the transaction ends."""
    return await _open(session, tables.staff.c.id == staff_id, lock=True)


async def by_provider(session: AsyncSession, issuer: str, subject: str) -> Staff:
    """Whom an identity provider speaks of. Nobody opens an account by coming: somebody else does.

    Raises:
        Forbidden: there is no account, or it was closed.
    """
    row = (
        await session.execute(
            select(*_COLUMNS, tables.staff.c.active).where(
                tables.staff.c.oidc_issuer == issuer, tables.staff.c.oidc_subject == subject
            )
        )
    ).first()
    if row is None:
        raise Forbidden(
            "oidc-unknown-account",
            "您还没有本系统的账号，请联系考区管理员开通。",
            "There is no account for you here. Ask the region's administrator to open one.",
        )
    if not row.active:
        raise _closed()
    return _staff(row)


async def came_through(session: AsyncSession, logged_in: LoggedIn, through: Through) -> None:
    """Keep with a session how its person was known."""
    await session.execute(
        update(_SESSIONS).where(_SESSIONS.c.session_id == logged_in.session_id).values(through=through)
    )


async def showed_its_factor(session: AsyncSession, known: "Known") -> None:
    """A factor was set up in this session: it counts as opened with one, and every other session of its person ends."""
    others = (_SESSIONS.c.subject == str(known.staff.id)) & (_SESSIONS.c.session_id != known.session_id)
    await session.execute(delete(_SESSIONS).where(others))
    await session.execute(update(_SESSIONS).where(_SESSIONS.c.session_id == known.session_id).values(through="code"))


async def known(session: AsyncSession, logged_in: LoggedIn) -> Known:
    """Who a session belongs to, as the row says now: a role that was taken away is gone with the next call.

    Raises:
        Forbidden: the account was closed.
        Unauthenticated: it is not there any more.
    """
    row = (
        await session.execute(
            select(*_COLUMNS, tables.staff.c.active, tables.staff.c.totp_confirmed_at, _SESSIONS.c.through)
            .join_from(tables.staff, _SESSIONS, _SESSIONS.c.session_id == logged_in.session_id)
            .where(tables.staff.c.id == UUID(logged_in.subject))
        )
    ).first()
    if row is None:
        raise Unauthenticated("not-logged-in", "请先登录。", "Please log in.")
    if not row.active:
        raise _closed()
    return Known(_staff(row), row.totp_confirmed_at is not None, row.through, logged_in.session_id)


async def member(session: AsyncSession, logged_in: LoggedIn, *, required: bool) -> Staff:
    """Who is at work, as `known` says.

    Args:
        session: the caller's transaction.
        logged_in: the session.
        required: nobody works here without a second factor.

    Raises:
        Forbidden: the account was closed, or lacks its second factor.
        Unauthenticated: it is not there any more.
    """
    found = await known(session, logged_in)
    if required and found.lacks_second_factor:
        raise Forbidden(
            "second-factor-required",
            "请先设置两步验证，再开始工作。",
            "Set up a second factor first; nothing else is open to you before.",
        )
    return found.staff


def too_many_attempts(wait: timedelta) -> TooManyRequests:
    """Too many logins failed; nobody is locked out for longer than what failed lies within the window."""
    seconds = max(1, math.ceil(wait.total_seconds()))
    return TooManyRequests(
        "too-many-attempts",
        f"登录失败次数过多，请约 {math.ceil(seconds / 60)} 分钟后再试。",
        f"Too many logins have failed. Try again in about {math.ceil(seconds / 60)} minutes.",
        retry_after_s=seconds,
    )


async def _open(session: AsyncSession, which: ColumnElement[bool], *, lock: bool = False) -> Account | None:
    query = select(*_COLUMNS, tables.staff.c.totp_confirmed_at, tables.staff.c.password_hash).where(
        which, tables.staff.c.active
    )
    row = (await session.execute(query.with_for_update() if lock else query)).first()
    return None if row is None else Account(_staff(row), row.totp_confirmed_at is not None, row.password_hash)


def _staff(row: Row[*tuple[Any, ...]]) -> Staff:
    return Staff(row.id, row.login, row.display_name, row.role, row.region, row.site)


def _closed() -> Forbidden:
    return Forbidden(
        "account-closed",
        "该账号已停用，请联系考区管理员。",
        "This account was closed. Ask the region's administrator.",
    )
