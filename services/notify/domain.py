"""Notices: what each event means to a candidate, when it may be seen, and how long an SMS is tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from shared.contracts.review import Opinion, ReturnedItem, ReviewFeedback, ReviewPublished, Tier
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    DeadlineNear,
    ReopenedItem,
)

About = Literal["submitted", "reopened", "returned", "published", "withdrawn", "deadline_near", "lapsed"]
Cause = Literal["image_failed", "registration_changed"]

MOST_TRIES = 48
LONGEST_PAUSE = timedelta(seconds=300)
_SECOND_PAUSE = timedelta(seconds=5)
_Heard = (
    ApplicationSubmitted
    | ApplicationReopened
    | ReviewFeedback
    | ApplicationWithdrawn
    | ApplicationLapsed
    | DeadlineNear
    | ReviewPublished
)


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


def _notice(
    event: _Heard,
    about: About,
    at: datetime,
    content: Content,
    *,
    hidden_until: datetime | None = None,
    by_sms: bool = True,
    overtaken_after: int | None = None,
) -> Notice:
    return Notice(
        notice_id=uuid5(event.event_id, about),
        event_id=event.event_id,
        application_no=event.application_no,
        about=about,
        round=event.round,
        at=at,
        content=content,
        hidden_until=hidden_until,
        by_sms=by_sms,
        overtaken_after=overtaken_after,
    )


def _named(items: Sequence[ReopenedItem] | Sequence[ReturnedItem]) -> tuple[NamedItem, ...]:
    return tuple(NamedItem(item=each.item, words=each.words) for each in items)


def of_submission(event: ApplicationSubmitted) -> Notice:
    """A receipt, in the inbox only."""
    return _notice(event, "submitted", event.submitted_at, Content(), by_sms=False)


def of_reopening(event: ApplicationReopened) -> Notice:
    """The system gave items back."""
    content = Content(cause=event.cause, items=_named(event.items))
    return _notice(event, "reopened", event.reopened_at, content, overtaken_after=event.revision)


def of_feedback(event: ReviewFeedback) -> Notice:
    """A reviewer gave items back."""
    content = Content(tier=event.tier, items=_named(event.items))
    return _notice(event, "returned", event.returned_at, content, overtaken_after=event.revision)


def of_withdrawal(event: ApplicationWithdrawn) -> Notice:
    """The candidate took it back: whoever did not do so learns of it."""
    return _notice(event, "withdrawn", event.withdrawn_at, Content())


def of_lapse(event: ApplicationLapsed) -> Notice:
    """The deadline passed."""
    return _notice(event, "lapsed", event.lapsed_at, Content(deadline=event.deadline, was=event.was))


def of_deadline(event: DeadlineNear) -> Notice:
    """The deadline is near."""
    content = Content(deadline=event.deadline, hours_left=event.hours_left)
    return _notice(event, "deadline_near", event.told_at, content, overtaken_after=event.revision)


def of_publication(event: ReviewPublished) -> Notice:
    """The final opinion; nobody may know of it before it takes effect."""
    content = Content(opinion=event.opinion, words=event.words)
    return _notice(event, "published", event.effective_at, content, hidden_until=event.effective_at)


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
