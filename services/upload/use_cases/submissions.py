"""Handing in, and hearing what staff made of it."""

from collections.abc import Sequence

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import Application
from services.upload.packs import Shelf
from services.upload.rows import (
    add_to_timeline,
    application,
    images_of,
    keep_feedback,
    locked_applications,
)
from shared import clock
from shared.contracts.review import ReviewFeedback, ReviewPublished
from shared.contracts.upload import ApplicationSubmitted
from shared.messaging.outbox import tell


async def submit(session: AsyncSession, shelf: Shelf, application_no: str) -> ApplicationSubmitted:
    """Hand in and lock everything.

    Raises:
        Conflict: it is handed in already.
        Invalid: something is missing, each item named.
    """
    of = await application(session, application_no, lock=True)
    images = await images_of(session, application_no)
    first = of.round == 0
    submitted = of.submit(await shelf.checklist_for(session, of), images, clock.now())
    await session.execute(
        update(tables.images)
        .where(
            tables.images.c.application_no == application_no,
            tables.images.c.removed_at.is_(None),
            tables.images.c.handed_in_round.is_(None),
        )
        .values(handed_in_round=submitted.round)
    )
    await add_to_timeline(session, of, "submitted" if first else "resubmitted", submitted.submitted_at)
    await tell(session, submitted)
    return submitted


async def apply_feedback(session: AsyncSession, returns: Sequence[ReviewFeedback]) -> None:
    """Unlock exactly what was returned; feedback on an older submission changes nothing."""
    applications = await locked_applications(session, [each.application_no for each in returns])
    for each in returns:
        of = applications.get(each.application_no)
        if of is None or not of.give_back(each):
            continue
        items = [item.model_dump(mode="json") for item in each.items]
        await keep_feedback(session, of, each.feedback_id, each.tier, items, each.returned_at)
        await add_to_timeline(session, of, "returned", each.returned_at)


async def apply_publications(session: AsyncSession, publications: Sequence[ReviewPublished]) -> None:
    """Keep final opinions; each shows from its `effective_at` on."""
    applications = await locked_applications(session, [each.application_no for each in publications])
    for each in publications:
        of = applications.get(each.application_no)
        if of is not None and of.publish(each):
            await _note_publication(session, of, each)


async def _note_publication(session: AsyncSession, of: Application, published: ReviewPublished) -> None:
    # Written now, shown from `effective_at` on: the reading side looks at the time.
    told = await session.scalar(
        text("SELECT 1 FROM timeline WHERE application_no = :no AND kind = 'published' AND at = :at"),
        {"no": of.application_no, "at": published.effective_at},
    )
    if told is None:
        await add_to_timeline(session, of, "published", published.effective_at)
