"""What candidates send by mistake: a good image with one thing wrong."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import numpy as np
from PIL import Image, ImageFilter

from deploy.specimens.light import grain, multiply, ramp
from deploy.specimens.paper import sheet
from deploy.specimens.photo import MAX_BYTES, TARGET_BYTES, jpeg, png

Fault = Literal["blurred", "dark", "turned", "blank", "truncated", "wrong_type", "too_large"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

_Spoiler: TypeAlias = Callable[[Image.Image, np.random.Generator], Image.Image]


def spoil(image: bytes, fault: Fault, seed: int = 1) -> bytes:
    """The image with one fault; `blurred`, `dark`, `turned` and `blank` stay valid files of the same format.

    Args:
        image: A JPEG or PNG.
        fault: What goes wrong. `truncated` lacks its end, `wrong_type` is WebP whatever its name will say,
            `too_large` is a good picture above the limit of 204,800 bytes.
        seed: Decides details such as which way `turned` turns.
    """
    if fault not in FAULTS:
        raise ValueError(f"no fault {fault!r}; there are {', '.join(FAULTS)}")
    if fault == "truncated":
        return image[: len(image) * 6 // 10]
    rng = np.random.default_rng([seed, FAULTS.index(fault)])
    with Image.open(io.BytesIO(image), formats=("JPEG", "PNG")) as opened:
        is_png, picture = opened.format == "PNG", opened.convert("RGB")
    if fault == "wrong_type":
        return _webp(picture)
    if fault == "too_large":
        return _too_large(picture, is_png, rng)
    spoiled = _SPOILERS[fault](picture, rng)
    if is_png:  # a screen capture has no sensor, and grain would triple its size: that would be a second fault
        return png(spoiled)
    # No larger than the good one, so that an ID photo keeps to its own limit.
    return jpeg(grain(spoiled, rng, 2.0), min(TARGET_BYTES, max(len(image), 29_500)))


def _blurred(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Out of focus: at four thousandths of the long side, body text can no longer be read."""
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) * float(rng.uniform(0.0038, 0.0046))))


def _dark(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A room without light: a fifth of the brightness."""
    return multiply(picture, np.float32(0.19) + ramp(picture.size, float(rng.uniform(0, 6.28))) * np.float32(0.05))


def _turned(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Lying on its side or upside down, with no orientation tag that could put it right."""
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return picture.transpose(turns[int(rng.integers(3))])


def _blank(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The wrong side of the sheet: paper and nothing on it."""
    return multiply(sheet(picture.size, (238, 237, 233), rng, 0.004), 1 + ramp(picture.size, 0.7) * np.float32(0.03))


_SPOILERS: dict[str, _Spoiler] = {"blurred": _blurred, "dark": _dark, "turned": _turned, "blank": _blank}


def _webp(picture: Image.Image) -> bytes:
    quality = 80
    while True:
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=2)
        if buffer.tell() <= TARGET_BYTES or quality <= 20:
            return buffer.getvalue()
        quality -= 20


def _too_large(picture: Image.Image, is_png: bool, rng: np.random.Generator) -> bytes:
    """The picture as a telephone keeps it: more pixels, hardly compressed."""
    while True:
        width, height = picture.size
        picture = grain(picture.resize((width * 3 // 2, height * 3 // 2), Image.Resampling.BICUBIC), rng, 3)
        buffer = io.BytesIO()
        if is_png:
            picture.save(buffer, "PNG", compress_level=1)
        else:
            picture.save(buffer, "JPEG", quality=93)
        if buffer.tell() > MAX_BYTES:
            return buffer.getvalue()
