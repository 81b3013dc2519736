"""The audit trail as auditors read it, newest first: an index for every narrowing, and a bounded look behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, select, tuple_
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import cursors, tables
from services.review.domain import Staff
from services.review.shapes import AuditLine, AuditPage, Seal, Seals

# What no index narrows further is looked for among so many lines; then the page ends, and `next` goes on.
LOOKED_AT = 5000
# The sealer is never so far behind; a count beyond it would only cost time.
_UNSEALED_AT_MOST = 100_000
_AUDIT = tables.metadata.tables["audit"]
_LINES = _AUDIT.c
_SEALS = tables.metadata.tables["audit_seals"].c


@dataclass(frozen=True)
class AuditFilters:
    """What the trail is narrowed to; None narrows nothing. `since` belongs to it, `until` does not."""

    staff_id: UUID | None = None
    act: str | None = None
    application_no: str | None = None
    outcome: Literal["done", "refused"] | None = None
    since: datetime | None = None
    until: datetime | None = None


async def audit_page(
    session: AsyncSession, staff: Staff, filters: AuditFilters, cursor: str | None, limit: int
) -> AuditPage:
    """One page, newest first: of the auditor's region, or of the nation.

    A page may be short, even empty, and still lead on.

    Args:
        session: any.
        staff: the auditor.
        filters: what it is narrowed to.
        cursor: where the page before ended.
        limit: lines at most.
    """
    looked_at = _window(staff, filters, cursor).subquery()
    rows = (await session.execute(_matching(staff, filters, looked_at, limit + 1))).mappings().all()
    items = [_line(row) for row in rows[:limit]]
    if len(rows) > limit:
        return AuditPage(items=items, next=_place(rows[limit - 1]))
    end = (
        (
            await session.execute(
                select(func.count().over().label("n"), looked_at.c.at, looked_at.c.line_id)
                .order_by(looked_at.c.at, looked_at.c.line_id)
                .limit(1)
            )
        )
        .mappings()
        .first()
    )
    return AuditPage(items=items, next=_place(end) if end is not None and end["n"] == LOOKED_AT else None)


def _window(staff: Staff, filters: AuditFilters, cursor: str | None) -> Select[*tuple[Any, ...]]:
    """The newest lines that an index leads to, from the cursor on, a bounded number."""
    conditions: list[ColumnElement[bool]] = []
    if filters.application_no is not None:
        conditions.append(_LINES.application_no == filters.application_no)
    elif filters.staff_id is not None:
        conditions.append(_LINES.staff_id == filters.staff_id)
    elif filters.act is not None:
        conditions.append(_LINES.act == filters.act)
    elif staff.region is not None:
        conditions.append(_LINES.region == staff.region)
    if filters.since is not None:
        conditions.append(_LINES.at >= filters.since)
    if filters.until is not None:
        conditions.append(_LINES.at < filters.until)
    if cursor is not None:
        conditions.append(tuple_(_LINES.at, _LINES.line_id) < cursors.read(cursor, cursors.moment, _line_id))
    return select(_AUDIT).where(*conditions).order_by(_LINES.at.desc(), _LINES.line_id.desc()).limit(LOOKED_AT)


def _matching(staff: Staff, filters: AuditFilters, looked_at: Subquery, at_most: int) -> Select[*tuple[Any, ...]]:
    found = looked_at.c
    conditions: list[ColumnElement[bool]] = []
    if staff.region is not None:
        conditions.append(found.region == staff.region)
    if filters.staff_id is not None:
        conditions.append(found.staff_id == filters.staff_id)
    if filters.act is not None:
        conditions.append(found.act == filters.act)
    if filters.outcome is not None:
        conditions.append(found.outcome == filters.outcome)
    return (
        select(looked_at, tables.staff.c.display_name.label("by"))
        .outerjoin(tables.staff, tables.staff.c.id == found.staff_id)
        .where(and_(True, *conditions))
        .order_by(found.at.desc(), found.line_id.desc())
        .limit(at_most)
    )


async def seals_page(session: AsyncSession, cursor: str | None, limit: int) -> Seals:
    """Heads of the chain, newest first, and how many lines wait for the next.

    Args:
        session: any.
        cursor: where the page before ended.
        limit: heads at most.
    """
    query = select(
        _SEALS.batch_no, _SEALS.first_seq, _SEALS.last_seq, _SEALS.head, _SEALS.sealed_at, _SEALS.key_id
    ).order_by(_SEALS.batch_no.desc())
    if cursor is not None:
        query = query.where(_SEALS.batch_no < _batch(cursor))
    rows = (await session.execute(query.limit(limit + 1))).mappings().all()
    waiting = select(_LINES.line_id).where(_LINES.seq.is_(None)).limit(_UNSEALED_AT_MOST).subquery()
    unsealed = await session.scalar(select(func.count()).select_from(waiting))
    return Seals(
        items=[Seal(**row) for row in rows[:limit]],
        next=str(rows[limit - 1]["batch_no"]) if len(rows) > limit else None,
        unsealed=unsealed or 0,
    )


def _line(row: RowMapping) -> AuditLine:
    return AuditLine(**{name: row[name] for name in AuditLine.model_fields})


def _place(row: RowMapping) -> str:
    return cursors.written(row["at"], row["line_id"])


def _line_id(text: str) -> int:
    line_id = int(text)
    if not 0 <= line_id < 2**63:
        raise ValueError("not a line")
    return line_id


def _batch(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9:
        raise cursors.not_ours()
    return int(cursor)
