"""Rows that several use cases and queries take hold of: the locked application, its images, its timeline."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import Application, Image
from shared import clock
from shared.contracts.rules import Text
from shared.errors import NotFound

_IMAGE_COLUMNS = (
    tables.images.c.image_id,
    tables.images.c.item,
    tables.images.c.object_key,
    tables.images.c.sha256,
    tables.images.c.size,
    tables.images.c.content_type,
    tables.images.c.status,
    tables.images.c.uploaded_at,
)


def no_such_application() -> NotFound:
    """Also the answer for another candidate's: that it exists is nobody's business."""
    return NotFound(
        "application-not-found",
        "没有找到该报名，请核对报名编号。",
        "There is no such application for you. Check its number.",
    )


async def application(session: AsyncSession, application_no: str, *, lock: bool = False) -> Application:
    """One application; with `lock` nobody else changes it until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    found = await session.get(Application, application_no, with_for_update=lock or None, populate_existing=lock)
    if found is None:
        raise no_such_application()
    return found


async def locked_applications(session: AsyncSession, numbers: Sequence[str]) -> dict[str, Application]:
    """Lock several, in number order: two batches that lock the same ones can't block each other."""
    rows = await session.scalars(
        select(Application)
        .where(tables.applications.c.application_no.in_(sorted(set(numbers))))
        .order_by(tables.applications.c.application_no)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {found.application_no: found for found in rows}


async def images_of(session: AsyncSession, application_no: str, item: str | None = None) -> list[Image]:
    """The images that are there now, oldest first."""
    query = (
        select(*_IMAGE_COLUMNS)
        .where(tables.images.c.application_no == application_no, tables.images.c.removed_at.is_(None))
        .order_by(tables.images.c.uploaded_at, tables.images.c.image_id)
        .limit(1000)
    )
    if item is not None:
        query = query.where(tables.images.c.item == item)
    return [Image(**row) for row in (await session.execute(query)).mappings()]


async def items_with_images(session: AsyncSession, numbers: Sequence[str]) -> dict[str, set[str]]:
    """Which items of these applications have images now."""
    found: dict[str, set[str]] = {number: set() for number in numbers}
    rows = await session.execute(
        select(tables.images.c.application_no, tables.images.c.item)
        .where(tables.images.c.application_no.in_(numbers), tables.images.c.removed_at.is_(None))
        .distinct()
    )
    for row in rows:
        found[row.application_no].add(row.item)
    return found


@dataclass(frozen=True)
class Line:
    """A line to be for a timeline; `details` say in words what changed."""

    of: Application
    kind: str
    at: datetime
    details: Sequence[Text] = ()


_ADD_LINES = text(
    """
    INSERT INTO timeline (application_no, seq, kind, round, at, details)
    SELECT * FROM unnest(CAST(:numbers AS text[]), CAST(:seqs AS bigint[]), CAST(:kinds AS text[]),
                         CAST(:rounds AS int[]), CAST(:ats AS timestamptz[]), CAST(:details AS jsonb[]))
    """
)
_NOTE = text(
    """
    INSERT INTO page_events (application_no, seq, kind, at)
    SELECT t.number, t.seq, t.kind, :at
    FROM unnest(CAST(:numbers AS text[]), CAST(:seqs AS bigint[]), CAST(:kinds AS text[])) AS t(number, seq, kind)
    """
)


async def add_to_timelines(session: AsyncSession, lines: Sequence[Line]) -> None:
    """Lines on candidates' timelines; the applications' rows are locked, so `seq` has no gap and no twin."""
    if not lines:
        return
    seqs = []
    for line in lines:
        line.of.last_seq += 1
        seqs.append(line.of.last_seq)
    await session.execute(
        _ADD_LINES,
        {
            "numbers": [line.of.application_no for line in lines],
            "seqs": seqs,
            "kinds": [line.kind for line in lines],
            "rounds": [line.of.round for line in lines],
            "ats": [line.at for line in lines],
            "details": [json.dumps([{"zh": d.zh, "en": d.en} for d in line.details]) for line in lines],
        },
    )


async def add_to_timeline(
    session: AsyncSession, of: Application, kind: str, at: datetime, details: Sequence[Text] = ()
) -> None:
    """One line on the candidate's timeline; see `add_to_timelines`."""
    await add_to_timelines(session, [Line(of, kind, at, details)])


async def note_on_pages(session: AsyncSession, notes: Sequence[tuple[Application, str]]) -> None:
    """Tell the open pages of candidates that something changed; the applications' rows are locked."""
    if not notes:
        return
    seqs = []
    for of, _ in notes:
        of.page_seq += 1
        seqs.append(of.page_seq)
    await session.execute(
        _NOTE,
        {
            "numbers": [of.application_no for of, _ in notes],
            "seqs": seqs,
            "kinds": [kind for _, kind in notes],
            "at": clock.now(),
        },
    )


async def note_on_page(session: AsyncSession, of: Application, kind: str) -> None:
    """Tell the candidate's open pages that something of this kind changed; the application's row is locked."""
    await note_on_pages(session, [(of, kind)])


async def keep_feedback(
    session: AsyncSession, of: Application, feedback_id: UUID, tier: str, items: list[dict[str, Any]], at: datetime
) -> None:
    """What the candidate reads at the top of the page."""
    await session.execute(
        insert(tables.feedback).values(
            feedback_id=feedback_id,
            application_no=of.application_no,
            round=of.round,
            tier=tier,
            items=items,
            at=at,
        )
    )


def parsed(value: object) -> list[dict[str, Any]]:
    """A JSONB list, whichever way the driver gives it."""
    found: list[dict[str, Any]] = json.loads(value) if isinstance(value, str) else value  # type: ignore[assignment]
    return found
