"""Checks that come in the wrong order, more than once, or too late."""

import pytest

from shared.contracts.upload import MaterialUploaded
from tests.builders.images import a_jpeg
from tests.upload.conftest import Upload


async def an_upload(upload: Upload) -> MaterialUploaded:
    assert (await upload.put("diploma", a_jpeg())).status_code == 201
    [uploaded] = await upload.tells(MaterialUploaded)
    return uploaded


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["in order", "the wrong way round"])
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_of_two_results_for_one_image_the_newer_counts(
    upload: Upload, order: tuple[int, int], together: bool
) -> None:
    uploaded = await an_upload(upload)
    verdicts = {1: "accept", 2: "review"}
    results = [upload.check_of(uploaded, verdicts[number], check_no=number) for number in order]

    for batch in [results] if together else [[each] for each in results]:
        await upload.hears(*batch)

    [image] = (await upload.item("diploma"))["images"]
    assert image["status"] == "review"


async def test_a_result_for_an_image_that_was_removed_touches_neither_it_nor_what_came_after(upload: Upload) -> None:
    first = await an_upload(upload)
    [shown] = (await upload.item("diploma"))["images"]
    await upload.client.delete(shown["url"], headers=upload.writes())
    second = await an_upload(upload)
    await upload.hears(upload.check_of(second, "accept"))
    before = await upload.page_events()

    await upload.hears(upload.check_of(first, "reject", check_no=9))

    [image] = (await upload.item("diploma"))["images"]
    assert (image["image_id"], image["status"]) == (str(second.image_id), "good")
    assert await upload.page_events() == before
    assert await upload.dead_letters() == 0


async def test_the_other_item_of_a_finding_is_shown(upload: Upload) -> None:
    uploaded = await an_upload(upload)
    check = upload.check_of(uploaded, "review")
    finding = check.findings[0].model_copy(update={"code": "near_duplicate", "other_item": "degree"})

    await upload.hears(check.model_copy(update={"findings": (finding,)}))

    [image] = (await upload.item("diploma"))["images"]
    assert image["findings"][0]["other_item"] == "degree"
