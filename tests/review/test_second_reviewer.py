"""Where the pack asks for it, a rejection is a proposal until another reviewer of the region agrees."""

import asyncio
from typing import Any

import pytest

from shared.contracts.review import ReviewDecided, ReviewPublished
from shared.contracts.rules import RulesPublished
from tests.builders.review import NO, a_change, a_pack, a_registration, a_submission
from tests.review.conftest import Desk, ReviewUnderTest

# A version of its own: a process keeps every version that it has read.
STRICT = 17
WORDS = "学历不符合要求"
REJECTED = {"outcome": "rejected", "words": WORDS}
DECISIONS, LOOKS = f"/reviews/{NO}/decisions", f"/reviews/{NO}/second-looks"


def strict_rules() -> RulesPublished:
    pack = a_pack(STRICT).pack
    return RulesPublished(pack=pack.model_copy(update={"second_reviewer_on_rejection": True}))


async def at_region(review: ReviewUnderTest) -> tuple[Desk, Desk]:
    """Two reviewers of the region, the first of whom holds the application."""
    await review.hears(strict_rules(), a_registration(review.key_ring))
    await review.hears(a_submission(pack_version=STRICT))
    site, region, admin = [await review.desk(login) for login in ("site", "region", "admin")]
    await site.claim()
    await site.post(f"/reviews/{NO}/passes")
    await review.tells(ReviewDecided)
    await region.claim()
    return region, admin


async def proposed(review: ReviewUnderTest, body: dict[str, str] = REJECTED) -> tuple[Desk, Desk]:
    """The proposer, and a colleague."""
    region, admin = await at_region(review)
    answer = await region.post(DECISIONS, body)
    assert answer.status_code == 201, answer.text
    return region, admin


@pytest.mark.parametrize("outcome", ["rejected", "disqualified"])
async def test_a_rejection_is_a_proposal_that_tells_nothing_and_waits_for_a_second_look(
    review: ReviewUnderTest, outcome: str
) -> None:
    region, admin = await at_region(review)

    answer = await region.post(DECISIONS, {"outcome": outcome, "words": WORDS})

    moved, shown = answer.json(), await admin.sees()
    assert (moved["state"], moved["proposed"]) == ("at_region", True)
    assert await review.tells(ReviewDecided) == []
    assert (await admin.queue("second_look"), await admin.queue("waiting")) == ([NO], [])
    assert (shown["state"], shown["queue"], shown["opinion"], shown["claimed"]) == (
        "at_region", "second_look", None, False,
    )  # fmt: skip
    assert shown["proposed"] == {"opinion": outcome, "words": WORDS, "by": "审核员 region", "mine": False}
    assert (await region.sees())["proposed"]["mine"] is True


async def test_an_approval_needs_no_second_reviewer(review: ReviewUnderTest) -> None:
    region, _ = await at_region(review)

    answer = await region.post(DECISIONS, {"outcome": "approved", "words": ""})

    assert (answer.json()["state"], answer.json()["proposed"]) == ("decided", False)
    assert [event.outcome for event in await review.tells(ReviewDecided)] == ["approved"]


async def test_a_second_reviewer_who_agrees_decides_with_the_words_of_the_first(review: ReviewUnderTest) -> None:
    _, admin = await proposed(review)
    await admin.claim()

    answer = await admin.post(LOOKS, {"agree": True, "words": "同意"})
    await admin.post("/publications", {"region": "15", "year": 2021})

    assert (answer.json()["state"], answer.json()["proposed"]) == ("decided", False)
    assert [event.outcome for event in await review.tells(ReviewDecided)] == ["rejected"]
    [decision] = await review.rows("SELECT opinion, words, decided_by FROM decisions")
    assert decision == {"opinion": "rejected", "words": WORDS, "decided_by": admin.staff_id}
    shown = await admin.sees()
    assert (shown["opinion"], shown["proposed"]) == ("rejected", None)
    lines = {line["act"]: line for line in shown["history"]}
    assert (lines["proposed"]["by"], lines["agreed"]["by"]) == ("审核员 region", "审核员 admin")
    assert lines["agreed"]["detail"] == {"outcome": "rejected", "words": WORDS, "remark": "同意"}


