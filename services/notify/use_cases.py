"""What notify does: keep whom to reach, write notices, and lead each SMS to its end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify import wording
from services.notify.domain import About, Content, Notice, pause_after
from services.notify.names import NAMED, NAMES, NAMES_OF_APPLICATION, names_from
from shared import clock
from shared.contracts.event import Sealed
from shared.contracts.notify import NoticeDelivered
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import RulesPublished
from shared.contracts.upload import ApplicationSubmitted, ContactChanged
from shared.errors import NotFound
from shared.messaging.inbox import newest_of
from shared.messaging.outbox import tell

# Longer than a provider may take: a try that is still going on is never overtaken by the next one.
LEASE_S = 30.0

_KEEP_CONTACTS = text(
    """
    INSERT INTO applications (application_no, registration_revision, pack_id, site, sealed)
    SELECT application_no, registration_revision, pack_id, site, sealed
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(application_no text, registration_revision int, pack_id text, site text, sealed jsonb)
    ORDER BY application_no
    ON CONFLICT (application_no) DO UPDATE
    SET registration_revision = excluded.registration_revision, sealed = excluded.sealed, site = excluded.site,
        -- The contact was changed before any registration was heard: this is the one that it was changed from.
        contact_over = CASE WHEN applications.contact IS NULL THEN NULL
                            ELSE coalesce(applications.contact_over, excluded.sealed) END,
        -- Once submitted, the application keeps the pack of its submission.
        pack_id = CASE WHEN applications.pack_version IS NULL THEN excluded.pack_id ELSE applications.pack_id END
    WHERE applications.registration_revision < excluded.registration_revision
    """
)
_CHANGE_CONTACTS = text(
    """
    INSERT INTO applications (application_no, contact_revision, contact)
    SELECT application_no, contact_revision, contact
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(application_no text, contact_revision int, contact jsonb)
    ORDER BY application_no
    ON CONFLICT (application_no) DO UPDATE
    SET contact_revision = excluded.contact_revision, contact = excluded.contact, contact_over = applications.sealed
    WHERE applications.contact_revision < excluded.contact_revision
    """
)
_OVERTAKE = text(
    """
    INSERT INTO applications (application_no, overtaken_revision)
    SELECT application_no, max(revision)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(application_no text, revision int)
    GROUP BY application_no ORDER BY application_no
    ON CONFLICT (application_no) DO UPDATE SET overtaken_revision = excluded.overtaken_revision
    WHERE applications.overtaken_revision < excluded.overtaken_revision
    """
)
_KEEP_SUBMITTED = text(
    """
    INSERT INTO applications (application_no, revision, pack_id, pack_version)
    SELECT application_no, revision, pack_id, pack_version
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(application_no text, revision int, pack_id text, pack_version int)
    ORDER BY application_no
    ON CONFLICT (application_no) DO UPDATE
    SET revision = excluded.revision, pack_id = excluded.pack_id, pack_version = excluded.pack_version
    WHERE applications.revision < excluded.revision
    """
)
_KEEP_PACKS = text(
    """
    INSERT INTO packs (pack_id, version, pack)
    SELECT pack_id, version, pack
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(pack_id text, version int, pack jsonb)
    ORDER BY pack_id, version
    ON CONFLICT DO NOTHING
    """
)
_WRITE_NOTICES = text(
    """
    WITH fresh AS (
        INSERT INTO notices (notice_id, event_id, application_no, about, round, at, hidden_until, content, shown_at)
        SELECT notice_id, event_id, application_no, about, round, at, hidden_until, content,
               CASE WHEN hidden_until IS NULL THEN CAST(:now AS timestamptz) END
        FROM jsonb_to_recordset(CAST(:rows AS jsonb))
             AS r(notice_id uuid, event_id uuid, application_no text, about text, round int, at timestamptz,
                  hidden_until timestamptz, content jsonb)
        ON CONFLICT DO NOTHING
        RETURNING notice_id, application_no, hidden_until
    ), to_send AS (
        INSERT INTO messages (notice_id, application_no, not_before, overtaken_after)
        SELECT fresh.notice_id, fresh.application_no, fresh.hidden_until, r.overtaken_after
        FROM fresh JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(notice_id uuid, overtaken_after int)
             USING (notice_id)
        WHERE fresh.notice_id = ANY(CAST(:by_sms AS uuid[]))
    )
    SELECT notice_id FROM fresh
    """
)
_SHOW = text(
    """
    UPDATE notices SET shown_at = :now
    WHERE notice_id IN (
        SELECT notice_id FROM notices WHERE shown_at IS NULL AND hidden_until <= :now
        ORDER BY hidden_until LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING notice_id, application_no, about, round
    """
)
_TAKE = text(
    f"""
    SELECT m.notice_id, m.tries + 1 AS tries, m.text, n.event_id, n.application_no, n.about, n.round, n.content,
           coalesce(m.overtaken_after < a.overtaken_revision, false)
               OR n.about = 'deadline_near' AND CAST(n.content->>'deadline' AS timestamptz) <= :now AS overtaken,
           a.sealed, a.contact, a.contact_over, {NAMES}
    FROM messages m
    JOIN notices n USING (notice_id)
    JOIN applications a ON a.application_no = m.application_no AND (a.sealed IS NOT NULL OR a.contact IS NOT NULL)
    {NAMES_OF_APPLICATION}
    WHERE m.status IN ('pending', 'sending') AND m.next_try_at <= now()
      AND (m.not_before IS NULL OR m.not_before <= :now)
    ORDER BY m.next_try_at LIMIT :limit FOR UPDATE OF m SKIP LOCKED
    """
).columns(content=JSONB, sealed=JSONB, contact=JSONB, contact_over=JSONB, **dict.fromkeys(NAMED, JSONB))
_MARK_SUPERSEDED = text(
    """
    UPDATE messages SET status = 'superseded', ended_at = :now
    WHERE notice_id = ANY(CAST(:ids AS uuid[])) AND status IN ('pending', 'sending')
    """
)
_MARK_SENDING = text(
    """
    UPDATE messages m SET status = 'sending', tries = r.tries, text = r.text,
           next_try_at = now() + make_interval(secs => :lease)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(notice_id uuid, tries int, text text)
    WHERE m.notice_id = r.notice_id
    """
)
_MARK_SENT = text(
    """
    UPDATE messages SET status = 'sent', provider_id = :provider_id, failure = NULL, ended_at = :now
    WHERE notice_id = :notice_id AND status <> 'sent' RETURNING notice_id
    """
)
_MARK_FAILED = text(
    """
    UPDATE messages SET status = 'failed', failure = :failure, ended_at = :now
    WHERE notice_id = :notice_id AND status = 'sending' AND tries = :tries RETURNING notice_id
    """
)
_POSTPONE = text(
    """
    UPDATE messages SET status = 'pending', failure = :failure, next_try_at = now() + make_interval(secs => :pause)
    WHERE notice_id = :notice_id AND status = 'sending' AND tries = :tries
    """
)
_READ = text(
    """
    UPDATE notices SET read_at = coalesce(read_at, :now)
    WHERE notice_id = :id AND application_no = :no AND (hidden_until IS NULL OR hidden_until <= :now)
    RETURNING notice_id
    """
)


@dataclass(frozen=True)
class DueMessage:
    """An SMS that this process is about to send; nobody else does until its lease ends."""

    notice_id: UUID
    event_id: UUID
    application_no: str
    about: About
    round: int
    tries: int
    text: str
    contact: "Contact"


@dataclass(frozen=True)
class Contact:
    """Whom a message goes to, sealed.

    Attributes:
        registered: the newest registration's.
        changed: the phone that the candidate changed to.
        changed_from: the registration's when it was changed.
    """

    registered: Sealed | None
    changed: Sealed | None
    changed_from: Sealed | None


async def keep_contacts(session: AsyncSession, events: Sequence[RegistrationRecorded]) -> None:
    """Remember whom to reach, sealed as it came; a higher registration revision wins."""
    newest = newest_of(events, lambda each: each.application_no, lambda each: each.registration_revision)
    await _each_row(
        session,
        _KEEP_CONTACTS,
        [
            {
                "application_no": event.application_no,
                "registration_revision": event.registration_revision,
                "pack_id": event.pack_id,
                "site": event.site,
                "sealed": event.sealed.model_dump(mode="json"),
            }
            for event in newest
        ],
    )


async def change_contacts(session: AsyncSession, events: Sequence[ContactChanged]) -> None:
    """Remember a phone that a candidate changed, sealed as it came; a higher contact revision wins.

    It counts until a registration comes whose phone is another one than the registration had by then: somebody has
    corrected it there. Which phone that is shows when both are opened, at the moment of sending.
    """
    newest = newest_of(events, lambda each: each.application_no, lambda each: each.contact_revision)
    await _each_row(
        session,
        _CHANGE_CONTACTS,
        [
            {
                "application_no": event.application_no,
                "contact_revision": event.contact_revision,
                "contact": event.sealed.model_dump(mode="json"),
            }
            for event in newest
        ],
    )


async def overtake(session: AsyncSession, revisions: Sequence[tuple[str, int]]) -> None:
    """Applications went on: an SMS that waits, and asks for something at a lower revision, is not sent any more."""
    await _each_row(
        session, _OVERTAKE, [{"application_no": number, "revision": revision} for number, revision in revisions]
    )


async def keep_packs(session: AsyncSession, events: Sequence[RulesPublished]) -> None:
    """Keep every version of every rule pack."""
    rows = {
        event.key: {
            "pack_id": event.pack.id,
            "version": event.pack.version,
            "pack": event.pack.model_dump(mode="json"),
        }
        for event in events
    }
    await _each_row(session, _KEEP_PACKS, list(rows.values()))


async def keep_packs_in_use(session: AsyncSession, events: Sequence[ApplicationSubmitted]) -> None:
    """Remember which version of which pack each application was submitted under."""
    newest = newest_of(events, lambda each: each.application_no, lambda each: each.revision)
    fields = {"application_no", "revision", "pack_id", "pack_version"}
    await _each_row(session, _KEEP_SUBMITTED, [event.model_dump(include=fields) for event in newest])


async def write_notices(session: AsyncSession, notices: Sequence[Notice]) -> None:
    """Put notices into inboxes, with their SMS where they have one; what is there already stays as it is."""
    if not notices:
        return
    now = clock.now()
    rows = [
        {
            "notice_id": str(notice.notice_id),
            "event_id": str(notice.event_id),
            "application_no": notice.application_no,
            "about": notice.about,
            "round": notice.round,
            "at": notice.at.isoformat(),
            "hidden_until": notice.hidden_until.isoformat() if notice.hidden_until else None,
            "content": notice.content.model_dump(mode="json", exclude_defaults=True),
            "overtaken_after": notice.overtaken_after,
        }
        for notice in notices
    ]
    by_sms = [notice.notice_id for notice in notices if notice.by_sms]
    fresh = set(await session.scalars(_WRITE_NOTICES, {"rows": json.dumps(rows), "by_sms": by_sms, "now": now}))
    shown = [notice for notice in notices if notice.notice_id in fresh and notice.hidden_until is None]
    await tell(session, *(_delivered(notice, "inbox", "delivered", now) for notice in shown))


async def show_due(session: AsyncSession, *, limit: int) -> int:
    """Tell the delivery of notices that were hidden until now; returns how many there were."""
    now = clock.now()
    shown = (await session.execute(_SHOW, {"now": now, "limit": limit})).all()
    await tell(session, *(_delivered(row, "inbox", "delivered", now) for row in shown))
    return len(shown)


async def take_due_messages(session: AsyncSession, *, limit: int) -> list[DueMessage]:
    """Take SMS whose time has come and whose contact is known, and write the try down before it is made.

    Those that were overtaken, by a newer revision or by the deadline that they warn of, are ended instead; their notice
    stays in the inbox.
    """
    while True:
        now = clock.now()
        rows = (await session.execute(_TAKE, {"now": now, "limit": limit})).mappings().all()
        overtaken = [row["notice_id"] for row in rows if row["overtaken"]]
        if overtaken:
            await session.execute(_MARK_SUPERSEDED, {"ids": overtaken, "now": now})
        due = [_due_message(row) for row in rows if not row["overtaken"]]
        if due:
            marks = [{"notice_id": str(each.notice_id), "tries": each.tries, "text": each.text} for each in due]
            await session.execute(_MARK_SENDING, {"rows": json.dumps(marks), "lease": LEASE_S})
        if due or len(rows) < limit:
            return due


def _due_message(row: RowMapping) -> DueMessage:
    content = Content.model_validate(row["content"])
    return DueMessage(
        notice_id=row["notice_id"],
        event_id=row["event_id"],
        application_no=row["application_no"],
        about=row["about"],
        round=row["round"],
        tries=row["tries"],
        text=row["text"] or wording.sms(row["about"], row["round"], content, names_from(row)),
        contact=Contact(
            registered=row["sealed"] and Sealed.model_validate(row["sealed"]),
            changed=row["contact"] and Sealed.model_validate(row["contact"]),
            changed_from=row["contact_over"] and Sealed.model_validate(row["contact_over"]),
        ),
    )


async def mark_sent(session: AsyncSession, message: DueMessage, provider_id: str) -> None:
    """The provider has it."""
    now = clock.now()
    values = {"notice_id": message.notice_id, "provider_id": provider_id, "now": now}
    if await session.scalar(_MARK_SENT, values) is not None:
        await tell(session, _delivered(message, "sms", "delivered", now))


async def mark_failed(session: AsyncSession, message: DueMessage, why: str) -> None:
    """It will never go out."""
    now = clock.now()
    values = {"notice_id": message.notice_id, "tries": message.tries, "failure": why, "now": now}
    if await session.scalar(_MARK_FAILED, values) is not None:
        await tell(session, _delivered(message, "sms", "failed", now))


async def try_later(session: AsyncSession, message: DueMessage, why: str) -> bool:
    """Try again after a pause; false when that was the last try."""
    pause = pause_after(message.tries)
    if pause is None:
        await mark_failed(session, message, why)
        return False
    await session.execute(
        _POSTPONE,
        {
            "notice_id": message.notice_id,
            "tries": message.tries,
            "failure": why,
            "pause": pause.total_seconds(),
        },
    )
    return True


async def read_notice(session: AsyncSession, application_no: str, notice_id: UUID) -> None:
    """The candidate has read it; again changes nothing.

    Raises:
        NotFound: there is no such notice for this candidate, or not yet.
    """
    values = {"no": application_no, "now": clock.now(), "id": notice_id}
    if await session.scalar(_READ, values) is None:
        raise NotFound("notice-not-found", "没有这条通知。", "There is no such notice.")


def _delivered(
    notice: Any,  # noqa: ANN401 a Notice, a DueMessage or a row: all name the same four columns
    channel: Literal["inbox", "sms"],
    outcome: Literal["delivered", "failed"],
    at: datetime,
) -> NoticeDelivered:
    return NoticeDelivered(
        application_no=notice.application_no,
        notice_id=notice.notice_id,
        channel=channel,
        outcome=outcome,
        about=notice.about,
        round=notice.round,
        delivered_at=at,
    )


async def _each_row(session: AsyncSession, statement: Any, rows: list[dict[str, Any]]) -> None:  # noqa: ANN401
    if rows:
        await session.execute(statement, {"rows": json.dumps(rows)})
