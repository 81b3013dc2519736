"""What was told once can still be read, means the same, and is told the same way today."""

import json
from typing import Any

import pytest

from deploy.contracts.schemas import Schema, schema_of
from shared.contracts import EVENTS
from shared.contracts.facts import Facts
from shared.contracts.registration import RegistrationRecorded
from shared.messaging.envelope import Received, body_of, decode, headers_of
from shared.security.sealing import KeyRing
from tests.builders.events import a_registration
from tests.contracts.goldens import Golden, goldens
from tests.harness import event_types, record_of

GOLDENS = goldens()
KINDS = event_types()
each_golden = pytest.mark.parametrize("golden", GOLDENS, ids=str)


def read(golden: Golden, body: dict[str, Any] | None = None) -> Received:
    received = decode(golden.record(body), KINDS[golden.topic])
    assert isinstance(received, Received), received
    return received


def test_every_event_has_a_golden_example() -> None:
    with_example = {golden.topic for golden in GOLDENS}

    assert with_example == {event.topic for event in EVENTS}


@each_golden
def test_it_is_still_an_event_under_its_key(golden: Golden) -> None:
    event = read(golden).event

    assert event.key == golden.key
    assert str(event.event_id) == golden.headers["ce_id"]
    assert event.occurred_at.isoformat() == golden.headers["ce_time"]


@each_golden
def test_told_again_it_says_all_that_it_said(golden: Golden) -> None:
    event = read(golden).event

    told = json.loads(body_of(event))

    # A field that was left out may be told with its default today; whatever was there must be there unchanged.
    assert overlaid(told, golden.body) == told
    assert read(golden, told).event == event


def test_of_every_event_one_example_is_exactly_what_is_told_today() -> None:
    # An event that got a new field needs a new example beside the old ones, which stay as they are.
    exact = {golden.topic for golden in GOLDENS if json.loads(body_of(read(golden).event)) == golden.body}

    assert exact == {event.topic for event in EVENTS}


@each_golden
def test_told_again_it_has_the_same_headers(golden: Golden) -> None:
    event = read(golden).event

    headers = headers_of(event, golden.headers["ce_source"])

    assert headers == {name: value for name, value in golden.headers.items() if name != "traceparent"}


@each_golden
def test_a_field_that_nobody_knows_is_ignored_wherever_it_stands(golden: Golden) -> None:
    schema = schema_of(KINDS[golden.topic])

    later = with_unknown_fields(golden.body, schema, schema)

    assert later != golden.body
    assert read(golden, later).event == read(golden).event


def test_a_fact_that_is_known_to_be_absent_stays_absent(key_ring: KeyRing) -> None:
    told = a_registration(key_ring, facts=Facts(entered_on=None, graduated_on=None))

    heard = decode(record_of(told), RegistrationRecorded)

    assert isinstance(heard, Received)
    assert heard.event == told


def overlaid(told: Any, golden: Any) -> Any:
    """`told`, with whatever the golden example has put over it."""
    if isinstance(told, dict) and isinstance(golden, dict):
        return told | {name: overlaid(told.get(name), value) for name, value in golden.items()}
    if isinstance(told, list) and isinstance(golden, list) and len(told) == len(golden):
        return [overlaid(one, other) for one, other in zip(told, golden, strict=True)]
    return golden


def with_unknown_fields(value: Any, node: Schema, root: Schema) -> Any:
    """The value with a new field in every object; tables, whose keys are data, get none."""
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in node:
        node = next(each for each in node["anyOf"] if each.get("type") != "null")
        return with_unknown_fields(value, node, root)
    if isinstance(value, list):
        return [with_unknown_fields(each, node["items"], root) for each in value]
    if not isinstance(value, dict):
        return value
    if "properties" not in node:
        return {name: with_unknown_fields(each, node["additionalProperties"], root) for name, each in value.items()}
    known = {name: with_unknown_fields(each, node["properties"][name], root) for name, each in value.items()}
    return known | {"told_since_2030": {"by": "a newer producer"}}
