"""Dead letters and parking, and what operators do about them. Records come straight to the delivery."""

import asyncio

import pytest
from sqlalchemy import text

from shared.database import make_engine, make_sessions
from shared.messaging import dead_letters
from shared.messaging.dead_letters import Burial
from shared.messaging.delivery import LOOK_AGAIN_S
from tests.harness import raw_record, record_of
from tests.shared.conftest import Noted, Station, key_of


async def take(station: Station, *events: Noted) -> None:
    for event in events:
        await station.router.delivery.take(event.topic, [record_of(event)])


async def replay(station: Station, **which: object) -> int:
    await station.request_replay(**which)
    return await station.router.delivery.replay_requested()


async def test_only_what_follows_an_unreadable_record_waits(station: Station) -> None:
    kind, _ = station.kinds
    key = key_of(1)
    before, after = kind(application_no=key, n=1), kind(application_no=key, n=3)
    unreadable = record_of(kind(application_no=key, n=2))
    unreadable.value = b"{"

    await station.router.delivery.take(kind.topic, [record_of(before), unreadable, record_of(after)])

    assert await station.effects() == [1]
    assert [letter.status for letter in await station.letters()] == ["dead", "parked"]


async def test_an_unreadable_record_under_no_key_of_ours_makes_nothing_wait(station: Station) -> None:
    kind, _ = station.kinds

    for offset, key in enumerate((None, b"", b"\xff\xfe", b"k" * 101, b"with\nbreak")):
        await station.router.delivery.take(kind.topic, [raw_record(kind.topic, key, b"{", offset=offset)])

    assert [(letter.status, letter.parking_key) for letter in await station.letters()] == [("dead", None)] * 5
    assert await station.parked_keys() == set()


