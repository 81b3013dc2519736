"""The region's acts: decide, return, send back."""

import pytest

from shared.contracts.review import ReviewDecided, ReviewFeedback, ReviewPublished
from tests.builders.review import NO, a_submission
from tests.review.conftest import ReviewUnderTest

SECOND = "15012021000002"


async def test_the_whole_way_through_both_tiers_tells_each_step_once(review: ReviewUnderTest) -> None:
    await review.decided()
    region = await review.desk("region")

    published = await review.publish()

    assert published.status_code == 201
    assert published.json()["published"] == 1
    told = await review.tells(ReviewDecided)
    assert [(event.tier, event.outcome) for event in told] == [("site", "passed_site"), ("region", "approved")]
    [opinion] = await review.tells(ReviewPublished)
    assert (opinion.application_no, opinion.opinion, opinion.revision) == (NO, "approved", 1)
    assert str(opinion.publication_id) == published.json()["publication_id"]
    shown = await region.sees()
    assert (shown["state"], shown["opinion"]) == ("decided", "approved")
    assert [line["act"] for line in reversed(shown["history"])] == [
        "submitted", "claimed", "passed", "claimed", "decided", "published",
    ]  # fmt: skip
    assert await region.queue("decided") == [NO]


async def test_site_staff_calling_the_region_s_acts_is_403(review: ReviewUnderTest) -> None:
    await review.passed()
    site = await review.desk("site")

    answers = [
        await site.post(f"/reviews/{NO}/decisions", {"outcome": "approved", "words": ""}),
        await site.post(f"/reviews/{NO}/send-backs", {"words": "再看看"}),
        await site.post("/publications", {"region": "15", "year": 2021}),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "region-act")}


async def test_the_region_s_staff_passing_on_to_themselves_is_403(review: ReviewUnderTest) -> None:
    await review.has()
    region = await review.desk("region")

    answer = await region.post(f"/reviews/{NO}/passes")

    assert (answer.status_code, answer.json()["code"]) == (403, "site-act")


async def test_site_staff_can_not_claim_what_is_with_the_region(review: ReviewUnderTest) -> None:
    await review.passed()

    answer = await (await review.desk("site")).claim()

    assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (
        409,
        "not-in-your-queue",
        "at_region",
    )


async def test_a_decision_on_an_unclaimed_application_is_409(review: ReviewUnderTest) -> None:
    await review.passed()
    region = await review.desk("region")

    answer = await region.post(f"/reviews/{NO}/decisions", {"outcome": "approved", "words": ""})

    assert (answer.status_code, answer.json()["code"]) == (409, "not-claimed")
    assert [event.outcome for event in await review.tells(ReviewDecided)] == ["passed_site"]


async def test_a_decision_under_a_colleague_s_claim_is_409(review: ReviewUnderTest) -> None:
    await review.passed()
    await (await review.desk("admin")).claim()

    answer = await (await review.desk("region")).post(f"/reviews/{NO}/decisions", {"outcome": "approved", "words": ""})

    assert (answer.status_code, answer.json()["code"]) == (409, "not-claimed")


@pytest.mark.parametrize("outcome", ["rejected", "disqualified"])
async def test_a_rejection_needs_words_and_they_travel_with_the_publication(
    review: ReviewUnderTest, outcome: str
) -> None:
    await review.passed()
    region = await review.desk("region")
    await region.claim()

    without = await region.post(f"/reviews/{NO}/decisions", {"outcome": outcome, "words": " "})
    with_them = await region.post(f"/reviews/{NO}/decisions", {"outcome": outcome, "words": "学历不符合要求"})
    await review.publish()

    assert (without.status_code, without.json()["code"]) == (422, "words-missing")
    assert with_them.status_code == 201
    [told] = await review.tells(ReviewPublished)
    assert (told.opinion, told.words) == (outcome, "学历不符合要求")


