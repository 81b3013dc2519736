"""Told by validation: what the look at an image found."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.event import ApplicationNo, Event, ItemCode, Part, ReasonCode, RegionCode, Sealed, Sha256
from shared.contracts.rules import ReadableField

Verdict = Literal["accept", "review", "reject", "gone"]
"""`gone`: the object was not there any more (the image was removed before it was looked at)."""
Severity = Literal["reject", "review", "info"]


class Finding(Part):
    """One thing that a check noticed. `measured` against `limit`, in the unit that the code implies.

    Attributes:
        other_item: the item of the other image that it speaks of, where it speaks of one.
    """

    code: ReasonCode
    severity: Severity
    measured: float | None = None
    limit: float | None = None
    other_item: ItemCode | None = None


class MaterialChecked(Event):
    """The verdict on one image. A higher `check_no` for the same image replaces a lower one."""

    topic: ClassVar[str] = "material.checked.v1"

    application_no: ApplicationNo
    item: ItemCode
    image_id: UUID
    sha256: Sha256
    check_no: Annotated[int, Field(ge=1)]
    verdict: Verdict
    reason: ReasonCode  # `ok`, or the code of the gravest finding
    findings: tuple[Finding, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)  # width_px, height_px, …
    checked_at: datetime


Share = Annotated[float, Field(ge=-1, le=2)]
"""A place on a picture, as a share of its width or height when it is upright; a little outside is possible."""


class Box(Part):
    """A place on an upright picture."""

    left: Share
    top: Share
    right: Share
    bottom: Share


class ReadText(Part):
    """Something that was read from an image, and where.

    Attributes:
        value: `valid_until` is an ISO date, or `long_term` (长期).
        confidence: 0 to 1.
        check_digit: whether an ID number's last digit (GB 11643) fits; null for anything else.
    """

    field: ReadableField
    value: Annotated[str, Field(max_length=200)]
    confidence: float
    box: Box
    check_digit: bool | None = None


class Reading(Part):
    """What `MaterialRead.sealed` holds: personal data, so never in the clear on a topic."""

    texts: Annotated[tuple[ReadText, ...], Field(max_length=20)] = ()


class SeenUnder(Part):
    """The same bytes under another candidate."""

    application_no: ApplicationNo
    region: RegionCode
    item: ItemCode
    image_id: UUID


class MaterialRead(Event):
    """Advice for staff alone about one image; upload does not hear it.

    A higher `read_no` for the same image and `about` replaces a lower one.

    Attributes:
        about: `reading`: what was read from it. `copies`: the same bytes lie under other candidates.
        wanted: what the pack wants read; a field of it that `sealed` lacks could not be read.
        sealed: a `Reading`; null where nothing was read.
        mirrored: whether its text is mirrored; null where that can't be told.
        copies: where else the same bytes lie, at most 20.
    """

    topic: ClassVar[str] = "material.read.v1"

    application_no: ApplicationNo
    item: ItemCode
    image_id: UUID
    sha256: Sha256
    about: Literal["reading", "copies"]
    read_no: Annotated[int, Field(ge=1)]
    wanted: tuple[ReadableField, ...] = ()
    sealed: Sealed | None = None
    mirrored: bool | None = None
    copies: Annotated[tuple[SeenUnder, ...], Field(max_length=20)] = ()
    read_at: datetime


class Mark(Part):
    """Where on the upright portrait a finding is: a box, or a line from the first point to the second."""

    shape: Literal["box", "line"]
    x1: Share
    y1: Share
    x2: Share
    y2: Share


class PhotoFinding(Part):
    """One thing that is wrong, or may be wrong (`review`), with a portrait; `reject` makes it fail."""

    code: ReasonCode
    severity: Severity
    measured: float | None = None
    limit: float | None = None
    marks: Annotated[tuple[Mark, ...], Field(max_length=10)] = ()


class CheckedPhoto(Part):
    """The photo of the official size that a portrait became, its receipt in it."""

    object_key: str
    sha256: Sha256
    size: int  # bytes
    width_px: int
    height_px: int
    key_id: str
    expires_at: datetime


class PhotoChecked(Event):
    """The verdict on one portrait. A higher `check_no` for the same photo replaces a lower one.

    Attributes:
        sha256: of the portrait as it was sent.
        findings: empty where nothing is wrong.
        photo: only where it passed.
    """

    topic: ClassVar[str] = "photo.checked.v1"

    application_no: ApplicationNo
    photo_id: UUID
    sha256: Sha256
    check_no: Annotated[int, Field(ge=1)]
    verdict: Literal["pass", "fail"]
    findings: Annotated[tuple[PhotoFinding, ...], Field(max_length=40)] = ()
    photo: CheckedPhoto | None = None
    checked_at: datetime
