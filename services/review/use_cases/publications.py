"""Publishing: a region's final opinions all at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import FINISHED, Review, Staff, State
from services.review.use_cases.rows import line_of, write_history
from shared import clock
from shared.errors import Conflict, NotFound
from shared.messaging.outbox import tell

_REVIEWS = tables.reviews.c
# One INSERT's arrays stay small enough for the driver and the server's memory.
_CHUNK = 1000


@dataclass(frozen=True)
class Publication:
    """What was released, and from when on it shows."""

    publication_id: UUID
    published: int
    effective_at: datetime


async def publish(session: AsyncSession, by: Staff, region: str, year: int, delay: timedelta) -> Publication:
    """Release every decided, unpublished opinion of the region and year.

    Raises:
        Conflict: some are not decided yet, or there is nothing to release.
        NotFound: the region is not this person's.
    """
    by.must_be_of("region")
    if region != by.region:
        raise NotFound(
            "region-not-found",
            "只能公布本考区的结果，请核对考区代码。",
            "You publish for your own region only. Check its code.",
        )
    # Two clicks at once: the second waits, then finds nothing left to release.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('publication ' || :region || ' ' || :year, 0))"),
        {"region": region, "year": str(year)},
    )
    decided = await _decided(session, region, year)
    await _must_be_finished(session, region, year)
    if not decided:
        raise Conflict(
            "nothing-to-publish",
            "没有待公布的终审意见。",
            "There is no decided opinion that is not published yet.",
        )
    now = clock.now()
    publication = Publication(uuid4(), len(decided), now + delay)
    await session.execute(
        insert(tables.publications).values(
            publication_id=publication.publication_id,
            region=region,
            year=year,
            published_by=by.id,
            published_at=now,
            effective_at=publication.effective_at,
            applications=len(decided),
        )
    )
    for start in range(0, len(decided), _CHUNK):
        await _release(session, by, publication, decided[start : start + _CHUNK])
    return publication


async def _decided(session: AsyncSession, region: str, year: int) -> list[tuple[Review, str]]:
    """Locked, in number order: a revision that is handed in now waits, and then comes too late."""
    rows = await session.execute(
        select(Review, tables.decisions.c.words)
        .join(
            tables.decisions,
            (tables.decisions.c.application_no == _REVIEWS.application_no) & tables.decisions.c.voided_at.is_(None),
        )
        .where(
            _REVIEWS.region == region,
            _REVIEWS.year == year,
            _REVIEWS.state == State.DECIDED,
            _REVIEWS.published_at.is_(None),
        )
        .order_by(_REVIEWS.application_no)
        .with_for_update(of=tables.reviews)
        .execution_options(populate_existing=True)
    )
    return [(review, words) for review, words in rows]


async def _must_be_finished(session: AsyncSession, region: str, year: int) -> None:
    rows = await session.execute(
        select(_REVIEWS.state, func.count())
        .where(_REVIEWS.region == region, _REVIEWS.year == year, _REVIEWS.state.not_in(FINISHED))
        .group_by(_REVIEWS.state)
    )
    by_state = {state.value: count for state, count in rows}
    unfinished = sum(by_state.values())
    if unfinished:
        raise Conflict(
            "reviews-unfinished",
            f"本考区还有 {unfinished} 份报名未审核完毕，全部完成后才能公布。",
            f"{unfinished} applications of the region are not decided yet. Publish when all are.",
            unfinished=unfinished,
            by_state=by_state,
        )


async def _release(
    session: AsyncSession, by: Staff, publication: Publication, decided: list[tuple[Review, str]]
) -> None:
    events = [review.publish(publication.publication_id, words, publication.effective_at) for review, words in decided]
    await session.execute(
        text(
            """
            UPDATE decisions SET publication_id = :publication
            WHERE application_no = ANY(CAST(:numbers AS text[])) AND voided_at IS NULL AND publication_id IS NULL
            """
        ),
        {"publication": publication.publication_id, "numbers": [review.application_no for review, _ in decided]},
    )
    detail = {
        "publication_id": str(publication.publication_id),
        "effective_at": publication.effective_at.isoformat(),
    }
    await write_history(session, *(line_of(review, "published", by, detail) for review, _ in decided))
    await tell(session, *events)
