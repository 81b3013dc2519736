"""What review hears, and what it does about it."""

from services.review.lookup import Lookup
from services.review.use_cases import hearing, readings
from shared.contracts.notify import NoticeDelivered
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import RulesPublished
from shared.contracts.upload import ApplicationLapsed, ApplicationReopened, ApplicationSubmitted, ApplicationWithdrawn
from shared.contracts.validation import MaterialChecked, MaterialRead
from shared.database import Sessions
from shared.messaging.inbox import first_time
from shared.messaging.kafka import Router, at_least_once_router


def make_router() -> Router:
    """The group `review`."""
    router = at_least_once_router("review")
    router.batch(RegistrationRecorded)(on_registrations_recorded)
    router.batch(RulesPublished, max_records=20)(on_rules_published)
    router.batch(ApplicationSubmitted, max_records=100)(on_applications_submitted)
    router.batch(ApplicationReopened)(on_applications_reopened)
    router.batch(ApplicationWithdrawn)(on_applications_withdrawn)
    router.batch(ApplicationLapsed)(on_applications_lapsed)
    router.batch(MaterialChecked)(on_materials_checked)
    router.batch(MaterialRead)(on_materials_read)
    router.batch(NoticeDelivered)(on_notices_delivered)
    return router


async def on_registrations_recorded(events: list[RegistrationRecorded], sessions: Sessions, lookup: Lookup) -> None:
    """A registration is new or has changed."""
    hashes = await lookup.hashes_of({event.event_id: event.sealed for event in events})
    async with sessions.begin() as session:
        await hearing.record_registrations(session, await first_time(session, events), hashes)


async def on_rules_published(events: list[RulesPublished], sessions: Sessions) -> None:
    """A pack has a new version."""
    async with sessions.begin() as session:
        await hearing.keep_packs(session, await first_time(session, events))


async def on_applications_submitted(events: list[ApplicationSubmitted], sessions: Sessions) -> None:
    """Candidates handed in."""
    async with sessions.begin() as session:
        await hearing.take_submissions(session, await first_time(session, events))


async def on_applications_reopened(events: list[ApplicationReopened], sessions: Sessions) -> None:
    """The system gave applications back to candidates."""
    async with sessions.begin() as session:
        await hearing.take_reopenings(session, await first_time(session, events))


async def on_applications_withdrawn(events: list[ApplicationWithdrawn], sessions: Sessions) -> None:
    """Candidates took their applications back."""
    async with sessions.begin() as session:
        await hearing.take_withdrawals(session, await first_time(session, events))


async def on_applications_lapsed(events: list[ApplicationLapsed], sessions: Sessions) -> None:
    """Deadlines passed."""
    async with sessions.begin() as session:
        await hearing.take_lapses(session, await first_time(session, events))


async def on_materials_checked(events: list[MaterialChecked], sessions: Sessions) -> None:
    """Images were looked at."""
    async with sessions.begin() as session:
        await hearing.note_checks(session, await first_time(session, events))


async def on_materials_read(events: list[MaterialRead], sessions: Sessions) -> None:
    """Images were read, or seen under another candidate."""
    async with sessions.begin() as session:
        await readings.note_readings(session, await first_time(session, events))


async def on_notices_delivered(events: list[NoticeDelivered], sessions: Sessions) -> None:
    """Candidates were reached, or not."""
    async with sessions.begin() as session:
        await hearing.note_notices(session, await first_time(session, events))
