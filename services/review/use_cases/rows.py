"""Rows that several use cases take hold of: the locked review, its marks, a line of history."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Mark, Review, Staff, no_such_application
from services.review.packs import Shelf
from services.review.use_cases import audit
from shared import clock
from shared.contracts.event import ItemCode
from shared.contracts.review import Tier

_HISTORY = frozenset(column.name for column in tables.history.columns)
_AUDITED_DETAIL = frozenset(
    {"act_id", "feedback_id", "item", "kind", "mark", "outcome", "reason_code", "record_id", "to"}
)


async def locked_review(session: AsyncSession, by: Staff, application_no: str) -> Review:
    """One application of this person's scope; nobody else changes it until the transaction ends.

    Raises:
        Forbidden: this person only reads.
        NotFound: there is none, or it is another region's or site's.
    """
    by.must_review()
    found = await session.get(Review, application_no, with_for_update=True, populate_existing=True)
    if found is None or not by.sees(found.region, found.site):
        raise no_such_application()
    structlog.contextvars.bind_contextvars(application_no=found.application_no)
    return found


async def locked_reviews(session: AsyncSession, numbers: Sequence[str]) -> dict[str, Review]:
    """Lock several, in number order: two batches that lock the same ones can't block each other."""
    rows = await session.scalars(
        select(Review)
        .where(tables.reviews.c.application_no.in_(sorted(set(numbers))))
        .order_by(tables.reviews.c.application_no)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {found.application_no: found for found in rows}


async def marks_of(session: AsyncSession, shelf: Shelf, review: Review, tier: Tier) -> list[Mark]:
    """A tier's marks on an application, in the order of the checklist."""
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    rows = await session.execute(
        select(
            tables.marks.c.item,
            tables.marks.c.mark,
            tables.marks.c.reason_code,
            tables.marks.c.words,
            tables.marks.c.image_ids,
            tables.marks.c.same_images_allowed,
        ).where(tables.marks.c.application_no == review.application_no, tables.marks.c.tier == tier)
    )
    marks = [
        Mark(row.item, row.mark, row.reason_code, row.words, tuple(row.image_ids), row.same_images_allowed)
        for row in rows
    ]
    order: dict[ItemCode, int] = {code: place for place, code in enumerate(pack.ordered_items())}
    return sorted(marks, key=lambda mark: order.get(mark.item, len(order)))


def mark_detail(mark: Mark) -> dict[str, Any]:
    """A mark as history keeps it."""
    return {
        name: [str(image_id) for image_id in value] if name == "image_ids" else value
        for name, value in asdict(mark).items()
        if value
    }


def line_of(review: Review, act: str, by: Staff | None = None, detail: dict[str, Any] | None = None) -> dict[str, Any]:
    """A line of history: who did what, when, on which revision. None: the candidate or the system."""
    line = line_about(review.application_no, review.round, review.revision, act, detail=detail)
    if by is None:
        return line
    return line | {"tier": by.tier, "staff_id": by.id, "by": by, "region": review.region, "site": review.site}


def line_about(
    application_no: str, round_no: int, revision: int, act: str, *, detail: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A line about the candidate's or the system's act, also on what no submission was heard of yet."""
    return {
        "application_no": application_no,
        "at": clock.now(),
        "tier": None,
        "act": act,
        "staff_id": None,
        "round": round_no,
        "revision": revision,
        "detail": detail or {},
    }


async def write_history(session: AsyncSession, *lines: dict[str, Any]) -> None:
    """Add lines in the transaction of the acts themselves; those of staff go into the audit trail, too."""
    if not lines:
        return
    await session.execute(
        insert(tables.history), [{name: each[name] for name in _HISTORY if name in each} for each in lines]
    )
    await audit.write(session, *(_audited(each) for each in lines if _is_an_act(each)))


def _is_an_act(line: dict[str, Any]) -> bool:
    # A publication is one act with a line of its own; its rows name the applications.
    return "by" in line and line["act"] != "published"


def _audited(line: dict[str, Any]) -> dict[str, Any]:
    """The act without the words: what a reviewer wrote is in the history, which a region's retention takes away."""
    detail = {"round": line["round"], "revision": line["revision"]} | {
        name: value for name, value in line["detail"].items() if name in _AUDITED_DETAIL
    }
    return audit.line(
        line["act"],
        line["by"],
        application_no=line["application_no"],
        region=line["region"],
        site=line["site"],
        detail=detail,
    )
