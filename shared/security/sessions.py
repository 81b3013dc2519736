"""Cookie sessions: an HttpOnly token whose hash is stored, a CSRF token derived from it, and an end."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, Table, Text, Uuid, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.errors import Forbidden, Unauthenticated

CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# A session that is used is written down as used at most this often.
_TOUCH_EVERY = timedelta(minutes=1)
# Nobody looks through more.
_MOST_LISTED = 50


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
        # What a person names a session by; the token and its hash are shown nowhere.
        Column("session_id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
        Column("device", Text, nullable=False, server_default=""),
        Index("sessions_session_id", "session_id", unique=True),
        Index("sessions_subject", "subject"),
        Index("sessions_expires_at", "expires_at"),
    )


@dataclass(frozen=True)
class LoggedIn:
    """A session in use: whose it is, and the token that its writes must carry."""

    subject: str
    csrf_token: str
    session_id: UUID


@dataclass(frozen=True)
class OpenSession:
    """A session as its owner sees it in a list."""

    session_id: UUID
    device: str
    created_at: datetime
    last_seen_at: datetime


class SessionCookies:
    """Sessions of one kind of person.

    Args:
        cookie: the cookie's name.
        origin: the public origin; over https the cookie is `Secure`.
        idle: ends a session that is not used for so long.
        longest: ends it whatever happens.
    """

    def __init__(self, cookie: str, origin: str, *, idle: timedelta, longest: timedelta) -> None:
        self.secure = origin.startswith("https://")
        self.cookie = f"__Host-{cookie}" if self.secure else cookie
        self._origin = _origin_of(origin)
        self._idle = idle
        self._longest = longest

    async def begin(self, session: AsyncSession, response: Response, subject: str, *, device: str = "") -> LoggedIn:
        """Log in: always a new token, so that one that was planted before is worth nothing.

        Args:
            session: the caller's transaction.
            response: gets the cookie.
            subject: who it is.
            device: what the person will know the session by, see `device_of`.
        """
        token = secrets.token_urlsafe(32)
        now = clock.now()
        session_id = await session.scalar(
            text(
                "INSERT INTO sessions (token_hash, subject, created_at, last_seen_at, expires_at, device) "
                "VALUES (:hash, :subject, :now, :now, :expires, :device) RETURNING session_id"
            ),
            {"hash": _hash(token), "subject": subject, "now": now, "expires": now + self._longest, "device": device},
        )
        response.set_cookie(
            self.cookie,
            token,
            max_age=int(self._longest.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="strict",
        )
        return LoggedIn(subject, _csrf(token), session_id)

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
                text("SELECT subject, last_seen_at, expires_at, session_id FROM sessions WHERE token_hash = :hash"),
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
        return LoggedIn(row.subject, _csrf(token), row.session_id)

    async def listed(self, session: AsyncSession, subject: str) -> list[OpenSession]:
        """A person's sessions that have not ended, the one used last first."""
        now = clock.now()
        rows = await session.execute(
            text(
                "SELECT session_id, device, created_at, last_seen_at FROM sessions "
                "WHERE subject = :subject AND expires_at > :now AND last_seen_at > :idle "
                "ORDER BY last_seen_at DESC, created_at DESC, session_id LIMIT :most"
            ),
            {"subject": subject, "now": now, "idle": now - self._idle, "most": _MOST_LISTED},
        )
        return [OpenSession(*row) for row in rows]

    async def alive(self, session: AsyncSession, session_ids: Collection[UUID]) -> set[UUID]:
        """Those that have not ended. Asking is no use of a session: it ends as it would have."""
        now = clock.now()
        rows = await session.scalars(
            text(
                "SELECT session_id FROM sessions WHERE session_id = ANY(CAST(:ids AS uuid[])) "
                "AND expires_at > :now AND last_seen_at > :idle"
            ),
            {"ids": list(session_ids), "now": now, "idle": now - self._idle},
        )
        return set(rows)

    async def end_one(self, session: AsyncSession, subject: str, session_id: UUID) -> None:
        """End one of a person's sessions; one that is not there, or not theirs, is no error."""
        await session.execute(
            text("DELETE FROM sessions WHERE subject = :subject AND session_id = :id"),
            {"subject": subject, "id": session_id},
        )

    async def end_all(self, session: AsyncSession, subject: str) -> None:
        """Log a person out everywhere."""
        await session.execute(text("DELETE FROM sessions WHERE subject = :subject"), {"subject": subject})

    async def end(self, session: AsyncSession, request: Request, response: Response) -> None:
        """Log out: the token is worth nothing from now on."""
        token = request.cookies.get(self.cookie)
        if token:
            await session.execute(text("DELETE FROM sessions WHERE token_hash = :hash"), {"hash": _hash(token)})
        self.take_back(response)

    def take_back(self, response: Response) -> None:
        """Tell the browser to forget the cookie."""
        response.delete_cookie(self.cookie, path="/", secure=self.secure, httponly=True, samesite="strict")

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


# The first that fits counts: each browser's name also stands in the one before it.
_BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("UCBrowser/", "UC Browser"),
    ("QQBrowser/", "QQ Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    (re.compile(r"HarmonyOS|OpenHarmony"), "HarmonyOS"),
    (re.compile(r"Android"), "Android"),
    (re.compile(r"iPhone|iPod"), "iPhone"),
    (re.compile(r"iPad"), "iPad"),
    (re.compile(r"Windows"), "Windows"),
    (re.compile(r"Macintosh|Mac OS X"), "macOS"),
    (re.compile(r"Linux|X11"), "Linux"),
)


def device_of(request: Request) -> str:
    """Browser family and system, such as `Chrome · Windows`: enough to tell one's own phone from a stranger's."""
    agent = request.headers.get("user-agent", "")[:500]
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark.search(agent)), "")
    return " · ".join(part for part in (browser, system) if part)


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
