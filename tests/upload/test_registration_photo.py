"""The registration photo: verified, kept byte for byte, accepted once, handed in."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from services.upload.photo_chores import delete_photos
from shared import clock
from shared.contracts.upload import ApplicationSubmitted, PhotoCheckRequested
from shared.security.photo_keys import PhotoKeyFiles, PublicKeys
from shared.storage import ObjectGone, Storage
from tests.builders.events import a_return
from tests.builders.images import a_jpeg
from tests.builders.photos import a_photo, it_passed, key_of_photo
from tests.upload.conftest import NUMBER, Upload

Later = Callable[[float], None]
URL = f"/applications/{NUMBER}/registration-photo"


async def register(
    upload: Upload, body: bytes, key: str | None = None, declared: str | None = "recent,unaltered"
) -> httpx.Response:
    """The candidate hands in a registration photo."""
    params = {} if declared is None else {"declared": declared}
    headers = upload.writes(**{"Idempotency-Key": key or str(uuid4()), "Content-Type": "image/jpeg"})
    return await upload.client.post(URL, content=body, params=params, headers=headers)


async def objects(storage: Storage) -> dict[str, int]:
    """Registration photos in the store."""
    return {key: size async for key, size in storage.keys(f"photos/{NUMBER}/registered/")}


@pytest.fixture(autouse=True)
async def _empty_store(storage: Storage) -> None:
    for key in await objects(storage):
        await storage.delete(key)


async def test_a_photo_with_its_receipt_is_kept_byte_for_byte_and_shown(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles
) -> None:
    before = (await upload.page())["registration_photo"]
    photo = a_photo(photo_keys)

    answer = await register(upload, photo)

    assert (before, answer.status_code) == (None, 201)
    said = answer.json()
    assert (said["sha256"], said["size"]) == (hashlib.sha256(photo).hexdigest(), len(photo))
    assert (said["pack"], said["url"]) == ("neimenggu-2021@1", URL)
    assert said["key_id"] == photo_keys.all()[-1].id
    read = await upload.client.get(URL)
    assert (read.content, read.headers["content-type"]) == (photo, "image/jpeg")
    assert read.headers["cache-control"] == "private, no-store"
    page = await upload.page()
    shown = page["registration_photo"]
    assert (shown["url"], shown["size"]) == (URL, len(photo))
    assert datetime.fromisoformat(shown["accepted_at"]) == datetime.fromisoformat(said["accepted_at"])
    assert page["timeline"][0]["kind"] == "photo_registered"
    assert await upload.page_events() == ["photo_registered"]
    assert list((await objects(storage)).values()) == [len(photo)]


async def test_a_receipt_is_accepted_once_and_the_same_request_gets_the_same_answer(
    upload: Upload, photo_keys: PhotoKeyFiles, time_passes: Later
) -> None:
    photo, key = a_photo(photo_keys, days=0.1), str(uuid4())
    first = await register(upload, photo, key)

    used = await register(upload, photo)
    time_passes(3)
    await upload.log_in()
    again = await register(upload, photo, key)
    expired = await register(upload, photo)
    other = await register(upload, a_photo(photo_keys), key)

    assert (again.status_code, again.json()) == (201, first.json())
    assert (used.status_code, used.json()["code"]) == (422, "receipt_used")
    assert (expired.status_code, expired.json()["code"]) == (422, "receipt_expired")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_one_photo_handed_in_ten_times_at_once_is_accepted_once(
    upload: Upload, photo_keys: PhotoKeyFiles
) -> None:
    photo = a_photo(photo_keys)

    answers = await asyncio.gather(*(register(upload, photo) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"receipt_used"}
    assert await upload.page_events() == ["photo_registered"]


def _without_receipt(_keys: PhotoKeyFiles) -> bytes:
    return a_jpeg()


def _a_changed_byte(keys: PhotoKeyFiles) -> bytes:
    photo = bytearray(a_photo(keys))
    photo[-40] ^= 1
    return bytes(photo)


def _something_behind(keys: PhotoKeyFiles) -> bytes:
    return a_photo(keys) + b"x"


def _another_candidates(keys: PhotoKeyFiles) -> bytes:
    return a_photo(keys, "2021110002")


def _expired(keys: PhotoKeyFiles) -> bytes:
    return a_photo(keys, issued_at=clock.now() - timedelta(days=2), days=1)


def _no_jpeg(_keys: PhotoKeyFiles) -> bytes:
    return b"\xff\xd8\xff\xe0" + b"\0" * 100


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (_without_receipt, "receipt_missing"),
        (_a_changed_byte, "photo_changed"),
        (_something_behind, "photo_changed"),
        (_another_candidates, "other_candidate"),
        (_expired, "receipt_expired"),
        (_no_jpeg, "not_a_jpeg"),
    ],
)
async def test_what_was_not_checked_for_this_candidate_or_was_changed_is_refused_with_the_reason(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles, bad: Callable[[PhotoKeyFiles], bytes], code: str
) -> None:
    answer = await register(upload, bad(photo_keys))

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"]
    assert answer.json()["detail_en"]
    assert (await upload.page())["registration_photo"] is None
    assert await objects(storage) == {}


async def test_a_photo_signed_with_an_unknown_or_a_retired_key_is_refused(
    upload: Upload, photo_keys: PhotoKeyFiles, tmp_path: Path
) -> None:
    others = PhotoKeyFiles(tmp_path / "photo-keys.json")
    others.new(clock.now())
    old = photo_keys.all()[-1]
    photo = a_photo(photo_keys)
    photo_keys.new(clock.now())
    photo_keys.retire(old.id, clock.now())

    unknown = await register(upload, a_photo(others))
    retired = await register(upload, photo)

    assert (unknown.status_code, unknown.json()["code"]) == (422, "key_unknown")
    assert (retired.status_code, retired.json()["code"]) == (422, "key_retired")


async def test_without_keys_the_operator_is_told_what_to_do(
    upload: Upload, photo_keys: PhotoKeyFiles, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    edge = upload.service.app.state.edge
    photo = a_photo(photo_keys)
    answers = []

    for keys in (None, PublicKeys(tmp_path / "missing.public.json")):
        with monkeypatch.context() as patch:
            patch.setitem(edge.__dict__, "photo_keys", keys)
            answers.append(await register(upload, photo))

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(503, "photo-keys-missing")] * 2
    assert "PHOTO_PUBLIC_KEYS_FILE" in answers[0].json()["detail_en"]
    assert answers[0].headers["retry-after"]
    assert (await register(upload, photo)).status_code == 201


async def test_something_must_have_been_declared_with_it_or_with_a_photo_check(
    upload: Upload, photo_keys: PhotoKeyFiles
) -> None:
    photo = a_photo(photo_keys)

    without = await register(upload, photo, declared=None)
    half = await register(upload, photo, declared="recent")
    check = await upload.client.put(
        f"/applications/{NUMBER}/photo-checks/{uuid4()}",
        content=a_jpeg(),
        params={"declared": "recent,unaltered"},
        headers=upload.writes(),
    )
    after = await register(upload, photo, declared=None)

    assert [(each.status_code, each.json()["code"]) for each in (without, half)] == [(422, "declaration-missing")] * 2
    assert (check.status_code, after.status_code) == (201, 201)


async def test_a_file_that_is_too_large_is_refused(upload: Upload) -> None:
    answer = await register(upload, a_jpeg() + b"\0" * 200_000)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large_bytes")


async def test_the_submission_tells_the_photo_and_locks_it(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles
) -> None:
    photo = a_photo(photo_keys)
    await upload.fills_checklist()
    await register(upload, photo)

    await upload.submit()
    late = await register(upload, a_photo(photo_keys))

    [told] = await upload.tells(ApplicationSubmitted)
    assert told.registration_photo is not None
    assert told.registration_photo.sha256 == hashlib.sha256(photo).hexdigest()
    assert await storage.get(told.registration_photo.object_key) == photo
    assert (late.status_code, late.json()["code"]) == (409, "item-locked")
    assert (await upload.client.get(URL)).content == photo


async def test_a_submission_without_a_photo_tells_none(upload: Upload) -> None:
    await upload.fills_checklist()

    await upload.submit()

    [told] = await upload.tells(ApplicationSubmitted)
    assert told.registration_photo is None


async def test_outside_the_window_no_photo_is_taken(upload: Upload, photo_keys: PhotoKeyFiles) -> None:
    await upload.has_windows(upload=(-48, -1))

    answer = await register(upload, a_photo(photo_keys))

    assert (answer.status_code, answer.json()["code"]) == (409, "window-closed")


async def test_a_replaced_photo_goes_a_day_later_unless_it_was_handed_in(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles, time_passes: Later
) -> None:
    never, handed_in, newest = (a_photo(photo_keys, shade=n) for n in (1, 2, 3))
    await upload.fills_checklist()
    await register(upload, never)
    await register(upload, handed_in)
    await upload.submit()
    await upload.hears(a_return())
    replaced = await register(upload, newest)

    time_passes(23)
    await delete_photos(upload.service.sessions, storage)
    before = sorted((await objects(storage)).values())
    time_passes(2)
    await delete_photos(upload.service.sessions, storage)

    assert replaced.status_code == 201
    assert before == sorted(len(each) for each in (never, handed_in, newest))
    assert sorted((await objects(storage)).values()) == sorted(len(each) for each in (handed_in, newest))
    await upload.log_in()
    assert (await upload.client.get(URL)).content == newest
    kinds = [line["kind"] for line in (await upload.page())["timeline"]]
    assert kinds == ["photo_registered", "returned", "submitted", "photo_registered", "photo_registered", "registered"]


async def test_a_finished_photo_stays_where_it_became_the_registration_photo_until_that_is_replaced(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles, time_passes: Later
) -> None:
    await upload.has_windows(upload=(-1, 1000))
    photo, photo_id = a_photo(photo_keys), uuid4()
    check = f"/applications/{NUMBER}/photo-checks/{photo_id}"
    headers, params = upload.writes(), {"declared": "recent,unaltered"}
    await upload.client.put(check, content=a_jpeg(), params=params, headers=headers)
    [asked] = await upload.tells(PhotoCheckRequested)
    finished = key_of_photo(photo_id, photo)
    await storage.put(finished, photo, "image/jpeg")
    await upload.hears(it_passed(asked, photo, expires_at=clock.now() + timedelta(hours=2)))
    await register(upload, photo, declared=None)

    time_passes(2.5)
    await upload.log_in()
    await delete_photos(upload.service.sessions, storage)
    stays = (await upload.client.get(check)).json()
    await register(upload, a_photo(photo_keys, shade=1), declared=None)
    replaced = (await upload.client.get(check)).json()
    await delete_photos(upload.service.sessions, storage)

    assert (stays["status"], stays["photo"]["size"]) == ("passed", len(photo))
    assert (replaced["status"], replaced["photo"]) == ("expired", None)
    with pytest.raises(ObjectGone):
        await storage.get(finished)


async def test_before_any_photo_is_accepted_there_is_none_to_read(upload: Upload) -> None:
    answer = await upload.client.get(URL)

    assert (answer.status_code, answer.json()["code"]) == (404, "photo-not-found")
