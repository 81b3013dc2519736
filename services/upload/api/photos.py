"""The photo check, and handing in the registration photo."""

import hashlib
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError

from services.upload import door, queries
from services.upload.api.edge import AtEdge, Edge, OwnApplication
from services.upload.domain.photos import declaration_missing, declared_in, is_complete, receipt_used
from services.upload.photo_shapes import PhotoCheckShown, PhotoChecksShown, RegisteredPhoto
from services.upload.queries.photos import Found
from services.upload.use_cases import photos, registration_photos
from services.upload.use_cases.photos import Portrait
from shared.errors import NotFound
from shared.idempotency import Answer, IdempotencyKey, fingerprint, once
from shared.problems import described
from shared.storage import ObjectGone

router = APIRouter(
    prefix="/applications/{application_no}", tags=["photo"], responses=described(400, 401, 403, 404, 409, 422, 503)
)

_JPEG_OR_PNG = {
    "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
    "image/png": {"schema": {"type": "string", "format": "binary"}},
}
Declared = Annotated[
    str,
    Query(
        max_length=100,
        description="`recent,unaltered`: the candidate declares that the photo was taken within six months, "
        "and was not beautified or edited.",
    ),
]


@router.put(
    "/photo-checks/{photo_id}",
    status_code=201,
    response_model=PhotoCheckShown,
    responses=described(408, 413, 415, 429)
    | {200: {"model": PhotoCheckShown, "description": "This very picture was sent before."}},
    openapi_extra={"requestBody": {"required": True, "content": _JPEG_OR_PNG}},
)
async def check_photo(
    application_no: OwnApplication,
    photo_id: UUID,
    request: Request,
    response: Response,
    edge: AtEdge,
    declared: Declared = "",
) -> dict[str, Any]:
    """Have a portrait checked, and brought to the official size, under an id that the client made.

    What no program can see is declared. At most 20 an hour, five of them at once.
    """
    said = declared_in(declared)
    if not is_complete(said):
        raise declaration_missing()
    async with edge.sessions() as session:
        await photos.check_may_ask(session, application_no, photo_id)
    with edge.arriving.one_more(application_no):
        again = await _take_in(edge, application_no, photo_id, request, said)
    response.status_code = 200 if again else 201
    return await _shown(edge, application_no, photo_id)


async def _take_in(edge: Edge, application_no: str, photo_id: UUID, request: Request, declared: list[str]) -> bool:
    """Take the portrait in, and have it checked; True if it was sent before."""
    arrived = await door.receive_portrait(request)
    key = photos.portrait_key(application_no, photo_id, arrived.sha256)
    async with edge.sessions() as session:
        if await photos.sent_already(session, application_no, photo_id, arrived.sha256):
            return True
    # The object first, with no transaction open: an orphan object is harmless, an orphan row is not.
    await edge.storage.put(key, arrived.body, arrived.content_type)
    portrait = Portrait(application_no, photo_id, key, arrived.sha256, len(arrived.body), arrived.content_type)
    try:
        async with edge.sessions.begin() as session:
            return not await photos.request(session, edge.shelf, portrait, declared)
    except IntegrityError:
        raise photos.photo_id_taken() from None  # two candidates used one id in the same moment


@router.get("/photo-checks", response_model=PhotoChecksShown)
async def list_photo_checks(application_no: OwnApplication, response: Response, edge: AtEdge) -> dict[str, Any]:
    """The newest photo checks."""
    async with edge.sessions() as session:
        found = await queries.photo_checks(session, application_no)
    response.headers["Cache-Control"] = "private, no-store"
    return {"items": found}


@router.get("/photo-checks/{photo_id}", response_model=PhotoCheckShown)
async def read_photo_check(
    application_no: OwnApplication, photo_id: UUID, response: Response, edge: AtEdge
) -> dict[str, Any]:
    """One photo check; the page is told by `photo_checked` when it has an answer."""
    response.headers["Cache-Control"] = "private, no-store"
    return await _shown(edge, application_no, photo_id)


