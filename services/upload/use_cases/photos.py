"""The photo check: asking for one, and hearing how it went."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import photos
from services.upload.domain.photos import PhotoStatus
from services.upload.packs import Shelf
from services.upload.rows import application, locked_applications, note_on_pages
from shared import clock
from shared.contracts.upload import ContentType, PhotoCheckRequested
from shared.contracts.validation import PhotoChecked
from shared.errors import Conflict, Invalid
from shared.messaging.inbox import newest_of
from shared.messaging.outbox import tell

_APPLY = text(
    """
    UPDATE photo_checks SET
        status = c.status, check_no = c.check_no, findings = c.findings, checked_at = c.checked_at,
        photo_key = c.photo_key, photo_sha256 = c.photo_sha256, photo_size = c.photo_size,
        photo_width = c.photo_width, photo_height = c.photo_height, photo_expires_at = c.photo_expires_at,
        photo_deleted_at = NULL, registered = registered AND photo_checks.photo_sha256 = c.photo_sha256
    FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:check_nos AS int[]), CAST(:findings AS jsonb[]),
                CAST(:checked AS timestamptz[]), CAST(:keys AS text[]), CAST(:hashes AS text[]), CAST(:sizes AS int[]),
                CAST(:widths AS int[]), CAST(:heights AS int[]), CAST(:expiries AS timestamptz[]))
         AS c(photo_id, status, check_no, findings, checked_at, photo_key, photo_sha256, photo_size, photo_width,
              photo_height, photo_expires_at)
    WHERE photo_checks.photo_id = c.photo_id
    """
)


@dataclass(frozen=True)
class Portrait:
    """A picture that was sent to be checked, and lies in the store; the client made the id."""

    application_no: str
    photo_id: UUID
    object_key: str
    sha256: str
    size: int  # bytes
    content_type: ContentType


def folder_of(application_no: str, photo_id: UUID) -> str:
    """Everything of one photo check lies below: what was sent, and what became of it."""
    return f"photos/{application_no}/{photo_id}/"


def portrait_key(application_no: str, photo_id: UUID, sha256: str) -> str:
    """Where the bytes lie. Made by us; two different pictures under one id never overwrite each other."""
    return f"{folder_of(application_no, photo_id)}{sha256[:16]}"


async def sent_already(session: AsyncSession, application_no: str, photo_id: UUID, sha256: str | None) -> bool:
    """True when this very picture was sent: the client came back for an answer that it lost.

    Raises:
        Conflict: the id is in use elsewhere.
        Invalid: the id is in use for other bytes.
    """
    p = tables.photo_checks.c
    row = (await session.execute(select(p.application_no, p.sha256).where(p.photo_id == photo_id))).first()
    if row is None:
        return False
    if row.application_no != application_no:
        raise photo_id_taken()
    if sha256 is not None and row.sha256 != sha256:
        raise Invalid(
            "photo-id-reused",
            "同一照片编号不能对应不同的照片，请重新选择照片。",
            "Other bytes were sent under this photo id. Make a new UUID for each photo.",
        )
    return True


def photo_id_taken() -> Conflict:
    """Another candidate has it."""
    return Conflict(
        "photo-id-taken",
        "照片编号已被使用，请刷新页面后重新选择照片。",
        "This photo id is in use. Make a new UUID for each photo.",
    )


async def check_may_ask(session: AsyncSession, application_no: str, photo_id: UUID) -> None:
    """Refuse early, before ten megabytes are taken. `request` looks again under the lock."""
    if not await sent_already(session, application_no, photo_id, None):
        await _check_may_ask(session, application_no)


async def _check_may_ask(session: AsyncSession, application_no: str) -> None:
    p, now = tables.photo_checks.c, clock.now()
    times = await session.scalars(
        select(p.requested_at)
        .where(p.application_no == application_no, p.requested_at > now - photos.AN_HOUR)
        .order_by(p.requested_at.desc())
        .limit(photos.PER_HOUR)
    )
    unchecked = await session.scalar(
        select(func.count())
        .select_from(tables.photo_checks)
        .where(p.application_no == application_no, p.status == PhotoStatus.CHECKING)
    )
    photos.check_may_ask(times.all(), unchecked or 0, now)


async def request(session: AsyncSession, shelf: Shelf, portrait: Portrait, declared: Sequence[str]) -> bool:
    """Have a picture checked, whose object is written already; False if it was asked for before.

    Raises:
        Conflict: the id is in use.
        TooManyRequests: too many in an hour, or at once.
        NotFound: no such application.
    """
    of = await application(session, portrait.application_no, lock=True)
    if await sent_already(session, portrait.application_no, portrait.photo_id, portrait.sha256):
        return False
    await _check_may_ask(session, portrait.application_no)
    pack = (await shelf.rules_for(session, of)).pack
    now = clock.now()
    await session.execute(
        insert(tables.photo_checks).values(
            photo_id=portrait.photo_id,
            application_no=portrait.application_no,
            object_key=portrait.object_key,
            sha256=portrait.sha256,
            size=portrait.size,
            content_type=portrait.content_type,
            declared=list(declared),
            requested_at=now,
        )
    )
    await tell(
        session,
        PhotoCheckRequested(
            application_no=portrait.application_no,
            region=of.region,
            photo_id=portrait.photo_id,
            object_key=portrait.object_key,
            sha256=portrait.sha256,
            size=portrait.size,
            content_type=portrait.content_type,
            pack_id=pack.id,
            pack_version=pack.version,
            rule=pack.photo,
            requested_at=now,
        ),
    )
    return True


async def apply_photo_checks(session: AsyncSession, checks: Sequence[PhotoChecked]) -> None:
    """Show what the checks found. Older results for the same photo, and results for an unknown one, change nothing."""
    applications = await locked_applications(session, [check.application_no for check in checks])
    p = tables.photo_checks.c
    ours = p.photo_id.in_({check.photo_id for check in checks})
    found = await session.execute(select(p.photo_id, p.application_no, p.sha256, p.check_no).where(ours))
    known = {(row.photo_id, row.application_no, row.sha256): row.check_no for row in found}
    newest = newest_of(
        [check for check in checks if (check.photo_id, check.application_no, check.sha256) in known],
        lambda check: str(check.photo_id),
        lambda check: check.check_no,
    )
    fresh = [each for each in newest if each.check_no > known[each.photo_id, each.application_no, each.sha256]]
    await _apply(session, fresh)
    # Each of them, an overtaken one too, may have left a photo behind that no row names.
    await session.execute(update(tables.photo_checks).where(ours).values(swept_at=None))
    touched = {check.application_no for check in fresh}
    await note_on_pages(session, [(of, "photo_checked") for number, of in applications.items() if number in touched])


async def _apply(session: AsyncSession, checks: Sequence[PhotoChecked]) -> None:
    if not checks:
        return
    finished = [check.photo for check in checks]
    await session.execute(
        _APPLY,
        {
            "ids": [check.photo_id for check in checks],
            "statuses": [PhotoStatus.PASSED if check.verdict == "pass" else PhotoStatus.FAILED for check in checks],
            "check_nos": [check.check_no for check in checks],
            "findings": [json.dumps([each.model_dump(mode="json") for each in check.findings]) for check in checks],
            "checked": [check.checked_at for check in checks],
            "keys": [photo and photo.object_key for photo in finished],
            "hashes": [photo and photo.sha256 for photo in finished],
            "sizes": [photo and photo.size for photo in finished],
            "widths": [photo and photo.width_px for photo in finished],
            "heights": [photo and photo.height_px for photo in finished],
            "expiries": [photo and photo.expires_at for photo in finished],
        },
    )
