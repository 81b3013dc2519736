"""Second tries: what ended a worker is tried once more, in a process of its own, while the batches go on."""

import structlog

from services.validation import queries
from services.validation.pictures import Pictures
from services.validation.use_cases import suspects
from services.validation.use_cases.suspects import MOST_TRIES, TOO_COMPLEX, Suspect
from shared.database import Sessions
from shared.telemetry import metrics

log = structlog.get_logger(__name__)


async def try_suspects(sessions: Sessions, pictures: Pictures) -> None:
    """Try all that wait, one after another."""
    pictures.suspects_wait.clear()
    while True:
        async with sessions.begin() as session:
            metrics.IMAGES_WAITING_ALONE.set(await suspects.waiting(session))
            # Its beginning is written down first: one that ends this very process is not begun for ever.
            suspect = await suspects.take_one(session)
        if suspect is None:
            return
        await _try(sessions, pictures, suspect)


async def _try(sessions: Sessions, pictures: Pictures, suspect: Suspect) -> None:
    look = None
    if await queries.still_there(sessions, [suspect.event]):
        look = TOO_COMPLEX if suspect.tries > MOST_TRIES else await pictures.check_alone(suspect.event) or TOO_COMPLEX
        log.info("image.tried_alone", image_id=str(suspect.event.image_id), reason=look.check.reason)
        metrics.IMAGES_CHECKED.labels(look.check.verdict).inc()
    async with sessions.begin() as session:
        await suspects.settle(session, suspect, look)
