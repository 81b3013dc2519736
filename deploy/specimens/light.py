"""Light, grain and texture as number fields; every effect takes its randomness from the caller's generator."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Rgb: TypeAlias = tuple[int, int, int]
Field: TypeAlias = npt.NDArray[np.float32]


def noise_field(rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int]) -> Field:
    """Smooth noise of about -1 to 1: random values on a coarse grid of `cells`, blown up to `size` (width, height)."""
    grid = rng.uniform(-1, 1, (cells[1], cells[0])).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC), np.float32)


def ramp(size: tuple[int, int], towards: float) -> Field:
    """A plane from -1 to 1 that rises in the direction `towards` (radians, 0 is right, clockwise)."""
    x = np.linspace(-1, 1, size[0], dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    return np.asarray((x * np.cos(towards) + y * np.sin(towards)) / 1.42, np.float32)


def multiply(image: Image.Image, field: Field) -> Image.Image:
    """The image's colours times the field; transparency stays."""
    pixels = np.asarray(image.convert("RGB"), np.float32) * field[..., None]
    lit = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if image.mode == "RGBA":
        lit.putalpha(image.getchannel("A"))
    return lit


def grain(image: Image.Image, rng: np.random.Generator, strength: float) -> Image.Image:
    """Sensor noise on an image that is otherwise done."""
    pixels = np.asarray(image, np.float32) + sensor_noise(rng, image.size, strength)
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def sensor_noise(rng: np.random.Generator, size: tuple[int, int], strength: float) -> Field:
    """Mostly brightness, a little colour in coarser spots, as after demosaicing."""
    # One tile repeated: nobody sees the seam of noise, and it costs a seventh of noise for every pixel.
    side = 512
    luma = rng.standard_normal((side, side, 1), np.float32) * strength
    chroma = rng.standard_normal((side // 2, side // 2, 3), np.float32) * (strength * 0.35)
    tile = luma + chroma.repeat(2, axis=0).repeat(2, axis=1)
    return np.tile(tile, (size[1] // side + 1, size[0] // side + 1, 1))[: size[1], : size[0]]


def relief(mask: Image.Image, softness: float, light: tuple[float, float] = (-0.6, -0.8)) -> Field:
    """Shading of about -1 to 1 as if the mask were a cushion lit from `light` (x, y)."""
    # A quarter of the size is enough for something this soft, and sixteen times cheaper.
    small = mask.resize((max(1, mask.width // 4), max(1, mask.height // 4)), Image.Resampling.BOX)
    height = np.asarray(small.filter(ImageFilter.GaussianBlur(softness / 4)), np.float32) / 255
    down, right = np.gradient(height)
    slope = (right * light[0] + down * light[1]) * np.float32(-softness / 2)
    shaded = Image.fromarray(np.tanh(slope).astype(np.float32))
    return np.asarray(shaded.resize(mask.size, Image.Resampling.BILINEAR), np.float32)
