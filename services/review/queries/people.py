"""Candidates as staff may see them."""

from typing import Any

import structlog

from services.review.shapes import Candidate, MaskedCandidate
from shared.contracts.event import Person, Sealed
from shared.security.masking import UNKNOWN, mask_id_number, mask_name, mask_phone
from shared.security.sealing import KeyRing

log = structlog.get_logger(__name__)


def opened(key_ring: KeyRing, sealed: dict[str, Any] | None) -> Person | None:
    """Who it is; None where the data was erased, or the registration has not arrived."""
    if sealed is None:
        return None
    try:
        return key_ring.open_if_kept(Sealed.model_validate(sealed))
    except ValueError:
        # One damaged row must not close the whole list.
        log.exception("sealed.not_intact")
        return None


def in_a_list(person: Person | None) -> MaskedCandidate:
    """Enough to tell two rows apart."""
    if person is None:
        return MaskedCandidate(name=UNKNOWN, id_number=UNKNOWN)
    return MaskedCandidate(name=mask_name(person.name), id_number=mask_id_number(person.id_number))


def on_the_screen(person: Person | None, *, claimed: bool) -> Candidate:
    """The whole name under one's own claim only."""
    if person is None:
        return Candidate(name=UNKNOWN, id_number_masked=UNKNOWN, phone_masked=UNKNOWN)
    return Candidate(
        name=person.name if claimed else mask_name(person.name),
        id_number_masked=mask_id_number(person.id_number),
        phone_masked=mask_phone(person.phone),
    )
