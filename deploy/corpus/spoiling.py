"""What goes wrong between a paper and its file, in amounts that can be chosen. Sigma and motion are per 1000 pixels."""

from __future__ import annotations

import io
import math

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from deploy.specimens.photo import MAX_BYTES

Rng = np.random.Generator
Pixels = npt.NDArray[np.uint8]


def blurred(picture: Image.Image, sigma: float) -> Image.Image:
    """Out of focus."""
    amount = sigma * max(picture.size) / 1000
    return Image.fromarray(np.asarray(cv2.GaussianBlur(_rgb(picture), (0, 0), amount), np.uint8))


def shaken(picture: Image.Image, length: float, rng: Rng) -> Image.Image:
    """Moved along a line while it was taken."""
    reach = length * max(picture.size) / 1000
    side = 2 * math.ceil(reach / 2) + 1
    towards, middle = float(rng.uniform(0, math.pi)), side // 2
    kernel = np.zeros((side, side), np.float32)
    for step in np.linspace(-reach / 2, reach / 2, 8 * side):
        kernel[round(middle + step * math.sin(towards)), round(middle + step * math.cos(towards))] = 1
    return Image.fromarray(np.asarray(cv2.filter2D(_rgb(picture), -1, kernel / kernel.sum()), np.uint8))


def noisy(picture: Image.Image, deviation: float, rng: Rng) -> Image.Image:
    """A small sensor in a dim room."""
    noise = rng.normal(0, deviation, (picture.height, picture.width, 1))
    return Image.fromarray(np.clip(_rgb(picture) + noise + 0.5, 0, 255).astype(np.uint8))


def darkened(picture: Image.Image, factor: float) -> Image.Image:
    """Everything at a part of its light."""
    return picture.convert("RGB").point(lambda value: round(value * factor))


def washed_out(picture: Image.Image, factor: float, towards: int) -> Image.Image:
    """Everything moved towards one level of grey, as through haze or glass."""
    return picture.convert("RGB").point(lambda value: round(towards + (value - towards) * factor))


def turned(picture: Image.Image, degrees: int) -> Image.Image:
    """Lying on its side or upside down: `degrees` clockwise from upright."""
    turns = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
    return picture.transpose(turns[degrees])


def sized(picture: Image.Image, long_side: int) -> Image.Image:
    """At another resolution."""
    scale = long_side / max(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def filed(picture: Image.Image, quality: int) -> bytes:
    """As a JPEG of this quality, or of a lower one that fits the size that is taken; one bit a pixel as a PNG."""
    while True:
        buffer = io.BytesIO()
        if picture.mode == "1":
            picture.save(buffer, "PNG", optimize=True)
        else:
            picture.convert("RGB").save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_BYTES or quality <= 5:
            return buffer.getvalue()
        quality -= 5


def _rgb(picture: Image.Image) -> Pixels:
    return np.asarray(picture.convert("RGB"))
