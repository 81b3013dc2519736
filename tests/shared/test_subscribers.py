"""What every subscriber of every service must be like, and that none is made elsewhere."""

import ast
import inspect
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber, LogicSubscriber

from deploy.contracts.schemas import routers
from shared.messaging.connection import consumer_settings, producer_settings
from shared.messaging.delivery import TRANSIENT_LIMIT_S
from shared.messaging.groups import GROUPS
from shared.messaging.kafka import GIVE_BACK_PAUSE_S, Router, at_least_once_router, by_image, by_key, make_broker
from shared.messaging.topics import catalogue
from tests.shared.conftest import a_kind

ROOT = Path(__file__).parent.parent.parent
THE_ONE_FILE = "shared/messaging/kafka.py"
# The bare loop that `baoshen bench flow` measures ours against.
THE_RIVAL = "deploy/bench/flow.py"


def router_of(group: str) -> Router:
    """A group's router, its handlers given anything they name."""
    router = next(each for each in routers() if each.group == group)
    wanted = {
        name
        for handler, _ in router._handlers.values()
        for name in list(inspect.signature(handler).parameters)[1:]
        if name != "sessions"
    }
    router.provide(sessions=SimpleNamespace(), sealer=SimpleNamespace(), **dict.fromkeys(wanted, object()))
    return router


def subscribers_of(*routers: Router) -> list[LogicSubscriber]:
    return list(make_broker("127.0.0.1:1", "test", routers).subscribers)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_hears_at_least_once_in_batches_from_the_beginning(group: str) -> None:
    router = router_of(group)

    subscribers = subscribers_of(router)

    assert router.group == group
    assert {topic for each in subscribers for topic in each.topic_names} == {kind.topic for kind in router.heard}
    for subscriber in subscribers:
        settings = subscriber._connection_args
        assert isinstance(subscriber, BatchSubscriber)
        assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
        assert subscriber.group_id == group
        assert settings["enable_auto_commit"] is False
        assert settings["auto_offset_reset"] == "earliest"
        assert 1 <= subscriber.max_records <= 200


async def test_after_a_rebalance_a_consumer_looks_for_what_others_parked() -> None:
    router = router_of("review")
    [subscriber] = subscribers_of(router)
    router.delivery._clear_at = time.monotonic()

    await subscriber._listener.on_partitions_assigned({TopicPartition("x", 0)})

    assert router.delivery._changed_at > router.delivery._clear_at


@pytest.mark.parametrize("group", GROUPS)
def test_all_that_a_group_hears_exists(group: str) -> None:
    assert {kind.topic for kind in router_of(group).heard} <= {topic.name for topic in catalogue()}


def test_validation_parks_by_image_and_takes_no_more_than_half_a_second_of_work() -> None:
    router = router_of("validation")

    assert router.delivery._park_by is by_image
    assert {subscription.max_records for subscription in router.delivery.subscriptions.values()} == {32}


def test_reading_parks_by_image_photos_by_photo_and_both_take_little_at_once() -> None:
    reading, photos = router_of("validation-reading"), router_of("validation-photos")

    assert reading.delivery._park_by is by_image
    assert photos.delivery._park_by(SimpleNamespace(photo_id=uuid4(), key="1")) not in {"1", ""}
    assert [s.max_records for s in reading.delivery.subscriptions.values()] == [8]
    assert [s.max_records for s in photos.delivery.subscriptions.values()] == [4]


@pytest.mark.parametrize("group", [group for group, service in GROUPS.items() if service != "validation"])
def test_the_others_park_by_application(group: str) -> None:
    assert router_of(group).delivery._park_by is by_key


def test_the_broker_itself_is_as_careful_as_its_subscribers() -> None:
    broker = make_broker("127.0.0.1:1", "test", [])

    # A subscriber that somebody declared on it by hand would inherit this, not the framework's default.
    subscriber = broker.subscriber("other.thing.v1", group_id="other")
    assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR


def test_waiting_in_place_ends_before_the_broker_gives_the_consumer_up() -> None:
    assert consumer_settings()["max_poll_interval_ms"] > (TRANSIENT_LIMIT_S + GIVE_BACK_PAUSE_S) * 1000 * 2


