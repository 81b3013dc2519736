"""Who did what with one application, when: newest first, and no more than the person may know."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import cursors
from services.review.domain import Review, Staff, no_such_application
from services.review.shapes import History, Line
from shared import clock

# What the region thinks is its own until it is published; the site's office is near the candidates.
_OPINIONS = ("decided", "published", "proposed", "agreed", "disagreed")
_NEWEST = 2**63 - 1
LINES = """
        SELECT 'line' AS part, to_jsonb(h) || jsonb_build_object('by', s.display_name) AS found
        FROM history AS h LEFT JOIN staff AS s ON s.id = h.staff_id
        WHERE h.application_no = :number AND h.id < :before AND (CAST(:with_opinions AS bool) OR (
            h.act <> ALL(CAST(:opinions AS text[]))
            -- That an opinion was undone tells that there was one.
            AND NOT (h.act = 'false_material' AND h.tier = 'region')
            AND NOT (h.act IN ('undone', 'act_void') AND h.detail ->> 'kind' NOT IN ('return', 'pass', 'send_back'))
        ))
        ORDER BY h.id DESC LIMIT :lines
"""
"""The lines, as a part of a statement; `asked_for` gives its values."""
_PAGE = text(LINES).columns(part=Text, found=JSONB)


def asked_for(application_no: str, *, with_opinions: bool, limit: int, before: int = _NEWEST) -> dict[str, object]:
    """The values of `LINES`.

    Args:
        application_no: which application.
        with_opinions: whether the person may know what the region decided, or would decide.
        limit: lines at most, and one more, which tells that there are more.
        before: the line that the page before ended with.
    """
    return {
        "number": application_no,
        "with_opinions": with_opinions,
        "opinions": list(_OPINIONS),
        "before": before,
        "lines": limit + 1,
    }


def page_of(lines: list[dict[str, Any]], limit: int) -> History:
    """What `LINES` found, in any order, as a page."""
    newest_first = sorted(lines, key=lambda each: each["id"], reverse=True)
    shown = newest_first[:limit]
    more = len(newest_first) > limit
    return History(items=[_line(each) for each in shown], next=cursors.written(shown[-1]["id"]) if more else None)


async def history_of(
    session: AsyncSession, staff: Staff, application_no: str, cursor: str | None, limit: int
) -> History:
    """One page of it.

    Args:
        session: the transaction.
        staff: who reads.
        application_no: which application.
        cursor: where the page before ended, or what the screen had room for.
        limit: lines at most.

    Raises:
        Invalid: the cursor is none (`cursor-invalid`).
        NotFound: there is none in this person's scope.
    """
    review = await session.get(Review, application_no)
    if review is None or not staff.sees(review.region, review.site):
        raise no_such_application()
    before = cursors.read(cursor, cursors.line_id)[0] if cursor is not None else _NEWEST
    shows = staff.sees_opinion(review.published_at, clock.now())
    asked = asked_for(application_no, with_opinions=shows, limit=limit, before=before)
    return page_of([row.found for row in await session.execute(_PAGE, asked)], limit)


def _line(found: Mapping[str, Any]) -> Line:
    return Line(
        at=datetime.fromisoformat(found["at"]),
        tier=found["tier"],
        act=found["act"],
        by=found["by"],
        round=found["round"],
        detail=found["detail"],
    )
