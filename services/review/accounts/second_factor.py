"""Second factors of accounts: set up, asked for at the login, and taken off again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.accounts.people import Account, Through, by_id
from services.review.domain import Staff
from shared import clock
from shared.errors import Conflict
from shared.security import second_factor
from shared.security.sealing import STAFF_KEY, KeyRing, lookup_hash

ENROLMENT_LASTS = timedelta(hours=1)
_STAFF = tables.staff.c
_CODES = tables.recovery_codes
_SESSIONS = tables.metadata.tables["sessions"]

Verdict = Through | Literal["gone", "needed", "wrong"]
"""How somebody with the right password gets in; or that the account changed meanwhile, or what is missing."""


@dataclass(frozen=True)
class SecondFactors:
    """What all of this stands on.

    Attributes:
        key_ring: seals secrets.
        lookup_key: of the keyed hashes of recovery codes.
    """

    key_ring: KeyRing
    lookup_key: bytes

    async def begin(self, session: AsyncSession, staff: Staff) -> str:
        """A new secret; what the account has counts until a code of the new one was right.

        Args:
            session: the caller's transaction.
            staff: whose.
        """
        secret = second_factor.new_secret()
        key_id, sealed = self._seal(staff.id, secret)
        values = {"key_id": key_id, "sealed": sealed, "begun_at": clock.now()}
        await session.execute(
            upsert(tables.enrolments)
            .values(staff_id=staff.id, **values)
            .on_conflict_do_update(index_elements=["staff_id"], set_=values)
        )
        return secret

    async def confirm(self, session: AsyncSession, staff: Staff, code: str) -> list[str] | None:
        """The first code of the new secret: from now on it is asked for. Returns recovery codes; None: it is wrong.

        Raises:
            Conflict: nothing was begun, or too long ago.
        """
        await by_id(session, staff.id)
        row = (await session.execute(select(tables.enrolments).where(tables.enrolments.c.staff_id == staff.id))).first()
        if row is None or row.begun_at + ENROLMENT_LASTS <= clock.now():
            raise Conflict(
                "second-factor-not-begun",
                "请重新开始设置两步验证。",
                "Begin to set up the second factor anew, and scan its QR code.",
            )
        step = second_factor.step_of(self._open(staff.id, row.key_id, row.sealed), code, clock.real_now(), None)
        if step is None:
            return None
        await session.execute(delete(tables.enrolments).where(tables.enrolments.c.staff_id == staff.id))
        await session.execute(
            update(tables.staff)
            .where(_STAFF.id == staff.id)
            .values(totp_key_id=row.key_id, totp_sealed=row.sealed, totp_confirmed_at=clock.now(), totp_last_step=step)
        )
        return await self._new_codes(session, staff.id)

    async def renew_codes(self, session: AsyncSession, staff: Staff, code: str) -> list[str] | None:
        """New recovery codes in the place of the old ones; None: the app's code is wrong.

        Raises:
            Conflict: there is no second factor.
        """
        account = await by_id(session, staff.id)
        if account is None or not account.second_factor:
            raise Conflict(
                "second-factor-missing",
                "尚未设置两步验证，请先设置。",
                "This account has no second factor. Set one up first.",
            )
        return await self._new_codes(session, staff.id) if await self._code_fits(session, staff.id, code) else None

    async def admit(
        self, session: AsyncSession, account: Account, code: str | None, recovery_code: str | None
    ) -> Verdict:
        """Whether somebody who gave the right password comes in; a code that was right is used up by it.

        Args:
            session: the caller's transaction; the account is locked in it, so that a code counts once.
            account: as it was when its password was looked at.
            code: of the app.
            recovery_code: in its place.
        """
        now = await by_id(session, account.staff.id)
        if now is None or now.password_hash != account.password_hash:
            return "gone"
        if not now.second_factor:
            return "password"
        if code is not None:
            return "code" if await self._code_fits(session, now.staff.id, code) else "wrong"
        if recovery_code is not None:
            return "recovery_code" if await self._use(session, now.staff.id, recovery_code) else "wrong"
        return "needed"

    async def _code_fits(self, session: AsyncSession, staff_id: UUID, code: str) -> bool:
        row = (
            await session.execute(
                select(_STAFF.totp_key_id, _STAFF.totp_sealed, _STAFF.totp_last_step).where(_STAFF.id == staff_id)
            )
        ).one()
        secret = self._open(staff_id, row.totp_key_id, row.totp_sealed)
        step = second_factor.step_of(secret, code, clock.real_now(), row.totp_last_step)
        if step is None:
            return False
        await session.execute(update(tables.staff).where(_STAFF.id == staff_id).values(totp_last_step=step))
        return True

    async def _use(self, session: AsyncSession, staff_id: UUID, typed: str) -> bool:
        used = await session.scalar(
            update(_CODES)
            .where(
                _CODES.c.staff_id == staff_id,
                _CODES.c.code_hash == self._hash(staff_id, typed),
                _CODES.c.used_at.is_(None),
            )
            .values(used_at=clock.now())
            .returning(_CODES.c.staff_id)
        )
        return used is not None

    async def _new_codes(self, session: AsyncSession, staff_id: UUID) -> list[str]:
        codes = second_factor.new_recovery_codes()
        await session.execute(delete(_CODES).where(_CODES.c.staff_id == staff_id))
        await session.execute(
            insert(_CODES), [{"staff_id": staff_id, "code_hash": self._hash(staff_id, code)} for code in codes]
        )
        return codes

    def _hash(self, staff_id: UUID, code: str) -> bytes:
        return lookup_hash(self.lookup_key, f"recovery:{staff_id}:{second_factor.plain_recovery_code(code)}")

    def _seal(self, staff_id: UUID, secret: str) -> tuple[str, bytes]:
        # With the id inside, a row that was copied to another account opens nothing there.
        return self.key_ring.seal_bytes(staff_id.bytes + secret.encode(), STAFF_KEY)

    def _open(self, staff_id: UUID, key_id: str, sealed: bytes) -> str:
        plain = self.key_ring.open_bytes(key_id, bytes(sealed))
        if plain[:16] != staff_id.bytes:
            raise ValueError("a sealed secret lies with another account than its own")
        return plain[16:].decode()


async def take_off(session: AsyncSession, staff_id: UUID) -> None:
    """Take the second factor off an account, and end the sessions that it opened."""
    await session.execute(
        update(tables.staff)
        .where(_STAFF.id == staff_id)
        .values(totp_key_id=None, totp_sealed=None, totp_confirmed_at=None, totp_last_step=None)
    )
    for table in (_CODES, tables.enrolments):
        await session.execute(delete(table).where(table.c.staff_id == staff_id))
    await session.execute(delete(_SESSIONS).where(_SESSIONS.c.subject == str(staff_id)))
