"""The accounts of a region, in the hands of its administrator."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, Text, cast, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import cursors, tables
from services.review.accounts.second_factor import take_off
from services.review.domain import Role, Staff
from services.review.shapes import Member, MemberChange, Members, NewMember
from services.review.use_cases import audit
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.security.passwords import hash_now

OF_A_REGION: tuple[Role, ...] = ("site_reviewer", "region_reviewer", "region_admin", "auditor")
_STAFF = tables.staff.c
_AUDIT = tables.metadata.tables["audit"].c
_SESSIONS = tables.metadata.tables["sessions"]
_SITES = text(
    "SELECT DISTINCT site ->> 'code' FROM packs, jsonb_array_elements(content -> 'sites') AS site "
    "WHERE content -> 'region' ->> 'code' = :region"
)


async def members_of(session: AsyncSession, by: Staff, cursor: str | None, limit: int) -> Members:
    """One page of the accounts of `by`'s region, by login.

    Raises:
        Invalid: the cursor is none of ours.
    """
    query = _members().where(_STAFF.region == by.region).order_by(_STAFF.login).limit(limit + 1)
    if cursor is not None:
        query = query.where(_STAFF.login > cursors.read(cursor, _login)[0])
    rows = (await session.execute(query)).all()
    return Members(
        items=[_shown(row) for row in rows[:limit]],
        next=cursors.written(rows[limit - 1].login) if len(rows) > limit else None,
    )


async def open_account(session: AsyncSession, by: Staff, wanted: NewMember, issuer: str | None) -> Member:
    """Open an account in `by`'s region.

    Args:
        session: the caller's transaction.
        by: the region's administrator.
        wanted: what account.
        issuer: the identity provider that there is.

    Raises:
        Conflict: the login, or the provider's person, is taken; or the region has no rules that name its sites yet.
        Invalid: the role or site is not the region's, or nobody could log in.
    """
    await _must_fit(session, by, wanted.role, wanted.site)
    if wanted.oidc_subject is not None and issuer is None:
        raise _no_provider()
    if wanted.password is None and wanted.oidc_subject is None:
        raise Invalid(
            "no-way-in",
            "请填写密码，或填写统一登录的用户标识。",
            "Give a password, or who the person is at the identity provider: nobody could log in without.",
        )
    hashed = None if wanted.password is None else await asyncio.to_thread(hash_now, wanted.password)
    staff_id = await session.scalar(
        insert(tables.staff)
        .values(
            id=uuid4(),
            login=wanted.login,
            display_name=wanted.display_name,
            role=wanted.role,
            region=by.region,
            site=wanted.site,
            password_hash=hashed,
            oidc_issuer=issuer if wanted.oidc_subject is not None else None,
            oidc_subject=wanted.oidc_subject,
        )
        .on_conflict_do_nothing()
        .returning(_STAFF.id)
    )
    if staff_id is None:
        raise Conflict(
            "login-taken",
            "该登录名或统一登录用户已被使用，请换一个。",
            "This login, or this person of the identity provider, has an account already. Choose another.",
        )
    detail = {"account": str(staff_id), "role": wanted.role}
    await audit.write(session, audit.line("account_opened", by, site=wanted.site, detail=detail))
    return await _read(session, staff_id)


async def change_account(session: AsyncSession, by: Staff, staff_id: UUID, change: MemberChange) -> Member:
    """Change an account of `by`'s region; it counts from the person's next call on.

    A new password, and a second factor that is taken off, end the person's sessions.

    Raises:
        Conflict: the site is another one, and the region has no rules that name its sites yet.
        Forbidden: it is `by`'s own.
        Invalid: the role or site is not the region's.
        NotFound: the region has no such account.
    """
    row = (
        await session.execute(
            select(_STAFF.role, _STAFF.site, _STAFF.active)
            .where(_STAFF.id == staff_id, _STAFF.region == by.region)
            .with_for_update()
        )
    ).first()
    if row is None:
        raise NotFound("staff-not-found", "没有找到该账号。", "There is no such account in your region.")
    if staff_id == by.id:
        raise Forbidden(
            "own-account",
            "不能修改自己的账号，请由其他管理员修改。",
            "Nobody changes their own account. Ask another administrator.",
        )
    role: Role = change.role or row.role
    # Who comes to work for the region leaves the site.
    site = (change.site or row.site) if role == "site_reviewer" else change.site
    await _must_fit(session, by, role, site, has=row.site)
    now = {"role": role, "site": site, "active": row.active if change.active is None else change.active}
    changed: dict[str, Any] = {
        name: [getattr(row, name), value] for name, value in now.items() if getattr(row, name) != value
    }
    values: dict[str, Any] = dict(now)
    if change.password is not None:
        values["password_hash"] = await asyncio.to_thread(hash_now, change.password)
        await session.execute(delete(_SESSIONS).where(_SESSIONS.c.subject == str(staff_id)))
        changed["password"] = True
    await session.execute(update(tables.staff).where(_STAFF.id == staff_id).values(**values))
    lines = []
    if changed:
        detail = {"account": str(staff_id), "changed": changed}
        lines.append(audit.line("account_changed", by, site=site, detail=detail))
    if change.reset_second_factor:
        await take_off(session, staff_id)
        lines.append(audit.line("second_factor_reset", by, site=site, detail={"account": str(staff_id)}))
    await audit.write(session, *lines)
    return await _read(session, staff_id)


async def _must_fit(session: AsyncSession, by: Staff, role: Role, site: str | None, *, has: str | None = None) -> None:
    if role not in OF_A_REGION:
        raise Invalid(
            "role-not-of-a-region",
            "考区不能开设该角色的账号。",
            "A region has site reviewers, region reviewers, region admins and auditors. Choose one of these.",
            roles=list(OF_A_REGION),
        )
    if (role == "site_reviewer") != (site is not None):
        raise Invalid(
            "site-does-not-fit",
            "考点审核员必须选择考点，其他角色不选考点。",
            "A site reviewer has a site, others have none. Choose or clear it.",
        )
    # Whoever is at a site that the rules of a later year no longer have can still be closed, or given a new password.
    if site is not None and site != has:
        sites = set(await session.scalars(_SITES, {"region": by.region}))
        if not sites:
            # A code that nothing vouches for may be mistyped, and then the person sees another site's candidates.
            raise Conflict(
                "region-has-no-rules",
                "本考区的材料规则尚未发布，无法核对考点。请先发布规则，再开设考点账号。",
                "Your region's rules, which say what sites there are, are not published yet. Publish them first.",
            )
        if site not in sites:
            raise Invalid(
                "site-not-of-the-region",
                "本考区没有该考点，请核对考点代码。",
                "Your region's rules have no such site. Check its code.",
            )


async def _read(session: AsyncSession, staff_id: UUID) -> Member:
    return _shown((await session.execute(_members().where(_STAFF.id == staff_id))).one())


def _members() -> Any:  # noqa: ANN401 a select of many types
    return select(
        _STAFF.id,
        _STAFF.login,
        _STAFF.display_name,
        _STAFF.role,
        _STAFF.site,
        _STAFF.active,
        _STAFF.totp_confirmed_at,
        func.greatest(_last_session(), _last_line()).label("last_seen_at"),
    )


def _last_session() -> ColumnElement[datetime | None]:
    return (
        select(func.max(_SESSIONS.c.last_seen_at)).where(_SESSIONS.c.subject == cast(_STAFF.id, Text)).scalar_subquery()
    )


def _last_line() -> ColumnElement[datetime | None]:
    """The newest thing that somebody did: sessions that have ended are gone."""
    return select(_AUDIT.at).where(_AUDIT.staff_id == _STAFF.id).order_by(_AUDIT.at.desc()).limit(1).scalar_subquery()


def _shown(row: Row[*tuple[Any, ...]]) -> Member:
    return Member(
        staff_id=row.id,
        login=row.login,
        display_name=row.display_name,
        role=row.role,
        site=row.site,
        active=row.active,
        second_factor=row.totp_confirmed_at is not None,
        last_seen_at=row.last_seen_at,
    )


def _login(text: str) -> str:
    if not text.isprintable() or not text:
        raise ValueError("not a login")
    return text


def _no_provider() -> Invalid:
    return Invalid(
        "no-identity-provider",
        "本系统未接入统一登录，请填写密码。",
        "No identity provider is set up here. Give a password instead.",
    )
