"""`baoshen photo check`: a portrait's verdict, and the registration photo with its receipt, with no stack running."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deploy.specimens import draw_portrait
from tests.builders.papers import a_paper

NUMBER = "2021150001"
IMAGES = Path(__file__).parent.parent / "data" / "images"
_BAOSHEN = (sys.executable, "-c", "from deploy.cli import main; main()")


class Office:
    """Commands with a home folder of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PHOTO_")}
        return subprocess.run(
            [*_BAOSHEN, "photo", *(str(each) for each in arguments)],
            capture_output=True,
            text=True,
            timeout=280,
            env=environment | {"BAOSHEN_HOME": str(self.home)},
        )

    def checked(self, file: Path, *more: str | Path) -> dict[str, Any]:
        done = self.run("check", file, "--application", NUMBER, "--json", *more)
        assert done.returncode == 0, done.stderr
        line: dict[str, Any] = json.loads(done.stdout)
        return line


@pytest.fixture
def office(tmp_path: Path) -> Office:
    (tmp_path / "home").mkdir()
    return Office(tmp_path / "home")


@pytest.fixture(scope="module")
def drawn() -> bytes:
    return draw_portrait()


@pytest.fixture
def portrait(tmp_path: Path, drawn: bytes) -> Path:
    file = tmp_path / "portrait.jpg"
    file.write_bytes(drawn)
    return file


def test_what_passes_is_written_at_the_official_size_and_verifies(
    office: Office, portrait: Path, tmp_path: Path
) -> None:
    line = office.checked(portrait, "--out", tmp_path / "photo.jpg")

    verified = office.run("verify", tmp_path / "photo.jpg", "--application", NUMBER)
    another = office.run("verify", tmp_path / "photo.jpg", "--application", "2021150002")

    assert line == {"file": str(portrait), "verdict": "pass", "findings": [], "out": str(tmp_path / "photo.jpg")}
    file = (tmp_path / "photo.jpg").read_bytes()
    assert len(file) < 30_000
    with Image.open(io.BytesIO(file)) as photo:
        assert (photo.format, photo.size) == ("JPEG", (390, 567))
    assert (verified.returncode, another.returncode) == (0, 1)
    assert "other_candidate" in another.stdout + another.stderr


def test_a_changed_byte_and_a_retired_key_are_refused(office: Office, portrait: Path, tmp_path: Path) -> None:
    office.checked(portrait, "--out", tmp_path / "photo.jpg")
    changed = bytearray((tmp_path / "photo.jpg").read_bytes())
    changed[-2000] ^= 4
    (tmp_path / "changed.jpg").write_bytes(changed)
    [key] = [json.loads(line) for line in office.run("keys", "list", "--json").stdout.splitlines()]

    after_change = office.run("verify", tmp_path / "changed.jpg")
    office.run("keys", "retire", key["id"])
    after_retirement = office.run("verify", tmp_path / "photo.jpg")

    assert (after_change.returncode, after_retirement.returncode) == (1, 1)
    assert "photo_changed" in after_change.stdout + after_change.stderr
    assert "key_retired" in after_retirement.stdout + after_retirement.stderr


def test_a_faulty_portrait_is_said_where_and_why_and_nothing_is_written(
    office: Office, portrait: Path, tmp_path: Path
) -> None:
    with Image.open(portrait) as upright:
        upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", quality=95)

    line = office.checked(tmp_path / "turned.jpg", "--out", tmp_path / "photo.jpg")

    assert (line["verdict"], line["out"], (tmp_path / "photo.jpg").exists()) == ("fail", None, False)
    [finding] = [each for each in line["findings"] if each["code"] == "not_upright"]
    assert finding.keys() == {"code", "severity", "measured", "limit", "marks", "words"}
    assert finding["words"]["zh"]


def test_a_paper_is_no_portrait(office: Office, tmp_path: Path) -> None:
    (tmp_path / "paper.jpg").write_bytes(a_paper())

    line = office.checked(tmp_path / "paper.jpg")

    assert (line["verdict"], line["findings"][0]["code"]) == ("fail", "no_face")


def test_a_heic_is_told_how_to_convert(office: Office) -> None:
    line = office.checked(IMAGES / "is_heic.jpg")

    [finding] = line["findings"]
    assert (line["verdict"], finding["code"]) == ("fail", "unsupported_format")
    assert "HEIC" in finding["words"]["zh"]


def test_no_bad_file_is_more_than_a_failed_check(office: Office) -> None:
    for name in ("empty.jpg", "trunc_60.jpg", "huge_header.jpg", "bomb_iccp_100mb.png", "poly_php_com.jpg"):
        assert office.checked(IMAGES / name)["verdict"] == "fail", name


@pytest.mark.parametrize("name", ["scan[front].jpg", "a[/b].jpg", os.fsdecode(b"caf\xe9.jpg")])
def test_a_file_name_is_told_as_it_is_whatever_it_looks_like(office: Office, tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")

    line = office.checked(tmp_path / name)
    for_people = office.run("check", tmp_path / name, "--application", NUMBER)

    assert (line["file"], line["verdict"]) == (str(tmp_path / name), "fail")
    assert for_people.returncode == 0, for_people.stderr
    assert name.replace("\udce9", "?") in for_people.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", "no-such.jpg", "--application", NUMBER), "no-such.jpg"),
        (("check", str(IMAGES / "black.png"), "--application", "not a number"), "not a number"),
        (("check", str(IMAGES / "black.png"), "--application", NUMBER, "--pack", "mars-2021"), "mars-2021"),
        (("check", str(IMAGES / "black.png"), "--application", NUMBER, "--out", "/no/such/folder/x.jpg"), "folder"),
        (("check", str(IMAGES / "black.png")), "--application"),
    ],
)
def test_bad_input_is_refused_with_two_and_says_what_to_do(
    office: Office, arguments: tuple[str, ...], says: str
) -> None:
    done = office.run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
