"""Passing many at once: each is looked at again by the server, and one that is not clean stops no other."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from services.review.use_cases import bulk
from shared.contracts.event import Event
from shared.contracts.facts import Facts
from shared.contracts.review import ReviewDecided
from shared.contracts.upload import HandedInImage
from shared.contracts.validation import Finding
from shared.errors import Unavailable
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
from tests.review.conftest import Desk, ReviewUnderTest

NUMBERS = [f"1501202100{number:04}" for number in range(1, 7)]
ONE = NUMBERS[0]


def some_images() -> tuple[HandedInImage, ...]:
    return an_image("identity"), an_image("diploma")


async def accepted_before(review: ReviewUnderTest, *numbers: str, images: tuple[HandedInImage, ...] = ()) -> Desk:
    """Applications that came back unchanged to a site that has accepted every item; nobody holds them."""
    await review.hears(a_pack())
    site = await review.desk("site")
    for number in numbers:
        await review.hears(a_registration(review.key_ring, number))
        handed_in = images or some_images()
        await review.hears(a_submission(number, images=handed_in))
        await site.claim(number)
        for item in {image.item for image in handed_in}:
            answer = await site.put(f"/reviews/{number}/items/{item}/mark", {"mark": "accept"})
            assert answer.status_code == 200, answer.text
        await review.hears(a_submission(number, round_no=2, revision=3, images=handed_in, changed=()))
    return site


async def accepts(desk: Desk, number: str) -> None:
    """Every item that is in `some_images`."""
    for item in ("identity", "diploma"):
        answer = await desk.put(f"/reviews/{number}/items/{item}/mark", {"mark": "accept"})
        assert answer.status_code == 200, answer.text


def asked(*numbers: str, revision: int = 3) -> dict[str, Any]:
    return {"applications": [{"application_no": number, "revision": revision} for number in numbers]}


async def codes(desk: Desk, *numbers: str, revision: int = 3) -> list[str | None]:
    answer = await desk.post("/bulk-passes", asked(*numbers, revision=revision))
    assert answer.status_code == 201, answer.text
    return [result["code"] for result in answer.json()["results"]]


async def states(review: ReviewUnderTest) -> dict[str, tuple[str, bool]]:
    rows = await review.rows("SELECT application_no, state, claimed_by IS NOT NULL AS held FROM reviews")
    return {row["application_no"]: (row["state"], row["held"]) for row in rows}


async def test_clean_ones_are_passed_with_one_result_each_in_the_order_asked(review: ReviewUnderTest) -> None:
    site = await accepted_before(review, *NUMBERS)
    order = list(reversed(NUMBERS))

    answer = await site.post("/bulk-passes", asked(*order))

    results = answer.json()["results"]
    assert answer.status_code == 201
    assert [(result["application_no"], result["ok"], result["code"]) for result in results] == [
        (number, True, None) for number in order
    ]
    assert sorted(event.application_no for event in await review.tells(ReviewDecided)) == NUMBERS
    assert set((await states(review)).values()) == {("at_region", False)}
    acts = [line["act"] for line in (await site.sees(ONE))["history"]]
    assert acts[:3] == ["passed", "claimed", "submitted"]


async def test_one_that_is_not_clean_says_why_keeps_its_place_and_stops_no_other(review: ReviewUnderTest) -> None:
    site = await accepted_before(review, *NUMBERS[:3])
    await site.claim(NUMBERS[1])
    await site.mark_returned("diploma", NUMBERS[1])
    await site.delete(f"/reviews/{NUMBERS[1]}/claim")

    answer = await site.post("/bulk-passes", asked(*NUMBERS[:3], "99999999"))

    results = answer.json()["results"]
    assert [result["code"] for result in results] == [None, "items-marked-return", None, "application-not-found"]
    assert "毕业证书" in results[1]["words"]["zh"]
    assert "毕业证书" in results[1]["words"]["en"]  # the pack's own title
    assert (await states(review))[NUMBERS[1]] == ("at_site", False)
    assert len(await review.tells(ReviewDecided)) == 2
    assert [line["act"] for line in (await site.sees(NUMBERS[1]))["history"]][:2] == ["released", "marked"]


async def test_a_first_round_that_nobody_has_looked_at_is_not_clean(review: ReviewUnderTest) -> None:
    await review.has(application_no=ONE)
    site = await review.desk("site")

    assert await codes(site, ONE, revision=1) == ["not-accepted-before"]


async def test_what_the_candidate_changed_must_be_looked_at_anew(review: ReviewUnderTest) -> None:
    site = await accepted_before(review, ONE)
    await review.hears(a_submission(ONE, round_no=3, revision=5, changed=("diploma",)))

    assert await codes(site, ONE, revision=5) == ["not-accepted-before"]


async def test_what_was_accepted_for_another_registration_must_be_looked_at_anew(review: ReviewUnderTest) -> None:
    images = some_images()
    site = await accepted_before(review, ONE, images=images)
    other: dict[str, Any] = {"images": images, "changed": (), "facts": Facts(education="junior_college")}
    await review.hears(a_submission(ONE, round_no=3, revision=5, **other))
    await review.hears(a_submission(ONE, round_no=4, revision=7, **other))

    before = await codes(site, ONE, revision=7)
    await site.claim(ONE)
    await site.put(f"/reviews/{ONE}/items/identity/mark", {"mark": "accept"})
    half = await codes(site, ONE, revision=7)
    await site.put(f"/reviews/{ONE}/items/diploma/mark", {"mark": "accept"})
    after = await codes(site, ONE, revision=7)
    at_region = await codes(await review.desk("region"), ONE, revision=7)

    assert (before, half) == (["registration-changed"], ["registration-changed"])
    assert (after, at_region) == ([None], [None])
    causes = [line["detail"].get("cause") for line in (await site.sees(ONE))["history"] if line["act"] == "submitted"]
    assert causes == [None, "registration_changed", None, None]


def _blurred(image: HandedInImage, _: ReviewUnderTest) -> Event:
    return a_check(image, "review", application_no=ONE)


def _advice_of_an_accepted(image: HandedInImage, _: ReviewUnderTest) -> Event:
    found = Finding(code="blurred", severity="review", measured=9.0, limit=10.0)
    return a_check(image, application_no=ONE).model_copy(update={"findings": (found,)})


def _copied(image: HandedInImage, _: ReviewUnderTest) -> Event:
    return some_copies(image, seen_under("15019999"), application_no=ONE)


def _another_name(image: HandedInImage, review: ReviewUnderTest) -> Event:
    return a_reading(review.key_ring, image, read("name", "李四"), application_no=ONE)


def _expired(image: HandedInImage, review: ReviewUnderTest) -> Event:
    return a_reading(review.key_ring, image, read("valid_until", "2019-12-31"), application_no=ONE)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (_blurred, "has-findings"),
        (_advice_of_an_accepted, "has-findings"),
        (_copied, "seen-elsewhere"),
        (_another_name, "reading-contradicts"),
        (_expired, "reading-contradicts"),
    ],
)
async def test_what_validation_told_speaks_against_it(review: ReviewUnderTest, told: Any, code: str) -> None:
    images = some_images()
    site = await accepted_before(review, ONE, images=images)
    await review.hears(told(images[1], review))

    assert await codes(site, ONE) == [code]
    assert await review.tells(ReviewDecided) == []


async def test_what_validation_told_of_a_replaced_image_or_what_fits_does_not(review: ReviewUnderTest) -> None:
    images, old = some_images(), an_image("diploma")
    site = await accepted_before(review, ONE, images=(*images, old))
    await review.hears(a_submission(ONE, round_no=3, revision=5, images=images, changed=()))
    await review.hears(_blurred(old, review), a_check(images[1], application_no=ONE))
    await review.hears(
        _copied(old, review),
        a_reading(review.key_ring, images[0], read("name", PERSON.name), application_no=ONE),
    )

    assert await codes(site, ONE, revision=5) == [None]


async def test_a_confirmed_warning_and_a_required_item_that_is_missing_speak_against_it(
    review: ReviewUnderTest,
) -> None:
    site = await accepted_before(review, NUMBERS[0], images=(an_image("diploma", confirmed=True),))
    await accepted_before(review, NUMBERS[1])
    images = some_images()
    await review.hears(a_submission(NUMBERS[1], round_no=3, revision=5, images=images, changed=(), required=("other",)))

    assert await codes(site, NUMBERS[0]) == ["has-findings"]
    assert await codes(site, NUMBERS[1], revision=5) == ["items-missing"]


async def test_a_newer_revision_a_colleague_s_claim_and_another_tier_s_are_refused(review: ReviewUnderTest) -> None:
    site = await accepted_before(review, *NUMBERS[:3])
    site2 = await review.desk("site2")
    await site2.claim(NUMBERS[1])
    await site.claim(NUMBERS[2])
    await site.post(f"/reviews/{NUMBERS[2]}/passes")

    assert await codes(site, NUMBERS[0], revision=1) == ["revision-changed"]
    assert await codes(site, *NUMBERS[1:3]) == ["claimed-by-another", "not-in-your-queue"]
    assert (await states(review))[NUMBERS[1]] == ("at_site", True)


async def test_one_s_own_claim_is_no_hindrance(review: ReviewUnderTest) -> None:
    site = await accepted_before(review, ONE)
    await site.claim(ONE)

    assert await codes(site, ONE) == [None]


async def test_the_region_approves_what_the_site_has_passed_unless_it_recommends_otherwise_or_recorded_something(
    review: ReviewUnderTest,
) -> None:
    site, region = await review.desk("site"), await review.desk("region")
    for number in NUMBERS[:5]:
        await review.has(a_submission(number, images=some_images()), application_no=number)
        await site.claim(number)
    for number in NUMBERS[:4]:
        await accepts(site, number)
    await site.post(f"/reviews/{NUMBERS[4]}/passes")
    await site.post(f"/reviews/{NUMBERS[1]}/false-material", {"words": "不符"})
    bodies: list[dict[str, Any]] = [{}, {}, {"recommends": {"opinion": "rejected", "words": "学历不符"}}]
    for number, body in zip(NUMBERS, bodies, strict=False):
        await site.post(f"/reviews/{number}/passes", body)
    await review.tells(ReviewDecided)

    found = await codes(region, *NUMBERS[:5], revision=1)

    assert found == [
        None, "false-material-recorded", "site-recommends", "not-in-your-queue", "not-accepted-before",
    ]  # fmt: skip
    assert [event.outcome for event in await review.tells(ReviewDecided)] == ["approved"]
    assert (await region.sees(NUMBERS[0]))["opinion"] == "approved"


async def test_whoever_must_come_on_site_is_passed_by_neither_tier_s_bulk(review: ReviewUnderTest) -> None:
    site, region = await review.desk("site"), await review.desk("region")
    images = some_images()
    await review.has(a_submission(ONE, images=images, route="onsite"), application_no=ONE)
    await site.claim(ONE)
    await accepts(site, ONE)

    at_site = await codes(site, ONE, revision=1)
    await site.post(f"/reviews/{ONE}/passes")
    at_region = await codes(region, ONE, revision=1)

    assert (at_site, at_region) == (["looked-at-one-by-one"], ["looked-at-one-by-one"])
    assert (await states(review))[ONE] == ("at_region", False)


async def test_what_waits_for_a_second_look_came_on_site_or_was_sent_back_is_looked_at_one_by_one(
    review: ReviewUnderTest,
) -> None:
    site = await accepted_before(review, *NUMBERS[:2])
    await review.execute("UPDATE reviews SET queue = 'onsite' WHERE application_no = :no", no=NUMBERS[0])
    await review.execute("UPDATE reviews SET queue = 'sent_back' WHERE application_no = :no", no=NUMBERS[1])
    await review.passed(application_no=NUMBERS[2])
    await review.execute(
        "UPDATE reviews SET queue = 'second_look', proposed_opinion = 'rejected', proposed_by = :by "
        "WHERE application_no = :no",
        no=NUMBERS[2],
        by=review.people["admin"],
    )

    assert await codes(site, *NUMBERS[:2]) == ["looked-at-one-by-one"] * 2
    assert await codes(await review.desk("region"), NUMBERS[2], revision=1) == ["needs-second-look"]


async def test_a_request_repeated_under_its_key_has_the_same_results_and_tells_nothing_twice(
    review: ReviewUnderTest,
) -> None:
    site = await accepted_before(review, *NUMBERS[:3])
    await review.has(application_no=NUMBERS[3])
    key, body = str(uuid4()), asked(*NUMBERS[:4])

    answers = await asyncio.gather(*(site.post("/bulk-passes", body, key=key) for _ in range(3)))
    later = await site.post("/bulk-passes", body, key=key)
    another = await site.post("/bulk-passes", asked(*NUMBERS[:2]), key=key)

    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == later.json() for answer in answers)
    assert [result["ok"] for result in later.json()["results"]] == [True, True, True, False]
    assert len(await review.tells(ReviewDecided)) == 3
    assert (another.status_code, another.json()["code"]) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("passes", "code"),
    [
        (ConnectionResetError(), "temporarily-unavailable"),
        (Unavailable("rules-not-published", "未到达", "not here yet", retry_after_s=5), "rules-not-published"),
    ],
)
async def test_a_request_that_was_cut_off_goes_on_where_it_stopped(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch, passes: Exception, code: str
) -> None:
    site = await accepted_before(review, *NUMBERS[:3])
    key, body, whole = str(uuid4()), asked(*NUMBERS[:3]), bulk.pass_clean
    calls = 0

    async def fails_at_the_second(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise passes
        return await whole(*given)

    monkeypatch.setattr(bulk, "pass_clean", fails_at_the_second)
    first = await site.post("/bulk-passes", body, key=key)
    second = await site.post("/bulk-passes", body, key=key)

    assert [result["code"] for result in first.json()["results"]] == [None, code, None]
    assert [result["ok"] for result in second.json()["results"]] == [True, True, True]
    assert len(await review.tells(ReviewDecided)) == 3


async def test_each_act_can_be_undone_like_any_other(review: ReviewUnderTest, undoable: Any) -> None:
    site = await accepted_before(review, *NUMBERS[:2])
    results = (await site.post("/bulk-passes", asked(*NUMBERS[:2]))).json()["results"]

    undone = await site.delete(f"/reviews/{ONE}/acts/{results[0]['act']['act_id']}")

    assert [result["act"]["kind"] for result in results] == ["pass", "pass"]
    assert undone.status_code == 204
    assert {number: state for number, (state, _) in (await states(review)).items()} == {
        NUMBERS[0]: "at_site",
        NUMBERS[1]: "at_region",
    }
    assert await review.tells(ReviewDecided) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid-request"),
        ({"applications": []}, "invalid-request"),
        (asked(*(f"1501{number:08}" for number in range(51))), "invalid-request"),
        (asked(ONE) | {"force": True}, "invalid-request"),
        (asked(ONE, revision=0), "invalid-request"),
        (asked(ONE, ONE), "application-twice"),
    ],
)
async def test_a_request_that_is_none_is_422(review: ReviewUnderTest, body: dict[str, Any], code: str) -> None:
    answer = await (await review.desk("site")).post("/bulk-passes", body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_another_site_s_applications_do_not_exist_and_asking_is_on_record(review: ReviewUnderTest) -> None:
    await accepted_before(review, ONE)

    found = await codes(await review.desk("othersite"), ONE)

    assert found == ["application-not-found"]
    lines = await review.rows("SELECT outcome, application_no FROM audit WHERE act = 'bulk_pass'")
    assert lines == [{"outcome": "refused", "application_no": ONE}]


async def test_two_people_who_pass_the_same_ones_at_once_pass_each_once(review: ReviewUnderTest) -> None:
    site = await accepted_before(review, *NUMBERS)
    site2 = await review.desk("site2")

    answers = await asyncio.gather(
        site.post("/bulk-passes", asked(*NUMBERS)), site2.post("/bulk-passes", asked(*reversed(NUMBERS)))
    )

    done = [result["application_no"] for answer in answers for result in answer.json()["results"] if result["ok"]]
    assert sorted(done) == NUMBERS
    assert len(await review.tells(ReviewDecided)) == len(NUMBERS)
