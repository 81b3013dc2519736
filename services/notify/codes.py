"""Codes that must reach a phone within minutes: sent at once, apart from everything else that waits.

A code is opened at the moment of sending, goes to the provider and nowhere else, and its sealed form is deleted as soon
as it was sent or is worth nothing. Nobody is told of its delivery: the candidate who waits for it knows.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import bound_contextvars

from services.notify import texts
from services.notify.sms import SmsAway, SmsProvider, SmsRefused
from shared import clock
from shared.contracts.event import CodeToSend, Part, Sealed
from shared.contracts.upload import CodeRequested
from shared.database import Sessions
from shared.security.sealing import KeyDestroyed
from shared.telemetry import metrics
from shared.telemetry.tracing import tracer

log = structlog.get_logger(__name__)
P = TypeVar("P", bound=Part)

# All of them within the ten minutes that a code is worth something.
PAUSES_S = (0.0, 1.0, 3.0, 10.0, 30.0, 60.0)
# Longer than a provider may take.
LEASE_S = 15.0
AT_ONCE = 5
_BATCHES_PER_ROUND = 10
# An event that comes back later than this finds its code expired anyway.
_KEPT = timedelta(days=1)

_KEEP = text(
    """
    INSERT INTO codes (code_id, application_no, sealed, expires_at, status, ended_at)
    SELECT code_id, application_no, CASE WHEN expires_at > :now THEN sealed END, expires_at,
           CASE WHEN expires_at > :now THEN 'pending' ELSE 'expired' END,
           CASE WHEN expires_at > :now THEN NULL ELSE CAST(:now AS timestamptz) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(code_id uuid, application_no text, sealed jsonb, expires_at timestamptz)
    ORDER BY code_id
    ON CONFLICT DO NOTHING
    """
)
_EXPIRE = text(
    """
    UPDATE codes SET status = 'expired', sealed = NULL, ended_at = :now
    WHERE status IN ('pending', 'sending') AND expires_at <= :now
    """
)
_FORGET = text("DELETE FROM codes WHERE code_id IN (SELECT code_id FROM codes WHERE expires_at < :before LIMIT 1000)")
_TAKE = text(
    """
    UPDATE codes SET status = 'sending', tries = tries + 1, next_try_at = now() + make_interval(secs => :lease)
    WHERE code_id IN (
        SELECT code_id FROM codes
        WHERE status IN ('pending', 'sending') AND next_try_at <= now() AND expires_at > :now
        ORDER BY next_try_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING code_id, application_no, sealed, expires_at, tries
    """
).columns(sealed=JSONB)
_END = text(
    """
    UPDATE codes SET status = :status, sealed = NULL, failure = :failure, ended_at = :now
    WHERE code_id = :id AND status IN ('pending', 'sending')
    """
)
_POSTPONE = text(
    """
    UPDATE codes SET status = 'pending', failure = :failure, next_try_at = now() + make_interval(secs => :pause)
    WHERE code_id = :id AND status = 'sending' AND tries = :tries
    """
)


async def keep(session: AsyncSession, events: Sequence[CodeRequested]) -> None:
    """Keep codes that are to be sent, sealed as they came, once each; one that came too late is only noted."""
    if not events:
        return
    rows = {
        event.code_id: {
            "code_id": str(event.code_id),
            "application_no": event.application_no,
            "sealed": event.sealed.model_dump(mode="json"),
            "expires_at": event.expires_at.isoformat(),
        }
        for event in events
    }
    await session.execute(_KEEP, {"rows": json.dumps(list(rows.values())), "now": clock.now()})


@dataclass(frozen=True)
class _DueCode:
    code_id: UUID
    application_no: str
    sealed: Sealed
    expires_at: datetime
    tries: int


class CodeOpener(Protocol):
    """Opens what is sealed."""

    def open_as(self, sealed: Sealed, kind: type[P]) -> P:
        """Read it, or raise `KeyDestroyed` where it has been erased."""
        ...


class CodeSender:
    """The chore that sends codes.

    Args:
        sessions: notify's database.
        opener: opens a code, at the moment of sending and not before.
        provider: takes the messages.
    """

    def __init__(self, sessions: Sessions, opener: CodeOpener, provider: SmsProvider) -> None:
        self._sessions = sessions
        self._opener = opener
        self._provider = provider

    async def send_due(self) -> None:
        """Send what waits, a few batches at most."""
        for _ in range(_BATCHES_PER_ROUND):
            if await self.send_batch() < AT_ONCE:
                return

    async def send_batch(self) -> int:
        """Send up to `AT_ONCE` codes side by side; returns how many were tried."""
        now = clock.now()
        async with self._sessions.begin() as session:
            await session.execute(_EXPIRE, {"now": now})
            await session.execute(_FORGET, {"before": now - _KEPT})
            rows = await session.execute(_TAKE, {"now": now, "limit": AT_ONCE, "lease": LEASE_S})
            due = [
                _DueCode(row.code_id, row.application_no, Sealed.model_validate(row.sealed), row.expires_at, row.tries)
                for row in rows
            ]
        outcomes = await asyncio.gather(*(self._send(code) for code in due), return_exceptions=True)
        for code, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                # Its lease ends by itself, then it is tried again under the same reference.
                log.warning("code.unmarked", application_no=code.application_no, error=type(outcome).__name__)
        return len(due)

    async def _send(self, code: _DueCode) -> None:
        ids = {"application_no": code.application_no, "code_id": str(code.code_id)}
        with bound_contextvars(**ids), tracer.start_as_current_span("send code"):
            if clock.now() >= code.expires_at:
                await self._end(code, "expired", None)
                return
            try:
                opened = self._opener.open_as(code.sealed, CodeToSend)
            except KeyDestroyed:
                await self._end(code, "failed", "erased")
                return
            except ValueError:
                await self._end(code, "failed", "unreadable")
                return
            try:
                await self._provider.send(str(code.code_id), opened.phone, texts.code_sms(opened.code, code.expires_at))
            except SmsRefused as refusal:
                await self._end(code, "failed", f"refused: {refusal}")
            except SmsAway as away:
                await self._try_later(code, str(away))
            except Exception as error:  # noqa: BLE001 however a provider breaks, the code is tried again
                await self._try_later(code, type(error).__name__)
            else:
                await self._end(code, "sent", None)

    async def _end(self, code: _DueCode, status: str, failure: str | None) -> None:
        async with self._sessions.begin() as session:
            values = {"id": code.code_id, "status": status, "failure": failure, "now": clock.now()}
            await session.execute(_END, values)
        metrics.SMS.labels("sent" if status == "sent" else "failed").inc()
        if status == "sent":
            log.info("code.sent", tries=code.tries)
        else:
            log.error("code.failed", tries=code.tries, why=failure or status)

    async def _try_later(self, code: _DueCode, why: str) -> None:
        if code.tries > len(PAUSES_S):
            await self._end(code, "failed", why)
            return
        async with self._sessions.begin() as session:
            pause = PAUSES_S[code.tries - 1]
            values = {"id": code.code_id, "tries": code.tries, "failure": why, "pause": pause}
            await session.execute(_POSTPONE, values)
        metrics.SMS.labels("postponed").inc()
        log.warning("code.postponed", tries=code.tries, why=why)
