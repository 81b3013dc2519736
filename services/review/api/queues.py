"""Lists of applications, how many are in each, searching, and claiming."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import shapes
from services.review.api.edge import EdgeGiven, NumberGiven
from services.review.domain import Review, Staff
from services.review.queries.queue import counts_of, page_of
from services.review.queries.search import found_by, kind_of
from services.review.use_cases import audit, claims
from shared.idempotency import IdempotencyKey

router = APIRouter(prefix="/reviews", tags=["reviews"])


class _List(shapes.Filters):
    """What a list is asked for with."""

    state: shapes.QueueName = "waiting"
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


@router.get("")
async def list_reviews(asked: Annotated[_List, Query()], request: Request, edge: EdgeGiven) -> shapes.Page:
    """What one's tier can claim, what one holds, what was returned, what is decided: oldest first.

    A page may be short, or even empty, and still have `next`: go on with it.
    """
    async with edge.asked(request) as (session, staff):
        return await page_of(session, edge.key_ring, staff, asked.state, asked, asked.cursor, asked.limit)


@router.get("/counts")
async def count_reviews(request: Request, edge: EdgeGiven) -> shapes.Counts:
    """How many are in each list."""
    async with edge.asked(request) as (session, staff):
        return await counts_of(session, staff)


@router.post("/searches")
async def search_reviews(body: shapes.Search, request: Request, edge: EdgeGiven) -> shapes.Page:
    """Find by number (or the beginning of one), whole name or ID number, within one's scope.

    It changes nothing, so it may be sent again as it is: nothing of what was typed is kept, not even its hash. A page
    may be short, or even empty, and still have `next`: go on with it. Each page is a line of the audit trail.
    """
    async with edge.asked(request) as (session, staff):
        found = await found_by(session, edge.key_ring, edge.lookup, staff, body.q, body.cursor)
        further = {"further": True} if body.cursor is not None else {}
        await audit.write(session, audit.line("searched", staff, detail={"kind": kind_of(body.q)} | further))
    return found


@router.post("/claims", status_code=HTTPStatus.CREATED, response_model=shapes.Claimed)
async def claim_next(body: shapes.NextClaim, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """Claim the one that waits longest in a list."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Claimed:
        return _claimed(await claims.claim_next(session, staff, edge.lease, body))

    return await edge.once(request, key, body, work)


@router.put("/{application_no}/claim")
async def claim(application_no: NumberGiven, request: Request, edge: EdgeGiven) -> shapes.Claimed:
    """Claim one application; again, to hold it longer."""
    async with edge.asked(request) as (session, staff):
        return _claimed(await claims.claim(session, staff, application_no, edge.lease))


@router.delete("/{application_no}/claim", status_code=HTTPStatus.NO_CONTENT)
async def release(application_no: NumberGiven, request: Request, edge: EdgeGiven) -> None:
    """Give it back to the queue; the marks stay."""
    async with edge.asked(request) as (session, staff):
        await claims.release(session, staff, application_no)


def _claimed(review: Review) -> shapes.Claimed:
    assert review.claimed_until is not None  # noqa: S101 it was claimed in this very transaction
    return shapes.Claimed(
        application_no=review.application_no, claimed_until=review.claimed_until, revision=review.revision
    )
