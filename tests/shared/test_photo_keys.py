"""The keys of the photo check's receipts: who signs, who only verifies, and what becomes of an old key."""

import base64
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.security.photo_keys import (
    NoSigningKey,
    PhotoKeyFiles,
    PhotoKeysUnreadable,
    PublicKeys,
    SigningKeys,
    UnknownPhotoKey,
)

NOW = datetime(2026, 11, 28, 12, 30, 15, 999, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> PhotoKeyFiles:
    return PhotoKeyFiles(tmp_path / "keys" / "photo-keys.json")


def test_what_the_current_key_signs_the_public_file_verifies(files: PhotoKeyFiles) -> None:
    made = files.new(NOW)

    key = SigningKeys(files.private).current()
    public = PublicKeys(files.public).get(made.id)

    assert key.id == made.id
    assert public is not None
    assert public.signed(b"message", key.sign(b"message"))
    assert not public.signed(b"massage", key.sign(b"message"))
    assert not public.signed(b"message", b"")


def test_a_key_is_named_after_its_day(files: PhotoKeyFiles) -> None:
    made = files.new(NOW)

    assert made.id.startswith("p20261128-")
    assert made.created_at == NOW.replace(microsecond=0)


def test_the_private_file_is_for_its_owner_and_the_public_one_for_everybody(files: PhotoKeyFiles) -> None:
    before = os.umask(0o077)
    try:
        files.new(NOW)
    finally:
        os.umask(before)

    assert files.public == files.private.parent / "photo-keys.public.json"
    assert stat.S_IMODE(files.private.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.public.stat().st_mode) == 0o644


def test_the_public_file_holds_no_private_half(files: PhotoKeyFiles) -> None:
    files.new(NOW)
    files.new(NOW)

    private = [entry["private"] for entry in json.loads(files.private.read_text())["keys"]]
    public = files.public.read_text()

    assert len(private) == 2
    assert all(len(base64.b64decode(seed)) == 32 and seed not in public for seed in private)
    assert [set(entry) for entry in json.loads(public)["keys"]] == [{"id", "public", "created_at", "retired_at"}] * 2


def test_the_newest_key_that_is_not_retired_signs(files: PhotoKeyFiles) -> None:
    first, second = files.new(NOW), files.new(NOW - timedelta(days=400))  # a clock that went back
    keys = SigningKeys(files.private)
    assert keys.current().id == second.id

    files.retire(second.id, NOW)

    assert keys.current().id == first.id
    assert [(key.id, key.signs) for key in files.all()] == [(first.id, True), (second.id, False)]


def test_when_every_key_is_retired_none_signs(files: PhotoKeyFiles) -> None:
    files.retire(files.new(NOW).id, NOW)

    with pytest.raises(NoSigningKey, match="baoshen photo keys new"):
        SigningKeys(files.private).current()


def test_a_retired_key_is_known_and_known_to_be_retired(files: PhotoKeyFiles) -> None:
    made = files.new(NOW)
    keys = PublicKeys(files.public)
    assert (before := keys.get(made.id)) is not None
    assert before.retired_at is None

    files.retire(made.id, NOW)

    assert (after := keys.get(made.id)) is not None
    assert after.retired_at == NOW.replace(microsecond=0)
    assert keys.get("p20261128-zzzz") is None


def test_retiring_twice_keeps_the_first_time_and_mends_the_public_file(files: PhotoKeyFiles) -> None:
    made = files.new(NOW)
    lagging = files.public.read_text()
    files.retire(made.id, NOW)
    files.public.write_text(lagging)

    again = files.retire(made.id, NOW + timedelta(days=1))

    assert again.retired_at == NOW.replace(microsecond=0)
    assert (key := PublicKeys(files.public).get(made.id)) is not None
    assert key.retired_at == again.retired_at


def test_only_a_key_that_is_there_is_retired(files: PhotoKeyFiles) -> None:
    files.new(NOW)

    with pytest.raises(UnknownPhotoKey):
        files.retire("p20200101-0000", NOW)


def test_a_change_within_one_tick_of_the_file_systems_clock_is_noticed_too(files: PhotoKeyFiles) -> None:
    made = files.new(NOW)
    keys, signing = PublicKeys(files.public), SigningKeys(files.private)
    assert signing.current().id == made.id
    assert keys.get(made.id)
    seen = {path: path.stat() for path in (files.public, files.private)}

    newer = files.new(NOW)
    for path, before in seen.items():
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert keys.get(newer.id) is not None
    assert signing.current().id == newer.id


def test_the_first_key_is_made_once(files: PhotoKeyFiles) -> None:
    first = files.make_first(NOW)

    assert first is not None
    assert files.make_first(NOW) is None
    assert [key.id for key in files.all()] == [first.id]


def test_a_lost_public_file_is_made_again_at_the_next_start(files: PhotoKeyFiles) -> None:
    files.make_first(NOW)
    before = files.public.read_text()
    files.public.unlink()

    files.make_first(NOW)

    assert files.public.read_text() == before


def test_without_the_private_file_old_keys_still_verify_and_can_be_retired(files: PhotoKeyFiles) -> None:
    lost = files.new(NOW)
    files.private.unlink()

    fresh = files.new(NOW)

    assert [(key.id, key.signs) for key in files.all()] == [(lost.id, False), (fresh.id, True)]
    assert SigningKeys(files.private).current().id == fresh.id
    files.retire(lost.id, NOW)
    assert (key := PublicKeys(files.public).get(lost.id)) is not None
    assert key.retired_at is not None


def test_the_public_file_may_lie_elsewhere(tmp_path: Path) -> None:
    files = PhotoKeyFiles(tmp_path / "private" / "keys.json", tmp_path / "public" / "keys.json")

    made = files.new(NOW)

    assert PublicKeys(tmp_path / "public" / "keys.json").get(made.id)
    assert [path.name for path in (tmp_path / "public").iterdir()] == ["keys.json"]


def test_processes_that_make_keys_together_lose_none(files: PhotoKeyFiles) -> None:
    code = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path; "
        "from shared.security.photo_keys import PhotoKeyFiles; files = PhotoKeyFiles(Path(sys.argv[1])); "
        "sys.stdin.read(1); files.make_first(datetime(2026, 11, 28, tzinfo=UTC)); "
        "print(files.new(datetime(2026, 11, 28, tzinfo=UTC)).id)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(files.private)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]

    made = [process.communicate("x", timeout=60)[0].strip() for process in processes]

    there = [key.id for key in files.all()]
    assert len(set(there)) == len(there) == 5
    assert set(made) <= set(there)
    assert all(PublicKeys(files.public).get(key_id) for key_id in there)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"keys": 1}', '{"keys": [{"id": "p1"}]}', '{"keys": [], "more": 1}']
)
def test_a_damaged_file_is_said_to_be_and_never_overwritten(files: PhotoKeyFiles, content: str) -> None:
    files.private.parent.mkdir()
    files.private.write_text(content)

    for act in (lambda: files.new(NOW), lambda: files.make_first(NOW), SigningKeys(files.private).current):
        with pytest.raises(PhotoKeysUnreadable, match=r"photo-keys\.json"):
            act()

    assert files.private.read_text() == content


