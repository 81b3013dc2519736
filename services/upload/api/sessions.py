"""Logging in for the first time and later, logging out here or everywhere, and saying who is asking."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.upload import accounts, captchas
from services.upload.account_shapes import Activation, CandidateLogin, CaptchaAnswer, SessionShown, SessionsShown
from services.upload.accounts import Standing
from services.upload.api.edge import AtEdge, Candidate, Edge
from services.upload.shapes import Login, SessionOpened
from shared.errors import Forbidden, Unauthenticated
from shared.problems import described
from shared.security.attempts import Attempt, address_of
from shared.security.identity import HEADER, Identity
from shared.security.sessions import device_of

router = APIRouter(prefix="/candidate", tags=["session"], responses=described(400, 401, 403, 422))


@router.post("/activation", status_code=201, responses=described(429, 503))
async def activate(body: Activation, request: Request, response: Response, edge: AtEdge) -> SessionOpened:
    """The first login, with the account of the exam registration and a captcha; it links the account.

    Where that has been done it is a login like any other.
    """
    application_no, _ = await _check(edge, request, body, body.captcha)
    return await _begin(edge, request, response, application_no, first=True)


@router.post("/session", status_code=201, responses=described(429, 503))
async def log_in(body: CandidateLogin, request: Request, response: Response, edge: AtEdge) -> SessionOpened:
    """Log in with the application number or the ID number, and the password.

    401 `login-failed` says whether the next try needs a captcha, 429 `captcha-needed` that this one did. 403
    `activation-needed`: the password is right, and the account waits for its activation.
    """
    application_no, standing = await _check(edge, request, body, body.captcha)
    if not standing.activated:
        raise Forbidden(
            "activation-needed",
            "首次登录需要激活账号，请输入验证码完成激活。",
            "This is the first login: activate the account with a captcha.",
        )
    return await _begin(edge, request, response, application_no, first=False)


@router.get("/session")
async def who_am_i(candidate: Candidate) -> SessionOpened:
    """The session that the cookie belongs to."""
    return SessionOpened(application_no=candidate.subject, csrf_token=candidate.csrf_token)


@router.delete("/session", status_code=204)
async def log_out(request: Request, response: Response, edge: AtEdge, _: Candidate) -> None:
    """End the session."""
    async with edge.sessions.begin() as session:
        await edge.cookies.end(session, request, response)


@router.get("/sessions")
async def list_sessions(response: Response, edge: AtEdge, candidate: Candidate) -> SessionsShown:
    """Where the candidate is logged in."""
    async with edge.sessions() as session:
        found = await edge.cookies.listed(session, candidate.subject)
    response.headers["Cache-Control"] = "no-store"
    return SessionsShown(
        items=[
            SessionShown(
                session_id=each.session_id,
                device=each.device,
                created_at=each.created_at,
                last_seen_at=each.last_seen_at,
                current=each.session_id == candidate.session_id,
            )
            for each in found
        ]
    )


@router.delete("/sessions", status_code=204)
async def log_out_everywhere(response: Response, edge: AtEdge, candidate: Candidate) -> None:
    """End all of the candidate's sessions, this one included."""
    async with edge.sessions.begin() as session:
        await edge.cookies.end_all(session, candidate.subject)
    edge.cookies.take_back(response)


@router.delete("/sessions/{session_id}", status_code=204)
async def log_out_there(session_id: UUID, response: Response, edge: AtEdge, candidate: Candidate) -> None:
    """End one of the candidate's sessions; one that has ended is no error."""
    async with edge.sessions.begin() as session:
        await edge.cookies.end_one(session, candidate.subject, session_id)
    if session_id == candidate.session_id:
        edge.cookies.take_back(response)


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


async def _check(edge: Edge, request: Request, body: Login, captcha: CaptchaAnswer | None) -> tuple[str, Standing]:
    """Whose login it is. Captcha, count, password, in this order; no connection is held while it is looked at."""
    edge.cookies.check_origin(request)
    if captcha is not None:
        async with edge.sessions.begin() as session:  # used up, whatever comes next
            right = await edge.captchas.redeem(session, captcha.captcha_id, captcha.answer)
        if not right:
            raise captchas.wrong()
    async with edge.sessions.begin() as session:
        attempt = await edge.attempts.begin(session, body.login, address_of(request), excused=captcha is not None)
    try:
        application_no = await edge.accounts.check(edge.sessions, body.login, body.password)
    except Exception:
        # Nobody was told anything about the password, so it was no guess.
        async with edge.sessions.begin() as session:
            await edge.attempts.never_was(session, attempt)
        raise
    if application_no is None:
        raise _failed(attempt)
    async with edge.sessions.begin() as session:
        await edge.attempts.succeeded(session, attempt)
        standing = await accounts.standing(session, application_no)
    if not standing.registered:
        raise Forbidden(
            "registration-not-here",
            "您的报名信息尚未传到本系统，请稍后再试；如一直无法登录，请联系考点。",
            "Your registration has not arrived in this system yet. Try again later, or ask your exam site.",
        )
    return application_no, standing


async def _begin(
    edge: Edge, request: Request, response: Response, application_no: str, *, first: bool
) -> SessionOpened:
    async with edge.sessions.begin() as session:
        if first:
            await accounts.activate(session, [application_no])
        opened = await edge.cookies.begin(session, response, application_no, device=device_of(request))
    return SessionOpened(application_no=application_no, csrf_token=opened.csrf_token)


def _failed(attempt: Attempt) -> Unauthenticated:
    return Unauthenticated(
        "login-failed",
        "报名编号（或证件号码）与密码不匹配，请核对后重试。",
        "The number and the password do not fit. Check both and try again.",
        captcha_needed=attempt.last,
    )
