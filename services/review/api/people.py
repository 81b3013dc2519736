"""Personal data that is shown whole."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from services.review import shapes
from services.review.api.edge import EdgeGiven, NumberGiven
from services.review.use_cases.revealing import reveal
from shared.idempotency import IdempotencyKey

router = APIRouter(tags=["reviews"])


@router.post("/reviews/{application_no}/id-number", status_code=HTTPStatus.CREATED)
async def see_id_number(
    application_no: NumberGiven,
    body: shapes.Begin,
    request: Request,
    response: Response,
    edge: EdgeGiven,
    key: IdempotencyKey,
) -> shapes.IdNumber:
    """The whole ID number and telephone, under one's own claim; asking for them is on record.

    The answer is not kept for a repetition, where it would lie in the clear: it is looked up, and noted, anew.
    """
    async with edge.asked(request) as (session, staff):
        person = await reveal(session, edge.key_ring, staff, application_no)
    response.headers["Cache-Control"] = "private, no-store"
    return shapes.IdNumber(id_number=person.id_number, phone=person.phone)
