"""Images at upload's edges: what is taken, what is refused, what is told."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.contracts.upload import MaterialRemoved, MaterialUploaded
from shared.storage import ObjectGone, Storage
from tests.builders.events import PERSON, a_registration
from tests.builders.images import a_jpeg, a_png
from tests.upload.conftest import NUMBER, Upload


async def test_an_image_is_stored_shown_and_told(upload: Upload, storage: Storage) -> None:
    image_id = uuid4()

    answer = await upload.put("diploma", a_jpeg(), image_id)

    assert answer.status_code == 201
    told = await upload.tells(MaterialUploaded)
    assert [(each.image_id, each.item, each.size) for each in told] == [(image_id, "diploma", len(a_jpeg()))]
    assert await storage.get(told[0].object_key) == a_jpeg()
    assert [image["status"] for image in (await upload.item("diploma"))["images"]] == ["checking"]
    shown = await upload.client.get(answer.json()["url"])
    assert (shown.content, shown.headers["content-type"]) == (a_jpeg(), "image/jpeg")


async def test_the_same_image_put_again_has_one_row_one_event_and_the_same_answer(upload: Upload) -> None:
    image_id = uuid4()

    first = await upload.put("diploma", a_jpeg(), image_id)
    again = await upload.put("diploma", a_jpeg(), image_id)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(await upload.tells(MaterialUploaded)) == 1
    assert len((await upload.item("diploma"))["images"]) == 1


async def test_the_same_image_put_ten_times_at_once_has_one_row(upload: Upload) -> None:
    image_id = uuid4()

    answers = await asyncio.gather(*(upload.put("diploma", a_jpeg(), image_id) for _ in range(10)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(await upload.tells(MaterialUploaded)) == 1


async def test_other_bytes_under_the_same_id_are_refused(upload: Upload) -> None:
    image_id = uuid4()
    await upload.put("diploma", a_jpeg(), image_id)

    answer = await upload.put("diploma", a_jpeg(1), image_id)

    assert (answer.status_code, answer.json()["code"]) == (422, "image-id-reused")


async def test_an_id_that_exists_under_another_item_or_candidate_is_refused(upload: Upload) -> None:
    image_id = uuid4()
    await upload.put("diploma", a_jpeg(), image_id)

    other_item = await upload.put("trial_assessment", a_jpeg(), image_id)
    await upload.has_candidate("2021110002", PERSON.model_copy(update={"id_number": "999999199001011244"}))
    await upload.log_in("2021110002")
    other_candidate = await upload.put("diploma", a_jpeg(), image_id, "2021110002")

    assert (other_item.status_code, other_item.json()["code"]) == (409, "image-id-taken")
    assert (other_candidate.status_code, other_candidate.json()["code"]) == (409, "image-id-taken")


async def test_another_candidates_application_does_not_exist(upload: Upload) -> None:
    await upload.hears(a_registration(upload.keys, "2021110002"))

    reads = await upload.client.get("/applications/2021110002")
    writes = await upload.put("diploma", a_jpeg(), number="2021110002")
    unknown = await upload.client.get("/applications/2021119999")

    assert [reads.status_code, writes.status_code, unknown.status_code] == [404, 404, 404]
    assert reads.json() == unknown.json() | {"detail": reads.json()["detail"]}


async def test_an_item_that_is_not_on_the_checklist_is_refused(upload: Upload) -> None:
    answer = await upload.put("no_such_item", a_jpeg())

    assert (answer.status_code, answer.json()["code"]) == (404, "item-not-on-checklist")


async def test_a_fixed_count_that_is_reached_takes_no_more_even_at_once(upload: Upload) -> None:
    answers = await asyncio.gather(*(upload.put("identity", a_jpeg(n)) for n in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"count-reached"}
    assert len((await upload.item("identity"))["images"]) == 3
    assert len(await upload.tells(MaterialUploaded)) == 3


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 422, "empty"),
        (a_jpeg() + b"\0" * (204_801 - len(a_jpeg())), {}, 413, "too_large_bytes"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, 415, "unsupported_format"),
        (b"GIF89a" + b"\0" * 50, {}, 415, "unsupported_format"),
        (a_png(), {"Content-Disposition": 'attachment; filename="a.jpg"'}, 415, "extension_mismatch"),
        (a_jpeg(), {"Content-Disposition": 'attachment; filename="photo"'}, 415, "extension_mismatch"),
        (a_jpeg(), {"Content-Disposition": "attachment; filename*=UTF-8''%E8%AF%81.pdf"}, 415, "extension_mismatch"),
        (a_jpeg(), {"Content-Type": "multipart/form-data; boundary=x"}, 400, "malformed-form"),
    ],
)
async def test_what_is_no_image_of_ours_is_refused_with_the_reason_and_leaves_nothing(
    upload: Upload, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await upload.put("diploma", body, **headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert answer.json()["detail_en"]
    assert (await upload.item("diploma"))["images"] == []
    assert await upload.tells(MaterialUploaded) == []


@pytest.mark.parametrize(
    "disposition",
    [
        'attachment; filename="upper.JPEG"',
        'attachment; filename="mixed.JpG"',
        'attachment; filename="../../../../etc/passwd.jpg"',
        "attachment; filename*=UTF-8''%E6%AF%95%E4%B8%9A%E8%AF%81.jpg",
        "attachment; filename=\"=cmd|'/c calc'!A0.jpg\"",
        'attachment; filename="' + "a" * 300 + '.jpg"',
        "attachment",
        "nonsense;;;=",
    ],
)
async def test_any_honest_name_is_taken_under_a_key_of_our_own(upload: Upload, disposition: str) -> None:
    answer = await upload.put("diploma", a_jpeg(), **{"Content-Disposition": disposition})

    assert answer.status_code == 201
    [told] = await upload.tells(MaterialUploaded)
    assert told.object_key.startswith(f"{NUMBER}/{told.image_id}/")


async def test_exactly_204800_bytes_are_taken(upload: Upload) -> None:
    answer = await upload.put("diploma", a_jpeg() + b"\0" * (204_800 - len(a_jpeg())))

    assert answer.status_code == 201


async def test_an_endless_body_is_refused_at_the_cap(upload: Upload) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield a_jpeg() if sent == 65_536 else b"\0" * 65_536

    answer = await upload.client.put(
        f"/applications/{NUMBER}/items/diploma/images/{uuid4()}", content=endless(), headers=upload.writes()
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large_bytes")
    assert sent < 4_000_000


async def test_a_multipart_form_with_one_file_is_taken(upload: Upload) -> None:
    answer = await upload.client.put(
        f"/applications/{NUMBER}/items/diploma/images/{uuid4()}",
        files={"file": ("毕业证.png", a_png(), "image/png")},
        data={"note": "x"},
        headers=upload.writes(),
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["content_type"] == "image/png"


async def test_a_multipart_form_over_the_cap_or_with_two_files_is_refused(upload: Upload) -> None:
    url = f"/applications/{NUMBER}/items/diploma/images/{uuid4()}"

    large = await upload.client.put(url, files={"file": ("a.jpg", a_jpeg() + b"\0" * 204_800)}, headers=upload.writes())
    two = await upload.client.put(
        url, files=[("file", ("a.jpg", a_jpeg())), ("file", ("b.jpg", a_jpeg()))], headers=upload.writes()
    )

    assert (large.status_code, large.json()["code"]) == (413, "too_large_bytes")
    assert (two.status_code, two.json()["code"]) == (400, "one-file-please")


async def test_a_removed_image_is_gone_for_the_candidate_and_removing_again_is_no_error(
    upload: Upload, storage: Storage
) -> None:
    url = (await upload.put("diploma", a_jpeg())).json()["url"]
    [uploaded] = await upload.tells(MaterialUploaded)

    answers = await asyncio.gather(*(upload.client.delete(url, headers=upload.writes()) for _ in range(2)))

    assert [answer.status_code for answer in answers] == [204, 204]
    assert len(await upload.tells(MaterialRemoved)) == 1
    assert (await upload.item("diploma"))["images"] == []
    assert (await upload.client.get(url)).status_code == 404
    assert await storage.get(uploaded.object_key) == a_jpeg()


async def test_the_object_of_a_removed_image_goes_a_day_later_unless_it_was_handed_in(
    upload: Upload, storage: Storage
) -> None:
    from datetime import timedelta

    from services.upload.chores import delete_removed_objects

    url = (await upload.put("diploma", a_jpeg(7))).json()["url"]
    [uploaded] = await upload.tells(MaterialUploaded)
    await upload.client.delete(url, headers=upload.writes())

    await delete_removed_objects(upload.service.sessions, storage, timedelta(hours=24))
    kept = await storage.get(uploaded.object_key)
    await delete_removed_objects(upload.service.sessions, storage, timedelta(seconds=-1))

    assert kept == a_jpeg(7)
    with pytest.raises(ObjectGone):
        await storage.get(uploaded.object_key)


async def test_a_check_is_shown_and_an_older_one_that_comes_later_changes_nothing(upload: Upload) -> None:
    await upload.put("diploma", a_jpeg())
    [uploaded] = await upload.tells(MaterialUploaded)

    await upload.hears(upload.check_of(uploaded, "reject", check_no=2))
    await upload.hears(upload.check_of(uploaded, "accept", check_no=1))

    [image] = (await upload.item("diploma"))["images"]
    assert image["status"] == "rejected"
    assert image["findings"][0]["words"]["zh"].startswith("图片已损坏")


async def test_a_check_of_a_removed_image_changes_nothing(upload: Upload) -> None:
    url = (await upload.put("diploma", a_jpeg())).json()["url"]
    [uploaded] = await upload.tells(MaterialUploaded)
    await upload.client.delete(url, headers=upload.writes())

    await upload.hears(upload.check_of(uploaded, "gone"))

    assert (await upload.item("diploma"))["images"] == []
