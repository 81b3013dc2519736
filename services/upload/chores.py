"""What upload does by itself, again and again."""

from datetime import timedelta

from sqlalchemy import select, update

from services.upload import tables
from shared import clock, idempotency
from shared.database import Sessions
from shared.security import sessions as login_sessions
from shared.storage import Storage


async def delete_removed_objects(sessions: Sessions, storage: Storage, kept: timedelta) -> None:
    """Delete the objects of images that were removed long enough ago and never handed in, 200 at a time."""
    async with sessions() as session:
        rows = (
            await session.execute(
                select(tables.images.c.image_id, tables.images.c.object_key)
                .where(
                    tables.images.c.removed_at < clock.now() - kept,
                    tables.images.c.handed_in_round.is_(None),
                    tables.images.c.object_deleted_at.is_(None),
                )
                .limit(200)
            )
        ).all()
    for image_id, key in rows:
        await storage.delete(key)
        async with sessions.begin() as session:
            await session.execute(
                update(tables.images).where(tables.images.c.image_id == image_id).values(object_deleted_at=clock.now())
            )


async def forget_the_past(sessions: Sessions) -> None:
    """Drop ended sessions and saved answers that nobody comes back for."""
    async with sessions.begin() as session:
        await login_sessions.forget_expired(session, clock.now())
        await idempotency.forget_old(session)
