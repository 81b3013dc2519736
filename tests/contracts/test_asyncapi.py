"""The AsyncAPI document is one by the official schema, and says what the code does."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker

from deploy.contracts.asyncapi import as_yaml, document
from deploy.contracts.schemas import producer_of, routers
from shared.contracts import EVENTS
from shared.messaging.topics import catalogue
from tests.contracts.goldens import Golden, goldens

OFFICIAL = Path(__file__).parent / "official" / "asyncapi-3.0.0.json"
Node = dict[str, Any]


@pytest.fixture(scope="module")
def written() -> Node:
    """The document as a reader of the file gets it."""
    content: Node = yaml.safe_load(as_yaml(document()))
    return content


def test_the_official_schema_takes_it(written: Node) -> None:
    official = Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))

    assert [f"{error.json_path}: {error.message[:300]}" for error in official.iter_errors(written)] == []


def test_the_official_schema_would_not_take_anything(written: Node) -> None:
    official = Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))
    spoiled = written | {"operations": {"upload.tells": {"action": "publish"}}}

    assert not official.is_valid(spoiled)


def test_every_reference_leads_somewhere(written: Node) -> None:
    folder = Path(__file__).parents[2] / "docs" / "events"

    for reference in references(written):
        if reference.startswith("#/"):
            assert looked_up(written, reference) is not None
        else:
            assert (folder / reference).is_file(), reference


def test_there_is_a_channel_for_each_topic_with_its_partitions_and_retention(written: Node) -> None:
    channels = {
        channel["bindings"]["kafka"]["topic"]: channel["bindings"]["kafka"] for channel in written["channels"].values()
    }

    assert channels.keys() == {topic.name for topic in catalogue()}
    for topic in catalogue():
        assert channels[topic.name]["partitions"] == topic.partitions
        config = channels[topic.name]["topicConfiguration"]
        assert config["cleanup.policy"] == [topic.config["cleanup.policy"]]
        assert str(config.get("retention.ms", "")) == topic.config.get("retention.ms", "")


def test_it_names_whoever_tells_and_hears_each_event(written: Node) -> None:
    told = {of_topic(each): each["tags"][0]["name"] for each in written["operations"].values() if sends(each)}
    heard = {(each["tags"][0]["name"], of_topic(each)) for each in written["operations"].values() if not sends(each)}

    assert {event.topic: told[event.topic] for event in EVENTS} == {event.topic: producer_of(event) for event in EVENTS}
    assert heard == {(router.group, event.topic) for router in routers() for event in router.heard}


@pytest.mark.parametrize("golden", goldens(), ids=str)
def test_golden_headers_are_what_the_message_says(golden: Golden, written: Node) -> None:
    (message,) = (each for each in written["components"]["messages"].values() if each["name"] == golden.topic)
    traits = [looked_up(written, trait["$ref"]) for trait in message["traits"]]
    headers: Node = {}
    for part in [*traits, message]:
        headers = merged(headers, part["headers"])

    validator = Draft202012Validator(headers, format_checker=FormatChecker())

    assert [error.message for error in validator.iter_errors(golden.headers)] == []
    assert not validator.is_valid(golden.headers | {"ce_type": "another.v1"})


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        here = [node["$ref"]] if "$ref" in node else []
        return here + [each for value in node.values() for each in references(value)]
    if isinstance(node, list):
        return [each for value in node for each in references(value)]
    return []


def looked_up(root: Node, reference: str) -> Any:
    node: Any = root
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def merged(one: Node, other: Node) -> Node:
    """JSON Merge Patch, which is how AsyncAPI applies traits."""
    both = dict(one)
    for name, value in other.items():
        both[name] = merged(both[name], value) if isinstance(value, dict) and name in both else value
    return both


def sends(operation: Node) -> bool:
    return bool(operation["action"] == "send")


def of_topic(operation: Node) -> str:
    return str(operation["channel"]["$ref"]).removeprefix("#/channels/")
