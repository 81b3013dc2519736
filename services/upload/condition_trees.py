"""The tree of a compiled condition, read from CEL's own serialisation: which facts it reads, what it compares.

`Expression.serialize()` gives a `cel.expr.CheckedExpr` (protobuf). No maintained package ships its Python classes, so
the few fields that are of use here are read from the wire: github.com/google/cel-spec, proto/cel/expr.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = 3, 4, 5, 6, 7, 8, 9

Fields = dict[int, list["int | bytes"]]
Kind = Literal["const", "ident", "select", "call", "list", "struct", "comprehension"]
_Read = tuple[Kind, str, list[bytes]]  # kind, name, the children still packed


@dataclass(frozen=True)
class Node:
    """A part of a condition.

    Attributes:
        kind: what it is.
        name: of an identifier, a function (`_&&_`, `_<_`, `@in`), a selected field, or a comprehension's variable.
        value: of a constant.
        children: operands; of a method call its target first; of a comprehension what it goes through first.
        at: the character of the condition's text that it begins at; operators are where their sign stands.
    """

    kind: Kind
    name: str = ""
    value: str | int | float | bool | bytes | None = None
    children: tuple["Node", ...] = ()
    at: int = 0

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def names(self) -> set[str]:
        """The identifiers in it."""
        return {node.name for node in self.walk() if node.kind == "ident"}


def tree_of(serialized: bytes) -> Node:
    """The tree of a compiled and serialised condition."""
    checked = _fields(_message(_fields(serialized), 2))  # an Any around it: its second field is the content
    positions: dict[int, int] = {}
    for entry in _fields(_message(checked, 5)).get(4, []):
        pair = _fields(_as_bytes(entry))
        positions[_number(pair, 1)] = _number(pair, 2)
    return _expression(_message(checked, 4), positions)


def _expression(content: bytes, positions: dict[int, int]) -> Node:
    fields = _fields(content)
    at = positions.get(_number(fields, 2), 0)
    for number, read in _KINDS.items():
        if number in fields:
            kind, name, children = read(_fields(_message(fields, number)))
            value = _constant(_fields(_message(fields, number))) if number == _CONST else None
            return Node(kind, name, value, tuple(_expression(child, positions) for child in children), at)
    return Node("const", at=at)


def _call(fields: Fields) -> _Read:
    return "call", _text(fields, 2), [*_messages(fields, 1), *_messages(fields, 3)]


def _struct(fields: Fields) -> _Read:
    entries = [_fields(entry) for entry in _messages(fields, 2)]
    return "struct", _text(fields, 1), [part for entry in entries for part in (*_messages(entry, 3), *_messages(entry, 4))]  # fmt: skip # noqa: E501


def _comprehension(fields: Fields) -> _Read:
    parts = [part for number in (2, 4, 5, 6, 7) for part in _messages(fields, number)]
    return "comprehension", _text(fields, 1), parts


_KINDS: dict[int, Callable[[Fields], _Read]] = {
    _CONST: lambda fields: ("const", "", []),
    _IDENT: lambda fields: ("ident", _text(fields, 1), []),
    _SELECT: lambda fields: ("select", _text(fields, 2), _messages(fields, 1)),
    _CALL: _call,
    _LIST: lambda fields: ("list", "", _messages(fields, 1)),
    _STRUCT: _struct,
    _COMPREHENSION: _comprehension,
}


def _constant(fields: Fields) -> str | int | bool | bytes | None:
    for number, found in fields.items():
        raw = found[-1]
        if number == 2:
            return bool(raw)
        if number == 3 and isinstance(raw, int):
            return raw - (1 << 64) if raw >= 1 << 63 else raw
        if number == 6 and isinstance(raw, bytes):
            return raw.decode("utf-8")
        if number in {4, 5, 7}:
            return raw
    return None


def _fields(content: bytes) -> Fields:
    """A protobuf message's fields by number."""
    found: Fields = {}
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        number, wire = tag >> 3, tag & 7
        value: int | bytes
        if wire == _VARINT:
            value, at = _varint(content, at)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(wire)
            if length is None:
                length, at = _varint(content, at)
            value, at = content[at : at + length], at + length
        found.setdefault(number, []).append(value)
    return found


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _as_bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _messages(fields: Fields, number: int) -> list[bytes]:
    return [value for value in fields.get(number, []) if isinstance(value, bytes)]


def _message(fields: Fields, number: int) -> bytes:
    return next(iter(_messages(fields, number)), b"")


def _number(fields: Fields, number: int) -> int:
    value = fields.get(number, [0])[-1]
    return value if isinstance(value, int) else 0


def _text(fields: Fields, number: int) -> str:
    return _message(fields, number).decode("utf-8")
