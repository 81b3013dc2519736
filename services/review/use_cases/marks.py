"""Marks: what a reviewer notes item by item, until the application as a whole goes on its way."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Mark, Staff, no_such_item
from services.review.packs import Shelf
from services.review.use_cases.revisions import held_review
from services.review.use_cases.rows import line_of, mark_detail, write_history
from shared import clock


async def put_mark(
    session: AsyncSession,
    shelf: Shelf,
    by: Staff,
    application_no: str,
    mark: Mark,
    lease: timedelta,
    revision: int | None = None,
) -> None:
    """Note a mark on one item, in the place of the one before; the claim lasts longer.

    Args:
        session: the transaction.
        shelf: the packs.
        by: whose mark it is.
        application_no: of which application.
        mark: the mark.
        lease: so long the claim lasts from now on.
        revision: what the person had on the screen: a mark on older images says nothing of newer ones.

    Raises:
        Conflict: the application is not claimed, or a newer revision is there.
        Invalid: a return without reason or words, or with ones that don't fit.
        NotFound: no such application, or no such item.
    """
    now = clock.now()
    review = await held_review(session, shelf, by, application_no, revision)
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    current = await session.scalars(
        select(tables.images.c.image_id).where(
            tables.images.c.application_no == application_no,
            tables.images.c.item == mark.item,
            tables.images.c.last_round == review.round,
        )
    )
    mark.check(pack, set(current))
    values = {
        "mark": mark.mark,
        "reason_code": mark.reason_code,
        "words": mark.words,
        "image_ids": list(mark.image_ids),
        "same_images_allowed": mark.same_images_allowed,
        "marked_by": by.id,
        "marked_at": now,
    }
    await session.execute(
        insert(tables.marks)
        .values(application_no=application_no, tier=by.tier, item=mark.item, **values)
        .on_conflict_do_update(index_elements=["application_no", "tier", "item"], set_=values)
    )
    review.claim(by, now, lease)
    await write_history(session, line_of(review, "marked", by, mark_detail(mark)))


async def clear_mark(
    session: AsyncSession, shelf: Shelf, by: Staff, application_no: str, item: str, lease: timedelta, revision: int
) -> None:
    """Take a mark off, as it was seen at a revision; none there is no error.

    Raises:
        Conflict: the application is not claimed, or a newer revision is there.
        NotFound: no such application, or no such item.
    """
    now = clock.now()
    review = await held_review(session, shelf, by, application_no, revision)
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    if item not in pack.items:
        raise no_such_item()
    cleared = await session.scalar(
        delete(tables.marks)
        .where(
            tables.marks.c.application_no == application_no,
            tables.marks.c.tier == by.tier,
            tables.marks.c.item == item,
        )
        .returning(tables.marks.c.item)
    )
    review.claim(by, now, lease)
    if cleared is not None:
        await write_history(session, line_of(review, "unmarked", by, {"item": item}))
