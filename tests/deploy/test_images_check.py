"""`baoshen images check`: the services' verdicts on files, with no stack running."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.builders.papers import a_paper

IMAGES = Path(__file__).parent.parent / "data" / "images"
_BAOSHEN = (sys.executable, "-c", "from deploy.cli import main; main()")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    words = [str(each) for each in arguments]
    return subprocess.run([*_BAOSHEN, "images", "check", *words], capture_output=True, text=True, timeout=280)


def checked(*arguments: str | Path) -> list[dict[str, Any]]:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def manifest() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((IMAGES / "manifest.json").read_text(encoding="utf-8"))["entries"]
    return entries


def test_what_ends_a_worker_is_logged_beside_the_verdicts_not_among_them() -> None:
    hurried = (
        "from services.validation import main as validation; validation.LOOK_FIRST_CPU_S = 0.001; "
        "from deploy.cli import main; main()"
    )
    words = [sys.executable, "-c", hurried, "images", "check", str(IMAGES / "id_front.jpg"), "--json"]

    done = subprocess.run(words, capture_output=True, text=True, timeout=280)

    assert "worker.ended" in done.stderr
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["accept"]


@pytest.mark.parametrize("profile", ["document", "codec"])
def test_every_sample_gets_a_verdict_that_the_manifest_allows_and_the_same_one_again(
    profile: str, manifest: list[dict[str, Any]], tmp_path: Path
) -> None:
    entries = [entry for entry in manifest if entry["profile"] == profile]
    paths = [IMAGES / Path(entry["file"]).name for entry in entries]

    lines = checked(*paths, "--kind", profile, "--stored", tmp_path / "stored")
    again = checked(*paths, "--kind", profile)

    assert [line["file"] for line in lines] == [str(path) for path in paths]
    wrong = [
        (entry["file"], line["verdict"], line["reason"])
        for entry, line in zip(entries, lines, strict=True)
        if not is_allowed(entry, line)
    ]
    assert wrong == []
    assert [(line["verdict"], line["reason"], line["stored_sha256"]) for line in again] == [
        (line["verdict"], line["reason"], line["stored_sha256"]) for line in lines
    ]
    for entry, line in zip(entries, lines, strict=True):
        stored = tmp_path / "stored" / Path(entry["file"]).name
        assert stored.exists() is (line["stored_sha256"] is not None)
        for text in entry.get("post", {}).get("stored_must_not_contain", ()):
            assert not stored.exists() or text.encode() not in stored.read_bytes()


def is_allowed(entry: dict[str, Any], line: dict[str, Any]) -> bool:
    found = ("accept", "ok") if line["verdict"] != "reject" else ("reject", line["reason"])
    allowed = {(entry["expected"], entry["reason"])}
    if also := entry.get("also_ok"):
        allowed.add((also["verdict"], also.get("reason", "ok")))
    return found in allowed


def test_a_line_says_what_was_measured_and_what_to_do(tmp_path: Path) -> None:
    [line] = checked(IMAGES / "near_blank_noise.jpg")

    assert line.keys() == {"file", "verdict", "reason", "findings", "ms", "stored_sha256"}
    assert (line["verdict"], line["reason"]) == ("reject", "blank")
    [finding] = [each for each in line["findings"] if each["code"] == "blank"]
    assert finding["severity"] == "reject"
    assert isinstance(finding["measured"], float)
    assert isinstance(finding["limit"], float)
    assert finding["words"]["zh"]
    assert finding["words"]["en"]


def test_the_kind_codec_switches_off_what_is_only_quality() -> None:
    [document] = checked(IMAGES / "blur_heavy.jpg")
    [codec] = checked(IMAGES / "blur_heavy.jpg", "--kind", "codec")

    assert document["verdict"] == "reject"
    assert (codec["verdict"], codec["findings"]) == ("accept", [])


def test_what_is_stored_is_written_out_under_the_hash_that_is_told(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "paper.jpg").write_bytes(a_paper(1 if folder == "one" else 2))

    lines = checked(tmp_path / "one", tmp_path / "two", "--stored", tmp_path / "stored")

    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "stored").iterdir()}
    assert hashes == {"paper.jpg": lines[0]["stored_sha256"], "paper-2.jpg": lines[1]["stored_sha256"]}


def test_a_name_without_an_extension_is_told_as_candidates_are(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(a_paper())

    [line] = checked(tmp_path / "photo")

    assert (line["verdict"], line["reason"], line["stored_sha256"]) == ("reject", "extension_mismatch", None)


def test_without_json_people_read_a_table_with_words() -> None:
    done = run(IMAGES / "black.png")

    assert done.returncode == 0
    assert "blank" in done.stdout
    assert "空白" in done.stdout


def test_a_file_name_is_shown_as_it_is_whatever_it_looks_like(tmp_path: Path) -> None:
    names = ["scan[front].jpg", "a[.jpg", "b[red].jpg"]
    (tmp_path / "a[").mkdir()
    (tmp_path / "a[" / "b].jpg").write_bytes(b"")
    for name in names:
        (tmp_path / name).write_bytes(b"")

    done = run(tmp_path)

    assert done.returncode == 0, done.stderr
    assert [name for name in [*names, "a[/b].jpg"] if name not in done.stdout] == []


def test_a_file_name_that_is_no_utf_8_is_told_all_the_same(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).write_bytes(b"")

    [line] = checked(tmp_path / name)
    for_people = run(tmp_path / name)

    assert line["file"] == str(tmp_path / name)
    assert (for_people.returncode, for_people.stderr) == (0, "")
    assert "caf?.jpg" in for_people.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("no-such-file.jpg",), "no-such-file.jpg"),
        ((), "PATH"),
        (("--kind", "poster", str(IMAGES / "black.png")), "poster"),
        (("--stored", "/proc/version/x", str(IMAGES / "black.png")), "--stored"),
    ],
)
def test_bad_input_is_refused_with_two_and_says_what_to_do(arguments: tuple[str, ...], says: str) -> None:
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
