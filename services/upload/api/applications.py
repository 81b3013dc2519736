"""A candidate's application: the page, its images, handing in and taking back."""

import re
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import door, queries, tables
from services.upload.api.edge import AtEdge, OwnApplication, no_such_image
from services.upload.checklist import explain
from services.upload.domain import no_such_item
from services.upload.rows import application
from services.upload.shapes import (
    ApplicationPage,
    ExplainedChecklist,
    Nothing,
    Restoration,
    StoredImage,
    Submitted,
    Withdrawn,
)
from services.upload.use_cases import materials, submissions
from services.upload.use_cases.materials import Place, Stored
from shared.errors import Conflict
from shared.idempotency import Answer, IdempotencyKey, fingerprint, once
from shared.problems import described
from shared.storage import ObjectGone

router = APIRouter(
    prefix="/applications/{application_no}",
    tags=["application"],
    responses=described(400, 401, 403, 404, 409, 422, 503),
)

_CODE = re.compile(r"[a-z][a-z_]{1,63}")


def _item(item: Annotated[str, Path(description="The item's code, such as `diploma`.")]) -> str:
    # What can't be a code is on no checklist either; it never reaches the database.
    if not _CODE.fullmatch(item):
        raise no_such_item()
    return item


Item = Annotated[str, Depends(_item)]


@router.get("", response_model=ApplicationPage)
async def read_application(application_no: OwnApplication, edge: AtEdge, response: Response) -> dict[str, Any]:
    """The whole page: state, checklist, images, feedback, timeline, and the final opinion once it is published."""
    async with edge.sessions() as session:
        page = await queries.page(session, edge.shelf, edge.contacts, application_no)
    response.headers["Cache-Control"] = "private, no-store"
    return page


@router.put(
    "/items/{item}/images/{image_id}",
    status_code=201,
    response_model=StoredImage,
    responses=described(408, 413, 415) | {200: {"model": StoredImage, "description": "It was there already."}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "image/jpeg": {"schema": {"type": "string", "format": "binary", "maxLength": door.LARGEST_IMAGE}},
                "image/png": {"schema": {"type": "string", "format": "binary", "maxLength": door.LARGEST_IMAGE}},
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
                },
            },
        }
    },
)
async def put_image(
    application_no: OwnApplication, item: Item, image_id: UUID, request: Request, response: Response, edge: AtEdge
) -> dict[str, Any]:
    """Store an image under an id that the client made; the same bytes again give the same answer."""
    place = Place(application_no, item, image_id)
    async with edge.sessions() as session:
        await materials.check_place(session, edge.shelf, place)
    arrived = await door.receive(request)
    key = materials.object_key(place, arrived.sha256)
    async with edge.sessions() as session:
        again = not await materials.may_be_stored(session, place, arrived.sha256)
    if not again:
        # The object first, with no transaction open: an orphan object is harmless, an orphan row is not.
        await edge.storage.put(key, arrived.body, arrived.content_type)
        try:
            async with edge.sessions.begin() as session:
                stored = Stored(key, arrived.sha256, len(arrived.body), arrived.content_type)
                again = not await materials.store(session, edge.shelf, place, stored)
        except IntegrityError:
            raise _taken_in_the_same_moment() from None
    response.status_code = 200 if again else 201
    async with edge.sessions() as session:
        return await _stored(session, place)


def _taken_in_the_same_moment() -> Conflict:
    """Two candidates used one id in the same moment."""
    return Conflict(
        "image-id-taken",
        "图片编号已被使用，请刷新页面后重新上传。",
        "This image id is in use. Make a new UUID for each image.",
    )


async def _stored(session: AsyncSession, place: Place) -> dict[str, Any]:
    row = (await session.execute(select(tables.images).where(tables.images.c.image_id == place.image_id))).one()
    return {
        "image_id": str(place.image_id),
        "item": row.item,
        "status": row.status,
        "size": row.size,
        "sha256": row.sha256,
        "content_type": row.content_type,
        "uploaded_at": row.uploaded_at.isoformat(),
        "url": queries.image_url(row.application_no, row.item, place.image_id),
    }


@router.get(
    "/items/{item}/images/{image_id}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}}}},
)
async def read_image(application_no: OwnApplication, item: Item, image_id: UUID, edge: AtEdge) -> Response:
    """The bytes as they are stored."""
    async with edge.sessions() as session:
        row = (
            await session.execute(
                select(tables.images.c.object_key, tables.images.c.content_type).where(
                    tables.images.c.image_id == image_id,
                    tables.images.c.application_no == application_no,
                    tables.images.c.item == item,
                    tables.images.c.removed_at.is_(None),
                )
            )
        ).first()
    if row is None:
        raise no_such_image()
    try:
        body = await edge.storage.get(row.object_key)
    except ObjectGone:
        raise no_such_image() from None
    return Response(
        body,
        media_type=row.content_type,
        headers={"Cache-Control": "private, max-age=3600, immutable", "X-Content-Type-Options": "nosniff"},
    )