async def test_one_that_fails_again_stays_dead_and_those_behind_it_wait_on(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {1}
    await take(station, *(kind(application_no=key_of(1), n=n) for n in (1, 2, 3)))

    replayed = await replay(station)

    letters = await station.letters()
    assert replayed == 0
    assert [(letter.status, letter.tries) for letter in letters] == [("dead", 6), ("parked", 0), ("parked", 0)]
    assert {letter.replay_requested_at for letter in letters} == {None}
    assert await station.effects() == []
    assert await station.parked_keys() == {key_of(1)}


async def test_one_parked_that_fails_in_its_turn_becomes_the_dead_one(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {1}
    await take(station, *(kind(application_no=key_of(1), n=n) for n in (1, 2, 3, 4)))
    station.poison = {3}

    replayed = await replay(station, key=key_of(1))

    assert replayed == 2
    assert await station.effects() == [1, 2]
    assert [letter.status for letter in await station.letters()] == ["dead", "parked"]
    assert await station.parked_keys() == {key_of(1)}


async def test_asking_for_one_letter_asks_for_all_of_its_key_and_no_other(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {1, 10}
    await take(station, *(kind(application_no=key_of(1), n=n) for n in (1, 2)))
    await take(station, *(kind(application_no=key_of(2), n=n) for n in (10, 11)))
    [first, *_] = await station.letters()
    station.poison = set()

    asked = await station.request_replay(letter_id=first.id)
    await station.router.delivery.replay_requested()

    assert asked == 2
    assert await station.effects() == [1, 2]
    assert await station.parked_keys() == {key_of(2)}


async def test_a_discarded_letter_is_gone_and_those_behind_it_go_on_when_asked(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {1}
    await take(station, *(kind(application_no=key_of(1), n=n) for n in (1, 2)))
    [dead, parked] = await station.letters()

    async with station.sessions.begin() as session:
        of_another_group = await dead_letters.discard(session, "upload", dead.id)
        discarded = await dead_letters.discard(session, station.group, dead.id)
        again = await dead_letters.discard(session, station.group, dead.id)
    waiting = [letter.id for letter in await station.letters()]
    await take(station, kind(application_no=key_of(1), n=3))
    await replay(station)

    assert (of_another_group, discarded, again) == (False, True, False)
    assert waiting == [parked.id]
    assert await station.effects() == [2, 3]
    assert await station.parked_keys() == set()


async def test_a_key_whose_last_letter_is_discarded_flows_again(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {1}
    await take(station, kind(application_no=key_of(1), n=1))
    [dead] = await station.letters()

    async with station.sessions.begin() as session:
        await dead_letters.discard(session, station.group, dead.id)
    await take(station, kind(application_no=key_of(1), n=2))

    assert await station.effects() == [2]
    assert await station.parked_keys() == set()


async def test_when_nothing_is_left_of_a_key_it_flows_again(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {1}
    await take(station, kind(application_no=key_of(1), n=1))
    station.poison = set()
    await replay(station)

    await take(station, kind(application_no=key_of(1), n=2))

    assert await station.effects() == [1, 2]
    assert await station.letters() == []


async def test_a_sealed_record_is_replayed_once_it_can_be_read(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, _ = station.kinds
    record = record_of(kind(application_no=key_of(1), n=1))
    monkeypatch.setattr("shared.messaging.delivery.decode", lambda record, _: _refused(record))
    await station.router.delivery.take(kind.topic, [record])
    [letter] = await station.letters()
    monkeypatch.undo()  # a newer release reads it

    await replay(station, letter_id=letter.id)

    assert await station.effects() == [1]
    assert await station.letters() == []


def _refused(record: object) -> object:
    from shared.messaging.envelope import Undecodable

    return Undecodable(record, "not yet")


async def test_two_replayers_at_once_replay_each_record_once_and_in_order(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {0}
    await take(station, *(kind(application_no=key_of(1), n=n) for n in range(12)))
    station.poison = set()
    await station.request_replay()

    await asyncio.gather(*(station.make_router().delivery.replay_requested() for _ in range(4)))

    assert await station.effects() == list(range(12))


async def test_a_replay_may_take_longer_than_a_transaction_may_idle(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {1}
    await take(station, *(kind(application_no=key_of(1), n=n) for n in (1, 2)))
    station.poison = set()
    engine = make_engine(station.engine.url.render_as_string(hide_password=False))
    async with engine.begin() as connection:
        database = await connection.scalar(text("SELECT current_database()"))
        assert database == station.engine.url.database
    impatient = make_sessions(engine)

    async def slow(events: list[Noted], **resources: object) -> None:
        async with impatient() as session:
            await session.execute(text("SET idle_in_transaction_session_timeout = 100"))
        await asyncio.sleep(0.5)
        await station.on_noted(events, impatient)

    router = station.make_router()
    router.delivery.connect(impatient, station.sealer)
    for subscription in router.delivery.subscriptions.values():
        object.__setattr__(subscription, "handle", slow)
    await station.request_replay()

    replayed = await router.delivery.replay_requested()
    await engine.dispose()

    assert replayed == 2
    assert await station.effects() == [1, 2]


async def test_a_key_that_dies_again_while_it_is_released_stays_parked(station: Station) -> None:
    """A consumer buries a record of the key while the replayer, who sees nothing of it left, lets it flow."""
    kind, _ = station.kinds
    key = key_of(1)
    async with station.sessions.begin() as session:
        await session.execute(
            text("INSERT INTO parked_keys (consumer_group, key) VALUES (:group, :key)"),
            {"group": station.group, "key": key},
        )
    burying = station.sessions()
    burial = Burial(record_of(kind(application_no=key, n=1)), key, "dead", "Trouble")
    await dead_letters.bury(burying, station.group, [burial], station.sealer)

    async def release() -> bool:
        async with station.sessions.begin() as session:
            return await dead_letters.unpark_if_last(session, station.group, key)

    releasing = asyncio.create_task(release())
    await asyncio.sleep(0.3)
    await burying.commit()
    await burying.close()
    released = await asyncio.wait_for(releasing, 10)

    assert released is False
    assert await station.parked_keys() == {key}
    await take(station, kind(application_no=key, n=2))
    assert [letter.status for letter in await station.letters()] == ["dead", "parked"]


async def test_two_consumers_that_park_behind_the_same_key_do_not_wait_for_each_other(station: Station) -> None:
    one, other = station.kinds
    station.poison = {0}
    await take(station, one(application_no=key_of(1), n=0))

    await asyncio.wait_for(
        asyncio.gather(
            *(
                station.make_router().delivery.take(
                    kind.topic, [record_of(kind(application_no=key_of(1), n=n)) for n in range(n, n + 5)]
                )
                for n in range(10, 60, 5)
                for kind in (one, other)
            )
        ),
        8,
    )

    assert len(await station.letters()) == 101


@pytest.mark.parametrize("taken_over", [True, False])
async def test_what_another_process_parked_is_held_back_here_too(station: Station, taken_over: bool) -> None:
    kind, _ = station.kinds
    here = station.make_router().delivery
    await here.take(kind.topic, [record_of(kind(application_no=key_of(2), n=1))])  # it has looked just now
    station.poison = {2}
    await take(station, kind(application_no=key_of(1), n=2))  # by the other process

    if taken_over:
        here.look_again()  # as after a rebalance
    else:
        await asyncio.sleep(LOOK_AGAIN_S)
    await here.take(kind.topic, [record_of(kind(application_no=key_of(1), n=3))])

    assert await station.effects() == [1]
    assert [letter.status for letter in await station.letters()] == ["dead", "parked"]


async def test_images_of_one_application_do_not_wait_for_each_other(station: Station) -> None:
    kind, _ = station.kinds
    station.park_by = lambda event: f"image-{event.n}"
    station.router = station.make_router()
    station.poison = {1}

    await take(station, *(kind(application_no=key_of(1), n=n) for n in (1, 2)))

    assert await station.effects() == [2]
    assert [(letter.status, letter.parking_key) for letter in await station.letters()] == [("dead", "image-1")]


async def test_the_dead_topic_is_told_whole_bodies_or_that_they_are_left_out(station: Station) -> None:
    kind, _ = station.kinds
    station.poison = {1, 2}
    await take(station, kind(application_no=key_of(1), n=1), kind(application_no=key_of(2), n=2, text="x" * 700_000))

    async with station.sessions() as session:
        rows = await session.execute(
            text("SELECT key, body, headers FROM outbox WHERE topic = :topic ORDER BY id"),
            {"topic": f"{station.group}.dead.v1"},
        )
        small, large = rows.all()
        kept = await session.scalar(
            text("SELECT length(body) FROM dead_letters WHERE consumer_group = :group AND parking_key = :key"),
            {"group": station.group, "key": key_of(2)},
        )

    assert (small.key, small.headers["dead_body"], small.headers["dead_status"]) == (key_of(1), "whole", "dead")
    assert small.headers["ce_type"] == kind.topic
    assert (bytes(large.body), large.headers["dead_body"]) == (b"", "left out")
    assert kept > 700_000


async def test_a_record_buried_twice_is_told_once(station: Station) -> None:
    kind, _ = station.kinds
    record = record_of(kind(application_no=key_of(1), n=1))
    record.value = b"{"

    for _ in range(3):
        await station.router.delivery.take(kind.topic, [record])

    async with station.sessions() as session:
        told = await session.scalar(
            text("SELECT count(*) FROM outbox WHERE topic = :topic"), {"topic": f"{station.group}.dead.v1"}
        )
    assert told == 1
    assert len(await station.letters()) == 1
