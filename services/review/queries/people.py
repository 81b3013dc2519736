"""Candidates as staff may see them."""

from services.review.shapes import Candidate, MaskedCandidate
from shared.contracts.event import Person
from shared.security.masking import UNKNOWN, mask_id_number, mask_name, mask_phone


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
