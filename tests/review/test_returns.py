"""Marks item by item, and the return of the whole application as one event."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.review import ReviewDecided, ReviewFeedback
from tests.builders.review import NO, a_submission, an_image
from tests.review.conftest import ReviewUnderTest

SOME_IDS = [str(uuid4()) for _ in range(61)]


async def claimed(review: ReviewUnderTest, *events: Any):
    await review.has(*events)
    site = await review.desk("site")
    await site.claim()
    return site


async def test_what_was_not_handed_in_can_be_asked_for_but_not_accepted(review: ReviewUnderTest) -> None:
    site = await claimed(review, a_submission(images=(an_image("identity"),)))

    accepted = await site.put(f"/reviews/{NO}/items/other/mark", {"mark": "accept"})
    asked_for = await site.mark_returned("other", reason_code="missing", words="请补充工作证明")

    assert (accepted.status_code, accepted.json()["code"]) == (422, "item-not-handed-in")
    assert asked_for.status_code == 200


async def test_a_return_tells_exactly_one_event_with_the_marked_items(review: ReviewUnderTest) -> None:
    diploma = an_image("diploma")
    site = await claimed(review, a_submission(images=(an_image("identity"), diploma)))
    await site.put(f"/reviews/{NO}/items/identity/mark", {"mark": "accept"})
    await site.mark_returned("other", reason_code="missing", words="请补充工作证明")
    await site.mark_returned("diploma", words="看不清，请重拍", image_ids=[str(diploma.image_id)])

    answer = await site.post(f"/reviews/{NO}/returns")

    assert answer.status_code == 201
    [told] = await review.tells(ReviewFeedback)
    assert (told.application_no, told.round, told.revision, told.tier) == (NO, 1, 1, "site")
    assert [(item.item, item.reason_code, item.words, item.image_ids) for item in told.items] == [
        ("diploma", "unreadable", "看不清，请重拍", (diploma.image_id,)),
        ("other", "missing", "请补充工作证明", ()),
    ]
    assert answer.json()["feedback_id"] == str(told.feedback_id)
    assert [item["item"] for item in answer.json()["items"]] == ["diploma", "other"]
    shown = await site.sees()
    assert (shown["state"], shown["claimed"]) == ("returned", False)
    assert shown["history"][0]["act"] == "returned"
    assert shown["history"][0]["by"] == "审核员 site"
    assert [item["item"] for item in shown["history"][0]["detail"]["items"]] == ["diploma", "other"]


async def test_a_return_tells_whether_the_same_images_may_come_again(review: ReviewUnderTest) -> None:
    identity, diploma = an_image("identity"), an_image("diploma")
    site = await claimed(review, a_submission(images=(identity, diploma)))
    marked = await site.mark_returned("identity", image_ids=[str(identity.image_id)], same_images_allowed=True)
    await site.mark_returned("diploma", image_ids=[str(diploma.image_id)])

    answer = await site.post(f"/reviews/{NO}/returns")

    [told] = await review.tells(ReviewFeedback)
    history = (await site.sees())["history"][0]["detail"]["items"]
    assert marked.json()["same_images_allowed"] is True
    assert {item.item: item.same_images_allowed for item in told.items} == {"identity": True, "diploma": False}
    assert [item["same_images_allowed"] for item in answer.json()["items"]] == [True, False]
    assert [item.get("same_images_allowed") for item in history] == [True, None]


async def test_leave_to_repeat_images_goes_with_the_mark_that_gave_it(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    await site.mark_returned(same_images_allowed=True)
    items = [item for section in (await site.sees())["sections"] for item in section["items"]]

    await site.mark_returned()
    await site.post(f"/reviews/{NO}/returns")

    [told] = await review.tells(ReviewFeedback)
    assert [item["mark"]["same_images_allowed"] for item in items if item["mark"]] == [True]
    assert [item.same_images_allowed for item in told.items] == [False]


async def test_a_return_sent_five_times_at_once_tells_one_event(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    await site.mark_returned()
    key = str(uuid4())

    answers = await asyncio.gather(*(site.post(f"/reviews/{NO}/returns", key=key) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert len(await review.tells(ReviewFeedback)) == 1


async def test_after_resubmission_only_what_changed_is_to_be_looked_at_again(review: ReviewUnderTest) -> None:
    identity, old, new = an_image("identity"), an_image("diploma"), an_image("diploma")
    site = await claimed(review, a_submission(images=(identity, old)))
    await site.put(f"/reviews/{NO}/items/identity/mark", {"mark": "accept"})
    await site.mark_returned("diploma")
    await site.post(f"/reviews/{NO}/returns")

    await review.hears(a_submission(round_no=2, images=(identity, new), changed=("diploma",)))

    row = (await site.get("/reviews")).json()["items"][0]
    items = {item["item"]: item for section in (await site.sees())["sections"] for item in section["items"]}
    assert row["resubmitted"] is True
    assert (items["identity"]["changed"], items["identity"]["mark"]["mark"]) == (False, "accept")
    assert (items["diploma"]["changed"], items["diploma"]["mark"]) == (True, None)
    assert [image["current"] for image in items["diploma"]["images"]] == [
        image.image_id == new.image_id for image in sorted((old, new), key=lambda each: each.image_id.bytes)
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"mark": "return", "words": "看不清"}, "reason-missing"),
        ({"mark": "return", "reason_code": "unreadable"}, "words-missing"),
        ({"mark": "return", "reason_code": "unreadable", "words": "   "}, "words-missing"),
        ({"mark": "return", "reason_code": "ugly", "words": "看不清"}, "reason-unknown"),
        ({"mark": "return", "reason_code": "NOT A CODE", "words": "看不清"}, "invalid-request"),
        ({"mark": "return", "reason_code": "unreadable", "words": "长" * 1001}, "invalid-request"),
        ({"mark": "return", "reason_code": "unreadable", "words": "a\x00b"}, "invalid-request"),
        ({"mark": "return", "reason_code": "unreadable", "words": "x", "image_ids": SOME_IDS[:1]}, "image-not-in-item"),
        ({"mark": "return", "reason_code": "unreadable", "words": "x", "image_ids": SOME_IDS}, "invalid-request"),
        ({"mark": "accept", "words": "很好"}, "accept-takes-no-reason"),
        ({"mark": "accept", "same_images_allowed": True}, "accept-takes-no-reason"),
        ({"mark": "return", "same_images_allowed": "perhaps"}, "invalid-request"),
        ({"mark": "perhaps"}, "invalid-request"),
        ({"mark": "accept", "state": "decided"}, "invalid-request"),
        ({}, "invalid-request"),
    ],
)  # fmt: skip
async def test_a_mark_that_could_not_be_told_is_422(review: ReviewUnderTest, body: dict[str, Any], code: str) -> None:
    site = await claimed(review)

    answer = await site.put(f"/reviews/{NO}/items/diploma/mark", body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await review.rows("SELECT 1 FROM marks") == []


async def test_an_image_of_a_round_before_can_not_be_the_one_at_fault(review: ReviewUnderTest) -> None:
    old = an_image("diploma")
    await review.has(a_submission(images=(old,)))
    site = await claimed(review, a_submission(round_no=2))

    answer = await site.mark_returned(image_ids=[str(old.image_id)])

    assert answer.json()["code"] == "image-not-in-item"


async def test_an_item_that_is_not_in_the_pack_is_404(review: ReviewUnderTest) -> None:
    site = await claimed(review)

    marked = await site.mark_returned("no_such_item")
    cleared = await site.delete(f"/reviews/{NO}/items/no_such_item/mark?revision=1")

    assert {marked.status_code, cleared.status_code} == {404}
    assert {marked.json()["code"], cleared.json()["code"]} == {"item-not-in-pack"}


async def test_an_item_that_is_brought_to_the_counter_can_not_be_returned_for_upload(review: ReviewUnderTest) -> None:
    site = await claimed(review)

    answer = await site.mark_returned("photo_prints")

    assert (answer.status_code, answer.json()["code"]) == (422, "item-brought-on-site")


async def test_marks_without_a_claim_are_409(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")

    answers = [await site.mark_returned(), await site.delete(f"/reviews/{NO}/items/diploma/mark?revision=1")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "not-claimed")}


async def test_a_mark_replaces_the_one_before_and_can_be_cleared(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    await site.mark_returned()

    replaced = await site.put(f"/reviews/{NO}/items/diploma/mark", {"mark": "accept", "words": "", "image_ids": []})
    cleared = [await site.delete(f"/reviews/{NO}/items/diploma/mark?revision=1") for _ in range(2)]

    assert replaced.json() == {
        "mark": "accept",
        "reason_code": None,
        "words": None,
        "image_ids": [],
        "same_images_allowed": False,
    }
    assert [answer.status_code for answer in cleared] == [204, 204]
    nothing = await site.post(f"/reviews/{NO}/returns")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing-marked")
    acts = [line["act"] for line in (await site.sees())["history"]]
    assert acts == ["unmarked", "marked", "marked", "claimed", "submitted"]


async def test_clearing_a_mark_says_at_which_revision_it_was_seen(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    await site.mark_returned()
    path = f"/reviews/{NO}/items/diploma/mark"

    answers = [await site.delete(path + query) for query in ("", "?revision=", "?revision=0", "?revision=one")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "invalid-request")}
    assert await review.rows("SELECT item FROM marks") == [{"item": "diploma"}]


async def test_a_script_in_words_is_kept_as_the_text_that_it_is(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    script = "<script>alert('1')</script>\n第二行"

    answer = await site.mark_returned(words=script)
    await site.post(f"/reviews/{NO}/returns")

    assert answer.json()["words"] == script
    assert (await review.tells(ReviewFeedback))[0].items[0].words == script


async def test_a_return_on_an_unclaimed_application_is_409(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")

    answer = await site.post(f"/reviews/{NO}/returns")

    assert (answer.status_code, answer.json()["code"]) == (409, "not-claimed")


async def test_an_application_with_an_item_marked_return_is_not_passed_on(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    await site.mark_returned()

    answer = await site.post(f"/reviews/{NO}/passes")

    assert (answer.status_code, answer.json()["code"], answer.json()["items"]) == (
        422,
        "items-marked-return",
        ["diploma"],
    )
    assert await review.tells(ReviewDecided) == []


async def test_two_tiers_at_once_only_the_one_whose_turn_it_is_acts(review: ReviewUnderTest) -> None:
    site = await claimed(review)
    region = await review.desk("region")
    await site.mark_returned()

    returned, decided, claim = await asyncio.gather(
        site.post(f"/reviews/{NO}/returns"),
        region.post(f"/reviews/{NO}/decisions", {"outcome": "approved", "words": ""}),
        region.claim(),
    )

    assert (returned.status_code, decided.status_code, claim.status_code) == (201, 409, 409)
    assert len(await review.tells(ReviewFeedback)) == 1
    assert await review.tells(ReviewDecided) == []
