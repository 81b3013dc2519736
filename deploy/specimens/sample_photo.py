"""Draws the sample beside which candidates see their own registration photo: `python -m deploy.specimens.sample_photo`.

Of the official size and weight (小2寸), and plainly nobody's photo.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from deploy.specimens.paper import MARK, write
from deploy.specimens.portrait import bust
from shared.contracts.rules import PhotoRule

FILE = Path(__file__).parents[2] / "web" / "candidate" / "public" / "samples" / "registration_photo.jpg"

_SEED = 7
_BAND = 48
_WHITE = (255, 255, 255)
_RED = (168, 32, 26)
_JACKET = (38, 44, 66)
# The head, 175 px high in the original, takes 0.62 of the picture's height below a rim of 0.08.
_HEAD_PX = 175
_HEAD_SHARE = 0.62
_ABOVE_SHARE = 0.08


def sample_photo(rule: PhotoRule | None = None) -> bytes:
    """A portrait as the rule wants it, marked 样本 over the clothes so that the face stays clear."""
    rule = rule or PhotoRule()
    size = rule.width_px, rule.height_px
    scale = size[1] * _HEAD_SHARE / _HEAD_PX
    crown = size[0] / 2, size[1] * _ABOVE_SHARE
    picture = Image.new("RGB", size, _WHITE)
    person = bust(size, scale, crown, _JACKET, np.random.default_rng(_SEED))
    picture.paste(person, mask=person.getchannel("A"))
    ImageDraw.Draw(picture).rectangle((0, size[1] - _BAND, size[0], size[1]), fill=_RED)
    place = size[0] / 2, size[1] - _BAND / 2 + 9
    write(picture, place, MARK, 26, face="sans", ink=_WHITE, anchor="middle", bold=0.5)
    return _under(picture, rule.max_bytes)


def _under(picture: Image.Image, limit: int) -> bytes:
    """The best quality that fits."""
    for quality in range(92, 30, -2):
        file = BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True, dpi=(300, 300))
        if file.tell() < limit:
            return file.getvalue()
    raise ValueError(f"no JPEG of {picture.width} × {picture.height} has fewer than {limit} bytes")


def main() -> None:
    """Write it for the pages."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_bytes(sample_photo())


if __name__ == "__main__":
    main()
