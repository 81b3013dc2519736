"""The audit trail: a line per thing that staff see or do, in the transaction of the act itself."""

import json
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff
from shared import clock
from shared.errors import Forbidden, NotFound

_AUDIT = tables.metadata.tables["audit"]
# One that asks again and again is written down once a minute for each application and refusal: no flood of lines.
_REFUSED_AGAIN = timedelta(minutes=1)
# A page that is opened again after each mark, a picture that is shown again: one look.
OPENED_AGAIN = timedelta(minutes=1)
IMAGE_SEEN_AGAIN = timedelta(hours=1)
_ANOTHERS = frozenset({"application-not-found", "region-not-found"})


@dataclass(frozen=True)
class Asker:
    """Where a request comes from: its address, and what the browser says it is."""

    address: str | None = None
    device: str | None = None


@dataclass(frozen=True)
class Asked:
    """What was asked for and refused; never with personal data.

    Attributes:
        act: the route's name, such as `decide`.
        route: method and path template.
        application_no: as the path has it.
    """

    act: str
    route: str
    application_no: str | None


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


_WRITE_ONCE = """
    INSERT INTO audit (at, act, outcome, staff_id, role, application_no, region, site, address, device, detail)
    SELECT CAST(:at AS timestamptz), :act, :outcome, CAST(:staff_id AS uuid), CAST(:role AS text),
           CAST(:application_no AS text), CAST(:region AS text), CAST(:site AS text), CAST(:address AS text),
           CAST(:device AS text), CAST(:detail AS jsonb)
    WHERE NOT EXISTS (
        SELECT 1 FROM audit
        WHERE {narrow} AND at > CAST(:since AS timestamptz) AND act = CAST(:act AS text)
          AND outcome = CAST(:outcome AS text) AND staff_id IS NOT DISTINCT FROM CAST(:staff_id AS uuid)
          AND application_no IS NOT DISTINCT FROM CAST(:application_no AS text)
          AND address IS NOT DISTINCT FROM CAST(:address AS text) AND detail = CAST(:detail AS jsonb)
    )
"""
_BY_APPLICATION = text(_WRITE_ONCE.format(narrow="application_no = CAST(:application_no AS text)"))
_BY_PERSON = text(_WRITE_ONCE.format(narrow="staff_id = CAST(:staff_id AS uuid)"))
_BY_ACT = text(_WRITE_ONCE.format(narrow="act = CAST(:act AS text)"))


async def write_once(session: AsyncSession, made: dict[str, Any], within: timedelta) -> None:
    """Add a line, unless the same was written so short a time ago. Two at the same moment may both be written."""
    if made["application_no"] is not None:
        statement = _BY_APPLICATION
    else:
        statement = _BY_PERSON if made["staff_id"] is not None else _BY_ACT
    values = made | {"detail": json.dumps(made["detail"]), "since": made["at"] - within}
    await session.execute(statement, values)


async def seen(
    session: AsyncSession,
    by: Staff,
    act: str,
    application_no: str,
    detail: dict[str, Any] | None = None,
    *,
    within: timedelta = timedelta(),
) -> None:
    """Write down that somebody looked at an application, or at a part of it.

    Args:
        session: the transaction that reads it.
        by: who.
        act: what was looked at, such as `opened`.
        application_no: of which; this person may see it.
        detail: more of it; never personal data.
        within: the same look again in this time is no other one.
    """
    review = await session.get(Review, application_no)
    made = line(
        act,
        by,
        application_no=application_no,
        region=review.region if review else None,
        site=review.site if review else None,
        detail=detail,
    )
    if within:
        await write_once(session, made, within)
    else:
        await write(session, made)


async def refused(
    session: AsyncSession, asker: Staff | UUID | None, asked: Asked, refusal: Forbidden | NotFound
) -> None:
    """Write down that somebody was refused something.

    An application that is not there at all, or a page or image that is not, is no matter for the trail.

    Args:
        session: a transaction of its own: the asking one was rolled back.
        asker: who; the id alone of a closed account, None where it can't be told.
        asked: for what.
        refusal: why not.
    """
    of = None
    if asked.application_no is not None:
        of = (
            await session.execute(
                select(tables.reviews.c.region, tables.reviews.c.site).where(
                    tables.reviews.c.application_no == asked.application_no
                )
            )
        ).first()
    nowhere = refusal.code not in _ANOTHERS or (asked.application_no is not None and of is None)
    if isinstance(refusal, NotFound) and nowhere:
        return
    by = asker if isinstance(asker, Staff) else None
    made = line(
        asked.act,
        by,
        application_no=asked.application_no if of else None,
        region=of.region if of else None,
        site=of.site if of else None,
        outcome="refused",
        detail={"asked": asked.route, "code": refusal.code},
    )
    if isinstance(asker, UUID):
        made["staff_id"] = asker
    await write_once(session, made, _REFUSED_AGAIN)
