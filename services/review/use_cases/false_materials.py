"""False material (违纪违规): put on record once, with what is false about it, and never taken off."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Staff, no_such_item
from services.review.packs import Shelf
from services.review.use_cases.revisions import held_review
from services.review.use_cases.rows import line_of, write_history
from shared import clock
from shared.errors import Conflict, Invalid

# As many as a screen shows.
MOST_RECORDS = 100


async def record(
    session: AsyncSession,
    shelf: Shelf,
    by: Staff,
    application_no: str,
    item: str | None,
    image_ids: Sequence[UUID],
    words: str,
    lease: timedelta,
) -> UUID:
    """Put it on record under one's claim, which lasts longer by it.

    Raises:
        Conflict: the application is not claimed, or has as many records as it takes.
        Invalid: an image is not of this application, or not of the item.
        NotFound: no such application, or no such item.
    """
    by.must_review()
    now = clock.now()
    review = await held_review(session, shelf, by, application_no, None)
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    if item is not None and item not in pack.items:
        raise no_such_item()
    images = list(dict.fromkeys(image_ids))
    await _must_be_of(session, application_no, item, images)
    records = tables.false_materials
    there = await session.scalar(
        select(func.count()).select_from(records).where(records.c.application_no == application_no)
    )
    if (there or 0) >= MOST_RECORDS:
        raise Conflict(
            "too-many-records",
            f"每份报名最多登记 {MOST_RECORDS} 条违纪违规记录。",
            f"One application takes {MOST_RECORDS} records of false material at most.",
        )
    record_id = uuid4()
    await session.execute(
        insert(records).values(
            record_id=record_id,
            application_no=application_no,
            item=item,
            image_ids=images,
            words=words,
            tier=by.tier,
            recorded_by=by.id,
            recorded_at=now,
        )
    )
    review.claim(by, now, lease)
    detail = {"record_id": str(record_id), "image_ids": [str(image_id) for image_id in images], "words": words}
    await write_history(
        session, line_of(review, "false_material", by, detail | ({"item": item} if item is not None else {}))
    )
    return record_id


async def _must_be_of(session: AsyncSession, application_no: str, item: str | None, images: Sequence[UUID]) -> None:
    """Also an image that was replaced since may be the false one."""
    if not images:
        return
    query = select(func.count()).where(
        tables.images.c.application_no == application_no, tables.images.c.image_id.in_(images)
    )
    if item is not None:
        query = query.where(tables.images.c.item == item)
    if await session.scalar(query) != len(images):
        raise Invalid(
            "image-not-in-application",
            "所选图片不在该报名（或该项材料）中，请刷新页面后重新选择。",
            "An image is not among those of this application, or not of this item. Reload the page.",
        )