@pytest.mark.parametrize("agree", [True, False])
async def test_words_of_a_second_look_with_a_place_still_open_are_refused(review: ReviewUnderTest, agree: bool) -> None:
    _, admin = await proposed(review)
    await admin.claim()

    refused = await admin.post(LOOKS, {"agree": agree, "words": "见第 {page} 页"})
    filled = await admin.post(LOOKS, {"agree": agree, "words": "见第 2 页"})

    assert (refused.status_code, refused.json()["code"]) == (422, "words-unfinished")
    assert (refused.json()["places"], filled.status_code) == (["{page}"], 201)


async def test_a_proposal_with_a_place_still_open_is_refused(review: ReviewUnderTest) -> None:
    region, _ = await at_region(review)

    refused = await region.post(DECISIONS, REJECTED | {"words": "第 {page} 页不符"})

    assert (refused.status_code, refused.json()["code"]) == (422, "words-unfinished")
    assert (await region.sees())["proposed"] is None


async def test_one_who_does_not_agree_says_why_and_it_waits_anew(review: ReviewUnderTest) -> None:
    region, admin = await proposed(review)
    await admin.claim()

    without = await admin.post(LOOKS, {"agree": False, "words": " "})
    answer = await admin.post(LOOKS, {"agree": False, "words": "学历证明在附件中"})

    assert (without.status_code, without.json()["code"]) == (422, "words-missing")
    assert (answer.json()["state"], answer.json()["proposed"]) == ("at_region", False)
    assert await review.tells(ReviewDecided) == []
    assert (await region.queue("new"), await region.queue("second_look")) == ([NO], [])
    shown = await region.sees()
    assert (shown["proposed"], shown["claimed"]) == (None, False)
    assert (shown["history"][0]["act"], shown["history"][0]["detail"]) == ("disagreed", {"words": "学历证明在附件中"})
    assert (await region.claim()).status_code == 200


async def test_the_proposer_neither_claims_nor_agrees_nor_is_given_it_as_the_next(review: ReviewUnderTest) -> None:
    region, _ = await proposed(review)

    claim = await region.claim()
    following = await region.post("/reviews/claims", {"state": "second_look"})
    # A claim that lasted from before would not help either.
    await review.execute(
        "UPDATE reviews SET claimed_by = :id, claimed_until = now() + interval '1 hour'", id=region.staff_id
    )
    agreed = await region.post(LOOKS, {"agree": True, "words": ""})

    assert {(answer.status_code, answer.json()["code"]) for answer in (claim, agreed)} == {(409, "same-reviewer")}
    assert (following.status_code, following.json()["code"]) == (404, "queue-empty")
    assert await review.tells(ReviewDecided) == []


async def test_a_second_look_wants_a_claim_and_something_proposed(review: ReviewUnderTest) -> None:
    region, admin = await at_region(review)

    nothing = await region.post(LOOKS, {"agree": True, "words": ""})
    await region.post(DECISIONS, REJECTED)
    unclaimed = await admin.post(LOOKS, {"agree": True, "words": ""})
    site = await (await review.desk("site")).post(LOOKS, {"agree": True, "words": ""})

    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing-proposed")
    assert (unclaimed.status_code, unclaimed.json()["code"]) == (409, "not-claimed")
    assert (site.status_code, site.json()["code"]) == (403, "region-act")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("decisions", {"outcome": "approved", "words": ""}),
        ("decisions", REJECTED),
        ("send-backs", {"words": "请再核对"}),
        ("returns", {}),
    ],
)
async def test_while_an_opinion_is_proposed_only_a_second_look_is_possible(
    review: ReviewUnderTest, path: str, body: dict[str, Any]
) -> None:
    _, admin = await proposed(review)
    await admin.claim()
    await admin.mark_returned()

    answer = await admin.post(f"/reviews/{NO}/{path}", body)

    assert (answer.status_code, answer.json()["code"]) == (409, "needs-second-look")


