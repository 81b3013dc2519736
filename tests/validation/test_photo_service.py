"""Validation as a photo studio: it hears of portraits, and tells verdicts and finished photos with a receipt."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.validation.photos import NoKeysFile, Photos
from services.validation.workers import Done, Task
from shared.contracts.validation import PhotoChecked
from shared.errors import Transient
from shared.images.receipt import MOST_RECEIPT_BYTES, read_receipt, verify
from shared.security.photo_keys import PhotoKeyFiles, PublicKeys
from tests.builders.papers import a_paper
from tests.validation.conftest import NUMBER, Validation, a_photo_check


async def test_a_portrait_without_a_face_fails_and_says_where_and_why(validation: Validation) -> None:
    asked = await validation.is_given_portrait(a_paper())

    await validation.hears(asked)

    [told] = await validation.tells(PhotoChecked)
    assert (told.photo_id, told.application_no, told.check_no) == (asked.photo_id, NUMBER, 1)
    assert (told.verdict, told.photo, told.sha256) == ("fail", None, asked.sha256)
    assert told.findings[0].code == "no_face"


async def test_what_passes_lies_in_the_store_at_the_official_size_with_a_receipt_that_verifies(
    validation: Validation, photo_keys: PhotoKeyFiles, good_portrait: bytes
) -> None:
    asked = await validation.is_given_portrait(good_portrait)

    await validation.hears(asked)

    [told] = await validation.tells(PhotoChecked)
    assert (told.verdict, told.photo is not None) == ("pass", True), told.findings
    assert told.photo is not None
    file = await validation.storage.get(told.photo.object_key)
    assert (hashlib.sha256(file).hexdigest(), len(file)) == (told.photo.sha256, told.photo.size)
    assert len(file) < 30_000
    assert (told.photo.width_px, told.photo.height_px) == (390, 567)
    receipt = verify(file, PublicKeys(photo_keys.public), application_no=NUMBER, now=datetime.now(UTC))
    assert receipt.pack == "neimenggu-2021@1"
    assert receipt.expires_at == told.photo.expires_at
    assert receipt.expires_at - receipt.issued_at == timedelta(days=30)


async def test_a_portrait_heard_three_times_is_told_once(validation: Validation) -> None:
    asked = await validation.is_given_portrait(a_paper())

    for _ in range(3):
        await validation.hears(asked)

    assert len(await validation.tells(PhotoChecked)) == 1


async def test_a_portrait_that_is_gone_or_changed_fails(validation: Validation) -> None:
    gone = a_photo_check(a_paper())
    changed = await validation.is_given_portrait(a_paper(), sha256="0" * 64)

    await validation.hears(gone, changed)

    told = {each.photo_id: each for each in await validation.tells(PhotoChecked)}
    assert [finding.code for finding in told[gone.photo_id].findings] == ["gone"]
    assert [finding.code for finding in told[changed.photo_id].findings] == ["corrupt"]


class Ends:
    """Workers that end over every file."""

    async def run(self, _task: Task) -> Done | None:
        return None


class Passes:
    """Workers that let everything pass."""

    def __init__(self, picture: bytes) -> None:
        self.picture = picture
        self.seen: list[Task] = []

    async def run(self, task: Task) -> Done | None:
        self.seen.append(task)
        return Done({"verdict": "pass", "findings": []}, self.picture)


async def test_a_portrait_that_ends_its_workers_is_too_complex(validation: Validation, good_portrait: bytes) -> None:
    asked = await validation.is_given_portrait(good_portrait)

    verdicts = await Photos(validation.storage, Ends(), None).check_all([asked])

    assert [finding.code for finding in verdicts[asked.photo_id].findings] == ["too_complex"]


async def test_without_a_key_photos_wait_and_nothing_is_told(
    validation: Validation, good_portrait: bytes, tmp_path: Path
) -> None:
    asked = await validation.is_given_portrait(good_portrait)
    workers = Passes(good_portrait)

    with pytest.raises(NoKeysFile):
        await Photos(validation.storage, workers, None).check_all([asked])
    with pytest.raises(Transient):
        await Photos(validation.storage, workers, tmp_path / "no-keys.json").check_all([asked])


async def test_workers_are_told_how_much_room_the_receipt_takes_and_nothing_of_the_key(
    validation: Validation, photo_keys: PhotoKeyFiles, good_portrait: bytes
) -> None:
    asked = await validation.is_given_portrait(good_portrait)
    workers = Passes(good_portrait)

    verdicts = await Photos(validation.storage, workers, photo_keys.private).check_all([asked])

    [task] = workers.seen
    assert task.params["room"] == MOST_RECEIPT_BYTES
    assert set(task.params) == {"content_type", "rule", "room"}
    photo = verdicts[asked.photo_id].photo
    assert photo is not None
    receipt, _ = read_receipt(await validation.storage.get(photo.object_key))
    assert receipt.key_id == photo.key_id
