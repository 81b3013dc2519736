"""Images as the candidate has them: where their check stands, and what of it is handed in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from shared.contracts.findings import QUALITY
from shared.contracts.upload import HandedInImage
from shared.contracts.validation import Verdict

# Longer than the undo button is shown, and as long as the object of a removed image surely is there.
RESTORABLE_FOR = timedelta(hours=24)


class ImageStatus(StrEnum):
    """What the candidate sees of an image's check."""

    CHECKING = "checking"
    GOOD = "good"
    REVIEW = "review"
    REJECTED = "rejected"
    CONFIRMED = "confirmed"
    """Its quality was rejected; the candidate was warned and hands it in all the same."""


STATUS_OF: dict[Verdict, ImageStatus] = {
    "accept": ImageStatus.GOOD,
    "review": ImageStatus.REVIEW,
    "reject": ImageStatus.REJECTED,
    "gone": ImageStatus.REJECTED,
}
_VERDICT_OF: dict[str, Literal["checking", "accept", "review"]] = {
    ImageStatus.CHECKING: "checking",
    ImageStatus.GOOD: "accept",
    ImageStatus.REVIEW: "review",
    ImageStatus.CONFIRMED: "review",
}


@dataclass(frozen=True)
class Image:
    """One image on the application, not removed."""

    image_id: UUID
    item: str
    object_key: str
    sha256: str
    size: int  # bytes
    content_type: Literal["image/jpeg", "image/png"]
    status: str
    uploaded_at: datetime


def only_quality(findings: Iterable[Mapping[str, Any]]) -> bool:
    """May an image that was rejected for these findings be confirmed? Format, integrity and safety may not.

    Args:
        findings: all that the check found, each with `code` and `severity`.
    """
    rejected_for = [finding["code"] for finding in findings if finding["severity"] == "reject"]
    return bool(rejected_for) and QUALITY.issuperset(rejected_for)


def handed_in(image: Image) -> HandedInImage:
    """The image as a submission tells it."""
    return HandedInImage(
        item=image.item,
        image_id=image.image_id,
        object_key=image.object_key,
        sha256=image.sha256,
        size=image.size,
        content_type=image.content_type,
        uploaded_at=image.uploaded_at,
        verdict=_VERDICT_OF[image.status],
        confirmed=image.status == ImageStatus.CONFIRMED,
    )
