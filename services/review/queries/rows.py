"""Applications as rows of a list: masked, with what a reviewer wants to know before opening one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.domain import NEVER, Staff
from services.review.opening import person_of
from services.review.queries.people import in_a_list
from services.review.shapes import Row
from shared.security.sealing import KeyRing

# One statement for the whole page, each part of it by an index on the number.
_ROWS = text(
    """
    SELECT r.application_no, r.region, r.site, r.route, r.category, r.education, r.round, r.revision, r.submitted_at,
           r.state, r.tier, r.queue, r.due_at, r.returns, r.findings, r.claimed_by, r.claimed_until, r.passed_revision,
           r.recommended_opinion, r.proposed_opinion, a.sealed, i.*,
           EXISTS (SELECT 1 FROM marks m
                   WHERE m.application_no = r.application_no AND m.tier = r.tier AND m.mark = 'return') AS returning,
           EXISTS (SELECT 1 FROM false_materials f WHERE f.application_no = r.application_no) AS false_material
    FROM reviews r
    LEFT JOIN applications a USING (application_no)
    CROSS JOIN LATERAL (
        SELECT count(*) AS images,
               coalesce(bool_or(i.confirmed), false) AS confirmed,
               coalesce(bool_or(c.copies <> '[]'), false) AS copied,
               coalesce(bool_and(EXISTS (
                   SELECT 1 FROM marks m
                   WHERE m.application_no = i.application_no AND m.item = i.item AND m.mark = 'accept'
                     AND (m.tier = r.tier OR m.tier = 'site' AND r.passed_revision = r.revision)
               )), false) AS accepted
        FROM images i
        LEFT JOIN readings c ON c.image_id = i.image_id AND c.about = 'copies'
        WHERE i.application_no = r.application_no AND i.last_round = r.round
    ) AS i
    WHERE r.application_no = ANY(CAST(:numbers AS text[]))
    """
)


async def rows_of(
    session: AsyncSession, key_ring: KeyRing, staff: Staff, numbers: Sequence[str], now: datetime
) -> list[Row]:
    """The rows of a page, in the order of its numbers.

    Args:
        session: any.
        key_ring: opens the names, which are masked here.
        staff: who looks.
        numbers: which.
        now: the time that leases and deadlines are held against.
    """
    if not numbers:
        return []
    found = {row.application_no: row for row in await session.execute(_ROWS, {"numbers": list(numbers)})}
    # A list goes by a site's code, which may be another region's too.
    seen = [
        found[number] for number in numbers if number in found and staff.sees(found[number].region, found[number].site)
    ]
    return [_row(key_ring, staff, row, now) for row in seen]


def _row(key_ring: KeyRing, staff: Staff, row: SqlRow[Any], now: datetime) -> Row:
    held = row.claimed_until is not None and row.claimed_until > now
    # That it waits for a second look tells a site what the region would decide.
    shows_opinions = staff.tier == "region"
    return Row(
        application_no=row.application_no,
        candidate_masked=in_a_list(person_of(key_ring, row.sealed)),
        site=row.site,
        route=row.route,
        category=row.category or "",
        round=row.round,
        revision=row.revision,
        submitted_at=row.submitted_at,
        state=row.state,
        claimed=held,
        claimed_by_me=held and row.claimed_by == staff.id,
        resubmitted=row.round > 1,
        education=row.education or "",
        queue=row.queue if shows_opinions or row.tier == "site" else None,
        due_at=row.due_at if row.due_at < NEVER else None,
        overdue=row.queue is not None and row.due_at < now,
        returns=row.returns,
        findings=len(row.findings),
        clean=staff.reviews and row.tier == staff.tier and _is_clean(row),
        recommended=row.recommended_opinion,
        proposed=row.proposed_opinion if shows_opinions else None,
    )


def _is_clean(row: SqlRow[Any]) -> bool:
    """Nothing that can be known without opening it speaks against a pass in bulk."""
    if row.queue not in ("new", "resubmitted") or row.route == "onsite":
        return False
    if row.findings or row.confirmed or row.copied or row.returning or row.false_material:
        return False
    return row.images > 0 and bool(row.accepted) and row.recommended_opinion is None
