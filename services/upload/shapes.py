"""What upload's HTTP API takes and gives; the OpenAPI document is made from it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.upload.photo_shapes import PhotoRuleShown, RegistrationPhotoShown
from shared.contracts.review import Opinion
from shared.contracts.rules import Route, Text

# PostgreSQL takes no NUL, and a control character in a login is never meant.
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class Asked(BaseModel):
    """A request body: a field that we do not know is a mistake of the sender's."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Login(Asked):
    """An account of the exam registration."""

    login: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_PRINTABLE)]
    """Application number or ID number."""
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Nothing(Asked):
    """An empty object."""


class Restoration(Asked):
    """Undo of a removal: the image comes back under an id that the client made."""

    image_id: UUID


class SessionOpened(BaseModel):
    """A session. Its secret is in the cookie; writes must carry the CSRF token in `X-CSRF-Token`."""

    application_no: str
    csrf_token: str


class Coded(BaseModel):
    """A code with its name."""

    code: str
    name: Text


class PackVersion(BaseModel):
    """The rules that the application follows."""

    id: str
    version: int


class CandidateShown(BaseModel):
    """The candidate; null where the personal data was erased."""

    name: str | None
    id_number_masked: str | None
    phone_masked: str | None


ImageStatusShown = Literal["checking", "good", "review", "rejected", "confirmed"]


class FindingShown(BaseModel):
    """One thing that a check noticed, with what to do about it.

    Attributes:
        other_item: the item of the other image that it speaks of, where it speaks of one.
    """

    code: str
    severity: Literal["reject", "review", "info"]
    measured: float | None = None
    limit: float | None = None
    other_item: str | None = None
    words: Text


class ImageShown(BaseModel):
    """An image on the checklist. `checking` becomes one of the others within about a second.

    `confirmed`: its quality was rejected, and the candidate hands it in all the same. `may_confirm`: that may be done.
    """

    image_id: UUID
    status: ImageStatusShown
    may_confirm: bool
    size: int  # bytes
    content_type: str
    uploaded_at: datetime
    findings: list[FindingShown]
    url: str


class ItemShown(BaseModel):
    """An item of the checklist, with the counts that are this candidate's.

    Attributes:
        reason: why it is required of this candidate.
        example: where the picture is that 示例 opens.
        locked: its images can't be changed now.
        retired: no longer asked for, but it has images: they may be removed, and are not handed in.
    """

    item: str
    title: Text
    instruction: Text
    channel: Literal["upload", "onsite", "both"]
    required: bool
    offered: bool
    asked_for: bool
    reason: Text | None
    min: int
    max: int
    example: str | None
    locked: bool
    retired: bool
    images: list[ImageShown]


class SectionShown(BaseModel):
    """A heading with its items."""

    title: Text
    items: list[ItemShown]


class MissingShown(BaseModel):
    """What keeps the application from being handed in; `need` is how many images more."""

    item: str
    title: Text
    problem: Literal["missing", "rejected", "unchanged"]
    need: int


class FeedbackItem(BaseModel):
    """An item that was given back; `open` while it can be changed."""

    item: str
    title: Text
    reason_code: str
    words: str
    image_ids: list[UUID]
    open: bool


class FeedbackShown(BaseModel):
    """One return, with its time and tier."""

    feedback_id: UUID
    at: datetime
    round: int
    tier: Literal["site", "region", "system"]
    items: list[FeedbackItem]


class TimelineEntry(BaseModel):
    """One line of the timeline; `details` say what changed."""

    seq: int
    at: datetime
    kind: Literal[
        "registered",
        "submitted",
        "resubmitted",
        "returned",
        "reopened",
        "published",
        "withdrawn",
        "lapsed",
        "deadline_near",
        "registration_changed",
        "change_too_late",
        "rules_changed",
        "phone_changed",
        "photo_registered",
    ]
    text: Text
    details: list[Text]


class OpinionShown(BaseModel):
    """The final opinion, once it is published."""

    opinion: Opinion
    words: str
    at: datetime


class RouteShown(BaseModel):
    """Where the candidate is reviewed, and why there."""

    route: Route
    reason: Text


