"""Everything that stands on topics, from their beginning to their present end."""

from collections.abc import AsyncIterator, Collection

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

_TIMEOUT_MS = 20_000


async def records_of(bootstrap: str, topics: Collection[str]) -> AsyncIterator[ConsumerRecord]:
    """The records, each partition's in order; a topic that is not there has none.

    Raises:
        KafkaError: the broker did not answer.
    """
    partitions = await _partitions(bootstrap, topics)
    if not partitions:
        return
    # It learns of one topic after the other and rests after each: with its 100 ms, a second for all of them.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, request_timeout_ms=_TIMEOUT_MS, retry_backoff_ms=10
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        left = set(partitions)
        while left:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    yield record
            left = {partition for partition in left if await consumer.position(partition) < ends[partition]}
    finally:
        await consumer.stop()


async def _partitions(bootstrap: str, topics: Collection[str]) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_TIMEOUT_MS)
    await admin.start()
    try:
        described = await admin.describe_topics(list(topics))
    finally:
        await admin.close()
    return [TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]
