"""What validation asks its own database."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from shared.contracts.upload import MaterialUploaded, PhotoCheckRequested
from shared.database import Sessions

_ANSWERED = text("SELECT photo_id FROM photo_checks WHERE photo_id = ANY(CAST(:ids AS uuid[]))")
REMOVED = text("SELECT image_id FROM removed_images WHERE image_id = ANY(CAST(:ids AS uuid[]))")


async def still_there(sessions: Sessions, events: Sequence[MaterialUploaded]) -> list[MaterialUploaded]:
    """Those of `events` whose image was not removed meanwhile, as far as is known here."""
    async with sessions() as session:
        rows = await session.execute(REMOVED, {"ids": [event.image_id for event in events]})
    removed: set[UUID] = set(rows.scalars())
    return [event for event in events if event.image_id not in removed]


async def not_answered(sessions: Sessions, events: Sequence[PhotoCheckRequested]) -> list[PhotoCheckRequested]:
    """Those of `events` whose portrait has no verdict yet: a second finished photo would lie where nobody looks."""
    async with sessions() as session:
        rows = await session.execute(_ANSWERED, {"ids": [event.photo_id for event in events]})
    answered: set[UUID] = set(rows.scalars())
    return [event for event in events if event.photo_id not in answered]
