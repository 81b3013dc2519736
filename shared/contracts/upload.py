"""Told by upload: what candidates hand in."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.event import (
    ApplicationNo,
    Event,
    ItemCode,
    PackId,
    Part,
    ReasonCode,
    RegionCode,
    Sha256,
    SiteCode,
    Words,
)
from shared.contracts.facts import Facts

ContentType = Literal["image/jpeg", "image/png"]


class MaterialUploaded(Event):
    """A candidate's image is stored and waits to be looked at."""

    topic: ClassVar[str] = "material.uploaded.v1"

    application_no: ApplicationNo
    region: RegionCode
    item: ItemCode
    image_id: UUID
    object_key: str
    sha256: Sha256
    size: int  # bytes
    content_type: ContentType


class MaterialRemoved(Event):
    """A candidate took an image off an unlocked item. The object goes a day later, unless it was ever handed in."""

    topic: ClassVar[str] = "material.removed.v1"

    application_no: ApplicationNo
    item: ItemCode
    image_id: UUID


class HandedInImage(Part):
    """One image of a submission, as it was at that moment."""

    item: ItemCode
    image_id: UUID
    object_key: str
    sha256: Sha256
    size: int  # bytes
    content_type: ContentType
    uploaded_at: datetime
    verdict: Literal["checking", "accept", "review"]


class ApplicationSubmitted(Event):
    """The candidate handed in; everything is locked. Carries the exact images, so that no other topic is needed."""

    topic: ClassVar[str] = "application.submitted.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    year: int
    pack_id: PackId
    pack_version: int
    round: Annotated[int, Field(ge=1)]
    revision: Annotated[int, Field(ge=1)]
    route: Literal["online", "onsite", "both"]
    facts: Facts
    images: tuple[HandedInImage, ...]
    changed_items: tuple[ItemCode, ...]  # since the round before; every item with images in round 1
    submitted_at: datetime


class ReopenedItem(Part):
    """An item that the system gave back, with the reason in words."""

    item: ItemCode
    image_ids: tuple[UUID, ...]
    reason_code: ReasonCode
    words: Words


class ApplicationReopened(Event):
    """The system opened items again after the lock: an image failed its check (later: the registration changed)."""

    topic: ClassVar[str] = "application.reopened.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    round: int
    revision: int
    cause: Literal["image_failed", "registration_changed"]
    items: tuple[ReopenedItem, ...]
    reopened_at: datetime
