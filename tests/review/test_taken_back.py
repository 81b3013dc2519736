"""Withdrawn, lapsed, or reopened by a changed registration: out of the queues, in whatever order it is heard."""

from itertools import permutations

import pytest

from shared.contracts.event import Event
from shared.contracts.review import ReviewDecided, ReviewFeedback, ReviewPublished
from shared.contracts.upload import ReopenedItem
from tests.builders.review import (
    NO,
    a_change,
    a_lapse,
    a_pack,
    a_registration,
    a_reopening,
    a_submission,
    a_withdrawal,
    an_image,
)
from tests.harness import record_of
from tests.review.conftest import ReviewUnderTest

QUEUES = ("waiting", "mine", "returned", "decided")


async def queues_with_it(review: ReviewUnderTest) -> list[tuple[str, str]]:
    desks = {login: await review.desk(login) for login in ("site", "othersite", "region")}
    return [(login, name) for login, desk in desks.items() for name in QUEUES if NO in await desk.queue(name)]


@pytest.mark.parametrize(("event", "state"), [(a_withdrawal(), "withdrawn"), (a_lapse(), "lapsed")])
async def test_what_is_withdrawn_or_lapsed_leaves_every_queue_and_the_claim_ends(
    review: ReviewUnderTest, event: Event, state: str
) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned()

    await review.hears(event)
    late = await site.post(f"/reviews/{NO}/returns")
    claimed = await site.claim()

    shown = await site.sees()
    assert await queues_with_it(review) == []
    assert (shown["state"], shown["claimed"], shown["revision"]) == (state, False, 2)
    assert shown["history"][0]["act"] == state
    assert (late.status_code, claimed.status_code) == (409, 409)
    assert (claimed.json()["code"], claimed.json()["state"]) == ("not-in-your-queue", state)
    assert await review.tells(ReviewFeedback) == []


@pytest.mark.parametrize("event", [a_withdrawal(), a_lapse(), a_change()], ids=lambda event: event.topic)
async def test_it_voids_a_decision_that_is_not_published(review: ReviewUnderTest, event: Event) -> None:
    await review.decided()

    await review.hears(event)

    assert (await (await review.desk("region")).sees())["opinion"] is None
    assert len(await review.rows("SELECT 1 FROM decisions WHERE voided_at IS NOT NULL")) == 1


@pytest.mark.parametrize(
    "event", [a_withdrawal(revision=1), a_lapse(revision=1), a_change(revision=1)], ids=lambda event: event.topic
)
async def test_an_older_revision_changes_nothing(review: ReviewUnderTest, event: Event) -> None:
    await review.has(a_submission(round_no=2, revision=3))
    before = await review.rows("SELECT * FROM reviews")

    await review.hears(event)

    assert await review.rows("SELECT * FROM reviews") == before
    assert len(await review.rows("SELECT 1 FROM history")) == 1


@pytest.mark.parametrize("event", [a_withdrawal(), a_lapse(), a_change()], ids=lambda event: event.topic)
async def test_heard_three_times_it_has_one_effect(review: ReviewUnderTest, event: Event) -> None:
    await review.has()
    record = record_of(event)

    for _ in range(3):
        await review.hears_records(event.topic, [record, record])

    assert len(await review.rows("SELECT 1 FROM history")) == 2
    assert await review.dead_letters() == 0


async def test_a_resubmission_after_a_withdrawal_goes_to_the_site_again(review: ReviewUnderTest) -> None:
    await review.passed()

    await review.hears(a_withdrawal())
    await review.hears(a_submission(round_no=2, revision=3))

    assert await queues_with_it(review) == [("site", "waiting")]


async def test_a_resubmission_after_a_changed_registration_goes_to_the_tier_that_had_it(
    review: ReviewUnderTest,
) -> None:
    await review.passed()

    await review.hears(a_change())
    between = await queues_with_it(review)
    await review.hears(a_submission(round_no=2, revision=3))

    assert between == [("site", "returned"), ("region", "returned")]
    assert await queues_with_it(review) == [("region", "waiting")]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_submission_withdrawal_and_resubmission_in_any_order_leave_it_at_the_site(
    review: ReviewUnderTest, order: tuple[int, ...]
) -> None:
    events = [a_submission(), a_withdrawal(), a_submission(round_no=2, revision=3)]
    await review.hears(a_pack(), a_registration(review.key_ring))

    for each in order:
        await review.hears(events[each])

    assert await queues_with_it(review) == [("site", "waiting")]
    assert (await (await review.desk("site")).sees())["revision"] == 3


