"""The exported schemas describe what is on the wire, and keep personal data out of it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from deploy.contracts.schemas import Schema, key_of, schema_of
from shared.contracts import EVENTS
from shared.contracts.event import Event, Sealed
from tests.contracts.goldens import Golden, goldens
from tests.harness import event_types

PERSONAL = re.compile(
    r"(^|_)(name|surname|id_number|id_no|id_card_no|identity|phone|mobile|telephone|email|mail|address|birth\w*"
    r"|person|wechat)(_|$)"
)
# Of places and offices; no person's.
PLACES = {
    "rules.published.v1": {
        "pack.region.name",
        "pack.contact.phone",
        "pack.sites[].name",
        "pack.sites[].address",
        "pack.sites[].phone",
    }
}
each_event = pytest.mark.parametrize("event_type", EVENTS, ids=lambda each: each.topic)


@each_event
def test_the_schema_is_one(event_type: type[Event]) -> None:
    Draft202012Validator.check_schema(schema_of(event_type))


@each_event
def test_what_travels_as_headers_is_not_in_the_body(event_type: type[Event]) -> None:
    schema = schema_of(event_type)

    assert not {"event_id", "occurred_at", "topic"} & (schema["properties"].keys() | set(schema["required"]))


@pytest.mark.parametrize("golden", goldens(), ids=str)
def test_golden_bodies_are_what_the_schema_says(golden: Golden) -> None:
    validator = Draft202012Validator(schema_of(event_types()[golden.topic]), format_checker=FormatChecker())

    assert [error.message for error in validator.iter_errors(golden.body)] == []


@pytest.mark.parametrize("golden", goldens(), ids=str)
def test_the_key_is_made_of_the_fields_that_the_schema_names(golden: Golden) -> None:
    def field(match: re.Match[str]) -> str:
        value: Any = golden.body
        for name in match[1].split("."):
            value = value[name]
        return str(value)

    made = re.sub(r"\{([a-z_.]+)\}", field, key_of(event_types()[golden.topic]))

    assert made == golden.key


@each_event
def test_personal_data_is_in_sealed_fields_only(event_type: type[Event]) -> None:
    schema = schema_of(event_type)

    open_fields = {path for path, name in fields(schema, schema) if PERSONAL.search(name)}

    assert open_fields == PLACES.get(event_type.topic, set())


def test_the_canary_sings_where_personal_data_lies_open() -> None:
    class Careless(Event):
        """Says too much."""

        topic = "careless.told.v1"
        candidate_name: str
        id_number: str
        contact_phone: str | None = None
        id_document: str
        sealed: Sealed

    schema = schema_of(Careless)

    found = {name for _, name in fields(schema, schema) if PERSONAL.search(name)}

    assert found == {"candidate_name", "id_number", "contact_phone"}


def test_a_sealed_field_holds_nothing_but_ciphertext() -> None:
    sealed = schema_of(event_types()["registration.recorded.v1"])["$defs"]["Sealed"]

    assert sealed["properties"].keys() == {"key_id", "nonce", "ciphertext"}


def fields(node: Schema, root: Schema, path: str = "") -> Iterator[tuple[str, str]]:
    """Every field of the event at any depth, as path and name."""
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    for each in node.get("anyOf", ()):
        yield from fields(each, root, path)
    for name, each in node.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, name
        yield from fields(each, root, here)
    if isinstance(node.get("items"), dict):
        yield from fields(node["items"], root, path + "[]")
    if isinstance(node.get("additionalProperties"), dict):
        yield from fields(node["additionalProperties"], root, path + "{}")
