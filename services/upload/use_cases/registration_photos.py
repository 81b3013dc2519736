"""The registration photo: verified first, then kept byte for byte; a receipt is accepted once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import Application, photos
from services.upload.packs import Shelf
from services.upload.rows import add_to_timeline, application, note_on_page
from shared import clock
from shared.contracts.photo_receipts import receipt_words_for
from shared.contracts.upload import HandedInPhoto
from shared.errors import Invalid, Unavailable
from shared.images.receipt import Receipt, ReceiptRefused, verify
from shared.security.photo_keys import PhotoKeysUnreadable, PublicKeys


@dataclass(frozen=True)
class Verified:
    """A photo whose receipt holds, with what was declared beside it."""

    body: bytes
    sha256: str
    receipt: Receipt
    declared: tuple[str, ...]

    @property
    def object_key(self) -> str:
        """Where the bytes lie: one place for each receipt."""
        return f"photos/{self.receipt.application_no}/registered/{self.sha256[:16]}-{self.receipt.nonce}"


def verified(body: bytes, keys: PublicKeys | None, application_no: str, declared: Sequence[str]) -> Verified:
    """The photo, if its receipt holds now for this candidate.

    Raises:
        Invalid: it does not; the code is the reason.
        Unavailable: this system has no keys to verify with.
    """
    if keys is None:
        raise _no_keys()
    try:
        receipt = verify(body, keys, application_no=application_no, now=clock.now())
    except ReceiptRefused as refused:
        words = receipt_words_for(refused.reason)
        raise Invalid(refused.reason, words.zh, words.en) from None
    except PhotoKeysUnreadable:
        raise _no_keys() from None
    return Verified(body, hashlib.sha256(body).hexdigest(), receipt, tuple(declared))


async def check(session: AsyncSession, shelf: Shelf, photo: Verified) -> None:
    """Refuse early, before anything is stored. `accept` looks again under the lock."""
    of = await application(session, photo.receipt.application_no)
    await _check(session, shelf, of, photo)


async def accept(session: AsyncSession, shelf: Shelf, photo: Verified) -> RowMapping:
    """Make a photo, whose object is written already, the registration photo; returns its row. An older one is replaced.

    Raises:
        Conflict: nothing can be changed now.
        Invalid: the receipt was used, or nothing was declared.
    """
    of = await application(session, photo.receipt.application_no, lock=True)
    await _check(session, shelf, of, photo)
    now, r, p = clock.now(), tables.registration_photos, tables.photo_checks
    await session.execute(
        update(r).where(r.c.application_no == of.application_no, r.c.replaced_at.is_(None)).values(replaced_at=now)
    )
    made = await session.execute(
        insert(r)
        .values(
            nonce=photo.receipt.nonce,
            application_no=of.application_no,
            object_key=photo.object_key,
            sha256=photo.sha256,
            size=len(photo.body),
            pack=photo.receipt.pack,
            key_id=photo.receipt.key_id,
            declared=list(photo.declared),
            accepted_at=now,
            expires_at=photo.receipt.expires_at,
        )
        .returning(r)
    )
    # The check that it came from keeps its finished photo for as long as it is the registration photo.
    is_it = p.c.photo_sha256 == photo.sha256
    await session.execute(
        update(p)
        .where(p.c.application_no == of.application_no, p.c.photo_sha256.is_not(None), p.c.registered != is_it)
        .values(registered=is_it)
    )
    await add_to_timeline(session, of, "photo_registered", now)
    await note_on_page(session, of, "photo_registered")
    row: RowMapping = made.mappings().one()
    return row


async def hand_in(session: AsyncSession, of: Application) -> HandedInPhoto | None:
    """The photo as the submission that is just being made tells it; from now on its object is kept."""
    r = tables.registration_photos
    found = (
        await session.execute(
            select(r.c.object_key, r.c.sha256, r.c.size, r.c.accepted_at).where(
                r.c.application_no == of.application_no, r.c.replaced_at.is_(None)
            )
        )
    ).first()
    if found is None:
        return None
    await session.execute(
        update(r)
        .where(r.c.object_key == found.object_key, r.c.handed_in_round.is_(None))
        .values(handed_in_round=of.round + 1)
    )
    return HandedInPhoto(
        object_key=found.object_key, sha256=found.sha256, size=found.size, accepted_at=found.accepted_at
    )


async def _check(session: AsyncSession, shelf: Shelf, of: Application, photo: Verified) -> None:
    of.check_may_change_photo(await shelf.checklist_for(session, of), clock.now())
    nonce = tables.registration_photos.c.nonce
    if await session.scalar(select(exists().where(nonce == photo.receipt.nonce))):
        raise photos.receipt_used()
    if not photos.is_complete(photo.declared) and not await _declared_before(session, of.application_no):
        raise photos.declaration_missing()


async def _declared_before(session: AsyncSession, application_no: str) -> bool:
    # A photo check is refused without the whole declaration, so that any one will do.
    of = tables.photo_checks.c.application_no
    return bool(await session.scalar(select(exists().where(of == application_no))))


def _no_keys() -> Unavailable:
    return Unavailable(
        "photo-keys-missing",
        "报名照片暂时无法登记：系统尚未配置照片校验公钥。请稍后再试，或联系考区。",
        "Registration photos can't be verified here. Operator: run `baoshen photo keys new`, and set "
        "PHOTO_PUBLIC_KEYS_FILE of upload to the public file.",
        retry_after_s=300,
    )
