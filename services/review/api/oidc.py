"""Logging in through an identity provider: off to it, and back with its code.

Browsers come here by links, not by scripts: whatever happens, they are sent on to the console, which has the words.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from services.review import accounts
from services.review.api.edge import Edge, EdgeGiven
from services.review.api.sessions import open_session
from services.review.identity_provider import VALID_FOR, IdentityProvider, wrong_state
from services.review.use_cases import audit
from shared.errors import Forbidden, NotFound, Refusal
from shared.security.attempts import address_of

router = APIRouter(prefix="/staff/oidc", tags=["session"])

_CONSOLE = "/console/"
# An office logs in in the morning, behind one address.
_PER_MINUTE = 60
_MINUTE = timedelta(minutes=1)
Given = Annotated[str | None, Query(max_length=4096)]


@router.get("/login", status_code=HTTPStatus.FOUND, response_class=RedirectResponse)
async def go(request: Request, edge: EdgeGiven) -> RedirectResponse:
    """Off to the identity provider."""
    try:
        async with edge.sessions.begin() as session:
            await edge.attempts.allow(session, "oidc", address_of(request), _PER_MINUTE, _MINUTE)
        url, kept = await _provider(edge).begin()
    except Refusal as refusal:
        return _to_console(refusal)
    response = _redirect(url)
    # Lax: the way back begins on the provider's page, and a Strict cookie would stay behind.
    response.set_cookie(
        _cookie(edge),
        kept,
        max_age=int(VALID_FOR.total_seconds()),
        path="/",
        secure=edge.cookies.secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/callback", status_code=HTTPStatus.FOUND, response_class=RedirectResponse)
async def come_back(
    request: Request, edge: EdgeGiven, code: Given = None, state: Given = None, error: Given = None
) -> RedirectResponse:
    """Back from it, with a code; logged in, if the account is one of ours."""
    # The console is a page that needs no cookie. What it then asks for comes from our own page: the session's cookie
    # goes along, although it is SameSite=Strict and the way here began elsewhere.
    response = _redirect(_CONSOLE)
    try:
        await _log_in(edge, request, response, code or "", state or "", refused=error is not None)
    except Refusal as refusal:
        response = _to_console(refusal)
    response.delete_cookie(_cookie(edge), path="/", secure=edge.cookies.secure, httponly=True, samesite="lax")
    return response


async def _log_in(
    edge: Edge, request: Request, response: RedirectResponse, code: str, state: str, *, refused: bool
) -> None:
    provider = _provider(edge)
    journey = provider.journey_of(request.cookies.get(_cookie(edge), ""), state)
    async with edge.sessions.begin() as session:
        await edge.attempts.allow(session, "oidc-back", address_of(request), _PER_MINUTE, _MINUTE)
        fresh = await edge.attempts.first(session, "oidc-state", state)
    if not fresh:
        raise wrong_state()
    if refused or not code:
        raise Forbidden(
            "oidc-denied", "您取消了统一登录。", "The identity provider did not let you through. Try again."
        )
    try:
        # No connection is held while the provider is asked.
        subject = await provider.subject_of(code, journey)
        async with edge.sessions.begin() as session:
            staff = await accounts.by_provider(session, provider.issuer, subject)
            await open_session(edge, session, request, response, staff, "provider")
    except Forbidden as refusal:
        async with edge.sessions.begin() as session:
            detail = {"wrong": refusal.code}
            await audit.write(session, audit.line("logged_in", None, outcome="refused", detail=detail))
        raise


def _provider(edge: Edge) -> IdentityProvider:
    if edge.provider is None:
        raise NotFound(
            "oidc-not-set-up", "本系统未接入统一登录，请用账号密码登录。", "No identity provider is set up here."
        )
    return edge.provider


def _cookie(edge: Edge) -> str:
    return "__Host-baoshen_oidc" if edge.cookies.secure else "baoshen_oidc"


def _to_console(refusal: Refusal) -> RedirectResponse:
    return _redirect(f"{_CONSOLE}?{urlencode({'problem': refusal.code})}")


def _redirect(url: str) -> RedirectResponse:
    return RedirectResponse(url, HTTPStatus.FOUND, headers={"Cache-Control": "no-store"})
