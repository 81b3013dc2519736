"""Acts on the application as a whole: return, pass on, send back, decide, look a second time. Each tells one event."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Recommended, Review, Staff
from services.review.packs import Shelf
from services.review.use_cases.pending import Held, tell_or_hold
from services.review.use_cases.revisions import held_review
from services.review.use_cases.rows import line_of, mark_detail, marks_of, write_history
from shared import clock
from shared.contracts.review import Opinion, ReviewFeedback


@dataclass(frozen=True)
class Done:
    """An act that was done. `held`: it is not told yet, and may be undone."""

    review: Review
    held: Held | None


@dataclass(frozen=True)
class GivenBack(Done):
    """A return, with what the candidate will hear."""

    feedback: ReviewFeedback


async def return_items(
    session: AsyncSession, shelf: Shelf, by: Staff, application_no: str, revision: int | None, undo: timedelta
) -> GivenBack:
    """Give the marked items back to the candidate; what was accepted stays marked for the next round.

    Raises:
        Conflict: not claimed, a newer revision is there, or it waits for a second look.
        Invalid: nothing is marked `return`.
    """
    review = await held_review(session, shelf, by, application_no, revision)
    marks = await marks_of(session, shelf, review, by.tier)
    before = review.snapshot()
    feedback = review.return_items(by, marks, clock.now())
    held = await tell_or_hold(session, review, by, "return", before, feedback, undo)
    detail = {
        "feedback_id": str(feedback.feedback_id),
        "items": [mark_detail(mark) for mark in marks if mark.mark == "return"],
    }
    await write_history(session, line_of(review, "returned", by, detail | _of(held)))
    return GivenBack(review, held, feedback)


async def pass_on(
    session: AsyncSession,
    shelf: Shelf,
    by: Staff,
    application_no: str,
    revision: int | None,
    recommended: Recommended | None,
    undo: timedelta,
) -> Done:
    """The site passes the application to its region, with what it recommends where it would not approve.

    Raises:
        Conflict: not claimed, or a newer revision is there.
        Invalid: an item is marked `return`, or the recommendation's words have a place still open.
    """
    by.must_be_of("site")
    review = await held_review(session, shelf, by, application_no, revision)
    return await pass_held(session, shelf, by, review, recommended, undo)


async def pass_held(
    session: AsyncSession, shelf: Shelf, by: Staff, review: Review, recommended: Recommended | None, undo: timedelta
) -> Done:
    """Pass on an application that is locked and held already.

    Raises:
        Invalid: an item is marked `return`, or the recommendation's words have a place still open.
    """
    marks = await marks_of(session, shelf, review, by.tier)
    before = review.snapshot()
    passed = review.pass_on(by, marks, clock.now(), recommended)
    held = await tell_or_hold(session, review, by, "pass", before, passed, undo)
    detail = {"recommends": recommended.opinion, "words": recommended.words} if recommended else {}
    await write_history(session, line_of(review, "passed", by, detail | _of(held)))
    return Done(review, held)


async def send_back(
    session: AsyncSession,
    shelf: Shelf,
    by: Staff,
    application_no: str,
    words: str,
    revision: int | None,
    undo: timedelta,
) -> Done:
    """The region lets the site look again; `words` say at what, to the site's staff only.

    Raises:
        Conflict: not claimed, a newer revision is there, or it waits for a second look.
    """
    by.must_be_of("region")
    review = await held_review(session, shelf, by, application_no, revision)
    before = review.snapshot()
    sent_back = review.send_back(clock.now())
    held = await tell_or_hold(session, review, by, "send_back", before, sent_back, undo)
    await write_history(session, line_of(review, "sent_back", by, {"words": words} | _of(held)))
    return Done(review, held)


async def decide(
    session: AsyncSession,
    shelf: Shelf,
    by: Staff,
    application_no: str,
    opinion: Opinion,
    words: str,
    revision: int | None,
    undo: timedelta,
) -> Done:
    """The region's final opinion, kept until it publishes; a proposal where the pack asks for a second reviewer.

    Raises:
        Conflict: not claimed, a newer revision is there, or it waits for a second look.
        Invalid: approved with an item marked `return`; rejected or disqualified without words; a place in them is open.
    """
    by.must_be_of("region")
    review = await held_review(session, shelf, by, application_no, revision)
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    if opinion == "approved" or not pack.second_reviewer_on_rejection:
        return await decide_held(session, shelf, by, review, opinion, words, undo)
    before = review.snapshot()
    review.propose(by, opinion, words, await marks_of(session, shelf, review, by.tier))
    held = await tell_or_hold(session, review, by, "propose", before, None, undo)
    await write_history(session, line_of(review, "proposed", by, {"outcome": opinion, "words": words} | _of(held)))
    return Done(review, held)


async def decide_held(
    session: AsyncSession, shelf: Shelf, by: Staff, review: Review, opinion: Opinion, words: str, undo: timedelta
) -> Done:
    """Decide on an application that is locked and held already.

    Raises:
        Conflict: it waits for a second look.
        Invalid: approved with an item marked `return`; rejected or disqualified without words; a place in them is open.
    """
    marks = await marks_of(session, shelf, review, by.tier)
    before, now = review.snapshot(), clock.now()
    decided = review.decide(opinion, words, marks, now)
    await _keep_decision(session, by, review, opinion, words, now)
    held = await tell_or_hold(session, review, by, "decide", before, decided, undo)
    await write_history(session, line_of(review, "decided", by, {"outcome": opinion, "words": words} | _of(held)))
    return Done(review, held)


async def look_again(
    session: AsyncSession,
    shelf: Shelf,
    by: Staff,
    application_no: str,
    agree: bool,
    words: str,
    revision: int | None,
    undo: timedelta,
) -> Done:
    """The second reviewer agrees to a proposal, so that it is decided, or does not, so that it waits anew.

    Raises:
        Conflict: not claimed, a newer revision is there, nothing is proposed, or by this very person.
        Invalid: it disagrees without words, or a place in them is still open.
    """
    by.must_be_of("region")
    review = await held_review(session, shelf, by, application_no, revision)
    before, now = review.snapshot(), clock.now()
    if not agree:
        review.disagree(by, words)
        held = await tell_or_hold(session, review, by, "disagree", before, None, undo)
        await write_history(session, line_of(review, "disagreed", by, {"words": words} | _of(held)))
        return Done(review, held)
    decided, opinion, proposed_words = review.agree(by, now, words)
    await _keep_decision(session, by, review, opinion, proposed_words, now)
    held = await tell_or_hold(session, review, by, "agree", before, decided, undo)
    detail: dict[str, Any] = {"outcome": opinion, "words": proposed_words}
    if words:
        detail["remark"] = words
    await write_history(session, line_of(review, "agreed", by, detail | _of(held)))
    return Done(review, held)


async def _keep_decision(
    session: AsyncSession, by: Staff, review: Review, opinion: Opinion, words: str, now: datetime
) -> None:
    await session.execute(
        insert(tables.decisions).values(
            decision_id=uuid4(),
            application_no=review.application_no,
            round=review.round,
            revision=review.revision,
            opinion=opinion,
            words=words,
            decided_by=by.id,
            decided_at=now,
        )
    )


def _of(held: Held | None) -> dict[str, str]:
    """The act that may be undone, so that the line of its undoing can be told to belong to it."""
    return {"act_id": str(held.act_id)} if held else {}
