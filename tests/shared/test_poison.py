"""Records that would stop a group for good if their fault were taken for the database's, or for nobody's."""

from pathlib import Path

import pytest

from shared.security.sealing import DEAD_LETTERS_KEY, KeyRing
from tests.harness import record_of
from tests.shared.conftest import Station, key_of


@pytest.mark.timeout(20)
async def test_a_number_that_no_column_holds_is_the_records_fault_and_not_the_databases(station: Station) -> None:
    kind, _ = station.kinds
    events = [kind(application_no=key_of(1), n=2**40), kind(application_no=key_of(2), n=2)]

    await station.router.delivery.take(kind.topic, [record_of(event) for event in events])

    assert await station.effects() == [2]
    assert [(letter.status, letter.parking_key) for letter in await station.letters()] == [("dead", key_of(1))]


async def test_a_letter_that_cannot_be_unsealed_does_not_hold_up_the_replay_of_others(
    station: Station, master_keys: str, tmp_path: Path
) -> None:
    kind, _ = station.kinds
    own_ring = KeyRing(master_keys, tmp_path / "data-keys.json")
    station.router.delivery.connect(station.sessions, own_ring)
    unreadable = record_of(kind(application_no=key_of(1), n=1))
    unreadable.value = b"{"
    station.poison = {2}
    await station.router.delivery.take(kind.topic, [unreadable, record_of(kind(application_no=key_of(2), n=2))])
    station.poison = set()
    own_ring.destroy(DEAD_LETTERS_KEY)

    await station.request_replay()
    await station.router.delivery.replay_requested()

    assert await station.effects() == [2]
    [letter] = await station.letters()
    assert (letter.parking_key, letter.replay_requested_at) == (key_of(1), None)
