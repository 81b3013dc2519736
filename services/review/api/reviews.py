"""One application: its screen, its images, and marks."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Request, Response

from services.review import shapes
from services.review.api.edge import Edge, EdgeGiven, NumberGiven
from services.review.domain import Mark
from services.review.queries.detail import detail_of
from services.review.queries.history import history_of
from services.review.queries.images import Stored, image_of, no_such_image, no_such_photo, photo_of
from services.review.use_cases import audit, marks
from shared.contracts.event import ItemCode
from shared.errors import NotFound
from shared.storage import ObjectGone

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/reviews", tags=["reviews"])


@router.get("/{application_no}")
async def read_review(application_no: NumberGiven, request: Request, edge: EdgeGiven) -> shapes.Detail:
    """One application on one screen."""
    async with edge.asked(request) as (session, staff):
        found = await detail_of(session, edge.key_ring, edge.shelf, staff, application_no)
        claimed = {"claimed": found.claimed_by_me}
        await audit.seen(session, staff, "opened", application_no, claimed, within=audit.OPENED_AGAIN)
        return found


@router.get("/{application_no}/history")
async def read_history(
    application_no: NumberGiven,
    request: Request,
    edge: EdgeGiven,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> shapes.History:
    """What was done with it, newest first; with `history_next` of the screen, what that had no room for."""
    async with edge.asked(request) as (session, staff):
        found = await history_of(session, staff, application_no, cursor, limit)
        await audit.seen(session, staff, "opened", application_no, {"part": "history"}, within=audit.OPENED_AGAIN)
        return found


@router.get(
    "/{application_no}/images/{image_id}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}}}},
)
async def read_image(application_no: NumberGiven, image_id: UUID, request: Request, edge: EdgeGiven) -> Response:
    """An image's bytes, under one's own claim."""
    async with edge.asked(request) as (session, staff):
        stored = await image_of(session, staff, application_no, image_id)
        which = {"image_id": str(image_id)}
        await audit.seen(session, staff, "image_seen", application_no, which, within=audit.IMAGE_SEEN_AGAIN)
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
        which = {"image": "registration_photo"}
        await audit.seen(session, staff, "image_seen", application_no, which, within=audit.IMAGE_SEEN_AGAIN)
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
        await marks.put_mark(session, edge.shelf, staff, application_no, mark, edge.lease, body.revision)
    return shapes.MarkShown(
        mark=mark.mark,
        reason_code=mark.reason_code,
        words=mark.words,
        image_ids=list(mark.image_ids),
        same_images_allowed=mark.same_images_allowed,
    )


@router.delete("/{application_no}/items/{item}/mark", status_code=HTTPStatus.NO_CONTENT)
async def clear_mark(
    application_no: NumberGiven,
    item: ItemCode,
    revision: Annotated[shapes.Revision, Query()],
    request: Request,
    edge: EdgeGiven,
) -> None:
    """Take the mark off an item; `revision` is what was on the screen."""
    async with edge.asked(request) as (session, staff):
        await marks.clear_mark(session, edge.shelf, staff, application_no, item, edge.lease, revision)


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
