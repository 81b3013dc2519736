"""Draws the example pictures that 示例 opens on the candidates' page: `python -m deploy.specimens.examples`.

One for each item code that can be uploaded, small enough for a telephone's connection, and plainly no real paper.
"""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from deploy.specimens.further import FURTHER
from deploy.specimens.kinds import page
from deploy.specimens.paper import write
from deploy.specimens.people import invented_person

FOLDER = Path(__file__).parents[2] / "web" / "candidate" / "public" / "examples"
LARGEST_BYTES = 25_000

_WIDTH = 640
_TALLEST = 760
_BAND = 46
_SEED = 7
# Three images belong to an identity: they stand in one picture.
_IDENTITY = ("identity_front", "identity_back", "identity_holding")
_DRAWN = (
    "assistant_practice_licence",
    "assistant_qualification",
    "degree",
    "diploma",
    "education_record",
    "institution_licence",
    "junior_college_diploma",
    "student_card",
    "trial_assessment",
)
EXAMPLES: tuple[str, ...] = tuple(sorted(("identity", *_DRAWN, *FURTHER)))
"""Item codes that have a picture."""


def example(code: str) -> bytes:
    """The picture of one item as a JPEG of at most `LARGEST_BYTES`."""
    person = invented_person(_SEED)
    if code == "identity":
        drawn = _together([page(kind, person, _SEED) for kind in _IDENTITY])
    elif code in FURTHER:
        drawn = FURTHER[code](person, _SEED)
    else:
        drawn = page(code, person, _SEED)
    return _small(_banded(drawn))


def _together(pages: list[Image.Image]) -> Image.Image:
    """Side by side where they fit: two above, the third below."""
    width = 620
    parts = [each.resize((width, each.height * width // each.width), Image.Resampling.LANCZOS) for each in pages]
    top = max(each.height for each in parts[:2])
    whole = Image.new("RGB", (width * 2 + 20, top + 20 + parts[2].height), (255, 255, 255))
    whole.paste(parts[0], (0, 0))
    whole.paste(parts[1], (width + 20, 0))
    whole.paste(parts[2], (width // 2 + 10, top + 20))
    return whole


def _banded(drawn: Image.Image) -> Image.Image:
    """Scaled down, under a band that says what it is; the marks across the page can't be read at this size."""
    scale = min(_WIDTH / drawn.width, _TALLEST / drawn.height)
    small = drawn.convert("RGB").resize(
        (round(drawn.width * scale), round(drawn.height * scale)), Image.Resampling.LANCZOS
    )
    picture = Image.new("RGB", (small.width, small.height + _BAND), (255, 255, 255))
    picture.paste(small, (0, _BAND))
    ImageDraw.Draw(picture).rectangle((0, 0, picture.width, _BAND - 1), fill=(168, 32, 26))
    words = "示例 · 样本 SPECIMEN · 非真实证件"
    write(picture, (picture.width / 2, 32), words, 24, face="sans", ink=(255, 255, 255), anchor="middle", bold=0.5)
    return picture


def _small(picture: Image.Image) -> bytes:
    """The best quality that fits."""
    while True:
        for quality in range(82, 30, -4):
            file = BytesIO()
            picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
            if file.tell() <= LARGEST_BYTES:
                return file.getvalue()
        picture = picture.resize((picture.width * 9 // 10, picture.height * 9 // 10), Image.Resampling.LANCZOS)


def main() -> None:
    """Write all of them, or those that are named."""
    parser = argparse.ArgumentParser(description="Draw the candidates' example pictures.")
    parser.add_argument("codes", nargs="*", help="item codes; all if left out")
    codes = parser.parse_args().codes or EXAMPLES
    if unknown := sorted(set(codes) - set(EXAMPLES)):
        parser.error(f"no example is called {', '.join(unknown)}; there are {', '.join(EXAMPLES)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for code in codes:
        (FOLDER / f"{code}.jpg").write_bytes(example(code))


if __name__ == "__main__":
    main()
