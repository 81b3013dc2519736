"""The audit trail: a line per thing that staff see or do, in the transaction of the act itself."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Staff
from shared import clock

_AUDIT = tables.metadata.tables["audit"]


@dataclass(frozen=True)
class Asker:
    """Where a request comes from: its address, and what the browser says it is."""

    address: str | None = None
    device: str | None = None


_NOBODY = Asker()
asked_from: ContextVar[Asker] = ContextVar("asked_from", default=_NOBODY)
"""Set by the edge for the time of a request; empty where the system acts by itself."""


def line(
    act: str,
    by: Staff | None,
    *,
    application_no: str | None = None,
    region: str | None = None,
    site: str | None = None,
    outcome: Literal["done", "refused"] = "done",
    detail: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A line, not written yet.

    Args:
        act: what was seen or done, such as `opened`.
        by: who; None for a login that failed, and for the system.
        application_no: which application it concerns.
        region: of the application, else the person's.
        site: likewise.
        outcome: whether it was done.
        detail: more of it; never personal data.
    """
    asker = asked_from.get()
    return {
        "at": clock.now(),
        "act": act,
        "outcome": outcome,
        "staff_id": by.id if by else None,
        "role": by.role if by else None,
        "application_no": application_no,
        "region": region or (by.region if by else None),
        "site": site or (by.site if by else None),
        "address": asker.address,
        "device": asker.device,
        "detail": detail or {},
    }


async def write(session: AsyncSession, *lines: dict[str, Any]) -> None:
    """Add lines in the caller's transaction."""
    if lines:
        await session.execute(insert(_AUDIT), list(lines))
