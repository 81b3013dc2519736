"""One's own second factor: set up, confirmed with a first code, and recovery codes anew."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import accounts, shapes
from services.review.accounts.people import Known
from services.review.accounts.tries import Tries
from services.review.api.edge import Edge, EdgeGiven
from services.review.domain import Staff
from services.review.use_cases import audit
from shared.errors import Conflict, Invalid
from shared.idempotency import Answer, IdempotencyKey, fingerprint, once
from shared.security import second_factor
from shared.security.attempts import address_of
from shared.security.sealing import STAFF_KEY

router = APIRouter(prefix="/staff/second-factor", tags=["session"])


class _Wrong(Exception):
    """The code was: nothing of this transaction stays."""


@router.post("", status_code=HTTPStatus.CREATED, response_model=shapes.SecondFactorBegun)
async def begin(body: shapes.Begin, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """A new secret for an authenticator app; it counts once its first code was right."""
    async with _known(edge, request) as (session, known):
        # Whoever sits down at an open session must not put their own telephone in the place of the person's.
        if known.second_factor and known.through != "recovery_code":
            raise Conflict(
                "second-factor-there",
                "已设置两步验证。如需更换设备，请用恢复码登录后重新设置，或请考区管理员重置。",
                "There is a second factor. To change it log in with a recovery code, or have it reset.",
            )

        async def work() -> shapes.SecondFactorBegun:
            secret = await edge.second_factors.begin(session, known.staff)
            uri = second_factor.uri_of(secret, known.staff.login)
            return shapes.SecondFactorBegun(secret=secret, uri=uri, qr_svg=second_factor.qr_svg(uri))

        return await _once(edge, session, known.staff, key, fingerprint(request.url.path, body), work)


@router.post("/confirmations", status_code=HTTPStatus.CREATED, response_model=shapes.RecoveryCodes)
async def confirm(body: shapes.Code, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """The first code: from now on one is asked for at each login. The recovery codes are shown this once."""

    async def first_code(session: AsyncSession, known: Known, code: str) -> list[str] | None:
        codes = await edge.second_factors.confirm(session, known.staff, code)
        if codes is not None:
            await accounts.showed_its_factor(session, known)
        return codes

    return await _guess(edge, request, key, body, "second_factor_enrolled", first_code)


@router.post("/recovery-codes", status_code=HTTPStatus.CREATED, response_model=shapes.RecoveryCodes)
async def renew_codes(body: shapes.Code, request: Request, edge: EdgeGiven, key: IdempotencyKey) -> JSONResponse:
    """New recovery codes; the old ones end."""

    async def again(session: AsyncSession, known: Known, code: str) -> list[str] | None:
        return await edge.second_factors.renew_codes(session, known.staff, code)

    return await _guess(edge, request, key, body, "recovery_codes_renewed", again)


@asynccontextmanager
async def _known(edge: Edge, request: Request) -> AsyncIterator[tuple[AsyncSession, Known]]:
    """As `Edge.asked`, for those, too, who may do nothing but this yet."""
    async with edge.sessions.begin() as session:
        logged_in = await edge.cookies.find(session, request)
        yield session, await accounts.known(session, logged_in)


async def _guess(
    edge: Edge,
    request: Request,
    key: str,
    body: shapes.Code,
    act: str,
    try_code: Callable[[AsyncSession, Known, str], Awaitable[list[str] | None]],
) -> JSONResponse:
    """Try a code; it is counted before it is looked at, as at a login."""
    async with _known(edge, request) as (_, known):
        pass
    tries = Tries(edge.sessions, edge.attempts, known.staff.login, address_of(request), act, known.staff)
    attempt = await tries.begin_code(await tries.begin())
    try:
        async with _known(edge, request) as (session, known):
            staff = known.staff

            async def work() -> shapes.RecoveryCodes:
                codes = _must_be_right(await try_code(session, known, body.code))
                await edge.attempts.succeeded(session, attempt)
                await audit.write(session, audit.line(act, staff))
                return shapes.RecoveryCodes(recovery_codes=codes)

            answer = await _once(edge, session, staff, key, fingerprint(request.url.path, body), work)
            # Of a saved answer nothing was tried: it neither counts as a failure, nor forgives others.
            await edge.attempts.never_was(session, attempt)
            return answer
    except _Wrong:
        async with edge.sessions.begin() as session:
            await audit.write(session, audit.line(act, known.staff, outcome="refused", detail={"wrong": "code"}))
        raise Invalid(
            "second-factor-wrong",
            "验证码不正确或已使用，请等待下一个验证码后重试。",
            "The code is wrong, or was used already. Wait for the next one and try again.",
        ) from None


def _must_be_right(codes: list[str] | None) -> list[str]:
    if codes is None:
        raise _Wrong
    return codes


async def _once(
    edge: Edge,
    session: AsyncSession,
    staff: Staff,
    key: str,
    request: bytes,
    work: Callable[[], Awaitable[BaseModel]],
) -> JSONResponse:
    """The same request again gets the saved answer. It holds secrets, so it is sealed."""

    async def answer() -> Answer:
        made = await work()
        key_id, sealed = edge.key_ring.seal_bytes(made.model_dump_json().encode(), STAFF_KEY)
        return Answer(HTTPStatus.CREATED, {"key_id": key_id, "sealed": base64.b64encode(sealed).decode()})

    saved = await once(session, f"staff:{staff.id}", key, request, answer)
    plain = edge.key_ring.open_bytes(saved.body["key_id"], base64.b64decode(saved.body["sealed"]))
    return JSONResponse(json.loads(plain), saved.status, headers={"Cache-Control": "no-store"})
