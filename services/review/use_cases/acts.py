"""Acts on the application as a whole: return, pass on, send back, decide. Each tells exactly one event."""

from uuid import uuid4

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff
from services.review.packs import Shelf
from services.review.use_cases.rows import line_of, locked_review, mark_detail, marks_of, write_history
from shared import clock
from shared.contracts.review import Opinion, ReviewFeedback
from shared.messaging.outbox import tell


async def return_items(
    session: AsyncSession, shelf: Shelf, by: Staff, application_no: str, revision: int | None
) -> ReviewFeedback:
    """Give the marked items back to the candidate; what was accepted stays marked for the next round.

    Raises:
        Conflict: not claimed, or a newer revision is there.
        Invalid: nothing is marked `return`.
    """
    now = clock.now()
    review = await _held(session, by, application_no, revision)
    marks = await marks_of(session, shelf, review, by.tier)
    feedback = review.return_items(by, marks, now)
    await session.execute(
        delete(tables.marks).where(
            tables.marks.c.application_no == application_no,
            tables.marks.c.tier == by.tier,
            tables.marks.c.mark == "return",
        )
    )
    detail = {
        "feedback_id": str(feedback.feedback_id),
        "items": [mark_detail(mark) for mark in marks if mark.mark == "return"],
    }
    await write_history(session, line_of(review, "returned", by, detail))
    await tell(session, feedback)
    return feedback


async def pass_on(session: AsyncSession, shelf: Shelf, by: Staff, application_no: str, revision: int | None) -> Review:
    """The site passes the application to its region.

    Raises:
        Conflict: not claimed, or a newer revision is there.
        Invalid: an item is marked `return`.
    """
    by.must_be_of("site")
    now = clock.now()
    review = await _held(session, by, application_no, revision)
    passed = review.pass_on(await marks_of(session, shelf, review, by.tier), now)
    await write_history(session, line_of(review, "passed", by))
    await tell(session, passed)
    return review


async def send_back(session: AsyncSession, by: Staff, application_no: str, words: str, revision: int | None) -> Review:
    """The region lets the site look again; `words` say at what, to the site's staff only.

    Raises:
        Conflict: not claimed, or a newer revision is there.
    """
    by.must_be_of("region")
    now = clock.now()
    review = await _held(session, by, application_no, revision)
    sent_back = review.send_back(now)
    await write_history(session, line_of(review, "sent_back", by, {"words": words}))
    await tell(session, sent_back)
    return review


async def decide(
    session: AsyncSession,
    shelf: Shelf,
    by: Staff,
    application_no: str,
    opinion: Opinion,
    words: str,
    revision: int | None,
) -> Review:
    """The region's final opinion, kept until it publishes.

    Raises:
        Conflict: not claimed, or a newer revision is there.
        Invalid: approved with an item marked `return`; rejected or disqualified without words.
    """
    by.must_be_of("region")
    now = clock.now()
    review = await _held(session, by, application_no, revision)
    decided = review.decide(opinion, words, await marks_of(session, shelf, review, by.tier), now)
    await session.execute(
        insert(tables.decisions).values(
            decision_id=uuid4(),
            application_no=application_no,
            round=review.round,
            revision=review.revision,
            opinion=opinion,
            words=words,
            decided_by=by.id,
            decided_at=now,
        )
    )
    await write_history(session, line_of(review, "decided", by, {"outcome": opinion, "words": words}))
    await tell(session, decided)
    return review


async def _held(session: AsyncSession, by: Staff, application_no: str, revision: int | None) -> Review:
    review = await locked_review(session, by, application_no)
    review.must_be_held_by(by, clock.now(), revision)
    return review
