"""Lists of applications: a page costs the same at any size (an index in the list's order, and a cursor into it)."""

import base64
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import QUEUE, Staff, State
from services.review.queries.people import in_a_list, opened
from services.review.shapes import Page, QueueName, Row
from shared import clock
from shared.errors import Invalid
from shared.security.sealing import KeyRing

_REVIEWS = tables.reviews.c


async def page_of(
    session: AsyncSession, key_ring: KeyRing, staff: Staff, name: QueueName, cursor: str | None, limit: int
) -> Page:
    """One page, oldest first.

    Args:
        session: any.
        key_ring: opens the names, which are masked here.
        staff: whose scope it is.
        name: which list.
        cursor: where the page before ended.
        limit: rows at most.
    """
    now = clock.now()
    rows = (await session.execute(page_query(staff, name, cursor, limit, now))).all()
    items = []
    for row in rows[:limit]:
        held = row.claimed_until is not None and row.claimed_until > now
        items.append(
            Row(
                application_no=row.application_no,
                candidate_masked=in_a_list(opened(key_ring, row.sealed)),
                site=row.site,
                route=row.route,
                category=str(row.facts.get("category", "")),
                round=row.round,
                submitted_at=row.submitted_at,
                state=row.state.value,
                claimed=held,
                claimed_by_me=held and row.claimed_by == staff.id,
                resubmitted=row.round > 1,
                education=str(row.facts.get("education", "")),
                queue=None,
                due_at=None,
                overdue=False,
                returns=0,
                findings=0,
                clean=False,
                recommended=None,
                proposed=None,
            )
        )
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items=items, next=_cursor(last.submitted_at, last.application_no) if last is not None else None)


def page_query(
    staff: Staff, name: QueueName, cursor: str | None, limit: int, now: datetime
) -> Select[*tuple[object, ...]]:
    """The statement behind a page; one row more than the page tells whether another follows."""
    query = (
        select(
            _REVIEWS.application_no,
            _REVIEWS.site,
            _REVIEWS.route,
            _REVIEWS.facts,
            _REVIEWS.round,
            _REVIEWS.submitted_at,
            _REVIEWS.state,
            _REVIEWS.claimed_by,
            _REVIEWS.claimed_until,
            tables.applications.c.sealed,
        )
        .select_from(tables.reviews)
        .outerjoin(tables.applications, tables.applications.c.application_no == _REVIEWS.application_no)
        .where(_within(staff), _listed(staff, name, now))
        .order_by(_REVIEWS.submitted_at, _REVIEWS.application_no)
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(tuple_(_REVIEWS.submitted_at, _REVIEWS.application_no) > _after(cursor))
    return query


def _within(staff: Staff) -> ColumnElement[bool]:
    if staff.tier == "site":
        return _REVIEWS.site == staff.site
    return _REVIEWS.region == staff.region


def _listed(staff: Staff, name: QueueName, now: datetime) -> ColumnElement[bool]:
    if name == "waiting":
        free = or_(_REVIEWS.claimed_until.is_(None), _REVIEWS.claimed_until <= now, _REVIEWS.claimed_by == staff.id)
        return and_(_REVIEWS.state == QUEUE[staff.tier], free)
    if name == "mine":
        return and_(_REVIEWS.claimed_by == staff.id, _REVIEWS.claimed_until > now)
    return _REVIEWS.state == (State.RETURNED if name == "returned" else State.DECIDED)


def _cursor(submitted_at: datetime, application_no: str) -> str:
    return base64.urlsafe_b64encode(f"{submitted_at.isoformat()}|{application_no}".encode()).decode()


def _after(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, number = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition("|")
        submitted_at = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _not_ours() from None
    if not number.isalnum():
        raise _not_ours()
    return submitted_at, number


def _not_ours() -> Invalid:
    return Invalid(
        "cursor-invalid",
        "翻页位置无效，请从第一页重新开始。",
        "This cursor is not one of ours. Begin again without one.",
    )
