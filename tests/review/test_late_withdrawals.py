"""A withdrawal that is heard after the submission that followed it: only what is work by now keeps it at the region."""

import pytest

from tests.builders.review import a_submission, a_withdrawal
from tests.review.conftest import ReviewUnderTest, Time


async def test_a_claim_that_has_run_out_keeps_nothing_from_going_back_to_the_site(
    review: ReviewUnderTest, time: Time
) -> None:
    await review.passed()
    await review.hears(a_submission(round_no=2, revision=3))
    await (await review.desk("region")).claim()
    time.passes(hours=2)

    await review.hears(a_withdrawal())

    [row] = await review.rows("SELECT state, claimed_by, claimed_until FROM reviews")
    assert row == {"state": "at_site", "claimed_by": None, "claimed_until": None}


async def test_a_claim_that_lasts_keeps_it_at_the_region(review: ReviewUnderTest) -> None:
    await review.passed()
    await review.hears(a_submission(round_no=2, revision=3))
    region = await review.desk("region")
    await region.claim()

    await review.hears(a_withdrawal())

    [row] = await review.rows("SELECT state, claimed_by FROM reviews")
    assert row == {"state": "at_region", "claimed_by": region.staff_id}


@pytest.mark.parametrize(
    "work",
    [
        "queue = 'second_look', proposed_opinion = 'rejected', proposed_by = gen_random_uuid()",
        "queue = NULL, act_id = gen_random_uuid()",
    ],
    ids=["a proposal waits", "an act may be undone"],
)
async def test_what_the_region_has_done_keeps_it_there_though_nobody_holds_it(
    review: ReviewUnderTest, work: str
) -> None:
    await review.passed()
    await review.hears(a_submission(round_no=2, revision=3))
    await review.execute(f"UPDATE reviews SET {work}")
    before = await review.rows("SELECT * FROM reviews")

    await review.hears(a_withdrawal())

    assert await review.rows("SELECT * FROM reviews") == before


async def test_an_on_site_application_that_goes_back_to_the_site_waits_with_the_others_on_site(
    review: ReviewUnderTest,
) -> None:
    await review.passed(a_submission(images=(), route="onsite", uploads=False))
    await review.hears(a_submission(round_no=2, revision=3, images=(), route="onsite", uploads=False))

    await review.hears(a_withdrawal())

    assert await review.rows("SELECT state, queue FROM reviews") == [{"state": "at_site", "queue": "onsite"}]
