"""Handing in and taking back, and hearing what staff made of it."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import Application, takes_images
from services.upload.packs import Shelf
from services.upload.rows import (
    Line,
    add_to_timeline,
    add_to_timelines,
    application,
    images_of,
    keep_feedback,
    locked_applications,
    note_on_page,
    note_on_pages,
)
from services.upload.use_cases import registration_photos
from services.upload.use_cases.rules import tell_candidate
from shared import clock
from shared.contracts.review import ReviewDecided, ReviewFeedback, ReviewPublished
from shared.contracts.upload import ApplicationSubmitted, ApplicationWithdrawn
from shared.messaging.outbox import tell

BATCH = 200


async def submit(session: AsyncSession, shelf: Shelf, application_no: str) -> ApplicationSubmitted:
    """Hand in and lock everything.

    Raises:
        Conflict: it is handed in already, has lapsed, or the window is closed.
        Invalid: something is missing, each item named.
    """
    of = await application(session, application_no, lock=True)
    images = await images_of(session, application_no)
    checklist = await shelf.checklist_for(session, of)
    first = of.round == 0
    # The rules bind from now on: what they changed since the candidate last heard is said before.
    await tell_candidate(session, shelf, of, checklist, {image.item for image in images})
    photo = await registration_photos.hand_in(session, of)
    submitted = of.submit(checklist, images, photo, clock.now())
    await session.execute(
        update(tables.images)
        .where(
            tables.images.c.application_no == application_no,
            tables.images.c.item.in_([code for code in checklist.items if takes_images(code, checklist)]),
            tables.images.c.removed_at.is_(None),
            tables.images.c.handed_in_round.is_(None),
        )
        .values(handed_in_round=submitted.round)
    )
    await add_to_timeline(session, of, "submitted" if first else "resubmitted", submitted.submitted_at)
    await note_on_page(session, of, "submitted")
    await tell(session, submitted)
    return submitted


async def withdraw(session: AsyncSession, shelf: Shelf, application_no: str) -> ApplicationWithdrawn:
    """Take the application back; everything unlocks.

    Raises:
        Conflict: the window is closed, the review is finished, or it is withdrawn or lapsed already.
    """
    of = await application(session, application_no, lock=True)
    withdrawn = of.withdraw(await shelf.checklist_for(session, of), clock.now())
    await add_to_timeline(session, of, "withdrawn", withdrawn.withdrawn_at)
    await note_on_page(session, of, "withdrawn")
    await tell(session, withdrawn)
    return withdrawn


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
        await note_on_page(session, of, "returned")


async def apply_decisions(session: AsyncSession, decisions: Sequence[ReviewDecided]) -> None:
    """Keep that a review is finished. No page, timeline or page event may tell of it."""
    applications = await locked_applications(session, [each.application_no for each in decisions])
    for each in decisions:
        of = applications.get(each.application_no)
        if of is not None:
            of.decide(each)


async def apply_publications(session: AsyncSession, publications: Sequence[ReviewPublished]) -> None:
    """Keep final opinions; each shows from its `effective_at` on."""
    applications = await locked_applications(session, [each.application_no for each in publications])
    shown = {}
    for each in publications:
        of = applications.get(each.application_no)
        if of is not None and of.publish(each) and of.opinion_at(clock.now()):
            shown[of.application_no] = of
    await _note_opinions(session, list(shown.values()))


async def show_opinions(session: AsyncSession) -> int:
    """Tell of opinions whose time has come; returns how many, `BATCH` at most."""
    a = tables.applications.c
    found = (
        await session.scalars(
            select(Application)
            .where(a.effective_at <= clock.now(), a.opinion_noted.is_distinct_from(a.effective_at))
            .order_by(a.application_no)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    ).all()
    await _note_opinions(session, found)
    return len(found)


async def _note_opinions(session: AsyncSession, applications: Sequence[Application]) -> None:
    fresh = [of for of in applications if of.opinion_noted != of.effective_at]
    await add_to_timelines(session, [Line(of, "published", of.effective_at or clock.now()) for of in fresh])
    await note_on_pages(session, [(of, "published") for of in fresh])
    for of in fresh:
        of.opinion_noted = of.effective_at
