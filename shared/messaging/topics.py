"""The topics there are, how they are kept, and making those that are missing."""

from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts import EVENTS
from shared.messaging.dead_letters import dead_topic
from shared.messaging.groups import GROUPS

KEPT_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True)
class Topic:
    """A topic as it should be."""

    name: str
    partitions: int
    config: dict[str, str]


def catalogue(partitions: int = 6) -> list[Topic]:
    """Every topic of the system.

    Args:
        partitions: of each event topic; what one group can be scaled to.
    """
    topics = []
    for event_type in EVENTS:
        if event_type.compacted:
            config = {"cleanup.policy": "compact", "min.compaction.lag.ms": "3600000"}
        elif event_type.kept_for_ever:
            config = {"cleanup.policy": "delete", "retention.ms": "-1"}
        else:
            config = {"cleanup.policy": "delete", "retention.ms": str(KEPT_MS)}
        topics.append(Topic(event_type.topic, partitions, config))
    dead = {"cleanup.policy": "delete", "retention.ms": str(KEPT_MS)}
    topics += [Topic(dead_topic(group), 1, dead) for group in GROUPS]
    return topics


async def create_topics(bootstrap: str, *, partitions: int = 6, replication: int = 1) -> list[str]:
    """Make the topics that are missing; returns their names.

    Args:
        bootstrap: Kafka's bootstrap servers.
        partitions: of each new event topic.
        replication: 3 in production, with `min.insync.replicas` 2.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=20_000)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [topic for topic in catalogue(partitions) if topic.name not in there]
        if not missing:
            return []
        safety = {"min.insync.replicas": "2"} if replication >= 3 else {}
        answer = await admin.create_topics(
            [
                NewTopic(
                    name=topic.name,
                    num_partitions=topic.partitions,
                    replication_factor=replication,
                    topic_configs=topic.config | safety,
                )
                for topic in missing
            ],
            timeout_ms=20_000,
        )
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name} could not be made")
        return [topic.name for topic in missing]
    finally:
        await admin.close()
