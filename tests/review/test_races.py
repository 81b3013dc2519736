"""Two who act on one application at the same moment: one of them has it, and the other is told why not."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.review.domain import Staff
from services.review.use_cases import acts, claims
from shared.contracts.review import ReviewDecided, ReviewFeedback
from shared.errors import Refusal
from tests.builders.review import NO, a_change, a_submission, a_withdrawal, an_image
from tests.review.conftest import ReviewUnderTest

LEASE = timedelta(minutes=15)
ROUNDS = 6
APPROVED = {"outcome": "approved", "words": ""}


def colleagues(count: int) -> list[Staff]:
    return [Staff(uuid4(), f"s{number}", "同事", "site_reviewer", "15", "1501") for number in range(count)]


async def told(review: ReviewUnderTest) -> tuple[int, int]:
    """How many returns and how many results were told since the last look."""
    return len(await review.tells(ReviewFeedback)), len(await review.tells(ReviewDecided))


async def test_of_two_hundred_claims_one_wins_also_when_it_is_taken_over(review: ReviewUnderTest) -> None:
    await review.has()

    async def try_to_claim(by: Staff) -> str:
        try:
            async with review.service.sessions.begin() as session:
                await claims.claim(session, by, NO, LEASE)
        except Refusal as refusal:
            return refusal.code
        return "claimed"

    first = Counter(await asyncio.gather(*(try_to_claim(by) for by in colleagues(200))))
    await review.execute("UPDATE reviews SET claimed_until = claimed_until - interval '1 hour'")
    second = Counter(await asyncio.gather(*(try_to_claim(by) for by in colleagues(200))))

    assert first == second == {"claimed": 1, "claimed-by-another": 199}


@pytest.mark.parametrize("round_no", range(ROUNDS))
async def test_a_return_and_a_pass_at_once_tell_one_thing(review: ReviewUnderTest, round_no: int) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned()
    asked = [
        site.post(f"/reviews/{NO}/returns"),
        site.delete(f"/reviews/{NO}/items/diploma/mark?revision=1"),
        site.post(f"/reviews/{NO}/passes"),
    ]

    returned, _, passed = await asyncio.gather(*asked[round_no % 3 :], *asked[: round_no % 3])

    answers = [each for each in (returned, _, passed) if each.request.method == "POST"]
    done = [each for each in answers if each.status_code == 201]
    assert len(done) <= 1
    assert sum(await told(review)) == len(done)
    assert {each.status_code for each in answers} - {201} <= {409, 422}


@pytest.mark.parametrize("round_no", range(ROUNDS))
async def test_the_site_s_pass_and_the_region_s_claim_at_once_never_let_both_hold_it(
    review: ReviewUnderTest, round_no: int
) -> None:
    await review.has()
    site, region = await review.desk("site"), await review.desk("region")
    await site.claim()

    async def region_takes_it() -> int:
        await asyncio.sleep(0.001 * round_no)
        claimed = await region.claim()
        if claimed.status_code == 200:
            return (await region.post(f"/reviews/{NO}/decisions", APPROVED)).status_code
        assert claimed.json()["code"] in {"not-in-your-queue", "act-pending"}
        return claimed.status_code

    passed, region_s = await asyncio.gather(site.post(f"/reviews/{NO}/passes"), region_takes_it())

    assert passed.status_code == 201
    assert [event.outcome for event in await review.tells(ReviewDecided)] == (
        ["passed_site", "approved"] if region_s == 201 else ["passed_site"]
    )


async def test_two_tiers_at_once_over_an_act_that_may_be_undone(review: ReviewUnderTest, undoable: Any) -> None:
    await review.has()
    site, region = await review.desk("site"), await review.desk("region")
    await site.claim()
    act = (await site.post(f"/reviews/{NO}/passes")).json()["act"]

    undone, *claimed = await asyncio.gather(
        site.delete(f"/reviews/{NO}/acts/{act['act_id']}"), *(region.claim() for _ in range(5))
    )

    [row] = await review.rows("SELECT state, claimed_by FROM reviews")
    assert undone.status_code == 204
    assert {answer.json()["code"] for answer in claimed} <= {"act-pending", "not-in-your-queue"}
    assert row == {"state": "at_site", "claimed_by": site.staff_id}
    assert await told(review) == (0, 0)


@pytest.mark.parametrize("event", [a_withdrawal(), a_change(), a_submission(round_no=2)], ids=lambda event: event.topic)
@pytest.mark.parametrize("path", ["returns", "passes"])
async def test_an_act_and_a_newer_revision_at_once_come_one_after_the_other(
    review: ReviewUnderTest, path: str, event: Any
) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    if path == "returns":
        await site.mark_returned("other", reason_code="missing")

    answer, _ = await asyncio.gather(site.post(f"/reviews/{NO}/{path}", {"revision": 1}), review.hears(event))

    [row] = await review.rows("SELECT revision, claimed_by, opinion FROM reviews")
    assert row == {"revision": 2, "claimed_by": None, "opinion": None}
    if answer.status_code == 201:
        # It was first; whoever hears it sees by the revision that it is overtaken.
        [event_told] = [*await review.tells(ReviewFeedback), *await review.tells(ReviewDecided)]
        assert event_told.revision == 1
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "revision-changed")
        assert await told(review) == (0, 0)
    assert await review.dead_letters() == 0


@pytest.mark.parametrize("path", ["passes", "returns"])
async def test_a_late_act_on_an_older_round_is_refused_with_what_changed_and_tells_nothing(
    review: ReviewUnderTest, path: str
) -> None:
    old, new = an_image("diploma"), an_image("diploma")
    await review.has(a_submission(images=(old,)))
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned("other", reason_code="missing")
    await review.hears(a_withdrawal(), a_submission(round_no=2, revision=3, images=(new,)))

    without_claim = await site.post(f"/reviews/{NO}/{path}", {"revision": 1})
    await site.claim()
    with_claim = await site.post(f"/reviews/{NO}/{path}", {"revision": 1})

    for answer in (without_claim, with_claim):
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["round"], problem["revision"]) == (
            409, "revision-changed", 2, 3,
        )  # fmt: skip
        assert problem["changes"] == [
            {
                "item": "diploma",
                "title": {"zh": "毕业证书", "en": "毕业证书"},
                "new_images": [str(new.image_id)],
                "removed_images": [str(old.image_id)],
            }
        ]
    assert await told(review) == (0, 0)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_late_mark_or_its_clearing_on_an_older_round_is_refused_with_what_changed(
    review: ReviewUnderTest, method: str
) -> None:
    kept, old, new = an_image("identity"), an_image("diploma"), an_image("diploma")
    await review.has(a_submission(images=(kept, old)))
    site = await review.desk("site")
    await site.claim()
    await site.put(f"/reviews/{NO}/items/identity/mark", {"mark": "accept"})
    await review.hears(a_submission(round_no=2, images=(kept, new), changed=("diploma",)))
    await site.claim()

    if method == "PUT":
        answer = await site.mark_returned("identity", revision=1)
    else:
        answer = await site.delete(f"/reviews/{NO}/items/identity/mark?revision=1")

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["round"], problem["revision"]) == (
        409, "revision-changed", 2, 2,
    )  # fmt: skip
    assert [(change["item"], change["new_images"], change["removed_images"]) for change in problem["changes"]] == [
        ("diploma", [str(new.image_id)], [str(old.image_id)])
    ]
    assert await review.rows("SELECT item, mark FROM marks") == [{"item": "identity", "mark": "accept"}]


async def test_two_reviewers_of_the_region_decide_at_once_and_one_opinion_stands(review: ReviewUnderTest) -> None:
    await review.passed()
    await review.tells(ReviewDecided)
    region, admin = await review.desk("region"), await review.desk("admin")

    async def decides(desk: Any, outcome: str) -> int:
        await desk.claim()
        answer = await desk.post(f"/reviews/{NO}/decisions", {"outcome": outcome, "words": "理由"})
        return int(answer.status_code)

    answers = await asyncio.gather(decides(region, "approved"), decides(admin, "rejected"))

    assert sorted(answers) == [201, 409]
    assert len(await review.rows("SELECT 1 FROM decisions WHERE voided_at IS NULL")) == 1
    assert await told(review) == (0, 1)


async def test_a_claim_s_end_and_the_next_one_s_act_never_both_count(review: ReviewUnderTest) -> None:
    """The first holder's lease has ended: of the two who act now, only the one who holds it does."""
    await review.has()
    first, second = colleagues(2)
    async with review.service.sessions.begin() as session:
        await claims.claim(session, first, NO, LEASE)
    await review.execute(
        "INSERT INTO staff SELECT u.id, u.id::text, display_name, role, region, site, password_hash "
        "FROM staff, unnest(CAST(:ids AS uuid[])) AS u(id) WHERE login = 'site'",
        ids=[first.id, second.id],
    )
    await review.execute("UPDATE reviews SET claimed_until = claimed_until - interval '1 hour'")

    async def passes(by: Staff, claims_first: bool) -> str:
        try:
            async with review.service.sessions.begin() as session:
                if claims_first:
                    await claims.claim(session, by, NO, LEASE)
                edge = review.service.app.state.edge
                await acts.pass_on(session, edge.shelf, by, NO, 1, None, edge.undo)
        except Refusal as refusal:
            return refusal.code
        return "passed"

    asked: list[Coroutine[Any, Any, str]] = [passes(first, claims_first=False), passes(second, claims_first=True)]
    found = await asyncio.gather(*asked)

    assert found[1] == "passed"
    assert found[0] in {"not-claimed", "not-in-your-queue"}
    assert await told(review) == (0, 1)
