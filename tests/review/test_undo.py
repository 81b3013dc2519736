"""An act waits ten seconds before it is told: until then it can be undone, and nobody is offered the application."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from services.review.use_cases import pending
from shared import clock
from shared.contracts.event import Event
from shared.contracts.review import ReviewDecided, ReviewFeedback
from tests.builders.review import NO, a_change, a_lapse, a_submission, a_withdrawal, an_image
from tests.review.conftest import Desk, ReviewUnderTest, Time

Tell = Callable[[], Awaitable[None]]
REJECTED = {"outcome": "rejected", "words": "学历不符合要求"}


async def held_at(review: ReviewUnderTest, login: str) -> Desk:
    """The desk of somebody who holds the application, which has come to their tier."""
    await review.has()
    if login == "region":
        await passed_on(review)
    desk = await review.desk(login)
    assert (await desk.claim()).status_code == 200
    return desk


async def passed_on(review: ReviewUnderTest) -> None:
    site = await review.desk("site")
    await site.claim()
    await site.post(f"/reviews/{NO}/passes")
    await review.execute("UPDATE acts SET due_at = :now", now=clock.now())
    await pending.tell_all_due(review.service.sessions)
    await review.tells(ReviewDecided)


async def row_of(review: ReviewUnderTest) -> dict[str, Any]:
    [row] = await review.rows("SELECT * FROM reviews")
    return row


ACTS = [
    ("site", "passes", {"recommends": {"opinion": "rejected", "words": "学历不符"}}, "pass"),
    ("site", "returns", {}, "return"),
    ("region", "returns", {}, "return"),
    ("region", "send-backs", {"words": "请再核对"}, "send_back"),
    ("region", "decisions", {"outcome": "approved", "words": ""}, "decide"),
    ("region", "decisions", REJECTED, "decide"),
]


@pytest.mark.parametrize(("login", "path", "body", "kind"), ACTS)
async def test_an_act_that_is_undone_was_never_told_and_leaves_everything_as_it_was(
    review: ReviewUnderTest, undoable: Tell, time: Time, login: str, path: str, body: dict[str, Any], kind: str
) -> None:
    desk = await held_at(review, login)
    if path == "returns":
        await desk.mark_returned(words="第二页看不清")
    before = await row_of(review)
    marks = await review.rows("SELECT * FROM marks")

    act = (await desk.post(f"/reviews/{NO}/{path}", body)).json()["act"]
    undone = await desk.delete(f"/reviews/{NO}/acts/{act['act_id']}")
    time.passes(seconds=11)
    await undoable()

    after = await row_of(review)
    lease = ("claimed_until",)
    assert act["kind"] == kind
    assert undone.status_code == 204
    assert {name: after[name] for name in after if name not in lease} == {
        name: before[name] for name in before if name not in lease
    }
    assert after["claimed_until"] >= before["claimed_until"]
    assert await review.rows("SELECT * FROM marks") == marks
    assert await review.rows("SELECT 1 FROM decisions") == []
    assert [await review.tells(kind_of) for kind_of in (ReviewFeedback, ReviewDecided)] == [[], []]
    shown = await desk.sees()
    assert (shown["claimed_by_me"], shown["history"][0]["act"], shown["act"]) == (True, "undone", None)


async def test_an_act_is_told_with_its_own_time_once_ten_seconds_are_over(
    review: ReviewUnderTest, undoable: Tell, time: Time
) -> None:
    site = await held_at(review, "site")
    before = clock.now()

    act = (await site.post(f"/reviews/{NO}/passes")).json()["act"]
    acted_by = clock.now()
    time.passes(seconds=9)
    await undoable()
    early = await review.tells(ReviewDecided)
    time.passes(seconds=2)
    await asyncio.gather(*(undoable() for _ in range(4)))
    late = await site.delete(f"/reviews/{NO}/acts/{act['act_id']}")

    told = await review.tells(ReviewDecided)
    assert early == []
    assert [event.outcome for event in told] == ["passed_site"]
    assert before <= told[0].decided_at <= acted_by
    assert (late.status_code, late.json()["code"]) == (409, "act-told")
    assert await (await review.desk("region")).queue("new") == [NO]
    assert [act["ended"] for act in await review.rows("SELECT ended FROM acts")] == ["told"]


async def test_a_return_forgets_its_marks_only_once_it_is_told(
    review: ReviewUnderTest, undoable: Tell, time: Time
) -> None:
    site = await held_at(review, "site")
    await site.put(f"/reviews/{NO}/items/identity/mark", {"mark": "accept"})
    await site.mark_returned()
    await site.post(f"/reviews/{NO}/returns")

    time.passes(seconds=11)
    await undoable()

    [told] = await review.tells(ReviewFeedback)
    assert [item.item for item in told.items] == ["diploma"]
    assert [(row["item"], row["mark"]) for row in await review.rows("SELECT item, mark FROM marks")] == [
        ("identity", "accept")
    ]
    assert (await row_of(review))["returns"] == 1


async def test_while_it_may_be_undone_no_tier_is_offered_it(review: ReviewUnderTest, undoable: Tell) -> None:
    site = await held_at(review, "site")
    site2, region = await review.desk("site2"), await review.desk("region")
    await site.post(f"/reviews/{NO}/passes")

    claims = [await desk.claim() for desk in (site2, region)]
    nexts = [await desk.post("/reviews/claims") for desk in (site2, region)]
    again = await site.post(f"/reviews/{NO}/passes")

    refused = [(answer.status_code, answer.json()["code"]) for answer in [*claims, again]]
    # What goes on at the region is the region's own: the site hears no more than that it is there.
    assert refused == [(409, "not-in-your-queue"), (409, "act-pending"), (409, "not-in-your-queue")]
    assert {(answer.status_code, answer.json()["code"]) for answer in nexts} == {(404, "queue-empty")}
    assert [await desk.queue() for desk in (site2, region)] == [[], []]


async def test_only_who_did_it_sees_it_and_can_undo_it(review: ReviewUnderTest, undoable: Tell) -> None:
    site = await held_at(review, "site")
    site2 = await review.desk("site2")
    act = (await site.post(f"/reviews/{NO}/passes")).json()["act"]

    another_s = await site2.delete(f"/reviews/{NO}/acts/{act['act_id']}")
    none = await site.delete(f"/reviews/{NO}/acts/{uuid4()}")
    foreign = await (await review.desk("otherregion")).delete(f"/reviews/{NO}/acts/{act['act_id']}")

    assert {(answer.status_code, answer.json()["code"]) for answer in (another_s, none)} == {(404, "act-not-found")}
    assert foreign.json()["code"] == "application-not-found"
    assert (await site2.sees())["act"] is None
    assert (await site.sees())["act"] == act


async def test_undoing_twice_is_no_error_and_the_act_can_be_done_again(
    review: ReviewUnderTest, undoable: Tell, time: Time
) -> None:
    site = await held_at(review, "site")
    act = (await site.post(f"/reviews/{NO}/passes")).json()["act"]

    undone = await asyncio.gather(*(site.delete(f"/reviews/{NO}/acts/{act['act_id']}") for _ in range(3)))
    again = await site.post(f"/reviews/{NO}/passes")
    time.passes(seconds=11)
    await undoable()

    assert [answer.status_code for answer in undone] == [204] * 3
    assert again.status_code == 201
    assert len(await review.tells(ReviewDecided)) == 1
    acts = [line["act"] for line in (await site.sees())["history"]]
    assert acts == ["passed", "undone", "passed", "claimed", "submitted"]


async def test_a_repeated_post_gets_its_answer_with_the_act_also_after_it_was_told(
    review: ReviewUnderTest, undoable: Tell, time: Time
) -> None:
    site = await held_at(review, "site")
    key = str(uuid4())
    first = await site.post(f"/reviews/{NO}/passes", key=key)
    time.passes(seconds=11)
    await undoable()

    second = await site.post(f"/reviews/{NO}/passes", key=key)

    assert second.json() == first.json()
    assert len(await review.tells(ReviewDecided)) == 1


@pytest.mark.parametrize(
    "event", [a_withdrawal(), a_lapse(), a_change(), a_submission(round_no=2)], ids=lambda event: event.topic
)
@pytest.mark.parametrize(("login", "path", "body"), [(act[0], act[1], act[2]) for act in ACTS[:5]])
async def test_a_newer_revision_makes_it_void_and_it_is_never_told(
    review: ReviewUnderTest,
    undoable: Tell,
    time: Time,
    login: str,
    path: str,
    body: dict[str, Any],
    event: Event,
) -> None:
    desk = await held_at(review, login)
    if path == "returns":
        await desk.mark_returned(item="other", reason_code="missing")
    act = (await desk.post(f"/reviews/{NO}/{path}", body)).json()["act"]

    await review.hears(event)
    late = await desk.delete(f"/reviews/{NO}/acts/{act['act_id']}")
    time.passes(seconds=11)
    await undoable()

    row = await row_of(review)
    assert (row["act_id"], row["revision"], row["returns"], row["recommended_opinion"]) == (None, 2, 0, None)
    assert (late.status_code, late.json()["code"]) == (409, "act-void")
    assert [await review.tells(kind) for kind in (ReviewFeedback, ReviewDecided)] == [[], []]
    assert await review.rows("SELECT 1 FROM decisions WHERE voided_at IS NULL") == []
    lines = [line["act"] for line in (await desk.sees())["history"]]
    assert lines[1] == "act_void"


async def test_a_pass_that_became_void_leaves_it_with_the_site(review: ReviewUnderTest, undoable: Tell) -> None:
    site = await held_at(review, "site")
    await site.post(f"/reviews/{NO}/passes")
    await review.hears(a_change())

    await review.hears(a_submission(round_no=2, revision=3))

    assert (await site.queue(), await (await review.desk("region")).queue()) == ([NO], [])


async def test_the_words_of_a_return_that_became_void_are_still_there(review: ReviewUnderTest, undoable: Tell) -> None:
    kept = an_image("diploma")
    await review.has(a_submission(images=(kept,)))
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned(words="第二页看不清")
    await site.post(f"/reviews/{NO}/returns")

    await review.hears(a_change())
    await review.hears(a_submission(round_no=2, revision=3, images=(kept,), changed=()))

    items = {item["item"]: item for section in (await site.sees())["sections"] for item in section["items"]}
    assert items["diploma"]["mark"]["words"] == "第二页看不清"


async def test_an_undone_return_is_no_reason_why_an_image_was_replaced(review: ReviewUnderTest, undoable: Tell) -> None:
    old, new = an_image("diploma"), an_image("diploma")
    await review.has(a_submission(images=(old,)))
    site = await review.desk("site")
    await site.claim()
    await site.mark_returned()
    act = (await site.post(f"/reviews/{NO}/returns")).json()["act"]
    await site.delete(f"/reviews/{NO}/acts/{act['act_id']}")

    await review.hears(a_submission(round_no=2, revision=2, images=(new,)))

    images = [image for s in (await site.sees())["sections"] for item in s["items"] for image in item["images"]]
    assert [image["replaced"]["why"] for image in images if not image["current"]] == [[]]


async def test_of_an_undo_and_the_telling_at_the_same_moment_exactly_one_happens(
    review: ReviewUnderTest, undoable: Tell, time: Time
) -> None:
    site = await held_at(review, "site")
    act = (await site.post(f"/reviews/{NO}/passes")).json()["act"]
    time.passes(seconds=11)

    answer, _ = await asyncio.gather(site.delete(f"/reviews/{NO}/acts/{act['act_id']}"), undoable())

    told, row = await review.tells(ReviewDecided), await row_of(review)
    if answer.status_code == 204:
        assert (told, row["state"], row["claimed_by"]) == ([], "at_site", site.staff_id)
    else:
        assert (answer.json()["code"], len(told), row["state"]) == ("act-told", 1, "at_region")


async def test_many_acts_are_told_in_batches_by_several_processes_each_once(
    review: ReviewUnderTest, undoable: Tell, time: Time
) -> None:
    numbers = [f"1501202100{number:04}" for number in range(30)]
    await review.has(*(a_submission(number) for number in numbers))
    site = await review.desk("site")
    for number in numbers:
        await site.claim(number)
        await site.post(f"/reviews/{number}/passes")
    time.passes(seconds=11)

    async def tells(most: int) -> int:
        async with review.service.sessions.begin() as session:
            return await pending.tell_due(session, most)

    batches = [await asyncio.gather(*(tells(4) for _ in range(3))) for _ in range(12)]

    assert sum(sum(batch) for batch in batches) == len(numbers)
    assert max(max(batch) for batch in batches) <= 4
    assert sorted(event.application_no for event in await review.tells(ReviewDecided)) == numbers
    assert len(await (await review.desk("region")).queue()) == len(numbers)


async def test_a_telling_that_is_cut_off_is_told_whole_the_next_time(
    review: ReviewUnderTest, undoable: Tell, time: Time
) -> None:
    site = await held_at(review, "site")
    await site.post(f"/reviews/{NO}/passes")
    time.passes(seconds=11)

    async with review.service.sessions() as session:
        cut_off = await pending.tell_due(session)
        await session.rollback()
    nothing_yet = await review.tells(ReviewDecided)
    await undoable()

    assert (cut_off, nothing_yet) == (1, [])
    assert len(await review.tells(ReviewDecided)) == 1
    assert await (await review.desk("region")).queue() == [NO]
