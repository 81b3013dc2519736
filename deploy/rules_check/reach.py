"""What a pack says together: route rows that are never reached, items that nobody is ever asked for."""

from typing import Any

from deploy.rules_check.conditions import Compiled
from deploy.rules_check.facts import candidates_for
from deploy.rules_check.problems import Document
from deploy.rules_check.vocabulary import ASKED_FOR
from services.upload.conditions import Condition, EvaluationError, Path, activation_of, as_values, in_words
from shared.contracts.facts import Facts
from shared.contracts.rules import Pack

MOST_IMAGES = 20


class _Tried:
    """Conditions over candidates of every kind, each evaluated no more often than needed."""

    def __init__(self, document: Document, compiled: Compiled) -> None:
        self._document = document
        self._compiled = compiled
        self._defaults = as_values(Facts())
        self._found: dict[str, set[bool | int]] = {}

    def condition(self, *path: str | int) -> Condition | None:
        return self._compiled.get(path)

    def gives(self, path: Path) -> set[bool | int]:
        """Everything that the condition at this place can give; empty where it does not compile."""
        condition = self._compiled.get(path)
        if condition is None:
            return set()
        known = self._found.get(condition.source)
        if known is None:
            known = self._found[condition.source] = self._try(path, condition)
        return known

    def _try(self, path: Path, condition: Condition) -> set[bool | int]:
        if condition.constant is not None:
            return {condition.constant}
        found: set[bool | int] = set()
        for facts in candidates_for([condition.tree]):
            try:
                found.add(condition.value(self.activation(facts)))
            except EvaluationError as error:
                said = ", ".join(f"{name} = {value!r}" for name, value in facts.items())
                self._document.add(
                    path,
                    f"{in_words(path)} can't be worked out for {said or 'any candidate'}: {error}",
                    "write it so that it holds for every candidate, such as `2020 in review_passed_years`",
                )
                return set()
            if found == {True, False}:
                break
        return found

    def activation(self, facts: dict[str, Any]) -> Any:  # noqa: ANN401 CEL has no stubs
        return activation_of(self._defaults | facts)


def check_reach(document: Document, pack: Pack, compiled: Compiled) -> None:
    """Note what is never reached, and counts that can't be."""
    tried = _Tried(document, compiled)
    _routes(document, pack, tried)
    _items(document, pack, tried)
    for path in compiled:
        found = tried.gives(path)
        if path[-1] == "min_by":
            _counts(document, pack, path, found)
        elif path[-1] == "when" and path[0] != "routes" and found == {False}:
            document.add(path, f"{in_words(path)} never holds", "correct it, or take the entry out", warning=True)


def _routes(document: Document, pack: Pack, tried: _Tried) -> None:
    rows = [tried.condition("routes", number, "when") for number in range(len(pack.routes))]
    if not rows:
        return
    first: dict[int, bool] = {}
    unmet: dict[str, Any] | None = None
    known = [(number, row) for number, row in enumerate(rows) if row is not None]
    for facts in candidates_for([row.tree for _, row in known]):
        activation = tried.activation(facts)
        try:
            met = next((number for number, row in known if row.value(activation)), None)
        except EvaluationError:
            continue  # said of the condition itself
        if met is None:
            unmet = unmet or facts
        else:
            first[met] = True
    last = len(rows) - 1
    for number, row in known:
        tried.gives(("routes", number, "when"))
        if number not in first:
            _say_unreached(document, number, row, tried)
    hidden = last not in first and unmet is None  # said already: it is never reached
    if rows[last] is not None and not hidden and tried.gives(("routes", last, "when")) != {True}:
        said = ", ".join(f"{name} = {value!r}" for name, value in (unmet or {}).items())
        example = f"; nothing is said of candidates with {said}" if unmet else ""
        document.add(
            ("routes", last, "when"),
            f"the last route row does not always hold{example}",
            'add a row with `when: "true"` for everybody else',
        )


def _say_unreached(document: Document, number: int, row: Condition, tried: _Tried) -> None:
    path: Path = ("routes", number, "when")
    if tried.gives(path) == {False}:
        document.add(path, f"routes[{number + 1}] is never reached: it never holds", "correct it, or take it out")
        return
    always = next((n for n in range(number) if tried.gives(("routes", n, "when")) == {True}), None)
    if always is not None:
        document.add(
            path,
            f"routes[{number + 1}] is never reached: routes[{always + 1}] holds for everybody",
            "move it up, before that row, or take it out",
        )
        return
    document.add(
        path,
        f"routes[{number + 1}] is never reached: where it holds, a row before it does, too",
        "move it up, or take it out",
    )


def _items(document: Document, pack: Pack, tried: _Tried) -> None:
    by_route = {code for row in pack.routes if row.uploads for code in row.requires}
    later = {supplement.item for supplement in pack.supplements}
    for code, rule in pack.items.items():
        if code in ASKED_FOR | by_route | later or rule.channel == "onsite":
            continue
        never = True
        for key, default in (("required_when", rule.required_when), ("offered_when", rule.offered_when)):
            found = tried.gives(("items", code, key))
            absent = tried.condition("items", code, key) is None
            never = never and (found == {False} or (absent and default.strip() == "false"))
        if never:
            document.add(
                ("items", code),
                f"item {code} is never required nor offered",
                "correct required_when or offered_when, or take the item out",
                key=True,
            )


def _counts(document: Document, pack: Pack, path: Path, found: set[bool | int]) -> None:
    if found and max(found) > MOST_IMAGES:
        document.add(path, f"{in_words(path)} gives up to {max(found)}", f"an item takes at most {MOST_IMAGES} images")
    if found and min(found) < 0:
        document.add(path, f"{in_words(path)} gives {min(found)}", "give a count of 1 or more")
    rule = pack.items.get(str(path[1]))
    if rule is not None and rule.min == rule.max and found and max(found) > rule.max:
        document.add(
            path,
            f"item {path[1]} has a fixed count of {rule.max}, but min_by gives up to {max(found)}",
            "raise max, or leave min_by out",
            warning=True,
        )
