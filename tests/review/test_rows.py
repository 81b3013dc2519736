"""What a row of a list says: when it is due, what was found, and whether it may be passed in bulk."""

import asyncio
from datetime import datetime, timedelta

from tests.builders.review import (
    NO,
    START,
    a_check,
    a_submission,
    an_image,
    seen_under,
    some_copies,
)
from tests.review.conftest import Desk, ReviewUnderTest, Time
from tests.review.lists import NUMBERS, a_timely_pack, listed, row_of


async def test_what_was_handed_in_is_due_after_the_service_level_or_when_the_window_closes(
    review: ReviewUnderTest, time: Time
) -> None:
    closes = START.replace(tzinfo=None) + timedelta(days=3, hours=8)  # in China's time
    await review.hears(a_timely_pack(5, closes))
    await review.hears(a_submission(NUMBERS[0], at=START), a_submission(NUMBERS[1], at=START - timedelta(days=3)))
    site = await review.desk("site")

    rows = [await row_of(site, number) for number in NUMBERS[:2]]

    due = [datetime.fromisoformat(row["due_at"]) for row in rows]
    assert due == [START + timedelta(days=3), START + timedelta(days=2)]
    assert [row["overdue"] for row in rows] == [True, True]


async def test_rules_without_a_service_level_make_nothing_due(review: ReviewUnderTest) -> None:
    await review.has()

    row = await row_of(await review.desk("site"))

    assert (row["due_at"], row["overdue"]) == (None, False)


async def test_rules_that_come_after_the_submission_make_it_due_all_the_same(review: ReviewUnderTest) -> None:
    await review.hears(a_submission())

    await review.hears(a_timely_pack())

    row = await row_of(await review.desk("site"))
    assert datetime.fromisoformat(row["due_at"]) == START + timedelta(hours=1, days=5)


async def test_rules_and_submissions_heard_at_the_same_moment_do_not_miss_each_other(review: ReviewUnderTest) -> None:
    await asyncio.gather(
        *(review.hears(a_submission(number)) for number in NUMBERS[:12]), review.hears(a_timely_pack())
    )

    assert await review.rows("SELECT DISTINCT due_at < '9000-01-01' AS due FROM reviews") == [{"due": True}]


async def test_a_new_round_is_due_anew(review: ReviewUnderTest) -> None:
    await review.hears(a_timely_pack(), a_submission())

    await review.hears(a_submission(round_no=2, revision=3, at=START + timedelta(days=9)))

    row = await row_of(await review.desk("site"))
    assert datetime.fromisoformat(row["due_at"]) == START + timedelta(days=14)


async def test_findings_are_those_of_the_present_images_whichever_comes_first(review: ReviewUnderTest) -> None:
    early, late, quality = (
        an_image(verdict="checking"),
        an_image("identity"),
        an_image(verdict="review", confirmed=True),
    )
    await review.hears(a_check(early, "review"))
    await review.has(a_submission(images=(early, late, quality)))
    site = await review.desk("site")
    one = await row_of(site)

    await review.hears(a_check(late, "accept"), a_check(quality, "reject"))
    await review.execute("UPDATE checks SET findings = jsonb_set(findings, '{0,code}', '\"too_dark\"') "
                         "WHERE image_id = :id", id=quality.image_id)  # fmt: skip
    await review.hears(a_check(late, "review", check_no=2))
    two = await row_of(site)
    await review.hears(a_submission(round_no=2, revision=3, images=(late,), changed=("diploma",)))
    fewer = await row_of(site)

    assert (one["findings"], two["findings"], fewer["findings"]) == (1, 2, 1)
    assert await listed(site, finding="blurred") == [NO]
    assert await listed(site, finding="too_dark") == []


async def accepted(desk: Desk, *items: str) -> None:
    await desk.claim()
    for item in items:
        answer = await desk.put(f"/reviews/{NO}/items/{item}/mark", {"mark": "accept"})
        assert answer.status_code == 200, answer.text


async def test_an_application_is_clean_for_its_site_once_every_item_is_accepted(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")

    clean = [(await row_of(site))["clean"]]
    await accepted(site, "identity")
    clean.append((await row_of(site))["clean"])
    await accepted(site, "diploma")
    clean.append((await row_of(site))["clean"])

    assert clean == [False, False, True]


async def test_a_resubmission_is_clean_again_only_when_what_changed_is_accepted(review: ReviewUnderTest) -> None:
    identity, old, new = an_image("identity"), an_image(), an_image()
    await review.has(a_submission(images=(identity, old)))
    site = await review.desk("site")
    await accepted(site, "identity", "diploma")

    await review.hears(a_submission(round_no=2, revision=3, images=(identity, new), changed=("diploma",)))
    before = (await row_of(site))["clean"]
    await accepted(site, "diploma")

    assert (before, (await row_of(site))["clean"]) == (False, True)


async def test_a_finding_a_copy_or_a_confirmed_image_speaks_against_a_pass_in_bulk(review: ReviewUnderTest) -> None:
    image = an_image()
    await review.has(a_submission(images=(image,)))
    site = await review.desk("site")
    await accepted(site, "diploma")
    clean = [(await row_of(site))["clean"]]

    await review.hears(some_copies(image, seen_under("15012021009999")))
    clean.append((await row_of(site))["clean"])
    await review.hears(some_copies(image, read_no=2))
    clean.append((await row_of(site))["clean"])
    await review.execute("UPDATE images SET confirmed = true")
    clean.append((await row_of(site))["clean"])
    await review.execute("UPDATE images SET confirmed = false")
    await review.hears(a_check(image, "review"))
    clean.append((await row_of(site))["clean"])

    assert clean == [True, False, True, False, False]


async def test_what_the_site_accepted_and_passed_without_a_recommendation_is_clean_for_the_region(
    review: ReviewUnderTest,
) -> None:
    await review.has(a_submission(images=(an_image("identity"), an_image("diploma"))))
    site, region = await review.desk("site"), await review.desk("region")
    await site.claim()
    for item in ("identity", "diploma"):
        await site.put(f"/reviews/{NO}/items/{item}/mark", {"mark": "accept"})
    await site.post(f"/reviews/{NO}/passes")

    clean = [await row_of(region)]
    await review.execute("UPDATE reviews SET recommended_opinion = 'rejected'")
    clean.append(await row_of(region))
    await review.execute("UPDATE reviews SET recommended_opinion = NULL, passed_revision = 0")
    clean.append(await row_of(region))
    await review.execute("UPDATE reviews SET passed_revision = revision")
    await review.execute("DELETE FROM marks WHERE item = 'diploma'")
    clean.append(await row_of(region))

    assert [row["clean"] for row in clean] == [True, False, False, False]
    assert [row["recommended"] for row in clean] == [None, "rejected", None, None]
