"""What one candidate must hand in, how and why: a pack's conditions over the candidate's facts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from services.upload.conditions import (
    BadCondition,
    CompileError,
    Condition,
    EvaluationError,
    Path,
    activation_of,
    as_values,
    compile_condition,
    conditions_in,
)
from shared.contracts.facts import Facts
from shared.contracts.rules import CatalogueLine, ItemRule, Pack, Route, RouteRow, Section, Supplement, Text

__all__ = ["BadCondition", "Checklist", "ListedItem", "OnSiteListed", "Rules", "explain", "line_of", "text_of"]

_EVERYBODY = Text(zh="所有考生均须提交", en="because every candidate hands it in")
_REGISTRATION = Text(zh="根据您的报名信息须提交", en="because of what your registration says")
_MAY = Text(zh="可以提交，不作要求", en="you may hand it in; it is not required")
_NOT_ASKED = Text(zh="根据您的报名信息无需提交", en="your registration does not call for it")
_BROUGHT = Text(zh="在现场审核时提交，无需上传", en="it is brought to the on-site review, not uploaded")
_ROUTES: dict[Route, Text] = {
    "online": Text(zh="本考区对上传的材料进行线上审核", en="this region reviews the uploads online"),
    "onsite": Text(zh="本考区进行现场审核", en="this region reviews in person"),
    "both": Text(
        zh="本考区先线上审核上传的材料，再现场确认",
        en="this region reviews the uploads online, then confirms in person",
    ),
}
_COME = Text(
    zh="请按考点公布的时间到现场审核，并带齐所列材料。",
    en="Come to the on-site review at the time that your site announces, and bring the papers that are listed.",
)


@dataclass(frozen=True)
class ListedItem:
    """An item as this candidate sees it.

    Attributes:
        required: at least `min` images must be uploaded.
        offered: images may be uploaded; what is required is offered, too.
        min: of this candidate.
        max: of this candidate.
        reason: why it is required; of other items, why it is not.
    """

    code: str
    rule: ItemRule
    required: bool
    offered: bool
    min: int
    max: int
    reason: Text


@dataclass(frozen=True)
class OnSiteListed:
    """What a candidate who must come in person is told."""

    instruction: Text
    lines: tuple[CatalogueLine, ...]
    example: bool = False


@dataclass(frozen=True)
class Checklist:
    """Every item that the pack shows, by section, for one candidate, and the way of the review.

    Attributes:
        uploads: False: only data is filled in; nothing is uploaded, and no item is required.
        onsite: None: this candidate need not come.
        catalogue: what to bring, also for those who come only if they are called in.
    """

    pack: Pack
    sections: tuple[tuple[Section, tuple[ListedItem, ...]], ...]
    route: Route
    route_reason: Text
    uploads: bool
    onsite: OnSiteListed | None
    catalogue: tuple[CatalogueLine, ...]
    supplements: tuple[Supplement, ...]

    @cached_property
    def items(self) -> dict[str, ListedItem]:
        """By code, in order."""
        return {item.code: item for _, items in self.sections for item in items}


class Rules:
    """A pack with its conditions compiled: worked out once per pack version, then under 1 ms a candidate.

    Raises:
        BadCondition: a condition names an unknown fact, compares what can't be compared, gives another type than it
            must, or fails on facts that a candidate may have; or the pack names an item that it does not define.
    """

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        _check_items(pack)
        by_text: dict[tuple[str, str], Condition] = {}
        self._conditions: dict[Path, Condition] = {}
        for written in conditions_in(pack):
            known = by_text.get((written.gives, written.source))
            if known is None:
                try:
                    known = compile_condition(written.source, written.gives)
                except CompileError as error:
                    raise BadCondition(written.path, str(error)) from error
                by_text[written.gives, written.source] = known
            self._conditions[written.path] = known
        self._prove()

    @cached_property
    def facts_read(self) -> frozenset[str]:
        """The facts that the pack's conditions name."""
        return frozenset[str]().union(*(condition.facts_read for condition in self._conditions.values()))

    def checklist(self, facts: Facts) -> Checklist:
        """What the candidate with these facts sees."""
        return self._checklist(_Decided(self._conditions, facts))

    def _checklist(self, decided: "_Decided") -> Checklist:
        pack = self.pack
        row = next((row for number, row in enumerate(pack.routes) if decided("routes", number, "when")), None)
        route = row.route if row else pack.route
        route_reason = row.reason if row else _ROUTES[route]
        sections = tuple(
            (section, tuple(_listed(code, pack.items[code], row, decided) for code in section.items))
            for section in pack.sections
        )
        catalogue: tuple[CatalogueLine, ...] = ()
        onsite = OnSiteListed(_COME, ()) if route != "online" else None
        if pack.onsite is not None:
            catalogue = tuple(
                line for n, line in enumerate(pack.onsite.catalogue) if decided("onsite", "catalogue", n, "when")
            )
            comes = route != "online" or decided("onsite", "applies_when")
            onsite = OnSiteListed(pack.onsite.instruction, catalogue, pack.onsite.example) if comes else None
        return Checklist(
            pack=pack,
            sections=sections,
            route=route,
            route_reason=route_reason,
            uploads=row.uploads if row else True,
            onsite=onsite,
            catalogue=catalogue,
            supplements=tuple(
                supplement for n, supplement in enumerate(pack.supplements) if decided("supplements", n, "when")
            ),
        )

    def _prove(self) -> None:
        """Evaluate everything once over facts at both ends, so that no candidate finds what was never tried."""
        for facts in _ENDS:
            activation = activation_of(as_values(facts))
            for path, condition in self._conditions.items():
                _evaluate(path, condition, activation)


