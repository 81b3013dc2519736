"""Warnings before a deadline, and what becomes of an application that was not submitted in time."""

import asyncio
from collections.abc import Callable

import pytest

from services.upload.chores import mind_deadlines
from shared.contracts.upload import ApplicationLapsed, ApplicationReopened, DeadlineNear, MaterialUploaded
from tests.builders.events import a_check, a_publication, a_return
from tests.builders.images import a_jpeg
from tests.upload.conftest import NUMBER, Upload

Later = Callable[[float], None]


async def looks(upload: Upload) -> None:
    """The job runs once."""
    await mind_deadlines(upload.service.sessions, upload.service.app.state.edge.shelf)


async def test_a_draft_is_warned_once_at_each_stage(upload: Upload, time_passes: Later) -> None:
    await upload.has_windows(upload=(-1, 80))
    told = []

    for hours in (0, 10, 20, 30, 18, 0.5, 1):  # 80, 70, 50, 20, 2, 1.5 and 0.5 hours are left
        time_passes(hours)
        await looks(upload)
        await looks(upload)
        told.append([event.hours_left for event in await upload.tells(DeadlineNear)])

    assert told == [[], [72], [], [24], [2], [], []]
    await upload.log_in()
    page = await upload.page()
    assert [line["kind"] for line in page["timeline"]] == ["deadline_near"] * 3 + ["registered"]
    assert page["timeline"][0]["details"][0]["zh"].startswith("距截止不到2小时")
    assert page["deadline"] == {"at": page["windows"]["upload"]["closes_at"], "what": "submit"}
    assert await upload.page_events() == ["deadline_near"] * 3


async def test_of_several_stages_that_are_due_only_the_nearest_is_told(upload: Upload) -> None:
    pack = await upload.has_windows(upload=(-1, 1))

    await looks(upload)

    [told] = await upload.tells(DeadlineNear)
    assert (told.hours_left, told.deadline, told.round) == (2, pack.windows.upload.closes_at, 0)


async def test_a_later_deadline_begins_its_stages_anew(upload: Upload) -> None:
    await upload.has_windows(upload=(-1, 1))
    await looks(upload)
    await upload.has_windows(version=3, upload=(-1, 50))

    await looks(upload)

    assert [event.hours_left for event in await upload.tells(DeadlineNear)] == [2, 72]


async def test_several_processes_at_once_tell_each_thing_once(upload: Upload) -> None:
    for n in range(2, 8):
        await upload.is_registered(revision=1, number=f"202111000{n}")
    await upload.has_windows(upload=(-2, -1))

    await asyncio.gather(*(looks(upload) for _ in range(4)))
    await looks(upload)

    told = await upload.tells(ApplicationLapsed)
    assert sorted(event.application_no for event in told) == [f"202111000{n}" for n in range(1, 8)]
    assert len(await upload.page_events()) == 1


async def test_a_draft_that_was_not_submitted_in_time_lapses_for_good(upload: Upload, time_passes: Later) -> None:
    pack = await upload.has_windows(upload=(-1, 1), change=(-1, 100))
    await upload.put("diploma", a_jpeg())
    time_passes(1)

    await looks(upload)

    [told] = await upload.tells(ApplicationLapsed)
    assert (told.was, told.round, told.revision, told.deadline) == ("draft", 0, 1, pack.windows.upload.closes_at)
    page = await upload.page()
    assert (page["state"], page["can_submit"], page["can_withdraw"], page["deadline"]) == ("lapsed", False, False, None)
    assert "失效" in page["closed"]["zh"]
    assert (page["timeline"][0]["kind"], (await upload.page_events())[-1]) == ("lapsed", "lapsed")
    url = (await upload.item("diploma"))["images"][0]["url"]
    answers = [
        await upload.put("diploma", a_jpeg(1)),
        await upload.client.delete(url, headers=upload.writes()),
        await upload.submit(),
        await upload.post("withdrawals"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "lapsed")] * 4


async def test_what_was_returned_and_not_handed_in_again_lapses_when_the_review_closes(
    upload: Upload, time_passes: Later
) -> None:
    await upload.has_windows(upload=(-1, 0.5), review=(0, 1.5))
    await upload.fills_checklist()
    await upload.submit()
    await upload.hears(a_return(["diploma"]))

    time_passes(1)
    await looks(upload)
    warned = await upload.tells(DeadlineNear)
    lapsed_early = await upload.tells(ApplicationLapsed)
    time_passes(0.5)
    await looks(upload)

    assert [event.hours_left for event in warned] == [2]
    assert lapsed_early == []
    assert [(event.was, event.round) for event in await upload.tells(ApplicationLapsed)] == [("returned", 1)]


async def test_a_withdrawn_application_lapses_when_the_upload_window_closes(upload: Upload, time_passes: Later) -> None:
    await upload.has_windows(upload=(-1, 1), review=(0, 100), change=(-1, 100))
    await upload.fills_checklist()
    await upload.submit()
    await upload.post("withdrawals")

    time_passes(1)
    await looks(upload)

    assert [event.was for event in await upload.tells(ApplicationLapsed)] == ["withdrawn"]


async def test_what_is_submitted_or_published_is_neither_warned_nor_lapses(upload: Upload, time_passes: Later) -> None:
    await upload.has_windows(upload=(-1, 1), review=(-1, 1))
    await upload.fills_checklist()
    await upload.submit()

    await looks(upload)
    await upload.hears(a_return(["diploma"]), a_publication())
    time_passes(1.5)
    await looks(upload)

    assert await upload.tells(DeadlineNear) == []
    assert await upload.tells(ApplicationLapsed) == []


async def test_a_pack_without_an_upload_window_lets_nothing_lapse(upload: Upload, time_passes: Later) -> None:
    await upload.has_windows(upload=None, review=None)

    time_passes(24 * 400)
    await looks(upload)

    assert await upload.tells(ApplicationLapsed) == []


@pytest.mark.parametrize("attempt", range(3))
async def test_submitting_in_the_moment_of_the_deadline_is_taken_or_lapses_but_never_both(
    upload: Upload, time_passes: Later, attempt: int
) -> None:
    await upload.has_windows(upload=(-1, 1))
    await upload.fills_checklist()
    time_passes(1)

    answer, _ = await asyncio.gather(upload.submit(), looks(upload))
    await looks(upload)

    assert (answer.status_code, answer.json()["code"]) in {(409, "window-closed"), (409, "lapsed")}
    assert len(await upload.tells(ApplicationLapsed)) == 1


async def test_a_check_that_comes_after_the_lapse_opens_nothing(upload: Upload, time_passes: Later) -> None:
    await upload.has_windows(upload=(-1, 1))
    await upload.put("diploma", a_jpeg())
    [uploaded] = await upload.tells(MaterialUploaded)
    time_passes(1)
    await looks(upload)

    await upload.hears(a_check(uploaded.image_id, NUMBER, verdict="reject"))

    assert await upload.tells(ApplicationReopened) == []
    assert (await upload.page())["state"] == "lapsed"
