"""Captchas, for people who see and for people who listen."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.upload.account_shapes import CaptchaMade
from services.upload.api.edge import AtEdge
from services.upload.shapes import Nothing
from shared.problems import described
from shared.security.attempts import address_of

router = APIRouter(prefix="/candidate/captchas", tags=["session"], responses=described(400, 403, 404, 422, 429, 503))

_A_MINUTE = timedelta(minutes=1)
# Speaking one takes a core for 0.6 s.
SPOKEN_PER_MINUTE = 12


@router.post("", status_code=201)
async def make_captcha(_: Nothing, request: Request, edge: AtEdge) -> CaptchaMade:
    """A new captcha. Nobody need be logged in, and no Idempotency-Key is needed: each is another one."""
    edge.cookies.check_origin(request)
    async with edge.sessions.begin() as session:
        await edge.attempts.allow(session, "captcha", address_of(request), edge.captchas_per_minute, _A_MINUTE)
        made = await edge.captchas.make(session)
    url = f"/candidate/captchas/{made.captcha_id}"
    return CaptchaMade(
        captcha_id=made.captcha_id,
        image_url=f"{url}/image",
        audio_url=f"{url}/audio",
        expires_at=made.expires_at,
    )


@router.get("/{captcha_id}/image", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def see(captcha_id: UUID, edge: AtEdge) -> Response:
    """The digits in a picture."""
    return _kept(await edge.captchas.render(edge.sessions, captcha_id, "drawn"), "image/png")


@router.get(
    "/{captcha_id}/audio",
    response_class=Response,
    responses={200: {"content": {"audio/wav": {}}}},
)
async def hear(captcha_id: UUID, request: Request, edge: AtEdge) -> Response:
    """The digits, spoken."""
    if not edge.captchas.has(captcha_id, "spoken"):
        async with edge.sessions.begin() as session:
            await edge.attempts.allow(session, "spoken", address_of(request), SPOKEN_PER_MINUTE, _A_MINUTE)
    return _kept(await edge.captchas.render(edge.sessions, captcha_id, "spoken"), "audio/wav")


def _kept(body: bytes, media_type: str) -> Response:
    # The browser may play it again without asking for another rendering.
    headers = {"Cache-Control": "private, max-age=600", "X-Content-Type-Options": "nosniff"}
    return Response(body, media_type=media_type, headers=headers)
