"""What validation hears, and what it does about it."""

from services.validation import queries
from services.validation.domain import CHECKS, PHOTOS, READING
from services.validation.photos import Photos
from services.validation.pictures import Pictures
from services.validation.readers import Readers
from services.validation.use_cases import checks, photos, readings, suspects
from shared.contracts.event import Event
from shared.contracts.upload import MaterialRemoved, MaterialUploaded, PhotoCheckRequested
from shared.database import Sessions
from shared.failpoints import failpoint
from shared.messaging.inbox import first_time
from shared.messaging.kafka import Router, at_least_once_router, by_image
from shared.security.sealing import KeyRing

# Half a second of work at the slowest. Removals are light, but one poll brings both kinds: as many as the larger takes.
IMAGES_AT_ONCE = 32
READ_AT_ONCE = 8
PHOTOS_AT_ONCE = 4


def make_router(group: str = CHECKS) -> Router:
    """One of the groups: `validation` looks at images, `validation-photos` at portraits, `validation-reading` reads."""
    if group == PHOTOS:
        router = at_least_once_router(PHOTOS, park_by=_by_photo)
        router.batch(PhotoCheckRequested, max_records=PHOTOS_AT_ONCE)(on_photo_checks_requested)
    elif group == READING:
        router = at_least_once_router(READING, park_by=by_image)
        router.batch(MaterialUploaded, max_records=READ_AT_ONCE)(on_materials_to_read)
    else:
        router = at_least_once_router(CHECKS, park_by=by_image)
        router.batch(MaterialUploaded, max_records=IMAGES_AT_ONCE)(on_materials_uploaded)
        router.batch(MaterialRemoved, max_records=IMAGES_AT_ONCE)(on_materials_removed)
    return router


async def on_materials_uploaded(events: list[MaterialUploaded], sessions: Sessions, pictures: Pictures) -> None:
    """Images wait to be looked at."""
    seen = await pictures.check_all(await queries.still_there(sessions, events))  # slow: no transaction is open
    failpoint("validation.after_check")
    put_aside = {event.image_id for event in seen.suspects}
    async with sessions.begin() as session:
        fresh = await first_time(session, events)
        await suspects.put_aside(session, [event for event in fresh if event.image_id in put_aside])
        judged = [event for event in fresh if event.image_id not in put_aside]
        await checks.record_checks(session, judged, seen.looks)
    if put_aside:
        pictures.suspects_wait.set()


async def on_materials_removed(events: list[MaterialRemoved], sessions: Sessions) -> None:
    """Candidates took images away."""
    async with sessions.begin() as session:
        await checks.note_removals(session, await first_time(session, events))


async def on_photo_checks_requested(events: list[PhotoCheckRequested], sessions: Sessions, studio: Photos) -> None:
    """Portraits wait to be checked."""
    verdicts = await studio.check_all(await queries.not_answered(sessions, events))  # slow: no transaction is open
    async with sessions.begin() as session:
        await photos.record_photos(session, await first_time(session, events), verdicts)


async def on_materials_to_read(
    events: list[MaterialUploaded], sessions: Sessions, readers: Readers, keys: KeyRing
) -> None:
    """Images of papers that a pack wants read, among others."""
    wanted = [event for event in events if event.reads]
    found = await readers.read_all(await queries.still_there(sessions, wanted))  # slow: no transaction is open
    async with sessions.begin() as session:
        await readings.record_readings(session, await first_time(session, events), found, keys)


def _by_photo(event: Event) -> str:
    return str(event.photo_id)  # type: ignore[attr-defined]