@pytest.mark.parametrize("outcome", ["approved", "rejected", "disqualified"])
async def test_words_of_a_decision_with_a_place_still_open_are_refused(review: ReviewUnderTest, outcome: str) -> None:
    await review.passed()
    region = await review.desk("region")
    await region.claim()
    body = {"outcome": outcome, "words": "毕业证书第 {page} 页的{what}不符，见第 {page} 页。"}

    refused = await region.post(f"/reviews/{NO}/decisions", body)
    filled = await region.post(f"/reviews/{NO}/decisions", body | {"words": "毕业证书第 2 页的姓名不符。"})

    assert (refused.status_code, refused.json()["code"]) == (422, "words-unfinished")
    assert refused.json()["places"] == ["{page}", "{what}"]
    assert "{page}、{what}" in refused.json()["detail"]
    assert "Type over each" in refused.json()["detail_en"]
    assert (filled.status_code, filled.json()["state"]) == (201, "decided")


async def test_words_of_a_recommendation_with_a_place_still_open_are_refused(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    recommends = {"opinion": "rejected", "words": "第 {page} 页不符。"}

    refused = await site.post(f"/reviews/{NO}/passes", {"recommends": recommends})
    filled = await site.post(f"/reviews/{NO}/passes", {"recommends": recommends | {"words": "第 2 页不符。"}})

    assert (refused.status_code, refused.json()["code"]) == (422, "words-unfinished")
    assert (refused.json()["places"], filled.status_code) == (["{page}"], 201)


@pytest.mark.parametrize(
    "body",
    [{}, {"outcome": "passed_site"}, {"outcome": "approved", "region": "15"}, {"outcome": "approved", "revision": 0}],
)
async def test_a_decision_that_is_none_is_422(review: ReviewUnderTest, body: dict[str, object]) -> None:
    await review.passed()
    region = await review.desk("region")
    await region.claim()

    answer = await region.post(f"/reviews/{NO}/decisions", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_a_decided_application_takes_no_further_act(review: ReviewUnderTest) -> None:
    await review.decided()
    region = await review.desk("region")

    answers = [
        await region.claim(),
        await region.post(f"/reviews/{NO}/decisions", {"outcome": "rejected", "words": "不"}),
        await region.post(f"/reviews/{NO}/returns"),
    ]

    assert {(answer.status_code, answer.json()["state"]) for answer in answers} == {(409, "decided")}


async def test_what_the_region_returns_comes_back_to_the_region(review: ReviewUnderTest) -> None:
    await review.passed()
    site, region = await review.desk("site"), await review.desk("region")
    await region.claim()
    await region.mark_returned()
    await region.post(f"/reviews/{NO}/returns")
    [told] = await review.tells(ReviewFeedback)

    await review.hears(a_submission(round_no=2, changed=("diploma",)))

    assert told.tier == "region"
    assert (await site.queue(), await region.queue()) == ([], [NO])


async def test_what_the_region_sends_back_waits_at_the_site_again(review: ReviewUnderTest) -> None:
    await review.passed()
    site, region = await review.desk("site"), await review.desk("region")
    await region.claim()

    empty = await region.post(f"/reviews/{NO}/send-backs", {"words": ""})
    answer = await region.post(f"/reviews/{NO}/send-backs", {"words": "请再核对毕业证书"})

    assert (empty.status_code, answer.status_code) == (422, 201)
    assert answer.json()["state"] == "at_site"
    assert (await site.queue(), await region.queue()) == ([NO], [])
    assert (await review.tells(ReviewDecided))[-1].outcome == "sent_back"
    assert (await site.sees())["history"][0]["detail"] == {"words": "请再核对毕业证书"}


async def test_before_it_is_published_the_site_does_not_see_the_opinion(review: ReviewUnderTest) -> None:
    await review.decided(outcome="disqualified", words="弄虚作假")
    site = await review.desk("site")

    before = (await site.get(f"/reviews/{NO}")).text
    await review.publish()
    after = await site.sees()

    assert "disqualified" not in before
    assert "弄虚作假" not in before
    assert after["opinion"] == "disqualified"
