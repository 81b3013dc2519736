"""When uploading and submitting are possible, whoever asks; and the route without uploads."""

from collections.abc import Callable

from shared.contracts.rules import RouteRow, Text
from shared.contracts.upload import ApplicationSubmitted, MaterialUploaded
from tests.builders.events import a_pack, a_return, rules_published, with_windows
from tests.builders.images import a_jpeg
from tests.upload.conftest import Upload

Later = Callable[[float], None]
_WHY = Text(zh="您是现役军人", en="you serve in the military")


async def test_before_the_upload_window_nothing_is_taken_and_the_page_says_when(upload: Upload) -> None:
    pack = await upload.has_windows(upload=(24, 48))

    put, submitted, page = await upload.put("diploma", a_jpeg()), await upload.submit(), await upload.page()

    assert (put.status_code, put.json()["code"], put.json()["window"]) == (409, "window-closed", "upload")
    assert submitted.json()["code"] == "window-closed"
    assert put.json()["opens_at"] == pack.windows.upload.opens_at.isoformat()
    assert page["closed"] == {"zh": put.json()["detail"], "en": put.json()["detail_en"]}
    assert f"{pack.windows.upload.opens_at:%H:%M}" in page["closed"]["zh"]
    assert all(item["locked"] for section in page["sections"] for item in section["items"])
    assert (page["windows"]["upload"]["open"], page["can_submit"]) == (False, False)


async def test_after_the_upload_window_a_draft_is_neither_changed_nor_submitted(
    upload: Upload, time_passes: Later
) -> None:
    await upload.has_windows(upload=(-1, 1))
    await upload.fills_checklist()
    image = (await upload.item("diploma"))["images"][0]

    time_passes(1)

    removed = await upload.client.delete(image["url"], headers=upload.writes())
    answers = [removed, await upload.put("diploma", a_jpeg(9)), await upload.submit()]
    assert [answer.json()["code"] for answer in answers] == ["window-closed"] * 3
    assert await upload.tells(ApplicationSubmitted) == []
    assert len((await upload.item("diploma"))["images"]) == 1


async def test_what_staff_returned_may_be_mended_until_the_review_closes(upload: Upload, time_passes: Later) -> None:
    await upload.has_windows(upload=(-1, 0.5), review=(0.2, 1.5), change=(-1, 5))
    await upload.fills_checklist()
    await upload.submit()
    await upload.hears(a_return(["diploma"]))

    time_passes(1)
    put = await upload.put("diploma", a_jpeg(40))
    page = await upload.page()
    time_passes(0.5)
    late = await upload.submit()

    assert put.status_code == 201
    assert page["can_submit"]
    assert page["deadline"] == {"at": page["windows"]["review"]["closes_at"], "what": "resubmit"}
    assert (late.status_code, late.json()["code"], late.json()["window"]) == (409, "window-closed", "review")


async def test_a_withdrawn_application_is_bound_by_the_upload_window(upload: Upload, time_passes: Later) -> None:
    await upload.has_windows(upload=(-1, 1), review=(0, 100), change=(-1, 100))
    await upload.fills_checklist()
    await upload.submit()
    time_passes(1.2)
    await upload.post("withdrawals")

    answer = await upload.submit()

    assert (answer.status_code, answer.json()["code"], answer.json()["window"]) == (409, "window-closed", "upload")


async def test_a_window_that_a_pack_lacks_is_always_open(upload: Upload) -> None:
    none = dict.fromkeys(("registration", "upload", "change", "review", "publishing", "payment"))
    await upload.has_windows(**none)
    await upload.fills_checklist()

    page = await upload.page()

    assert (page["windows"], page["deadline"], page["closed"]) == ({}, None, None)
    assert (await upload.submit()).status_code == 201
    assert (await upload.post("withdrawals")).status_code == 201


async def test_under_review_the_page_says_why_nothing_can_be_changed(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()

    page = await upload.page()

    assert "锁定" in page["closed"]["zh"]
    assert page["deadline"] is None


async def test_where_the_route_takes_no_uploads_they_are_refused_with_the_reason_and_submitting_needs_none(
    upload: Upload,
) -> None:
    await upload.hears(rules_published(pack=_pack_without_uploads_for_the_military()))
    await upload.is_registered(military="serving")

    put, page, submitted = await upload.put("diploma", a_jpeg()), await upload.page(), await upload.submit()

    assert (put.status_code, put.json()["code"]) == (409, "no-uploads")
    assert _WHY.zh in put.json()["detail"]
    assert _WHY.en in put.json()["detail_en"]
    assert (page["uploads"], page["missing"], page["can_submit"]) == (False, [], True)
    assert page["route"] == {"route": "onsite", "reason": {"zh": _WHY.zh, "en": _WHY.en}}
    assert _WHY.zh in page["closed"]["zh"]
    assert not any(item["required"] for section in page["sections"] for item in section["items"])
    assert submitted.status_code == 201
    [told] = await upload.tells(ApplicationSubmitted)
    assert (told.uploads, told.images, told.required_items, told.route) == (False, (), (), "onsite")
    assert await upload.tells(MaterialUploaded) == []


async def test_images_from_before_the_route_took_none_are_shown_may_go_and_are_not_handed_in(upload: Upload) -> None:
    await upload.put("diploma", a_jpeg())
    await upload.put("identity", a_jpeg(1))
    await upload.hears(rules_published(pack=_pack_without_uploads_for_the_military()))
    await upload.is_registered(military="serving")

    diploma = await upload.item("diploma")
    removed = await upload.client.delete(diploma["images"][0]["url"], headers=upload.writes())
    await upload.submit()

    assert diploma["retired"]
    assert removed.status_code == 204
    assert len((await upload.item("identity"))["images"]) == 1
    [told] = await upload.tells(ApplicationSubmitted)
    assert told.images == ()


async def test_the_checklist_is_explained_item_by_item(upload: Upload) -> None:
    answer = await upload.client.get("/applications/2021110001/checklist")

    explained = answer.json()
    assert answer.status_code == 200
    assert (explained["pack"], explained["version"], explained["route"]) == ("neimenggu-2021", 1, "online")
    assert {each["item"] for each in explained["items"]} == set(a_pack().ordered_items())
    assert all(each["reason"]["zh"] for each in explained["items"])


async def test_a_submission_tells_what_was_required(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()

    [told] = await upload.tells(ApplicationSubmitted)

    assert set(told.required_items) == {
        item["item"] for section in (await upload.page())["sections"] for item in section["items"] if item["required"]
    }


def _pack_without_uploads_for_the_military() -> object:
    pack = with_windows(a_pack(version=2))
    military = RouteRow(when='military != "none"', route="onsite", uploads=False, reason=_WHY)
    return pack.model_copy(update={"routes": (military, *pack.routes)})
