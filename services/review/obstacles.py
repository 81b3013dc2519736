"""What stands in the way of publishing a region's year: what is unfinished, and a window that is not open yet."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import FINISHED, State
from shared.contracts.rules import Windows

_REVIEWS = tables.reviews.c
# The newest version of the region's rules: an administrator moves a window by publishing another.
_WINDOWS = text(
    """
    SELECT DISTINCT ON (pack_id) content -> 'windows' AS windows FROM packs
    WHERE content -> 'region' ->> 'code' = :region AND CAST(content ->> 'year' AS int) = :year
    ORDER BY pack_id, version DESC
    """
).columns(windows=JSONB)


@dataclass(frozen=True)
class Unfinished:
    """What is not ready to be published.

    Attributes:
        by_state: how many in each state; `decided` ones can still be undone.
        pending: how many of these are decided, but can still be undone.
    """

    by_state: dict[str, int]
    pending: int

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.by_state.values())


def is_to_publish(region: str, year: int) -> ColumnElement[bool]:
    """Decided, and not in any publication yet."""
    return and_(
        _REVIEWS.region == region,
        _REVIEWS.year == year,
        _REVIEWS.state == State.DECIDED,
        _REVIEWS.published_at.is_(None),
    )


async def unfinished_of(session: AsyncSession, region: str, year: int) -> Unfinished:
    """Neither decided, withdrawn nor lapsed; or decided, but the decision can still be undone."""
    of_year = and_(_REVIEWS.region == region, _REVIEWS.year == year)
    unfinished = _REVIEWS.state.not_in(FINISHED)
    undoable = and_(_REVIEWS.state == State.DECIDED, _REVIEWS.published_at.is_(None), _REVIEWS.act_id.is_not(None))
    rows = await session.execute(
        select(_REVIEWS.state, func.count()).where(of_year, or_(unfinished, undoable)).group_by(_REVIEWS.state)
    )
    by_state = {state.value: count for state, count in rows}
    return Unfinished(by_state, by_state.get(State.DECIDED.value, 0))


async def opens_at(session: AsyncSession, region: str, year: int, now: datetime) -> datetime | None:
    """When publishing is allowed; None where it is, or where the rules set no window."""
    windows = [Windows.model_validate(row.windows) for row in await session.execute(_WINDOWS, _of(region, year))]
    latest = max((each.publishing.opens_at for each in windows if each.publishing is not None), default=None)
    return latest if latest is not None and latest > now else None


async def published_before(session: AsyncSession, region: str, year: int) -> bool:
    """True where another publication is supplementary: it releases what came late."""
    found = await session.scalar(
        select(tables.publications.c.publication_id)
        .where(tables.publications.c.region == region, tables.publications.c.year == year)
        .limit(1)
    )
    return found is not None


def _of(region: str, year: int) -> dict[str, object]:
    return {"region": region, "year": year}
