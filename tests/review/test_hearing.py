"""What the other services tell, in any order, as often as it comes."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from services.review.use_cases.upkeep import lock_packs
from shared.contracts.event import Event
from shared.contracts.review import ReviewDecided, ReviewFeedback
from shared.telemetry.metrics import RETRIES
from tests.builders.review import (
    NO,
    PERSON,
    START,
    a_check,
    a_notice,
    a_pack,
    a_registration,
    a_reopening,
    a_submission,
    an_image,
)
from tests.harness import record_of
from tests.review.conftest import ReviewUnderTest

FREE = text("SELECT application_no FROM reviews FOR UPDATE SKIP LOCKED")
WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def somebody_waits(review: ReviewUnderTest) -> None:
    """Until a transaction in this database waits for a lock that another one has."""
    async with asyncio.timeout(10):
        while not await review.rows(WAITS):  # noqa: ASYNC110 the database announces it to nobody
            await asyncio.sleep(0.01)


async def test_a_submission_comes_into_its_site_s_queue(review: ReviewUnderTest) -> None:
    await review.has()

    assert await (await review.desk("site")).queue() == [NO]
    assert await (await review.desk("othersite")).queue() == []
    assert await (await review.desk("region")).queue() == []


async def test_an_application_is_held_out_of_the_queue_while_an_image_is_unchecked(review: ReviewUnderTest) -> None:
    first, second = an_image(verdict="checking"), an_image("identity", verdict="checking")
    await review.has(a_submission(images=(first, second, an_image("identity"))))
    site = await review.desk("site")

    before = await site.queue()
    refused = await site.claim()
    await review.hears(a_check(first))
    half = await site.queue()
    await review.hears(a_check(second, "review"))
    after = await site.queue()

    assert (before, half, after) == ([], [], [NO])
    assert refused.status_code == 409
    assert refused.json()["code"] == "not-in-your-queue"
    assert refused.json()["state"] == "submitted"


async def test_a_check_that_comes_before_the_submission_counts(review: ReviewUnderTest) -> None:
    image = an_image(verdict="checking")
    await review.hears(a_check(image))

    await review.has(a_submission(images=(image,)))

    assert await (await review.desk("site")).queue() == [NO]


async def test_a_check_and_its_submission_at_the_same_moment_do_not_miss_each_other(review: ReviewUnderTest) -> None:
    images = [an_image(verdict="checking") for _ in range(12)]
    numbers = [f"1501202100{number:04}" for number in range(12)]
    pairs = list(zip(numbers, images, strict=True))
    await review.hears(a_pack())

    await asyncio.gather(
        *(review.hears(a_submission(number, images=(image,))) for number, image in pairs),
        *(review.hears(a_check(image, application_no=number)) for number, image in pairs),
    )

    assert sorted(await (await review.desk("site")).queue()) == numbers


async def test_batches_about_the_same_numbers_never_block_each_other(review: ReviewUnderTest) -> None:
    numbers = [f"1501202100{number:04}" for number in range(120)]
    images = {number: an_image(verdict="checking") for number in numbers}
    submissions = [a_submission(number, images=(image,)) for number, image in images.items()]
    checks = [a_check(image, application_no=number) for number, image in images.items()]
    registrations = [a_registration(review.key_ring, number) for number in numbers]
    waits = RETRIES.labels("review", "transient")
    before = waits._value.get()

    async def hears(events: list[Event]) -> None:
        random.Random(7).shuffle(events)
        for start in range(0, len(events), 30):
            await review.hears(*events[start : start + 30])

    await asyncio.gather(hears([*submissions]), hears([*checks]), hears([*registrations]))

    assert waits._value.get() == before
    assert await review.rows("SELECT count(*) AS n FROM reviews WHERE state = 'at_site'") == [{"n": 120}]


async def test_a_submission_waits_for_its_rules_before_it_locks_a_review(review: ReviewUnderTest) -> None:
    await review.has()

    async with review.service.sessions.begin() as rules:
        await lock_packs(rules, [("neimenggu-2021", 1)], shared=False)
        heard = asyncio.create_task(review.hears(a_submission(round_no=2, revision=3)))
        await somebody_waits(review)
        free = (await rules.execute(FREE)).scalars().all()
    await heard

    assert free == [NO]
    assert await review.rows("SELECT revision FROM reviews") == [{"revision": 3}]


async def test_verdicts_lock_reviews_in_one_order_whatever_they_change(review: ReviewUnderTest) -> None:
    low, high = "15010001", "15010002"
    let_in, found = an_image(verdict="checking"), an_image()
    await review.has(a_submission(low, images=(let_in,)), a_submission(high, images=(found,)))

    async with review.service.sessions.begin() as other:
        await other.execute(text("SELECT 1 FROM reviews WHERE application_no = :no FOR UPDATE"), {"no": low})
        checks = a_check(let_in, application_no=low), a_check(found, "review", application_no=high)
        heard = asyncio.create_task(review.hears(*checks))
        await somebody_waits(review)
        free = (await other.execute(FREE)).scalars().all()
    await heard

    assert sorted(free) == [low, high]
    assert await review.rows("SELECT state, findings FROM reviews ORDER BY application_no") == [
        {"state": "at_site", "findings": []},
        {"state": "at_site", "findings": ["blurred"]},
    ]


async def test_a_rejected_image_keeps_the_application_out_until_it_is_handed_in_again(review: ReviewUnderTest) -> None:
    image = an_image(verdict="checking")
    await review.has(a_submission(images=(image,)), a_check(image, "reject"), a_reopening())
    site = await review.desk("site")
    held = await site.queue(), await site.queue("returned")

    await review.hears(a_submission(round_no=2, revision=3, changed=("diploma",)))

    assert held == ([], [NO])
    assert await site.queue() == [NO]
    assert (await site.sees())["revision"] == 3


async def test_a_later_verdict_on_an_image_replaces_an_earlier_one_and_never_the_other_way(
    review: ReviewUnderTest,
) -> None:
    image = an_image(verdict="checking")
    await review.has(a_submission(images=(image,)))
    await review.hears(a_check(image, "review", check_no=2))

    await review.hears(a_check(image, "accept", check_no=1))

    site = await review.desk("site")
    shown = (await site.sees())["sections"][1]["items"][0]["images"][0]
    assert (shown["verdict"], shown["reason"]) == ("review", "blurred")
    assert shown["findings"][0]["measured"] == 3.0


async def test_every_event_heard_three_times_has_one_effect(review: ReviewUnderTest) -> None:
    image = an_image(verdict="checking")
    events = [
        a_pack(), a_registration(review.key_ring), a_check(image), a_submission(images=(image,)), a_reopening(),
        a_notice(),
    ]  # fmt: skip
    for event in events:
        record = record_of(event)
        for _ in range(3):
            await review.hears_records(event.topic, [record])
        await review.hears_records(event.topic, [record, record])

    counted = await review.rows(
        "SELECT (SELECT count(*) FROM reviews) AS reviews, (SELECT count(*) FROM images) AS images, "
        "(SELECT count(*) FROM checks) AS checks, (SELECT count(*) FROM history) AS history, "
        "(SELECT count(*) FROM notices) AS notices, (SELECT count(*) FROM packs) AS packs"
    )
    assert counted == [{"reviews": 1, "images": 1, "checks": 1, "history": 2, "notices": 1, "packs": 1}]
    assert await review.dead_letters() == 0


async def test_an_older_round_changes_nothing(review: ReviewUnderTest) -> None:
    await review.has(a_submission(round_no=3, revision=5))

    await review.hears(a_submission(round_no=2, revision=3), a_reopening(revision=4))

    row = (await review.rows("SELECT round, revision, state FROM reviews"))[0]
    assert row == {"round": 3, "revision": 5, "state": "at_site"}
    assert len(await review.rows("SELECT 1 FROM images")) == 2


async def test_two_rounds_in_one_batch_leave_the_later_one(review: ReviewUnderTest) -> None:
    kept, replaced, new = an_image("identity"), an_image(), an_image()
    await review.hears(a_pack())

    await review.hears(
        a_submission(images=(kept, replaced)),
        a_submission(round_no=2, revision=3, images=(kept, new), changed=("diploma",)),
    )

    shown = await (await review.desk("site")).sees()
    images = {image["image_id"]: image for item in shown["sections"] for i in item["items"] for image in i["images"]}
    assert (shown["round"], shown["state"]) == (2, "at_site")
    assert {name: (image["round"], image["current"]) for name, image in images.items()} == {
        str(kept.image_id): (1, True),
        str(replaced.image_id): (1, False),
        str(new.image_id): (2, True),
    }


async def test_what_changed_is_old_once_staff_acted_on_it_and_new_again_where_they_undo_it(
    review: ReviewUnderTest, undoable: Any
) -> None:
    await review.has(a_submission(), a_submission(round_no=2, revision=3, changed=("identity",)))
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned()
    changed = "SELECT changed_items FROM reviews"

    act = (await site.post(f"/reviews/{NO}/returns")).json()["act"]
    [returned] = await review.rows(changed)
    await site.delete(f"/reviews/{NO}/acts/{act['act_id']}")
    [undone] = await review.rows(changed)
    await site.post(f"/reviews/{NO}/returns")
    await undoable()
    await review.hears(a_submission(round_no=3, revision=4, changed=("diploma",)))
    [later] = await review.rows(changed)

    assert [row["changed_items"] for row in (returned, undone, later)] == [[], ["identity"], ["diploma"]]


async def test_a_reopening_heard_before_its_submission_is_not_forgotten(review: ReviewUnderTest) -> None:
    await review.hears(a_pack(), a_reopening(revision=2))

    await review.hears(a_submission(round_no=1, revision=1))

    site = await review.desk("site")
    assert (await site.queue(), await site.queue("returned")) == ([], [NO])
    await review.hears(a_submission(round_no=2, revision=3))
    assert await site.queue() == [NO]


async def test_a_higher_revision_ends_the_claim_and_the_late_act_is_refused(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned()

    await review.hears(a_reopening())
    answer = await site.post(f"/reviews/{NO}/returns")

    assert answer.status_code == 409
    assert answer.json()["code"] == "not-in-your-queue"
    assert await review.tells(ReviewFeedback) == []


async def test_an_act_on_a_stale_revision_says_what_changed(review: ReviewUnderTest) -> None:
    identity, old, first, second = an_image("identity"), an_image(), an_image(), an_image()
    await review.has(a_submission(images=(identity, old)))
    site = await review.desk("site")
    await site.claim()
    await review.hears(a_submission(round_no=2, revision=3, images=(identity, first, second), changed=("diploma",)))
    await site.claim()

    answer = await site.post(f"/reviews/{NO}/passes", {"revision": 1})

    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["code"], problem["round"], problem["revision"]) == ("revision-changed", 2, 3)
    assert problem["changed_items"] == ["diploma"]
    [change] = problem["changes"]
    assert (change["item"], change["title"]["zh"]) == ("diploma", "毕业证书")
    assert set(change["new_images"]) == {str(first.image_id), str(second.image_id)}
    assert change["removed_images"] == [str(old.image_id)]
    [_, changed] = await review.rows("SELECT at FROM history WHERE act = 'submitted' ORDER BY id")
    assert datetime.fromisoformat(problem["since"]) == changed["at"]
    assert await review.tells(ReviewDecided) == []


async def test_an_unpublished_decision_is_void_when_a_higher_revision_comes(review: ReviewUnderTest) -> None:
    await review.decided()

    await review.hears(a_submission(round_no=2, revision=3))

    region = await review.desk("region")
    assert await region.queue() == [NO]
    assert (await region.sees())["opinion"] is None
    assert len(await review.rows("SELECT 1 FROM decisions WHERE voided_at IS NOT NULL")) == 1
    assert (await region.claim()).status_code == 200
    assert (await region.post(f"/reviews/{NO}/decisions", {"outcome": "rejected", "words": "不符"})).status_code == 201


async def test_after_publication_a_new_revision_is_only_listed(review: ReviewUnderTest) -> None:
    await review.decided()
    region = await review.desk("region")
    await review.publish()

    await review.hears(a_submission(round_no=2, revision=3))
    await review.hears(a_reopening(round_no=2, revision=4))

    shown = await region.sees()
    assert (shown["state"], shown["opinion"], shown["revision"]) == ("decided", "approved", 1)
    assert [line["act"] for line in shown["history"][:2]] == [
        "reopened_after_publication",
        "submitted_after_publication",
    ]


async def test_a_newer_registration_replaces_an_older_one_and_never_the_other_way(review: ReviewUnderTest) -> None:
    married = PERSON.model_copy(update={"name": "李小明"})
    await review.has()
    site = await review.desk("site")

    await review.hears(a_registration(review.key_ring, revision=3, person=married))
    await review.hears(a_registration(review.key_ring, revision=2))

    assert (await site.sees())["candidate"]["name"] == "李**"


async def test_a_submission_is_listed_before_its_registration_and_rules_arrive(review: ReviewUnderTest) -> None:
    await review.hears(a_submission(pack_version=9))
    site = await review.desk("site")

    listed = (await site.get("/reviews")).json()["items"][0]
    shown = await site.get(f"/reviews/{NO}")

    assert listed["candidate_masked"] == {"name": "—", "id_number": "—"}
    assert shown.status_code == 503
    assert shown.json()["code"] == "rules-not-published"


async def test_an_erased_candidate_is_shown_as_unknown(review: ReviewUnderTest) -> None:
    await review.has()
    await review.hears(a_registration(None, revision=2))

    assert (await (await review.desk("site")).sees())["candidate"]["name"] == "—"


async def test_one_damaged_row_does_not_close_the_list(review: ReviewUnderTest) -> None:
    await review.has()
    await review.execute("UPDATE applications SET sealed = jsonb_set(sealed, '{nonce}', '\"AAAAAAAAAAAAAAAA\"')")

    row = (await (await review.desk("site")).get("/reviews")).json()["items"][0]

    assert row["candidate_masked"]["name"] == "—"


async def test_staff_see_whether_the_candidate_was_reached_last(review: ReviewUnderTest) -> None:
    await review.has()
    failed = a_notice("failed")

    await review.hears(failed)
    await review.hears(a_notice("delivered", notice_id=failed.notice_id, at=START + timedelta(minutes=5)))
    await review.hears(a_notice("failed", notice_id=failed.notice_id, at=START + timedelta(minutes=1)))

    notices = (await (await review.desk("site")).sees())["notices"]
    assert [(notice["channel"], notice["about"], notice["outcome"]) for notice in notices] == [
        ("sms", "returned", "delivered")
    ]


async def test_personal_data_is_at_rest_only_sealed(review: ReviewUnderTest) -> None:
    await review.has()

    stored = str(await review.rows("SELECT * FROM applications")) + str(await review.rows("SELECT * FROM reviews"))

    assert PERSON.name not in stored
    assert PERSON.id_number not in stored
    assert PERSON.phone not in stored
