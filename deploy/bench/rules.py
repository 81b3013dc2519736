"""How long one candidate's checklist takes: `explain` as the API and the command answer it, against bare CEL.

The rival evaluates each different condition of the pack once over the same facts and throws the answers away: it has
no route, no counts, no reasons and no JSON, but it also evaluates what ours need not look at. Both go through the same
random candidates, a slice each in turn.
"""

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from deploy.intake.packs import packs_in
from deploy.rules_check.facts import DATES, ENUMS
from services.upload.checklist import Rules, explain
from services.upload.conditions import Condition, activation_of, as_values, compile_condition, conditions_in
from shared.contracts.facts import Facts

BAR_US = 1000
SLICE = 100
# The fastest of these counts, so that p99 and max show slow candidates rather than busy neighbours.
TRIES = 3


@dataclass
class Result:
    """Microseconds of each candidate, by pack."""

    ours: dict[str, list[float]] = field(default_factory=dict)
    bare: dict[str, list[float]] = field(default_factory=dict)

    def lines(self) -> Iterator[dict[str, Any]]:
        """One for each pack."""
        for pack, ours in self.ours.items():
            median, bare = statistics.median(ours), statistics.median(self.bare[pack])
            yield {
                "bench": "rules",
                "pack": pack,
                "candidates": len(ours),
                "us_per_candidate": round(median),
                "p99_us": round(statistics.quantiles(ours, n=100)[98]),
                "max_us": round(max(ours)),
                "bare_us": round(bare),
                "ratio": round(bare / median, 2),
            }

    def line(self) -> dict[str, Any]:
        """Of the slowest pack, with the worst of all."""
        lines = list(self.lines())
        slowest = max(lines, key=lambda each: int(each["us_per_candidate"]))
        return slowest | {"packs": len(lines), "bar_us": BAR_US, "max_us": max(int(each["max_us"]) for each in lines)}


def measure(candidates: int, folder: Path | None = None) -> Result:
    """Explain so many random candidates under each pack."""
    packs = packs_in(folder) if folder else packs_in()
    people = list(random_facts(candidates))
    result = Result()
    for name, rules in packs.items():
        conditions = list({each.source: each for each in _conditions(rules)}.values())
        ours, bare = result.ours.setdefault(name, []), result.bare.setdefault(name, [])
        _ours(rules, people[:SLICE])
        _bare(conditions, people[:SLICE])
        for start in range(0, len(people), SLICE):
            some = people[start : start + SLICE]
            ours += _ours(rules, some)
            bare += _bare(conditions, some)
    return result


def _conditions(rules: Rules) -> Iterator[Condition]:
    for written in conditions_in(rules.pack):
        yield compile_condition(written.source, written.gives)


def _ours(rules: Rules, people: Sequence[Facts]) -> list[float]:
    return [min(_once(rules, facts) for _ in range(TRIES)) for facts in people]


def _once(rules: Rules, facts: Facts) -> float:
    begun = time.perf_counter_ns()
    json.dumps(explain(rules.checklist(facts)), ensure_ascii=False)
    return (time.perf_counter_ns() - begun) / 1000


def _bare(conditions: Sequence[Condition], people: Sequence[Facts]) -> list[float]:
    def once(facts: Facts) -> float:
        begun = time.perf_counter_ns()
        activation = activation_of(as_values(facts))
        for condition in conditions:
            condition.value(activation)
        return (time.perf_counter_ns() - begun) / 1000

    return [min(once(facts) for _ in range(TRIES)) for facts in people]


def random_facts(count: int, seed: int = 20_260_101) -> Iterator[Facts]:
    """Candidates of every kind, the same ones for the same seed; they need not be likely."""
    random = Random(seed)  # noqa: S311 no secret
    for _ in range(count):
        yield Facts(**{name: _value(name, random) for name in Facts.model_fields})


def _value(name: str, random: Random) -> Any:  # noqa: ANN401 as the fact has it
    if name in ENUMS:
        return random.choice(ENUMS[name])
    if name in DATES:
        return random.choice([None, date(1995, 1, 1) + timedelta(days=random.randrange(11_000))])
    if name == "institutions_count":
        return random.randint(1, 20)
    if name == "review_passed_years":
        return tuple(random.sample(range(2015, 2026), random.randint(0, 3)))
    if name == "apprenticeship_province":
        return random.choice([None, "15", "21", "43"])
    return random.random() < 0.5
