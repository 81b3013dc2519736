"""示例: every example picture that a pack names exists, is small, and says that it is no real paper."""

from io import BytesIO
from pathlib import Path

import pytest
import yaml
from PIL import Image

from deploy.local.places import CHECKOUT
from deploy.specimens.examples import EXAMPLES, FOLDER, LARGEST_BYTES, example

PACKS = sorted((CHECKOUT / "rules").glob("*.yaml"))


@pytest.mark.parametrize("file", PACKS, ids=lambda file: file.stem)
def test_every_example_that_a_pack_names_has_a_picture(file: Path) -> None:
    pack = yaml.safe_load(file.read_text(encoding="utf-8"))

    named = {rule["example"] for rule in pack["items"].values() if rule.get("example")}

    assert sorted(name for name in named if not (FOLDER / f"{name}.jpg").is_file()) == []


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_is_a_small_picture(code: str) -> None:
    file = FOLDER / f"{code}.jpg"

    with Image.open(file) as picture:
        picture.load()
        assert picture.format == "JPEG"
        assert 400 <= max(picture.size) <= 900
    assert file.stat().st_size <= LARGEST_BYTES


def test_the_folder_holds_what_the_script_draws() -> None:
    assert sorted(file.stem for file in FOLDER.iterdir()) == list(EXAMPLES)


def test_an_example_is_drawn_under_a_red_band_that_says_specimen() -> None:
    drawn = example("extra_exam_form")

    with Image.open(BytesIO(drawn)) as picture:
        red, green, blue = picture.convert("RGB").getpixel((3, 20))  # type: ignore[misc]
    assert red > 120
    assert green < 80
    assert blue < 80
    assert len(drawn) <= LARGEST_BYTES
