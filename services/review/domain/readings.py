"""What was read from an image, held against the registration. It advises; nobody is refused because of it."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts.event import Person
from shared.contracts.validation import ReadText
from shared.folding import folded

Outcome = Literal["match", "mismatch", "expired", "unreadable", "not_compared"]
"""`match` of a date: it is still to come. `not_compared`: the registration has nothing to hold it against."""

LONG_TERM = "long_term"

_CHINA = ZoneInfo("Asia/Shanghai")

# What must be shown comes first: one image that contradicts the registration is not outweighed by one that fits.
_GRAVEST_FIRST: tuple[Outcome, ...] = ("mismatch", "expired", "match", "not_compared", "unreadable")

# Spaces, and the dots that stand in names of several parts: a keyboard's, a card's and a recogniser's differ.
_BETWEEN = re.compile(r"[\s.\u00b7\u2022\u2027\u2219\u22c5\u25cf\u2e31\u30fb]+")


def outcome_of(text: ReadText, person: Person | None, today: date) -> Outcome:
    """What one reading says beside the registration.

    Args:
        text: what was read.
        person: who is registered; None where that is not known, or erased.
        today: the last day on which a paper that ends today is good.
    """
    if text.field == "valid_until":
        return _validity(text.value, today)
    if text.field == "certificate_number" or person is None:
        return "not_compared"
    if text.field == "id_number":
        return "match" if _number(text.value) == _number(person.id_number) else "mismatch"
    return "match" if _name(text.value) == _name(person.name) else "mismatch"


def today_in_china(now: datetime) -> date:
    """The day by which a paper is good or not, wherever the machine is."""
    return now.astimezone(_CHINA).date()


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """What several readings of one field come to; `unreadable` where there are none."""
    there = set(outcomes)
    return next((each for each in _GRAVEST_FIRST if each in there), "unreadable")


def _validity(value: str, today: date) -> Outcome:
    if value == LONG_TERM:
        return "match"
    try:
        return "match" if date.fromisoformat(value) >= today else "expired"
    except ValueError:
        return "unreadable"


def _number(value: str) -> str:
    return folded(value).upper()


def _name(value: str) -> str:
    # What was read is in simplified characters already; a registration may be in traditional ones.
    return _BETWEEN.sub("", folded(value)).casefold()
