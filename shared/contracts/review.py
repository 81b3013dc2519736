"""Told by review: what staff returned, decided and published."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.event import ApplicationNo, Event, ItemCode, Part, ReasonCode, RegionCode, SiteCode, Words

Tier = Literal["site", "region"]
Opinion = Literal["approved", "rejected", "disqualified"]


class ReturnedItem(Part):
    """An item given back to the candidate. `image_ids` are the images at fault; none where the item is missing.

    Attributes:
        same_images_allowed: the same bytes may be handed in again, such as when only something beside them was wrong.
    """

    item: ItemCode
    image_ids: tuple[UUID, ...] = ()
    reason_code: ReasonCode
    words: Words
    same_images_allowed: bool = False


class ReviewFeedback(Event):
    """One return of one application: exactly the named items unlock."""

    topic: ClassVar[str] = "review.feedback.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    feedback_id: UUID
    round: Annotated[int, Field(ge=1)]
    revision: Annotated[int, Field(ge=1)]
    tier: Tier
    items: Annotated[tuple[ReturnedItem, ...], Field(min_length=1, max_length=60)]
    returned_at: datetime


class ReviewDecided(Event):
    """A tier came to a result. Nothing of it is shown to the candidate before publication."""

    topic: ClassVar[str] = "review.decided.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    round: int
    revision: int
    tier: Tier
    outcome: Literal["passed_site", "approved", "rejected", "disqualified", "sent_back"]
    decided_at: datetime


class ReviewPublished(Event):
    """The region's final opinion on one application, visible from `effective_at` on."""

    topic: ClassVar[str] = "review.published.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    publication_id: UUID
    round: int
    revision: int
    opinion: Opinion
    words: Annotated[str, StringConstraints(max_length=1000)] = ""
    effective_at: datetime
