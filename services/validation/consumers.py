"""What validation hears, and what it does about it."""

from services.validation import queries, use_cases
from services.validation.pictures import Pictures
from shared.contracts.upload import MaterialRemoved, MaterialUploaded
from shared.database import Sessions
from shared.failpoints import failpoint
from shared.messaging.inbox import first_time
from shared.messaging.kafka import Router, at_least_once_router, by_image

# Half a second of work at the slowest. Removals are light, but one poll brings both kinds: as many as the larger takes.
IMAGES_AT_ONCE = 32


def make_router() -> Router:
    """The group `validation`."""
    router = at_least_once_router("validation", park_by=by_image)
    router.batch(MaterialUploaded, max_records=IMAGES_AT_ONCE)(on_materials_uploaded)
    router.batch(MaterialRemoved, max_records=IMAGES_AT_ONCE)(on_materials_removed)
    return router


async def on_materials_uploaded(events: list[MaterialUploaded], sessions: Sessions, pictures: Pictures) -> None:
    """Images wait to be looked at."""
    checked = await pictures.check_all(await queries.still_there(sessions, events))  # slow: no transaction is open
    failpoint("validation.after_check")
    async with sessions.begin() as session:
        await use_cases.record_checks(session, await first_time(session, events), checked)


async def on_materials_removed(events: list[MaterialRemoved], sessions: Sessions) -> None:
    """Candidates took images away."""
    async with sessions.begin() as session:
        await use_cases.note_removals(session, await first_time(session, events))
