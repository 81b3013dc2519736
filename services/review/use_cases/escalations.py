"""Applications that wait longer than their rules allow are marked once, and counted for the operators."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.use_cases.rows import line_about, write_history
from shared import clock
from shared.contracts.review import Tier
from shared.database import Sessions
from shared.telemetry import metrics

BATCH = 500
MOST_COUNTED = 100_000
# Who works on one right now is not waited for: it comes with the next round.
_MARK = text(
    """
    UPDATE reviews SET escalated_at = :now
    FROM (
        SELECT application_no FROM reviews
        WHERE queue IS NOT NULL AND escalated_at IS NULL AND due_at < :now
        ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    ) AS late
    WHERE reviews.application_no = late.application_no
    RETURNING reviews.application_no, reviews.round, reviews.revision, reviews.due_at
    """
)
# By queue, so that each part is a piece of the index, and bounded.
_OVERDUE = text(
    """
    SELECT coalesce(sum(part.n), 0) FROM unnest(ARRAY['new', 'resubmitted', 'sent_back', 'second_look', 'onsite']) AS q
    CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM (
            SELECT 1 FROM reviews WHERE tier = :tier AND queue = q AND due_at < :now LIMIT :most) AS counted
    ) AS part
    """
)
_OLDEST = text("SELECT min(submitted_at) FROM reviews WHERE state = :state")


@dataclass(frozen=True)
class Waiting:
    """How long a tier's applications wait."""

    overdue: int
    oldest_s: float


async def escalate(sessions: Sessions) -> int:
    """Mark what is overdue, a batch at a time until nothing is left; returns how many were."""
    marked = 0
    while True:
        async with sessions.begin() as session:
            some = await _mark_some(session)
        marked += some
        if some < BATCH:
            return marked


async def measure(sessions: Sessions) -> None:
    """Set the gauges."""
    for tier in ("site", "region"):
        async with sessions() as session:
            waiting = await waiting_at(session, tier)
        metrics.REVIEW_OVERDUE.labels(tier).set(waiting.overdue)
        metrics.REVIEW_OLDEST_WAITING.labels(tier).set(waiting.oldest_s)


async def waiting_at(session: AsyncSession, tier: Tier) -> Waiting:
    """How many of a tier's applications are overdue, and how old the oldest is."""
    now = clock.now()
    overdue = await session.scalar(_OVERDUE, {"tier": tier, "now": now, "most": MOST_COUNTED})
    oldest = await session.scalar(_OLDEST, {"state": f"at_{tier}"})
    return Waiting(int(overdue or 0), max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0)


async def _mark_some(session: AsyncSession) -> int:
    rows = (await session.execute(_MARK, {"now": clock.now(), "most": BATCH})).all()
    lines = [
        line_about(row.application_no, row.round, row.revision, "escalated", detail={"due_at": row.due_at.isoformat()})
        for row in rows
    ]
    await write_history(session, *lines)
    return len(rows)
