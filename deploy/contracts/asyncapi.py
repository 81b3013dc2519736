"""The AsyncAPI 3 document: channels, messages with their CloudEvents headers, and what each service tells and hears."""

from typing import Any

import yaml

from deploy.contracts.schemas import heard_by, key_of, producer_of, teller_of
from shared.contracts import EVENTS
from shared.contracts.event import Event
from shared.messaging.dead_letters import dead_topic
from shared.messaging.envelope import CONTENT_TYPE
from shared.messaging.groups import GROUPS
from shared.messaging.topics import Topic, catalogue

Node = dict[str, Any]

_BINDING = "0.5.0"
_SCHEMA_FORMAT = "application/schema+json;version=2020-12"
_TEXT: Node = {"type": "string"}


def document() -> Node:
    """The whole document, as plain values."""
    kept = {topic.name: topic for topic in catalogue()}
    heard = heard_by()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Baoshen events",
            # Versions are in the topics' names; the document as a whole has none of its own.
            "version": "1",
            "description": (
                "What the services of Baoshen tell each other. Bodies are JSON; an event's id, time and type travel as "
                "CloudEvents 1.0 headers (binary mode). Consumers ignore fields that they do not know. Events with the "
                "same key keep their order; every consumer may hear an event more than once and goes by `ce_id`. "
                "Made from the code by `baoshen contracts export`."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "Whatever KAFKA_BOOTSTRAP_SERVERS names.",
                "variables": {"bootstrap": {"default": "127.0.0.1:19092"}},
            }
        },
        "channels": {event.topic: _channel(event, kept[event.topic]) for event in EVENTS}
        | {dead_topic(group): _dead_channel(group, kept[dead_topic(group)]) for group in GROUPS},
        "operations": _operations(heard),
        "components": {
            "messages": {event.__name__: _message(event) for event in EVENTS} | {"DeadLetter": _dead_letter()},
            "messageTraits": {"CloudEvent": {"headers": _cloud_events_headers()}},
        },
    }


def as_yaml(content: Node) -> str:
    """The document as it lies in the repository."""
    return yaml.dump(content, Dumper=_WithoutAnchors, sort_keys=False, allow_unicode=True, width=120)


class _WithoutAnchors(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def kept_for(topic: Topic) -> str:
    """How long the topic keeps its records, in words."""
    if topic.config["cleanup.policy"] == "compact":
        return "the newest of each key, for good"
    return f"{int(topic.config['retention.ms']) // 86_400_000} days"


def _channel(event: type[Event], topic: Topic) -> Node:
    tombstone = " A record without a body takes its key off the topic." if _is_compacted(topic) else ""
    return {
        "address": event.topic,
        "title": event.__name__,
        "description": f"{_summary(event)} Key: `{key_of(event)}`. Told by {teller_of(event)}. Kept: {kept_for(topic)}."
        + tombstone,
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
        "bindings": {"kafka": _topic_binding(topic)},
    }


def _dead_channel(group: str, topic: Topic) -> Node:
    return {
        "address": dead_topic(group),
        "title": f"Dead letters of {group}",
        "description": (
            f"Records that the group {group} could not take, for its operators (`baoshen dlq list --group {group}`). "
            f"Kept: {kept_for(topic)}."
        ),
        "messages": {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}},
        "bindings": {"kafka": _topic_binding(topic)},
    }


def _topic_binding(topic: Topic) -> Node:
    config: Node = {
        name: [value] if name == "cleanup.policy" else int(value) for name, value in sorted(topic.config.items())
    }
    return {
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": config,
        "bindingVersion": _BINDING,
    }


def _message(event: type[Event]) -> Node:
    return {
        "name": event.topic,
        "title": event.__name__,
        "summary": _summary(event),
        "contentType": CONTENT_TYPE,
        "traits": [{"$ref": "#/components/messageTraits/CloudEvent"}],
        "headers": {"type": "object", "properties": {"ce_type": {"type": "string", "const": event.topic}}},
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./schemas/{event.topic}.json"}},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"`{key_of(event)}`"},
                "bindingVersion": _BINDING,
            }
        },
    }


def _cloud_events_headers() -> Node:
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": {"type": "string", "format": "uuid", "description": "The event's id: the same for each repeat."},
            "ce_type": {"type": "string", "description": "The topic."},
            "ce_source": {"type": "string", "description": "Who tells it, such as `baoshen/upload`."},
            "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
            "ce_subject": {"type": "string", "description": "The Kafka key again, for whoever sees headers only."},
            "content-type": {"type": "string", "const": CONTENT_TYPE},
            "traceparent": {"type": "string", "description": "W3C trace context, where the telling was traced."},
        },
    }


def _dead_letter() -> Node:
    said = {
        "dead_status": {"type": "string", "enum": ["dead", "parked"]},
        "dead_error": {"type": "string", "description": "What went wrong, without any value of the record."},
        "dead_topic": _TEXT,
        "dead_partition": _TEXT,
        "dead_offset": _TEXT,
        "dead_body": {"type": "string", "description": "`whole`, `left out`, or `sealed:` and the key's id."},
    }
    return {
        "name": "dead_letter",
        "title": "DeadLetter",
        "summary": "A record that a consumer group could not take, with its own headers and what went wrong.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "required": sorted(said), "properties": said},
        "payload": {"description": "The record's body as it was told; sealed where it could not be read."},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "What later records are parked by."},
                "bindingVersion": _BINDING,
            }
        },
    }


def _operations(heard: dict[str, list[str]]) -> Node:
    operations: Node = {}
    for event in EVENTS:
        producer = producer_of(event)
        operations[f"{producer}.tells.{event.topic}"] = {
            "action": "send",
            "title": f"{producer} tells {event.__name__}",
            "summary": _summary(event),
            "tags": [{"name": producer}],
            **_of_channel(event.topic, event.__name__),
        }
        for group in heard.get(event.topic, []):
            operations[f"{group}.hears.{event.topic}"] = {
                "action": "receive",
                "title": f"{group} hears {event.__name__}",
                "tags": [{"name": group}],
                **_of_channel(event.topic, event.__name__),
                "bindings": {
                    "kafka": {"groupId": {"type": "string", "const": group}, "bindingVersion": _BINDING},
                },
            }
    for group in GROUPS:
        operations[f"{group}.tells.{dead_topic(group)}"] = {
            "action": "send",
            "title": f"{group} gives a record up",
            "tags": [{"name": group}],
            **_of_channel(dead_topic(group), "DeadLetter"),
        }
    return operations


def _of_channel(topic: str, message: str) -> Node:
    return {
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{message}"}],
    }


def _is_compacted(topic: Topic) -> bool:
    return topic.config["cleanup.policy"] == "compact"


def _summary(event: type[Event]) -> str:
    return " ".join((event.__doc__ or "").split("\n\n", 1)[0].split())
