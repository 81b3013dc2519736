"""Where the bytes of an image or of the registration photo lie, for those who may look at them."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff, no_such_application, not_claimed
from shared import clock
from shared.errors import NotFound


@dataclass(frozen=True)
class Stored:
    """An image's object."""

    object_key: str
    content_type: str


async def image_of(session: AsyncSession, staff: Staff, application_no: str, image_id: UUID) -> Stored:
    """An image that was handed in with the application. Papers are personal data: a claim opens them.

    Raises:
        Conflict: this person does not hold the application.
        NotFound: no such application or image for this person.
    """
    await _held(session, staff, application_no)
    row = (
        await session.execute(
            select(tables.images.c.object_key, tables.images.c.content_type).where(
                tables.images.c.application_no == application_no, tables.images.c.image_id == image_id
            )
        )
    ).first()
    if row is None:
        raise no_such_image()
    return Stored(row.object_key, row.content_type)


async def photo_of(session: AsyncSession, staff: Staff, application_no: str) -> Stored:
    """The registration photo of the last submission: a face is personal data like a paper.

    Raises:
        Conflict: this person does not hold the application.
        NotFound: no such application for this person, or it came without a photo.
    """
    review = await _held(session, staff, application_no)
    if review.photo_key is None:
        raise no_such_photo()
    return Stored(review.photo_key, "image/jpeg")


async def _held(session: AsyncSession, staff: Staff, application_no: str) -> Review:
    review = await session.get(Review, application_no)
    if review is None or not staff.sees(review.region, review.site):
        raise no_such_application()
    structlog.contextvars.bind_contextvars(application_no=review.application_no)
    if not review.is_held_by(staff, clock.now()):
        raise not_claimed()
    return review


def no_such_image() -> NotFound:
    """Never handed in with this application, or not kept."""
    return NotFound(
        "image-not-found",
        "没有找到这张图片，请刷新页面。",
        "There is no such image of this application. Reload the page.",
    )


def no_such_photo() -> NotFound:
    """The application came without one, or it was not kept."""
    return NotFound(
        "photo-not-found",
        "该报名没有报名照片，请刷新页面。",
        "This application has no registration photo. Reload the page.",
    )