async def test_a_withdrawal_heard_after_the_resubmission_still_sends_it_to_the_site(review: ReviewUnderTest) -> None:
    await review.passed()
    await review.hears(a_submission(round_no=2, revision=3))
    at_region = await queues_with_it(review)

    await review.hears(a_withdrawal())

    assert at_region == [("region", "waiting")]
    assert await queues_with_it(review) == [("site", "waiting")]


async def test_a_withdrawal_that_the_site_has_seen_past_changes_nothing(review: ReviewUnderTest) -> None:
    await review.passed(a_submission(round_no=2, revision=3))

    await review.hears(a_withdrawal())

    assert await queues_with_it(review) == [("region", "waiting")]


@pytest.mark.parametrize(("event", "state"), [(a_withdrawal(), "withdrawn"), (a_lapse(), "lapsed")])
async def test_heard_before_its_submission_it_is_not_forgotten(
    review: ReviewUnderTest, event: Event, state: str
) -> None:
    await review.hears(a_pack(), event)

    await review.hears(a_submission())

    shown = await (await review.desk("site")).sees()
    assert await queues_with_it(review) == []
    assert shown["state"] == state
    assert {line["act"] for line in shown["history"]} == {"submitted", state}


async def test_a_lapse_of_a_draft_leaves_nothing_to_review(review: ReviewUnderTest) -> None:
    await review.hears(a_pack(), a_lapse(round_no=0, revision=1, was="draft"))

    assert await review.rows("SELECT 1 FROM reviews") == []
    assert await review.dead_letters() == 0


