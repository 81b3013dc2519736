"""One application on one screen."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.review.domain import Outcome, Queue
from services.review.shapes.acts import Pending
from services.review.shapes.base import Told
from shared.contracts.event import ItemCode, RegionCode
from shared.contracts.review import Opinion, Tier
from shared.contracts.rules import ReadableField, Text
from shared.contracts.validation import Box


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


class History(Told):
    """A part of what was done, newest first; `next` leads on to what came before, null at the beginning."""

    items: list[Line]
    next: str | None


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


class OpinionOf(Told):
    """What somebody would have decided. `mine`: it is one's own, so another must look at it."""

    opinion: Opinion
    words: str
    by: str
    mine: bool


class FalseMaterialShown(Told):
    """A record of false material."""

    record_id: UUID
    item: ItemCode | None
    image_ids: list[UUID]
    words: str
    tier: Tier
    by: str
    at: datetime


class IdNumber(Told):
    """The whole ID number and phone; asking for them is on record."""

    id_number: str
    phone: str


class Detail(Told):
    """One application on one screen.

    `act`: what was done last and can still be undone. `watermark`: to be shown over images, where the pack asks for it.
    `history_next`: the cursor of what came before the newest lines that are here, null where they are all.
    """

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
    queue: Queue | None
    due_at: datetime | None
    returns: int
    act: Pending | None
    recommended: OpinionOf | None
    proposed: OpinionOf | None
    false_materials: list[FalseMaterialShown]
    watermark: str | None
    reasons: list[Reason]
    sections: list[SectionShown]
    notices: list[NoticeShown]
    history: list[Line]
    history_next: str | None
