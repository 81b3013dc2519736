"""Changing the phone number: a code goes to the new one, and whoever enters it has that phone."""

import hmac
import json
import secrets
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload.contacts import Contacts
from services.upload.domain import Application
from services.upload.rows import add_to_timeline, application, note_on_page
from shared import clock
from shared.contracts.event import CodeToSend, Person, Sealed
from shared.contracts.upload import CodeRequested, ContactChanged
from shared.errors import BadRequest, Conflict, Invalid, TooManyRequests
from shared.messaging.outbox import tell
from shared.security.sealing import KeyDestroyed, lookup_hash

VALID_FOR = timedelta(minutes=10)
PAUSE = timedelta(minutes=1)
A_DAY = timedelta(days=1)
PER_DAY = 5
TRIES = 5
KEPT_FOR = timedelta(days=2)

# Two candidates may ask for the same phone in the same moment.
_LOCK_PHONE = text("SELECT pg_advisory_xact_lock(hashtextextended(encode(:phone, 'hex'), 1))")
_ASKED = text(
    """
    SELECT max(requested_at) FILTER (WHERE application_no = :no) AS newest,
           count(*) FILTER (WHERE application_no = :no) AS mine,
           count(*) FILTER (WHERE phone_hash = :phone) AS there
    FROM phone_codes WHERE (application_no = :no OR phone_hash = :phone) AND requested_at > :since
    """
)
_END_OTHERS = text("UPDATE phone_codes SET ended = true WHERE application_no = :no AND NOT ended")
_KEEP_CODE = text(
    """
    INSERT INTO phone_codes (code_id, application_no, phone_hash, code_hash, sealed, requested_at, expires_at)
    VALUES (:id, :no, :phone, :code, CAST(:sealed AS jsonb), :now, :expires)
    """
)
_TRY = text(
    """
    UPDATE phone_codes SET tries = tries + 1
    WHERE code_id = :id AND application_no = :no AND NOT ended AND expires_at > :now AND tries < :most
    RETURNING code_hash, sealed, tries
    """
).columns(sealed=JSONB)
_KEEP_CONTACT = text(
    """
    INSERT INTO contacts (application_no, contact_revision, sealed, registered_hash, changed_at)
    VALUES (:no, 1, CAST(:sealed AS jsonb), :registered, :now)
    ON CONFLICT (application_no) DO UPDATE SET
        contact_revision = contacts.contact_revision + 1, sealed = excluded.sealed,
        registered_hash = excluded.registered_hash, changed_at = excluded.changed_at
    RETURNING contact_revision
    """
)


async def request_code(
    session: AsyncSession, contacts: Contacts, application_no: str, phone: str
) -> tuple[UUID, datetime]:
    """Have a code sent to a phone; an earlier code is worth nothing from now on.

    Raises:
        Invalid: it is the phone that counts already.
        TooManyRequests: a code was sent a moment ago, or enough today, to this phone or for this candidate.
        Conflict: the candidate's data was erased.
    """
    of = await application(session, application_no, lock=True)
    person = await contacts.contact_of(session, of)
    if person is None:
        raise _erased()
    if person.phone == phone:
        raise Invalid("phone-unchanged", "这已经是您现在的手机号码。", "This is your phone number already.")
    now = clock.now()
    phone_hash = contacts.hash_of(phone)
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(encode(:p, 'hex'), 1))"), {"p": phone_hash}
    )
    asked = (await session.execute(_ASKED, {"no": application_no, "phone": phone_hash, "since": now - A_DAY})).one()
    _check_pace(asked.newest, max(asked.mine, asked.there), now)
    made = uuid4()
    code = f"{secrets.randbelow(10**6):06d}"
    try:
        sealed = contacts.keys.seal(of.region, of.year, CodeToSend(phone=phone, code=code))
    except KeyDestroyed:
        raise _erased() from None
    await session.execute(_END_OTHERS, {"no": application_no})
    expires = now + VALID_FOR
    await session.execute(
        _KEEP_CODE,
        {
            "id": made,
            "no": application_no,
            "phone": phone_hash,
            "code": _hash(contacts, made, code),
            "sealed": sealed.model_dump_json(),
            "now": now,
            "expires": expires,
        },
    )
    await tell(session, CodeRequested(application_no=application_no, code_id=made, sealed=sealed, expires_at=expires))
    return made, expires


