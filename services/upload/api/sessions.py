"""Logging in and out, and saying who is asking to the other services."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from services.upload.api.edge import AtEdge, Candidate
from services.upload.shapes import Login, SessionOpened
from shared.errors import Unauthenticated
from shared.problems import described
from shared.security.identity import HEADER, Identity

router = APIRouter(prefix="/candidate", tags=["session"], responses=described(400, 401, 403, 422))


@router.post("/session", status_code=201)
async def log_in(body: Login, request: Request, response: Response, edge: AtEdge) -> SessionOpened:
    """Log in with the application number or the ID number, and the password."""
    edge.cookies.check_origin(request)
    application_no = await edge.accounts.check(edge.sessions, body.login, body.password)
    if application_no is None:
        raise Unauthenticated(
            "login-failed",
            "报名编号（或证件号码）与密码不匹配，请核对后重试。",
            "The number and the password do not fit. Check both and try again.",
        )
    async with edge.sessions.begin() as session:
        opened = await edge.cookies.begin(session, response, application_no)
    return SessionOpened(application_no=application_no, csrf_token=opened.csrf_token)


@router.get("/session")
async def who_am_i(candidate: Candidate) -> SessionOpened:
    """The session that the cookie belongs to."""
    return SessionOpened(application_no=candidate.subject, csrf_token=candidate.csrf_token)


@router.delete("/session", status_code=204)
async def log_out(request: Request, response: Response, edge: AtEdge, _: Candidate) -> None:
    """End the session."""
    async with edge.sessions.begin() as session:
        await edge.cookies.end(session, request, response)


@router.get("/identity", status_code=204)
async def identity(
    request: Request, edge: AtEdge, candidate: Candidate, audience: Annotated[Literal["notify", "review"], Query()]
) -> Response:
    """For the gateway: who is asking, signed for one other service. A write must carry the CSRF token here too."""
    method = request.headers.get("x-forwarded-method", "GET").upper()
    if method not in {"GET", "HEAD"}:
        edge.cookies.check_write(request, candidate.csrf_token)
    header = edge.signer.sign(Identity("candidate", candidate.subject), audience)
    return Response(status_code=204, headers={HEADER: header, "Cache-Control": "no-store"})
