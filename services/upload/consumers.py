"""What upload hears, and what it does about it."""

from services.upload.packs import Shelf
from services.upload.use_cases import checks, photos, registrations, rules, submissions
from services.upload.use_cases.registrations import IdNumbers
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.review import ReviewDecided, ReviewFeedback, ReviewPublished
from shared.contracts.rules import RulesPublished
from shared.contracts.validation import MaterialChecked, PhotoChecked
from shared.database import Sessions
from shared.messaging.inbox import first_time
from shared.messaging.kafka import Router, at_least_once_router


def make_router() -> Router:
    """The group `upload`."""
    router = at_least_once_router("upload")
    router.batch(RegistrationRecorded)(on_registrations_recorded)
    router.batch(RulesPublished)(on_rules_published)
    router.batch(MaterialChecked)(on_materials_checked)
    router.batch(PhotoChecked)(on_photos_checked)
    router.batch(ReviewFeedback)(on_review_feedback)
    router.batch(ReviewDecided)(on_reviews_decided)
    router.batch(ReviewPublished)(on_reviews_published)
    return router


async def on_registrations_recorded(
    events: list[RegistrationRecorded], sessions: Sessions, id_numbers: IdNumbers, shelf: Shelf
) -> None:
    """A registration is new or has changed."""
    async with sessions.begin() as session:
        await registrations.record(session, await first_time(session, events), id_numbers, shelf)


async def on_rules_published(events: list[RulesPublished], sessions: Sessions) -> None:
    """A pack has a new version."""
    async with sessions.begin() as session:
        await rules.keep_packs(session, await first_time(session, events))


async def on_materials_checked(events: list[MaterialChecked], sessions: Sessions) -> None:
    """Images were looked at."""
    async with sessions.begin() as session:
        await checks.apply_checks(session, await first_time(session, events))


async def on_photos_checked(events: list[PhotoChecked], sessions: Sessions) -> None:
    """Portraits were checked."""
    async with sessions.begin() as session:
        await photos.apply_photo_checks(session, await first_time(session, events))


async def on_review_feedback(events: list[ReviewFeedback], sessions: Sessions) -> None:
    """Staff returned items."""
    async with sessions.begin() as session:
        await submissions.apply_feedback(session, await first_time(session, events))


async def on_reviews_decided(events: list[ReviewDecided], sessions: Sessions) -> None:
    """A tier came to a result."""
    async with sessions.begin() as session:
        await submissions.apply_decisions(session, await first_time(session, events))


async def on_reviews_published(events: list[ReviewPublished], sessions: Sessions) -> None:
    """A region published its opinions."""
    async with sessions.begin() as session:
        await submissions.apply_publications(session, await first_time(session, events))
