"""What review tells and what the candidate does, at the same moment: one truth, whichever comes first."""

import asyncio
from uuid import UUID, uuid4

import pytest

from shared.contracts.upload import ApplicationSubmitted, MaterialRemoved, MaterialUploaded
from tests.builders.events import a_return
from tests.builders.images import a_jpeg
from tests.upload.conftest import NUMBER, Upload

TIMES = 4


async def submitted(upload: Upload) -> ApplicationSubmitted:
    """Everything is handed in; what was told on the way is taken away."""
    await upload.fills_checklist()
    assert (await upload.submit()).status_code == 201
    await upload.tells(MaterialUploaded)
    [told] = await upload.tells(ApplicationSubmitted)
    return told


async def unlocked(upload: Upload) -> list[str]:
    page = await upload.page()
    return [item["item"] for section in page["sections"] for item in section["items"] if not item["locked"]]


async def images_of(upload: Upload, code: str) -> set[UUID]:
    return {UUID(image["image_id"]) for image in (await upload.item(code))["images"]}


@pytest.mark.parametrize("round_no", range(TIMES))
async def test_an_unlock_that_races_uploads_takes_each_image_whole_or_refuses_it(upload: Upload, round_no: int) -> None:
    told = await submitted(upload)
    before = await images_of(upload, "diploma")
    fresh = [uuid4() for _ in range(3)]

    async def puts(place: int) -> int:
        await asyncio.sleep(0.004 * place * round_no)
        return (await upload.put("diploma", a_jpeg(200 + place), fresh[place])).status_code

    *answers, _ = await asyncio.gather(
        *(puts(place) for place in range(3)), upload.hears(a_return(["diploma"], revision=told.revision))
    )

    taken = {image_id for image_id, status in zip(fresh, answers, strict=True) if status == 201}
    assert set(answers) <= {201, 409}
    assert await images_of(upload, "diploma") == before | taken
    assert {event.image_id for event in await upload.tells(MaterialUploaded)} == taken
    assert await unlocked(upload) == ["diploma"]


async def test_an_unlock_that_races_uploads_opens_no_other_item(upload: Upload) -> None:
    told = await submitted(upload)
    before = await images_of(upload, "identity")

    *answers, _ = await asyncio.gather(
        *(upload.put("identity", a_jpeg(210 + n)) for n in range(4)),
        upload.hears(a_return(["diploma"], revision=told.revision)),
    )

    assert {answer.status_code for answer in answers} == {409}
    assert await images_of(upload, "identity") == before
    assert await upload.tells(MaterialUploaded) == []


@pytest.mark.parametrize("round_no", range(TIMES))
async def test_an_unlock_that_races_a_removal_leaves_the_handed_in_image_unless_it_was_unlocked_first(
    upload: Upload, round_no: int
) -> None:
    told = await submitted(upload)
    [image] = (await upload.item("diploma"))["images"]

    async def removes() -> int:
        await asyncio.sleep(0.004 * round_no)
        return (await upload.client.delete(image["url"], headers=upload.writes())).status_code

    status, _ = await asyncio.gather(removes(), upload.hears(a_return(["diploma"], revision=told.revision)))

    gone = await images_of(upload, "diploma") == set()
    assert (status, gone) in {(204, True), (409, False)}
    assert len(await upload.tells(MaterialRemoved)) == int(gone)


@pytest.mark.parametrize("round_no", range(TIMES))
async def test_a_submit_that_races_an_unlock_hands_nothing_in_that_was_not_changed(
    upload: Upload, round_no: int
) -> None:
    told = await submitted(upload)

    async def submits() -> tuple[int, str]:
        await asyncio.sleep(0.004 * round_no)
        answer = await upload.submit()
        return answer.status_code, answer.json()["code"]

    *answers, _ = await asyncio.gather(
        *(submits() for _ in range(3)), upload.hears(a_return(["diploma"], revision=told.revision))
    )

    # Before the unlock it is submitted already, after it the returned item is unchanged.
    assert set(answers) <= {(409, "already-submitted"), (422, "not-complete")}
    page = await upload.page()
    assert (page["state"], page["round"], await unlocked(upload)) == ("returned", 1, ["diploma"])
    assert await upload.tells(ApplicationSubmitted) == []


@pytest.mark.parametrize("round_no", range(TIMES))
async def test_a_submit_that_races_a_late_unlock_of_the_older_round_stays_locked(upload: Upload, round_no: int) -> None:
    told = await submitted(upload)
    await upload.hears(a_return(["diploma"], revision=told.revision))
    [old] = (await upload.item("diploma"))["images"]
    await upload.client.delete(old["url"], headers=upload.writes())
    await upload.put("diploma", a_jpeg(220))

    async def late_unlock() -> None:
        await asyncio.sleep(0.004 * round_no)
        await upload.hears(a_return(["identity"], round=told.round, revision=told.revision))

    answer, _ = await asyncio.gather(upload.submit(), late_unlock())
    await upload.hears(a_return(["identity"], round=told.round, revision=told.revision))

    page = await upload.page()
    if answer.status_code == 201:
        [again] = await upload.tells(ApplicationSubmitted)
        assert (again.round, again.revision) == (2, told.revision + 1)
        assert (page["state"], page["locked"], await unlocked(upload)) == ("submitted", True, [])
    else:
        # Heard first, it speaks of the present submission still, which the candidate had not handed in again.
        assert (answer.status_code, answer.json()["code"]) == (422, "not-complete")
        assert page["state"] == "returned"


async def test_an_upload_that_began_before_the_submit_is_not_in_a_locked_item_afterwards(upload: Upload) -> None:
    await upload.fills_checklist()
    await upload.tells(MaterialUploaded)

    *puts, submit = await asyncio.gather(
        *(upload.put("diploma", a_jpeg(230 + n)) for n in range(3)), upload.submit(number=NUMBER)
    )

    [told] = await upload.tells(ApplicationSubmitted)
    handed_in = {image.image_id for image in told.images if image.item == "diploma"}
    assert submit.status_code == 201
    assert {answer.status_code for answer in puts} <= {201, 409}
    assert await images_of(upload, "diploma") == handed_in
    assert {event.image_id for event in await upload.tells(MaterialUploaded)} <= handed_in
