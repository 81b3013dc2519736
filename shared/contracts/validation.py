"""Told by validation: what the look at an image found."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.event import ApplicationNo, Event, ItemCode, Part, ReasonCode, Sha256

Verdict = Literal["accept", "review", "reject", "gone"]
"""`gone`: the object was not there any more (the image was removed before it was looked at)."""


class Finding(Part):
    """One thing that a check noticed. `measured` against `limit`, in the unit that the code implies."""

    code: ReasonCode
    severity: Literal["reject", "review", "info"]
    measured: float | None = None
    limit: float | None = None


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