def test_a_missing_file_is_an_error_and_not_an_unknown_key(files: PhotoKeyFiles) -> None:
    with pytest.raises(PhotoKeysUnreadable, match="is missing"):
        PublicKeys(files.public).get("p20261128-0001")
    with pytest.raises(PhotoKeysUnreadable, match="is missing"):
        SigningKeys(files.private).current()


def test_whoever_verifies_does_not_take_the_private_file(files: PhotoKeyFiles) -> None:
    made = files.new(NOW)

    with pytest.raises(PhotoKeysUnreadable, match="holds private keys"):
        PublicKeys(files.private).get(made.id)


def test_halves_that_do_not_belong_together_are_noticed_before_anything_is_signed(files: PhotoKeyFiles) -> None:
    files.new(NOW)
    content = json.loads(files.private.read_text())
    content["keys"][0]["private"] = base64.b64encode(bytes(32)).decode()
    files.private.write_text(json.dumps(content))

    with pytest.raises(PhotoKeysUnreadable, match="belong together"):
        SigningKeys(files.private).current()


def test_no_error_and_no_representation_shows_a_private_half(files: PhotoKeyFiles) -> None:
    made = files.new(NOW)
    content = json.loads(files.private.read_text())
    seed = content["keys"][0]["private"]
    content["keys"][0]["created_at"] = "yesterday"
    shown = repr(made) + repr(SigningKeys(files.private).current()) + repr(files.all())
    files.private.write_text(json.dumps(content))

    with pytest.raises(PhotoKeysUnreadable) as caught:
        SigningKeys(files.private).current()

    assert seed not in shown + str(caught.value) + repr(caught.value)
    assert caught.value.__cause__ is None
