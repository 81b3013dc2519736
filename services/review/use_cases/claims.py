"""Claims: two people never hold one application, and a claim that is not used ends by itself."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff
from services.review.lists import Listing, in_order
from services.review.shapes import NextClaim
from services.review.use_cases.rows import line_of, locked_review, write_history
from shared import clock
from shared.errors import Conflict, NotFound

MOST_HELD = 20
"""Somebody works on one and has the next ones' images fetched ahead; more would keep them from colleagues."""
# A filter that hardly anything fits: so many rows are looked at, `LOOKED` at a time, before "next" gives up.
_LOOKS = 50
_R = tables.reviews.c


async def claim(session: AsyncSession, by: Staff, application_no: str, lease: timedelta) -> Review:
    """Take one application, or keep it for longer.

    Raises:
        Conflict: another holds it, it does not wait at this person's tier, or they hold too many (`too-many-claims`).
        Forbidden: this person does not review.
        NotFound: there is none in this person's scope.
    """
    by.must_review()
    now = clock.now()
    await _one_at_a_time(session, by)
    review = await locked_review(session, by, application_no)
    if not review.is_held_by(by, now):
        await _must_have_room(session, by, now)
    if review.claim(by, now, lease):
        await write_history(session, line_of(review, "claimed", by))
    return review


async def claim_next(session: AsyncSession, by: Staff, lease: timedelta, wanted: NextClaim) -> Review:
    """Take the one that waits longest, in one step: two people who ask at once get two different ones.

    Raises:
        Conflict: they hold too many (`too-many-claims`).
        Forbidden: this person does not review.
        NotFound: nothing waits (`queue-empty`), or nothing that fits is among the oldest (`none-among-oldest`).
    """
    by.must_review()
    now = clock.now()
    await _one_at_a_time(session, by)
    await _must_have_room(session, by, now)
    review = await _next(session, Listing(by, wanted.state, wanted, now))
    review.claim(by, now, lease)
    await write_history(session, line_of(review, "claimed", by))
    return review


async def release(session: AsyncSession, by: Staff, application_no: str) -> None:
    """Give it back to the queue; the marks stay. Not to hold it is no error."""
    review = await locked_review(session, by, application_no)
    if review.release(by, clock.now()):
        await write_history(session, line_of(review, "released", by))


async def _next(session: AsyncSession, listing: Listing) -> Review:
    await in_order(session)
    after = None
    for _ in range(_LOOKS):
        looked = listing.looked_at(after)
        review = await session.scalar(
            select(Review)
            .join(looked, looked.c.application_no == _R.application_no)
            # What one holds oneself is in the list, too; and under the lock all of it is looked at once more.
            .where(looked.c.matches, listing.may_be_claimed())
            .order_by(*(looked.c[name] for name in listing.order))
            .limit(1)
            .with_for_update(skip_locked=True, of=tables.reviews)
            .execution_options(populate_existing=True)
        )
        if review is not None:
            return review
        last = (await session.execute(listing.last_looked_at(after))).first()
        if last is None:
            raise NotFound(
                "queue-empty",
                "目前没有待审核的报名，请稍后再来。",
                "Nothing waits for your tier now. Come back later.",
            )
        after = listing.cursor(last)
    raise NotFound(
        "none-among-oldest",
        "等待最久的报名中没有符合筛选条件的，请放宽条件。",
        "None of those that wait longest fits your filters. Widen them.",
    )


async def _one_at_a_time(session: AsyncSession, by: Staff) -> None:
    """One person's claims, so that what they hold can be counted."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('claims ' || :staff, 0))"), {"staff": str(by.id)}
    )


async def _must_have_room(session: AsyncSession, by: Staff, now: datetime) -> None:
    held = await session.scalar(
        select(func.count()).select_from(
            select(_R.application_no).where(_R.claimed_by == by.id, _R.claimed_until > now).limit(MOST_HELD).subquery()
        )
    )
    if held is not None and held >= MOST_HELD:
        raise Conflict(
            "too-many-claims",
            f"您已领取 {MOST_HELD} 份报名，请先处理或放回一些。",
            f"You hold {MOST_HELD} applications. Finish some, or give them back, before you claim more.",
            most=MOST_HELD,
        )
