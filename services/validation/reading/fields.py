"""What lines of text say of a person and of a paper. Pure work on text and places, no pictures.

Values are folded (`folding.folded`): half-width, no spaces, simplified characters. Dates are ISO, ID numbers end with a
capital X where they end with one, certificate numbers are in capitals.
"""

from collections.abc import Callable, Sequence

from services.validation.reading.lines import Line, Page
from services.validation.reading.names import name
from services.validation.reading.numbers import Found, certificate_number, check_digit_fits, id_number
from services.validation.reading.validity import valid_until
from shared.contracts.rules import ReadableField
from shared.contracts.validation import ReadText

_FINDERS: dict[ReadableField, Callable[[Page], Found | None]] = {
    "id_number": id_number,
    "name": name,
    "valid_until": valid_until,
    "certificate_number": certificate_number,
}


def fields_of(lines: Sequence[Line], wanted: Sequence[ReadableField]) -> tuple[ReadText, ...]:
    """Those of the wanted fields that can be found; a card's back holds no number, so nothing is said of one.

    Args:
        lines: from top to bottom.
        wanted: a name that is not known is passed over.
    """
    page = Page(lines)
    texts = []
    for field in dict.fromkeys(wanted):
        find = _FINDERS.get(field)
        found = None if find is None else find(page)
        if found is not None:
            texts.append(
                ReadText(
                    field=field,
                    value=found.value,
                    confidence=round(found.score, 3),
                    box=found.row.box(found.start, found.end),
                    check_digit=check_digit_fits(found.value) if field == "id_number" else None,
                )
            )
    return tuple(texts)
