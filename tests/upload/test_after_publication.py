"""A withdrawal, a changed registration or a late verdict that crosses the publication on its way."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.contracts.upload import ApplicationReopened, ApplicationSubmitted, MaterialUploaded
from tests.builders.events import a_pack, a_publication, rules_published
from tests.builders.images import a_jpeg
from tests.upload.conftest import Upload
from tests.upload.test_following import without_item


async def _withdraws(upload: Upload) -> None:
    assert (await upload.post("withdrawals")).status_code == 201


async def _is_reopened(upload: Upload) -> None:
    await upload.is_registered(upgraded_from_junior_college=True, upgrade_entered_on=date(2015, 9, 1))


@pytest.mark.parametrize("crosses", [_withdraws, _is_reopened])
async def test_once_the_opinion_is_published_nothing_can_be_changed_whatever_crossed_it(
    upload: Upload, crosses: Callable[[Upload], Awaitable[None]]
) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await upload.tells(ApplicationSubmitted)
    await crosses(upload)
    await upload.hears(a_publication(revision=1, effective_at=datetime.now(UTC) - timedelta(seconds=1)))

    page = await upload.page()
    added = await upload.put("diploma", a_jpeg(99))
    submitted = await upload.submit()
    withdrawn = await upload.post("withdrawals")

    assert (page["state"], page["can_submit"], page["can_withdraw"], page["missing"]) == ("published", False, False, [])
    assert page["closed"]["en"] == "The final opinion is published: nothing can be changed any more."
    assert all(item["locked"] for section in page["sections"] for item in section["items"])
    assert {answer.status_code for answer in (added, submitted, withdrawn)} == {409}
    assert submitted.json()["code"] == "published"
    assert await upload.tells(ApplicationSubmitted) == []


async def test_before_the_opinion_shows_its_publication_changes_nothing(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.submit()
    await _withdraws(upload)
    before = await upload.page()
    await upload.hears(a_publication(revision=1, effective_at=datetime.now(UTC) + timedelta(hours=1)))
    after = await upload.page()

    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"now", "deadline"}
    assert (await upload.put("diploma", a_jpeg(99))).status_code == 201


async def test_an_image_that_was_not_handed_in_reopens_nothing_when_it_fails_its_check(upload: Upload) -> None:
    await upload.put("student_card", a_jpeg(98))
    [left_over] = await upload.tells(MaterialUploaded)
    await upload.fills_checklist()
    await upload.hears(rules_published(pack=without_item(a_pack(version=2), "student_card")))
    assert (await upload.submit()).status_code == 201

    await upload.hears(upload.check_of(left_over, "reject"))

    page = await upload.page()
    assert (page["state"], page["revision"], page["feedback"]) == ("submitted", 1, [])
    assert await upload.tells(ApplicationReopened) == []
