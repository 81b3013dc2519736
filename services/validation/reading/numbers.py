"""The numbers on papers: a citizen's ID number (GB 11643) and the number of a certificate."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.validation.reading.lines import GAP, Page, Row

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
# What the recogniser takes for a digit, or a digit for, where a font makes them alike.
_MEANT = str.maketrans("OoQDIiLlZzSsBG", "00001111225586")
_LIKE_A_DIGIT = "0-9OoQDIiLlZzSsBG"
_ID_NUMBER = re.compile(rf"(?<![0-9])[{_LIKE_A_DIGIT}]{{17}}[{_LIKE_A_DIGIT}Xx×*](?![0-9])")
# Among 18 characters that may be letters: a word of capitals is none.
_LEAST_DIGITS = 14
_ID_LABEL = re.compile(r"(身份证?|身份|证件)(号码|编号|号)|公民身份|身份证")

# The best first. What names another paper (资格证书编码 on a licence) comes after the paper's own.
_CERTIFICATE_LABELS = tuple(
    re.compile(label)
    for label in (
        r"执业证书(编码|编号|号码|号)|(毕业|学位|结业)证书?(编号|号码|号)",
        r"(?<!资格)证书?(编码|编号|号码|号)",
        r"登记号|登记证号|备案编?号|注册编?号",
        r"资格证书(编码|编号|号码|号)",
        r"学校编号",
        r"(?<![一-鿿])编号",
    )
)
# Labels that end like one of those but speak of the person.
_NOT_THE_PAPERS = re.compile(r"(身份|证件|报名|准考|学籍|考生)证?$")
_CERTIFICATE = re.compile(
    r"[^0-9A-Za-z(㐀-鿿]{0,4}(?:No\.?:?|第)?([0-9A-Za-z(字][0-9A-Za-z()\-字第\[\]〔〕]{2,38}[0-9A-Za-z)])号?"
)
_LEAST_CERTIFICATE_DIGITS = 4


@dataclass(frozen=True)
class Found:
    """A value and where it stands in a row.

    Attributes:
        rank: smaller is better.
    """

    value: str
    row: Row
    start: int
    end: int
    rank: int

    @property
    def score(self) -> float:
        """How sure the recogniser is of it."""
        return self.row.score(self.start, self.end)


def check_digit_fits(number: str) -> bool:
    """Whether the eighteenth character is what GB 11643 makes of the seventeen before it."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return number[17] == _CHECK_DIGITS[total % 11]


def id_number(page: Page) -> Found | None:
    """The ID number: one whose check digit fits before one with a label before the first that could be one."""
    return min(_id_numbers(page), key=lambda found: (found.rank, -found.score), default=None)


def _id_numbers(page: Page) -> Iterator[Found]:
    for row in page.rows:
        for match in _ID_NUMBER.finditer(row.text):
            if match.start() >= row.first:
                break  # it is another row's
            if sum(char.isdigit() for char in match[0]) < _LEAST_DIGITS:
                continue
            number = _as_id_number(match[0])
            labelled = bool(_ID_LABEL.search(row.text[: match.start()])) or _has_label_before(page, row)
            if not labelled and (_is_certificates(page, row, match.start()) or not _has_birthday(number)):
                continue
            yield Found(number, row, *match.span(), rank=0 if check_digit_fits(number) else 1 if labelled else 2)


def _as_id_number(text: str) -> str:
    last = "X" if text[17] in "Xx×*" else text[17].translate(_MEANT)
    return text[:17].translate(_MEANT) + last


def _has_birthday(number: str) -> bool:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100


def _has_label_before(page: Page, row: Row) -> bool:
    return any(_ID_LABEL.search(text) for text in _texts_before(page, row))


def _is_certificates(page: Page, row: Row, start: int) -> bool:
    texts = [row.text[:start], *_texts_before(page, row)]
    return any(label.search(text) for label in _CERTIFICATE_LABELS for text in texts)


def _texts_before(page: Page, row: Row) -> Iterator[str]:
    """The line to the left of this row, where there is one."""
    for other in page.rows:
        if other is not row and other.text[other.first :].removeprefix(GAP).startswith(row.text[: row.first]):
            yield other.text[: other.first]


def certificate_number(page: Page) -> Found | None:
    """The number of the certificate, diploma or licence itself."""
    return min(_certificate_numbers(page), key=lambda found: (found.rank, -found.score), default=None)


def _certificate_numbers(page: Page) -> Iterator[Found]:
    for line, row in zip(page.lines, page.rows, strict=True):
        for rank, label in enumerate(_CERTIFICATE_LABELS):
            named = label.search(line.text)
            if named is None or _NOT_THE_PAPERS.search(line.text[: named.start()]):
                continue
            found = _certificate(row, named.end(), rank)
            if found is None and named.end() == len(line.text):
                below = page.below(line)
                found = None if below is None else _certificate(below, 0, rank)
            if found is not None:
                yield found
            break


def _certificate(row: Row, start: int, rank: int) -> Found | None:
    match = _CERTIFICATE.match(row.text, start)
    if match is None:
        return None
    value = match[1]
    digits = sum(char.isdigit() for char in value)
    if digits < _LEAST_CERTIFICATE_DIGITS:
        return None
    letters = {char for char in value if char.isascii() and char.isalpha()}
    # All digits but for what looks like a nought: it is one. Other letters may be meant (PDY00001).
    if letters and letters <= {"O", "o"}:
        value = value.replace("O", "0").replace("o", "0")
    return Found(value.upper(), row, *match.span(1), rank)
