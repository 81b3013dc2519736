"""Which applications are in which list, as statements that touch a bounded number of rows at any size.

An index is entered by equality (scope, tier and queue, or scope and state, and at most one filter) and read in the
list's own order from the cursor on, `LOOKED` rows at most. All else only says which of the rows looked at belong to the
page: where few of them do, the page is short and its cursor leads on behind the last one looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    Subquery,
    and_,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import cursors, tables
from services.review.domain import Queue, Staff, State
from services.review.shapes import Filters, QueueName
from shared.contracts.review import Tier

LOOKED = 1000
_R = tables.reviews.c
_BY_DUE = ("due_at", "submitted_at", "application_no")
_BY_SUBMITTED = ("submitted_at", "application_no")

QUEUES: dict[str, tuple[Queue, ...]] = {
    "waiting": ("new", "resubmitted", "sent_back", "onsite"),
    **{name: (name,) for name in get_args(Queue)},
}
"""The lists that are claimed from, and the queues that are in each."""
STATES: dict[str, tuple[State, ...]] = {
    "returned": (State.RETURNED,),
    "decided": (State.DECIDED,),
    "unfinished": (State.SUBMITTED, State.AT_SITE, State.AT_REGION, State.RETURNED),
}
REGIONS_OWN = frozenset({"attention", "unfinished"})
"""What a site's staff have no list of."""

_ATTENTION = literal_column(f"({tables.ATTENTION})", Boolean())
_IN_ORDER = select(
    *(func.set_config(name, "off", True) for name in ("enable_seqscan", "enable_bitmapscan", "enable_sort", "jit"))
)