@router.delete("/items/{item}/images/{image_id}", status_code=204)
async def delete_image(application_no: OwnApplication, item: Item, image_id: UUID, edge: AtEdge) -> None:
    """Take an image off an unlocked item; one that is not there is no error."""
    async with edge.sessions.begin() as session:
        await materials.remove(session, edge.shelf, Place(application_no, item, image_id))


@router.post("/items/{item}/images/{image_id}/restorations", status_code=201, response_model=StoredImage)
async def restore_image(
    application_no: OwnApplication,
    item: Item,
    image_id: UUID,
    edge: AtEdge,
    key: IdempotencyKey,
    body: Restoration,
) -> JSONResponse:
    """Undo a removal within a day: the image comes back under a new id, and is checked anew."""
    place, new = Place(application_no, item, image_id), Place(application_no, item, body.image_id)
    async with edge.sessions() as session:
        removed = await materials.removed_image(session, edge.shelf, place, new)
    copy = None
    if removed is not None:
        # The object first, with no transaction open: a copy that nobody comes to own is harmless.
        try:
            content = await edge.storage.get(removed.object_key)
        except ObjectGone:
            raise materials.too_late_to_restore() from None
        copy = replace(removed, object_key=materials.object_key(new, removed.sha256))
        await edge.storage.put(copy.object_key, content, copy.content_type)

    async def work() -> Answer:
        if copy is not None:
            await materials.restore(session, edge.shelf, place, new, copy)
        return Answer(201, await _stored(session, new))

    try:
        async with edge.sessions.begin() as session:
            request = fingerprint(f"items/{item}/images/{image_id}/restorations", body)
            answer = await once(session, application_no, key, request, work)
    except IntegrityError:
        raise _taken_in_the_same_moment() from None
    return answer.response()


@router.post("/items/{item}/images/{image_id}/confirmations", status_code=200, response_model=StoredImage)
async def confirm_image(
    application_no: OwnApplication, item: Item, image_id: UUID, edge: AtEdge, key: IdempotencyKey, body: Nothing
) -> JSONResponse:
    """Hand in an image all the same whose quality was rejected. What else is wrong with an image can't be confirmed."""
    place = Place(application_no, item, image_id)

    async def work() -> Answer:
        await materials.confirm(session, edge.shelf, place)
        return Answer(200, await _stored(session, place))

    async with edge.sessions.begin() as session:
        request = fingerprint(f"items/{item}/images/{image_id}/confirmations", body)
        answer = await once(session, application_no, key, request, work)
    return answer.response()


@router.get("/checklist", response_model=ExplainedChecklist)
async def read_checklist(application_no: OwnApplication, edge: AtEdge, response: Response) -> dict[str, Any]:
    """Every item that the pack shows, and what it means for this candidate, with the reason."""
    async with edge.sessions() as session:
        of = await application(session, application_no)
        checklist = await edge.shelf.checklist_for(session, of)
    response.headers["Cache-Control"] = "private, no-store"
    return explain(checklist)


@router.post("/withdrawals", status_code=201, response_model=Withdrawn)
async def withdraw(application_no: OwnApplication, edge: AtEdge, key: IdempotencyKey, body: Nothing) -> JSONResponse:
    """Take the application back while the region's window is open; everything unlocks."""

    async def work() -> Answer:
        withdrawn = await submissions.withdraw(session, edge.shelf, application_no)
        return Answer(201, {"revision": withdrawn.revision, "withdrawn_at": withdrawn.withdrawn_at.isoformat()})

    async with edge.sessions.begin() as session:
        answer = await once(session, application_no, key, fingerprint("withdrawals", body), work)
    return answer.response()


@router.post("/submissions", status_code=201, response_model=Submitted)
async def submit(application_no: OwnApplication, edge: AtEdge, key: IdempotencyKey, body: Nothing) -> JSONResponse:
    """Hand in; everything locks. Refused with each missing item named."""

    async def work() -> Answer:
        submitted = await submissions.submit(session, edge.shelf, application_no)
        return Answer(
            201,
            {
                "round": submitted.round,
                "revision": submitted.revision,
                "submitted_at": submitted.submitted_at.isoformat(),
            },
        )

    async with edge.sessions.begin() as session:
        answer = await once(session, application_no, key, fingerprint("submissions", body), work)
    return answer.response()
