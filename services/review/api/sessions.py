"""Staff log in and out; the gateway asks here on whose behalf it may pass a call on."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import accounts, shapes
from services.review.accounts.people import Known, Through
from services.review.accounts.tries import Tries, refused
from services.review.api.edge import Edge, EdgeGiven
from services.review.domain import Staff
from services.review.use_cases import audit
from shared.errors import Refusal, Unauthenticated
from shared.security.attempts import Attempt, address_of
from shared.security.identity import HEADER, Identity
from shared.security.passwords import verify_password
from shared.security.sessions import LoggedIn, device_of

router = APIRouter(tags=["session"])

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@router.get("/staff/login-options")
async def login_options(edge: EdgeGiven) -> shapes.LoginOptions:
    """The ways in that there are."""
    provider = None if edge.provider is None else shapes.IdentityProvider(name=edge.provider.name)
    return shapes.LoginOptions(local=True, oidc=provider)


@router.post("/staff/session", status_code=HTTPStatus.CREATED)
async def log_in(body: shapes.Login, request: Request, response: Response, edge: EdgeGiven) -> shapes.Session:
    """Log in; the answer's token goes into X-CSRF-Token of every write."""
    edge.cookies.check_origin(request)
    async with edge.logins:
        return await _log_in(body, request, response, edge)


async def _log_in(body: shapes.Login, request: Request, response: Response, edge: Edge) -> shapes.Session:
    tries = Tries(edge.sessions, edge.attempts, body.login, address_of(request), "logged_in")
    attempt = await tries.begin()
    async with edge.sessions.begin() as session:
        account = await accounts.credentials(session, body.login)
    # Slow by design, so no connection is held meanwhile; as slow for a login that does not exist.
    matches = await verify_password(account.password_hash if account is not None else None, body.password)
    if account is None or not matches:
        await _write_down_failure(edge, account, "password")
        raise _failed()
    if account.second_factor and (body.code is not None or body.recovery_code is not None):
        attempt = await tries.begin_code(attempt)
    async with edge.sessions.begin() as session:
        verdict = await edge.second_factors.admit(session, account, body.code, body.recovery_code)
        if verdict == "needed":
            await edge.attempts.never_was(session, attempt)
        elif verdict != "wrong" and verdict != "gone":
            known, logged_in = await _open(edge, session, request, response, account, verdict, attempt)
            return _shown(edge, known, logged_in)
    if verdict == "needed":
        raise Unauthenticated(
            "second-factor-needed",
            "请输入验证器应用中的六位验证码，或一个恢复码。",
            "Type the six digits that your authenticator app shows, or a recovery code.",
        )
    await _write_down_failure(edge, account, "second-factor" if verdict == "wrong" else "password")
    if verdict == "gone":
        raise _failed()
    raise Unauthenticated(
        "second-factor-wrong",
        "验证码不正确或已使用，请等待下一个验证码后重试。",
        "The code is wrong, or was used already. Wait for the next one and try again.",
    )


@router.get("/staff/session")
async def read_session(request: Request, edge: EdgeGiven) -> shapes.Session:
    """Who is logged in."""
    async with edge.sessions.begin() as session:
        logged_in = await edge.cookies.find(session, request)
        return _shown(edge, await accounts.known(session, logged_in), logged_in)


@router.delete("/staff/session", status_code=HTTPStatus.NO_CONTENT)
async def log_out(request: Request, response: Response, edge: EdgeGiven) -> None:
    """Log out. A session that has ended already is no error; a foreign page's click is."""
    async with edge.sessions.begin() as session:
        try:
            logged_in = await edge.cookies.find(session, request)
        except Unauthenticated:
            edge.cookies.check_origin(request)
        else:
            await _write_down_leaving(session, logged_in)
        await edge.cookies.end(session, request, response)


@router.get("/staff/identity", status_code=HTTPStatus.NO_CONTENT)
async def identity(
    audience: Literal["upload", "validation", "notify"], request: Request, response: Response, edge: EdgeGiven
) -> None:
    """For the gateway (`forward_auth`): who is asking, signed for one audience and thirty seconds."""
    async with edge.sessions.begin() as session:
        logged_in = await edge.cookies.find(session, request)
        staff = await accounts.member(session, logged_in, required=edge.second_factor_required)
    # The gateway asks with GET: whether the call it stands for is a write is in its own header.
    if request.headers.get("X-Forwarded-Method", "GET") not in _SAFE:
        edge.cookies.check_write(request, logged_in.csrf_token)
    response.headers[HEADER] = edge.signer.sign(Identity("staff", str(staff.id)), audience)


async def open_session(
    edge: Edge, session: AsyncSession, request: Request, response: Response, staff: Staff, through: Through
) -> LoggedIn:
    """Begin a session in the caller's transaction, and write down that somebody came in, and how."""
    logged_in = await edge.cookies.begin(session, response, str(staff.id), device=device_of(request))
    await accounts.came_through(session, logged_in, through)
    await audit.write(session, audit.line("logged_in", staff, detail={"through": through}))
    return logged_in


async def _open(
    edge: Edge,
    session: AsyncSession,
    request: Request,
    response: Response,
    account: accounts.Account,
    through: Through,
    attempt: Attempt,
) -> tuple[Known, LoggedIn]:
    await edge.attempts.succeeded(session, attempt)
    logged_in = await open_session(edge, session, request, response, account.staff, through)
    return await accounts.known(session, logged_in), logged_in


async def _write_down_failure(edge: Edge, account: accounts.Account | None, wrong: str) -> None:
    async with edge.sessions.begin() as session:
        await audit.write(session, refused("logged_in", None, account, wrong))


async def _write_down_leaving(session: AsyncSession, logged_in: LoggedIn) -> None:
    try:
        staff = (await accounts.known(session, logged_in)).staff
    except Refusal:  # of an account that was closed the session still ends
        return
    await audit.write(session, audit.line("logged_out", staff))


def _failed() -> Unauthenticated:
    return Unauthenticated(
        "login-failed",
        "账号或密码不正确，请核对后重试。",
        "Login or password is wrong. Check both and try again.",
    )


def _shown(edge: Edge, known: Known, logged_in: LoggedIn) -> shapes.Session:
    staff = known.staff
    return shapes.Session(
        staff_id=staff.id,
        display_name=staff.display_name,
        role=staff.role,
        region=staff.region,
        site=staff.site,
        csrf_token=logged_in.csrf_token,
        second_factor=known.second_factor,
        must_enrol=edge.second_factor_required and known.lacks_second_factor,
    )
