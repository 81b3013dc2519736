"""Rows that several use cases and queries take hold of: the locked application, its images, its timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import Application, Image
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


async def add_to_timeline(session: AsyncSession, of: Application, kind: str, at: datetime) -> None:
    """A line on the candidate's timeline; the application's row is locked, so `seq` has no gap and no twin."""
    of.last_seq += 1
    await session.execute(
        insert(tables.timeline).values(
            application_no=of.application_no, seq=of.last_seq, kind=kind, round=of.round, at=at
        )
    )


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
