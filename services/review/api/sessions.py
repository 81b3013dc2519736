"""Staff log in and out; the gateway asks here on whose behalf it may pass a call on."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response

from services.review import accounts
from services.review.api.edge import EdgeGiven
from services.review.domain import Staff
from services.review.shapes import Login, Session
from shared.errors import Unauthenticated
from shared.security.identity import HEADER, Identity
from shared.security.passwords import verify_password
from shared.security.sessions import LoggedIn

router = APIRouter(tags=["session"])

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@router.post("/staff/session", status_code=HTTPStatus.CREATED)
async def log_in(body: Login, request: Request, response: Response, edge: EdgeGiven) -> Session:
    """Log in; the answer's token goes into X-CSRF-Token of every write."""
    edge.cookies.check_origin(request)
    async with edge.sessions() as session:
        found = await accounts.credentials(session, body.login)
    # Slow by design, so no connection is held meanwhile; as slow for a login that does not exist.
    matches = await verify_password(found[1] if found is not None else None, body.password)
    if found is None or not matches:
        raise Unauthenticated(
            "login-failed",
            "账号或密码不正确，请核对后重试。",
            "Login or password is wrong. Check both and try again.",
        )
    staff = found[0]
    async with edge.sessions.begin() as session:
        logged_in = await edge.cookies.begin(session, response, str(staff.id))
    return _shown(staff, logged_in)


@router.get("/staff/session")
async def read_session(request: Request, edge: EdgeGiven) -> Session:
    """Who is logged in."""
    async with edge.sessions.begin() as session:
        logged_in = await edge.cookies.find(session, request)
        return _shown(await accounts.member(session, logged_in.subject), logged_in)


@router.delete("/staff/session", status_code=HTTPStatus.NO_CONTENT)
async def log_out(request: Request, response: Response, edge: EdgeGiven) -> None:
    """Log out. A session that has ended already is no error; a foreign page's click is."""
    async with edge.sessions.begin() as session:
        try:
            await edge.cookies.find(session, request)
        except Unauthenticated:
            edge.cookies.check_origin(request)
        await edge.cookies.end(session, request, response)


@router.get("/staff/identity", status_code=HTTPStatus.NO_CONTENT)
async def identity(
    audience: Literal["upload", "validation", "notify"], request: Request, response: Response, edge: EdgeGiven
) -> None:
    """For the gateway (`forward_auth`): who is asking, signed for one audience and thirty seconds."""
    async with edge.sessions.begin() as session:
        logged_in = await edge.cookies.find(session, request)
        staff = await accounts.member(session, logged_in.subject)
    # The gateway asks with GET: whether the call it stands for is a write is in its own header.
    if request.headers.get("X-Forwarded-Method", "GET") not in _SAFE:
        edge.cookies.check_write(request, logged_in.csrf_token)
    response.headers[HEADER] = edge.signer.sign(Identity("staff", str(staff.id)), audience)


def _shown(staff: Staff, logged_in: LoggedIn) -> Session:
    return Session(
        staff_id=staff.id,
        display_name=staff.display_name,
        role=staff.role,
        region=staff.region,
        site=staff.site,
        csrf_token=logged_in.csrf_token,
        second_factor=False,
        must_enrol=False,
    )
