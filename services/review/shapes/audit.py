"""The audit trail as auditors read it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.review.shapes.base import Told


class AuditLine(Told):
    """Who saw or did what, when, from where. `seq` is null until the line is sealed."""

    line_id: int
    seq: int | None
    at: datetime
    act: str
    outcome: Literal["done", "refused"]
    staff_id: UUID | None
    by: str | None
    role: str | None
    application_no: str | None
    region: str | None
    site: str | None
    address: str | None
    device: str | None
    detail: dict[str, Any]


class AuditPage(Told):
    """Lines, newest first."""

    items: list[AuditLine]
    next: str | None


class Seal(Told):
    """A batch of the chain and its signed head."""

    batch_no: int
    first_seq: int
    last_seq: int
    head: str
    sealed_at: datetime
    key_id: str


class Seals(Told):
    """Heads, newest first; `unsealed` lines wait for the next."""

    items: list[Seal]
    next: str | None
    unsealed: int
