"""New versions of the rules: what follows them, what the candidate is told, and that no image is dropped."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from services.upload.chores import follow_rules, forget_the_past, show_opinions
from shared import clock
from shared.contracts.rules import Pack, RouteRow, Text
from shared.contracts.upload import ApplicationSubmitted
from tests.builders.events import a_pack, a_publication, a_registration, rules_published
from tests.builders.images import a_jpeg
from tests.upload.conftest import NUMBER, Upload


async def looks(upload: Upload) -> None:
    """The chore runs once."""
    await follow_rules(upload.service.sessions, upload.service.app.state.edge.shelf)


def with_item(pack: Pack, code: str, **change: object) -> Pack:
    """The pack with one item changed."""
    return pack.model_copy(update={"items": pack.items | {code: pack.items[code].model_copy(update=change)}})


def without_item(pack: Pack, code: str) -> Pack:
    """The pack without one item."""
    sections = [
        section.model_copy(update={"items": left})
        for section in pack.sections
        if (left := tuple(item for item in section.items if item != code))
    ]
    items = {name: rule for name, rule in pack.items.items() if name != code}
    return pack.model_copy(update={"sections": tuple(sections), "items": items})


async def test_a_draft_follows_and_its_timeline_says_what_is_different(upload: Upload) -> None:
    pack = with_item(a_pack(version=2), "degree", required_when="true", min=2, max=4)
    pack = with_item(pack, "registration_notice", required_when="false")
    await upload.hears(rules_published(pack=pack))

    await looks(upload)
    await looks(upload)

    page = await upload.page()
    assert page["pack"]["version"] == 2
    [line] = [line for line in page["timeline"] if line["kind"] == "rules_changed"]
    words = [detail["zh"] for detail in line["details"]]
    assert any(each.startswith("新增必交：学位证书，至少 2 张") for each in words)
    assert any(each.startswith("不再必交") for each in words)
    assert all(detail["en"] for detail in line["details"])
    assert await upload.page_events() == ["rules_changed"]


async def test_a_version_that_changes_nothing_for_the_candidate_is_not_spoken_of(upload: Upload) -> None:
    first = await upload.page()
    await upload.hears(rules_published(pack=with_item(a_pack(version=2), "internship_form_foreign", min=2)))

    await looks(upload)

    page = await upload.page()
    assert page["pack"]["version"] == 2
    assert [line["kind"] for line in page["timeline"]] == [line["kind"] for line in first["timeline"]]


async def test_a_route_that_takes_no_uploads_any_more_says_that_images_are_kept(upload: Upload) -> None:
    await upload.put("diploma", a_jpeg(5))
    none = RouteRow(when="true", route="onsite", uploads=False, reason=Text(zh="现场审核", en="in person"))
    await upload.hears(rules_published(pack=a_pack(version=2).model_copy(update={"routes": (none,)})))

    await looks(upload)

    page = await upload.page()
    words = [detail["zh"] for detail in page["timeline"][0]["details"]]
    assert words[:2] == [
        "审核方式改为现场审核，无需上传材料（现场审核）",
        "已上传的图片仍然保留，不随报名提交",
    ]
    [diploma] = [item for part in page["sections"] for item in part["items"] if item["item"] == "diploma"]
    assert len(diploma["images"]) == 1


async def test_images_of_an_item_that_was_dropped_stay_are_shown_last_and_only_may_go(upload: Upload) -> None:
    code = "student_card"
    await upload.put(code, a_jpeg(5))
    await upload.fills_checklist()
    await upload.hears(rules_published(pack=without_item(a_pack(version=2), code)))
    await looks(upload)

    page = await upload.page()
    [item] = page["sections"][-1]["items"]
    added = await upload.put(code, a_jpeg(6))
    submitted = await upload.submit()

    assert (item["item"], item["retired"], item["required"], len(item["images"])) == (code, True, False, 1)
    assert item["title"]["zh"] != code
    assert not item["locked"]
    assert any("已不在材料清单中" in detail["zh"] for detail in page["timeline"][0]["details"])
    assert (added.status_code, added.json()["code"]) == (404, "item-not-on-checklist")
    assert submitted.status_code == 201
    [told] = await upload.tells(ApplicationSubmitted)
    assert code not in {image.item for image in told.images}
    [still] = (await upload.page())["sections"][-1]["items"]
    assert (still["item"], still["locked"]) == (code, True)


async def test_a_retired_image_can_be_removed(upload: Upload) -> None:
    await upload.put("student_card", a_jpeg(5))
    await upload.hears(rules_published(pack=without_item(a_pack(version=2), "student_card")))
    url = (await upload.page())["sections"][-1]["items"][0]["images"][0]["url"]

    first = await upload.client.delete(url, headers=upload.writes())
    again = await upload.client.delete(url, headers=upload.writes())

    assert [first.status_code, again.status_code] == [204, 204]
    assert not any(item["retired"] for section in (await upload.page())["sections"] for item in section["items"])


async def test_the_first_submission_binds_the_version_and_says_before_what_changed(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.hears(rules_published(pack=with_item(a_pack(version=2), "registration_notice", required_when="false")))

    await upload.submit()
    await upload.hears(rules_published(version=3))
    await looks(upload)

    page = await upload.page()
    assert page["pack"]["version"] == 2
    assert [line["kind"] for line in page["timeline"]] == ["submitted", "rules_changed", "registered"]


async def test_an_application_that_was_withdrawn_before_it_was_ever_submitted_follows(upload: Upload) -> None:
    await upload.post("withdrawals")
    await upload.hears(rules_published(pack=with_item(a_pack(version=2), "degree", required_when="true")))

    await looks(upload)

    assert (await upload.page())["timeline"][0]["kind"] == "rules_changed"


async def test_several_processes_at_once_write_each_line_once(upload: Upload) -> None:
    numbers = [f"20211100{n:02}" for n in range(2, 22)]
    await upload.hears(*(a_registration(upload.keys, number) for number in numbers))
    await upload.hears(rules_published(pack=with_item(a_pack(version=2), "degree", required_when="true")))

    await asyncio.gather(*(looks(upload) for _ in range(4)))
    await looks(upload)

    assert [await upload.page_events(number) for number in (*numbers, NUMBER)] == [["rules_changed"]] * 21


async def test_registrations_that_came_before_their_rules_are_not_told_of_a_change(upload: Upload) -> None:
    early = a_registration(upload.keys, "2021110002").model_copy(update={"pack_id": "elsewhere-2021"})
    await upload.hears(early)
    pack = a_pack().model_copy(update={"id": "elsewhere-2021"})
    await upload.hears(rules_published(pack=pack))
    await looks(upload)
    changed = with_item(pack, "degree", required_when="true").model_copy(update={"version": 2})
    await upload.hears(rules_published(pack=changed))

    await looks(upload)

    assert await upload.page_events("2021110002") == ["rules_changed"]


async def test_an_opinion_that_takes_effect_later_is_told_of_then_and_once(
    upload: Upload, time_passes: Callable[[float], None]
) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.hears(a_publication(effective_at=clock.now() + timedelta(hours=1)))
    await show_opinions(upload.service.sessions)
    before, events = await upload.page(), await upload.page_events()

    time_passes(1.1)
    await asyncio.gather(*(show_opinions(upload.service.sessions) for _ in range(3)))

    assert (before["opinion"], before["supplements"], events[-1]) == (None, [], "submitted")
    page = await upload.page()
    assert [line["kind"] for line in page["timeline"]] == ["published", "submitted", "registered"]
    assert (await upload.page_events())[-2:] == ["submitted", "published"]


async def test_page_events_that_nobody_comes_back_for_go_and_later_ones_count_on(
    upload: Upload, time_passes: Callable[[float], None]
) -> None:
    await upload.put("diploma", a_jpeg())
    kept = await upload.page_events()
    time_passes(49)

    await forget_the_past(upload.service.sessions)

    assert (kept, await upload.page_events()) == (["image_added"], [])
    await upload.log_in()
    assert (await upload.page())["seq"] == 1
