"""What notify hears, and what it does about it."""

from services.notify import codes, domain, use_cases
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.review import ReviewFeedback, ReviewPublished
from shared.contracts.rules import RulesPublished
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CodeRequested,
    ContactChanged,
    DeadlineNear,
)
from shared.database import Sessions
from shared.messaging.inbox import first_time
from shared.messaging.kafka import Router, at_least_once_router


async def on_registrations_recorded(events: list[RegistrationRecorded], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await use_cases.keep_contacts(session, await first_time(session, events))


async def on_rules_published(events: list[RulesPublished], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await use_cases.keep_packs(session, await first_time(session, events))


async def on_applications_submitted(events: list[ApplicationSubmitted], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        fresh = await first_time(session, events)
        await use_cases.keep_packs_in_use(session, fresh)
        await use_cases.overtake(session, [(event.application_no, event.revision) for event in fresh])
        await use_cases.write_notices(session, [domain.of_submission(event) for event in fresh])


async def on_applications_reopened(events: list[ApplicationReopened], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        fresh = await first_time(session, events)
        await use_cases.write_notices(session, [domain.of_reopening(event) for event in fresh])


async def on_applications_withdrawn(events: list[ApplicationWithdrawn], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        fresh = await first_time(session, events)
        await use_cases.overtake(session, [(event.application_no, event.revision) for event in fresh])
        await use_cases.write_notices(session, [domain.of_withdrawal(event) for event in fresh])


async def on_applications_lapsed(events: list[ApplicationLapsed], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        fresh = await first_time(session, events)
        # What lapsed may still have the revision that was returned: that one too asks in vain now.
        await use_cases.overtake(session, [(event.application_no, event.revision + 1) for event in fresh])
        await use_cases.write_notices(session, [domain.of_lapse(event) for event in fresh])


async def on_deadlines_near(events: list[DeadlineNear], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        fresh = await first_time(session, events)
        await use_cases.write_notices(session, [domain.of_deadline(event) for event in fresh])


async def on_contacts_changed(events: list[ContactChanged], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await use_cases.change_contacts(session, await first_time(session, events))


async def on_codes_requested(events: list[CodeRequested], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await codes.keep(session, await first_time(session, events))


async def on_feedback(events: list[ReviewFeedback], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        fresh = await first_time(session, events)
        await use_cases.write_notices(session, [domain.of_feedback(event) for event in fresh])


async def on_publications(events: list[ReviewPublished], sessions: Sessions) -> None:
    async with sessions.begin() as session:
        fresh = await first_time(session, events)
        await use_cases.write_notices(session, [domain.of_publication(event) for event in fresh])


def make_router() -> Router:
    """All of it, fresh for each process that is built."""
    router = at_least_once_router("notify")
    router.batch(RegistrationRecorded)(on_registrations_recorded)
    router.batch(RulesPublished)(on_rules_published)
    router.batch(ApplicationSubmitted)(on_applications_submitted)
    router.batch(ApplicationReopened)(on_applications_reopened)
    router.batch(ApplicationWithdrawn)(on_applications_withdrawn)
    router.batch(ApplicationLapsed)(on_applications_lapsed)
    router.batch(DeadlineNear)(on_deadlines_near)
    router.batch(ContactChanged)(on_contacts_changed)
    router.batch(CodeRequested)(on_codes_requested)
    router.batch(ReviewFeedback)(on_feedback)
    router.batch(ReviewPublished)(on_publications)
    return router
