"""Staff accounts: who may log in, with which role, for which region or site."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Self
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Role, Staff
from shared.contracts.event import RegionCode, SiteCode
from shared.errors import Forbidden, Unauthenticated
from shared.security.passwords import hash_now, verify_password

_COLUMNS = tuple(tables.staff.c[name] for name in ("id", "login", "display_name", "role", "region", "site"))

Login = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._@-]{1,64}$", strip_whitespace=True)]


class StaffAccount(BaseModel):
    """One account to import. Its errors never quote the password."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    login: Login
    password: Annotated[str, StringConstraints(min_length=8, max_length=256, strip_whitespace=False)]
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$")]
    role: Role
    region: RegionCode | None = None
    site: SiteCode | None = None

    @model_validator(mode="after")
    def _scoped(self) -> Self:
        if (self.role == "site_reviewer") != (self.site is not None):
            raise ValueError("a site_reviewer has a site; other roles have none")
        if self.region is None and self.role not in ("national_operator", "auditor"):
            raise ValueError(f"a {self.role} has a region")
        if self.region is not None and self.role == "national_operator":
            raise ValueError("a national_operator has no region")
        return self


async def import_staff(session: AsyncSession, accounts: Sequence[StaffAccount]) -> int:
    """Write staff accounts, replacing those with the same login; returns how many.

    A changed password ends the person's sessions; a role or scope counts from the next call on.
    """
    for account in accounts:
        values = account.model_dump(include={"display_name", "role", "region", "site"}) | {"active": True}
        known = (
            await session.execute(
                select(tables.staff.c.id, tables.staff.c.password_hash)
                .where(tables.staff.c.login == account.login)
                .with_for_update()
            )
        ).first()
        if known is None:
            hashed = await asyncio.to_thread(hash_now, account.password)
            await session.execute(
                insert(tables.staff).values(id=uuid4(), login=account.login, password_hash=hashed, **values)
            )
            continue
        if not await verify_password(known.password_hash, account.password):
            values["password_hash"] = await asyncio.to_thread(hash_now, account.password)
            sessions = tables.metadata.tables["sessions"]
            await session.execute(delete(sessions).where(sessions.c.subject == str(known.id)))
        await session.execute(update(tables.staff).where(tables.staff.c.id == known.id).values(**values))
    return len(accounts)


async def credentials(session: AsyncSession, login: str) -> tuple[Staff, str] | None:
    """The member of staff with this login and the stored hash, while the account is open."""
    row = (
        await session.execute(
            select(*_COLUMNS, tables.staff.c.password_hash).where(tables.staff.c.login == login, tables.staff.c.active)
        )
    ).first()
    if row is None:
        return None
    return Staff(row.id, row.login, row.display_name, row.role, row.region, row.site), row.password_hash


async def member(session: AsyncSession, subject: str) -> Staff:
    """Who a session belongs to, as the row says now: a role that was taken away is gone with the next call.

    Raises:
        Forbidden: the account was closed.
        Unauthenticated: it is not there any more.
    """
    row = (
        await session.execute(select(*_COLUMNS, tables.staff.c.active).where(tables.staff.c.id == UUID(subject)))
    ).first()
    if row is None:
        raise Unauthenticated("not-logged-in", "请先登录。", "Please log in.")
    if not row.active:
        raise Forbidden(
            "account-closed",
            "该账号已停用，请联系考区管理员。",
            "This account was closed. Ask the region's administrator.",
        )
    return Staff(row.id, row.login, row.display_name, row.role, row.region, row.site)
