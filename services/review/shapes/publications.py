"""Publishing: whether a region is ready, and how a publication goes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from services.review.shapes.base import Asked, Moment, Told
from shared.contracts.event import RegionCode


class PublicationOf(Asked):
    """Whose opinions are to be released; from when on they show, if later than as soon as may be."""

    region: RegionCode
    year: Annotated[int, Field(ge=2000, le=2100)]
    effective_at: Moment | None = None


LapseReason = Literal["returned", "withdrawn", "draft", "unknown"]
"""What it was when its deadline passed: given back and not handed in again, taken back, or never handed in."""


class LapsedFor(Told):
    """How many lapsed for one reason; `unknown` where the history does not say."""

    reason: LapseReason
    count: int


class Readiness(Told):
    """What stands in the way of publishing a region's year.

    `lapsed` and `withdrawn` have no opinion and hold nothing up; `lapsed_by_reason` sums up to `lapsed`.
    `opens_at`: when the rules' publishing window opens, null where that is open or there is none.
    """

    region: str
    year: int
    ready: bool
    unfinished: int
    by_state: dict[str, int]
    to_publish: int
    by_opinion: dict[str, int]
    lapsed: int
    lapsed_by_reason: list[LapsedFor]
    withdrawn: int
    opens_at: datetime | None
    supplementary: bool


class Published(Told):
    """A publication: how many opinions it releases, how many of them are told, and from when on they show."""

    publication_id: UUID
    published: int
    told: int
    effective_at: datetime
    finished: bool
    supplementary: bool


class PublicationShown(Published):
    """A publication in the list."""

    year: int
    published_by: str
    published_at: datetime


class Publications(Told):
    """The region's publications, newest first."""

    items: list[PublicationShown]
    next: str | None
