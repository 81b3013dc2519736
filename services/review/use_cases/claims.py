"""Claims: two people never hold one application, and a claim that is not used ends by itself."""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import QUEUE, Review, Staff
from services.review.use_cases.rows import line_of, locked_review, write_history
from shared import clock
from shared.errors import NotFound

_REVIEWS = tables.reviews.c


async def claim(session: AsyncSession, by: Staff, application_no: str, lease: timedelta) -> Review:
    """Take one application, or keep it for longer.

    Raises:
        Conflict: another holds it, or it does not wait at this person's tier.
        NotFound: there is none in this person's scope.
    """
    review = await locked_review(session, by, application_no)
    if review.claim(by, clock.now(), lease):
        await write_history(session, line_of(review, "claimed", by))
    return review


async def claim_next(session: AsyncSession, by: Staff, lease: timedelta) -> Review:
    """Take the one that waits longest, in one step: two people who ask at once get two different ones.

    Raises:
        NotFound: nothing waits.
    """
    now = clock.now()
    review = await session.scalar(
        select(Review)
        .where(
            _waits_for(by),
            or_(_REVIEWS.claimed_until.is_(None), _REVIEWS.claimed_until <= now),
        )
        .order_by(_REVIEWS.submitted_at, _REVIEWS.application_no)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if review is None:
        raise NotFound(
            "queue-empty",
            "目前没有待审核的报名，请稍后再来。",
            "Nothing waits for your tier now. Come back later.",
        )
    review.claim(by, now, lease)
    await write_history(session, line_of(review, "claimed", by))
    return review


async def release(session: AsyncSession, by: Staff, application_no: str) -> None:
    """Give it back to the queue; the marks stay. Not to hold it is no error."""
    review = await locked_review(session, by, application_no)
    if review.release(by, clock.now()):
        await write_history(session, line_of(review, "released", by))


def _waits_for(by: Staff) -> ColumnElement[bool]:
    scope = _REVIEWS.site == by.site if by.tier == "site" else _REVIEWS.region == by.region
    return and_(scope, _REVIEWS.state == QUEUE[by.tier])
