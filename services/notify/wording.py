"""The region's own words for a message where its pack has them, filled in; ours everywhere else.

A pack's author writes these, so whatever is wrong with them must not stop a message: a placeholder that nobody knows,
or that has no value for this message, braces that don't pair, an SMS that is more than one part: ours goes out instead.
"""

import re
from collections.abc import Mapping
from datetime import datetime

import structlog

from services.notify import texts
from services.notify.domain import About, Content
from services.notify.texts import SIGNATURE, SMS_PART, Bilingual, Names, OwnWords

log = structlog.get_logger(__name__)

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_BRACE = re.compile(r"[{}]")


class _Broken(Exception):
    """The words can't be filled in."""


def text(about: About, round_no: int, at: datetime, content: Content, names: Names) -> Bilingual:
    """The body of a notice in the inbox."""
    own = _own(about, content, names).inbox
    if own is None:
        return texts.text(about, round_no, at, content, names)
    lines = texts.lines_of(content.items, names)
    opinion = texts.opinion(content, names) if about == "published" else Bilingual("", "")
    try:
        zh = _filled(own.zh, _values(about, round_no, content, names, "zh") | _known(items=_titles(content, names).zh))
        en = _filled(own.en, _values(about, round_no, content, names, "en") | _known(items=_titles(content, names).en))
    except _Broken as broken:
        log.warning("message.broken", about=about, why=str(broken))
        return texts.text(about, round_no, at, content, names)
    # Without these the notice would say nothing, however well it is put.
    return Bilingual(
        "\n".join(filter(None, (zh, lines.zh, opinion.zh))), "\n".join(filter(None, (en, lines.en, opinion.en)))
    )


def sms(about: About, round_no: int, content: Content, names: Names) -> str:
    """The SMS of a notice, in one part."""
    own = _own(about, content, names).sms
    if own is None:
        return texts.sms(about, round_no, content, names)
    template = " ".join(own.split())
    if not template.startswith("【"):
        template = SIGNATURE + template
    try:
        return _one_part(template, content, names, _values(about, round_no, content, names, "zh"))
    except _Broken as broken:
        log.warning("message.broken", about=about, why=str(broken))
        return texts.sms(about, round_no, content, names)


def _one_part(template: str, content: Content, names: Names, values: dict[str, str]) -> str:
    room = SMS_PART - len(_filled(template, values | {"items": ""}))
    if content.items:
        values |= {"items": texts.listed(content.items, names, max(room, 0))}
    filled = _filled(template, values)
    if len(filled) > SMS_PART:
        raise _Broken(f"{len(filled)} characters are more than one part")
    return filled


def _own(about: About, content: Content, names: Names) -> OwnWords:
    # A pack tells the two causes of a reopening apart.
    key = (content.cause or "image_failed") if about == "reopened" else about
    return names.own.get(key) or OwnWords()


def _titles(content: Content, names: Names) -> Bilingual:
    titles = [names.item(each.item) for each in content.items]
    return Bilingual("、".join(title.zh for title in titles), ", ".join(title.en for title in titles))


def _deadline(about: About, content: Content, names: Names) -> datetime | None:
    """The event's; else when the window closes in which the candidate may do what the message asks for."""
    if content.deadline is not None:
        return content.deadline
    if about == "returned" or (about == "reopened" and content.cause != "registration_changed"):
        return names.closing.get("review")
    return names.closing.get("upload") if about in {"reopened", "withdrawn"} else None


def _values(about: About, round_no: int, content: Content, names: Names, language: str) -> dict[str, str]:
    def said(each: Bilingual | None) -> str | None:
        return None if each is None else each.zh if language == "zh" else each.en

    deadline = _deadline(about, content, names)
    return _known(
        exam=said(names.exam),
        region=said(names.region),
        site=said(names.site),
        round=str(round_no) if round_no else None,
        deadline=texts.beijing(deadline) if deadline else None,
        phone=names.phone,
    )


def _known(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Not `str.format`: that would let a pack reach into objects and pad to any length."""
    if _BRACE.search(_PLACEHOLDER.sub("", template)):
        raise _Broken("braces that don't pair")

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in values:
            raise _Broken(f"{{{name}}} has no value here")
        return values[name]

    return _PLACEHOLDER.sub(value, template)
