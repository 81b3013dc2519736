"""How the work goes: the figures of a site or a region."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.review.shapes.base import Told
from shared.contracts.event import ItemCode, RegionCode, SiteCode
from shared.contracts.review import Tier
from shared.contracts.rules import Text

Age = Literal["<1d", "1-3d", "3-7d", ">7d"]


class SiteCounts(Told):
    """Applications of one site by state. `name` is null where the rules no longer have the site."""

    site: SiteCode
    name: Text | None
    by_state: dict[str, int]
    overdue: int


class DayCounts(Told):
    """What was done on one day, Beijing time."""

    day: date
    submitted: int
    returned: int
    passed: int
    decided: int


class Ageing(Told):
    """How many wait at each tier, by the time since they were handed in."""

    bucket: Age
    site: int
    region: int


class Throughput(Told):
    """What one reviewer did. `returned`, `passed` and `decided` are of the last seven days, today included."""

    staff_id: UUID
    name: str
    site: SiteCode | None
    today: int
    last_7_days: int
    returned: int
    passed: int
    decided: int


class ReasonCount(Told):
    """How often an item was given back for a reason."""

    item: ItemCode
    item_title: Text | None
    reason_code: str
    reason: Text | None
    count: int


class Overruled(Told):
    """A finding of the automatic check, and on how many items reviewers took no notice of it, or gave them back."""

    code: str
    accepted_in_spite: int
    returned: int


class Progress(Told):
    """The figures of a region, or of one site of it, for one exam year; `as_of` says how fresh they are.

    Attributes:
        by_tier: of each tier, its applications by state; a returned one belongs to the tier that it comes back to.
        by_site: for the region's staff, the sites with the most unfinished first.
        by_day: the last 60 days, oldest first, days without any act included.
        returned_3_times: how many were given back at least three times.
        throughput: every reviewer for an administrator, oneself for a reviewer; most first.
        reasons: the 20 most frequent of the last 60 days.
        overruled: findings that asked staff to look, or rejected: by how often an item was accepted in spite of them.
            Counted on the newest 5,000 applications with findings, and on the returns of the last 60 days.
    """

    region: RegionCode
    site: SiteCode | None
    year: int
    as_of: datetime
    applications: int
    by_state: dict[str, int]
    by_tier: dict[Tier, dict[str, int]]
    by_site: list[SiteCounts]
    by_day: list[DayCounts]
    ageing: list[Ageing]
    overdue: int
    returned_3_times: int
    throughput: list[Throughput]
    reasons: list[ReasonCount]
    overruled: list[Overruled]
