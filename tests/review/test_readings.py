"""What was read from images, beside the registration; and the same bytes under another candidate: advice for staff."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contracts.validation import Finding
from shared.security.sealing import KeyRing, data_key_id
from tests.builders.review import (
    PERSON,
    a_check,
    a_pack,
    a_reading,
    a_registration,
    a_submission,
    an_image,
    read,
    seen_under,
    some_copies,
)
from tests.harness import record_of
from tests.review.conftest import Desk, ReviewUnderTest, Time

OTHER = "15012021000009"


async def at_the_desk(review: ReviewUnderTest, login: str = "site") -> Desk:
    desk = await review.desk(login)
    assert (await desk.claim()).status_code == 200
    return desk


async def item_of(desk: Desk, code: str = "identity") -> dict[str, Any]:
    sections = (await desk.sees())["sections"]
    [found] = [item for section in sections for item in section["items"] if item["item"] == code]
    item: dict[str, Any] = found
    return item


def outcomes(item: dict[str, Any]) -> dict[str, str]:
    return {each["field"]: each["outcome"] for each in item["compared"]}


async def test_what_was_read_is_shown_beside_the_registration(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    number = PERSON.id_number[:-1] + "5"
    texts = (read("name", PERSON.name), read("id_number", number, check_digit=False, confidence=0.71))
    await review.has(a_submission(images=(card,)), a_reading(review.key_ring, card, *texts))
    site = await at_the_desk(review)

    item = await item_of(site)

    assert outcomes(item) == {"id_number": "mismatch", "name": "match"}
    assert item["images"][0]["reading"] == {
        "mirrored": False,
        "missing": [],
        "texts": [
            {
                "field": "name",
                "outcome": "match",
                "value": "王小明",
                "confidence": 0.98,
                "check_digit": None,
                "box": {"left": 0.1, "top": 0.2, "right": 0.6, "bottom": 0.3},
            },
            {
                "field": "id_number",
                "outcome": "mismatch",
                "value": "999***********1235",
                "confidence": 0.71,
                "check_digit": False,
                "box": {"left": 0.1, "top": 0.2, "right": 0.6, "bottom": 0.3},
            },
        ],
    }


async def test_a_reading_counts_whether_it_comes_before_the_submission_or_after_it(review: ReviewUnderTest) -> None:
    before, after = an_image("identity"), an_image("identity")
    await review.hears(a_reading(review.key_ring, before, read("name", PERSON.name)))
    await review.has(a_submission(images=(before, after)))

    await review.hears(a_reading(review.key_ring, after, read("id_number", PERSON.id_number)))

    assert outcomes(await item_of(await at_the_desk(review))) == {"id_number": "match", "name": "match"}


async def test_a_later_reading_replaces_an_earlier_one_and_never_the_other_way(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    second = a_reading(review.key_ring, card, read("name", PERSON.name), wanted=("name",), read_no=2)
    first = a_reading(review.key_ring, card, read("name", "王小朋"), wanted=("name",), read_no=1)
    await review.has(a_submission(images=(card,)), second)

    await review.hears(first)
    kept = outcomes(await item_of(await at_the_desk(review)))
    await review.hears(a_reading(review.key_ring, card, read("name", "李四"), wanted=("name",), read_no=3))

    assert kept == {"name": "match"}
    assert outcomes(await item_of(await at_the_desk(review))) == {"name": "mismatch"}


async def test_the_newest_reading_of_a_batch_counts_and_copies_do_not_replace_it(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    await review.has(a_submission(images=(card,)))

    await review.hears(
        a_reading(review.key_ring, card, read("name", PERSON.name), wanted=("name",), read_no=2),
        a_reading(review.key_ring, card, read("name", "李四"), wanted=("name",), read_no=1),
        some_copies(card, seen_under(OTHER), read_no=7),
    )

    item = await item_of(await at_the_desk(review))
    assert outcomes(item) == {"name": "match"}
    assert len(item["images"][0]["copies"]) == 1


async def test_a_reading_heard_twice_changes_nothing(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    await review.has(a_submission(images=(card,)))
    for event in (a_reading(review.key_ring, card, read("name", PERSON.name)), some_copies(card, seen_under(OTHER))):
        record = record_of(event)
        for _ in range(3):
            await review.hears_records(event.topic, [record, record])

    rows = await review.rows("SELECT about, read_no FROM readings ORDER BY about")

    assert rows == [{"about": "copies", "read_no": 1}, {"about": "reading", "read_no": 1}]
    assert await review.dead_letters() == 0


async def test_nothing_that_was_read_is_opened_without_one_s_own_claim(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    await review.has(a_submission(images=(card,)), a_reading(review.key_ring, card, read("name", PERSON.name)))
    await at_the_desk(review, "site2")

    item = await item_of(await review.desk("site"))

    assert (item["compared"], item["images"][0]["reading"]) == ([], None)


async def test_what_was_read_is_at_rest_only_sealed(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    texts = (read("name", PERSON.name), read("id_number", PERSON.id_number))
    await review.has(a_submission(images=(card,)), a_reading(review.key_ring, card, *texts))

    stored = str(await review.rows("SELECT * FROM readings"))

    assert "ciphertext" in stored
    assert PERSON.name not in stored
    assert PERSON.id_number not in stored


async def test_once_the_data_key_is_destroyed_nothing_that_was_read_is_shown(
    review: ReviewUnderTest, key_ring: KeyRing
) -> None:
    card = an_image("identity")
    erased = a_reading(key_ring, card, read("name", PERSON.name), year=1987)
    await review.has(a_submission(images=(card,)), erased)
    site = await at_the_desk(review)
    before = outcomes(await item_of(site))

    key_ring.destroy(data_key_id("15", 1987))

    item = await item_of(site)
    assert before["name"] == "match"
    assert (item["compared"], item["images"][0]["reading"]) == ([], None)


async def test_a_damaged_reading_does_not_close_the_page(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    await review.has(a_submission(images=(card,)), a_reading(review.key_ring, card, read("name", PERSON.name)))
    await review.execute("UPDATE readings SET sealed = jsonb_set(sealed, '{nonce}', '\"AAAAAAAAAAAAAAAA\"')")

    item = await item_of(await at_the_desk(review))

    assert (item["compared"], item["images"][0]["reading"]) == ([], None)


async def test_a_field_that_another_image_of_the_item_shows_is_not_unreadable(review: ReviewUnderTest) -> None:
    front, back = an_image("identity"), an_image("identity")
    wanted = ("id_number", "name", "valid_until")
    front_texts = (read("name", PERSON.name), read("id_number", PERSON.id_number))
    await review.has(
        a_submission(images=(front, back)),
        a_reading(review.key_ring, front, *front_texts, wanted=wanted),
        a_reading(review.key_ring, back, read("valid_until", "2999-01-01"), wanted=wanted),
    )

    item = await item_of(await at_the_desk(review))

    assert outcomes(item) == {"id_number": "match", "name": "match", "valid_until": "match"}
    assert [image["reading"]["missing"] for image in item["images"]] == [[], []]


async def test_one_image_that_contradicts_the_registration_is_not_outweighed(review: ReviewUnderTest) -> None:
    front, holding = an_image("identity"), an_image("identity")
    await review.has(
        a_submission(images=(front, holding)),
        a_reading(review.key_ring, front, read("name", PERSON.name), wanted=("name",)),
        a_reading(review.key_ring, holding, read("name", "李小红"), wanted=("name",)),
    )

    assert outcomes(await item_of(await at_the_desk(review))) == {"name": "mismatch"}


async def test_a_field_is_unreadable_once_every_image_of_the_item_was_looked_at(review: ReviewUnderTest) -> None:
    front, back = an_image("identity"), an_image("identity")
    await review.has(
        a_submission(images=(front, back)),
        a_reading(review.key_ring, front, read("name", PERSON.name)),
    )
    site = await at_the_desk(review)
    half = await item_of(site)

    await review.hears(a_reading(review.key_ring, back, mirrored=True))

    whole = await item_of(site)
    readings = {image["image_id"]: image["reading"] for image in whole["images"]}
    assert outcomes(half) == {"name": "match"}
    assert outcomes(whole) == {"id_number": "unreadable", "name": "match"}
    assert readings[str(front.image_id)]["missing"] == ["id_number"]
    assert readings[str(back.image_id)] == {"mirrored": True, "texts": [], "missing": ["id_number"]}


async def test_a_replaced_image_keeps_its_reading_and_says_nothing_about_the_item(review: ReviewUnderTest) -> None:
    old, new = an_image("identity"), an_image("identity")
    await review.has(
        a_submission(images=(old,)),
        a_reading(review.key_ring, old, read("name", "李四")),
        a_submission(round_no=2, images=(new,)),
        a_reading(review.key_ring, new, read("name", PERSON.name), read("id_number", PERSON.id_number)),
    )

    item = await item_of(await at_the_desk(review))

    readings = {image["image_id"]: image["reading"] for image in item["images"]}
    assert outcomes(item) == {"id_number": "match", "name": "match"}
    assert [text["outcome"] for text in readings[str(old.image_id)]["texts"]] == ["mismatch"]
    assert readings[str(old.image_id)]["missing"] == ["id_number"]


@pytest.mark.parametrize(
    ("registered", "value", "outcome"),
    [
        ("王小明", "王 小 明", "match"),
        ("汉伟", "漢偉", "match"),
        ("買買提·阿不都拉", "買買提•阿不都拉", "match"),
        ("阿依古丽·买买提", "阿依古麗・买买提", "match"),
        ("吴一〇", "吴一○", "match"),
        ("吴一〇", "吴一", "mismatch"),
        ("Anna Maria SMITH", "ＡＮＮＡ MARIA Smith", "match"),
        ("王小明", "王小朋", "mismatch"),
        ("鐘明", "钟明", "match"),  # what is read is folded before it is told
    ],
)
async def test_a_name_is_the_same_in_another_spelling_of_the_same_characters(
    review: ReviewUnderTest, registered: str, value: str, outcome: str
) -> None:
    diploma = an_image()
    person = PERSON.model_copy(update={"name": registered})
    await review.has(a_submission(images=(diploma,)), a_registration(review.key_ring, revision=2, person=person))

    await review.hears(a_reading(review.key_ring, diploma, read("name", value), wanted=("name",)))

    assert outcomes(await item_of(await at_the_desk(review), "diploma")) == {"name": outcome}


async def test_an_id_number_is_the_same_in_small_or_full_width_letters(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    person = PERSON.model_copy(update={"id_number": "99999919900101123X"})
    await review.has(a_submission(images=(card,)), a_registration(review.key_ring, revision=2, person=person))

    await review.hears(
        a_reading(review.key_ring, card, read("id_number", "999999 19900101 １２３x"), wanted=("id_number",))
    )

    assert outcomes(await item_of(await at_the_desk(review))) == {"id_number": "match"}


@pytest.mark.parametrize(
    ("value", "outcome"),
    [("long_term", "match"), ("2021-03-02", "match"), ("2021-03-01", "expired"), ("2021-02-30", "unreadable")],
)
async def test_a_paper_is_good_to_the_end_of_its_last_day_in_china(
    review: ReviewUnderTest, time: Time, value: str, outcome: str
) -> None:
    # 17:00 in Greenwich is 01:00 of the second of March in Beijing.
    time.shift = datetime(2021, 3, 1, 17, 0, tzinfo=UTC) - time.now()
    card = an_image("identity")

    await review.has(
        a_submission(images=(card,)),
        a_reading(review.key_ring, card, read("valid_until", value), wanted=("valid_until",)),
    )

    assert outcomes(await item_of(await at_the_desk(review))) == {"valid_until": outcome}


async def test_what_the_registration_does_not_have_is_shown_and_not_compared(review: ReviewUnderTest) -> None:
    diploma = an_image()
    text = read("certificate_number", "1234 5678")
    await review.has(
        a_submission(images=(diploma,)), a_reading(review.key_ring, diploma, text, wanted=("certificate_number",))
    )

    item = await item_of(await at_the_desk(review), "diploma")

    assert outcomes(item) == {"certificate_number": "not_compared"}
    assert item["images"][0]["reading"]["texts"][0]["value"] == "1234 5678"


async def test_before_the_registration_arrives_nothing_is_compared_with_it(review: ReviewUnderTest) -> None:
    card = an_image("identity")
    await review.hears(a_pack(), a_submission(images=(card,)))

    await review.hears(a_reading(review.key_ring, card, read("name", "李四"), wanted=("name",)))

    assert outcomes(await item_of(await at_the_desk(review))) == {"name": "not_compared"}


async def test_another_candidate_is_named_only_to_those_whose_scope_he_is_in(review: ReviewUnderTest) -> None:
    image = an_image()
    copies = (
        seen_under(OTHER, item="identity"),
        seen_under("43012021000001", region="43"),
        seen_under("15012021000099"),
    )
    await review.has(a_submission(OTHER, site="1502"), application_no=OTHER)
    await review.has(a_submission(images=(image,)), some_copies(image, *copies))

    seen = {
        login: [
            (copy["application_no"], copy["region"], copy["item"])
            for copy in (await item_of(await review.desk(login), "diploma"))["images"][0]["copies"]
        ]
        for login in ("site", "region")
    }

    assert seen == {
        "site": [(None, "15", "identity"), (None, "43", "diploma"), (None, "15", "diploma")],
        "region": [(OTHER, "15", "identity"), (None, "43", "diploma"), ("15012021000099", "15", "diploma")],
    }


async def test_a_site_s_own_candidate_is_named_to_it_and_copies_that_are_gone_are_gone(review: ReviewUnderTest) -> None:
    image = an_image()
    await review.has(application_no=OTHER)
    await review.has(a_submission(images=(image,)), some_copies(image, seen_under(OTHER)))
    site = await review.desk("site")
    before = (await item_of(site, "diploma"))["images"][0]["copies"]

    await review.hears(some_copies(image, read_no=2))

    assert [copy["application_no"] for copy in before] == [OTHER]
    assert (await item_of(site, "diploma"))["images"][0]["copies"] == []


async def test_a_finding_names_the_item_of_the_other_image(review: ReviewUnderTest) -> None:
    image = an_image()
    duplicate = Finding(code="near_duplicate", severity="review", measured=0.01, limit=0.03, other_item="identity")
    check = a_check(image, "review").model_copy(update={"findings": (duplicate,)})

    await review.has(a_submission(images=(image,)), check)

    [finding] = (await item_of(await review.desk("site"), "diploma"))["images"][0]["findings"]
    assert (finding["code"], finding["other_item"]) == ("near_duplicate", "identity")
    assert "几乎相同" in finding["words"]["zh"]
