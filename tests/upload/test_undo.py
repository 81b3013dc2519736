"""Bringing a removed image back, and handing in one of poor quality after a warning."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.upload.chores import delete_removed_objects
from shared.contracts.upload import ApplicationReopened, ApplicationSubmitted, MaterialUploaded
from shared.contracts.validation import Finding, MaterialChecked
from shared.storage import Storage
from tests.builders.images import a_jpeg
from tests.upload.conftest import Upload

Later = Callable[[float], None]


async def a_removed_image(upload: Upload, item: str = "diploma", shade: int = 1) -> str:
    url = (await upload.put(item, a_jpeg(shade))).json()["url"]
    await upload.tells(MaterialUploaded)
    await upload.client.delete(url, headers=upload.writes())
    return url.removeprefix("/applications/2021110001/")


def blurred(uploaded: MaterialUploaded, *more: str, check_no: int = 1) -> MaterialChecked:
    findings = tuple(Finding(code=code, severity="reject", measured=1, limit=2) for code in ("blurred", *more))
    return Upload.check_of(uploaded, "reject", check_no=check_no).model_copy(
        update={"findings": findings, "reason": "blurred"}
    )


async def test_a_removed_image_comes_back_under_a_new_id_and_is_checked_anew(upload: Upload, storage: Storage) -> None:
    path, new = await a_removed_image(upload), uuid4()

    answer = await upload.post(f"{path}/restorations", {"image_id": str(new)})

    assert (answer.status_code, answer.json()["image_id"], answer.json()["status"]) == (201, str(new), "checking")
    [told] = await upload.tells(MaterialUploaded)
    assert (told.image_id, await storage.get(told.object_key)) == (new, a_jpeg(1))
    assert [image["image_id"] for image in (await upload.item("diploma"))["images"]] == [str(new)]
    assert (await upload.client.get(answer.json()["url"])).content == a_jpeg(1)
    assert (await upload.page_events())[-3:] == ["image_added", "image_removed", "image_added"]


async def test_two_tabs_that_undo_the_same_removal_bring_one_image_back(upload: Upload) -> None:
    path = await a_removed_image(upload)

    answers = await asyncio.gather(*(upload.post(f"{path}/restorations", {"image_id": str(uuid4())}) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert [a.json()["code"] for a in answers if a.status_code == 409] == ["already-restored"]
    assert len((await upload.item("diploma"))["images"]) == 1


async def test_the_same_undo_sent_again_gets_the_same_answer(upload: Upload) -> None:
    path, body = await a_removed_image(upload), {"image_id": str(uuid4())}
    headers = upload.writes(**{"Idempotency-Key": "restore-0001"})
    url = f"/applications/2021110001/{path}/restorations"

    answers = [await upload.client.post(url, json=body, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len(await upload.tells(MaterialUploaded)) == 1


async def test_an_undo_keeps_to_lock_count_and_time(upload: Upload, time_passes: Later, storage: Storage) -> None:
    await upload.has_windows(upload=(-1, 100))
    full = await a_removed_image(upload, "identity")
    for n in range(3):
        await upload.put("identity", a_jpeg(10 + n))
    late = await a_removed_image(upload)
    gone = await a_removed_image(upload, "trial_assessment", 3)

    over = await upload.post(f"{full}/restorations", {"image_id": str(uuid4())})
    missing = await upload.post(f"items/diploma/images/{uuid4()}/restorations", {"image_id": str(uuid4())})
    there = (await upload.item("identity"))["images"][0]["image_id"]
    not_removed = await upload.post(f"items/identity/images/{there}/restorations", {"image_id": str(uuid4())})
    await delete_removed_objects(upload.service.sessions, storage, timedelta(seconds=-1))
    deleted = await upload.post(f"{gone}/restorations", {"image_id": str(uuid4())})
    time_passes(25)
    await upload.log_in()
    too_late = await upload.post(f"{late}/restorations", {"image_id": str(uuid4())})

    assert [(a.status_code, a.json()["code"]) for a in (over, missing, not_removed, deleted, too_late)] == [
        (409, "count-reached"),
        (404, "image-not-found"),
        (409, "not-removed"),
        (409, "too-late-to-restore"),
        (409, "too-late-to-restore"),
    ]


async def test_nothing_comes_back_into_what_was_just_locked(upload: Upload) -> None:
    await upload.fills_checklist()
    path = await a_removed_image(upload)
    await upload.submit()

    answer = await upload.post(f"{path}/restorations", {"image_id": str(uuid4())})

    assert (answer.status_code, answer.json()["code"]) == (409, "item-locked")


async def test_an_image_of_poor_quality_is_handed_in_after_a_warning_and_marked(upload: Upload) -> None:
    uploaded = await upload.fills_checklist()
    diploma = next(each for each in uploaded if each.item == "diploma")
    await upload.hears(blurred(diploma, check_no=2))
    [before] = (await upload.item("diploma"))["images"]

    answer = await upload.post(f"items/diploma/images/{diploma.image_id}/confirmations")
    again = await upload.post(f"items/diploma/images/{diploma.image_id}/confirmations")

    assert (before["status"], before["may_confirm"]) == ("rejected", True)
    assert (answer.status_code, answer.json()["status"], again.status_code) == (200, "confirmed", 200)
    [image] = (await upload.item("diploma"))["images"]
    assert (image["status"], image["may_confirm"]) == ("confirmed", False)
    assert (await upload.submit()).status_code == 201
    [told] = await upload.tells(ApplicationSubmitted)
    assert {each.image_id for each in told.images if each.confirmed} == {diploma.image_id}
    assert next(each.verdict for each in told.images if each.confirmed) == "review"


@pytest.mark.parametrize("code", ["corrupt", "active_content", "unsupported_format", "gone"])
async def test_what_is_wrong_beyond_quality_can_not_be_confirmed(upload: Upload, code: str) -> None:
    await upload.put("diploma", a_jpeg())
    [uploaded] = await upload.tells(MaterialUploaded)
    await upload.hears(blurred(uploaded, code))

    answer = await upload.post(f"items/diploma/images/{uploaded.image_id}/confirmations")

    assert (answer.status_code, answer.json()["code"]) == (409, "not-confirmable")
    assert not (await upload.item("diploma"))["images"][0]["may_confirm"]


async def test_an_image_that_was_not_rejected_or_is_not_there_has_nothing_to_confirm(upload: Upload) -> None:
    await upload.put("diploma", a_jpeg())
    [uploaded] = await upload.tells(MaterialUploaded)

    checking = await upload.post(f"items/diploma/images/{uploaded.image_id}/confirmations")
    absent = await upload.post(f"items/diploma/images/{UUID(int=1)}/confirmations")

    assert [checking.json()["code"], absent.json()["code"]] == ["not-confirmable", "image-not-found"]


async def test_a_confirmed_image_stays_so_when_it_is_checked_again_and_nothing_else_is_wrong(upload: Upload) -> None:
    uploaded = await upload.fills_checklist()
    diploma = next(each for each in uploaded if each.item == "diploma")
    await upload.hears(blurred(diploma, check_no=2))
    await upload.post(f"items/diploma/images/{diploma.image_id}/confirmations")
    await upload.submit()

    await upload.hears(blurred(diploma, check_no=3))
    kept = (await upload.page())["state"]
    await upload.hears(blurred(diploma, "corrupt", check_no=4))

    assert kept == "submitted"
    assert [event.cause for event in await upload.tells(ApplicationReopened)] == ["image_failed"]
    assert (await upload.item("diploma"))["images"][0]["status"] == "rejected"


async def test_a_blurred_image_that_reopened_its_item_may_be_confirmed_and_handed_in_again(upload: Upload) -> None:
    uploaded = await upload.fills_checklist(verdict=None)
    await upload.submit()
    diploma = next(each for each in uploaded if each.item == "diploma")
    await upload.hears(blurred(diploma))

    await upload.post(f"items/diploma/images/{diploma.image_id}/confirmations")

    assert (await upload.submit()).status_code == 201


async def test_open_pages_are_told_of_checks_once_a_batch(upload: Upload) -> None:
    uploaded = await upload.fills_checklist(verdict=None)

    await upload.hears(*(upload.check_of(each) for each in uploaded))

    assert (await upload.page_events()) == ["image_added"] * len(uploaded) + ["image_checked"]
    assert (await upload.page())["seq"] == len(uploaded) + 1
