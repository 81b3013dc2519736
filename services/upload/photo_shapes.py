"""What upload's HTTP API says of photo checks and of the registration photo."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.contracts.rules import Text
from shared.contracts.validation import Severity


class MarkShown(BaseModel):
    """Where on the upright picture a finding is, in shares of its width and height.

    A box, or a line from the first point to the second.
    """

    shape: Literal["box", "line"]
    x1: float
    y1: float
    x2: float
    y2: float


class PhotoFindingShown(BaseModel):
    """One thing that is wrong, or may be wrong, with what to do about it; `reject` makes the check fail."""

    code: str
    severity: Severity
    measured: float | None
    limit: float | None
    words: Text
    marks: list[MarkShown]


class FinishedPhotoShown(BaseModel):
    """The photo of the official size, with its receipt in it. Save it as it is: any change makes it worthless."""

    url: str
    size: int  # bytes
    width: Annotated[int, Field(description="In pixels.")]
    height: Annotated[int, Field(description="In pixels.")]
    expires_at: Annotated[datetime, Field(description="Until then it may be handed in.")]
    download_name: str


class PhotoCheckShown(BaseModel):
    """A photo check. `checking` becomes another status within about a second.

    `expired`: the receipt is too old to be handed in, or no answer ever came.

    Attributes:
        source_url: the picture as it was sent; null once it is deleted, an hour after the verdict.
        photo: only where it passed and has not expired.
        registered: its photo is the registration photo now.
    """

    photo_id: UUID
    status: Literal["checking", "passed", "failed", "expired"]
    requested_at: datetime
    checked_at: datetime | None
    findings: list[PhotoFindingShown]
    source_url: str | None
    photo: FinishedPhotoShown | None
    registered: bool


class PhotoChecksShown(BaseModel):
    """The newest photo checks, newest first, at most 20."""

    items: list[PhotoCheckShown]


class RegisteredPhoto(BaseModel):
    """A registration photo that was accepted; `expires_at`, `pack` and `key_id` are its receipt's."""

    sha256: str
    size: int  # bytes
    accepted_at: datetime
    expires_at: datetime
    pack: str
    key_id: str
    url: str


class RegistrationPhotoShown(BaseModel):
    """The registration photo on the page."""

    url: str
    accepted_at: datetime
    size: int  # bytes


class PhotoRuleShown(BaseModel):
    """The official size; the whole file with its receipt has fewer bytes than `max_bytes`."""

    width_mm: int
    height_mm: int
    width_px: int
    height_px: int
    max_bytes: int
    receipt_days: int
