"""The accounts of a region, for its administrator."""

import hashlib
import hmac
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.review import shapes
from services.review.accounts import members
from services.review.api.edge import Edge, EdgeGiven
from shared.idempotency import Answer, IdempotencyKey, fingerprint, once

router = APIRouter(prefix="/staff/members", tags=["staff"])

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=200)]


@router.get("")
async def list_members(request: Request, edge: EdgeGiven, cursor: Cursor = None, limit: Limit = 50) -> shapes.Members:
    """The accounts of one's region, by login."""
    async with edge.asked(request) as (session, staff):
        staff.must_be_one_of("region_admin")
        return await members.members_of(session, staff, cursor, limit)


@router.post("", status_code=HTTPStatus.CREATED, response_model=shapes.Member)
async def open_account(body: shapes.NewMember, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """Open an account."""
    async with edge.asked(request) as (session, staff):
        staff.must_be_one_of("region_admin")

        async def work() -> Answer:
            issuer = edge.provider.issuer if edge.provider is not None else None
            made = await members.open_account(session, staff, body, issuer)
            return Answer(HTTPStatus.CREATED, made.model_dump(mode="json"))

        saved = await once(session, f"staff:{staff.id}", key, _fingerprint(edge, request, body), work)
    return saved.response()


@router.put("/{staff_id}")
async def change_account(staff_id: UUID, body: shapes.MemberChange, request: Request, edge: EdgeGiven) -> shapes.Member:
    """Change an account, close it, or take its second factor off; it counts from the person's next call on."""
    async with edge.asked(request) as (session, staff):
        staff.must_be_one_of("region_admin")
        return await members.change_account(session, staff, staff_id, body)


def _fingerprint(edge: Edge, request: Request, body: shapes.NewMember) -> bytes:
    """As of any request, but that a plain hash of a password is not stored anywhere."""
    if body.password is not None:
        keyed = hmac.new(edge.second_factors.lookup_key, body.password.encode(), hashlib.sha256).hexdigest()
        body = body.model_copy(update={"password": keyed})
    return fingerprint(request.url.path, body)
