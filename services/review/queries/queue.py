"""Pages of lists, and how many are in each list."""

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.domain import Staff
from services.review.lists import LOOKED, QUEUES, REGIONS_OWN, Listing, in_order
from services.review.queries.rows import rows_of
from services.review.shapes import Counts, Filters, Page, QueueName
from shared import clock
from shared.security.sealing import KeyRing

MOST = 1000
_COUNTED: tuple[QueueName, ...] = (
    "new", "resubmitted", "sent_back", "second_look", "onsite", "mine", "returned", "decided", "overdue", "attention",
    "unfinished",
)  # fmt: skip
_CLOSED = text(
    """
    SELECT pack_id, version FROM packs
    WHERE (CAST(:region AS text) IS NULL OR content -> 'region' ->> 'code' = :region)
      AND CAST(content #>> '{windows,review,closes}' AS timestamp)
          AT TIME ZONE (content #>> '{windows,review,time_zone}') <= :now
    ORDER BY pack_id, version LIMIT 200
    """
)


async def page_of(
    session: AsyncSession,
    key_ring: KeyRing,
    staff: Staff,
    name: QueueName,
    filters: Filters,
    cursor: str | None,
    limit: int,
) -> Page:
    """One page, oldest first; it may be short and lead on where few of the rows looked at fit the filters.

    Args:
        session: any.
        key_ring: opens the names, which are masked here.
        staff: whose scope it is.
        name: which list.
        filters: what it is narrowed to.
        cursor: where the page before ended.
        limit: rows at most.

    Raises:
        Forbidden: it is no list of this person's.
        Invalid: the cursor is not of this list.
    """
    _must_have(staff, name)
    listing = await _listing(session, staff, name, filters)
    await in_order(session)
    looked = (await session.execute(listing.page(cursor, limit))).all()
    found = [row for row in looked if row.matches]
    numbers = [row.application_no for row in found[:limit]]
    leads_on = None
    if len(found) > limit:
        leads_on = listing.cursor(found[limit - 1])
    elif looked and looked[-1].nth == LOOKED:
        leads_on = listing.cursor(looked[-1])
    return Page(items=await rows_of(session, key_ring, staff, numbers, listing.now), next=leads_on)


async def counts_of(session: AsyncSession, staff: Staff) -> Counts:
    """How many are in each of one's lists, counted up to `MOST`.

    Raises:
        Forbidden: this person has no lists.
    """
    _must_have(staff, "waiting")
    names = [name for name in _COUNTED if staff.tier == "region" or name not in REGIONS_OWN]
    listings = [await _listing(session, staff, name, Filters()) for name in names]
    await in_order(session)
    row = (await session.execute(select(*(each.counted(MOST).scalar_subquery() for each in listings)))).one()
    counts: dict[QueueName, int] = dict(zip(names, row, strict=True))
    return Counts(counts={"waiting": min(MOST, sum(counts[queue] for queue in QUEUES["waiting"])), **counts}, most=MOST)


async def _listing(session: AsyncSession, staff: Staff, name: QueueName, filters: Filters) -> Listing:
    now = clock.now()
    closed = await session.execute(_CLOSED, {"region": staff.region, "now": now}) if name == "attention" else ()
    return Listing(staff, name, filters, now, [(row.pack_id, row.version) for row in closed])


def _must_have(staff: Staff, name: QueueName) -> None:
    if name in REGIONS_OWN:
        staff.must_be_one_of("region_reviewer", "region_admin", "national_operator")
    staff.must_have_lists()
