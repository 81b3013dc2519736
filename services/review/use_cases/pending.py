"""Acts wait some seconds before they are told, so that a slip can be undone before anybody knows of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import QUEUE_AFTER, Kind, Review, Staff
from services.review.use_cases.rows import line_of, locked_review, write_history
from shared import clock
from shared.contracts.review import ReviewDecided, ReviewFeedback
from shared.database import Sessions
from shared.errors import Conflict, NotFound
from shared.messaging.outbox import tell

# With two events for each a batch stays far below what a transaction may take.
MOST_TOLD = 200
_TOLD: dict[str, type[ReviewFeedback] | type[ReviewDecided]] = {
    kind.topic: kind for kind in (ReviewFeedback, ReviewDecided)
}
_ACTS = tables.acts.c
# The reviews are locked, in number order, before the acts are looked at: whoever undoes one locks its review, too.
_LOCK_DUE = text(
    """
    SELECT act_id FROM reviews
    WHERE act_id IS NOT NULL AND application_no IN (
        SELECT application_no FROM acts WHERE ended IS NULL AND due_at <= :now ORDER BY due_at LIMIT :most
    )
    ORDER BY application_no FOR UPDATE SKIP LOCKED
    """
)
_END_DUE = text(
    """
    UPDATE acts SET ended = 'told', ended_at = :now
    WHERE act_id = ANY(CAST(:ids AS uuid[])) AND ended IS NULL AND due_at <= :now
    RETURNING application_no, tier, kind, topic, event
    """
).columns(_ACTS.application_no, _ACTS.tier, _ACTS.kind, _ACTS.topic, _ACTS.event)
_PUT_INTO_QUEUES = text(
    """
    UPDATE reviews SET act_id = NULL, queue = n.queue
    FROM unnest(CAST(:numbers AS text[]), CAST(:queues AS text[])) AS n(application_no, queue)
    WHERE reviews.application_no = n.application_no
    """
)
_FORGET_RETURNED = text(
    """
    DELETE FROM marks USING unnest(CAST(:numbers AS text[]), CAST(:tiers AS text[])) AS n(application_no, tier)
    WHERE marks.application_no = n.application_no AND marks.tier = n.tier AND marks.mark = 'return'
    """
)
_END_VOID = text(
    """
    UPDATE acts SET ended = 'void', ended_at = :now
    WHERE application_no = ANY(CAST(:numbers AS text[])) AND ended IS NULL
    RETURNING application_no, act_id, kind, tier, staff_id, before
    """
).columns(_ACTS.application_no, _ACTS.act_id, _ACTS.kind, _ACTS.tier, _ACTS.staff_id, _ACTS.before)


@dataclass(frozen=True)
class Held:
    """An act that is not told yet."""

    act_id: UUID
    kind: Kind
    undo_until: datetime


async def tell_or_hold(
    session: AsyncSession,
    review: Review,
    by: Staff,
    kind: Kind,
    before: Mapping[str, Any],
    event: ReviewFeedback | ReviewDecided | None,
    undo: timedelta,
) -> Held | None:
    """Tell what was just done; where it may be undone for a while, keep it until then.

    Args:
        session: the act's transaction.
        review: locked, and changed by the act already.
        by: who acted.
        kind: what was done.
        before: the review's snapshot before the act.
        event: what others must know; None where nothing is told.
        undo: for how long it may be undone; zero tells at once.
    """
    if not undo:
        if kind == "return":
            await _forget_returned(session, [(review.application_no, by.tier)])
        if event is not None:
            await tell(session, event)
        return None
    now = clock.now()
    held = Held(uuid4(), kind, now + undo)
    review.hold(held.act_id)
    await session.execute(
        insert(tables.acts).values(
            act_id=held.act_id,
            application_no=review.application_no,
            kind=kind,
            tier=by.tier,
            staff_id=by.id,
            revision=review.revision,
            made_at=now,
            due_at=held.undo_until,
            before=dict(before),
            topic=event.topic if event else None,
            event=event.model_dump(mode="json") if event else None,
        )
    )
    return held


async def tell_due(session: AsyncSession, most: int = MOST_TOLD) -> int:
    """Tell acts whose time for undoing is over, and put the applications where the acts sent them.

    Returns:
        How many; as many as `most` when there may be more.
    """
    now = clock.now()
    locked = (await session.scalars(_LOCK_DUE, {"now": now, "most": most})).all()
    if not locked:
        return 0
    due = (await session.execute(_END_DUE, {"now": now, "ids": list(locked)})).all()
    if not due:
        return 0
    await session.execute(
        _PUT_INTO_QUEUES,
        {
            "numbers": [act.application_no for act in due],
            "queues": [QUEUE_AFTER[act.kind] for act in due],
        },
    )
    await _forget_returned(session, [(act.application_no, act.tier) for act in due if act.kind == "return"])
    await tell(session, *(_TOLD[act.topic].model_validate(act.event) for act in due if act.topic))
    return len(due)


async def tell_all_due(sessions: Sessions) -> None:
    """Tell all that are due, batch by batch: each is told whole, or next time."""
    while True:
        async with sessions.begin() as session:
            if await tell_due(session) < MOST_TOLD:
                return


async def undo(session: AsyncSession, by: Staff, application_no: str, act_id: UUID, lease: timedelta) -> None:
    """Make it as if it had never been done; the claim is given back for a lease. Undoing twice is no error.

    Raises:
        Conflict: it is told already, or a newer revision made it void.
        NotFound: no such application, or no such act of this person's.
    """
    by.must_review()
    now = clock.now()
    review = await locked_review(session, by, application_no)
    act = (
        await session.execute(
            select(_ACTS.kind, _ACTS.ended, _ACTS.before).where(
                _ACTS.act_id == act_id, _ACTS.application_no == application_no, _ACTS.staff_id == by.id
            )
        )
    ).first()
    if act is None:
        raise NotFound(
            "act-not-found",
            "没有可撤销的操作，请刷新页面。",
            "There is no such act of yours. Reload the page.",
        )
    if act.ended == "undone":
        return
    if act.ended is not None:
        raise _too_late(act.ended)
    review.restore(act.before)
    review.claim(by, now, lease)
    await session.execute(
        update(tables.acts).where(_ACTS.act_id == act_id).values(ended="undone", ended_at=now),
    )
    decisions = tables.decisions.c
    await session.execute(
        delete(tables.decisions).where(
            decisions.application_no == application_no,
            decisions.voided_at.is_(None),
            decisions.publication_id.is_(None),
        )
    )
    await write_history(session, line_of(review, "undone", by, {"act_id": str(act_id), "kind": act.kind}))


async def void_overtaken(
    session: AsyncSession, reviews: Mapping[str, Review], heard: Iterable[tuple[str, int]]
) -> None:
    """A newer revision comes before an act was told: it never will be, and the review is as before it.

    Args:
        session: the transaction that hears.
        reviews: locked, by number.
        heard: numbers and revisions.
    """
    overtaken = sorted({number for number, revision in heard if _is_overtaken(reviews.get(number), revision)})
    if not overtaken:
        return
    lines = []
    for act in await session.execute(_END_VOID, {"now": clock.now(), "numbers": overtaken}):
        review = reviews[act.application_no]
        review.restore(act.before)
        line = line_of(review, "act_void", detail={"act_id": str(act.act_id), "kind": act.kind})
        lines.append(line | {"tier": act.tier, "staff_id": act.staff_id})
    await write_history(session, *lines)


def _is_overtaken(review: Review | None, revision: int) -> bool:
    return review is not None and review.is_overtaken_by(revision)


async def _forget_returned(session: AsyncSession, of: list[tuple[str, str]]) -> None:
    """What was accepted stays marked for the next round."""
    if of:
        numbers, tiers = zip(*of, strict=True)
        await session.execute(_FORGET_RETURNED, {"numbers": list(numbers), "tiers": list(tiers)})


def _too_late(ended: str) -> Conflict:
    if ended == "void":
        return Conflict(
            "act-void",
            "考生已提交新的版本或已撤回，该操作没有生效，无需撤销。",
            "The candidate handed in anew, or withdrew, before this was told: it has no effect, so nothing is to undo.",
        )
    return Conflict(
        "act-told",
        "已超过可撤销的时间，该操作已生效。",
        "It is too late to undo this: it has been told already.",
    )
