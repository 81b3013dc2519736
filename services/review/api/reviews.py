"""The queues, claims, marks, and what is done with an application as a whole."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import shapes
from services.review.api.edge import Edge, EdgeGiven, NumberGiven
from services.review.domain import Mark, Review, Staff
from services.review.queries.detail import detail_of
from services.review.queries.images import Stored, image_of, no_such_image, no_such_photo, photo_of
from services.review.queries.queue import page_of
from services.review.use_cases import acts, claims, marks
from shared.contracts.event import ItemCode
from shared.errors import NotFound
from shared.idempotency import IdempotencyKey
from shared.storage import ObjectGone

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/reviews", tags=["reviews"])

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=200)]


@router.get("")
async def list_reviews(
    request: Request, edge: EdgeGiven, state: shapes.QueueName = "waiting", cursor: Cursor = None, limit: Limit = 20
) -> shapes.Page:
    """What one's tier can claim, what one holds, what was returned, what is decided: oldest first."""
    async with edge.asked(request) as (session, staff):
        return await page_of(session, edge.key_ring, staff, state, cursor, limit)


@router.post("/claims", status_code=HTTPStatus.CREATED, response_model=shapes.Claimed)
async def claim_next(body: shapes.NextClaim, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """Claim the one that waits longest."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Claimed:
        return _claimed(await claims.claim_next(session, staff, edge.lease))

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


@router.get("/{application_no}")
async def read_review(application_no: NumberGiven, request: Request, edge: EdgeGiven) -> shapes.Detail:
    """One application on one screen."""
    async with edge.asked(request) as (session, staff):
        return await detail_of(session, edge.key_ring, edge.shelf, staff, application_no)


@router.get(
    "/{application_no}/images/{image_id}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}}}},
)
async def read_image(application_no: NumberGiven, image_id: UUID, request: Request, edge: EdgeGiven) -> Response:
    """An image's bytes, under one's own claim."""
    async with edge.asked(request) as (session, staff):
        stored = await image_of(session, staff, application_no, image_id)
    return await _picture(edge, stored, no_such_image(), image_id=str(image_id))


@router.get(
    "/{application_no}/registration-photo",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
async def read_registration_photo(application_no: NumberGiven, request: Request, edge: EdgeGiven) -> Response:
    """The registration photo's bytes, under one's own claim."""
    async with edge.asked(request) as (session, staff):
        stored = await photo_of(session, staff, application_no)
    return await _picture(edge, stored, no_such_photo())


@router.put("/{application_no}/items/{item}/mark")
async def put_mark(
    application_no: NumberGiven, item: ItemCode, body: shapes.ItemMark, request: Request, edge: EdgeGiven
) -> shapes.MarkShown:
    """Accept an item, or mark it to be returned with a reason and words."""
    mark = Mark(
        item,
        body.mark,
        body.reason_code,
        body.words or None,
        tuple(dict.fromkeys(body.image_ids or ())),
        body.same_images_allowed,
    )
    async with edge.asked(request) as (session, staff):
        await marks.put_mark(session, edge.shelf, staff, application_no, mark, edge.lease)
    return shapes.MarkShown(
        mark=mark.mark,
        reason_code=mark.reason_code,
        words=mark.words,
        image_ids=list(mark.image_ids),
        same_images_allowed=mark.same_images_allowed,
    )


@router.delete("/{application_no}/items/{item}/mark", status_code=HTTPStatus.NO_CONTENT)
async def clear_mark(application_no: NumberGiven, item: ItemCode, request: Request, edge: EdgeGiven) -> None:
    """Take the mark off an item."""
    async with edge.asked(request) as (session, staff):
        await marks.clear_mark(session, edge.shelf, staff, application_no, item, edge.lease)


@router.post("/{application_no}/returns", status_code=HTTPStatus.CREATED, response_model=shapes.Returned)
async def return_items(
    application_no: NumberGiven, body: shapes.Return, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """Give the marked items back to the candidate; exactly those unlock."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Returned:
        feedback = await acts.return_items(session, edge.shelf, staff, application_no, body.revision)
        return shapes.Returned(
            feedback_id=feedback.feedback_id,
            items=[shapes.ReturnedItemShown(**item.model_dump()) for item in feedback.items],
            act=None,
        )

    return await edge.once(request, key, body, work)


@router.post("/{application_no}/passes", status_code=HTTPStatus.CREATED, response_model=shapes.Moved)
async def pass_on(
    application_no: NumberGiven, body: shapes.Pass, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """The site passes the application to its region."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Moved:
        return _moved(await acts.pass_on(session, edge.shelf, staff, application_no, body.revision))

    return await edge.once(request, key, body, work, tier="site")


@router.post("/{application_no}/send-backs", status_code=HTTPStatus.CREATED, response_model=shapes.Moved)
async def send_back(
    application_no: NumberGiven, body: shapes.SendBack, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """The region lets the site look again."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Moved:
        return _moved(await acts.send_back(session, staff, application_no, body.words, body.revision))

    return await edge.once(request, key, body, work, tier="region")


@router.post("/{application_no}/decisions", status_code=HTTPStatus.CREATED, response_model=shapes.Moved)
async def decide(
    application_no: NumberGiven, body: shapes.Decision, request: Request, edge: EdgeGiven, key: IdempotencyKey
) -> JSONResponse:
    """The region's final opinion; it shows once it is published."""

    async def work(session: AsyncSession, staff: Staff) -> shapes.Moved:
        return _moved(
            await acts.decide(session, edge.shelf, staff, application_no, body.outcome, body.words, body.revision)
        )

    return await edge.once(request, key, body, work, tier="region")


async def _picture(edge: Edge, stored: Stored, missing: NotFound, **about: str) -> Response:
    """A picture that no cache keeps: papers and faces are personal data."""
    try:
        body = await edge.storage.get(stored.object_key)
    except (ObjectGone, ValueError) as error:
        log.warning("image.unreadable", error=type(error).__name__, **about)
        raise missing from None
    return Response(
        body,
        media_type=stored.content_type,
        headers={
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline",
            # Opened in a tab of its own it is still only a picture.
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def _claimed(review: Review) -> shapes.Claimed:
    assert review.claimed_until is not None  # noqa: S101 it was claimed in this very transaction
    return shapes.Claimed(application_no=review.application_no, claimed_until=review.claimed_until)


def _moved(review: Review) -> shapes.Moved:
    return shapes.Moved(
        application_no=review.application_no,
        state=review.state.value,
        round=review.round,
        revision=review.revision,
        proposed=False,
        act=None,
    )
