"""Handing in, returns, and the final opinion, at upload's edges."""

import asyncio
from datetime import UTC, datetime, timedelta

from shared.contracts.upload import ApplicationReopened, ApplicationSubmitted, MaterialUploaded
from tests.builders.events import a_publication, a_return
from tests.builders.images import a_jpeg
from tests.upload.conftest import REQUIRED, Upload


async def test_an_incomplete_application_is_refused_with_every_item_named(upload: Upload) -> None:
    answer = await upload.submit()

    assert (answer.status_code, answer.json()["code"]) == (422, "not-complete")
    assert {each["item"]: each["need"] for each in answer.json()["missing"]} == REQUIRED
    assert await upload.tells(ApplicationSubmitted) == []


async def test_submitting_locks_everything_and_tells_the_exact_images(upload: Upload) -> None:
    uploaded = await upload.fills_checklist()

    answer = await upload.submit()

    assert answer.status_code == 201
    [told] = await upload.tells(ApplicationSubmitted)
    assert (told.round, told.revision, told.pack_version) == (1, 1, 1)
    assert {image.image_id for image in told.images} == {each.image_id for each in uploaded}
    page = await upload.page()
    assert (page["state"], page["locked"], page["can_submit"]) == ("submitted", True, False)
    assert all(item["locked"] for section in page["sections"] for item in section["items"])
    assert page["timeline"][0]["text"]["zh"] == "上报完成，内容已锁定"
    locked = await upload.put("diploma", a_jpeg(99))
    assert (locked.status_code, locked.json()["code"]) == (409, "item-locked")
    removed = await upload.client.delete(uploaded[0].object_key, headers=upload.writes())
    assert removed.status_code in {404, 405}


async def test_an_image_that_is_still_being_checked_does_not_hold_the_submission_up(upload: Upload) -> None:
    await upload.fills_checklist(verdict=None)

    answer = await upload.submit()

    assert answer.status_code == 201
    [told] = await upload.tells(ApplicationSubmitted)
    assert {image.verdict for image in told.images} == {"checking"}


async def test_a_rejected_image_holds_the_submission_up(upload: Upload) -> None:
    uploaded = await upload.fills_checklist()
    await upload.hears(upload.check_of(uploaded[0], "reject", check_no=2))

    answer = await upload.submit()

    assert answer.json()["missing"] == [{"item": uploaded[0].item, "problem": "rejected", "need": 1}]


async def test_twenty_submits_at_once_make_one_submission(upload: Upload) -> None:
    await upload.fills_checklist()

    answers = await asyncio.gather(*(upload.submit() for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"already-submitted"}
    assert len(await upload.tells(ApplicationSubmitted)) == 1


async def test_a_submit_that_is_sent_again_under_its_key_gets_the_same_answer(upload: Upload) -> None:
    await upload.fills_checklist()

    answers = await asyncio.gather(*(upload.submit("key-0000001") for _ in range(5)))

    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({answer.text for answer in answers}) == 1
    assert len(await upload.tells(ApplicationSubmitted)) == 1


async def test_a_post_without_an_idempotency_key_is_refused(upload: Upload) -> None:
    answer = await upload.client.post("/applications/2021110001/submissions", json={}, headers=upload.writes())

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")


async def test_a_return_heard_three_times_unlocks_exactly_its_item_once(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    feedback = a_return(["diploma"])

    for _ in range(3):
        await upload.hears(feedback)

    page = await upload.page()
    unlocked = [item["item"] for section in page["sections"] for item in section["items"] if not item["locked"]]
    assert unlocked == ["diploma"]
    assert [each["items"][0]["words"] for each in page["feedback"]] == ["毕业证编号无法辨认，请重新上传。"]
    assert page["feedback"][0]["at"]
    assert [line["kind"] for line in page["timeline"]] == ["returned", "submitted", "registered"]


async def test_a_return_may_ask_for_any_other_item_of_the_pack(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()

    await upload.hears(a_return(["other"]))

    other = await upload.item("other")
    assert (other["required"], other["asked_for"], other["locked"]) == (True, True, False)
    assert (await upload.submit()).json()["missing"] == [{"item": "other", "problem": "missing", "need": 1}]


async def test_feedback_on_an_older_round_or_revision_changes_nothing(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()

    await upload.hears(a_return(round=1, revision=0 + 2), a_return(round=2, revision=1))

    page = await upload.page()
    assert (page["state"], page["feedback"]) == ("submitted", [])


async def test_a_returned_item_must_change_before_it_is_handed_in_again(upload: Upload) -> None:
    uploaded = await upload.fills_checklist()
    await upload.submit()
    await upload.tells(ApplicationSubmitted)
    await upload.hears(a_return(["diploma"]))
    old = next(each for each in uploaded if each.item == "diploma")

    unchanged = await upload.submit()
    url = f"/applications/{old.application_no}/items/diploma/images/{old.image_id}"
    await upload.client.delete(url, headers=upload.writes())
    await upload.put("diploma", a_jpeg(50))
    [fresh] = await upload.tells(MaterialUploaded)
    resubmitted = await upload.submit()

    assert unchanged.json()["missing"] == [{"item": "diploma", "problem": "unchanged", "need": 0}]
    assert resubmitted.json()["round"] == 2
    [told] = await upload.tells(ApplicationSubmitted)
    assert (told.round, told.revision, told.changed_items) == (2, 2, ("diploma",))
    assert fresh.image_id in {image.image_id for image in told.images}
    assert old.image_id not in {image.image_id for image in told.images}


async def test_an_image_that_fails_after_the_lock_reopens_exactly_its_item(upload: Upload) -> None:
    uploaded = await upload.fills_checklist(verdict=None)
    await upload.submit()
    failed = next(each for each in uploaded if each.item == "diploma")

    await upload.hears(upload.check_of(failed, "reject"))

    [told] = await upload.tells(ApplicationReopened)
    assert (told.round, told.revision, [item.item for item in told.items]) == (1, 2, ["diploma"])
    page = await upload.page()
    assert page["feedback"][0]["tier"] == "system"
    assert [i["item"] for s in page["sections"] for i in s["items"] if not i["locked"]] == ["diploma"]


async def test_an_upload_that_races_the_submit_is_in_it_or_refused(upload: Upload) -> None:
    await upload.fills_checklist()

    put, submit = await asyncio.gather(upload.put("diploma", a_jpeg(77)), upload.submit())

    assert submit.status_code == 201
    [told] = await upload.tells(ApplicationSubmitted)
    late = await upload.tells(MaterialUploaded)
    if put.status_code == 201:
        assert late[0].image_id in {image.image_id for image in told.images}
    else:
        assert (put.status_code, late) == (409, [])


async def test_the_final_opinion_shows_from_its_time_on_and_not_before(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()

    await upload.hears(a_publication(effective_at=datetime.now(UTC) + timedelta(hours=1)))
    before = await upload.page()
    await upload.hears(a_publication(effective_at=datetime.now(UTC) - timedelta(seconds=1)))
    after = await upload.page()

    assert before["opinion"] is None
    assert before["state"] == "submitted"
    assert "published" not in {line["kind"] for line in before["timeline"]}
    assert after["opinion"]["opinion"] == "approved"
    assert after["state"] == "published"
