"""Telling events from the command line: straight to Kafka, done when the broker has them all."""

from collections.abc import Iterable

from aiokafka import AIOKafkaProducer

from shared.contracts.event import Event
from shared.messaging.connection import producer_settings
from shared.messaging.envelope import body_of, headers_of, wire_headers

_AT_ONCE = 1000


async def tell_all(bootstrap: str, source: str, events: Iterable[Event]) -> int:
    """Send events in order and wait for each acknowledgement; returns how many.

    Raises:
        KafkaError: the broker did not take one; those before it are told, and telling all again does no harm.
    """
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **producer_settings("cli"))
    await producer.start()
    told = 0
    try:
        waiting = []
        for event in events:
            waiting.append(
                await producer.send(
                    event.topic,
                    key=event.key.encode(),
                    value=body_of(event),
                    headers=wire_headers(headers_of(event, source)),
                )
            )
            if len(waiting) >= _AT_ONCE:
                for sent in waiting:
                    await sent
                told += len(waiting)
                waiting.clear()
        for sent in waiting:
            await sent
        return told + len(waiting)
    finally:
        await producer.stop()