_ENDS = (
    Facts(),
    Facts(
        entered_on=None,
        graduated_on=None,
        upgrading=True,
        upgraded_from_junior_college=True,
        upgrade_entered_on=date(2016, 9, 1),
        apprenticeship_province="21",
        institutions_count=20,
        review_passed_years=(2020, 2021),
        education="apprenticeship",
    ),
)


class _Decided:
    """The conditions over one candidate's facts: evaluated when asked, once for each text."""

    def __init__(self, conditions: dict[Path, Condition], facts: Facts) -> None:
        self._conditions = conditions
        self._activation = activation_of(as_values(facts))
        self._known: dict[str, bool | int] = {}

    def __call__(self, *path: str | int) -> bool:
        condition = self._conditions[path]
        return condition.constant if condition.constant is not None else bool(self._value(path, condition))

    def count(self, *path: str | int) -> int:
        return int(self._value(path, self._conditions[path]))

    def _value(self, path: Path, condition: Condition) -> bool | int:
        known = self._known.get(condition.source)
        if known is None:
            known = self._known[condition.source] = _evaluate(path, condition, self._activation)
        return known


def _evaluate(path: Path, condition: Condition, activation: Any) -> bool | int:  # noqa: ANN401 CEL has no stubs
    try:
        return condition.value(activation)
    except EvaluationError as error:
        raise BadCondition(path, f"can't be worked out for every candidate: {error}") from error


def _check_items(pack: Pack) -> None:
    defined = set(pack.items)
    named: list[tuple[Path, str]] = [
        *((("sections", n, "items"), code) for n, section in enumerate(pack.sections) for code in section.items),
        *((("routes", n, "requires"), code) for n, row in enumerate(pack.routes) for code in row.requires),
        *((("supplements", n, "item"), supplement.item) for n, supplement in enumerate(pack.supplements)),
    ]
    for path, code in named:
        if code not in defined:
            raise BadCondition(path, f"{code} is not defined under items")


def _listed(code: str, rule: ItemRule, row: RouteRow | None, decided: _Decided) -> ListedItem:
    least = max(rule.min, decided.count("items", code, "min_by")) if rule.min_by is not None else rule.min
    most = max(rule.max, least)
    if rule.channel == "onsite":
        return ListedItem(code, rule, False, False, least, most, _BROUGHT)
    if row is not None and not row.uploads:
        return ListedItem(code, rule, False, False, least, most, row.reason)
    by_rule = decided("items", code, "required_when")
    if by_rule or (row is not None and code in row.requires):
        return ListedItem(code, rule, True, True, least, most, _why(code, rule, None if by_rule else row, decided))
    offered = decided("items", code, "offered_when")
    return ListedItem(code, rule, False, offered, least, most, _MAY if offered else _NOT_ASKED)


def _why(code: str, rule: ItemRule, row: RouteRow | None, decided: Callable[..., bool]) -> Text:
    """Why it is required; `row` is the route's where it alone requires it."""
    for number, reason in enumerate(rule.reasons):
        if decided("items", code, "reasons", number, "when"):
            return reason.words
    # An item's own words speak of its own condition: they fit a row only where that never holds by itself.
    if rule.reason is not None and (row is None or rule.required_when.strip() == "false"):
        return rule.reason
    if row is not None:
        return row.reason
    return _EVERYBODY if rule.required_when.strip() == "true" else _REGISTRATION


def explain(checklist: Checklist) -> dict[str, Any]:
    """The checklist as JSON: what `baoshen rules explain` prints and the API answers."""
    pack = checklist.pack
    return {
        "pack": pack.id,
        "version": pack.version,
        "route": checklist.route,
        "route_reason": text_of(checklist.route_reason),
        "uploads": checklist.uploads,
        "items": [
            {
                "item": item.code,
                "title": text_of(item.rule.title),
                "channel": item.rule.channel,
                "required": item.required,
                "offered": item.offered,
                "reason": text_of(item.reason),
                "min": item.min,
                "max": item.max,
            }
            for item in checklist.items.values()
        ],
        "onsite": {
            "required": checklist.onsite is not None,
            "lines": [line_of(line) for line in checklist.catalogue],
        },
        "supplements": [
            {"item": each.item, "due": each.due.isoformat(), "reason": text_of(each.reason)}
            for each in checklist.supplements
        ],
    }


def line_of(line: CatalogueLine) -> dict[str, Any]:
    """A line of the on-site catalogue as the API shows it."""
    return {"item": line.item, "title": text_of(line.title), "copies": line.copies, "note": text_of(line.note)}


def text_of(text: Text | None) -> dict[str, str] | None:
    """A text as the API shows it."""
    return None if text is None else {"zh": text.zh, "en": text.en}