async def test_a_proposal_is_void_when_a_newer_revision_comes(review: ReviewUnderTest) -> None:
    _, admin = await proposed(review)
    await admin.claim()

    await review.hears(a_change())
    await review.hears(a_submission(round_no=2, revision=3, pack_version=STRICT))
    late = await admin.post(LOOKS, {"agree": True, "words": ""})

    assert (late.status_code, late.json()["code"]) == (409, "not-claimed")
    assert (await admin.sees())["proposed"] is None
    assert (await admin.queue("second_look"), await admin.queue("resubmitted")) == ([], [NO])


async def test_of_several_second_looks_at_once_one_counts(review: ReviewUnderTest) -> None:
    _, admin = await proposed(review)
    await admin.claim()

    answers = await asyncio.gather(
        *(admin.post(LOOKS, {"agree": agree, "words": "看法"}) for agree in (True, False, True, False))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(await review.rows("SELECT 1 FROM history WHERE act IN ('agreed', 'disagreed')")) == 1


async def test_a_proposal_holds_up_a_publication(review: ReviewUnderTest) -> None:
    _, admin = await proposed(review)

    answer = await admin.post("/publications", {"region": "15", "year": 2021})

    assert (answer.status_code, answer.json()["code"]) == (409, "reviews-unfinished")
    assert await review.tells(ReviewPublished) == []


async def test_the_site_does_not_learn_that_a_rejection_is_proposed(review: ReviewUnderTest) -> None:
    _, admin = await proposed(review)
    found = await (await review.desk("site")).post("/reviews/searches", {"q": NO})
    await admin.claim()
    await admin.post(LOOKS, {"agree": False, "words": "不同意驳回"})
    during = await (await review.desk("site")).get(f"/reviews/{NO}")

    assert WORDS not in during.text
    assert "不同意驳回" not in during.text
    assert "rejected" not in during.text
    assert (during.json()["proposed"], during.json()["queue"]) == (None, None)
    assert [(row["proposed"], row["queue"]) for row in found.json()["items"]] == [(None, None)]


async def test_an_undone_proposal_leaves_it_with_its_reviewer(review: ReviewUnderTest, undoable: Any) -> None:
    await review.hears(strict_rules(), a_registration(review.key_ring))
    await review.hears(a_submission(pack_version=STRICT))
    await review.execute("UPDATE reviews SET state = 'at_region', tier = 'region', queue = 'new'")
    region = await review.desk("region")
    await region.claim()
    act = (await region.post(DECISIONS, REJECTED)).json()["act"]

    undone = await region.delete(f"/reviews/{NO}/acts/{act['act_id']}")

    shown = await region.sees()
    assert (act["kind"], undone.status_code) == ("propose", 204)
    assert (shown["claimed_by_me"], shown["proposed"], shown["queue"]) == (True, None, "new")


async def test_an_undone_agreement_waits_for_the_second_look_again(review: ReviewUnderTest, undoable: Any) -> None:
    await review.hears(strict_rules(), a_registration(review.key_ring))
    await review.hears(a_submission(pack_version=STRICT))
    await review.execute(
        "UPDATE reviews SET state = 'at_region', tier = 'region', queue = 'second_look', "
        "proposed_opinion = 'rejected', proposed_words = :words, proposed_by = :by",
        words=WORDS,
        by=review.people["region"],
    )
    admin = await review.desk("admin")
    await admin.claim()
    act = (await admin.post(LOOKS, {"agree": True, "words": ""})).json()["act"]

    await admin.delete(f"/reviews/{NO}/acts/{act['act_id']}")

    shown = await admin.sees()
    assert (shown["state"], shown["opinion"], shown["proposed"]["words"]) == ("at_region", None, WORDS)
    assert (shown["claimed_by_me"], shown["queue"]) == (True, "second_look")
    assert await review.rows("SELECT 1 FROM decisions") == []


async def test_what_two_reviewers_disagree_about_is_not_passed_in_bulk(review: ReviewUnderTest) -> None:
    region, admin = await proposed(review)
    await admin.claim()
    await admin.post(LOOKS, {"agree": False, "words": "学历证明在附件中"})
    revision = (await region.sees())["revision"]

    answer = await region.post("/bulk-passes", {"applications": [{"application_no": NO, "revision": revision}]})

    assert [result["code"] for result in answer.json()["results"]] == ["reviewers-disagree"]
    assert (await region.sees())["state"] == "at_region"
