"""The file of limits: what is in it, and what is said about one that can't be used."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.validation.quality import limits
from services.validation.quality.limits import BadLimits, in_force, load
from services.validation.quality.similar import distance, is_near

SHIPPED = Path(limits.__file__).with_name("limits.toml")


@pytest.fixture
def written(tmp_path: Path):
    def write(old: str = "", new: str = "") -> Path:
        text = SHIPPED.read_text(encoding="utf-8")
        assert old in text
        file = tmp_path / "other.toml"
        file.write_text(text.replace(old, new) if old else text, encoding="utf-8")
        return file

    return write


def test_the_shipped_limits_are_those_in_force() -> None:
    assert in_force() == load() == load(SHIPPED)
    assert in_force().blurred.people.reject > in_force().blurred.document.reject


def test_limits_that_were_loaded_can_not_be_changed() -> None:
    with pytest.raises(ValidationError):
        load().too_dark.reject = 1


def test_another_file_is_used_when_the_environment_names_it(written, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written("[too_dark]\nreject = 65", "[too_dark]\nreject = 40")
    monkeypatch.setenv("VALIDATION_LIMITS_FILE", str(file))

    assert in_force().too_dark.reject == 40
    assert load().too_dark.reject == 65


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[too_dark]\nreject = 65", "[too_dark]\nrejekt = 65", "too_dark.rejekt: there is no such limit"),
        ("[too_dark]\nreject = 65", "[too_dark]", "too_dark.reject: is missing"),
        (
            "[too_dark]\nreject = 65",
            "[too_dark]\nreject = 400",
            "too_dark: Value error, reject must not be above review",
        ),
        ("[too_dark]", "[too_gloomy]", "too_gloomy: there is no such limit"),
        ("face_score = 0.75", "face_score = 75", "people.face_score"),
        ("[too_dark]", "[too_dark", "is no TOML"),
    ],
)
def test_a_file_that_can_not_be_used_says_what_is_wrong_in_it(written, old: str, new: str, said: str) -> None:
    with pytest.raises(BadLimits, match=r"other\.toml") as refused:
        load(written(old, new))

    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(BadLimits, match=r"absent\.toml can't be read"):
        load(tmp_path / "absent.toml")


def test_every_limit_has_figures_that_justify_it() -> None:
    text = SHIPPED.read_text(encoding="utf-8")

    for section in tomllib.loads(text):
        above = text[: text.index(f"[{section}]")].rstrip().splitlines()
        assert above[-1].startswith("#"), section


def test_two_fingerprints_are_near_up_to_the_limit() -> None:
    one = bytes(32)
    seven_bits, eight_bits = b"\x7f" + bytes(31), b"\xff" + bytes(31)

    assert distance(one, eight_bits) == 8 / 256
    assert is_near(one, seven_bits) == (7 / 256, 0.03)
    assert is_near(one, eight_bits) is None
    assert is_near(None, one) is None
    assert is_near(one, None) is None
