"""What may change in a published event, and what may not.

Two things are always true of a topic: records of older versions lie on it (for thirty days, or for good where it is
compacted), and for a while consumers of two versions hear it. So a change falls into one of three kinds.

It **breaks** what is published if a record that was right is not right any more, or means something else: a removed
field, a field that must now be there, a type, format, pattern or default that changed, a value taken off an enum, a
length or number narrowed, another key (the records of one application would lose their order), a topic that is gone.
A renamed field is a removed one. Such a change is refused: it is a new topic, `….v2`, told beside v1 until nobody hears
v1.

It **widens** if more is right than before: one more enum value, a longer text, a field that may be left out now. Every
old record stays right, so a consumer only gains. But a consumer of the version before can't read a record that uses the
room, and buries it. That loses nothing (the dead letter and what is parked behind it are replayed once that consumer
is up to date), yet it stops the application until then. It is accepted and named: bring all consumers up to the new
version first, let anybody tell the new kind of record after that.

It **adds** if a new field may be left out: older consumers ignore what they do not know, newer ones know its default.

What this check does not know how to judge (a keyword that no event used so far) it refuses when it differs.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deploy.contracts.schemas import KEY, Schema

Kind = Literal["breaks", "widens", "adds"]

# Up is narrower for the first of each pair, down for the second.
_BOUNDS = {
    "minLength": 1,
    "maxLength": -1,
    "minimum": 1,
    "maximum": -1,
    "exclusiveMinimum": 1,
    "exclusiveMaximum": -1,
    "minItems": 1,
    "maxItems": -1,
    "minProperties": 1,
    "maxProperties": -1,
}
_WORDS = frozenset({"title", "description", "examples", "deprecated", "$comment", "$schema", "$id", "$defs", KEY})
_JUDGED = (
    frozenset({"type", "enum", "const", "pattern", "format", "default", "items", "properties", "required"})
    | frozenset({"additionalProperties", "propertyNames", "anyOf", "oneOf", "$ref"})
    | _BOUNDS.keys()
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what is published and what the models say now.

    Attributes:
        topic: whose schema.
        path: the field, such as `items[].words`; empty for the event itself.
        what: the difference, in words.
        kind: whether it breaks what is published, widens it, or adds to it.
    """

    topic: str
    path: str
    what: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.topic}: {self.path + ' ' if self.path else ''}{self.what}"


def changes(published: Mapping[str, Schema], current: Mapping[str, Schema]) -> list[Change]:
    """Every change between two catalogues (topic to schema). A topic that is only in `current` is new, not changed."""
    found = []
    for topic, schema in sorted(published.items()):
        if topic in current:
            found += list(_Pair(topic, schema, current[topic]).root())
        else:
            found.append(Change(topic, "", "is published, and no event has this topic any more", "breaks"))
    return found


