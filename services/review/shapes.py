"""What the HTTP API takes and gives; the OpenAPI document is made from it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.review.domain import Outcome, Role
from shared.contracts.event import ItemCode, ReasonCode, RegionCode
from shared.contracts.review import Opinion, Tier
from shared.contracts.rules import ReadableField, Text
from shared.contracts.validation import Box

# No control characters but line ends and tabs: PostgreSQL takes no NUL, and a terminal that shows a log obeys others.
_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=_PRINTABLE)]

QueueName = Literal["waiting", "mine", "returned", "decided"]


class Asked(BaseModel):
    """A request body: a field that we do not know is a mistake of the sender's."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Login(Asked):
    """Who wants in."""

    login: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_PRINTABLE, strip_whitespace=True)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class NextClaim(Asked):
    """Nothing to say: the oldest that waits."""


class ItemMark(Asked):
    """A mark on one item; reason and words are for returns, and words are what the candidate reads.

    `same_images_allowed`: the images named may be handed in again; upload refuses the same bytes otherwise.
    """

    mark: Literal["accept", "return"]
    reason_code: ReasonCode | None = None
    words: Words | None = None
    image_ids: Annotated[list[UUID], Field(max_length=60)] | None = None
    same_images_allowed: bool = False


class OnRevision(Asked):
    """An act on the whole application; `revision`, if given, must still be the present one."""

    revision: Annotated[int, Field(ge=1)] | None = None


class Return(OnRevision):
    """Give back what is marked."""


class Pass(OnRevision):
    """Pass on to the region."""


class SendBack(OnRevision):
    """Let the site look again; the words are for its staff."""

    words: Annotated[Words, StringConstraints(min_length=1)]


class Decision(OnRevision):
    """The region's opinion; the words show to the candidate once it is published."""

    outcome: Opinion
    words: Words = ""


class PublicationOf(Asked):
    """Whose opinions are to be released."""

    region: RegionCode
    year: Annotated[int, Field(ge=2000, le=2100)]


class Told(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)


class Session(Told):
    """Who is logged in, and the token that writes must carry."""

    staff_id: UUID
    display_name: str
    role: Role
    region: str
    site: str | None
    csrf_token: str


class Claimed(Told):
    """One's own from now on, until then."""

    application_no: str
    claimed_until: datetime


class MaskedCandidate(Told):
    """Enough to tell two rows apart."""

    name: str
    id_number: str


class Row(Told):
    """An application in a list."""

    application_no: str
    candidate_masked: MaskedCandidate
    site: str
    route: str
    category: str
    round: int
    submitted_at: datetime
    state: str
    claimed: bool
    claimed_by_me: bool
    resubmitted: bool


class Page(Told):
    """One page of a list; `next` leads on, null at its end."""

    items: list[Row]
    next: str | None


class Candidate(Told):
    """The name is whole under one's own claim only."""

    name: str
    id_number_masked: str
    phone_masked: str


class Reason(Told):
    """A reason for a return, with words to begin from."""

    code: str
    words: Text


class MarkShown(Told):
    """One's own tier's mark."""

    mark: Literal["accept", "return"]
    reason_code: str | None
    words: str | None
    image_ids: list[UUID]
    same_images_allowed: bool


class FindingShown(Told):
    """What a check noticed; it advises. `other_item`: of the other image that it speaks of, if it speaks of one."""

    code: str
    severity: str
    measured: float | None = None
    limit: float | None = None
    other_item: ItemCode | None = None
    words: Text | None = None


class ReadTextShown(Told):
    """Something that was read, beside the registration; of an ID number only what a list shows, too.

    `box` is a share of the upright picture's width and height. `check_digit`: whether an ID number's last one fits.
    """

    field: ReadableField
    outcome: Outcome
    value: str
    confidence: float
    check_digit: bool | None
    box: Box


class ReadingShown(Told):
    """What was read from an image. `missing`: what neither it nor another present image of its item shows."""

    mirrored: bool | None
    texts: list[ReadTextShown]
    missing: list[ReadableField]


class CopyShown(Told):
    """The same bytes under another candidate; whose they are only where that one is of this person's scope."""

    application_no: str | None
    region: RegionCode
    item: ItemCode


class ComparedShown(Told):
    """What the readings of an item's present images come to: one that contradicts the registration is shown."""

    field: ReadableField
    outcome: Outcome


class WhyReplaced(Told):
    """What the candidate had been told about the item; `system` is the automatic check, or a changed registration."""

    tier: Literal["site", "region", "system"]
    words: str
    at: datetime


class Replaced(Told):
    """Which round came without the image, when, and why; nobody asked for it where `why` is empty."""

    round: int
    at: datetime
    why: list[WhyReplaced]


class ImageShown(Told):
    """An image that was handed in; one that was replaced since is not `current`.

    `confirmed`: the check rejected its quality, and the candidate handed it in all the same after a warning.
    `reading` is null without one's own claim, where nothing was read yet, and where it was erased.
    """

    image_id: UUID
    verdict: str
    reason: str | None
    confirmed: bool
    findings: list[FindingShown]
    reading: ReadingShown | None
    copies: list[CopyShown]
    uploaded_at: datetime
    size: int
    content_type: str
    round: int
    current: bool
    replaced: Replaced | None
    url: str


class ItemShown(Told):
    """An item of the pack. `required`: of this candidate. `changed`: by the candidate, since the round before.

    `compared`: what could be read of it, beside the registration; empty without one's own claim.
    """

    item: ItemCode
    title: Text
    instruction: Text
    channel: str
    required: bool
    handed_in: bool
    changed: bool
    mark: MarkShown | None
    images: list[ImageShown]
    compared: list[ComparedShown]


class SectionShown(Told):
    """A heading with its items."""

    title: Text
    items: list[ItemShown]


class Line(Told):
    """Who did what, when; `by` is null where it was the candidate or the system."""

    at: datetime
    tier: Tier | None
    act: str
    by: str | None
    round: int
    detail: dict[str, Any]


class NoticeShown(Told):
    """Whether the candidate was reached."""

    at: datetime
    about: str
    channel: str
    outcome: str
    round: int


class PhotoShown(Told):
    """The registration photo (报名照片) of the last submission; its picture opens under one's own claim."""

    url: str
    accepted_at: datetime


class Detail(Told):
    """One application on one screen."""

    application_no: str
    state: str
    tier: Tier
    round: int
    revision: int
    year: int
    region: str
    region_name: Text
    site: str
    site_name: Text | None
    route: str
    uploads: bool
    facts: dict[str, Any]
    candidate: Candidate
    submitted_at: datetime
    claimed: bool
    claimed_by_me: bool
    claimed_until: datetime | None
    opinion: Opinion | None
    published_at: datetime | None
    registration_photo: PhotoShown | None
    reasons: list[Reason]
    sections: list[SectionShown]
    notices: list[NoticeShown]
    history: list[Line]


class ReturnedItemShown(Told):
    """An item that unlocked."""

    item: str
    reason_code: str
    words: str
    image_ids: list[UUID]
    same_images_allowed: bool


class Returned(Told):
    """What went back to the candidate."""

    feedback_id: UUID
    items: list[ReturnedItemShown]


class Moved(Told):
    """Where the application is now."""

    application_no: str
    state: str
    round: int
    revision: int


class Published(Told):
    """How many opinions were released, and from when on they show."""

    publication_id: UUID
    published: int
    effective_at: datetime
