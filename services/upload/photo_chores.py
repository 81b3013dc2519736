"""Photos that are kept no longer: what was sent to be checked, finished photos, registration photos that were replaced.

The objects go first, then the row says so: whatever stops in between is done again.
"""

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, or_, select, update

from services.upload import tables
from services.upload.domain import photos
from services.upload.domain.photos import PhotoStatus
from services.upload.use_cases.photos import folder_of
from shared import clock
from shared.database import Sessions
from shared.storage import Storage

# In one run, of each kind; what is left has its turn in the next.
AT_ONCE = 200


async def delete_photos(sessions: Sessions, storage: Storage) -> None:
    """Delete the objects of photos whose time is over."""
    await _sweep(sessions, storage)
    await _delete_expired(sessions, storage)
    await _delete_replaced(sessions, storage)


async def _sweep(sessions: Sessions, storage: Storage) -> None:
    """All but the finished photo goes an hour after the verdict; a check that got none in a day has expired.

    A verdict that was overtaken, or a check that was tried twice, leaves photos behind that no row names.
    """
    p, now = tables.photo_checks.c, clock.now()
    unanswered = and_(p.status == PhotoStatus.CHECKING, p.requested_at < now - photos.UNANSWERED_KEPT)
    over = and_(p.swept_at.is_(None), or_(p.checked_at < now - photos.PICTURE_KEPT, unanswered))
    for row in await _due(sessions, over):
        await _empty(storage, row, but=row.photo_key)
        async with sessions.begin() as session:
            await session.execute(
                update(tables.photo_checks)
                # A newer verdict may have come meanwhile; what it left is swept in an hour.
                .where(p.photo_id == row.photo_id, p.check_no == row.check_no)
                .values(
                    swept_at=now,
                    source_deleted_at=now if row.source_deleted_at is None else row.source_deleted_at,
                    status=case((p.status == PhotoStatus.CHECKING, PhotoStatus.EXPIRED.value), else_=p.status),
                )
            )


async def _delete_expired(sessions: Sessions, storage: Storage) -> None:
    """A finished photo goes once its receipt has expired, unless it is the registration photo."""
    p, now = tables.photo_checks.c, clock.now()
    over = and_(
        p.photo_key.is_not(None), p.photo_deleted_at.is_(None), p.registered.is_(False), p.photo_expires_at <= now
    )
    for row in await _due(sessions, over):
        await _empty(storage, row)
        async with sessions.begin() as session:
            await session.execute(
                update(tables.photo_checks)
                .where(p.photo_id == row.photo_id, p.check_no == row.check_no)
                .values(photo_deleted_at=now, status=PhotoStatus.EXPIRED)
            )


async def _delete_replaced(sessions: Sessions, storage: Storage) -> None:
    """A registration photo goes a day after it was replaced, unless it was ever handed in."""
    r, now = tables.registration_photos.c, clock.now()
    over = and_(r.replaced_at < now - photos.REPLACED_KEPT, r.handed_in_round.is_(None), r.object_deleted_at.is_(None))
    async with sessions() as session:
        rows = (await session.execute(select(r.nonce, r.object_key).where(over).limit(AT_ONCE))).all()
    for nonce, key in rows:
        await storage.delete(key)
        async with sessions.begin() as session:
            await session.execute(
                update(tables.registration_photos).where(r.nonce == nonce).values(object_deleted_at=now)
            )


async def _due(sessions: Sessions, over: ColumnElement[bool]) -> list[Row[Any]]:
    async with sessions() as session:
        return list((await session.execute(select(tables.photo_checks).where(over).limit(AT_ONCE))).all())


async def _empty(storage: Storage, row: Row[Any], but: str | None = None) -> None:
    """Delete everything of one photo check."""
    keys = [key async for key, _ in storage.keys(folder_of(row.application_no, row.photo_id))]
    for key in keys:
        if key != but:
            await storage.delete(key)
