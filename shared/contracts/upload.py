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
    Sealed,
    Sha256,
    SiteCode,
    Words,
)
from shared.contracts.facts import Facts
from shared.contracts.rules import PhotoRule, ReadableField

ContentType = Literal["image/jpeg", "image/png"]


class MaterialUploaded(Event):
    """A candidate's image is stored and waits to be looked at.

    Attributes:
        year: whose data key seals what is read from it; events before 2026-12 lack it.
        reads: what the pack wants read from it.
        stricter_checks: quality checks that the pack tightens. A name that is not known changes nothing.
    """

    topic: ClassVar[str] = "material.uploaded.v1"

    application_no: ApplicationNo
    region: RegionCode
    item: ItemCode
    image_id: UUID
    object_key: str
    sha256: Sha256
    size: int  # bytes
    content_type: ContentType
    year: int | None = None
    reads: tuple[ReadableField, ...] = ()
    stricter_checks: tuple[ReasonCode, ...] = ()


class MaterialRemoved(Event):
    """A candidate took an image off an unlocked item. The object goes a day later, unless it was ever handed in."""

    topic: ClassVar[str] = "material.removed.v1"

    application_no: ApplicationNo
    item: ItemCode
    image_id: UUID


class HandedInImage(Part):
    """One image of a submission, as it was at that moment.

    Attributes:
        confirmed: the check rejected its quality, and the candidate handed it in all the same after a warning.
    """

    item: ItemCode
    image_id: UUID
    object_key: str
    sha256: Sha256
    size: int  # bytes
    content_type: ContentType
    uploaded_at: datetime
    verdict: Literal["checking", "accept", "review"]
    confirmed: bool = False


class HandedInPhoto(Part):
    """The registration photo (报名照片) as it lies in the store, its receipt in it."""

    object_key: str
    sha256: Sha256
    size: int  # bytes
    accepted_at: datetime


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
    required_items: tuple[ItemCode, ...] = ()  # of this candidate, uploads only
    uploads: bool = True  # False: the route takes no uploads
    registration_photo: HandedInPhoto | None = None
    submitted_at: datetime


class ReopenedItem(Part):
    """An item that the system gave back, with the reason in words."""

    item: ItemCode
    image_ids: tuple[UUID, ...]
    reason_code: ReasonCode
    words: Words


class ApplicationReopened(Event):
    """The system opened the application again after the lock.

    An image failed its check (`items` are those that opened), or the registration changed: then `items` are those
    whose requirement changed, with why; there may be none, and the candidate must submit again all the same.
    """

    topic: ClassVar[str] = "application.reopened.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    round: int
    revision: int
    cause: Literal["image_failed", "registration_changed"]
    items: tuple[ReopenedItem, ...]
    reopened_at: datetime


class ApplicationWithdrawn(Event):
    """The candidate took the application back. It may be submitted again while the upload window is open."""

    topic: ClassVar[str] = "application.withdrawn.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    round: int  # of the submission that was taken back; 0: there was none
    revision: Annotated[int, Field(ge=1)]
    withdrawn_at: datetime


class ApplicationLapsed(Event):
    """The deadline passed without a (further) submission."""

    topic: ClassVar[str] = "application.lapsed.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    round: int
    revision: Annotated[int, Field(ge=1)]
    was: Literal["draft", "withdrawn", "returned"]
    deadline: datetime
    lapsed_at: datetime


class DeadlineNear(Event):
    """The application has not been handed in (again), and its deadline is near. Told at 72, 24 and 2 hours."""

    topic: ClassVar[str] = "application.deadline_near.v1"

    application_no: ApplicationNo
    region: RegionCode
    site: SiteCode
    round: int
    revision: int
    hours_left: Literal[72, 24, 2]
    deadline: datetime
    told_at: datetime


class ContactChanged(Event):
    """The candidate has a new phone number; it counts from now on, whatever an older registration says."""

    topic: ClassVar[str] = "contact.changed.v1"

    application_no: ApplicationNo
    contact_revision: Annotated[int, Field(ge=1)]  # a higher one replaces a lower one
    sealed: Sealed  # Person, with the new phone
    changed_at: datetime


class CodeRequested(Event):
    """A code that is to reach a phone by SMS; worth nothing after `expires_at`."""

    topic: ClassVar[str] = "code.requested.v1"

    application_no: ApplicationNo
    code_id: UUID
    sealed: Sealed  # CodeToSend
    expires_at: datetime


class PhotoCheckRequested(Event):
    """A candidate's portrait is stored and waits to be checked and brought to the official size."""

    topic: ClassVar[str] = "photo.check_requested.v1"

    application_no: ApplicationNo
    region: RegionCode
    photo_id: UUID
    object_key: str
    sha256: Sha256
    size: int  # bytes
    content_type: ContentType
    pack_id: PackId
    pack_version: int
    rule: PhotoRule = PhotoRule()
    requested_at: datetime
