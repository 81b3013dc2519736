"""The form of a pack: what the model refuses, said with the key's line and the nearest right key."""

import copy
import json
import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints, ValidationError

from deploy.rules_check.problems import MOST_PROBLEMS, Document, nearest
from services.upload.conditions import Path, in_words
from shared.contracts.event import ItemCode, PackId, ReasonCode, RegionCode, SiteCode
from shared.contracts.rules import Link, Pack

_TEXT = {"zh": "?", "en": "?"}
_STAND_INS: dict[str, Any] = {
    **dict.fromkeys(("title", "instruction", "exam", "name", "words", "reason", "office"), _TEXT),
    "zh": "?",
    "en": "?",
    "when": "true",
    "id": "unnamed",
    "code": "00",
    "version": 1,
    "year": 2000,
    "due": "2100-12-31",
    "route": "online",
    "reasons": {},
    "items": {},
    "region": {"code": "00", "name": _TEXT},
    "sites": [{"code": "00", "name": _TEXT}],
}
# Lists that are left out as a whole where an entry is wrong.
_CAN_BE_LEFT_OUT = frozenset({"reads", "stricter_checks"})
_LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME_TODO = "write a day and a time that there are, such as 2021-04-01T09:00"
_DAY_TODO = "write a day that there is, such as 2021-08-31"

# What the model says of each kind of fault, in the words of YAML: what the part must be, and what to do.
_WORDS = {
    "string_type": ("must be a text", "put it in quotes: it must be text"),
    "int_type": ("must be a whole number", "write a whole number, without quotes and without a point"),
    "bool_type": ("must be true or false", "write true or false, without quotes"),
    "datetime_type": ("must be a day and a time", _TIME_TODO),
    "datetime_parsing": ("must be a day and a time", _TIME_TODO),
    "date_type": ("must be a day", _DAY_TODO),
    "date_parsing": ("must be a day", _DAY_TODO),
    "model_type": ("must have keys of its own", "write its keys and their values below it"),
    "dict_type": ("must have keys of its own", "write its keys and their values below it"),
    "tuple_type": ("must be a list", "write a list, such as [a, b], or a line with - for each entry"),
    "greater_than_equal": ("must be at least {ge}", "give at least {ge}"),
    "less_than_equal": ("must be at most {le}", "give at most {le}"),
    "too_short": ("must have at least {min_length} entry", "add one"),
    "too_long": ("must have at most {max_length} entries", "take some away"),
    "string_too_short": ("must not be empty", "write something"),
    "string_too_long": ("must have at most {max_length} characters", "shorten it"),
    "string_pattern_mismatch": ("must be {spelling}", "spell it so"),
}
_SPELLINGS = {
    PackId: "2 to 48 small letters, digits and hyphens, a letter first, such as neimenggu-2021",
    RegionCode: 'a code of 2 to 16 digits and small letters, such as "15"',
    SiteCode: 'a code of 2 to 24 digits, small letters and hyphens, such as "1501"',
    ItemCode: "an item code: small letters and _, such as diploma",
    ReasonCode: "a code of small letters and _, such as unreadable",
    Link: "an address that begins with http:// or https://",
}
_SPELLING_OF = {
    constraint.pattern: words
    for code, words in _SPELLINGS.items()
    for constraint in get_args(code)
    if isinstance(constraint, StringConstraints)
}
_EXAMPLE_SPELLING = "the name of a picture: small letters, digits and _, without .jpg"


def check_shape(document: Document) -> Pack | None:
    """The pack; where its form is wrong, what is left of it without the wrong parts, so that the rest can be checked.

    Returns:
        None where too little is left.
    """
    content = copy.deepcopy(document.content)
    if not isinstance(content, dict):
        document.add((), "the file holds no keys", "copy rules/default.yaml and change it")
        return None
    if not _keys_are_texts(document, content):
        return None
    _times(document, content)
    for turn in range(6):
        try:
            # As JSON, strictly: "1" is no number and 0 is not false, while texts are still read as dates.
            return Pack.model_validate_json(json.dumps(content), strict=True)
        except ValidationError as error:
            faults = _own(error)
        if turn == 0:
            for fault in faults[: MOST_PROBLEMS + 1]:
                _say(document, _path(fault["loc"]), fault)
        for fault in faults:
            if not _mend(content, _path(fault["loc"]), fault["type"]):
                return None
    return None


def _keys_are_texts(document: Document, content: Any, path: Path = ()) -> bool:  # noqa: ANN401 as YAML gives it
    fits = True
    if isinstance(content, dict):
        for key, value in content.items():
            if isinstance(key, str):
                fits = _keys_are_texts(document, value, (*path, key)) and fits
            else:
                document.add((*path, key), f"the key {json.dumps(key)} is no text", "put it in quotes", key=True)
                fits = False
    elif isinstance(content, list):
        for number, value in enumerate(content):
            fits = _keys_are_texts(document, value, (*path, number)) and fits
    return fits


