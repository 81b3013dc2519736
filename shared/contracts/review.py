"""Told by review: what staff returned, decided and published."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.event import ApplicationNo, Event, ItemCode, Part, ReasonCode, RegionCode, Sha256, SiteCode, Words

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


class AuditSealed(Event):
    """The signed head of the audit chain after a batch of lines: whoever keeps the heads can tell a changed past.

    Attributes:
        chain_id: of the database that the chain lies in; a new one begins at batch 1.
        first_seq: of the batch's first line; lines are counted from 1, without gaps.
        last_seq: of its last line, so also the number of lines so far.
        previous_head: SHA-256 (hex) before the batch; 64 zeros before the first.
        head: SHA-256 (hex) after the batch.
        signature: Ed25519 over the other fields, as `docs/audit.md` puts them together; base64.
    """

    topic: ClassVar[str] = "audit.sealed.v1"
    kept_for_ever: ClassVar[bool] = True

    chain_id: UUID
    batch_no: Annotated[int, Field(ge=1)]
    first_seq: Annotated[int, Field(ge=1)]
    last_seq: Annotated[int, Field(ge=1)]
    previous_head: Sha256
    head: Sha256
    sealed_at: datetime
    key_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{86}==$")]

    @property
    def key(self) -> str:
        return str(self.chain_id)