async def change_phone(
    session: AsyncSession, contacts: Contacts, application_no: str, code_id: UUID, code: str
) -> str | BadRequest:
    """Take the phone that the code was sent to, and return it; or why not.

    A wrong code is returned rather than raised: that it was tried must be committed.
    """
    of = await application(session, application_no, lock=True)
    now = clock.now()
    row = (await session.execute(_TRY, {"id": code_id, "no": application_no, "now": now, "most": TRIES})).first()
    if row is None:
        return BadRequest(
            "code-expired",
            "短信验证码已失效或已使用，请重新获取。",
            "This code was used, was tried too often or is too old. Ask for a new one.",
        )
    if not hmac.compare_digest(bytes(row.code_hash), _hash(contacts, code_id, code)):
        return BadRequest(
            "code-wrong",
            "短信验证码不正确，请核对后重新输入。",
            "The code is wrong. Check it and enter it again.",
            tries_left=TRIES - row.tries,
        )
    await session.execute(text("UPDATE phone_codes SET ended = true WHERE code_id = :id"), {"id": code_id})
    registered = contacts.registered(of)
    if registered is None:
        raise _erased()
    try:
        phone = contacts.keys.open_as(Sealed.model_validate(row.sealed), CodeToSend).phone
    except KeyDestroyed:
        raise _erased() from None
    await _take(session, contacts, of, registered, phone, now)
    return phone


async def _take(
    session: AsyncSession, contacts: Contacts, of: Application, registered: Person, phone: str, now: datetime
) -> None:
    sealed = contacts.keys.seal(of.region, of.year, registered.model_copy(update={"phone": phone}))
    revision = await session.scalar(
        _KEEP_CONTACT,
        {
            "no": of.application_no,
            "sealed": json.dumps(sealed.model_dump()),
            "registered": contacts.hash_of(registered.phone),
            "now": now,
        },
    )
    await add_to_timeline(session, of, "phone_changed", now)
    await note_on_page(session, of, "contact_changed")
    await tell(
        session,
        ContactChanged(
            application_no=of.application_no, contact_revision=int(revision or 0), sealed=sealed, changed_at=now
        ),
    )


async def forget_old(session: AsyncSession) -> None:
    """Drop codes that no limit looks back to."""
    old = {"before": clock.now() - KEPT_FOR}
    await session.execute(text("DELETE FROM phone_codes WHERE requested_at < :before"), old)


def _check_pace(newest: datetime | None, today: int, now: datetime) -> None:
    if newest is not None and newest + PAUSE > now:
        raise TooManyRequests(
            "code-too-soon",
            "验证码刚刚发送，请稍后再获取。",
            "A code was sent a moment ago. Wait a minute before you ask for another.",
            retry_after_s=max(1, int((newest + PAUSE - now).total_seconds()) + 1),
        )
    if today >= PER_DAY:
        raise TooManyRequests(
            "code-limit",
            "今天获取验证码的次数已用完，请明天再试。",
            "No more codes today: try again tomorrow.",
            retry_after_s=3600,
        )


def _hash(contacts: Contacts, code_id: UUID, code: str) -> bytes:
    return lookup_hash(contacts.lookup_key, f"code:{code_id}:{code}")


def _erased() -> Conflict:
    return Conflict(
        "personal-data-erased",
        "您的个人信息已按规定删除，无法更换手机号码。",
        "Your personal data was erased, as the rules say: the phone can't be changed any more.",
    )
