"""Delivery on a real broker: what is told is heard at least once, has one effect, and nothing stops the rest."""

import asyncio
import re
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from sqlalchemy.exc import OperationalError

from shared.messaging import delivery, kafka
from shared.messaging.envelope import body_of, headers_of, wire_headers
from tests.shared.conftest import Station, Teller, Trouble, key_of, until

pytestmark = pytest.mark.usefixtures("topics")


def a_database_that_is_away() -> Exception:
    return OperationalError("SELECT 1", None, ConnectionRefusedError())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up waiting for parts that are away after a moment, and read again at once."""
    monkeypatch.setattr(delivery, "TRANSIENT_PAUSES_S", (0.02,))
    monkeypatch.setattr(delivery, "TRANSIENT_LIMIT_S", 0.1)
    monkeypatch.setattr(kafka, "GIVE_BACK_PAUSE_S", 0.05)


async def test_of_two_hundred_records_a_poisonous_one_is_buried_and_the_rest_gets_through(
    station: Station, teller: Teller
) -> None:
    kind, _ = station.kinds
    await teller.tell(*(kind(application_no=key_of(n), n=n) for n in range(200)))
    station.poison = {77}

    async with station.hearing():
        await station.settled(200)

    assert sorted(await station.effects()) == [n for n in range(200) if n != 77]
    [letter] = await station.letters()
    assert (letter.status, letter.record_key, letter.topic) == ("dead", key_of(77), kind.topic)
    assert letter.tries == 5
    assert letter.error.startswith("Trouble at on_noted")
    # Bisecting 200 takes eight halvings; each fails once or goes through once.
    assert len(station.batches) < 30


async def test_several_poisonous_records_cost_no_other(station: Station, teller: Teller) -> None:
    kind, _ = station.kinds
    await teller.tell(*(kind(application_no=key_of(n), n=n) for n in range(200)))
    station.poison = {0, 1, 100, 199}

    async with station.hearing():
        await station.settled(200)

    assert sorted(await station.effects()) == sorted(set(range(200)) - station.poison)
    assert len(await station.letters()) == 4


async def test_unreadable_records_are_buried_sealed_and_nothing_else_is_lost(station: Station, teller: Teller) -> None:
    kind, _ = station.kinds
    canary = "张三 110101199003070000"
    good = [kind(application_no=key_of(n), n=n) for n in range(40)]
    whole = dict(wire_headers(headers_of(good[0], "test")))
    body = body_of(kind(application_no=key_of(99), n=99, text=canary))
    key = key_of(99).encode()

    def but(**changed: bytes) -> list[tuple[str, bytes]]:
        return list({**whole, "ce_id": str(uuid4()).encode(), **changed}.items())

    unreadable = {
        "body: json_invalid": (key, b"\xff\xfe" + canary.encode(), but()),
        "body: dict_type": (key, f'["{canary}"]'.encode(), but()),
        "n: int_parsing": (key, f'{{"application_no": "{key_of(99)}", "n": "{canary}"}}'.encode(), but()),
        "header ce_id: uuid_parsing": (key, body, but(ce_id=b"\xff\xfe\x00")),
        "header ce_time": (key, body, but(ce_time=canary.encode())),
        "header ce_type": (key, body, but(ce_type=b"other.thing.v1")),
        "header ce_type is not": (key, body, []),
        "the record's key": (None, body, but()),
        "the record's key is not": (key_of(98).encode(), body, but()),
        "empty body": (key, None, but()),
    }
    await teller.tell(*good[:20])
    for number, (record_key, value, headers) in enumerate(unreadable.values()):
        await teller.tell_raw(kind.topic, record_key, value, headers, partition=number % 4)
    await teller.tell(*good[20:])

    async with station.hearing():
        await station.settled(50)

    assert sorted(await station.effects()) == list(range(40))
    letters = await station.letters()
    assert len(letters) == len(unreadable)
    for wanted in unreadable:
        assert any(letter.error.startswith(wanted) for letter in letters), (wanted, [each.error for each in letters])
    assert not any(canary in letter.error for letter in letters)
    await _holds_nothing_of(station, canary)


async def _holds_nothing_of(station: Station, canary: str) -> None:
    """Neither the dead letters nor what was told of them shows the canary; opened, the bodies are as they came."""
    from sqlalchemy import text

    async with station.sessions() as session:
        dead = (
            (await session.execute(text("SELECT * FROM dead_letters WHERE consumer_group = :g"), {"g": station.group}))
            .mappings()
            .all()
        )
        told = (
            (await session.execute(text("SELECT * FROM outbox WHERE topic = :t"), {"t": f"{station.group}.dead.v1"}))
            .mappings()
            .all()
        )
    assert len(told) == len(dead)
    parts = canary.split()
    for row in [*dead, *told]:
        shown = b" ".join(str(value).encode() if not isinstance(value, bytes) else value for value in row.values())
        if "ce_time" in str(row.get("error", "")):
            continue  # there the canary stood in a header, which is kept for the replay
        assert not any(part.encode() in shown for part in parts)
    opened = [station.sealer.open_bytes(row["body_sealed_by"], row["body"]) for row in dead if row["body"] is not None]
    assert sum(any(part.encode() in body for part in parts) for body in opened) >= 7


async def test_a_foreign_header_that_is_no_text_does_no_harm(station: Station, teller: Teller) -> None:
    kind, _ = station.kinds
    event = kind(application_no=key_of(1), n=1)
    headers = [*wire_headers(headers_of(event, "test")), ("x-trace", b"\xff\xfe\x00"), ("x-none", b"")]

    await teller.tell_raw(kind.topic, event.key.encode(), body_of(event), headers)
    await teller.tell(kind(application_no=key_of(2), n=2))
    async with station.hearing():
        await station.settled(2)

    assert sorted(await station.effects()) == [1, 2]
    assert await station.letters() == []


async def test_a_buried_record_with_any_bytes_in_its_headers_comes_back_whole(station: Station, teller: Teller) -> None:
    kind, _ = station.kinds
    event = kind(application_no=key_of(1), n=1)
    headers = [*wire_headers(headers_of(event, "test")), ("x-odd", b"\x00\xff"), ("x\x00", b"1")]
    await teller.tell_raw(kind.topic, event.key.encode(), body_of(event), headers)
    station.poison = {1}
    async with station.hearing():
        await station.settled(1)

    station.poison = set()
    await station.request_replay()
    await station.router.delivery.replay_requested()

    assert await station.effects() == [1]


async def test_what_follows_a_dead_record_of_its_key_waits_across_topics_and_is_replayed_in_order(
    station: Station, teller: Teller
) -> None:
    one, other = station.kinds
    unlucky, lucky = key_of(1), key_of(2)
    station.poison = {10}

    async with station.hearing():
        await teller.tell(*(one(application_no=unlucky, n=n) for n in (8, 9, 10, 11)), one(application_no=lucky, n=1))
        await station.settled(5)
        await teller.tell(*(other(application_no=unlucky, n=n) for n in (12, 13)), other(application_no=lucky, n=2))
        await station.settled(8)
        await teller.tell(one(application_no=unlucky, n=14), one(application_no=lucky, n=3))
        await station.settled(10)
        waiting = [(letter.status, letter.parking_key) for letter in await station.letters()]
        before = await station.effects(unlucky)

        station.poison = set()
        await station.request_replay(key=unlucky)
        replayed = await station.router.delivery.replay_requested()
        await teller.tell(one(application_no=unlucky, n=15))
        await station.settled(11)

    assert before == [8, 9]
    assert waiting == [("dead", unlucky)] + [("parked", unlucky)] * 4
    assert replayed == 5
    assert await station.effects(unlucky) == [8, 9, 10, 11, 12, 13, 14, 15]
    assert await station.effects(lucky) == [1, 2, 3]
    assert await station.letters() == []
    assert await station.parked_keys() == set()


async def test_a_failure_that_passes_blocks_in_place_and_nothing_is_buried_or_bisected(
    station: Station, teller: Teller
) -> None:
    kind, _ = station.kinds
    station.away = a_database_that_is_away()
    await teller.tell(*(kind(application_no=key_of(n % 5), n=n) for n in range(60)))

    async with station.hearing():

        async def tried_often() -> bool:
            return len(station.batches) >= 4

        await until(tried_often)
        behind_meanwhile = await station.behind()
        station.away = None
        await station.settled(60)

    assert behind_meanwhile == 60
    assert len(set(station.batches[:4])) == 1  # the same batch, whole
    assert await station.letters() == []
    assert [await station.effects(key_of(k)) for k in range(5)] == [list(range(k, 60, 5)) for k in range(5)]


@pytest.mark.usefixtures("impatient")
async def test_a_batch_given_back_is_read_again_from_every_partition(station: Station, teller: Teller) -> None:
    kind, _ = station.kinds
    station.away = a_database_that_is_away()
    await teller.tell(*(kind(application_no=key_of(n % 20), n=n) for n in range(80)))

    async with station.hearing():

        async def given_back_often() -> bool:
            return len(station.batches) >= 20

        await until(given_back_often)
        behind_meanwhile = await station.behind()
        station.away = None
        await station.settled(80)

    assert behind_meanwhile == 80
    assert sorted(await station.effects()) == list(range(80))
    assert [await station.effects(key_of(k)) for k in range(20)] == [list(range(k, 80, 20)) for k in range(20)]
    assert await station.letters() == []


@pytest.mark.usefixtures("impatient")
async def test_a_fault_of_ours_keeps_the_batch_until_it_is_mended(
    station: Station, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, _ = station.kinds
    broken = 0

    def seal_bytes(data: bytes) -> tuple[str, bytes]:
        nonlocal broken
        broken += 1
        raise RuntimeError("no key")

    monkeypatch.setattr(station.sealer, "seal_bytes", seal_bytes)
    await teller.tell(kind(application_no=key_of(1), n=1))
    await teller.tell_raw(kind.topic, key_of(2).encode(), b"not JSON")
    await teller.tell(kind(application_no=key_of(3), n=3))

    async with station.hearing():

        async def broke_often() -> bool:
            return broken >= 3

        await until(broke_often)
        # Had it been committed, the record would be lost.
        behind_meanwhile = await station.behind()
        monkeypatch.undo()
        await station.settled(3)

    assert behind_meanwhile >= 1
    assert sorted(await station.effects()) == [1, 3]
    assert len(await station.letters()) == 1


async def test_a_process_that_stops_in_the_middle_hands_its_batch_to_the_next(station: Station, teller: Teller) -> None:
    kind, _ = station.kinds
    station.away = a_database_that_is_away()
    await teller.tell(*(kind(application_no=key_of(n % 7), n=n) for n in range(70)))

    async with station.hearing():

        async def under_way() -> bool:
            return bool(station.batches)

        await until(under_way)
    station.away = None
    async with station.hearing(station.make_router()):
        await station.settled(70)

    assert [await station.effects(key_of(k)) for k in range(7)] == [list(range(k, 70, 7)) for k in range(7)]


async def test_every_record_delivered_three_times_has_one_effect(station: Station, teller: Teller) -> None:
    kind, _ = station.kinds
    events = [kind(application_no=key_of(n), n=n) for n in range(50)]

    for _ in range(3):
        await teller.tell(*events)
    async with station.hearing():

        async def all_heard() -> bool:
            return await station.behind() == 0

        await until(all_heard)

    assert sorted(await station.effects()) == list(range(50))


async def test_a_group_rereads_what_was_done_but_not_committed_without_a_second_effect(
    station: Station, teller: Teller
) -> None:
    kind, _ = station.kinds
    await teller.tell(*(kind(application_no=key_of(n), n=n) for n in range(30)))
    async with station.hearing():
        await station.settled(30)
    # As after a kill between the work and its commit: the offsets go back to the beginning.
    consumer = AIOKafkaConsumer(
        kind.topic, bootstrap_servers=station.bootstrap, group_id=station.group, enable_auto_commit=False
    )
    await consumer.start()
    await consumer.seek_to_beginning()
    await consumer.commit(dict.fromkeys(consumer.assignment(), 0))
    await consumer.stop()
    assert await station.behind() == 30

    async with station.hearing(station.make_router()):
        await station.settled(30)

    assert sorted(await station.effects()) == list(range(30))


async def test_two_processes_of_a_group_share_the_work_and_lose_nothing_when_one_leaves(
    station: Station, teller: Teller
) -> None:
    kind, _ = station.kinds

    async def tell_for_a_while() -> None:
        for n in range(0, 300, 10):
            await teller.tell(*(kind(application_no=key_of(each % 9), n=each) for each in range(n, n + 10)))
            await asyncio.sleep(0.05)

    async with station.hearing():
        telling = asyncio.create_task(tell_for_a_while())
        async with station.hearing(station.make_router()):
            await asyncio.sleep(1)
        await telling
        await station.settled(300)

    assert [await station.effects(key_of(k)) for k in range(9)] == [list(range(k, 300, 9)) for k in range(9)]
    assert await station.letters() == []


async def test_each_kind_is_handed_over_in_batches_of_its_own_size(station: Station, teller: Teller) -> None:
    plain, heavy = station.kinds
    await teller.tell(*(plain(application_no=key_of(n), n=n) for n in range(200)))
    await teller.tell(*(heavy(application_no=key_of(n), n=n) for n in range(25)))

    async with station.hearing(station.make_router(max_records=(200, 10))):
        await station.settled(225)

    assert max(size for topic, size in station.batches if topic == heavy.topic) <= 10
    # The heavy kind does not make the batches of the plain one small.
    assert max(size for topic, size in station.batches if topic == plain.topic) > 20


def test_a_failure_is_described_without_its_message() -> None:
    def take() -> None:
        raise Trouble("110101199003070000")

    with pytest.raises(Trouble) as caught:
        take()

    assert re.fullmatch(r"Trouble at take:\d+", delivery._describe(caught.value))