async def test_a_lapse_may_name_the_revision_that_was_returned(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned()
    await site.post(f"/reviews/{NO}/returns")

    await review.hears(a_lapse(revision=1))

    assert (await site.sees())["state"] == "lapsed"


async def test_after_publication_they_are_only_listed(review: ReviewUnderTest) -> None:
    await review.decided()
    region = await review.desk("region")
    await review.publish()

    await review.hears(a_withdrawal())
    await review.hears(a_lapse(revision=3))

    shown = await region.sees()
    assert (shown["state"], shown["opinion"], shown["revision"]) == ("decided", "approved", 1)
    assert [line["act"] for line in shown["history"][:2]] == ["lapsed_after_publication", "withdrawn_after_publication"]


async def test_withdrawn_and_lapsed_ones_hold_up_no_publication_and_get_no_opinion(review: ReviewUnderTest) -> None:
    await review.decided()
    for number, event in (("15010002", a_withdrawal("15010002")), ("15010003", a_lapse("15010003"))):
        await review.hears(a_submission(number))
        await review.hears(event)
    await review.tells(ReviewDecided)

    answer = await review.publish()

    assert (answer.status_code, answer.json()["published"]) == (201, 1)
    assert [told.application_no for told in await review.tells(ReviewPublished)] == [NO]


async def test_what_is_with_its_candidate_holds_up_a_publication_until_it_lapses(review: ReviewUnderTest) -> None:
    await review.decided()
    await review.hears(a_submission("15010002"), a_change("15010002"))

    before = await review.publish()
    await review.hears(a_lapse("15010002", revision=3))
    after = await review.publish()

    assert (before.status_code, before.json()["by_state"]) == (409, {"returned": 1})
    assert after.status_code == 201


async def test_a_resubmission_with_another_site_moves_the_application_there(review: ReviewUnderTest) -> None:
    await review.passed()
    site, other = await review.desk("site"), await review.desk("othersite")
    await review.hears(a_change())

    await review.hears(a_submission(round_no=2, revision=3, site="1502", changed=()))

    assert await queues_with_it(review) == [("othersite", "waiting")]
    assert (await site.get(f"/reviews/{NO}")).status_code == 404
    assert (await site.claim()).status_code == 404
    assert (await other.claim()).status_code == 200
    assert (await other.sees())["site"] == "1502"


async def test_the_other_site_s_marks_are_not_the_new_one_s(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    await site.put(f"/reviews/{NO}/items/identity/mark", {"mark": "accept"})

    await review.hears(a_change())
    await review.hears(a_submission(round_no=2, revision=3, site="1502", changed=()))

    shown = await (await review.desk("othersite")).sees()
    assert shown["sections"][0]["items"][0]["mark"] is None
    assert shown["history"][0]["detail"] == {"from_site": "1501", "to_site": "1502"}


async def test_the_claim_of_the_old_site_opens_no_paper_any_more(review: ReviewUnderTest) -> None:
    image = an_image()
    await review.has(a_submission(images=(image,)))
    site = await review.desk("site")
    await site.claim()

    await review.hears(a_submission(round_no=2, revision=3, site="1502", images=(image,)))

    assert (await site.get(f"/reviews/{NO}/images/{image.image_id}")).status_code == 404


async def test_staff_see_what_is_required_the_route_and_a_confirmed_warning(review: ReviewUnderTest) -> None:
    confirmed = an_image("identity", verdict="review", confirmed=True)
    await review.has(
        a_submission(images=(confirmed, an_image()), required=("identity",), route="both"),
    )
    site = await review.desk("site")

    shown = await site.sees()
    row = (await site.get("/reviews")).json()["items"][0]

    items = {item["item"]: item for section in shown["sections"] for item in section["items"]}
    assert {code: item["required"] for code, item in items.items()} == {
        "identity": True, "diploma": False, "other": False, "photo_prints": False,
    }  # fmt: skip
    assert items["identity"]["images"][0]["confirmed"] is True
    assert items["diploma"]["images"][0]["confirmed"] is False
    assert (shown["route"], shown["uploads"], row["route"]) == ("both", True, "both")


async def test_a_submission_without_uploads_comes_into_the_queue_at_once(review: ReviewUnderTest) -> None:
    await review.has(a_submission(images=(), route="onsite", uploads=False))

    site = await review.desk("site")
    assert await site.queue() == [NO]
    assert (await site.sees())["uploads"] is False


async def test_an_old_image_stays_with_when_it_came_when_it_was_replaced_and_why(review: ReviewUnderTest) -> None:
    kept, first, second, third = an_image("identity"), an_image(), an_image(), an_image()
    await review.has(a_submission(images=(kept, first)))
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned(words="看不清，请重拍")
    await site.post(f"/reviews/{NO}/returns")
    second_round = a_submission(round_no=2, revision=2, images=(kept, second), changed=("diploma",))
    await review.hears(second_round)
    await review.hears(a_reopening(round_no=2, revision=3))
    third_round = a_submission(round_no=3, revision=4, images=(kept, third), changed=("diploma",))
    await review.hears(third_round)

    shown = await site.sees()

    images = {image["image_id"]: image for s in shown["sections"] for item in s["items"] for image in item["images"]}
    found = {
        name: (image["round"], image["current"], image["replaced"] and image["replaced"]["round"])
        for name, image in images.items()
    }
    assert found == {
        str(kept.image_id): (1, True, None),
        str(first.image_id): (1, False, 2),
        str(second.image_id): (2, False, 3),
        str(third.image_id): (3, True, None),
    }
    whys = [images[str(each.image_id)]["replaced"]["why"] for each in (first, second)]
    assert [[(why["tier"], why["words"]) for why in each] for each in whys] == [
        [("site", "看不清，请重拍")],
        [("system", "图片已损坏")],
    ]
    assert images[str(first.image_id)]["replaced"]["at"] == second_round.submitted_at.isoformat().replace("+00:00", "Z")
    assert images[str(first.image_id)]["uploaded_at"] == first.uploaded_at.isoformat().replace("+00:00", "Z")


async def test_why_is_the_words_about_that_item_only_and_may_be_nothing(review: ReviewUnderTest) -> None:
    identity, diploma = an_image("identity"), an_image()
    await review.has(a_submission(images=(identity, diploma)))
    changed = ReopenedItem(item="diploma", image_ids=(), reason_code="registration_changed", words="学历已变更")
    await review.hears(a_change(items=(changed,)))

    await review.hears(a_submission(round_no=2, revision=3, images=()))

    shown = await (await review.desk("site")).sees()
    by_item = {item["item"]: item["images"] for section in shown["sections"] for item in section["items"]}
    assert [why["words"] for why in by_item["diploma"][0]["replaced"]["why"]] == ["学历已变更"]
    assert by_item["identity"][0]["replaced"]["why"] == []


async def test_an_image_of_an_item_that_the_rules_do_not_know_is_still_shown(review: ReviewUnderTest) -> None:
    image = an_image("village_doctor_certificate")
    await review.has(a_submission(images=(image,)))

    sections = (await (await review.desk("site")).sees())["sections"]

    assert [item["item"] for item in sections[-1]["items"]] == ["village_doctor_certificate"]
    assert sections[-1]["items"][0]["images"][0]["image_id"] == str(image.image_id)


async def test_three_rounds_in_one_batch_name_the_round_that_replaced_each_image(review: ReviewUnderTest) -> None:
    first, second, third = an_image(), an_image(), an_image()
    await review.hears(a_pack())

    await review.hears(
        a_submission(images=(first,)),
        a_submission(round_no=2, revision=3, images=(second,)),
        a_submission(round_no=3, revision=5, images=(third,)),
    )

    rows = await review.rows("SELECT image_id, first_round, replaced_round FROM images")
    assert {row["image_id"]: (row["first_round"], row["replaced_round"]) for row in rows} == {
        first.image_id: (1, 2),
        second.image_id: (2, 3),
        third.image_id: (3, None),
    }


async def test_what_changed_in_a_submission_that_was_heard_too_late_is_looked_at_again(review: ReviewUnderTest) -> None:
    identity, diploma, new_identity = an_image("identity"), an_image("diploma"), an_image("identity")
    await review.has(a_submission(images=(identity, diploma)))
    site = await review.desk("site")
    await site.claim()
    for item in ("identity", "diploma"):
        await site.put(f"/reviews/{NO}/items/{item}/mark", {"mark": "accept"})
    await site.delete(f"/reviews/{NO}/claim")

    await review.hears(a_withdrawal(revision=4, round_no=2))
    await review.hears(a_submission(round_no=2, revision=3, images=(new_identity, diploma), changed=("identity",)))
    await review.hears(a_submission(round_no=3, revision=5, images=(new_identity, diploma), changed=()))
    await site.claim()

    items = {each["item"]: each for section in (await site.sees())["sections"] for each in section["items"]}
    assert (items["identity"]["changed"], items["identity"]["mark"]) == (True, None)
    assert (items["diploma"]["changed"], items["diploma"]["mark"]["mark"]) == (False, "accept")


async def test_what_changed_in_a_round_that_nobody_was_offered_stays_marked(review: ReviewUnderTest) -> None:
    await review.has()
    await review.hears(a_withdrawal(revision=2))
    await review.hears(
        a_submission(round_no=2, revision=3, changed=("identity",), images=(an_image(verdict="checking"),))
    )
    await review.hears(a_withdrawal(revision=4, round_no=2))

    await review.hears(a_submission(round_no=3, revision=5, changed=("diploma",)))

    [row] = await review.rows("SELECT changed_items FROM reviews")
    assert row["changed_items"] == ["diploma", "identity"]


async def test_a_mark_on_images_that_were_replaced_meanwhile_is_refused(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    claimed = await site.claim()
    await review.hears(a_withdrawal(revision=2))
    await review.hears(a_submission(round_no=2, revision=3, images=(an_image("diploma"),)))
    renewed = await site.claim()

    body = {"mark": "accept", "revision": claimed.json()["revision"]}
    answer = await site.put(f"/reviews/{NO}/items/diploma/mark", body)

    assert (claimed.json()["revision"], renewed.json()["revision"]) == (1, 3)
    assert (answer.status_code, answer.json()["code"]) == (409, "revision-changed")
    assert await review.rows("SELECT 1 FROM marks") == []