@router.get(
    "/photo-checks/{photo_id}/picture",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}}}},
)
async def read_picture(application_no: OwnApplication, photo_id: UUID, edge: AtEdge) -> Response:
    """The picture as it is stored; it is deleted an hour after the verdict."""
    async with edge.sessions() as session:
        found = await queries.picture(session, application_no, photo_id)
    return await _object(edge, found)


@router.get("/photo-checks/{photo_id}/photo", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def read_finished_photo(application_no: OwnApplication, photo_id: UUID, edge: AtEdge) -> Response:
    """The finished photo with its receipt, byte for byte, to be saved."""
    async with edge.sessions() as session:
        found = await queries.finished_photo(session, application_no, photo_id)
    answer = await _object(edge, found)
    answer.headers["Content-Disposition"] = f'attachment; filename="{queries.DOWNLOAD_NAME}"'
    return answer


@router.post(
    "/registration-photo",
    status_code=201,
    response_model=RegisteredPhoto,
    responses=described(408, 413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "image/jpeg": {"schema": {"type": "string", "format": "binary", "maxLength": door.LARGEST_PHOTO}}
            },
        }
    },
)
async def register_photo(
    application_no: OwnApplication, request: Request, edge: AtEdge, key: IdempotencyKey, declared: Declared = ""
) -> JSONResponse:
    """Hand in the registration photo: a file that the photo check gave. It is verified, then kept byte for byte.

    A receipt is accepted once. A refusal's code is the reason, such as `photo_changed` or `receipt_expired`.
    """
    body, said = await door.receive_photo(request, largest=door.LARGEST_PHOTO), declared_in(declared)
    same = fingerprint(f"registration-photo/{hashlib.sha256(body).hexdigest()}/{','.join(said)}")
    answer = await _answered_before(edge, application_no, key, same)
    if answer is not None:
        return answer.response()
    photo = registration_photos.verified(body, edge.photo_keys, application_no, said)
    async with edge.sessions() as session:
        await registration_photos.check(session, edge.shelf, photo)
    await edge.storage.put(photo.object_key, body, "image/jpeg")

    async def work() -> Answer:
        row = await registration_photos.accept(session, edge.shelf, photo)
        return Answer(
            201,
            {
                "sha256": photo.sha256,
                "size": len(body),
                "accepted_at": row["accepted_at"].isoformat(),
                "expires_at": row["expires_at"].isoformat(),
                "pack": row["pack"],
                "key_id": row["key_id"],
                "url": queries.registration_photo_url(application_no),
            },
        )

    try:
        async with edge.sessions.begin() as session:
            answer = await once(session, application_no, key, same, work)
    except IntegrityError:
        raise receipt_used() from None  # twice in the same moment
    return answer.response()


@router.get("/registration-photo", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def read_registration_photo(application_no: OwnApplication, edge: AtEdge) -> Response:
    """The registration photo, byte for byte as it was handed in."""
    async with edge.sessions() as session:
        found = await queries.registration_photo_object(session, application_no)
    return await _object(edge, found)


class _NotYet(Exception):
    """Nothing was answered under this key."""


async def _answered_before(edge: Edge, application_no: str, key: str, same: bytes) -> Answer | None:
    """The saved answer: a receipt that was accepted would be refused if it were looked at again."""

    async def work() -> Answer:
        raise _NotYet

    try:
        async with edge.sessions.begin() as session:
            return await once(session, application_no, key, same, work)
    except _NotYet:
        return None


async def _shown(edge: Edge, application_no: str, photo_id: UUID) -> dict[str, Any]:
    async with edge.sessions() as session:
        found = await queries.photo_check(session, application_no, photo_id)
    if found is None:
        raise _no_such_photo()
    return found


async def _object(edge: Edge, found: Found | None) -> Response:
    if found is None:
        raise _no_such_photo()
    try:
        body = await edge.storage.get(found.object_key)
    except ObjectGone:
        raise _no_such_photo() from None
    return Response(
        body,
        media_type=found.content_type,
        headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
    )


def _no_such_photo() -> NotFound:
    """Not there for this candidate, or not any more."""
    return NotFound(
        "photo-not-found",
        "没有找到这张照片，可能已按规定删除。请刷新页面，需要时重新进行照片检测。",
        "There is no such photo; it may have been deleted in time. Reload the page, and do the photo check again if "
        "you need one.",
    )
