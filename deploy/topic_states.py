"""The catalogue of topics held against what a broker has."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.contracts.asyncapi import kept_for
from deploy.contracts.schemas import heard_by, producer_of
from shared.contracts import EVENTS
from shared.messaging.dead_letters import dead_topic
from shared.messaging.groups import GROUPS
from shared.messaging.topics import Topic, catalogue


@dataclass(frozen=True)
class TopicState:
    """One topic. `partitions` is 0 where it is missing; `differs` names settings that are not the catalogue's."""

    name: str
    partitions: int
    copies: int
    kept: str
    differs: tuple[str, ...]
    told_by: str
    heard_by: tuple[str, ...]


async def topic_states(bootstrap: str) -> list[TopicState]:
    """How each topic of the catalogue is on the broker."""
    wanted = catalogue()
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    await asyncio.wait_for(admin.start(), 20)
    try:
        present = set(await asyncio.wait_for(admin.list_topics(), 15))
        there = [topic.name for topic in wanted if topic.name in present]
        described = await asyncio.wait_for(admin.describe_topics(there), 15) if there else []
        configured = await _configured(admin, there) if there else {}
    finally:
        await admin.close()
    tellers, heard = _tellers(), heard_by()
    by_name = {topic["topic"]: topic["partitions"] for topic in described}
    return [
        TopicState(
            name=topic.name,
            partitions=len(by_name.get(topic.name, ())),
            copies=min((len(each["replicas"]) for each in by_name.get(topic.name, ())), default=0),
            kept=kept_for(topic),
            differs=_differs(topic, configured.get(topic.name)),
            told_by=tellers.get(topic.name, "—"),
            heard_by=tuple(heard.get(topic.name, ())),
        )
        for topic in wanted
    ]


async def _configured(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    answers = await asyncio.wait_for(admin.describe_configs(resources), 15)
    configured: dict[str, dict[str, str]] = {}
    for answer in answers:
        for resource in answer.to_object()["resources"]:
            configured[resource["resource_name"]] = {
                str(entry["config_names"]): str(entry["config_value"]) for entry in resource["config_entries"]
            }
    return configured


def _differs(topic: Topic, configured: Mapping[str, Any] | None) -> tuple[str, ...]:
    if configured is None:
        return ()
    return tuple(name for name, value in sorted(topic.config.items()) if configured.get(name, value) != value)


def _tellers() -> dict[str, str]:
    dead = {dead_topic(group): service for group, service in GROUPS.items()}
    return {event.topic: producer_of(event) for event in EVENTS} | dead
