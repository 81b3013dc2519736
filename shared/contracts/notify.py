"""Told by notify: whether the candidate was reached."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import ApplicationNo, Event


class NoticeDelivered(Event):
    """One attempt to reach the candidate came to an end."""

    topic: ClassVar[str] = "notice.delivered.v1"

    application_no: ApplicationNo
    notice_id: UUID
    channel: Literal["inbox", "sms"]
    outcome: Literal["delivered", "failed"]
    about: Literal["submitted", "reopened", "returned", "published", "withdrawn", "deadline_near", "lapsed"]
    round: int
    delivered_at: datetime
