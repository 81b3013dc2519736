"""Validation as a reader: it hears of papers that a pack wants read, and tells staff, sealed, what they say."""

from functools import cache

import pytest

from deploy.specimens import draw, invented_person
from services.validation.readers import Readers
from services.validation.use_cases.readings import Found
from shared.contracts.validation import MaterialRead, Reading
from shared.security.sealing import KeyRing
from shared.storage import StoreAway
from tests.builders.papers import a_paper
from tests.validation.conftest import Validation, a_removal, an_upload

WANTED = ("id_number", "name")


@cache
def a_card() -> bytes:
    return draw("identity_front", person=invented_person(3), seed=3)


async def test_what_a_card_says_is_told_to_staff_sealed_with_its_places(
    validation: Validation, key_ring: KeyRing
) -> None:
    person = invented_person(3)
    upload = await validation.is_given(a_card(), "identity", year=2021, reads=WANTED)

    await validation.hears(upload)

    [told] = await validation.tells(MaterialRead)
    assert (told.about, told.read_no, told.wanted, told.mirrored) == ("reading", 1, WANTED, False)
    assert told.sealed is not None
    texts = {text.field: text for text in key_ring.open_as(told.sealed, Reading).texts}
    assert texts["id_number"].value == person.id_number
    assert texts["id_number"].check_digit is True
    assert texts["name"].value == person.name
    assert all(0 <= text.box.left < text.box.right <= 1 for text in texts.values())
    assert person.id_number not in told.model_dump_json()
    assert person.name not in told.model_dump_json()


async def test_a_paper_that_says_nothing_of_it_is_told_to_be_unreadable(validation: Validation) -> None:
    upload = await validation.is_given(a_paper(), "identity", year=2021, reads=WANTED)

    await validation.hears(upload)

    [told] = await validation.tells(MaterialRead)
    assert (told.sealed, told.wanted) == (None, WANTED)


async def test_what_no_pack_wants_read_is_not_read(validation: Validation) -> None:
    await validation.hears(await validation.is_given(a_card(), "identity", year=2021))

    assert await validation.tells(MaterialRead) == []


async def test_an_image_heard_three_times_is_told_once(validation: Validation) -> None:
    upload = await validation.is_given(a_paper(), "identity", year=2021, reads=WANTED)

    for _ in range(3):
        await validation.hears(upload)

    assert [each.read_no for each in await validation.tells(MaterialRead)] == [1]


async def test_a_further_reading_has_a_higher_number(validation: Validation) -> None:
    upload = await validation.is_given(a_paper(), "identity", year=2021, reads=WANTED)
    await validation.hears(upload)

    await validation.hears(upload.model_copy(update={"event_id": upload.image_id}))

    assert [each.read_no for each in await validation.tells(MaterialRead)] == [1, 2]


async def test_a_removed_a_gone_and_a_changed_image_are_not_told_of(validation: Validation) -> None:
    removed = await validation.is_given(a_card(), "identity", year=2021, reads=WANTED)
    await validation.hears(a_removal(removed))
    gone = await validation.is_given(a_card(), "identity", year=2021, reads=WANTED)
    await validation.storage.delete(gone.object_key)
    changed = await validation.is_given(a_card(), "identity", year=2021, reads=WANTED, sha256="0" * 64)

    await validation.hears(removed, gone, changed)

    assert await validation.tells(MaterialRead) == []


async def test_a_store_that_is_away_is_waited_for() -> None:
    class Away:
        async def get(self, _key: str) -> bytes:
            raise StoreAway("503")

    with pytest.raises(StoreAway):
        await Readers(Away(), workers=None).read_all([an_upload(a_card(), reads=WANTED)])


async def test_what_is_kept_of_a_reading_is_not_what_it_says(validation: Validation) -> None:
    await validation.hears(await validation.is_given(a_card(), "identity", year=2021, reads=WANTED))

    rows = await validation.told_to_staff()

    assert [(row["about"], row["fields"]) for row in rows] == [("reading", ["id_number", "name"])]


def test_a_reading_without_a_text_is_still_one() -> None:
    assert Found(Reading(), None).reading.texts == ()
