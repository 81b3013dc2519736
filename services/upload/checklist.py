"""What one candidate must hand in: a pack's conditions (CEL), compiled and type-checked, over the candidate's facts."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, get_args, get_origin

from cel_expr_python import cel

from shared.contracts.facts import Facts
from shared.contracts.rules import ItemRule, Pack, Section, Text


class BadCondition(Exception):
    """A condition that does not compile, or is no bool. Its text says where and what to do."""


@dataclass(frozen=True)
class ListedItem:
    """An item as this candidate sees it."""

    code: str
    rule: ItemRule
    required: bool
    offered: bool


@dataclass(frozen=True)
class Checklist:
    """Every item that the pack shows, by section, for one candidate."""

    pack: Pack
    sections: tuple[tuple[Section, tuple[ListedItem, ...]], ...]

    @property
    def items(self) -> dict[str, ListedItem]:
        """By code, in order."""
        return {item.code: item for _, items in self.sections for item in items}


def _cel_type(annotation: Any) -> Any:  # noqa: ANN401 CEL's types have no stubs
    text = str(annotation)
    if annotation is bool:
        return cel.Type.BOOL
    if annotation is int:
        return cel.Type.INT
    if get_origin(annotation) is tuple and get_args(annotation)[0] is int:
        return cel.Type.List(cel.Type.INT)
    if "Literal" in text or "str" in text or "date" in text:
        return cel.Type.STRING
    raise TypeError(f"no CEL type for {text}")


@lru_cache(maxsize=1)
def _environment() -> Any:  # noqa: ANN401 as above
    return cel.NewEnv(variables={name: _cel_type(field.annotation) for name, field in Facts.model_fields.items()})


class Rules:
    """A pack with its conditions compiled: worked out once per pack version, then 3 µs a condition.

    Raises:
        BadCondition: a condition names an unknown fact, compares what can't be compared, or is no bool.
    """

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self._required: dict[str, Any] = {}
        self._offered: dict[str, Any] = {}
        for code, rule in pack.items.items():
            self._required[code] = _compile(code, "required_when", rule.required_when)
            self._offered[code] = _compile(code, "offered_when", rule.offered_when)
        unknown = [code for code in pack.ordered_items() if code not in pack.items]
        if unknown:
            raise BadCondition(f"sections name items that are not defined: {', '.join(unknown)}")

    @property
    def facts_read(self) -> frozenset[str]:
        """The facts that the pack's conditions name."""
        conditions = [c for rule in self.pack.items.values() for c in (rule.required_when, rule.offered_when)]
        words = set(re.findall(r"[a-z_0-9]+", re.sub(r"\"[^\"]*\"|'[^']*'", "", " ".join(conditions))))
        return frozenset(words & set(Facts.model_fields))

    def checklist(self, facts: Facts) -> Checklist:
        """What the candidate with these facts sees."""
        values = _values(facts)
        sections = []
        for section in self.pack.sections:
            items = []
            for code in section.items:
                required = bool(self._required[code].eval(data=values).value())
                offered = required or bool(self._offered[code].eval(data=values).value())
                items.append(ListedItem(code, self.pack.items[code], required, offered))
            sections.append((section, tuple(items)))
        return Checklist(self.pack, tuple(sections))


def _compile(code: str, name: str, condition: str) -> Any:  # noqa: ANN401 as above
    try:
        compiled = _environment().compile(condition)
    except Exception as error:
        raise BadCondition(f"item {code}, {name}: {error}") from error
    if compiled.return_type() != cel.Type.BOOL:
        raise BadCondition(f"item {code}, {name}: the condition gives {compiled.return_type()}, it must give a bool")
    return compiled


def _values(facts: Facts) -> dict[str, Any]:
    """Facts as CEL sees them: dates as ISO text (which orders as dates do), what is absent as "" or an empty list."""
    values: dict[str, Any] = {}
    for name in Facts.model_fields:
        value = getattr(facts, name)
        if value is None:
            value = ""
        elif isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, tuple):
            value = list(value)
        values[name] = value
    return values


def text_of(text: Text | None) -> dict[str, str] | None:
    """A text as the API shows it."""
    return None if text is None else {"zh": text.zh, "en": text.en}
