"""Photo checks and the registration photo as pages show them, and where their objects lie."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, RowMapping, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.checklist import text_of
from services.upload.domain.photos import PhotoStatus
from services.upload.queries.times import iso
from services.upload.rows import parsed
from shared import clock
from shared.contracts.photo_findings import photo_words_for

MOST_SHOWN = 20
DOWNLOAD_NAME = "registration-photo.jpg"


@dataclass(frozen=True)
class Found:
    """An object that may be shown to the candidate."""

    object_key: str
    content_type: str


async def photo_checks(session: AsyncSession, application_no: str) -> list[dict[str, Any]]:
    """The newest ones, newest first."""
    p, now = tables.photo_checks.c, clock.now()
    rows = await session.execute(
        select(tables.photo_checks)
        .where(p.application_no == application_no)
        .order_by(p.requested_at.desc(), p.photo_id)
        .limit(MOST_SHOWN)
    )
    return [_shown(row, now) for row in rows]


async def photo_check(session: AsyncSession, application_no: str, photo_id: UUID) -> dict[str, Any] | None:
    """One of them; None where there is none."""
    row = await _row(session, application_no, photo_id)
    return None if row is None else _shown(row, clock.now())


async def picture(session: AsyncSession, application_no: str, photo_id: UUID) -> Found | None:
    """What was sent, while it is kept."""
    row = await _row(session, application_no, photo_id)
    if row is None or row.source_deleted_at is not None:
        return None
    return Found(row.object_key, row.content_type)


async def finished_photo(session: AsyncSession, application_no: str, photo_id: UUID) -> Found | None:
    """The photo that it became, while it may be handed in."""
    row = await _row(session, application_no, photo_id)
    if row is None or not _has_photo(row, clock.now()):
        return None
    return Found(row.photo_key, "image/jpeg")


async def registration_photo(session: AsyncSession, application_no: str) -> dict[str, Any] | None:
    """The registration photo on the page; None where there is none."""
    row = await _registered(session, application_no)
    if row is None:
        return None
    return {
        "url": registration_photo_url(application_no),
        "accepted_at": iso(row["accepted_at"]),
        "size": row["size"],
    }


async def registration_photo_object(session: AsyncSession, application_no: str) -> Found | None:
    """Where it lies."""
    row = await _registered(session, application_no)
    return None if row is None else Found(row["object_key"], "image/jpeg")


def registration_photo_url(application_no: str) -> str:
    """Where it is read, below the public origin."""
    return f"/applications/{application_no}/registration-photo"


async def _row(session: AsyncSession, application_no: str, photo_id: UUID) -> Row[Any] | None:
    p = tables.photo_checks.c
    query = select(tables.photo_checks).where(p.photo_id == photo_id, p.application_no == application_no)
    return (await session.execute(query)).first()


async def _registered(session: AsyncSession, application_no: str) -> RowMapping | None:
    r = tables.registration_photos.c
    query = select(r.object_key, r.size, r.accepted_at).where(
        r.application_no == application_no, r.replaced_at.is_(None)
    )
    return (await session.execute(query)).mappings().first()


def _shown(row: Row[Any], now: datetime) -> dict[str, Any]:
    url = f"/applications/{row.application_no}/photo-checks/{row.photo_id}"
    has_photo = _has_photo(row, now)
    return {
        "photo_id": str(row.photo_id),
        "status": PhotoStatus.EXPIRED if row.status == PhotoStatus.PASSED and not has_photo else row.status,
        "requested_at": iso(row.requested_at),
        "checked_at": iso(row.checked_at),
        "findings": [each | {"words": text_of(photo_words_for(each["code"]))} for each in parsed(row.findings)],
        "source_url": f"{url}/picture" if row.source_deleted_at is None else None,
        "photo": {
            "url": f"{url}/photo",
            "size": row.photo_size,
            "width": row.photo_width,
            "height": row.photo_height,
            "expires_at": iso(row.photo_expires_at),
            "download_name": DOWNLOAD_NAME,
        }
        if has_photo
        else None,
        "registered": row.registered,
    }


def _has_photo(row: Row[Any], now: datetime) -> bool:
    """Is there a finished photo that may still be handed in, or was?"""
    there = row.status == PhotoStatus.PASSED and row.photo_key is not None and row.photo_deleted_at is None
    return there and (row.registered or row.photo_expires_at > now)
