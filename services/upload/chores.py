"""What upload does by itself, again and again."""

from datetime import timedelta

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import captchas, tables
from services.upload.packs import Shelf
from services.upload.use_cases import deadlines, phones, rules, submissions
from shared import clock, idempotency
from shared.database import Sessions
from shared.security import attempts
from shared.security import sessions as login_sessions
from shared.storage import Storage

# One run of a chore ends after so many batches, whatever there is: it comes back.
MOST_BATCHES = 2000
# A page that was cut off for longer reads itself anew.
PAGE_EVENTS_KEPT = timedelta(days=1)
AT_ONCE = 5000


async def follow_rules(sessions: Sessions, shelf: Shelf) -> None:
    """Bring applications that were never submitted to the newest version of their pack, 500 at a time."""
    async with sessions() as session:
        versions = await shelf.versions(session)
    for pack_id, known in versions.items():
        for _ in range(MOST_BATCHES):
            async with sessions.begin() as session:
                fresh = await rules.begin_with(session, pack_id, known[-1])
                followed = await rules.follow(session, shelf, pack_id, known[-1])
            if max(fresh, followed) < rules.BATCH:
                break


async def mind_deadlines(sessions: Sessions, shelf: Shelf) -> None:
    """Warn whoever has not submitted (again) and has little time left, and let lapse what is too late."""
    async with sessions() as session:
        near = await deadlines.versions_near_a_deadline(session, shelf)
    for pack_id, version in near:
        for _ in range(MOST_BATCHES):
            async with sessions.begin() as session:
                found = await deadlines.mind(session, shelf, pack_id, version)
            if found < deadlines.BATCH:
                break


async def show_opinions(sessions: Sessions) -> None:
    """Tell of final opinions that were published for a later time, once it has come."""
    for _ in range(MOST_BATCHES):
        async with sessions.begin() as session:
            found = await submissions.show_opinions(session)
        if found < submissions.BATCH:
            break


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
    """Drop what nobody comes back for: sessions, saved answers, page events, captchas, codes, failed logins."""
    for _ in range(MOST_BATCHES):
        async with sessions.begin() as session:
            found = await _forget_page_events(session)
        if found < AT_ONCE:
            break
    async with sessions.begin() as session:
        await login_sessions.forget_expired(session, clock.now())
        await idempotency.forget_old(session)
        await captchas.forget_old(session)
        await phones.forget_old(session)
        await attempts.forget_old(session)


async def _forget_page_events(session: AsyncSession) -> int:
    events = tables.page_events.c
    old = select(events.application_no, events.seq).where(events.at < clock.now() - PAGE_EVENTS_KEPT).limit(AT_ONCE)
    gone = await session.execute(
        delete(tables.page_events).where(tuple_(events.application_no, events.seq).in_(old)).returning(events.seq)
    )
    return len(gone.all())
