"""What a reviewer returned is refused when it comes again, unless the reviewer allowed it."""

from uuid import UUID, uuid4

from shared.contracts.rules import ItemRule
from shared.contracts.upload import ApplicationSubmitted, MaterialUploaded
from shared.storage import Storage
from tests.builders.events import a_pack, a_return, rules_published
from tests.builders.images import a_jpeg
from tests.upload.conftest import NUMBER, Upload

REFUSED = (422, "returned-image")
GOOD, BAD, OTHER = a_jpeg(101), a_jpeg(102), a_jpeg(103)


async def hands_in(upload: Upload, diploma: bytes) -> UUID:
    """Everything is filled in, the diploma with these bytes, and submitted; returns the diploma's id."""
    await upload.fills_checklist()
    [shown] = (await upload.item("diploma"))["images"]
    await upload.client.delete(shown["url"], headers=upload.writes())
    return await replaces(upload, diploma)


async def replaces(upload: Upload, diploma: bytes) -> UUID:
    """The diploma's image is now this one, and the application submitted; returns the image's id."""
    await takes_off(upload)
    image_id = uuid4()
    answer = await upload.put("diploma", diploma, image_id)
    assert answer.status_code == 201, answer.text
    assert (await upload.submit()).status_code == 201
    return image_id


async def takes_off(upload: Upload) -> None:
    """The diploma has no image any more."""
    for shown in (await upload.item("diploma"))["images"]:
        assert (await upload.client.delete(shown["url"], headers=upload.writes())).status_code == 204


async def is_given_back(upload: Upload, round_no: int, *named: UUID, allowed: bool = False) -> None:
    """Staff return the diploma and name these images."""
    told = await upload.tells(ApplicationSubmitted)
    assert told[-1].round == round_no
    await upload.hears(
        a_return(round=round_no, revision=told[-1].revision, image_ids=named, same_images_allowed=allowed)
    )
    assert (await upload.page())["state"] == "returned"


async def test_returned_bytes_are_refused_for_that_item_and_nothing_is_stored(upload: Upload, storage: Storage) -> None:
    await is_given_back(upload, 1, await hands_in(upload, BAD))
    await upload.tells(MaterialUploaded)
    before = [key async for key, _ in storage.keys(f"{NUMBER}/")]

    answer = await upload.put("diploma", BAD)
    other = await upload.put("diploma", OTHER)

    assert (answer.status_code, answer.json()["code"]) == REFUSED
    assert "退回" in answer.json()["detail"]
    assert answer.json()["detail_en"]
    assert other.status_code == 201
    [told] = await upload.tells(MaterialUploaded)
    assert {key async for key, _ in storage.keys(f"{NUMBER}/")} - set(before) == {told.object_key}


async def test_it_holds_when_the_image_was_removed_since_and_for_its_undo(upload: Upload) -> None:
    image_id = await hands_in(upload, BAD)
    await is_given_back(upload, 1, image_id)
    await takes_off(upload)

    again = await upload.put("diploma", BAD)
    undo = await upload.post(f"items/diploma/images/{image_id}/restorations", {"image_id": str(uuid4())})

    assert (again.status_code, again.json()["code"]) == REFUSED
    assert (undo.status_code, undo.json()["code"]) == REFUSED
    assert (await upload.item("diploma"))["images"] == []


async def test_an_image_that_was_not_named_may_be_brought_back(upload: Upload) -> None:
    image_id = await hands_in(upload, GOOD)
    await is_given_back(upload, 1)
    await takes_off(upload)

    undo = await upload.post(f"items/diploma/images/{image_id}/restorations", {"image_id": str(uuid4())})

    assert undo.status_code == 201


