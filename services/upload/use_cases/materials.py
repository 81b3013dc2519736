"""Images: taking them in, taking them off, bringing them back, and confirming one of poor quality."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import RESTORABLE_FOR, ImageStatus, no_such_item, only_quality
from services.upload.packs import Shelf
from services.upload.rows import application, images_of, note_on_page, parsed
from services.upload.use_cases.returned import check_not_returned
from shared import clock
from shared.contracts.upload import ContentType, MaterialRemoved, MaterialUploaded
from shared.errors import Conflict, Invalid, NotFound
from shared.messaging.outbox import tell


@dataclass(frozen=True)
class Place:
    """Where an image goes: the client made the id."""

    application_no: str
    item: str
    image_id: UUID


@dataclass(frozen=True)
class Stored:
    """An object that lies in the store, ready to become an image."""

    object_key: str
    sha256: str
    size: int  # bytes
    content_type: ContentType


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
    of.check_may_add(place.item, await shelf.checklist_for(session, of), len(there), clock.now())


async def may_be_stored(session: AsyncSession, place: Place, sha256: str) -> bool:
    """Refuse, before anything is stored, bytes that can't be taken; False if this very image is there already.

    Raises:
        Conflict: the id is in use elsewhere.
        Invalid: the id is in use for other bytes, or a reviewer returned these.
    """
    if await stored_already(session, place, sha256):
        return False
    await check_not_returned(session, place.application_no, place.item, sha256)
    return True


async def store(session: AsyncSession, shelf: Shelf, place: Place, image: Stored) -> bool:
    """Put an image, whose object is written already, on the application; False if it was there.

    Raises:
        Conflict: locked, full, outside its window, or the id is in use.
        Invalid: a reviewer returned these bytes.
        NotFound: no such application or item.
    """
    of = await application(session, place.application_no, lock=True)
    if await stored_already(session, place, image.sha256):
        return False
    there = await images_of(session, place.application_no, place.item)
    checklist = await shelf.checklist_for(session, of)
    of.check_may_add(place.item, checklist, len(there), clock.now())
    await check_not_returned(session, place.application_no, place.item, image.sha256)
    rule = checklist.items[place.item].rule
    await session.execute(
        insert(tables.images).values(
            image_id=place.image_id,
            application_no=place.application_no,
            item=place.item,
            object_key=image.object_key,
            sha256=image.sha256,
            size=image.size,
            content_type=image.content_type,
            status=ImageStatus.CHECKING,
            uploaded_at=clock.now(),
        )
    )
    of.note_change(place.item)
    await note_on_page(session, of, "image_added")
    await tell(
        session,
        MaterialUploaded(
            application_no=place.application_no,
            region=of.region,
            item=place.item,
            image_id=place.image_id,
            object_key=image.object_key,
            sha256=image.sha256,
            size=image.size,
            content_type=image.content_type,
            year=of.year,
            reads=rule.reads,
            stricter_checks=rule.stricter_checks,
        ),
    )
    return True


async def remove(session: AsyncSession, shelf: Shelf, place: Place) -> None:
    """Take an image off. One that is not there (any more) is no error: two tabs may click at once."""
    of = await application(session, place.application_no, lock=True)
    checklist = await shelf.checklist_for(session, of)
    if place.item not in checklist.items and not await _ever_had(session, place):
        raise no_such_item()
    of.check_may_remove(place.item, checklist, clock.now())
    removed = await session.execute(
        update(tables.images)
        .where(_is(place), tables.images.c.removed_at.is_(None))
        .values(removed_at=clock.now())
        .returning(tables.images.c.image_id)
    )
    if removed.first() is not None:
        of.note_change(place.item)
        await note_on_page(session, of, "image_removed")
        await tell(
            session,
            MaterialRemoved(application_no=place.application_no, item=place.item, image_id=place.image_id),
        )


async def removed_image(session: AsyncSession, shelf: Shelf, place: Place, new: Place) -> Stored | None:
    """The removed image that is to come back, its object not copied yet; None where it is back under this id already.

    Raises:
        Conflict: too late, back under another id, or there is no place for it.
        Invalid: a reviewer returned it.
        NotFound: no such image was removed.
    """
    of = await application(session, place.application_no)
    row = (await session.execute(select(tables.images).where(_is(place)))).first()
    if row is None:
        raise no_such_removal()
    if row.restored_as is not None and row.restored_as == new.image_id:
        return None
    _check_restorable(row)
    there = await images_of(session, place.application_no, place.item)
    of.check_may_add(place.item, await shelf.checklist_for(session, of), len(there), clock.now())
    await check_not_returned(session, place.application_no, place.item, row.sha256)
    return Stored(row.object_key, row.sha256, row.size, row.content_type)


async def restore(session: AsyncSession, shelf: Shelf, place: Place, new: Place, copy: Stored) -> None:
    """Undo a removal: the image, whose object is copied already, is there again under a new id, and checked anew.

    Raises:
        Conflict: too late, back under another id, locked, full, or outside its window.
        Invalid: a reviewer returned it.
    """
    await application(session, place.application_no, lock=True)
    row = (await session.execute(select(tables.images).where(_is(place)))).one()
    if row.restored_as == new.image_id:
        return
    _check_restorable(row)
    await store(session, shelf, new, copy)
    await session.execute(update(tables.images).where(_is(place)).values(restored_as=new.image_id))


def _check_restorable(row: Row[Any]) -> None:
    if row.removed_at is None:
        raise Conflict(
            "not-removed",
            "这张图片没有被删除，请刷新页面。",
            "This image was not removed. Reload the page.",
        )
    if row.restored_as is not None:
        raise Conflict(
            "already-restored",
            "这张图片已经恢复，请刷新页面。",
            "This image was brought back already. Reload the page.",
        )
    if row.object_deleted_at is not None or row.removed_at <= clock.now() - RESTORABLE_FOR:
        raise too_late_to_restore()


def too_late_to_restore() -> Conflict:
    """The removal is more than a day old, or the object is gone."""
    return Conflict(
        "too-late-to-restore",
        "删除已超过24小时，无法恢复，请重新上传。",
        "It was removed more than 24 hours ago and can't be brought back. Upload it again.",
    )


def no_such_removal() -> NotFound:
    """An image that this item never had."""
    return NotFound("image-not-found", "没有找到这张图片，请刷新页面。", "There is no such image. Reload the page.")


async def confirm(session: AsyncSession, shelf: Shelf, place: Place) -> None:
    """Hand in an image whose quality was rejected all the same; staff see that the candidate was warned.

    Raises:
        Conflict: it was not rejected, or for more than its quality; or it can't be changed now.
        NotFound: no such image.
    """
    of = await application(session, place.application_no, lock=True)
    of.check_may_change(place.item, await shelf.checklist_for(session, of), clock.now())
    row = (await session.execute(select(tables.images).where(_is(place), tables.images.c.removed_at.is_(None)))).first()
    if row is None:
        raise no_such_removal()
    if row.status == ImageStatus.CONFIRMED:
        return
    if row.status != ImageStatus.REJECTED or not only_quality(parsed(row.findings)):
        raise Conflict(
            "not-confirmable",
            "只有因清晰度等质量问题未通过的图片可以确认使用，请更换这张图片。",
            "Only an image that was rejected for its quality may be confirmed. Replace this one.",
        )
    await session.execute(update(tables.images).where(_is(place)).values(status=ImageStatus.CONFIRMED))
    of.note_change(place.item)
    await note_on_page(session, of, "image_checked")


async def _ever_had(session: AsyncSession, place: Place) -> bool:
    of, item = tables.images.c.application_no, tables.images.c.item
    query = select(tables.images.c.image_id).where(of == place.application_no, item == place.item).limit(1)
    return await session.scalar(query) is not None


def _is(place: Place) -> ColumnElement[bool]:
    return and_(
        tables.images.c.image_id == place.image_id,
        tables.images.c.application_no == place.application_no,
        tables.images.c.item == place.item,
    )
