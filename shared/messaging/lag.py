"""How far each consumer group is behind, for `baoshen lag` and the gauges."""

import asyncio
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


@dataclass(frozen=True)
class Lag:
    """One partition of one group: `behind` records are told but not committed."""

    group: str
    topic: str
    partition: int
    committed: int
    end: int

    @property
    def behind(self) -> int:
        """Records not committed yet."""
        return max(self.end - self.committed, 0)


class LagReader:
    """Reads committed and end offsets; one connection for as long as it is open."""

    def __init__(self, bootstrap: str) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
        # It learns of one topic after the other and rests after each: with its 100 ms, two seconds for all groups.
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, request_timeout_ms=10_000, retry_backoff_ms=10
        )

    async def __aenter__(self) -> "LagReader":
        try:
            await asyncio.wait_for(self._admin.start(), 20)
            await asyncio.wait_for(self._consumer.start(), 20)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def read(self, group: str, topics: list[str]) -> list[Lag]:
        """The lag of `group` on each partition of `topics`; a partition never committed counts from its beginning."""
        committed = await asyncio.wait_for(self._admin.list_consumer_group_offsets(group), 15)
        described = await asyncio.wait_for(self._admin.describe_topics(topics), 15)
        partitions = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]
        if not partitions:
            return []
        ends = await asyncio.wait_for(self._consumer.end_offsets(partitions), 15)
        begins = await asyncio.wait_for(self._consumer.beginning_offsets(partitions), 15)
        lags = []
        for partition in sorted(partitions):
            known = committed.get(partition)
            offset = known.offset if known is not None and known.offset >= 0 else begins[partition]
            lags.append(Lag(group, partition.topic, partition.partition, offset, ends[partition]))
        return lags
