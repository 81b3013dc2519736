"""False material (违纪违规): on record under a claim, for both tiers to see, once and for good."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.builders.review import NO, a_submission, an_image
from tests.review.conftest import Desk, ReviewUnderTest

PATH = f"/reviews/{NO}/false-material"
WORDS = "毕业证书与发证机构的答复不符。"


async def claimed(review: ReviewUnderTest, *events: Any) -> Desk:
    await review.has(*events)
    site = await review.desk("site")
    await site.claim()
    return site


async def test_both_tiers_see_the_record_with_who_made_it(review: ReviewUnderTest) -> None:
    diploma = an_image("diploma")
    site = await claimed(review, a_submission(images=(an_image("identity"), diploma)))
    body = {"item": "diploma", "image_ids": [str(diploma.image_id)], "words": WORDS}

    answer = await site.post(PATH, body)

    assert answer.status_code == 201
    [record] = (await (await review.desk("region")).sees())["false_materials"]
    assert record | {"at": None} == body | {
        "record_id": answer.json()["record_id"],
        "tier": "site",
        "by": "审核员 site",
        "at": None,
    }
    shown = await site.sees()
    assert len(shown["false_materials"]) == 1
    assert (shown["state"], shown["claimed_by_me"]) == ("at_site", True)
    assert shown["history"][0]["act"] == "false_material"
    assert shown["history"][0]["detail"]["words"] == WORDS


async def test_it_may_speak_of_the_whole_application_or_of_an_image_that_was_replaced(review: ReviewUnderTest) -> None:
    old = an_image("diploma")
    await review.has(a_submission(images=(old,)))
    site = await claimed(review, a_submission(round_no=2, images=(an_image("diploma"),)))

    answers = [
        await site.post(PATH, {"words": "本人承认材料系伪造。"}),
        await site.post(PATH, {"image_ids": [str(old.image_id)], "words": WORDS}),
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [record["item"] for record in (await site.sees())["false_materials"]] == [None, None]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid-request"),
        ({"words": "  "}, 422, "invalid-request"),
        ({"words": WORDS, "record_id": "x"}, 422, "invalid-request"),
        ({"words": WORDS, "item": "NO"}, 422, "invalid-request"),
        ({"words": WORDS, "item": "no_such_item"}, 404, "item-not-in-pack"),
        ({"words": WORDS, "image_ids": [str(uuid4())]}, 422, "image-not-in-application"),
    ],
)
async def test_a_record_of_what_is_not_there_is_refused(
    review: ReviewUnderTest, body: dict[str, Any], status: int, code: str
) -> None:
    site = await claimed(review)

    answer = await site.post(PATH, body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await review.rows("SELECT 1 FROM false_materials") == []


async def test_an_image_of_another_item_or_application_is_refused(review: ReviewUnderTest) -> None:
    mine, other = an_image("diploma"), an_image("diploma")
    await review.has(a_submission("15010002", images=(other,)), application_no="15010002")
    site = await claimed(review, a_submission(images=(mine,)))

    answers = [
        await site.post(PATH, {"item": "identity", "image_ids": [str(mine.image_id)], "words": WORDS}),
        await site.post(PATH, {"image_ids": [str(mine.image_id), str(other.image_id)], "words": WORDS}),
    ]

    assert {answer.json()["code"] for answer in answers} == {"image-not-in-application"}


async def test_it_wants_a_claim(review: ReviewUnderTest) -> None:
    await review.has()

    answers = [await (await review.desk(login)).post(PATH, {"words": WORDS}) for login in ("site", "othersite")]

    assert [answer.json()["code"] for answer in answers] == ["not-claimed", "application-not-found"]


async def test_a_request_repeated_under_its_key_makes_one_record(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    key = str(uuid4())

    answers = await asyncio.gather(*(site.post(PATH, {"words": WORDS}, key=key) for _ in range(4)))

    assert len({answer.json()["record_id"] for answer in answers}) == 1
    assert len(await review.rows("SELECT 1 FROM false_materials")) == 1


async def test_the_site_s_recommendation_goes_with_it_to_the_region_and_is_dropped_by_a_send_back(
    review: ReviewUnderTest,
) -> None:
    site = await claimed(review)
    region = await review.desk("region")
    await site.post(PATH, {"words": WORDS})
    recommends = {"opinion": "disqualified", "words": "提供虚假材料。"}

    empty = await site.post(f"/reviews/{NO}/passes", {"recommends": recommends | {"words": ""}})
    approves = await site.post(f"/reviews/{NO}/passes", {"recommends": recommends | {"opinion": "approved"}})
    passed = await site.post(f"/reviews/{NO}/passes", {"recommends": recommends})
    shown = await region.sees()
    await region.claim()
    await region.post(f"/reviews/{NO}/send-backs", {"words": "请补充证据"})

    assert [answer.status_code for answer in (empty, approves, passed)] == [422, 422, 201]
    assert shown["recommended"] == recommends | {"by": "审核员 site", "mine": False}
    after = await site.sees()
    assert (after["recommended"], len(after["false_materials"])) == (None, 1)


async def test_a_recommendation_is_of_its_round(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    recommends = {"opinion": "rejected", "words": "学历不符。"}
    await site.post(f"/reviews/{NO}/passes", {"recommends": recommends})

    await review.hears(a_submission(round_no=2, revision=3))

    assert (await (await review.desk("region")).sees())["recommended"] is None


async def test_what_the_region_recorded_is_not_shown_to_the_site(review: ReviewUnderTest) -> None:
    await review.passed()
    region = await review.desk("region")
    await region.claim()
    await region.post(f"/reviews/{NO}/false-material", {"words": "证书编号查无此号"})

    seen = await (await review.desk("site")).sees()

    assert seen["false_materials"] == []
    assert "证书编号查无此号" not in str(seen)
