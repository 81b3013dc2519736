"""Publishing: a region's final opinions are fixed in one transaction, then told in chunks, and show at one moment."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Staff
from services.review.obstacles import is_to_publish, opens_at, published_before, unfinished_of
from services.review.use_cases import audit
from shared import clock
from shared.contracts.review import ReviewPublished
from shared.database import Sessions
from shared.errors import Conflict, Invalid, NotFound
from shared.failpoints import failpoint
from shared.messaging.outbox import tell

log = structlog.get_logger(__name__)

# 1,000 events are 0.15 s of work on two busy cores: a worker that is killed loses no more.
CHUNK = 1000
# A round ends well within the ten seconds that a process has to stop.
_CHUNKS_PER_ROUND = 20
# Rows that one statement of the beginning changes: 20,000 take 4 s on two busy cores, and 25 s is the time-out.
_STEP = 20_000
_LONGEST_DELAY = timedelta(days=60)

_REVIEWS = tables.reviews.c
_PUBLICATIONS = tables.publications.c
_LINES = tables.publication_lines.c
_OF_REGION = "r.region = :region AND r.year = :year AND r.state = 'decided' AND r.published_at IS NULL"
_FIX = text(
    f"""
    INSERT INTO publication_lines (publication_id, application_no, site, round, revision, opinion, words)
    SELECT :id, r.application_no, r.site, d.round, d.revision, d.opinion, d.words
    FROM reviews r JOIN decisions d ON d.application_no = r.application_no AND d.voided_at IS NULL
    WHERE {_OF_REGION}
    ORDER BY r.application_no
    """
)
_STEPS = text(
    """
    SELECT application_no FROM (
        SELECT application_no, row_number() OVER (ORDER BY application_no) AS n FROM publication_lines
        WHERE publication_id = :id) AS counted
    WHERE n % :step = 0 OR n = :all ORDER BY application_no
    """
)
_FREEZE = text(
    """
    UPDATE reviews r SET publication_id = :id, published_at = :effective_at
    FROM publication_lines l
    WHERE l.publication_id = :id AND l.application_no > :after AND l.application_no <= :last
      AND r.application_no = l.application_no
    """
)
_MARK_DECISIONS = text(
    """
    UPDATE decisions d SET publication_id = :id
    FROM publication_lines l
    WHERE l.publication_id = :id AND l.application_no > :after AND l.application_no <= :last
      AND d.application_no = l.application_no AND d.voided_at IS NULL
    """
)
_WRITE_HISTORY = text(
    """
    INSERT INTO history (application_no, at, tier, act, staff_id, round, revision, detail)
    SELECT application_no, :now, 'region', 'published', :by, round, revision, CAST(:detail AS jsonb)
    FROM publication_lines
    WHERE publication_id = :id AND application_no > :after AND application_no <= :last
    ORDER BY application_no
    """
)


@dataclass(frozen=True)
class Publication:
    """What is released, and from when on it shows."""

    publication_id: UUID
    published: int
    effective_at: datetime
    supplementary: bool


async def publish(
    session: AsyncSession,
    by: Staff,
    region: str,
    year: int,
    *,
    delay: timedelta,
    shortest: timedelta,
    wanted: datetime | None,
) -> Publication:
    """Fix every decided, unpublished opinion of the region and year; from now on they stay as they are.

    Args:
        session: the caller's transaction.
        by: the region's administrator.
        region: theirs.
        year: the exam year.
        delay: from now to the moment when the opinions show, where nothing else is wanted.
        shortest: the same, however soon it is wanted.
        wanted: the moment when they should show.

    Raises:
        Conflict: the window is not open yet (`publishing-not-open`), some are not decided yet (`reviews-unfinished`),
            or there is nothing to release (`nothing-to-publish`).
        Invalid: `wanted` is too far away (`effective-too-late`).
        NotFound: the region is not this person's (`region-not-found`).
    """
    by.must_be_one_of("region_admin")
    if region != by.region:
        raise NotFound(
            "region-not-found",
            "只能公布本考区的结果，请核对考区代码。",
            "You publish for your own region only. Check its code.",
        )
    now = clock.now()
    _must_not_be_too_late(now, wanted)
    # Two clicks at once: the second waits, then finds nothing left to release.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('publication ' || :region || ' ' || :year, 0))"),
        {"region": region, "year": str(year)},
    )
    await _must_be_open(session, region, year, now)
    await _must_be_finished(session, region, year)
    count = await _lock_decided(session, region, year)
    # Once more: what was handed in again a moment ago is not among the locked ones.
    await _must_be_finished(session, region, year)
    if count == 0:
        raise Conflict(
            "nothing-to-publish",
            "没有待公布的终审意见。",
            "There is no decided opinion that is not published yet.",
        )
    # Counted from here: the locks above may have taken their time, and the delay is promised.
    now = clock.now()
    effective_at = now + delay if wanted is None else max(now + shortest, wanted)
    publication = Publication(uuid4(), count, effective_at, await published_before(session, region, year))
    await _begin(session, by, publication, region, year, now)
    return publication


async def tell_running(sessions: Sessions) -> None:
    """Tell publications that are under way, chunk by chunk; any number of processes may do it at once."""
    for _ in range(_CHUNKS_PER_ROUND):
        async with sessions.begin() as session:
            if not await tell_chunk(session):
                return


async def tell_chunk(session: AsyncSession) -> bool:
    """Tell the next `CHUNK` opinions of a publication that is under way and that nobody else is telling.

    Events, history and the cursor are one transaction: killed anywhere, it tells the same ones again, or none of them.

    Returns:
        False where there is none.
    """
    running = (
        await session.execute(
            select(
                _PUBLICATIONS.publication_id,
                _PUBLICATIONS.region,
                _PUBLICATIONS.year,
                _PUBLICATIONS.published_by,
                _PUBLICATIONS.effective_at,
                _PUBLICATIONS.applications,
                _PUBLICATIONS.told,
                _PUBLICATIONS.told_up_to,
            )
            .where(_PUBLICATIONS.finished_at.is_(None))
            .order_by(_PUBLICATIONS.published_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
    ).first()
    if running is None:
        return False
    rows = await session.execute(
        select(_LINES.application_no, _LINES.site, _LINES.round, _LINES.revision, _LINES.opinion, _LINES.words)
        .where(_LINES.publication_id == running.publication_id, _LINES.application_no > running.told_up_to)
        .order_by(_LINES.application_no)
        .limit(CHUNK)
    )
    # No row of `reviews` is locked: once it is published, nothing else is told of an application.
    events = [
        ReviewPublished(
            application_no=row.application_no,
            region=running.region,
            site=row.site,
            publication_id=running.publication_id,
            round=row.round,
            revision=row.revision,
            opinion=row.opinion,
            words=row.words,
            effective_at=running.effective_at,
        )
        for row in rows
    ]
    if not events:
        # It would hold up every other region's for ever. `_begin` lets no such publication come about.
        log.error("publication.cut_short", publication_id=str(running.publication_id), told=running.told)
        await session.execute(
            update(tables.publications)
            .where(_PUBLICATIONS.publication_id == running.publication_id)
            .values(finished_at=clock.now())
        )
        return True
    await tell(session, *events)
    failpoint("review.publication_told")
    now, first, last = clock.now(), events[0].application_no, events[-1].application_no
    about = {"publication_id": str(running.publication_id)}
    await session.execute(
        _WRITE_HISTORY,
        {
            "now": now,
            "by": running.published_by,
            "detail": json.dumps(about | {"effective_at": running.effective_at.isoformat()}),
            "id": running.publication_id,
            "after": running.told_up_to,
            "last": last,
        },
    )
    told = running.told + len(events)
    finished = told >= running.applications
    await session.execute(
        update(tables.publications)
        .where(_PUBLICATIONS.publication_id == running.publication_id)
        .values(told=told, told_up_to=last, finished_at=now if finished else None)
    )
    chunk = about | {"count": len(events), "first": first, "last": last}
    await audit.write(session, audit.line("publication_told", None, region=running.region, detail=chunk))
    if finished:
        whole = about | {"year": running.year, "count": told}
        await audit.write(session, audit.line("publication_finished", None, region=running.region, detail=whole))
        log.info("publication.finished", publication_id=str(running.publication_id), applications=told)
    return True


def _must_not_be_too_late(now: datetime, wanted: datetime | None) -> None:
    if wanted is not None and wanted > now + _LONGEST_DELAY:
        raise Invalid(
            "effective-too-late",
            f"生效时间最迟为 {_LONGEST_DELAY.days} 天之后，请重新选择。",
            f"`effective_at` may be {_LONGEST_DELAY.days} days ahead at most. Choose an earlier time.",
        )


async def _must_be_open(session: AsyncSession, region: str, year: int, now: datetime) -> None:
    opens = await opens_at(session, region, year, now)
    if opens is not None:
        raise Conflict(
            "publishing-not-open",
            "尚未到本考区公布结果的时间，请在公布时间开始后再试。",
            "The publishing window of the region's rules is not open yet. Publish from `opens_at` on.",
            opens_at=opens.isoformat(),
        )


async def _must_be_finished(session: AsyncSession, region: str, year: int) -> None:
    unfinished = await unfinished_of(session, region, year)
    if unfinished.count:
        raise Conflict(
            "reviews-unfinished",
            f"本考区还有 {unfinished.count} 份报名未审核完毕，全部完成后才能公布。",
            f"{unfinished.count} applications of the region are not decided yet, or can still be undone. "
            "Publish when all are.",
            unfinished=unfinished.count,
            by_state=unfinished.by_state,
            pending=unfinished.pending,
        )


async def _lock_decided(session: AsyncSession, region: str, year: int) -> int:
    """In number order, as everybody does: a revision that is handed in now waits, and then comes too late."""
    locked = (
        select(_REVIEWS.application_no)
        .where(is_to_publish(region, year))
        .order_by(_REVIEWS.application_no)
        .with_for_update()
        .subquery()
    )
    return int(await session.scalar(select(func.count()).select_from(locked)) or 0)


async def _begin(
    session: AsyncSession, by: Staff, publication: Publication, region: str, year: int, now: datetime
) -> None:
    await session.execute(
        insert(tables.publications).values(
            publication_id=publication.publication_id,
            region=region,
            year=year,
            supplementary=publication.supplementary,
            published_by=by.id,
            published_at=now,
            effective_at=publication.effective_at,
            applications=publication.published,
        )
    )
    about = {"id": publication.publication_id}
    fixed = await session.execute(_FIX, about | {"region": region, "year": year})
    if fixed.rowcount != publication.published:  # type: ignore[attr-defined]
        raise Conflict(
            "reviews-changed",
            "审核数据刚刚发生变化，请刷新页面后再公布。",
            "Opinions changed at this very moment. Look again, then publish.",
        )
    steps = (await session.scalars(_STEPS, about | {"step": _STEP, "all": publication.published})).all()
    for after, last in zip(["", *steps], steps, strict=False):
        chunk = about | {"after": after, "last": last}
        await session.execute(_FREEZE, chunk | {"effective_at": publication.effective_at})
        await session.execute(_MARK_DECISIONS, chunk)
    detail = {
        "publication_id": str(publication.publication_id),
        "year": year,
        "applications": publication.published,
        "effective_at": publication.effective_at.isoformat(),
        "supplementary": publication.supplementary,
    }
    await audit.write(session, audit.line("publication_begun", by, region=region, detail=detail))
