"""Images: taking them in, taking them off, and hearing how their check went."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import STATUS_OF, Application, ImageStatus, State
from services.upload.door import Arrived
from services.upload.packs import Shelf
from services.upload.rows import (
    add_to_timeline,
    application,
    images_of,
    keep_feedback,
    locked_applications,
)
from shared import clock
from shared.contracts.findings import words_for
from shared.contracts.upload import MaterialRemoved, MaterialUploaded
from shared.contracts.validation import MaterialChecked
from shared.errors import Conflict, Invalid
from shared.messaging.outbox import tell


@dataclass(frozen=True)
class Place:
    """Where an image goes: the client made the id."""

    application_no: str
    item: str
    image_id: UUID


def object_key(place: Place, sha256: str) -> str:
    """Where the bytes lie. Made by us; two different bodies under one image id never overwrite each other."""
    return f"{place.application_no}/{place.image_id}/{sha256[:16]}"


async def stored_already(session: AsyncSession, place: Place, sha256: str | None) -> bool:
    """True when this very image is there: the client came back for an answer that it lost.

    Raises:
        Conflict: the id is in use elsewhere.
        Invalid: the id is in use for other bytes.
    """
    row = (
        await session.execute(
            select(tables.images.c.application_no, tables.images.c.item, tables.images.c.sha256,
                   tables.images.c.removed_at).where(tables.images.c.image_id == place.image_id)
        )
    ).first()  # fmt: skip
    if row is None:
        return False
    if (row.application_no, row.item) != (place.application_no, place.item):
        raise Conflict(
            "image-id-taken",
            "图片编号已被使用，请刷新页面后重新上传。",
            "This image id is in use. Make a new UUID for each image.",
        )
    if row.removed_at is not None:
        raise Conflict(
            "image-removed",
            "这张图片已被删除，请重新选择图片上传。",
            "This image was removed. Upload it again under a new id.",
        )
    if sha256 is not None and row.sha256 != sha256:
        raise Invalid(
            "image-id-reused",
            "同一图片编号不能对应不同的图片，请重新选择图片上传。",
            "Other bytes are stored under this image id. Make a new UUID for each image.",
        )
    return True


async def check_place(session: AsyncSession, shelf: Shelf, place: Place) -> None:
    """Refuse early, before bytes are taken, what can't be taken. `store` looks again under the lock."""
    of = await application(session, place.application_no)
    if await stored_already(session, place, None):
        return
    there = await images_of(session, place.application_no, place.item)
    of.check_may_add(place.item, await shelf.checklist_for(session, of), len(there))


async def store(session: AsyncSession, shelf: Shelf, place: Place, arrived: Arrived, key: str) -> bool:
    """Put an image, whose object is written already, on the application; False if it was there.

    Raises:
        Conflict: locked, full, or the id is in use.
        NotFound: no such application or item.
    """
    of = await application(session, place.application_no, lock=True)
    if await stored_already(session, place, arrived.sha256):
        return False
    there = await images_of(session, place.application_no, place.item)
    of.check_may_add(place.item, await shelf.checklist_for(session, of), len(there))
    await session.execute(
        insert(tables.images).values(
            image_id=place.image_id,
            application_no=place.application_no,
            item=place.item,
            object_key=key,
            sha256=arrived.sha256,
            size=len(arrived.body),
            content_type=arrived.content_type,
            status=ImageStatus.CHECKING,
            uploaded_at=clock.now(),
        )
    )
    of.note_change(place.item)
    await tell(
        session,
        MaterialUploaded(
            application_no=place.application_no,
            region=of.region,
            item=place.item,
            image_id=place.image_id,
            object_key=key,
            sha256=arrived.sha256,
            size=len(arrived.body),
            content_type=arrived.content_type,
        ),
    )
    return True


async def remove(session: AsyncSession, shelf: Shelf, place: Place) -> None:
    """Take an image off. One that is not there (any more) is no error: two tabs may click at once."""
    of = await application(session, place.application_no, lock=True)
    of.check_may_change(place.item, await shelf.checklist_for(session, of))
    removed = await session.execute(
        update(tables.images)
        .where(
            tables.images.c.image_id == place.image_id,
            tables.images.c.application_no == place.application_no,
            tables.images.c.item == place.item,
            tables.images.c.removed_at.is_(None),
        )
        .values(removed_at=clock.now())
        .returning(tables.images.c.image_id)
    )
    if removed.first() is not None:
        of.note_change(place.item)
        await tell(
            session,
            MaterialRemoved(application_no=place.application_no, item=place.item, image_id=place.image_id),
        )


_APPLY = text(
    """
    UPDATE images SET status = c.status, check_no = c.check_no, findings = c.findings
    FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:check_nos AS int[]), CAST(:findings AS jsonb[]))
         AS c(image_id, status, check_no, findings)
    WHERE images.image_id = c.image_id AND images.check_no < c.check_no AND images.removed_at IS NULL
    RETURNING images.image_id
    """
)


async def apply_checks(session: AsyncSession, checks: Sequence[MaterialChecked]) -> None:
    """Show what the checks found; an image of a locked submission that failed gives its item back.

    Older results for the same image, and results for a removed one, change nothing.
    """
    newest: dict[UUID, MaterialChecked] = {}
    for check in checks:
        known = newest.get(check.image_id)
        if known is None or check.check_no > known.check_no:
            newest[check.image_id] = check
    applications = await locked_applications(session, [check.application_no for check in checks])
    chosen = list(newest.values())
    applied = set(
        await session.scalars(
            _APPLY,
            {
                "ids": [check.image_id for check in chosen],
                "statuses": [STATUS_OF[check.verdict].value for check in chosen],
                "check_nos": [check.check_no for check in chosen],
                "findings": [_findings(check) for check in chosen],
            },
        )
    )
    failed = [c for c in chosen if c.image_id in applied and STATUS_OF[c.verdict] is ImageStatus.REJECTED]
    for number in sorted({check.application_no for check in failed}):
        of = applications.get(number)
        # In an open item it is simply shown; only what is locked must be given back.
        late = [c for c in failed if c.application_no == number and of is not None and not of.is_open(c.item)]
        if of is not None and late and of.state in {State.SUBMITTED, State.RETURNED}:
            await _give_back_late(session, of, late)


async def _give_back_late(session: AsyncSession, of: Application, failed: list[MaterialChecked]) -> None:
    reopened = of.reopen_for(failed, {check.image_id: words_for(check.reason).zh for check in failed}, clock.now())
    items = [
        {
            "item": each.item,
            "reason_code": each.reason_code,
            "words": each.words,
            "image_ids": [str(image_id) for image_id in each.image_ids],
        }
        for each in reopened.items
    ]
    await keep_feedback(session, of, reopened.event_id, "system", items, reopened.reopened_at)
    await add_to_timeline(session, of, "reopened", reopened.reopened_at)
    await tell(session, reopened)


def _findings(check: MaterialChecked) -> str:
    findings = [finding.model_dump_json() for finding in check.findings]
    if check.verdict == "gone" and not findings:
        findings = ['{"code": "gone", "severity": "reject", "measured": null, "limit": null}']
    return f"[{', '.join(findings)}]"
