"""Each condition by itself: does it compile, and can what it compares ever be so?"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from deploy.rules_check.facts import DATES, ENUMS, NULLABLE, unguarded
from deploy.rules_check.problems import Document, nearest
from services.upload.condition_trees import Node
from services.upload.conditions import (
    BadCondition,
    CompileError,
    Condition,
    Gives,
    Path,
    Written,
    compile_condition,
    in_words,
)
from shared.contracts.facts import Facts

_KEYS: dict[str, Gives] = {
    "required_when": "bool",
    "offered_when": "bool",
    "applies_when": "bool",
    "when": "bool",
    "min_by": "int",
}
_COMPARISONS = {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"}
_ORDERED = {"_<_", "_<=_", "_>_", "_>=_"}
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_OVERLOAD = re.compile(r"no matching overload for '(.+?)' applied to '(.+?)'")
_SIGNS = re.compile(r"^_?@?(.+?)_?$")

Compiled = dict[Path, Condition]

__all__ = ["BadCondition", "Compiled", "check_conditions"]


def check_conditions(document: Document) -> Compiled:
    """Every condition that compiles, by its place. Reads the file's content, so that a wrong form hides none."""
    compiled: Compiled = {}
    for written in _written(document.content):
        if not written.source.strip():
            document.add(written.path, f"{in_words(written.path)} is empty", "write a condition, or leave the key out")
            continue
        try:
            condition = compile_condition(written.source, written.gives)
        except CompileError as error:
            _say_compile(document, written, str(error))
            continue
        compiled[written.path] = condition
        tree = condition.tree
        for node in tree.walk():
            if node.kind == "call" and len(node.children) == 2:
                _check_comparison(document, written, node)
        for fact, at in unguarded(tree):
            line, column = document.position_in(written.path, at)
            document.add_at(
                line,
                column,
                f'{in_words(written.path)}: {fact} is "" where there is none, and "" is before every date, '
                "so this also holds for candidates without that date",
                f'add `{fact} != "" &&` before the comparison',
            )
    return compiled


def _written(content: Any, path: Path = ()) -> Iterator[Written]:  # noqa: ANN401 as YAML gives it
    if len(path) > 8:
        return
    if isinstance(content, dict):
        for key, value in content.items():
            if key in _KEYS and isinstance(value, str):
                yield Written((*path, key), value, _KEYS[key])
            elif isinstance(key, str):
                yield from _written(value, (*path, key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _written(value, (*path, number))


def _say_compile(document: Document, written: Written, words: str) -> None:
    place = in_words(written.path)
    found = re.findall(r"ERROR: <input>:(\d+):(\d+): (.*)", words)
    if not found:
        todo = "write an expression that is true or false" if written.gives == "bool" else "write a whole number"
        document.add(written.path, f"{place}: {words}", todo)
        return
    syntax_said = False
    for line, column, message in found:
        lines = written.source.splitlines(keepends=True)
        offset = sum(len(each) for each in lines[: int(line) - 1]) + int(column) - 1
        if message.startswith("Syntax error"):
            if syntax_said:
                continue  # the rest follows from the first
            syntax_said = True
        what, todo = _meaning(message, written.source, offset)
        at_line, at_column = document.position_in(written.path, offset)
        document.add_at(at_line, at_column, f"{place}: {what} (column {column} of the condition)", todo)


def _meaning(message: str, source: str, offset: int) -> tuple[str, str]:
    if unknown := _UNDECLARED.search(message):
        name = unknown[1]
        if re.match(r"\w*\s*\(", source[offset:]) or source[offset : offset + 1] == "(":
            return f"CEL has no function {name}", "see docs/rules.md for what conditions may use"
        return f"unknown fact {name}", nearest(name, list(Facts.model_fields)) or "see docs/glossary.md for the facts"
    if overload := _OVERLOAD.search(message):
        sign = _SIGNS.sub(r"\1", overload[1])
        kinds = overload[2].strip("()")
        what = f"{sign} can't be applied to {kinds}"
        if "null" in kinds:
            return what, 'an absent fact is "": compare with ""'
        if kinds == "string, int":
            return what, 'write the value in double quotes, dates as "2002-01-01"'
        return what, "compare values of the same kind"
    if "'<EOF>'" in message:
        return "Syntax error: it breaks off at its end", "complete it, or take its last sign away"
    return message, "correct the expression"


def _check_comparison(document: Document, written: Written, node: Node) -> None:
    left, right = node.children
    if node.name == "@in" and left.kind == "ident" and right.kind == "list":
        for value in right.children:
            _check_value(document, written, left.name, value)
        return
    if node.name not in _COMPARISONS:
        return
    for fact, other in ((left, right), (right, left)):
        if fact.kind != "ident":
            continue
        if node.name in _ORDERED and fact.name in ENUMS:
            _at(
                document,
                written,
                node,
                f"{fact.name} has no order: this compares its values by the alphabet",
                "use == or `in [...]`",
            )
        elif other.kind == "const":
            _check_value(document, written, fact.name, other)


def _check_value(document: Document, written: Written, fact: str, value: Node) -> None:
    if not isinstance(value.value, str):
        return
    if fact in ENUMS and value.value not in ENUMS[fact]:
        allowed = ", ".join(ENUMS[fact])
        hint = nearest(value.value, list(ENUMS[fact])) or "use one of them"
        _at(document, written, value, f'{fact} is never "{value.value}", it is one of {allowed}', hint)
    if fact in DATES and value.value and not _is_date(value.value):
        _at(document, written, value, f'"{value.value}" is not a date as facts have it', 'write it as "2002-01-01"')
    if fact in DATES - NULLABLE and not value.value:
        _at(document, written, value, f"{fact} is never absent", "leave the comparison out")


def _at(document: Document, written: Written, node: Node, what: str, todo: str) -> None:
    line, column = document.position_in(written.path, node.at)
    document.add_at(line, column, f"{in_words(written.path)}: {what}", todo)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
