"""The audit trail as auditors read it, newest first: an index for every narrowing, and a bounded look behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true, tuple_
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

    A page may be short, even empty, and still lead on. Its cursor is the place of a line, and lines and the place come
    from one statement: whatever is written meanwhile, no line is repeated, and none is missed that stands behind it.
    What is written before it is on the first page of the next reading.

    Args:
        session: any.
        staff: the auditor.
        filters: what it is narrowed to.
        cursor: where the page before ended.
        limit: lines at most.
    """
    rows = (await session.execute(_looked_at(staff, filters, cursor, limit + 1))).mappings().all()
    found = [row for row in rows if row["matches"]]
    items = [_line(row) for row in found[:limit]]
    if len(found) > limit:
        return AuditPage(items=items, next=_place(found[limit - 1]))
    return AuditPage(items=items, next=_place(rows[-1]) if rows and rows[-1]["nth"] == LOOKED_AT else None)


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
        conditions.append(tuple_(_LINES.at, _LINES.line_id) < cursors.read(cursor, cursors.moment, cursors.line_id))
    return select(_AUDIT).where(*conditions).order_by(_LINES.at.desc(), _LINES.line_id.desc()).limit(LOOKED_AT)


def _looked_at(staff: Staff, filters: AuditFilters, cursor: str | None, at_most: int) -> Select[*tuple[Any, ...]]:
    """The lines of the window that match, newest first; its last line, too, which says where the next window begins."""
    window = _window(staff, filters, cursor).subquery()
    newest_first = (window.c.at.desc(), window.c.line_id.desc())
    numbered = select(window, func.row_number().over(order_by=newest_first).label("nth")).subquery()
    found = numbered.c
    conditions: list[ColumnElement[bool]] = []
    if staff.region is not None:
        conditions.append(found.region == staff.region)
    if filters.staff_id is not None:
        conditions.append(found.staff_id == filters.staff_id)
    if filters.act is not None:
        conditions.append(found.act == filters.act)
    if filters.outcome is not None:
        conditions.append(found.outcome == filters.outcome)
    matches = and_(true(), *conditions)
    return (
        select(numbered, matches.label("matches"), tables.staff.c.display_name.label("by"))
        .outerjoin(tables.staff, tables.staff.c.id == found.staff_id)
        .where(or_(matches, found.nth == LOOKED_AT))
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


def _batch(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9:
        raise cursors.not_ours()
    return int(cursor)
