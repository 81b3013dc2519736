"""Notices: what each event means to a candidate, when it may be seen, and how long an SMS is tried."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from shared.contracts.review import Opinion, ReviewFeedback, ReviewPublished, Tier
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    DeadlineNear,
)

About = Literal["submitted", "reopened", "returned", "published", "withdrawn", "deadline_near", "lapsed"]
Cause = Literal["image_failed", "registration_changed"]

MOST_TRIES = 48
LONGEST_PAUSE = timedelta(seconds=300)
_SECOND_PAUSE = timedelta(seconds=5)


class NamedItem(BaseModel):
    """An item of the checklist and what is to be said of it."""

    model_config = ConfigDict(frozen=True)

    item: str
    words: str


class Content(BaseModel):
    """What a notice says beside its kind and round; the sentences are made when it is read."""

    model_config = ConfigDict(frozen=True)

    tier: Tier | None = None
    cause: Cause | None = None
    opinion: Opinion | None = None
    words: str = ""
    items: tuple[NamedItem, ...] = ()
    deadline: datetime | None = None
    hours_left: int | None = None
    was: Literal["draft", "withdrawn", "returned"] | None = None


@dataclass(frozen=True)
class Notice:
    """One thing that the candidate is told.

    Attributes:
        notice_id: follows from the event and the kind, so that an event heard again makes no second notice.
        at: when it happened, or when it takes effect.
        hidden_until: nobody may know of it before; None where it is visible at once.
        by_sms: an SMS goes out as well.
        overtaken_after: the SMS asks for something, so it is not sent any more once a higher revision than this was
            handed in or taken back; None where it is true whatever follows.
    """

    notice_id: UUID
    event_id: UUID
    application_no: str
    about: About
    round: int
    at: datetime
    content: Content
    hidden_until: datetime | None = None
    by_sms: bool = True
    overtaken_after: int | None = None


def of_submission(event: ApplicationSubmitted) -> Notice:
    """A receipt, in the inbox only."""
    return Notice(
        notice_id=uuid5(event.event_id, "submitted"),
        event_id=event.event_id,
        application_no=event.application_no,
        about="submitted",
        round=event.round,
        at=event.submitted_at,
        content=Content(),
        by_sms=False,
    )


def of_reopening(event: ApplicationReopened) -> Notice:
    """The system gave items back."""
    return Notice(
        notice_id=uuid5(event.event_id, "reopened"),
        event_id=event.event_id,
        application_no=event.application_no,
        about="reopened",
        round=event.round,
        at=event.reopened_at,
        content=Content(
            cause=event.cause, items=tuple(NamedItem(item=each.item, words=each.words) for each in event.items)
        ),
        overtaken_after=event.revision,
    )


def of_feedback(event: ReviewFeedback) -> Notice:
    """A reviewer gave items back."""
    return Notice(
        notice_id=uuid5(event.event_id, "returned"),
        event_id=event.event_id,
        application_no=event.application_no,
        about="returned",
        round=event.round,
        at=event.returned_at,
        content=Content(
            tier=event.tier, items=tuple(NamedItem(item=each.item, words=each.words) for each in event.items)
        ),
        overtaken_after=event.revision,
    )


def of_withdrawal(event: ApplicationWithdrawn) -> Notice:
    """The candidate took it back: whoever did not do so learns of it."""
    return Notice(
        notice_id=uuid5(event.event_id, "withdrawn"),
        event_id=event.event_id,
        application_no=event.application_no,
        about="withdrawn",
        round=event.round,
        at=event.withdrawn_at,
        content=Content(),
    )


def of_lapse(event: ApplicationLapsed) -> Notice:
    """The deadline passed."""
    return Notice(
        notice_id=uuid5(event.event_id, "lapsed"),
        event_id=event.event_id,
        application_no=event.application_no,
        about="lapsed",
        round=event.round,
        at=event.lapsed_at,
        content=Content(deadline=event.deadline, was=event.was),
    )


def of_deadline(event: DeadlineNear) -> Notice:
    """The deadline is near."""
    return Notice(
        notice_id=uuid5(event.event_id, "deadline_near"),
        event_id=event.event_id,
        application_no=event.application_no,
        about="deadline_near",
        round=event.round,
        at=event.told_at,
        content=Content(deadline=event.deadline, hours_left=event.hours_left),
        overtaken_after=event.revision,
    )


def of_publication(event: ReviewPublished) -> Notice:
    """The final opinion; nobody may know of it before it takes effect."""
    return Notice(
        notice_id=uuid5(event.event_id, "published"),
        event_id=event.event_id,
        application_no=event.application_no,
        about="published",
        round=event.round,
        at=event.effective_at,
        content=Content(opinion=event.opinion, words=event.words),
        hidden_until=event.effective_at,
    )


def pause_after(tries: int) -> timedelta | None:
    """How long to wait after so many tries in vain; None when it is time to give up.

    GOV.UK Notify's schedule: again at once, since most failures are gone by then, later 300 s apart, 48 tries in all
    (about four hours). In between ours doubles from 5 s, because most of a provider's bad minutes are short.
    """
    if tries >= MOST_TRIES:
        return None
    if tries <= 1:
        return timedelta()
    doublings = min(tries - 2, 10)  # a timedelta overflows at 44
    return min(_SECOND_PAUSE * int(2**doublings), LONGEST_PAUSE)
