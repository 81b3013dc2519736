"""Accounts from a file: the nation's own, and those that a region begins with."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.accounts.second_factor import take_off
from services.review.domain import Role
from services.review.shapes.staff import DisplayName, LoginName, Password, Subject
from services.review.use_cases import audit
from shared.contracts.event import RegionCode, SiteCode
from shared.security.passwords import hash_now, verify_password

_SESSIONS = tables.metadata.tables["sessions"]


class StaffAccount(BaseModel):
    """One account to import. Its errors never quote the password.

    Attributes:
        password: None for those who come through an identity provider only.
        reset_second_factor: take off the one that the account has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    login: LoginName
    password: Annotated[Password, StringConstraints(strip_whitespace=False)] | None = None
    display_name: DisplayName
    role: Role
    region: RegionCode | None = None
    site: SiteCode | None = None
    oidc_issuer: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    oidc_subject: Subject | None = None
    reset_second_factor: bool = False

    @model_validator(mode="after")
    def _scoped(self) -> Self:
        if (self.role == "site_reviewer") != (self.site is not None):
            raise ValueError("a site_reviewer has a site; other roles have none")
        if self.region is None and self.role not in ("national_operator", "auditor"):
            raise ValueError(f"a {self.role} has a region")
        if self.region is not None and self.role == "national_operator":
            raise ValueError("a national_operator has no region")
        return self

    @model_validator(mode="after")
    def _can_come_in(self) -> Self:
        if self.password is None and self.oidc_subject is None:
            raise ValueError("neither password nor oidc_subject: nobody could log in")
        if self.oidc_subject is not None and self.oidc_issuer is None:
            raise ValueError("oidc_subject needs its oidc_issuer; STAFF_OIDC_ISSUER stands in for the column")
        return self


async def import_staff(session: AsyncSession, accounts: Sequence[StaffAccount]) -> int:
    """Write staff accounts, replacing those with the same login; returns how many.

    A changed password ends the person's sessions; a role or scope counts from the next call on.
    """
    for account in accounts:
        values: dict[str, Any] = account.model_dump(
            include={"display_name", "role", "region", "site", "oidc_subject"}
        ) | {"active": True, "oidc_issuer": account.oidc_issuer if account.oidc_subject else None}
        known = (
            await session.execute(
                select(tables.staff.c.id, tables.staff.c.password_hash)
                .where(tables.staff.c.login == account.login)
                .with_for_update()
            )
        ).first()
        if known is None:
            staff_id = uuid4()
            values["password_hash"] = await _hash(account.password)
            await session.execute(insert(tables.staff).values(id=staff_id, login=account.login, **values))
        else:
            staff_id = known.id
            values |= await _new_password(session, staff_id, known.password_hash, account.password)
            await session.execute(update(tables.staff).where(tables.staff.c.id == staff_id).values(**values))
            if account.reset_second_factor:
                await take_off(session, staff_id)
        await _write_down(session, account, staff_id, new=known is None)
    return len(accounts)


async def _new_password(
    session: AsyncSession, staff_id: UUID, stored: str | None, password: str | None
) -> dict[str, str | None]:
    if password is None:
        same = stored is None
    else:
        same = await verify_password(stored, password)
    if same:
        return {}
    await session.execute(delete(_SESSIONS).where(_SESSIONS.c.subject == str(staff_id)))
    return {"password_hash": await _hash(password)}


async def _hash(password: str | None) -> str | None:
    return None if password is None else await asyncio.to_thread(hash_now, password)


async def _write_down(session: AsyncSession, account: StaffAccount, staff_id: UUID, *, new: bool) -> None:
    detail = {"account": str(staff_id), "new": new, "role": account.role}
    if account.reset_second_factor and not new:
        detail["second_factor"] = "reset"
    line = audit.line("account_imported", None, region=account.region, site=account.site, detail=detail)
    await audit.write(session, line)
