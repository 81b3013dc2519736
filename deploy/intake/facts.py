"""Facts from outside: strict about their JSON types, and a look at whether they contradict each other."""

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any, Literal, NoReturn, get_args, get_origin

from shared.contracts.facts import Facts

MOST_YEARS = 50
LARGEST = 1024 * 1024
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_REGION = re.compile(r"[0-9a-z]{2,16}")


class BadFacts(Exception):
    """Facts that can't be taken. `faults` has a sentence for each, naming the fact and what it may be."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def read_facts(content: bytes) -> Facts:
    """Facts of a JSON object. A fact that is left out has its default.

    Raises:
        BadFacts: everything that is wrong, each fault naming its fact.
    """
    given = _object(content)
    faults: list[str] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in Facts.model_fields:
            faults.append(f"unknown fact {name}{_meant(name)}; the facts are {', '.join(Facts.model_fields)}")
            continue
        try:
            values[name] = _value(name, value)
        except _Mistyped as error:
            faults.append(f"{name}{error.at} is {_shown(error.value)}; it must be {error}")
    if faults:
        raise BadFacts(*faults)
    return Facts(**values)


def _object(content: bytes) -> dict[str, Any]:
    if len(content) > LARGEST:
        raise BadFacts("the facts are over 1 MB; give the facts of one candidate")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFacts("the facts are not UTF-8; save them as UTF-8") from None
    if not text.strip():
        raise BadFacts("the facts are empty; give a JSON object, {} for all defaults")
    try:
        given = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise BadFacts(_not_json(text, error)) from None
    except RecursionError:
        raise BadFacts(
            "the facts are nested too deep; write one JSON object, with a text, a number, true, false, null "
            "or a list of years for each fact"
        ) from None
    if not isinstance(given, dict):
        raise BadFacts(f"the facts are {_shown(given)}; they must be a JSON object with a key for each fact")
    return given


def _not_json(text: str, error: json.JSONDecodeError) -> str:
    where = f"line {error.lineno}, column {error.colno}"
    if error.msg == "Extra data":
        return f"not JSON: the object ends before {where}, but more follows; take out what follows"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return f"not JSON: it ends too early ({where}); complete it, and close every quote, [ and {{"
    return f"not JSON at {where}; look at the quotes, commas, colons and braces there"


class _LongNumber:
    """A number of more digits than any fact has."""

    def __init__(self, digits: str) -> None:
        self.digits = digits


def _whole(digits: str) -> Any:  # noqa: ANN401 an int, or what stands for it
    return int(digits) if len(digits) <= 40 else _LongNumber(digits)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BadFacts(f"{name} is given twice; keep one of them")
        found[name] = value
    return found


def _no_number(name: str) -> NoReturn:
    raise BadFacts(f"not JSON: {name} is no JSON number")


def _meant(name: str) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, list(Facts.model_fields), n=1, cutoff=0.55)
    return f", did you mean {found[0]}?" if found else ""


def _shown(value: Any) -> str:  # noqa: ANN401 any JSON value
    kinds: dict[type, str] = {dict: "an object", list: "a list"}
    if type(value) in kinds:
        return kinds[type(value)]
    if isinstance(value, _LongNumber):
        return f"a number of {len(value.digits.lstrip('-'))} digits"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


class _Mistyped(Exception):
    """What a fact must be.

    Attributes:
        value: what it is.
        at: which entry of it, such as `[1]`.
    """

    def __init__(self, what: str, value: Any, at: str = "") -> None:  # noqa: ANN401 any JSON value
        super().__init__(what)
        self.value = value
        self.at = at


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 any JSON value
    annotation = Facts.model_fields[name].annotation
    if annotation is bool:
        return _must(isinstance(value, bool), value, "true or false, without quotes")
    if get_origin(annotation) is Literal:
        allowed = get_args(annotation)
        return _must(isinstance(value, str) and value in allowed, value, f"one of {', '.join(allowed)}")
    return _OTHERS[str(annotation)](value)


def _must(fits: bool, value: Any, what: str) -> Any:  # noqa: ANN401 as above
    if not fits:
        raise _Mistyped(what, value)
    return value


def _count(value: Any) -> Any:  # noqa: ANN401 as above
    return _must(type(value) is int and 1 <= value <= 20, value, "a whole number from 1 to 20, without quotes")


def _years(value: Any) -> Any:  # noqa: ANN401 as above
    _must(isinstance(value, list), value, "a list of years, such as [2020, 2021], or []")
    _must(len(value) <= MOST_YEARS, value, f"a list of at most {MOST_YEARS} years")
    for number, year in enumerate(value, 1):
        if type(year) is not int or not 1990 <= year <= 2100:
            raise _Mistyped("a year from 1990 to 2100, without quotes", year, f"[{number}]")
    return tuple(value)


def _day(value: Any) -> Any:  # noqa: ANN401 as above
    what = 'a date from 1900 to 2100, such as "2017-07-01", or null'
    if value is None:
        return None
    _must(isinstance(value, str) and bool(_DATE.fullmatch(value)), value, what)
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise _Mistyped(what, value) from None
    _must(1900 <= day.year <= 2100, value, what)
    return day


def _region(value: Any) -> Any:  # noqa: ANN401 as above
    fits = value is None or (isinstance(value, str) and bool(_REGION.fullmatch(value)))
    return _must(fits, value, 'a region code such as "21", or null')


_OTHERS: dict[str, Callable[[Any], Any]] = {
    str(Facts.model_fields["institutions_count"].annotation): _count,
    str(Facts.model_fields["review_passed_years"].annotation): _years,
    str(Facts.model_fields["entered_on"].annotation): _day,
    str(Facts.model_fields["apprenticeship_province"].annotation): _region,
}


def contradictions(facts: Facts, year: int) -> list[str]:
    """What in these facts can't be true together in an exam of this year, each naming the facts.

    A fact that was left out claims nothing: its default contradicts nobody.
    """
    left_out = set(Facts.model_fields) - facts.model_fields_set
    return [
        words
        for contradicts, words in _CONTRADICTIONS
        if contradicts(facts, year) and not left_out & set(re.findall(r"\w+", words))
    ]


def _finishing(facts: Facts) -> bool:
    return facts.student_status == "finishing_this_year"


def _recent(facts: Facts, year: int) -> bool:
    return any(year - 3 <= passed < year for passed in facts.review_passed_years)


_CONTRADICTIONS: list[tuple[Callable[[Facts, int], bool], str]] = [
    (
        lambda f, year: _finishing(f) and f.graduated_on is not None and f.graduated_on.year < year,
        "student_status is finishing_this_year, but graduated_on lies in an earlier year",
    ),
    (
        lambda f, year: _finishing(f) and f.graduated_on is not None and f.graduated_on.year > year,
        "student_status is finishing_this_year, but graduated_on lies in a later year",
    ),
    (
        lambda f, year: not _finishing(f) and f.graduated_on is not None and f.graduated_on.year > year,
        "student_status is graduated, but graduated_on lies in a later year",
    ),
    (
        lambda f, _: f.entered_on is not None and f.graduated_on is not None and f.graduated_on < f.entered_on,
        "graduated_on lies before entered_on",
    ),
    (
        lambda f, year: f.entered_on is not None and f.entered_on.year > year,
        "entered_on lies in a later year than the exam",
    ),
    (
        lambda f, _: f.upgrading and f.level == "assistant",
        "upgrading is true, but level is assistant: who goes up applies for physician",
    ),
    (
        lambda f, _: f.upgraded_from_junior_college and f.upgrade_entered_on is None,
        "upgraded_from_junior_college is true, but upgrade_entered_on is not given",
    ),
    (
        lambda f, _: not f.upgraded_from_junior_college and f.upgrade_entered_on is not None,
        "upgrade_entered_on is given, but upgraded_from_junior_college is false",
    ),
    (
        lambda f, _: f.upgraded_from_junior_college and f.education in {"junior_college", "secondary"},
        "upgraded_from_junior_college is true, but education is below a bachelor's",
    ),
    (
        lambda f, year: f.upgrade_entered_on is not None and f.upgrade_entered_on.year > year,
        "upgrade_entered_on lies in a later year than the exam",
    ),
    (
        lambda f, year: f.first_application_within_3y and _recent(f, year),
        "first_application_within_3y is true, but review_passed_years has one of the last three years",
    ),
    (
        lambda f, year: any(passed > year for passed in f.review_passed_years),
        "review_passed_years has a year after the exam's",
    ),
    (
        lambda f, _: f.registration_years_short and not f.registration_changed,
        "registration_years_short is true, but registration_changed is false",
    ),
    (
        lambda f, _: f.military != "none" and f.nationality != "mainland",
        "military is not none, but nationality is not mainland",
    ),
    (
        lambda f, _: f.nationality == "mainland" and f.id_document == "hmt_permit",
        "id_document is hmt_permit, but nationality is mainland",
    ),
]
