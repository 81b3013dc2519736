"""The name of the person that a paper is about."""

import re
from collections.abc import Iterator

from services.validation.reading.lines import Line, Page, Row
from services.validation.reading.numbers import Found

_CHAR = "[㐀-鿿]"
# Parts with a dot between them are a name of another people's: 阿依古丽·买买提.
_RUN = re.compile(rf"{_CHAR}+(?:·{_CHAR}+){{0,4}}")
_SHORTEST, _LONGEST, _LONGEST_WITH_DOT = 2, 8, 20
# 姓名 of somebody else on the paper.
_LABEL = re.compile(r"(?<!代表人)(?<!负责人)(?<!老师)(?<!导师)(?<!院长)姓名|^姓$")
# What may stand between the label and the name: whatever a space or a watermark was taken for; and the label's own
# second character, found with the value (生 is a 姓 under a watermark).
_BEFORE_NAME = re.compile(rf"[^㐀-鿿]{{0,8}}(?:[生姓]?名(?=\|?{_CHAR}{{2}})\|?){{0,2}}[^㐀-鿿]{{0,8}}")
# Where the label's first character was not found at all.
_HALF_LABEL = re.compile(rf"^[A-Za-z]*[生姓]?名(?![称录誉单额字])(?={_CHAR}{{2,4}}$)")
_NEXT_LABEL = re.compile(
    r"性别|性$|民族|出生|公民|身份|住址|国籍|证件|证书|学号|学院|学校|院校|系别|专业|年龄|职务|部职|电话|类别|编号"
)
_WHO = r"(?:学生|研究生|学员|申请人|持证人|持证者|兹证明|证明)"
_NAME = rf"(?P<name>{_CHAR}{{2,4}}?|{_CHAR}+(?:·{_CHAR}+){{1,4}})"
_PROSE = (
    re.compile(rf"{_WHO}[:,|]*{_NAME}[,.|]*(?:性别|[男女][,.]|同学|同志)"),
    re.compile(rf"(?:^|[^㐀-鿿·|]){_NAME}[,.](?:性别)?[:]?[男女][,.]"),
    re.compile(rf"(?:^|[^㐀-鿿·|]){_NAME}[,.]?性别[:]?[男女]"),
)


def name(page: Page) -> Found | None:
    """As it stands beside 姓名, before it in prose (学生 X，性别女), or below it."""
    return min(_names(page), key=lambda found: (found.rank, -found.score), default=None)


def _names(page: Page) -> Iterator[Found]:
    for line, row in zip(page.lines, page.rows, strict=True):
        found = _labelled(page, line, row) or _in_prose(row)
        if found is not None:
            yield found


def _labelled(page: Page, line: Line, row: Row) -> Found | None:
    label = _LABEL.search(line.text)
    if label is not None:
        beside = _name_at(row, label.end(), rank=0)
        if beside is None and label.end() == len(line.text):
            below = page.below(line)
            return None if below is None else _name_at(below, 0, rank=1)
        return beside
    half = _HALF_LABEL.search(line.text)
    return None if half is None else _name_at(row, half.end(), rank=4)


def _name_at(row: Row, start: int, rank: int) -> Found | None:
    between = _BEFORE_NAME.match(row.text, start)
    run = _RUN.match(row.text, between.end() if between else start)
    if run is None:
        return None
    text = run[0]
    following = _NEXT_LABEL.search(text)
    text = text[: following.start()] if following else text
    if not _SHORTEST <= len(text) <= (_LONGEST_WITH_DOT if "·" in text else _LONGEST):
        return None
    return Found(text, row, run.start(), run.start() + len(text), rank)


def _in_prose(row: Row) -> Found | None:
    for rank, pattern in enumerate(_PROSE, start=1):
        match = pattern.search(row.text)
        if match is not None and match.start() < row.first:
            return Found(match["name"], row, *match.span("name"), rank)
    return None
