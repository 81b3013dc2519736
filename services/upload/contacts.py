"""Which phone counts: the registration's, or the one that the candidate chose since."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload.domain import Application
from shared.contracts.event import Person, Sealed
from shared.security.sealing import KeyRing, lookup_hash

_CONTACT = text("SELECT contact_revision, sealed, registered_hash FROM contacts WHERE application_no = :no").columns(
    sealed=JSONB
)


@dataclass(frozen=True)
class Contacts:
    """Opens them.

    Attributes:
        keys: what persons are sealed with.
        lookup_key: of the keyed hash of phones.
    """

    keys: KeyRing
    lookup_key: bytes

    def hash_of(self, phone: str) -> bytes:
        """Tells whether two phones are the same without keeping one."""
        return lookup_hash(self.lookup_key, f"phone:{phone}")

    def registered(self, of: Application) -> Person | None:
        """The candidate as the newest registration has it; None where that was erased."""
        return self.keys.open_if_kept(Sealed.model_validate(of.sealed))

    async def contact_of(self, session: AsyncSession, of: Application) -> Person | None:
        """The candidate with the phone that counts; None where personal data was erased.

        The candidate's own change wins until a registration has another phone than the one that was changed.
        """
        person = self.registered(of)
        if person is None:
            return None
        row = (await session.execute(_CONTACT, {"no": of.application_no})).first()
        if row is None or bytes(row.registered_hash) != self.hash_of(person.phone):
            return person
        chosen = self.keys.open_if_kept(Sealed.model_validate(row.sealed))
        return None if chosen is None else person.model_copy(update={"phone": chosen.phone})
