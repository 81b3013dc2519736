"""Sends the SMS that are due: written down before, marked after, and no database session is held in between."""

import asyncio
from typing import Protocol

import structlog
from structlog.contextvars import bound_contextvars

from services.notify import use_cases
from services.notify.sms import SmsAway, SmsProvider, SmsRefused
from services.notify.use_cases import Contact, DueMessage
from shared.contracts.event import Person, Sealed
from shared.database import Sessions
from shared.failpoints import failpoint
from shared.security.sealing import KeyDestroyed
from shared.telemetry import metrics
from shared.telemetry.tracing import tracer

log = structlog.get_logger(__name__)

# As many as the connection pool has: each marks its own outcome as soon as it knows it.
AT_ONCE = 10
# A chore that is asked to stop must come to its end within seconds.
BATCHES_PER_ROUND = 5
SHOWN_AT_ONCE = 500


class Opener(Protocol):
    """Opens sealed personal data."""

    def open(self, sealed: Sealed) -> Person:
        """Read it, or raise `KeyDestroyed` where it has been erased."""
        ...


def phone_of(opener: Opener, contact: Contact) -> str:
    """The phone that counts now: the changed one, until the registration gets another than it had by then.

    Raises:
        KeyDestroyed: it has been erased.
        ValueError: it was tampered with, or nobody knows one.
    """
    if contact.changed is None:
        if contact.registered is None:
            raise ValueError("there is no contact")
        return opener.open(contact.registered).phone
    changed = opener.open(contact.changed).phone
    if contact.registered is None or contact.changed_from is None:
        return changed
    registered, before = opener.open(contact.registered).phone, opener.open(contact.changed_from).phone
    return changed if registered == before else registered


class Sender:
    """The chores of notify.

    Args:
        sessions: its database.
        opener: opens the contact, at the moment of sending and not before.
        provider: takes the messages.
    """

    def __init__(self, sessions: Sessions, opener: Opener, provider: SmsProvider) -> None:
        self._sessions = sessions
        self._opener = opener
        self._provider = provider

    async def show_due(self) -> None:
        """Tell the delivery of publications that have taken effect."""
        async with self._sessions.begin() as session:
            await use_cases.show_due(session, limit=SHOWN_AT_ONCE)

    async def send_due(self) -> None:
        """Send what is due, a few batches at most."""
        for _ in range(BATCHES_PER_ROUND):
            if await self.send_batch() < AT_ONCE:
                return

    async def send_batch(self) -> int:
        """Send up to `AT_ONCE` messages side by side; returns how many were tried."""
        async with self._sessions.begin() as session:
            due = await use_cases.take_due_messages(session, limit=AT_ONCE)
        outcomes = await asyncio.gather(*(self._send(message) for message in due), return_exceptions=True)
        for message, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                # Its lease ends by itself, then it is tried again under the same reference.
                log.warning(
                    "sms.unmarked",
                    application_no=message.application_no,
                    event_id=str(message.event_id),
                    error=type(outcome).__name__,
                )
        return len(due)

    async def _send(self, message: DueMessage) -> None:
        ids = {"application_no": message.application_no, "event_id": str(message.event_id)}
        with bound_contextvars(**ids, notice_id=str(message.notice_id)), tracer.start_as_current_span("send sms"):
            try:
                phone = phone_of(self._opener, message.contact)
            except KeyDestroyed:
                await self._fail(message, "erased")
                return
            except ValueError:
                await self._fail(message, "unreadable")
                return
            try:
                provider_id = await self._provider.send(str(message.notice_id), phone, message.text)
            except SmsRefused as refusal:
                await self._fail(message, f"refused: {refusal}")
            except SmsAway as away:
                await self._try_later(message, str(away))
            except Exception as error:  # noqa: BLE001 however a provider breaks, the message is not lost
                await self._try_later(message, type(error).__name__)
            else:
                failpoint("notify.after_send")
                async with self._sessions.begin() as session:
                    await use_cases.mark_sent(session, message, provider_id)
                metrics.SMS.labels("sent").inc()
                log.info("sms.sent", about=message.about, tries=message.tries)

    async def _fail(self, message: DueMessage, why: str) -> None:
        async with self._sessions.begin() as session:
            await use_cases.mark_failed(session, message, why)
        metrics.SMS.labels("failed").inc()
        log.error("sms.failed", about=message.about, tries=message.tries, why=why)

    async def _try_later(self, message: DueMessage, why: str) -> None:
        async with self._sessions.begin() as session:
            again = await use_cases.try_later(session, message, why)
        metrics.SMS.labels("postponed" if again else "failed").inc()
        if again:
            log.warning("sms.postponed", about=message.about, tries=message.tries, why=why)
        else:
            log.error("sms.failed", about=message.about, tries=message.tries, why=why)