def _times(document: Document, content: dict[str, Any]) -> None:
    """The model reads more spellings than the published schema has; a day as a time is that day's beginning."""
    windows = content.get("windows")
    for name, window in windows.items() if isinstance(windows, dict) else ():
        for key in ("opens", "closes") if isinstance(window, dict) else ():
            value = window.get(key)
            if not isinstance(value, str):
                continue
            if _DAY.fullmatch(value):
                window[key] = f"{value}T00:00"
            elif re.fullmatch(r".*([Zz]|[+-][0-9]{2}:?[0-9]{2})", value) and _LOCAL_TIME.match(value):
                continue  # the model's own words are better
            elif not _LOCAL_TIME.fullmatch(value):
                _say_spelling(document, ("windows", name, key), value, "datetime_parsing")
                window[key] = "2000-01-01T00:00" if key == "opens" else "2000-01-02T00:00"
    supplements = content.get("supplements")
    for number, supplement in enumerate(supplements if isinstance(supplements, list) else ()):
        value = supplement.get("due") if isinstance(supplement, dict) else None
        if isinstance(value, str) and not _DAY.fullmatch(value):
            _say_spelling(document, ("supplements", number, "due"), value, "date_parsing")
            supplement["due"] = _STAND_INS["due"]


def _say_spelling(document: Document, path: Path, value: str, kind: str) -> None:
    must, todo = _WORDS[kind]
    document.add(path, f"{in_words(path)} {must}, but is {_shown(value)}", todo)


def _own(error: ValidationError) -> list[Any]:
    """The faults, without a list's "too short" that only follows from a wrong entry in it."""
    faults = error.errors(include_url=False)
    wrong = {fault["loc"][:depth] for fault in faults for depth in range(len(fault["loc"]))}
    return [fault for fault in faults if fault["type"] != "too_short" or fault["loc"] not in wrong]


def _path(loc: tuple[int | str, ...]) -> Path:
    return tuple(part for part in loc if part != "[key]")


def _say(document: Document, path: Path, fault: Any) -> None:  # noqa: ANN401 pydantic's own dict
    kind, place = fault["type"], in_words(path)
    if kind == "extra_forbidden":
        keys = list(_keys_at(path[:-1]))
        hint = nearest(str(path[-1]), keys) or f"the keys here are {', '.join(keys)}"
        document.add(path, f"unknown key {place}", hint, key=True)
    elif kind == "missing":
        document.add(path[:-1], f"{place} is missing", "add it")
    elif kind == "literal_error":
        document.add(
            path, f"{place} must be {fault['ctx']['expected']}", "use one of them", key="[key]" in fault["loc"]
        )
    elif kind == "value_error":
        words, _, todo = str(fault["msg"]).removeprefix("Value error, ").partition("; ")
        document.add(path, f"{place}: {words}", todo or "write it so")
    elif kind in _WORDS:
        _say_words(document, path, fault)
    else:
        words = str(fault["msg"]).replace("Input should be", "must be")
        document.add(path, f"{place}: {words}", "write it as docs/rules/pack.schema.json has it")


def _say_words(document: Document, path: Path, fault: Any) -> None:  # noqa: ANN401 pydantic's own dict
    kind, value = fault["type"], fault["input"]
    must, todo = _WORDS[kind]
    spelling = _SPELLING_OF.get(fault.get("ctx", {}).get("pattern", ""), _EXAMPLE_SPELLING)
    known = {"spelling": spelling} | fault.get("ctx", {})
    if kind == "string_type" and isinstance(value, list | dict | None):
        todo = "write a text"
    if kind == "too_long":
        found = f", but has {len(value)}" if isinstance(value, list) else ""
    else:
        found = "" if kind in {"too_short", "string_too_short", "string_too_long"} else f", but is {_shown(value)}"
    words = f"{in_words(path)} {must.format(**known)}{found}"
    document.add(path, words, todo.format(**known), key="[key]" in fault["loc"])


def _shown(value: Any) -> str:  # noqa: ANN401 as YAML gives it
    if value is None or isinstance(value, list | dict):
        return "empty" if value is None else ("a list" if isinstance(value, list) else "keys with values")
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"


def _mend(content: Any, path: Path, kind: str) -> bool:  # noqa: ANN401 as YAML gives it
    """Take a wrong part away, or put something in its place. False where neither can be done."""
    if not path:
        return False
    holder = content
    for part in path[:-1]:
        try:
            holder = holder[part]
        except (KeyError, IndexError, TypeError):
            return True  # mended together with what is around it
    last = path[-1]
    if kind == "extra_forbidden" and isinstance(holder, dict):
        holder.pop(last, None)
        return True
    if isinstance(holder, list) and path[-2] in _CAN_BE_LEFT_OUT:
        return _mend(content, path[:-1], kind)
    if isinstance(holder, dict):
        if last in _STAND_INS and (kind == "missing" or holder.get(last) != _STAND_INS[str(last)]):
            holder[last] = copy.deepcopy(_STAND_INS[str(last)])
            return True
        if kind == "missing":
            return _mend(content, path[:-1], "incomplete")
        holder.pop(last, None)
        return True
    return False


def _keys_at(path: Path) -> Iterator[str]:
    """The keys that the model knows at this place."""
    annotation: Any = Pack
    for part in path:
        annotation = _inner(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(part))
            annotation = field.annotation if field else None
        else:
            inside = [each for each in get_args(annotation) if each is not Ellipsis]
            annotation = inside[-1] if inside else None
    annotation = _inner(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from annotation.model_fields


def _inner(annotation: Any) -> Any:  # noqa: ANN401 any annotation
    if get_origin(annotation) in {Union, UnionType}:
        return next(each for each in get_args(annotation) if each is not type(None))
    return annotation
