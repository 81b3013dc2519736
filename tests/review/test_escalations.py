"""What waits longer than its rules allow is marked once, and counted."""

import asyncio
from datetime import timedelta

import pytest

from services.review.use_cases import escalations
from shared.telemetry import metrics
from tests.builders.review import NO, START, a_submission
from tests.review.conftest import ReviewUnderTest, Time
from tests.review.lists import NUMBERS, a_timely_pack


async def late_ones(review: ReviewUnderTest, time: Time, count: int) -> None:
    """So many applications, a minute past their time; and one that is not late."""
    time.shift = START + timedelta(days=5, minutes=1) - time.now()
    await review.hears(a_timely_pack())
    await review.hears(*(a_submission(number, at=START) for number in NUMBERS[:count]))
    await review.hears(a_submission(NUMBERS[count], at=START + timedelta(days=1)))


async def test_what_is_late_is_marked_once_with_a_line_of_history(
    review: ReviewUnderTest, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(escalations, "BATCH", 3)
    await late_ones(review, time, 7)

    marked = [await escalations.escalate(review.service.sessions) for _ in range(2)]

    assert marked == [7, 0]
    lines = await review.rows("SELECT application_no, staff_id FROM history WHERE act = 'escalated' ORDER BY 1")
    assert lines == [{"application_no": number, "staff_id": None} for number in NUMBERS[:7]]


async def test_two_processes_mark_each_once(review: ReviewUnderTest, time: Time) -> None:
    await late_ones(review, time, 20)

    marked = await asyncio.gather(*(escalations.escalate(review.service.sessions) for _ in range(4)))

    assert sum(marked) == 20
    assert len(await review.rows("SELECT 1 FROM history WHERE act = 'escalated'")) == 20


async def test_what_is_with_the_candidate_or_decided_is_not_late(review: ReviewUnderTest, time: Time) -> None:
    await late_ones(review, time, 2)
    await review.execute("UPDATE reviews SET queue = NULL, state = 'returned'")

    assert await escalations.escalate(review.service.sessions) == 0


async def test_a_new_round_may_be_late_again(review: ReviewUnderTest, time: Time) -> None:
    await late_ones(review, time, 1)
    await escalations.escalate(review.service.sessions)

    await review.hears(a_submission(NUMBERS[0], round_no=2, revision=3, at=START + timedelta(days=5)))
    at_once = await escalations.escalate(review.service.sessions)
    time.passes(days=6)
    later = await escalations.escalate(review.service.sessions)

    assert (at_once, later) == (0, 2)


async def test_gauges_say_how_many_are_late_and_how_long_the_oldest_waits(review: ReviewUnderTest, time: Time) -> None:
    await late_ones(review, time, 3)

    await escalations.measure(review.service.sessions)

    assert metrics.REVIEW_OVERDUE.labels("site")._value.get() == 3
    assert metrics.REVIEW_OVERDUE.labels("region")._value.get() == 0
    oldest = metrics.REVIEW_OLDEST_WAITING.labels("site")._value.get()
    assert timedelta(days=5, minutes=1) <= timedelta(seconds=oldest) < timedelta(days=5, minutes=10)
    assert metrics.REVIEW_OLDEST_WAITING.labels("region")._value.get() == 0


async def test_where_nothing_waits_the_gauges_are_nought(review: ReviewUnderTest) -> None:
    await review.execute("DELETE FROM reviews WHERE application_no = :no", no=NO)

    await escalations.measure(review.service.sessions)

    assert metrics.REVIEW_OVERDUE.labels("site")._value.get() == 0
    assert metrics.REVIEW_OLDEST_WAITING.labels("site")._value.get() == 0