class WindowShown(BaseModel):
    """When something may be done; `example` where the region's document does not give the dates."""

    opens_at: datetime
    closes_at: datetime
    open: bool
    example: bool


class DeadlineShown(BaseModel):
    """By when to submit (again); later the application lapses."""

    at: datetime
    what: Literal["submit", "resubmit"]


class SiteShown(BaseModel):
    """Where on-site candidates come."""

    name: Text
    address: Text | None
    hours: Text | None
    phone: str | None


class CatalogueLineShown(BaseModel):
    """A paper to bring."""

    item: str
    title: Text
    copies: int
    note: Text | None


class OnSiteShown(BaseModel):
    """Where and when to come in person, and what to bring."""

    instruction: Text
    site: SiteShown
    example: bool
    lines: list[CatalogueLineShown]


class ContactShown(BaseModel):
    """Whom to ask; `example` where the region's document does not say."""

    office: Text
    phone: str | None
    hours: Text | None
    website: str | None
    example: bool


class LinksShown(BaseModel):
    """Other systems."""

    scores: str | None
    online_tests: str | None


class SupplementShown(BaseModel):
    """What an approved candidate hands in later."""

    item: str
    title: Text
    due: date
    reason: Text


class ApplicationPage(BaseModel):
    """Everything on the candidate's page; feedback and timeline newest first.

    Attributes:
        now: the server's time: windows and deadlines are measured by it.
        seq: the last page event that this page knows; the stream goes on from there.
        closed: why nothing at all can be changed now.
        withdraw_refused: why the application can't be withdrawn now.
        onsite: null where the candidate need not come.
        supplements: only after an approval is published.
    """

    now: datetime
    seq: int
    application_no: str
    exam: Text
    region: Coded
    site: Coded
    year: int
    pack: PackVersion
    candidate: CandidateShown
    facts: dict[str, Any]
    state: Literal["draft", "submitted", "returned", "withdrawn", "lapsed", "published"]
    round: int
    revision: int
    locked: bool
    uploads: bool
    route: RouteShown
    windows: dict[str, WindowShown]
    deadline: DeadlineShown | None
    closed: Text | None
    submitted_at: datetime | None
    can_submit: bool
    can_withdraw: bool
    withdraw_refused: Text | None
    missing: list[MissingShown]
    sections: list[SectionShown]
    feedback: list[FeedbackShown]
    timeline: list[TimelineEntry]
    opinion: OpinionShown | None
    onsite: OnSiteShown | None
    contact: ContactShown | None
    links: LinksShown
    photo_rule: PhotoRuleShown
    registration_photo: RegistrationPhotoShown | None
    supplements: list[SupplementShown]


class ExplainedItem(BaseModel):
    """An item of the pack, and what it means for this candidate."""

    item: str
    title: Text
    channel: Literal["upload", "onsite", "both"]
    required: bool
    offered: bool
    reason: Text
    min: int
    max: int


class ExplainedOnSite(BaseModel):
    """Whether the candidate must come, and with what."""

    required: bool
    lines: list[CatalogueLineShown]


class ExplainedSupplement(BaseModel):
    """What is handed in after an approval."""

    item: str
    due: date
    reason: Text


class ExplainedChecklist(BaseModel):
    """Every item that the pack shows, in order, worked out for this candidate; as `baoshen rules explain` prints it."""

    pack: str
    version: int
    route: Route
    route_reason: Text
    uploads: bool
    items: list[ExplainedItem]
    onsite: ExplainedOnSite
    supplements: list[ExplainedSupplement]


class StoredImage(BaseModel):
    """An image that was taken."""

    image_id: UUID
    item: str
    status: ImageStatusShown
    size: int  # bytes
    sha256: str
    content_type: str
    uploaded_at: datetime
    url: str


class Submitted(BaseModel):
    """A submission."""

    round: Annotated[int, Field(ge=1)]
    revision: Annotated[int, Field(ge=1)]
    submitted_at: datetime


class Withdrawn(BaseModel):
    """The application was taken back."""

    revision: Annotated[int, Field(ge=1)]
    withdrawn_at: datetime
