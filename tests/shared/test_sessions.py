"""Cookie sessions: whose request it is, when that ends, and which writes are refused."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
import pytest_asyncio
from fastapi import Request, Response
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from shared import clock
from shared.database import make_sessions
from shared.errors import Forbidden, Unauthenticated
from shared.security.sessions import LoggedIn, SessionCookies, forget_expired, session_table

ORIGIN = "http://127.0.0.1:8100"
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=8)


@pytest_asyncio.fixture
async def session(messaging_engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    metadata = MetaData()
    session_table(metadata)
    async with messaging_engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(text("TRUNCATE sessions"))
    async with make_sessions(messaging_engine)() as opened:
        yield opened


@pytest.fixture
def cookies() -> SessionCookies:
    return SessionCookies("baoshen_candidate", ORIGIN, idle=IDLE, longest=LONGEST)


def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    def pass_by(time: timedelta) -> None:
        now = clock.now() + time
        monkeypatch.setattr(clock, "now", lambda: now)

    return pass_by


def a_request(
    method: str = "GET", token: str | None = None, cookie: str = "baoshen_candidate", **headers: str
) -> Request:
    sent = [(name.lower().replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    if token is not None:
        sent.append((b"cookie", f"{cookie}={token}".encode("latin-1")))
    return Request({"type": "http", "method": method, "path": "/", "headers": sent, "query_string": b""})


async def log_in(session: AsyncSession, cookies: SessionCookies, subject: str = "2021110001") -> tuple[str, LoggedIn]:
    response = Response()
    logged_in = await cookies.begin(session, response, subject)
    morsel = next(iter(SimpleCookie(response.headers["set-cookie"]).values()))
    return morsel.value, logged_in


async def test_the_cookie_says_whose_request_it_is(session: AsyncSession, cookies: SessionCookies) -> None:
    token, logged_in = await log_in(session, cookies)

    found = await cookies.find(session, a_request(token=token))

    assert found == logged_in
    assert found.subject == "2021110001"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(session: AsyncSession) -> None:
    plain, secure = Response(), Response()
    await SessionCookies("c", ORIGIN, idle=IDLE, longest=LONGEST).begin(session, plain, "1")
    await SessionCookies("c", "https://x.example", idle=IDLE, longest=LONGEST).begin(session, secure, "1")

    for response in (plain, secure):
        parts = {part.strip().lower() for part in response.headers["set-cookie"].split(";")}
        assert {"httponly", "samesite=strict", "path=/", "max-age=28800"} <= parts
    assert secure.headers["set-cookie"].startswith("__Host-c=")
    assert "Secure" in secure.headers["set-cookie"]


async def test_the_token_itself_is_not_stored(session: AsyncSession, cookies: SessionCookies) -> None:
    token, logged_in = await log_in(session, cookies)

    rows = (await session.execute(text("SELECT * FROM sessions"))).all()

    assert len(rows) == 1
    stored = repr([bytes(value) if isinstance(value, memoryview) else value for value in rows[0]])
    assert token not in stored
    assert logged_in.csrf_token not in stored


async def test_each_login_has_a_new_token(session: AsyncSession, cookies: SessionCookies) -> None:
    one, _ = await log_in(session, cookies)
    other, _ = await log_in(session, cookies)

    assert one != other
    assert len(one) >= 43


@pytest.mark.parametrize("token", [None, "", "unknown", "x" * 5000, "é", "' OR 1=1 --"])
async def test_another_token_is_nobodys(session: AsyncSession, cookies: SessionCookies, token: str | None) -> None:
    await log_in(session, cookies)

    with pytest.raises(Unauthenticated):
        await cookies.find(session, a_request(token=token))


async def test_a_staff_cookie_is_no_candidates(session: AsyncSession, cookies: SessionCookies) -> None:
    token, _ = await log_in(session, cookies)

    with pytest.raises(Unauthenticated):
        await cookies.find(session, a_request(token=token, cookie="baoshen_staff"))


async def test_a_session_that_is_not_used_ends(
    session: AsyncSession, cookies: SessionCookies, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = await log_in(session, cookies)
    pass_by = later(monkeypatch)

    pass_by(IDLE - timedelta(seconds=1))
    await cookies.find(session, a_request(token=token))  # used: it begins anew
    pass_by(IDLE - timedelta(seconds=1))
    await cookies.find(session, a_request(token=token))
    pass_by(IDLE)

    with pytest.raises(Unauthenticated):
        await cookies.find(session, a_request(token=token))


async def test_a_session_ends_however_much_it_is_used(
    session: AsyncSession, cookies: SessionCookies, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = await log_in(session, cookies)
    pass_by = later(monkeypatch)

    for _ in range(20):
        await cookies.find(session, a_request(token=token))
        pass_by(LONGEST / 20)

    with pytest.raises(Unauthenticated):
        await cookies.find(session, a_request(token=token))


async def test_after_logging_out_the_token_is_worth_nothing(session: AsyncSession, cookies: SessionCookies) -> None:
    token, _ = await log_in(session, cookies)
    other, _ = await log_in(session, cookies)
    response = Response()

    await cookies.end(session, a_request("DELETE", token), response)

    assert "baoshen_candidate=" in response.headers["set-cookie"]
    assert "max-age=0" in response.headers["set-cookie"].lower()
    with pytest.raises(Unauthenticated):
        await cookies.find(session, a_request(token=token))
    await cookies.find(session, a_request(token=other))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_write_needs_the_sessions_own_csrf_token(
    session: AsyncSession, cookies: SessionCookies, method: str
) -> None:
    token, mine = await log_in(session, cookies)
    _, others = await log_in(session, cookies)

    assert await cookies.find(session, a_request(method, token, X_CSRF_Token=mine.csrf_token)) == mine
    for wrong in ({}, {"X_CSRF_Token": ""}, {"X_CSRF_Token": others.csrf_token}, {"X_CSRF_Token": "é"}):
        with pytest.raises(Forbidden, match="csrf-token-wrong"):
            await cookies.find(session, a_request(method, token, **wrong))


async def test_a_read_needs_no_csrf_token(session: AsyncSession, cookies: SessionCookies) -> None:
    token, mine = await log_in(session, cookies)

    for method in ("GET", "HEAD", "OPTIONS"):
        assert await cookies.find(session, a_request(method, token)) == mine


FOREIGN = (
    "http://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:8101",
    "https://127.0.0.1:8100",
    "null",
    "http://[",
    "",
)


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_write_from_another_origin_is_refused_even_with_the_token(
    session: AsyncSession, cookies: SessionCookies, origin: str
) -> None:
    token, mine = await log_in(session, cookies)

    with pytest.raises(Forbidden, match="foreign-origin"):
        await cookies.find(session, a_request("POST", token, X_CSRF_Token=mine.csrf_token, Origin=origin))
    with pytest.raises(Forbidden, match="foreign-origin"):
        cookies.check_origin(a_request("POST", Origin=origin))


async def test_a_write_from_our_own_origin_passes(session: AsyncSession, cookies: SessionCookies) -> None:
    token, mine = await log_in(session, cookies)

    found = await cookies.find(session, a_request("POST", token, X_CSRF_Token=mine.csrf_token, Origin=ORIGIN))

    assert found == mine


async def test_sessions_that_ended_are_forgotten(
    session: AsyncSession, cookies: SessionCookies, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log_in(session, cookies)
    later(monkeypatch)(LONGEST / 2)
    await log_in(session, cookies)

    await forget_expired(session, clock.now() + LONGEST / 2 + timedelta(seconds=1))

    assert await session.scalar(text("SELECT count(*) FROM sessions")) == 1
