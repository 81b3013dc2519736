"""The events that services tell each other: one file per producer, frozen Pydantic models, no I/O.

`EVENTS` is the whole catalogue; the exported JSON Schemas and the AsyncAPI document are made from it.
"""

from shared.contracts.event import Event
from shared.contracts.notify import NoticeDelivered
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.review import AuditSealed, ReviewDecided, ReviewFeedback, ReviewPublished
from shared.contracts.rules import RulesPublished
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CodeRequested,
    ContactChanged,
    DeadlineNear,
    MaterialRemoved,
    MaterialUploaded,
    PhotoCheckRequested,
)
from shared.contracts.validation import MaterialChecked, MaterialRead, PhotoChecked

EVENTS: tuple[type[Event], ...] = (
    RegistrationRecorded,
    RulesPublished,
    MaterialUploaded,
    MaterialRemoved,
    MaterialChecked,
    MaterialRead,
    PhotoCheckRequested,
    PhotoChecked,
    ApplicationSubmitted,
    ApplicationReopened,
    ApplicationWithdrawn,
    ApplicationLapsed,
    DeadlineNear,
    ContactChanged,
    CodeRequested,
    ReviewFeedback,
    ReviewDecided,
    ReviewPublished,
    AuditSealed,
    NoticeDelivered,
)

__all__ = ["EVENTS", "Event"]
