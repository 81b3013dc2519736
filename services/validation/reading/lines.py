"""Lines of text where they stand on a page, and what stands beside and below them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shared.contracts.validation import Box
from shared.folding import folded

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]
"""Left top, right top, right bottom, left bottom, as one reads."""

GAP = "|"
"""Stands between two lines of a row. No text has one: `folded` makes it a 1 or takes it out."""
_MOST_BESIDE = 5


@dataclass(frozen=True)
class Line:
    """A line of text.

    Attributes:
        text: as `folded` leaves it.
        score: how sure the recogniser is, 0 to 1.
        level: its place on the page once that lies level, in any unit: left, top, right, bottom.
        corners: its corners on the picture as it is shown, in shares of it.
    """

    text: str
    score: float
    level: tuple[float, float, float, float]
    corners: Corners

    @property
    def height(self) -> float:
        """Of the level line."""
        return self.level[3] - self.level[1]

    @cached_property
    def _ends(self) -> list[float]:
        """Where each character ends, as a share of the line: a Chinese one is about twice as wide as a digit."""
        widths = [1.0 if char > "ÿ" else 0.55 for char in self.text]
        total = sum(widths) or 1.0
        return [sum(widths[: at + 1]) / total for at in range(len(widths))]

    def part(self, start: int, end: int) -> list[Point]:
        """The corners of some of its characters, as shares of the picture."""
        begins = 0.0 if start <= 0 else self._ends[start - 1]
        ends = self._ends[min(end, len(self.text)) - 1]
        left_top, right_top, right_bottom, left_bottom = self.corners
        return [
            _between(edge, share)
            for edge in ((left_top, right_top), (left_bottom, right_bottom))
            for share in (begins, ends)
        ]


def _between(edge: tuple[Point, Point], share: float) -> Point:
    (x1, y1), (x2, y2) = edge
    return x1 + (x2 - x1) * share, y1 + (y2 - y1) * share


def line(text: str, score: float, level: tuple[float, float, float, float], corners: Corners) -> Line:
    """A line with its text folded."""
    return Line(folded(text), score, level, corners)


@dataclass(frozen=True)
class Row:
    """A line and what stands to its right, as one text with a `GAP` between two of them.

    Attributes:
        first: the length of the first line's text.
    """

    text: str
    first: int
    _parts: tuple[tuple[int, Line], ...]

    def box(self, start: int, end: int) -> Box:
        """The place of some of its characters on the picture."""
        points = [
            point
            for offset, each in self._parts
            if start < offset + len(each.text) and end > offset
            for point in each.part(start - offset, end - offset)
        ]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return Box(
            left=round(min(xs), 4), top=round(min(ys), 4), right=round(max(xs), 4), bottom=round(max(ys), 4)
        )  # fmt: skip

    def score(self, start: int, end: int) -> float:
        """How sure the recogniser is of the least sure line of these characters."""
        return min(each.score for offset, each in self._parts if start < offset + len(each.text) and end > offset)


@dataclass
class Page:
    """All lines of a picture, from top to bottom."""

    lines: Sequence[Line]
    rows: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = [_row(each, list(self._beside(each))) for each in self.lines]

    def below(self, first: Line) -> Row | None:
        """The row that begins right below this line, as a value does below its label."""
        left, _, _, bottom = first.level
        near = [
            number
            for number, each in enumerate(self.lines)
            if each is not first
            and abs(each.level[0] - left) < first.height
            and -0.5 * first.height < each.level[1] - bottom < first.height
        ]
        return self.rows[min(near, key=lambda number: self.lines[number].level[1])] if near else None

    def _beside(self, first: Line) -> Iterator[Line]:
        _, top, right, bottom = first.level
        middle = (top + bottom) / 2
        near = [
            each
            for each in self.lines
            if each is not first
            and (each.level[0] + each.level[2]) / 2 > right
            and (top <= (each.level[1] + each.level[3]) / 2 <= bottom or each.level[1] <= middle <= each.level[3])
            and 0.4 < each.height / max(first.height, 1e-6) < 2.5
        ]
        yield from sorted(near, key=lambda each: each.level[0])[:_MOST_BESIDE]


def _row(first: Line, beside: list[Line]) -> Row:
    text, parts, before = first.text, [(0, first)], first
    for each in beside:
        gap = each.level[0] - before.level[2]
        # A number that was found in pieces is one number.
        joined = gap < 1.2 * first.height and _in_number(before.text[-1:]) and _in_number(each.text[:1])
        text += "" if joined else GAP
        parts.append((len(text), each))
        text += each.text
        before = each
    return Row(text, len(first.text), tuple(parts))


def _in_number(char: str) -> bool:
    return char.isascii() and (char.isdigit() or char.isupper() or char == "-")