async def test_the_same_bytes_are_taken_under_another_item(upload: Upload) -> None:
    image_id = await hands_in(upload, BAD)
    told = await upload.tells(ApplicationSubmitted)
    both = a_return(("diploma", "degree"), revision=told[-1].revision)
    named = tuple(
        item.model_copy(update={"image_ids": (image_id,) if item.item == "diploma" else ()}) for item in both.items
    )
    await upload.hears(both.model_copy(update={"items": named}))

    elsewhere = await upload.put("degree", BAD)
    there = await upload.put("diploma", BAD)

    assert elsewhere.status_code == 201, elsewhere.text
    assert (there.status_code, there.json()["code"]) == REFUSED


async def test_the_reviewer_may_allow_the_same_images(upload: Upload) -> None:
    await is_given_back(upload, 1, await hands_in(upload, BAD), allowed=True)
    await takes_off(upload)

    answer = await upload.put("diploma", BAD)

    assert answer.status_code == 201


async def test_it_holds_in_later_rounds_until_a_later_return_allows_it(upload: Upload) -> None:
    await is_given_back(upload, 1, await hands_in(upload, BAD))
    second = await replaces(upload, OTHER)
    await is_given_back(upload, 2, second)
    await takes_off(upload)
    still = await upload.put("diploma", BAD)
    third = await replaces(upload, GOOD)
    # It names another image, so that it says nothing of the first one.
    await is_given_back(upload, 3, third, allowed=True)
    await takes_off(upload)
    named_another = await upload.put("diploma", BAD)
    await replaces(upload, GOOD)
    await is_given_back(upload, 4, allowed=True)
    await takes_off(upload)

    allowed = [await upload.put("diploma", body) for body in (BAD, OTHER, GOOD)]

    assert [(each.status_code, each.json()["code"]) for each in (still, named_another)] == [REFUSED] * 2
    assert [each.status_code for each in allowed] == [201] * 3


async def test_a_later_return_of_what_was_allowed_refuses_it_again(upload: Upload) -> None:
    await is_given_back(upload, 1, await hands_in(upload, BAD), allowed=True)
    again = await replaces(upload, BAD)
    await is_given_back(upload, 2, again)
    await takes_off(upload)

    answer = await upload.put("diploma", BAD)

    assert (answer.status_code, answer.json()["code"]) == REFUSED


async def test_an_answer_that_was_lost_is_given_again_for_an_image_that_was_returned_since(upload: Upload) -> None:
    image_id = await hands_in(upload, BAD)
    await is_given_back(upload, 1, image_id)

    again = await upload.put("diploma", BAD, image_id)

    assert again.status_code == 200


async def test_an_image_that_the_system_gave_back_is_no_return(upload: Upload) -> None:
    uploaded = await upload.fills_checklist()
    await upload.submit()
    diploma = next(each for each in uploaded if each.item == "diploma")
    await upload.hears(upload.check_of(diploma, "reject", check_no=2))
    [shown] = (await upload.item("diploma"))["images"]
    body = (await upload.client.get(shown["url"])).content
    await takes_off(upload)

    answer = await upload.put("diploma", body)

    assert answer.status_code == 201


async def test_an_upload_tells_what_the_pack_wants_of_its_item(upload: Upload) -> None:
    pack = a_pack(version=2)
    rule: ItemRule = pack.items["diploma"].model_copy(
        update={"reads": ("name", "certificate_number"), "stricter_checks": ("blurred",)}
    )
    plain: ItemRule = pack.items["trial_assessment"].model_copy(update={"reads": (), "stricter_checks": ()})
    items = pack.items | {"diploma": rule, "trial_assessment": plain}
    await upload.hears(rules_published(pack=pack.model_copy(update={"items": items})))

    await upload.put("diploma", GOOD)
    await upload.put("trial_assessment", GOOD)

    [marked, bare] = await upload.tells(MaterialUploaded)
    assert (marked.year, marked.reads, marked.stricter_checks) == (2021, ("name", "certificate_number"), ("blurred",))
    assert (bare.year, bare.reads, bare.stricter_checks) == (2021, (), ())
