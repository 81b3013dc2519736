"""What a process does beside hearing and answering."""

import asyncio
import time
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError

from shared import service as service_module
from shared.messaging.kafka import make_broker
from shared.messaging.lag import Lag
from shared.security.sealing import KeyRing
from shared.service import HANGS_AFTER_S, Service
from shared.settings import ServiceSettings
from shared.telemetry import metrics
from tests.shared.conftest import Station


@pytest.fixture
def service(station: Station, key_ring: KeyRing, master_keys: str, tmp_path: Path) -> Service:
    settings = ServiceSettings(
        kafka_bootstrap_servers="127.0.0.1:1", master_keys=master_keys, data_keys_file=tmp_path / "keys.json"
    )
    url = station.engine.url.render_as_string(hide_password=False)
    return Service("notify", settings, url, routers=[station.router], description="", sealer=key_ring)


class Reader:
    """Reads the lag as it is told to: what is in `answers` is raised or given, one after the other."""

    answers: list[BaseException | int]
    service: Service

    def __init__(self, _bootstrap: str) -> None:
        pass

    async def __aenter__(self) -> "Reader":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def read(self, group: str, topics: list[str]) -> list[Lag]:
        answer = self.answers.pop(0)
        if not self.answers:
            self.service._stopping.set()
        if isinstance(answer, BaseException):
            raise answer
        return [Lag(group, topics[0], 0, 0, answer)]


@pytest.fixture
def reader(service: Service, monkeypatch: pytest.MonkeyPatch) -> type[Reader]:
    Reader.service = service
    monkeypatch.setattr(service_module, "LagReader", Reader)
    monkeypatch.setattr(service_module, "GAUGE_EVERY_S", 0.01)
    monkeypatch.setattr(service, "_assigned", lambda: [{(service.routers[0].heard[0].topic, 0)}])
    return Reader


async def test_gauges_are_read_on_after_a_failure_that_nobody_foresaw(
    service: Service, reader: type[Reader], station: Station
) -> None:
    reader.answers = [KeyError("no such partition"), 3]

    await asyncio.wait_for(service._gauge(), 5)

    assert service._lag == {id(service.routers[0]): 3}


async def test_a_lag_that_can_no_longer_be_read_does_not_make_a_process_hang(
    service: Service, reader: type[Reader], station: Station
) -> None:
    station.router.delivery.last_batch_at = time.monotonic() - HANGS_AFTER_S - 1
    reader.answers = [3]
    await asyncio.wait_for(service._gauge(), 5)
    hangs = await service._what_hangs()
    service._stopping.clear()
    reader.answers = [KafkaConnectionError()]

    await asyncio.wait_for(service._gauge(), 5)

    assert hangs is not None
    assert await service._what_hangs() is None


async def test_what_waits_for_another_process_of_the_group_does_not_make_an_idle_one_hang(
    service: Service, reader: type[Reader], station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_assigned", lambda: [{(station.kinds[0].topic, 1)}])
    station.router.delivery.last_batch_at = time.monotonic() - HANGS_AFTER_S - 1
    reader.answers = [3]

    await asyncio.wait_for(service._gauge(), 5)

    assert await service._what_hangs() is None
    assert metrics.LAG.labels(station.group, station.kinds[0].topic)._value.get() == 3


async def test_a_process_knows_which_partitions_it_hears(
    service: Service, station: Station, topics: None, kafka: str
) -> None:
    before = service._assigned()
    service._broker = make_broker(kafka, "station", [station.router])
    await service._broker.start()
    try:
        heard = service._assigned()
    finally:
        await service._broker.stop()

    assert before == [set()]
    assert heard == [{(kind.topic, partition) for kind in station.kinds for partition in range(4)}]
