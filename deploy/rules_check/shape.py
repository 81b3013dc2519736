"""The form of a pack: what the model refuses, said with the key's line and the nearest right key."""

import copy
from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from deploy.rules_check.problems import Document, nearest
from services.upload.conditions import Path, in_words
from shared.contracts.rules import Pack

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
_TODO = {
    "missing": "add it",
    "string_pattern_mismatch": "use another spelling",
    "too_short": "add to it",
    "too_long": "take some away",
    "string_too_short": "write something",
    "string_too_long": "shorten it",
    "string_type": "put it in quotes: it must be text",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "datetime_from_date_parsing": "write it as 2021-04-01T09:00",
    "datetime_parsing": "write it as 2021-04-01T09:00",
    "datetime_type": "write it as 2021-04-01T09:00",
    "date_from_datetime_parsing": "write it as 2021-08-31",
    "date_parsing": "write it as 2021-08-31",
    "model_type": "write keys below it",
    "dict_type": "write keys below it",
    "tuple_type": "write a list",
}


def check_shape(document: Document) -> Pack | None:
    """The pack; where its form is wrong, what is left of it without the wrong parts, so that the rest can be checked.

    Returns:
        None where too little is left.
    """
    content = copy.deepcopy(document.content)
    if not isinstance(content, dict):
        document.add((), "the file holds no keys", "copy rules/default.yaml and change it")
        return None
    for turn in range(6):
        try:
            return Pack.model_validate(content)
        except ValidationError as error:
            faults = _own(error)
        except RecursionError:
            document.add((), "the file refers to itself", "write it without such aliases")
            return None
        if turn == 0:
            for fault in faults:
                _say(document, _path(fault["loc"]), fault)
        for fault in faults:
            if not _mend(content, _path(fault["loc"]), fault["type"]):
                return None
    return None


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
        document.add(path[:-1], f"{place} is missing", _TODO[kind])
    elif kind == "literal_error":
        document.add(path, f"{place} must be {fault['ctx']['expected']}", "use one of them")
    elif "[key]" in fault["loc"]:
        document.add(path, f"{place}: {fault['msg']}", "use another name for the key", key=True)
    else:
        words = str(fault["msg"]).removeprefix("Value error, ")
        todo = _TODO.get(kind) or ("change it" if kind != "value_error" else "write it so")
        document.add(path, f"{place}: {words}", todo)


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
