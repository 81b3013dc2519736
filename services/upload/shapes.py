"""What upload's HTTP API takes and gives; the OpenAPI document is made from it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.review import Opinion
from shared.contracts.rules import Text

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


class FindingShown(BaseModel):
    """One thing that a check noticed, with what to do about it."""

    code: str
    severity: Literal["reject", "review", "info"]
    measured: float | None = None
    limit: float | None = None
    words: Text


class ImageShown(BaseModel):
    """An image on the checklist. `checking` becomes one of the others within about a second."""

    image_id: UUID
    status: Literal["checking", "good", "review", "rejected"]
    size: int  # bytes
    content_type: str
    uploaded_at: datetime
    findings: list[FindingShown]
    url: str


class ItemShown(BaseModel):
    """An item of the checklist. `reason` says why it is required of this candidate."""

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
    locked: bool
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
    """One line of the timeline."""

    seq: int
    at: datetime
    kind: Literal["registered", "submitted", "resubmitted", "returned", "reopened", "published"]
    text: Text


class OpinionShown(BaseModel):
    """The final opinion, once it is published."""

    opinion: Opinion
    words: str
    at: datetime


class ApplicationPage(BaseModel):
    """Everything on the candidate's page; feedback and timeline newest first."""

    application_no: str
    exam: Text
    region: Coded
    site: Coded
    year: int
    pack: PackVersion
    candidate: CandidateShown
    facts: dict[str, Any]
    state: Literal["draft", "submitted", "returned", "published"]
    round: int
    revision: int
    locked: bool
    uploads: bool
    submitted_at: datetime | None
    can_submit: bool
    missing: list[MissingShown]
    sections: list[SectionShown]
    feedback: list[FeedbackShown]
    timeline: list[TimelineEntry]
    opinion: OpinionShown | None


class StoredImage(BaseModel):
    """An image that was taken."""

    image_id: UUID
    item: str
    status: Literal["checking", "good", "review", "rejected"]
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
