"""Whether a region's year is ready to be published, and how its publications go."""

from typing import get_args
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import cursors, tables
from services.review.domain import Staff, State
from services.review.obstacles import is_to_publish, opens_at, published_before, unfinished_of
from services.review.shapes import LapsedFor, LapseReason, Publications, PublicationShown, Readiness
from shared import clock
from shared.errors import NotFound

# Its newest line says what became of it; one by one, by the index on the number.
_LAPSED = text(
    """
    SELECT coalesce(h.reason, 'unknown') AS reason, count(*) AS number
    FROM reviews AS r LEFT JOIN LATERAL (
        SELECT detail ->> 'was' AS reason FROM history
        WHERE application_no = r.application_no AND act = 'lapsed' ORDER BY id DESC LIMIT 1
    ) AS h ON true
    WHERE r.region = :region AND r.year = :year AND r.state = :state
    GROUP BY 1
    """
)
_PUBLICATIONS = tables.publications.c
_REVIEWS = tables.reviews.c


def region_of(staff: Staff, region: str | None) -> str:
    """Whose publications are asked for: a region's staff have their own, the operator names one.

    Raises:
        Forbidden: for site staff and auditors (`role-act`).
        Invalid: the operator named none (`region-missing`).
        NotFound: it is not this person's (`region-not-found`).
    """
    staff.must_be_one_of("region_reviewer", "region_admin", "national_operator")
    return staff.region_asked_for(region)


async def readiness_of(session: AsyncSession, region: str, year: int) -> Readiness:
    """What stands in the way of publishing."""
    unfinished = await unfinished_of(session, region, year)
    opens = await opens_at(session, region, year, clock.now())
    opinions = {
        str(opinion): count
        for opinion, count in await session.execute(
            select(_REVIEWS.opinion, func.count()).where(is_to_publish(region, year)).group_by(_REVIEWS.opinion)
        )
    }
    withdrawn = await session.scalar(
        select(func.count()).where(_REVIEWS.region == region, _REVIEWS.year == year, _REVIEWS.state == State.WITHDRAWN)
    )
    lapsed = await _lapsed_of(session, region, year)
    to_publish = sum(opinions.values())
    return Readiness(
        region=region,
        year=year,
        ready=unfinished.count == 0 and opens is None and to_publish > 0,
        unfinished=unfinished.count,
        by_state=unfinished.by_state,
        to_publish=to_publish,
        by_opinion=opinions,
        lapsed=sum(each.count for each in lapsed),
        lapsed_by_reason=lapsed,
        withdrawn=withdrawn or 0,
        opens_at=opens,
        supplementary=await published_before(session, region, year),
    )


async def _lapsed_of(session: AsyncSession, region: str, year: int) -> list[LapsedFor]:
    """How many lapsed for which reason, in the order of the reasons."""
    rows = await session.execute(_LAPSED, {"region": region, "year": year, "state": State.LAPSED.value})
    found = {row.reason: row.number for row in rows}
    return [LapsedFor(reason=reason, count=found[reason]) for reason in get_args(LapseReason) if reason in found]


async def publications_of(session: AsyncSession, region: str, cursor: str | None, limit: int) -> Publications:
    """One page, newest first."""
    query = (
        _select()
        .where(_PUBLICATIONS.region == region)
        .order_by(_PUBLICATIONS.published_at.desc(), _PUBLICATIONS.publication_id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(
            tuple_(_PUBLICATIONS.published_at, _PUBLICATIONS.publication_id)
            < cursors.read(cursor, cursors.moment, UUID)
        )
    rows = (await session.execute(query)).mappings().all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Publications(
        items=[_shown(row) for row in rows[:limit]],
        next=cursors.written(last["published_at"], last["publication_id"]) if last is not None else None,
    )


async def publication_of(session: AsyncSession, staff: Staff, publication_id: UUID) -> PublicationShown:
    """How one goes.

    Raises:
        Forbidden: for site staff and auditors (`role-act`).
        NotFound: there is none in this person's scope (`publication-not-found`).
    """
    staff.must_be_one_of("region_reviewer", "region_admin", "national_operator")
    row = (await session.execute(_select().where(_PUBLICATIONS.publication_id == publication_id))).mappings().first()
    if row is None or staff.region not in (None, row["region"]):
        raise NotFound(
            "publication-not-found", "没有找到该次公布，请刷新页面。", "There is no such publication for you."
        )
    return _shown(row)


def _select() -> Select[*tuple[object, ...]]:
    return select(tables.publications, tables.staff.c.display_name).join(
        tables.staff, tables.staff.c.id == _PUBLICATIONS.published_by
    )


def _shown(row: RowMapping) -> PublicationShown:
    return PublicationShown(
        publication_id=row["publication_id"],
        published=row["applications"],
        told=row["told"],
        effective_at=row["effective_at"],
        finished=row["finished_at"] is not None,
        supplementary=row["supplementary"],
        year=row["year"],
        published_by=row["display_name"],
        published_at=row["published_at"],
    )
