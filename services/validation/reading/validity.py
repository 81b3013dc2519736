"""Until when a paper is valid."""

import calendar
import re
from collections.abc import Iterator
from datetime import date

from services.validation.reading.lines import Page, Row
from services.validation.reading.numbers import Found

LONG_TERM = "long_term"
_LABEL = re.compile(r"有效(?:期限|日期|期间|期)?(?P<end>[至到止]|截[至止])?(?:日期)?[:.|]*")
_SEPARATOR = r"[.\-/,·:]"
_DATE = re.compile(
    r"(?P<long>长期|永久)"
    r"|(?P<y1>[0-9〇零一二三四五六七八九]{4})年(?P<m1>[0-9元一二三四五六七八九十]{1,3})月"
    r"(?:(?P<d1>[0-9一二三四五六七八九十]{1,3})日?)?"
    rf"|(?P<y2>[0-9]{{4}}){_SEPARATOR}(?P<m2>[0-9]{{1,2}}){_SEPARATOR}(?P<d2>[0-9]{{1,2}})"
    rf"|(?P<y3>[0-9]{{4}}){_SEPARATOR}?(?P<m3>[0-9]{{2}}){_SEPARATOR}?(?P<d3>[0-9]{{2}})"
)
_TO = re.compile(r"[-~至到][|]?$")
# Between the two days of a range: the card's thin dash is also read as a dot, as a Chinese one, or not at all.
_BETWEEN = re.compile(r"[日起|]*[-~至到一.,:]*[|]?")
_MEANT = str.maketrans("OoIl", "0011")
# A card whose label could not be read still shows its range alone on a line.
_CARD = re.compile(r"居民身份证|签发机关|公安局")
_NUMERALS = {char: at for at, char in enumerate("〇一二三四五六七八九十")} | {"零": 0, "元": 1}


def valid_until(page: Page) -> Found | None:
    """An ISO date, or `long_term`; nothing where only the beginning, or a length of time, can be read."""
    return min(_ends(page), key=lambda found: (found.rank, -found.score), default=None)


def _ends(page: Page) -> Iterator[Found]:
    card = any(_CARD.search(line.text) for line in page.lines)
    for row in page.rows:
        label = _LABEL.search(row.text, 0, row.first)
        if label is not None:
            end = _end(row, label.end(), only_end=label["end"] is not None)
            if end is not None:
                yield Found(end[0], row, *end[1], rank=0)
        elif card:
            end = _end(row, 0, only_end=False)
            if end is not None and end[1][1] == row.first and _begins(row):
                yield Found(end[0], row, *end[1], rank=1)


def _begins(row: Row) -> bool:
    return _DATE.match(row.text.translate(_MEANT)) is not None


def _end(row: Row, start: int, *, only_end: bool) -> tuple[str, tuple[int, int]] | None:
    """What stands at the end of the time that begins here, and where."""
    text = row.text.translate(_MEANT)
    first = _DATE.search(text, start)
    if first is None or (value := _day(first)) is None:
        return None
    if only_end or value == LONG_TERM or _TO.search(text[start : first.start()]):
        return value, first.span()
    between = _BETWEEN.match(text, first.end())
    then = _DATE.match(text, between.end() if between else first.end())
    until = None if then is None else _day(then)
    # One day alone may be the first: `long_term` and a later day are no doubt the last.
    return (until, then.span()) if then and until and until > value else None


def _day(match: re.Match[str]) -> str | None:
    if match["long"]:
        return LONG_TERM
    said = next((match[f"y{way}"], match[f"m{way}"], match[f"d{way}"]) for way in "123" if match[f"y{way}"])
    year, month = int("".join(str(_NUMERALS.get(char, char)) for char in said[0])), _number(said[1])
    if not (1990 <= year <= 2150 and 1 <= month <= 12):
        return None
    last = calendar.monthrange(year, month)[1]
    day = last if said[2] is None else _number(said[2])  # a month that is named alone counts to its end
    return date(year, month, day).isoformat() if 1 <= day <= last else None


def _number(text: str) -> int:
    """`7`, `十一` or `二十一`."""
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _NUMERALS.get(text, 0)
    return (_NUMERALS.get(tens, 0) if tens else 1) * 10 + (_NUMERALS.get(ones, 0) if ones else 0)