@dataclass(frozen=True)
class Listing:
    """A list as one person asks for it.

    Attributes:
        staff: whose scope and tier it is.
        name: which list.
        filters: what it is narrowed to.
        now: the time that leases and deadlines are held against.
        closed: only for `attention`: packs and versions whose review window has closed.
    """

    staff: Staff
    name: QueueName
    filters: Filters
    now: datetime
    closed: Sequence[tuple[str, int]] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that the list is sorted by, all ascending: the cursor's parts."""
        return _BY_DUE if self.name in QUEUES or self.name == "overdue" else _BY_SUBMITTED

    def looked_at(self, after: str | None = None) -> Subquery:
        """The rows looked at, `LOOKED` at most, from a cursor on; `matches` says whether one belongs to the list.

        Only the columns of the order: with all that a row shows, SQLAlchemy took 6 ms to put the statement together.
        """
        ordered = [_R[name] for name in self.order]
        start = [tuple_(*ordered) > tuple_(*map(literal, self._place(after)))] if after is not None else []
        belongs = self._belongs().label("matches")
        parts = [
            select(*ordered, belongs).where(*part, *start).order_by(*ordered).limit(_inline(LOOKED)).subquery()
            for part in self._parts()
        ]
        if len(parts) == 1:
            return parts[0]
        merged = union_all(*(select(part) for part in parts)).subquery()
        return select(merged).order_by(*(merged.c[name] for name in self.order)).limit(_inline(LOOKED)).subquery()

    def page(self, after: str | None, limit: int) -> Select[*tuple[Any, ...]]:
        """The list's rows, one more than `limit`; the last one looked at is there too, whether it belongs or not."""
        looked = self.looked_at(after)
        ordered = [looked.c[name] for name in self.order]
        numbered = select(looked, func.row_number().over(order_by=ordered).label("nth")).subquery()
        return (
            select(numbered)
            .where(or_(numbered.c.matches, numbered.c.nth == _inline(LOOKED)))
            .order_by(*(numbered.c[name] for name in self.order))
            .limit(_inline(limit + 1))
        )

    def last_looked_at(self, after: str | None) -> Select[*tuple[Any, ...]]:
        """Where a look that found nothing ended; no row where the list ended before."""
        looked = self.looked_at(after)
        ordered = [looked.c[name] for name in self.order]
        return select(*ordered).order_by(*ordered).offset(_inline(LOOKED - 1)).limit(_inline(1))

    def counted(self, most: int) -> Select[*tuple[int]]:
        """How many are in the list: `most` at most, among the first of each part."""
        ordered = [_R[name] for name in self.order]
        belongs = self._belongs().label("matches")
        parts = [
            select(belongs).where(*part).order_by(*ordered).limit(_inline(2 * most)).subquery()
            for part in self._parts()
        ]
        looked = union_all(*(select(part) for part in parts)).subquery()
        some: Select[Any] = select(literal_column("1")).select_from(looked).where(looked.c.matches).limit(_inline(most))
        return select(func.count()).select_from(some.subquery())

    def cursor(self, row: object) -> str:
        """Where a row, which has the columns of the order, is in the list."""
        return cursors.written(*(getattr(row, name) for name in self.order))

    def _place(self, cursor: str) -> tuple[object, ...]:
        return cursors.read(cursor, *[cursors.moment] * (len(self.order) - 1), cursors.number)

    def may_be_claimed(self) -> ColumnElement[bool]:
        """What is looked at again under the row's lock: it waits, and nobody else holds it."""
        # A site's code may be another region's too.
        return and_(
            *self._scope(),
            *([] if self.staff.region is None else [_R.region == self.staff.region]),
            _R.tier == self.staff.tier,
            _R.queue.in_(QUEUES[self.name]),
            _R.act_id.is_(None),
            or_(_R.claimed_until.is_(None), _R.claimed_until <= self.now),
            # A rejection is looked at by somebody else than who proposes it.
            or_(_R.queue != "second_look", _R.proposed_by.is_distinct_from(self.staff.id)),
        )

    def _parts(self) -> list[list[ColumnElement[bool]]]:
        """What an index is entered by; several where the list is of several queues or states."""
        filters = self.filters
        if self.name == "mine":
            return [[_R.claimed_by == self.staff.id, *self._submitted_by()]]
        if self.name == "attention":
            return self._attention()
        if self.name in STATES:
            return [[*self._scope(), _R.state == state, *self._submitted_by()] for state in STATES[self.name]]
        tiers: tuple[Tier, ...] = (self.staff.tier,)
        queues = QUEUES.get(self.name, get_args(Queue))
        late: list[ColumnElement[bool]] = []
        if self.name == "overdue":
            tiers = ("site", "region") if self._sees_both_tiers() else tiers
            late = [_R.due_at < self.now]
        narrowed: list[ColumnElement[bool]] = []
        if self._is_local() and filters.education is not None:
            narrowed = [_R.education == filters.education]
        elif self._is_local() and filters.category is not None:
            narrowed = [_R.category == filters.category]
        return [
            [*self._scope(), *narrowed, _R.tier == tier, _R.queue == queue, *late] for tier in tiers for queue in queues
        ]

    def _attention(self) -> list[list[ColumnElement[bool]]]:
        scope = [] if self.staff.region is None else [_R.region == self.staff.region]
        parts: list[list[ColumnElement[bool]]] = [[*scope, _ATTENTION, *self._submitted_by()]]
        if self.closed:
            parts.append([*scope, _R.state == State.RETURNED, _R.returns < 3, *self._submitted_by()])
        return parts

    def _scope(self) -> list[ColumnElement[bool]]:
        site = self.staff.site or self.filters.site
        if site is not None:
            return [_R.site == site]
        return [] if self.staff.region is None else [_R.region == self.staff.region]

    def _is_local(self) -> bool:
        """False for the whole nation, which has no index of its own for each filter."""
        return self.staff.region is not None or self.filters.site is not None

    def _sees_both_tiers(self) -> bool:
        return self.staff.role in ("region_admin", "national_operator")

    def _submitted_by(self) -> list[ColumnElement[bool]]:
        since = self.filters.waiting_since
        return [] if since is None else [_R.submitted_at <= since]

    def _belongs(self) -> ColumnElement[bool]:
        staff, filters = self.staff, self.filters
        wanted: list[ColumnElement[bool]] = []
        # Where the index is entered by the region, saying it once more would have it fetch rows only to see that. A
        # site's code may be another region's too; the indexes by site hold the region beside it.
        if staff.region is not None and (self.name == "mine" or (staff.site or filters.site) is not None):
            wanted.append(_R.region == staff.region)
        if staff.site is not None and self.name == "mine":
            wanted.append(_R.site == staff.site)
        narrowed = {"site": filters.site, "category": filters.category, "education": filters.education}
        wanted += [_R[name] == value for name, value in narrowed.items() if value is not None]
        if filters.finding is not None:
            wanted.append(_R.findings.contains([filters.finding]))
        if filters.waiting_since is not None:
            wanted.append(_R.submitted_at <= filters.waiting_since)
        if self.name == "mine":
            wanted.append(_R.claimed_until > self.now)
        if self.name == "attention":
            late = (and_(_R.pack_id == pack, _R.pack_version == version) for pack, version in self.closed)
            wanted.append(or_(_ATTENTION, and_(_R.state == State.RETURNED, _R.returns < 3, or_(false(), *late))))
        if self.name in QUEUES:
            wanted.append(self._is_offered())
        return and_(true(), *wanted)

    def _is_offered(self) -> ColumnElement[bool]:
        if not self.staff.reviews:
            return true()
        mine = and_(_R.claimed_by == self.staff.id, _R.claimed_until > self.now)
        return or_(mine, self.may_be_claimed())


async def in_order(session: AsyncSession) -> None:
    """Have the statements of this transaction read indexes in their order, whatever the statistics say.

    A planner that expects few rows reads them all and sorts them: of 300,000, 22,000 pages were read to count 1,000.
    """
    await session.execute(_IN_ORDER)


def _inline(number: int) -> ColumnElement[int]:
    """In the statement itself: the planner knows then how little of an index is wanted."""
    return literal_column(str(number))
