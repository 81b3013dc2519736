"""What the system must survive, each on the real stack; after each, nothing is lost and nothing is doubled."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.stack import Stack
from deploy.reconcile.sources import READ_TOPICS
from shared.messaging.connection import producer_settings
from tests.chaos.conftest import dies, every_accepted_image_is_there, settled
from tests.chaos.crowd import Crowd

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(420)]
CrowdOf = Callable[[int], Awaitable[Crowd]]


async def _armed(stack: Stack, service: str, failpoint: str) -> None:
    """Restart a service so that it dies at the failpoint."""
    await stack.terminate(service)
    await stack.start_part(service, {"FAILPOINTS": failpoint})


async def test_validation_killed_mid_batch_loses_no_image_and_checks_none_twice(
    stack: Stack, crowd_of: CrowdOf
) -> None:
    crowd = await crowd_of(4)
    await _armed(stack, "validation", "validation.after_check")

    await crowd.upload_everything()
    await dies(stack, "validation")
    await stack.start_part("validation")

    await settled(stack)
    await every_accepted_image_is_there(stack, crowd)


@pytest.mark.parametrize("service", ["upload", "validation", "review", "notify"])
async def test_a_consumer_killed_between_work_and_commit_has_every_effect_once(
    stack: Stack, crowd_of: CrowdOf, service: str
) -> None:
    crowd = await crowd_of(2)
    await _armed(stack, service, f"{service}.after_work")

    work = asyncio.create_task(_whole_round(crowd))
    await dies(stack, service)
    await stack.start_part(service)
    await work

    await settled(stack)
    await every_accepted_image_is_there(stack, crowd)


async def _whole_round(crowd: Crowd) -> None:
    await crowd.upload_everything()
    await crowd.submit_everything()
    await crowd.return_everything()
    await crowd.sees("returned")


async def test_a_relay_killed_between_publish_and_delete_repeats_but_doubles_nothing(
    stack: Stack, crowd_of: CrowdOf
) -> None:
    crowd = await crowd_of(2)
    await _armed(stack, "upload", "relay.after_publish")

    uploads = asyncio.create_task(crowd.upload_everything())
    await dies(stack, "upload")
    await stack.start_part("upload")
    await uploads
    await crowd.submit_everything()

    await settled(stack)
    await every_accepted_image_is_there(stack, crowd)


async def test_two_relays_at_once_lose_nothing(stack: Stack, crowd_of: CrowdOf) -> None:
    crowd = await crowd_of(3)
    await stack.start_part("upload-2")
    try:
        uploads = asyncio.create_task(crowd.upload_everything(pause_s=0.05))
        await asyncio.sleep(1)
        await stack.kill("upload")  # the leader goes in the middle; the other takes over
        await stack.start_part("upload")
        await uploads
        await crowd.submit_everything()

        await settled(stack)
    finally:
        await stack.terminate("upload-2")
    await every_accepted_image_is_there(stack, crowd)


async def test_uploads_go_on_while_the_broker_is_dead_for_ten_seconds(stack: Stack, crowd_of: CrowdOf) -> None:
    crowd = await crowd_of(3)
    await stack.kill("kafka")
    asked_again = crowd.book.again

    await crowd.upload_everything(pause_s=0.3)
    while_dead = crowd.book.again - asked_again
    await asyncio.sleep(3)
    await stack.start_part("kafka")
    await crowd.submit_everything()
    await crowd.return_everything()

    await settled(stack)
    assert while_dead == 0
    await every_accepted_image_is_there(stack, crowd)


async def test_a_restart_of_postgresql_under_load_loses_nothing(stack: Stack, crowd_of: CrowdOf) -> None:
    crowd = await crowd_of(3)

    uploads = asyncio.create_task(crowd.upload_everything(pause_s=0.05))
    await asyncio.sleep(1)
    await stack.kill("postgres")
    await stack.start_part("postgres")
    await uploads
    await crowd.submit_everything()
    await crowd.return_everything()

    await settled(stack)
    await every_accepted_image_is_there(stack, crowd)


async def test_a_rolling_restart_under_load_finishes_or_hands_back_what_is_under_way(
    stack: Stack, crowd_of: CrowdOf
) -> None:
    crowd = await crowd_of(3)

    work = asyncio.create_task(_whole_round(crowd))
    for service in ("upload", "validation", "review", "notify"):
        await asyncio.sleep(0.5)
        await stack.restart(service)  # SIGTERM, then a new process
    await work

    await settled(stack)
    await every_accepted_image_is_there(stack, crowd)


async def test_every_event_delivered_three_times_has_one_effect(stack: Stack, crowd_of: CrowdOf) -> None:
    crowd = await crowd_of(2)
    await crowd.upload_everything()
    await crowd.submit_everything()
    await crowd.return_everything()
    await settled(stack)

    for _ in range(2):
        await _tell_again(stack)

    await settled(stack)


async def test_results_in_the_wrong_order_come_to_the_same(stack: Stack, crowd_of: CrowdOf) -> None:
    crowd = await crowd_of(2)
    await crowd.upload_everything()
    await crowd.submit_everything()
    await crowd.return_everything()
    await settled(stack)

    await _tell_again(stack, backwards=True)

    await settled(stack)
    await crowd.sees("returned")


async def _tell_again(stack: Stack, *, backwards: bool = False) -> None:
    """Every record of every topic once more, as it stands there, in order or backwards."""
    bootstrap = stack.environment["KAFKA_BOOTSTRAP_SERVERS"]
    consumer = AIOKafkaConsumer(*READ_TOPICS, bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **producer_settings("test"))
    await producer.start()
    try:
        partitions = [TopicPartition(t, p) for t in READ_TOPICS for p in consumer.partitions_for_topic(t) or ()]
        ends = await consumer.end_offsets(partitions)
        consumer.unsubscribe()
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        records = []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            batch = await consumer.getmany(timeout_ms=500)
            records += [each for partition, some in batch.items() for each in some if each.offset < ends[partition]]
        for record in reversed(records) if backwards else records:
            await producer.send(record.topic, value=record.value, key=record.key, headers=list(record.headers))
        await producer.flush()
    finally:
        await producer.stop()
        await consumer.stop()


async def test_a_poison_message_is_put_aside_and_the_others_flow(stack: Stack, crowd_of: CrowdOf) -> None:
    crowd = await crowd_of(2)
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"], **producer_settings("test")
    )
    await producer.start()

    await producer.send_and_wait("material.uploaded.v1", b"\xff\x00 not JSON", key=b"nobody")
    await producer.send_and_wait(
        "review.feedback.v1", b"{}", key=b"NOBODY1", headers=[("ce_id", b"\xff\xfe"), ("bad", b"\xc3\x28")]
    )
    await producer.stop()
    await crowd.upload_everything()
    await crowd.submit_everything()
    await crowd.return_everything()

    # One for validation; the feedback one for upload and one for notify.
    await settled(stack, expected_dead=3)
    await every_accepted_image_is_there(stack, crowd)