def test_a_send_counts_once_all_replicas_have_it() -> None:
    settings = producer_settings("test")

    assert (settings["acks"], settings["enable_idempotence"]) == ("all", True)


def test_a_handler_that_names_what_nobody_provides_is_an_error_at_once() -> None:
    router = at_least_once_router("test")

    async def on_noted(events: list[object], sessions: object, missing: object) -> None: ...

    router.batch(a_kind())(on_noted)

    with pytest.raises(ValueError, match="on_noted wants missing"):
        router.provide(sessions=SimpleNamespace(), sealer=SimpleNamespace())


def test_a_kind_is_heard_once_per_group() -> None:
    router, kind = at_least_once_router("test"), a_kind()

    async def on_noted(events: list[object]) -> None: ...

    router.batch(kind)(on_noted)

    with pytest.raises(ValueError, match="already"):
        router.batch(kind)(on_noted)


# The house lint: what loses messages is named in one place.


def sources() -> Iterator[tuple[str, ast.AST]]:
    for folder in ("services", "shared", "deploy"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def escapes(tree: ast.AST) -> Iterator[str]:
    """The ways past the router, as this tree has them."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="subscriber")):
                yield ".subscriber("
            case ast.Attribute(attr="publisher") | ast.Name(id="publisher"):
                yield "@publisher"
            case ast.Name(id="AckPolicy") | ast.Attribute(attr="AckPolicy") | ast.alias(name="AckPolicy"):
                yield "AckPolicy"
            case ast.Name(id="KafkaRouter" | "KafkaBroker") | ast.alias(name="KafkaRouter" | "KafkaBroker"):
                yield "a broker of its own"
            case ast.keyword(arg="auto_offset_reset") | ast.Constant(value="auto_offset_reset"):
                yield "auto_offset_reset"
            case ast.keyword(arg="enable_auto_commit", value=ast.Constant(value=True)):
                yield "auto-commit"
            case ast.Call(
                func=ast.Name(id="AIOKafkaConsumer") | ast.Attribute(attr="AIOKafkaConsumer"), keywords=words
            ):
                if any(word.arg in {"group_id", None} for word in words):
                    yield "AIOKafkaConsumer with a group"


ALLOWED = {
    THE_ONE_FILE: {".subscriber(", "AckPolicy", "a broker of its own"},
    "shared/messaging/connection.py": {"auto_offset_reset"},
    # It starts and stops the broker that the one file makes; it declares nothing on it.
    "shared/service.py": {"a broker of its own"},
    THE_RIVAL: {"AIOKafkaConsumer with a group"},
}


def test_nothing_subscribes_but_the_router() -> None:
    found = {
        (name, way) for name, tree in sources() for way in escapes(tree) if way not in ALLOWED.get(name, frozenset())
    }

    assert found == set()


def test_the_one_file_is_where_the_lint_thinks_it_is() -> None:
    ways = {name: set(escapes(tree)) for name, tree in sources()}

    assert {".subscriber(", "AckPolicy"} <= ways[THE_ONE_FILE]
    assert "auto_offset_reset" in ways["shared/messaging/connection.py"]
    assert "AIOKafkaConsumer with a group" in ways[THE_RIVAL]


@pytest.mark.parametrize(
    ("source", "way"),
    [
        ("@broker.subscriber('x')\nasync def on_x(): ...", ".subscriber("),
        ("router.subscriber('x')(handle)", ".subscriber("),
        ("@router.publisher('x')\nasync def on_x(): ...", "@publisher"),
        ("from faststream import AckPolicy", "AckPolicy"),
        ("import faststream\npolicy = faststream.AckPolicy.ACK_FIRST", "AckPolicy"),
        ("from faststream.kafka import KafkaRouter", "a broker of its own"),
        ("settings = {'auto_offset_reset': 'latest'}", "auto_offset_reset"),
        ("AIOKafkaConsumer('x', auto_offset_reset='latest')", "auto_offset_reset"),
        ("AIOKafkaConsumer('x', group_id='mine')", "AIOKafkaConsumer with a group"),
        ("aiokafka.AIOKafkaConsumer('x', **settings)", "AIOKafkaConsumer with a group"),
        ("Consumer('x', enable_auto_commit=True)", "auto-commit"),
    ],
)
def test_the_lint_notices(source: str, way: str) -> None:
    assert way in set(escapes(ast.parse(source)))
