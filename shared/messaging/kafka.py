"""Hearing: a router's `batch(…)` is the only way to subscribe; it closes the defaults that lose messages."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.exceptions import NackMessage
from faststream.kafka import KafkaBroker, KafkaMessage

from shared.contracts.event import Event
from shared.database import Sessions
from shared.messaging.connection import consumer_settings
from shared.messaging.dead_letters import BodySealer
from shared.messaging.delivery import Delivery, ParkBy, StillAway, Subscription

E = TypeVar("E", bound=Event)
Handler = Callable[..., Awaitable[None]]
Parse = Callable[[tuple[ConsumerRecord, ...]], Awaitable[KafkaMessage]]

log = structlog.get_logger(__name__)

# Half a second of work at the slowest: 200 plain events, fewer where each is slow (32 images).
MAX_RECORDS = 200
POLL_MS = 50
# A batch that was given back is read again at once (1,400 times a second, measured): wait before.
GIVE_BACK_PAUSE_S = 1.0


class Router:
    """The handlers of one consumer group. Every record reaches its handler at least once, or the dead letters.

    Made by `at_least_once_router`; nothing else in the project subscribes.
    """

    def __init__(self, group: str, park_by: ParkBy, *, park_unreadable: bool) -> None:
        self.group = group
        self.delivery = Delivery(group, park_by, park_unreadable=park_unreadable)
        self._handlers: dict[type[Event], tuple[Handler, int]] = {}

    def batch(self, event_type: type[E], *, max_records: int = MAX_RECORDS) -> Callable[[Handler], Handler]:
        """Hear one kind of event, in batches of at most `max_records`.

        The handler takes the events first; its other parameters are resources, given by name to `provide`. It may be
        called again with events that it has seen: `first_time` tells which are new.
        """

        def register(handler: Handler) -> Handler:
            if event_type in self._handlers:
                raise ValueError(f"{self.group} hears {event_type.topic} already")
            self._handlers[event_type] = (handler, max_records)
            return handler

        return register

    @property
    def heard(self) -> list[type[Event]]:
        """The kinds of events that this group hears."""
        return list(self._handlers)

    def provide(self, *, sessions: Sessions, sealer: BodySealer, **resources: object) -> None:
        """Give the handlers what they name; a name that is not given is an error now, not at the first event."""
        self.delivery.connect(sessions, sealer)
        given: dict[str, object] = {"sessions": sessions, **resources}
        for event_type, (handler, max_records) in self._handlers.items():
            wanted = list(inspect.signature(handler).parameters)[1:]
            missing = [name for name in wanted if name not in given]
            if missing:
                raise ValueError(f"{handler.__name__} wants {', '.join(missing)}, which nobody provides")
            self.delivery.subscriptions[event_type.topic] = Subscription(
                event_type, _bind(handler, {name: given[name] for name in wanted}), max_records
            )

    def subscribe(self, broker: KafkaBroker) -> None:
        """Declare this group's one subscriber on `broker`.

        One consumer hears all topics: with one for each, every start and stop of a process made the group rebalance
        once per topic, seconds each, and a process with five topics needed 12 s to begin.
        """
        subscriptions = self.delivery.subscriptions
        subscriber = broker.subscriber(
            *subscriptions,
            group_id=self.group,
            batch=True,
            max_records=max(subscription.max_records for subscription in subscriptions.values()),
            batch_timeout_ms=POLL_MS,
            # Under kills every other policy lost messages: the default 13 of 400, this one none.
            ack_policy=AckPolicy.NACK_ON_ERROR,
            no_reply=True,
            listener=_TakesOver(self.delivery),
            parser=_without_headers,
            decoder=_records,
            **consumer_settings(),
        )
        subscriber(self.consume)

    async def consume(self, records: Sequence[ConsumerRecord]) -> None:
        """Deal with what one poll brought; when this returns, its offsets are committed."""
        by_topic: dict[str, list[ConsumerRecord]] = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        try:
            for topic, some in by_topic.items():
                # One heavy kind must not make the batches of all others small: each is cut to its own size.
                most = self.delivery.subscriptions[topic].max_records
                for start in range(0, len(some), most):
                    await self.delivery.take(topic, some[start : start + most])
        except StillAway as error:
            log.warning("batch.given_back", group=self.group, error=str(error))
            await asyncio.sleep(GIVE_BACK_PAUSE_S)
            raise NackMessage from error
        except Exception as error:
            # A fault of ours, not of a record: the batch is kept and read again until somebody mends it.
            log.exception("batch.failed", group=self.group)
            await asyncio.sleep(GIVE_BACK_PAUSE_S)
            raise NackMessage from error


class _TakesOver(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """With partitions that another process had come the keys that it parked."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing to do: a batch under way is committed by whoever finishes it, or read again."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Look before the next batch."""
        self._delivery.look_again()


def _bind(handler: Handler, resources: dict[str, object]) -> Callable[[list[Event]], Awaitable[None]]:
    async def handle(events: list[Event]) -> None:
        await handler(events, **resources)

    return handle


async def _without_headers(message: tuple[ConsumerRecord, ...], original: Parse) -> KafkaMessage:
    # The framework decodes headers as UTF-8 and drops the whole batch, silently, where one is not. It gets the first
    # and the last record, for its message id, without any headers; the decoder hands on the true ones.
    parsed = await original((_bare(message[0]), _bare(message[-1])))
    parsed.raw_message = message
    return parsed


def _bare(record: ConsumerRecord) -> ConsumerRecord:
    return ConsumerRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        timestamp_type=record.timestamp_type,
        key=record.key,
        value=b"",
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(),
    )


async def _records(message: KafkaMessage) -> Sequence[ConsumerRecord]:
    raw = message.raw_message
    return raw if isinstance(raw, tuple) else (raw,)


def by_key(event: Event) -> str:
    """Park per application: the event's Kafka key."""
    return event.key


def by_image(event: Event) -> str:
    """Park per image, for a group whose events of one application do not depend on each other."""
    return str(event.image_id)  # type: ignore[attr-defined]


def at_least_once_router(group: str, park_by: ParkBy = by_key) -> Router:
    """A router for one consumer group.

    Args:
        group: its name, such as `review`; dead letters go to `<group>.dead.v1`.
        park_by: whose later events wait behind one that can't be taken.
    """
    return Router(group, park_by, park_unreadable=park_by is by_key)


def make_broker(bootstrap: str, service: str, routers: Sequence[Router]) -> KafkaBroker:
    """A broker on which the routers hear; it publishes nothing (that is the relay's work).

    Args:
        bootstrap: Kafka's bootstrap servers.
        service: client id.
        routers: connected routers.
    """
    broker = KafkaBroker(
        bootstrap.split(","),
        client_id=f"baoshen-{service}",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        apply_types=False,
        graceful_timeout=15.0,
        allow_auto_create_topics=False,
        # Longer than a session: joining waits until a member that died is given up.
        request_timeout_ms=20_000,
        logger=None,
    )
    for router in routers:
        router.subscribe(broker)
    return broker
