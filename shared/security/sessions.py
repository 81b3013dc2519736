"""Cookie sessions: an HttpOnly token whose hash is stored, a CSRF token derived from it, and an end."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from fastapi import Request, Response
from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.errors import Forbidden, Unauthenticated

CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# A session that is used is written down as used at most this often.
_TOUCH_EVERY = timedelta(minutes=1)


def session_table(metadata: MetaData) -> Table:
    """The sessions of the service that owns them."""
    return Table(
        "sessions",
        metadata,
        Column("token_hash", LargeBinary, primary_key=True),
        Column("subject", Text, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("last_seen_at", DateTime(timezone=True), nullable=False),
        Column("expires_at", DateTime(timezone=True), nullable=False),
        Index("sessions_subject", "subject"),
        Index("sessions_expires_at", "expires_at"),
    )


@dataclass(frozen=True)
class LoggedIn:
    """A session in use: whose it is, and the token that its writes must carry."""

    subject: str
    csrf_token: str


class SessionCookies:
    """Sessions of one kind of person.

    Args:
        cookie: the cookie's name.
        origin: the public origin; over https the cookie is `Secure`.
        idle: ends a session that is not used for so long.
        longest: ends it whatever happens.
    """

    def __init__(self, cookie: str, origin: str, *, idle: timedelta, longest: timedelta) -> None:
        self._secure = origin.startswith("https://")
        self.cookie = f"__Host-{cookie}" if self._secure else cookie
        self._origin = _origin_of(origin)
        self._idle = idle
        self._longest = longest

    async def begin(self, session: AsyncSession, response: Response, subject: str) -> LoggedIn:
        """Log in: always a new token, so that one that was planted before is worth nothing."""
        token = secrets.token_urlsafe(32)
        now = clock.now()
        await session.execute(
            text(
                "INSERT INTO sessions (token_hash, subject, created_at, last_seen_at, expires_at) "
                "VALUES (:hash, :subject, :now, :now, :expires)"
            ),
            {"hash": _hash(token), "subject": subject, "now": now, "expires": now + self._longest},
        )
        response.set_cookie(
            self.cookie,
            token,
            max_age=int(self._longest.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
        return LoggedIn(subject, _csrf(token))

    async def find(self, session: AsyncSession, request: Request) -> LoggedIn:
        """Whose request it is; a write must carry the CSRF token.

        Raises:
            Unauthenticated: no session, or it has ended.
            Forbidden: a write without the right CSRF token, or from another origin.
        """
        token = request.cookies.get(self.cookie)
        if not token or len(token) > 100:
            raise _not_logged_in()
        now = clock.now()
        row = (
            await session.execute(
                text("SELECT subject, last_seen_at, expires_at FROM sessions WHERE token_hash = :hash"),
                {"hash": _hash(token)},
            )
        ).first()
        if row is None or row.expires_at <= now or row.last_seen_at + self._idle <= now:
            raise _not_logged_in()
        if request.method not in _SAFE:
            self.check_write(request, _csrf(token))
        if now - row.last_seen_at > _TOUCH_EVERY:
            await session.execute(
                text("UPDATE sessions SET last_seen_at = :now WHERE token_hash = :hash"),
                {"hash": _hash(token), "now": now},
            )
        return LoggedIn(row.subject, _csrf(token))

    async def end(self, session: AsyncSession, request: Request, response: Response) -> None:
        """Log out: the token is worth nothing from now on."""
        token = request.cookies.get(self.cookie)
        if token:
            await session.execute(text("DELETE FROM sessions WHERE token_hash = :hash"), {"hash": _hash(token)})
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="strict")

    def check_origin(self, request: Request) -> None:
        """Refuse a write that a page of another origin sent (also the login, which has no token yet)."""
        sent = request.headers.get("origin")
        if sent is not None and _origin_of(sent) != self._origin:
            raise Forbidden(
                "foreign-origin",
                "请求来自其他网站，已拒绝。请从本系统的页面操作。",
                "The request came from another site. Use this system's own pages.",
            )

    def check_write(self, request: Request, csrf_token: str) -> None:
        """Refuse a write, also one that the gateway asks about, without the session's token or from another origin."""
        self.check_origin(request)
        if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), csrf_token.encode()):
            raise Forbidden(
                "csrf-token-wrong",
                "页面已过期，请刷新后重试。",
                f"The page is out of date: reload it. Writes must carry the session's token in {CSRF_HEADER}.",
            )


async def forget_expired(session: AsyncSession, now: datetime) -> None:
    """Drop sessions that have ended."""
    await session.execute(text("DELETE FROM sessions WHERE expires_at < :now"), {"now": now})


def _not_logged_in() -> Unauthenticated:
    return Unauthenticated(
        "not-logged-in", "请先登录（登录可能已过期）。", "Please log in (the session may have ended)."
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _csrf(token: str) -> str:
    return hmac.new(token.encode("utf-8", "replace"), b"csrf", hashlib.sha256).hexdigest()


def _origin_of(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ("", None, None)
    return (parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme))
