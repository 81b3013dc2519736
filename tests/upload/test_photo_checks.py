"""The photo check: what is asked, what is shown, what is deleted and when."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from services.upload.arriving import Arriving
from services.upload.photo_chores import delete_photos
from shared import clock
from shared.contracts.rules import PhotoRule
from shared.contracts.upload import PhotoCheckRequested
from shared.errors import Unavailable
from shared.security.photo_keys import PhotoKeyFiles
from shared.storage import Storage
from tests.builders.events import PERSON, a_pack, a_registration, rules_published
from tests.builders.images import a_jpeg, a_png
from tests.builders.photos import a_photo, it_failed, it_passed, key_of_photo
from tests.upload.conftest import NUMBER, Upload

Later = Callable[[float], None]
DECLARED = "recent,unaltered"


async def send(
    upload: Upload,
    body: bytes | None = None,
    photo_id: UUID | None = None,
    *,
    declared: str | None = DECLARED,
    number: str = NUMBER,
) -> httpx.Response:
    """The candidate sends a portrait."""
    url = f"/applications/{number}/photo-checks/{photo_id or uuid4()}"
    params = {} if declared is None else {"declared": declared}
    return await upload.client.put(url, content=body or a_jpeg(), params=params, headers=upload.writes())


async def asks(upload: Upload, body: bytes | None = None) -> PhotoCheckRequested:
    """The candidate sends a portrait, and validation is told of it."""
    assert (await send(upload, body)).status_code == 201
    [asked] = await upload.tells(PhotoCheckRequested)
    return asked


async def check_of(upload: Upload, photo_id: UUID) -> dict:
    answer = await upload.client.get(f"/applications/{NUMBER}/photo-checks/{photo_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def chore(upload: Upload, storage: Storage) -> None:
    await delete_photos(upload.service.sessions, storage)


async def kept(storage: Storage, photo_id: UUID) -> list[str]:
    """What lies in the store of one photo check."""
    return [key async for key, _ in storage.keys(f"photos/{NUMBER}/{photo_id}/")]


async def passes(upload: Upload, storage: Storage, photo: bytes, **more: object) -> PhotoCheckRequested:
    """A portrait was sent and became this photo."""
    asked = await asks(upload)
    await storage.put(key_of_photo(asked.photo_id, photo), photo, "image/jpeg")
    await upload.hears(it_passed(asked, photo, **more))
    return asked


async def test_a_portrait_is_stored_declared_told_and_shown_as_checking(upload: Upload, storage: Storage) -> None:
    photo_id, body = uuid4(), a_png()

    answer = await send(upload, body, photo_id)

    assert answer.status_code == 201, answer.text
    [told] = await upload.tells(PhotoCheckRequested)
    assert (told.photo_id, told.content_type, told.rule) == (photo_id, "image/png", PhotoRule())
    assert (told.pack_id, told.pack_version, told.region) == ("neimenggu-2021", 1, "15")
    stored = await storage.get(told.object_key)
    assert hashlib.sha256(stored).hexdigest() == told.sha256
    assert told.object_key == f"photos/{NUMBER}/{photo_id}/{told.sha256[:16]}"
    url = f"/applications/{NUMBER}/photo-checks/{photo_id}"
    assert answer.json() == {
        "photo_id": str(photo_id),
        "status": "checking",
        "requested_at": answer.json()["requested_at"],
        "checked_at": None,
        "findings": [],
        "source_url": f"{url}/picture",
        "photo": None,
        "registered": False,
    }
    shown = await upload.client.get(f"{url}/picture")
    assert (shown.content, shown.headers["content-type"]) == (stored, "image/png")
    assert shown.headers["cache-control"] == "private, no-store"
    async with upload.service.sessions() as session:
        row = (await session.execute(text("SELECT declared, requested_at FROM photo_checks"))).one()
    assert row.declared == ["recent", "unaltered"]
    assert row.requested_at == datetime.fromisoformat(answer.json()["requested_at"])


@pytest.mark.parametrize("declared", [None, "", "recent", "unaltered", "recent,beautified", "RECENT,UNALTERED"])
async def test_a_portrait_without_the_whole_declaration_is_refused_and_leaves_nothing(
    upload: Upload, declared: str | None
) -> None:
    answer = await send(upload, declared=declared)

    assert (answer.status_code, answer.json()["code"]) == (422, "declaration-missing")
    assert "美颜" in answer.json()["detail"]
    assert await upload.tells(PhotoCheckRequested) == []


async def test_the_rule_of_the_candidates_pack_goes_along(upload: Upload) -> None:
    rule = PhotoRule(width_px=413, height_px=531, max_bytes=40_000)
    await upload.hears(rules_published(pack=a_pack(version=2).model_copy(update={"photo": rule})))

    asked = await asks(upload)
    page = await upload.page()

    assert (asked.pack_version, asked.rule) == (2, rule)
    assert page["photo_rule"] == rule.model_dump()


async def test_the_same_portrait_put_five_times_at_once_is_checked_once(upload: Upload) -> None:
    photo_id = uuid4()

    answers = await asyncio.gather(*(send(upload, a_jpeg(), photo_id) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert len(await upload.tells(PhotoCheckRequested)) == 1


async def test_other_bytes_under_the_same_id_are_refused(upload: Upload) -> None:
    photo_id = uuid4()
    await send(upload, a_jpeg(), photo_id)

    answer = await send(upload, a_jpeg(1), photo_id)

    assert (answer.status_code, answer.json()["code"]) == (422, "photo-id-reused")
    assert len(await upload.tells(PhotoCheckRequested)) == 1


async def test_another_candidates_photos_do_not_exist_and_their_ids_are_taken(upload: Upload) -> None:
    asked = await asks(upload)
    await upload.has_candidate("2021110002", PERSON.model_copy(update={"id_number": "999999199001011244"}))
    await upload.log_in("2021110002")
    mine = f"/applications/2021110002/photo-checks/{asked.photo_id}"

    taken = await send(upload, a_jpeg(), asked.photo_id, number="2021110002")
    reads = [await upload.client.get(path) for path in (mine, f"{mine}/picture", f"{mine}/photo")]
    theirs = await upload.client.get(f"/applications/{NUMBER}/photo-checks")

    assert (taken.status_code, taken.json()["code"]) == (409, "photo-id-taken")
    assert [each.json()["code"] for each in reads] == ["photo-not-found"] * 3
    assert (theirs.status_code, theirs.json()["code"]) == (404, "application-not-found")


async def test_what_is_no_portrait_is_refused_with_the_reason(upload: Upload) -> None:
    gif = await send(upload, b"GIF89a" + b"\0" * 50)
    large = await send(upload, a_jpeg() + b"\0" * (10 * 1024 * 1024))

    assert (gif.status_code, gif.json()["code"]) == (415, "unsupported_format")
    assert (large.status_code, large.json()["code"]) == (413, "too_large_bytes")
    assert await upload.tells(PhotoCheckRequested) == []


async def test_five_wait_at_once_and_the_sixth_may_come_when_one_is_answered(upload: Upload) -> None:
    answers = await asyncio.gather(*(send(upload, a_jpeg(n)) for n in range(8)))
    asked = await upload.tells(PhotoCheckRequested)

    await upload.hears(it_failed(asked[0]))
    next_one = await send(upload, a_jpeg(9))

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [429] * 3
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("photo-checks-waiting", "5")
    assert next_one.status_code == 201


async def test_who_sends_slowly_has_no_more_than_five_under_way(upload: Upload) -> None:
    all_in, more = asyncio.Event(), asyncio.Event()
    begun = 0

    async def slowly(n: int) -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        if begun == 5:
            all_in.set()
        yield a_jpeg(n)[:100]
        await more.wait()
        yield a_jpeg(n)[100:]

    async def send_slowly(n: int) -> httpx.Response:
        url = f"/applications/{NUMBER}/photo-checks/{uuid4()}"
        return await upload.client.put(url, content=slowly(n), params={"declared": DECLARED}, headers=upload.writes())

    sending = [asyncio.create_task(send_slowly(n)) for n in range(5)]
    async with asyncio.timeout(20):
        await all_in.wait()
    refused = await send(upload, a_jpeg(9))
    more.set()
    answers = await asyncio.gather(*sending)

    assert (refused.status_code, refused.json()["code"]) == (429, "photo-checks-waiting")
    assert [answer.status_code for answer in answers] == [201] * 5


def test_a_process_takes_in_forty_portraits_at_once_and_then_the_next() -> None:
    arriving = Arriving()

    with ExitStack() as stack:
        for n in range(40):
            stack.enter_context(arriving.one_more(f"A{n // 5:03}"))
        with pytest.raises(Unavailable), arriving.one_more("B001"):
            pass

    with arriving.one_more("B001"):
        pass


async def test_twenty_in_an_hour_are_enough_and_the_answer_says_when_to_come_back(
    upload: Upload, time_passes: Later
) -> None:
    for n in range(20):
        await upload.hears(it_failed(await asks(upload, a_jpeg(n))))

    refused = await send(upload)
    time_passes(1.01)
    later = await send(upload)

    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-photo-checks")
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    assert "60 分钟" in refused.json()["detail"]
    assert later.status_code == 201


async def test_a_failure_is_shown_with_marks_and_words_and_open_pages_hear_of_it(upload: Upload) -> None:
    asked = await asks(upload)
    answer = it_failed(asked, "no_face", "blurred")

    await upload.hears(answer)
    await upload.hears(answer)

    shown = await check_of(upload, asked.photo_id)
    assert (shown["status"], shown["photo"]) == ("failed", None)
    assert shown["checked_at"] is not None
    [first, second] = shown["findings"]
    assert (first["code"], first["severity"], first["measured"], first["limit"]) == ("no_face", "reject", 21.5, 10.0)
    assert first["marks"] == [{"shape": "box", "x1": 0.1, "y1": 0.2, "x2": 0.5, "y2": 0.6}]
    assert first["words"]["zh"]
    assert first["words"]["en"]
    assert second["words"] != first["words"]
    assert await upload.page_events() == ["photo_checked"]


async def test_a_passed_photo_can_be_saved_byte_for_byte_under_a_plain_name(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles
) -> None:
    photo = a_photo(photo_keys)

    asked = await passes(upload, storage, photo)

    shown = await check_of(upload, asked.photo_id)
    assert (shown["status"], shown["findings"]) == ("passed", [])
    assert {name: shown["photo"][name] for name in ("size", "width", "height")} == {
        "size": len(photo),
        "width": 390,
        "height": 567,
    }
    saved = await upload.client.get(shown["photo"]["url"])
    assert saved.content == photo
    assert saved.headers["content-disposition"] == f'attachment; filename="{shown["photo"]["download_name"]}"'
    assert shown["photo"]["download_name"].isascii()
    assert NUMBER not in shown["photo"]["download_name"]
    assert saved.headers["cache-control"] == "private, no-store"


async def test_the_newer_verdict_counts_whichever_comes_first(upload: Upload, photo_keys: PhotoKeyFiles) -> None:
    one, two = await asks(upload), await asks(upload)
    photo = a_photo(photo_keys)

    await upload.hears(it_passed(one, photo, check_no=2))
    await upload.hears(it_failed(one, check_no=1))
    await upload.hears(it_failed(two, check_no=1), it_passed(two, photo, check_no=3), it_failed(two, check_no=2))

    assert (await check_of(upload, one.photo_id))["status"] == "passed"
    assert (await check_of(upload, two.photo_id))["status"] == "passed"
    assert await upload.page_events() == ["photo_checked", "photo_checked"]


async def test_a_verdict_on_an_unknown_photo_or_on_other_bytes_changes_nothing(upload: Upload) -> None:
    asked = await asks(upload)
    await upload.hears(a_registration(upload.keys, "2021110002"))

    await upload.hears(
        it_failed(asked.model_copy(update={"photo_id": uuid4()})),
        it_failed(asked.model_copy(update={"sha256": "0" * 64})),
        it_failed(asked.model_copy(update={"application_no": "2021110002"})),
    )

    assert (await check_of(upload, asked.photo_id))["status"] == "checking"
    assert await upload.page_events() == []
    assert await upload.dead_letters() == 0


async def test_the_list_has_the_newest_twenty_first(upload: Upload, time_passes: Later) -> None:
    ids = []
    for n in range(22):
        if n == 11:
            time_passes(1.5)
            await upload.log_in()
        asked = await asks(upload, a_jpeg(n))
        await upload.hears(it_failed(asked))
        ids.append(str(asked.photo_id))

    answer = await upload.client.get(f"/applications/{NUMBER}/photo-checks")

    assert [each["photo_id"] for each in answer.json()["items"]] == ids[:1:-1]
    assert answer.headers["cache-control"] == "private, no-store"


async def test_the_picture_goes_an_hour_after_the_verdict_and_the_findings_stay(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles, time_passes: Later
) -> None:
    photo = a_photo(photo_keys)
    failed, passed = await asks(upload), await passes(upload, storage, photo)
    await upload.hears(it_failed(failed))

    time_passes(0.9)
    await chore(upload, storage)
    before = [len(await kept(storage, each.photo_id)) for each in (failed, passed)]
    time_passes(0.2)
    await chore(upload, storage)

    assert before == [1, 2]
    assert await kept(storage, failed.photo_id) == []
    assert await kept(storage, passed.photo_id) == [key_of_photo(passed.photo_id, photo)]
    shown = await check_of(upload, failed.photo_id)
    assert (shown["status"], shown["source_url"], len(shown["findings"])) == ("failed", None, 1)
    gone = await upload.client.get(f"/applications/{NUMBER}/photo-checks/{failed.photo_id}/picture")
    assert (gone.status_code, gone.json()["code"]) == (404, "photo-not-found")
    finished = await check_of(upload, passed.photo_id)
    assert (finished["status"], finished["source_url"]) == ("passed", None)
    assert (await upload.client.get(finished["photo"]["url"])).content == photo


async def test_a_finished_photo_expires_with_its_receipt_and_then_goes(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles, time_passes: Later
) -> None:
    asked = await passes(upload, storage, a_photo(photo_keys), expires_at=clock.now() + timedelta(hours=5))

    time_passes(5.1)
    await upload.log_in()
    read = await check_of(upload, asked.photo_id)
    await chore(upload, storage)

    assert (read["status"], read["photo"]) == ("expired", None)
    shown = await check_of(upload, asked.photo_id)
    assert (shown["status"], shown["photo"], shown["source_url"]) == ("expired", None, None)
    assert await kept(storage, asked.photo_id) == []
    gone = await upload.client.get(f"/applications/{NUMBER}/photo-checks/{asked.photo_id}/photo")
    assert gone.status_code == 404


async def test_a_check_that_was_never_answered_expires_in_a_day_and_an_answer_is_taken_all_the_same(
    upload: Upload, storage: Storage, time_passes: Later
) -> None:
    asked = await asks(upload)

    time_passes(23)
    await chore(upload, storage)
    waits = len(await kept(storage, asked.photo_id))
    time_passes(1.5)
    await upload.log_in()
    await chore(upload, storage)
    expired = await check_of(upload, asked.photo_id)
    await upload.hears(it_failed(asked, "gone"))

    assert (waits, await kept(storage, asked.photo_id)) == (1, [])
    assert (expired["status"], expired["source_url"]) == ("expired", None)
    shown = await check_of(upload, asked.photo_id)
    assert (shown["status"], shown["source_url"]) == ("failed", None)


async def test_photos_that_no_verdict_names_any_more_are_swept_away(
    upload: Upload, storage: Storage, photo_keys: PhotoKeyFiles, time_passes: Later
) -> None:
    first, second, stray = (a_photo(photo_keys) for _ in range(3))
    asked = await passes(upload, storage, first)
    for photo in (second, stray):
        await storage.put(key_of_photo(asked.photo_id, photo), photo, "image/jpeg")
    await upload.hears(it_passed(asked, second, check_no=2))

    time_passes(1.1)
    await chore(upload, storage)
    # A verdict that comes this late may have left something, too.
    await storage.put(key_of_photo(asked.photo_id, first), first, "image/jpeg")
    await upload.hears(it_passed(asked, first, check_no=1))
    await chore(upload, storage)

    assert await kept(storage, asked.photo_id) == [key_of_photo(asked.photo_id, second)]
    assert (await check_of(upload, asked.photo_id))["photo"]["size"] == len(second)
