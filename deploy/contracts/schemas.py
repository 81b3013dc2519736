"""Each event's body as a JSON Schema, and what the schema can't say: its key, who tells it, who hears it."""

import importlib
from typing import Any

from shared.contracts.event import Event
from shared.messaging.groups import GROUPS
from shared.messaging.kafka import Router

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KEY = "x-kafka-key"
_HEADERS = ("event_id", "occurred_at")

# The producer is the contract file's name; these two are no services of ours.
_OUTSIDE = {
    "registration": "the registration system, or `baoshen import registrations`",
    "rules": "`baoshen rules publish`",
}


def schema_of(event_type: type[Event]) -> Schema:
    """The body as a consumer may meet it on the topic: what an older producer left out is not required.

    Fields that the schema does not name are ignored by every consumer, so nothing in it is closed to them.
    """
    made = event_type.model_json_schema(mode="validation")
    for name in _HEADERS:
        del made["properties"][name]
    definitions = made.pop("$defs", {})
    schema = {
        "$schema": DIALECT,
        "$id": f"urn:baoshen:event:{event_type.topic}",
        "title": event_type.__name__,
        "description": _first_paragraph(made["description"]),
        KEY: key_of(event_type),
        "type": "object",
        "properties": {name: _tidy(each) for name, each in made["properties"].items()},
        "required": made.get("required", []),
    }
    if definitions:
        schema["$defs"] = {name: _tidy(each) for name, each in sorted(definitions.items())}
    return schema


def key_of(event_type: type[Event]) -> str:
    """How the Kafka key is made of the body's fields, such as `{application_no}`; read from the code that makes it."""
    key = event_type.key.fget  # type: ignore[attr-defined]
    return str(key(_Named()))


def producer_of(event_type: type[Event]) -> str:
    """The contract file that the event is in: a service's name, or `registration`, or `rules`."""
    return event_type.__module__.rsplit(".", 1)[-1]


def teller_of(event_type: type[Event]) -> str:
    """Who tells the event, in words."""
    producer = producer_of(event_type)
    return _OUTSIDE.get(producer, producer)


def heard_by() -> dict[str, list[str]]:
    """The consumer groups that hear each topic, as the services' routers have it."""
    heard: dict[str, list[str]] = {}
    for router in routers():
        for event_type in router.heard:
            heard.setdefault(event_type.topic, []).append(router.group)
    return heard


def routers() -> list[Router]:
    """What each consumer group hears with; nothing is connected."""
    found: list[Router] = []
    for group, service in GROUPS.items():
        make_router = importlib.import_module(f"services.{service}.consumers").make_router
        found.append(make_router() if group == service else make_router(group))
    return found


class _Named:
    """Stands for an event: each attribute is its own name, so that a key made of some shows which."""

    def __init__(self, path: str = "") -> None:
        self._path = path

    def __getattr__(self, name: str) -> "_Named":
        return _Named(f"{self._path}.{name}" if self._path else name)

    def __str__(self) -> str:
        return f"{{{self._path}}}"


def _tidy(node: Any) -> Any:  # noqa: ANN401 a JSON value
    """Without the titles that only repeat names, with what a part refuses in its author's hands left to him."""
    if isinstance(node, list):
        return [_tidy(each) for each in node]
    if not isinstance(node, dict):
        return node
    tidy: Schema = {}
    for name, value in node.items():
        if name == "properties":
            tidy[name] = {field: _tidy(each) for field, each in value.items()}
        elif name == "description":
            tidy[name] = _first_paragraph(value)
        elif name in ("default", "enum", "const"):
            tidy[name] = value
        elif name == "patternProperties":
            # Pydantic refuses a key that does not match; the keyword alone would let it pass.
            ((pattern, each),) = value.items()
            tidy |= {"propertyNames": {"pattern": pattern}, "additionalProperties": _tidy(each)}
        elif name == "title" or (name == "additionalProperties" and value is False):
            continue
        else:
            tidy[name] = _tidy(value)
    return tidy


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n", 1)[0].split())
