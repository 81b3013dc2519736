"""What is known of the facts: their values, which may be absent, and the comparisons that an absent one upsets."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from random import Random
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from services.upload.condition_trees import Node
from shared.contracts.facts import Facts

ENUMS: dict[str, tuple[str, ...]] = {
    name: get_args(field.annotation)
    for name, field in Facts.model_fields.items()
    if get_origin(field.annotation) is Literal
}
DATES = frozenset(name for name, field in Facts.model_fields.items() if "date" in str(field.annotation))
NULLABLE = frozenset(name for name, field in Facts.model_fields.items() if NoneType in get_args(field.annotation))

# 100,000 evaluations take 0.3 s.
_ENOUGH = 20_000
_EARLY, _LATE = "1990-01-01", "2098-01-01"

_FLIPPED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}
_NEGATED = {"_<_": "_>=_", "_<=_": "_>_", "_>_": "_<=_", "_>=_": "_<_", "_==_": "_!=_", "_!=_": "_==_"}


def unguarded(tree: Node) -> list[tuple[str, int]]:
    """Comparisons of a fact that may be absent, true where it is absent, without a look at that beforehand."""
    return list(dict.fromkeys(_unguarded(tree, frozenset(), True)))


def _unguarded(node: Node, guarded: frozenset[str], holds: bool) -> Iterator[tuple[str, int]]:
    """`holds`: whether the condition needs this node to be true, or false (below a `!`)."""
    if node.kind != "call":
        for child in node.children:
            yield from _unguarded(child, guarded, holds)
        return
    if node.name == "!_":
        yield from _unguarded(node.children[0], guarded, not holds)
    elif node.name in {"_&&_", "_||_"}:
        operands = list(_flat(node, node.name))
        narrows = (node.name == "_&&_") == holds  # all of them together: one may guard another
        looks = frozenset[str]().union(*(_guards(operand, narrows, holds) for operand in operands))
        for operand in operands:
            yield from _unguarded(operand, guarded | looks, holds)
    elif node.name == "_?_:_":
        first, then, otherwise = node.children
        looks = _guards(first, True, True) | _guards(first, True, False)
        yield from _unguarded(first, guarded, holds)
        yield from _unguarded(then, guarded | looks, holds)
        yield from _unguarded(otherwise, guarded | looks, holds)
    else:
        compared = _compared(node, holds)
        if compared and compared[0] not in guarded and compared[1] in {"_<_", "_<=_"} and compared[2] != "":
            yield compared[0], node.at
        for child in node.children:
            yield from _unguarded(child, guarded, holds)


def _flat(node: Node, operator: str) -> Iterator[Node]:
    for child in node.children:
        if child.kind == "call" and child.name == operator:
            yield from _flat(child, operator)
        else:
            yield child


def _guards(node: Node, narrows: bool, holds: bool) -> frozenset[str]:
    if node.kind == "call" and node.name == "!_":
        return _guards(node.children[0], narrows, not holds)
    compared = _compared(node, holds)
    if compared is None:
        return frozenset()
    fact, sign, value = compared
    looks_at_absence = value == "" and sign in {"_==_", "_!=_", "_>_"}
    needs_a_date = narrows and value != "" and sign in {"_==_", "_>_", "_>=_"}
    return frozenset({fact} if looks_at_absence or needs_a_date else ())


def _compared(node: Node, holds: bool) -> tuple[str, str, object] | None:
    """A fact that may be absent, the sign with the fact on the left, and what it is compared with."""
    if node.kind != "call" or node.name not in _NEGATED or len(node.children) != 2:
        return None
    left, right = node.children
    sign = node.name if holds else _NEGATED[node.name]
    if left.kind == "ident" and left.name in NULLABLE & DATES:
        return left.name, sign, right.value if right.kind == "const" else None
    if right.kind == "ident" and right.name in NULLABLE & DATES:
        return right.name, _FLIPPED.get(sign, sign), left.value if left.kind == "const" else None
    return None


def values_worth_trying(trees: list[Node]) -> dict[str, list[Any]]:
    """For each fact that these conditions read, values of which one stands for each that they can tell apart."""
    read = sorted(set().union(*(tree.names() for tree in trees)) & set(Facts.model_fields))
    nodes = [node for tree in trees for node in tree.walk()]
    texts = [node.value for node in nodes if node.kind == "const" and isinstance(node.value, str)]
    numbers = sorted({node.value for node in nodes if node.kind == "const" and type(node.value) is int})
    return {name: _values(name, texts, numbers) for name in read}


def _values(name: str, texts: list[str], numbers: list[int]) -> list[Any]:
    annotation = Facts.model_fields[name].annotation
    if annotation is bool:
        return [False, True]
    if name in ENUMS:
        named = [value for value in ENUMS[name] if value in texts]
        # No condition tells the others apart: one stands for all of them.
        others = [value for value in ENUMS[name] if value not in texts]
        return named + others[:1] if named else others
    if name in DATES:
        return _dates(texts)
    if annotation is int:
        return sorted({near for number in [1, 2, 20, *numbers] for near in (number - 1, number, number + 1) if 1 <= near <= 20})  # fmt: skip # noqa: E501
    if annotation == tuple[int, ...]:
        years = [number for number in numbers if 1990 <= number <= 2100][:6]
        return [[], [1990], *([year] for year in years), *([years] if len(years) > 1 else [])]
    return ["", "00", *dict.fromkeys(text for text in texts if text and len(text) <= 16)]


def _dates(texts: list[str]) -> list[str]:
    found = {"", _EARLY, _LATE}
    for text in texts:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            continue
        found |= {(day - timedelta(days=1)).isoformat(), day.isoformat(), (day + timedelta(days=1)).isoformat()}
    return sorted(found)


def candidates_for(trees: list[Node]) -> Iterator[dict[str, Any]]:
    """Facts as CEL has them for every kind of candidate that these conditions can tell apart.

    All of them where there are not too many; else many at random, the same ones each time.
    """
    worth = values_worth_trying(trees)
    count = 1
    for values in worth.values():
        count *= len(values)
    if count <= _ENOUGH:
        for chosen in product(*worth.values()):
            yield dict(zip(worth, chosen, strict=True))
        return
    random = Random(20_260_101)  # noqa: S311 no secret
    for _ in range(_ENOUGH):
        yield {name: random.choice(values) for name, values in worth.items()}
