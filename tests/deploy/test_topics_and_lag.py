"""`baoshen topics` and `baoshen lag`, on a real Kafka."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner, Result

import deploy.contracts.schemas
import deploy.topic_states
import shared.messaging.topics
from deploy.cli import app
from shared.contracts import EVENTS
from shared.messaging.groups import GROUPS
from shared.messaging.topics import Topic, catalogue

DAY_MS = "86400000"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


async def running(*arguments: str) -> Result:
    """The same beside the test's own event loop."""
    return await asyncio.to_thread(run, *arguments)


def lines(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest_asyncio.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


@pytest_asyncio.fixture
async def only_topic(admin: AIOKafkaAdminClient, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A catalogue of one topic that nobody else uses."""
    name = f"test.{uuid4().hex[:12]}.v1"
    wanted = [Topic(name, 2, {"cleanup.policy": "delete", "retention.ms": DAY_MS})]
    for module in (shared.messaging.topics, deploy.topic_states):
        monkeypatch.setattr(module, "catalogue", lambda *_: wanted)
    yield name
    if name in await admin.list_topics():
        await admin.delete_topics([name])


def test_every_topic_is_listed_with_who_tells_and_hears_it() -> None:
    run("topics", "--create")

    listed = {line["topic"]: line for line in lines(run("topics", "--json"))}

    assert listed.keys() == {topic.name for topic in catalogue()}
    assert listed["material.uploaded.v1"]["told_by"] == "upload"
    assert listed["material.uploaded.v1"]["heard_by"] == ["validation", "validation-reading"]
    assert all(line["there"] and line["differs"] == [] for line in listed.values())


def test_the_table_shows_every_topic() -> None:
    result = run("topics")

    assert all(event.topic in result.stdout for event in EVENTS)


async def test_a_missing_topic_is_shown_as_missing_and_made_on_demand(only_topic: str) -> None:
    (before,) = lines(await running("topics", "--json"))
    (made,) = lines(await running("topics", "--create", "--json"))
    (again,) = lines(await running("topics", "--create", "--json"))

    assert (before["there"], before["partitions"]) == (False, 0)
    assert (made["there"], made["made"], made["partitions"]) == (True, True, 2)
    assert (again["there"], again["made"]) == (True, False)


async def test_a_missing_topic_comes_with_what_to_do(only_topic: str) -> None:
    result = await running("topics")

    assert result.exit_code == 0
    assert "baoshen topics --create" in result.output


async def test_a_topic_that_is_kept_otherwise_is_said_to_differ(only_topic: str, admin: AIOKafkaAdminClient) -> None:
    await admin.create_topics([NewTopic(only_topic, 1, 1, topic_configs={"retention.ms": "1000"})])

    (state,) = lines(await running("topics", "--json"))

    assert state["differs"] == ["retention.ms"]


async def test_lag_counts_what_was_told_and_not_heard(
    only_topic: str, admin: AIOKafkaAdminClient, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await admin.create_topics([NewTopic(only_topic, 2, 1)])
    monkeypatch.setattr(deploy.contracts.schemas, "heard_by", lambda: {only_topic: ["notify"]})
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for partition in (0, 0, 1):
            await producer.send_and_wait(only_topic, b"{}", partition=partition)

    found = lines(await running("lag", "--json"))

    assert [(line["group"], line["partition"], line["committed"], line["end"], line["behind"]) for line in found] == [
        ("notify", 0, 0, 2, 2),
        ("notify", 1, 0, 1, 1),
    ]
    assert "3" in (await running("lag")).stdout.splitlines()[-2]


def test_lag_of_one_group_shows_its_topics_only() -> None:
    groups = {line["group"] for line in lines(run("lag", "--group", "review", "--json"))}

    assert groups == {"review"}


def test_an_unknown_group_is_refused_with_those_there_are() -> None:
    result = run("lag", "--group", "archive")

    assert result.exit_code == 2
    assert all(group in result.output for group in GROUPS)


@pytest.mark.parametrize("command", ["topics", "lag"])
def test_a_kafka_that_is_away_is_said_in_words(command: str) -> None:
    baoshen = Path(sys.executable).with_name("baoshen")

    result = subprocess.run(
        [baoshen, command], env=os.environ | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, capture_output=True, text=True
    )

    assert result.returncode == 1
    said = result.stderr.splitlines()[0]
    assert "127.0.0.1:1" in said
    assert "make up" in said
    assert "Traceback" not in result.stderr