class _Pair:
    """A published schema and the current one of the same topic."""

    def __init__(self, topic: str, old: Schema, new: Schema) -> None:
        self._topic = topic
        self._old = old
        self._new = new

    def root(self) -> Iterator[Change]:
        if self._old.get(KEY) != self._new.get(KEY):
            yield self._breaks("", f"has another key: {self._old.get(KEY)} became {self._new.get(KEY)}")
        yield from self._node("", self._old, self._new)

    def _breaks(self, path: str, what: str) -> Change:
        return Change(self._topic, path, what, "breaks")

    def _widens(self, path: str, what: str) -> Change:
        return Change(self._topic, path, what, "widens")

    def _node(self, path: str, old: Schema, new: Schema) -> Iterator[Change]:
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if "default" in old and ("default" not in new or old["default"] != new["default"]):
            yield self._breaks(path, f"no longer means {_json(old['default'])} where it is left out")
        olds, news = _branches(old, self._old), _branches(new, self._new)
        if len(olds) == len(news) == 1:
            yield from self._branch(path, olds[0], news[0])
        else:
            yield from self._union(path, olds, news)

    def _union(self, path: str, olds: list[Schema], news: list[Schema]) -> Iterator[Change]:
        """Every published branch must find a current one that takes all it took."""
        left = list(news)
        for old in olds:
            trials = [(new, list(self._branch(path, old, new))) for new in news]
            new, found = min(trials, key=lambda trial: sum(change.kind == "breaks" for change in trial[1]))
            if old.get("type") != new.get("type"):
                yield self._breaks(path, f"can't be {_kind_of(old)} any more")
                continue
            yield from found
            if new in left:
                left.remove(new)
        for new in left:
            yield self._widens(path, f"may be {_kind_of(new)} now")

    def _branch(self, path: str, old: Schema, new: Schema) -> Iterator[Change]:
        if old.get("type") != new.get("type"):
            yield self._breaks(path, f"was {_kind_of(old)} and is {_kind_of(new)} now")
            return
        yield from self._values(path, old, new)
        yield from self._bounds(path, old, new)
        for word in ("pattern", "format"):
            yield from self._exactly(path, word, old.get(word), new.get(word))
        yield from self._inside(path, old, new)
        yield from self._fields(path, old, new)
        for word in sorted((old.keys() | new.keys()) - _JUDGED - _WORDS):
            if old.get(word) != new.get(word):
                yield self._breaks(path, f"has another `{word}`, which this check can't judge")

    def _values(self, path: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = _values(old), _values(new)
        if before is None or after is None:
            if after is not None:
                yield self._breaks(path, f"is one of {', '.join(sorted(after))} only now")
            elif before is not None:
                yield self._widens(path, "may have any value now")
            return
        if before - after:
            yield self._breaks(path, f"can't be {', '.join(sorted(before - after))} any more")
        if after - before:
            yield self._widens(path, f"may be {', '.join(sorted(after - before))} now")

    def _bounds(self, path: str, old: Schema, new: Schema) -> Iterator[Change]:
        for word, narrower in _BOUNDS.items():
            before, after = old.get(word), new.get(word)
            if before == after:
                continue
            said = f"had `{word}` {_or_none(before)}, has {_or_none(after)} now"
            if after is None or (before is not None and (after - before) * narrower < 0):
                yield self._widens(path, said)
            else:
                yield self._breaks(path, said)

    def _exactly(self, path: str, word: str, before: str | None, after: str | None) -> Iterator[Change]:
        """Of two patterns nobody can tell which takes more, so only dropping one is known to widen."""
        if before == after:
            return
        said = f"had `{word}` {_or_none(before)}, has {_or_none(after)} now"
        yield self._widens(path, said) if after is None else self._breaks(path, said)

    def _inside(self, path: str, old: Schema, new: Schema) -> Iterator[Change]:
        """The parts of a list, and the keys and values of a table."""
        for word, mark in (("items", "[]"), ("additionalProperties", "{}"), ("propertyNames", "{key}")):
            before, after = old.get(word, True), new.get(word, True)
            if before == after and not isinstance(before, dict):
                continue
            if isinstance(before, dict) and isinstance(after, dict):
                yield from self._node(path + mark, before, after)
            elif after is True or before is False:
                yield self._widens(path + mark, "may be more than it could be")
            else:
                yield self._breaks(path + mark, "may be less than it could be")

    def _fields(self, path: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            field = f"{path}.{name}" if path else name
            if name not in after:
                yield self._breaks(field, "is published and was removed")
                continue
            if name in needed_after - needed_before:
                # That its default is gone too goes without saying.
                yield self._breaks(field, "must be there now")
                yield from self._node(field, _without_default(before[name]), after[name])
                continue
            if name in needed_before - needed_after:
                yield self._widens(field, "may be left out now")
            yield from self._node(field, before[name], after[name])
        for name in after.keys() - before.keys():
            field = f"{path}.{name}" if path else name
            if name in needed_after:
                yield self._breaks(field, "is new and must be there; make it optional")
            else:
                yield Change(self._topic, field, "is new and optional", "adds")


def _resolved(node: Schema, root: Schema) -> Schema:
    reference = node.get("$ref")
    if reference is None:
        return node
    target: Any = root
    for part in str(reference).removeprefix("#/").split("/"):
        target = target[part]
    beside = {name: value for name, value in node.items() if name != "$ref"}
    return _resolved({**target, **beside}, root)


def _branches(node: Schema, root: Schema) -> list[Schema]:
    for word in ("anyOf", "oneOf"):
        if word in node:
            return [branch for each in node[word] for branch in _branches(_resolved(each, root), root)]
    return [node]


def _values(node: Schema) -> set[str] | None:
    if "const" in node:
        return {_json(node["const"])}
    return {_json(each) for each in node["enum"]} if "enum" in node else None


def _without_default(node: Schema) -> Schema:
    return {name: value for name, value in node.items() if name != "default"}


def _kind_of(node: Schema) -> str:
    return str(node.get("type", "anything"))


def _or_none(value: object) -> str:
    return "none" if value is None else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
