"""The audit trail: for auditors, and looking at it is on record too."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import shapes
from services.review.api.edge import EdgeGiven
from services.review.domain import Staff
from services.review.queries.audit import AuditFilters, audit_page, seals_page
from services.review.shapes.base import Moment
from services.review.use_cases import audit
from shared.contracts.event import ApplicationNo

router = APIRouter(prefix="/audit", tags=["audit"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]
_READ_AGAIN = timedelta(minutes=1)


async def _filters(
    staff_id: UUID | None = None,
    act: Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$")] = None,
    application_no: ApplicationNo | None = None,
    outcome: Literal["done", "refused"] | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> AuditFilters:
    return AuditFilters(staff_id, act, application_no, outcome, since, until)


FiltersGiven = Annotated[AuditFilters, Depends(_filters)]


@router.get("")
async def read_audit(
    request: Request, edge: EdgeGiven, filters: FiltersGiven, cursor: Cursor = None, limit: Limit = 50
) -> shapes.AuditPage:
    """Who saw and did what, newest first. A page may be short, even empty, and still have `next`."""
    async with edge.asked(request) as (session, staff):
        await _note_reading(session, staff, "lines")
        return await audit_page(session, staff, filters, cursor, limit)


@router.get("/seals")
async def read_seals(request: Request, edge: EdgeGiven, cursor: Cursor = None, limit: Limit = 50) -> shapes.Seals:
    """The heads of the chain, newest first."""
    async with edge.asked(request) as (session, staff):
        await _note_reading(session, staff, "seals")
        return await seals_page(session, cursor, limit)


async def _note_reading(session: AsyncSession, staff: Staff, what: str) -> None:
    staff.must_be_one_of("auditor")
    await audit.write_once(session, audit.line("audit_read", staff, detail={"what": what}), _READ_AGAIN)
