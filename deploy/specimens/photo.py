"""The camera and the scanner: what happens to a flat page before it arrives as a file."""

from __future__ import annotations

import io
import math
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from deploy.specimens.light import Rgb, noise_field, ramp, sensor_noise

MAX_BYTES = 204_800
# Room below the limit, so that a specimen stays valid where a rule pack counts 200,000.
TARGET_BYTES = 198_000

Desk = Literal["wood", "slate", "linen"]
Corners = list[tuple[float, float]]


def desk(kind: Desk, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A plain surface to lie on."""
    half = (size[0] // 2, size[1] // 2)
    if kind == "wood":
        base = np.array((158, 124, 92), np.float32)
        warp = noise_field(rng, half, (4, 5)) * 17
        rows = np.clip(np.arange(half[1], dtype=np.float32)[:, None] + warp, 0, half[1] - 1).astype(np.intp)
        rings = noise_field(rng, (1, half[1]), (2, half[1] // 6))[:, 0] * 0.11
        pores = noise_field(rng, half, (half[0] // 13, half[1])) * 0.06
        field = 1 + rings[rows] + pores + noise_field(rng, half, (3, 4)) * 0.06
    elif kind == "slate":
        base = np.array((86, 92, 98), np.float32)
        field = 1 + noise_field(rng, half, (5, 4)) * 0.05 + noise_field(rng, half, (half[0] // 2, half[1] // 2)) * 0.05
    else:
        base = np.array((166, 160, 148), np.float32)
        x, y = np.arange(half[0], dtype=np.float32)[None, :], np.arange(half[1], dtype=np.float32)[:, None]
        threads = noise_field(rng, half, (half[0] // 2, 20)) * 0.03 + np.sin(x * 2.1) * np.sin(y * 2.1) * 0.04
        field = 1 + threads + noise_field(rng, half, (5, 4)) * 0.04
    pixels = Image.fromarray(np.clip(base * field[..., None], 0, 255).astype(np.uint8))
    return pixels.resize(size, Image.Resampling.BICUBIC)


def rounded(page: Image.Image, radius: int) -> Image.Image:
    """The page with transparent rounded corners, as a plastic card has them."""
    mask = Image.new("L", (page.width * 2, page.height * 2))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * 2, fill=255)
    card = page.convert("RGBA")
    card.putalpha(mask.resize(page.size, Image.Resampling.BOX))
    return card


def corners(
    size: tuple[int, int], margin: float, ratio: float, rng: np.random.Generator, *, tilt: float, bend: float
) -> Corners:
    """Where a page of this height/width ratio lies in the picture: nearly straight, nearly from above."""
    width, height = size
    page_width = min(width * (1 - 2 * margin), height * (1 - 2 * margin) / ratio)
    half_w, half_h = page_width / 2, page_width * ratio / 2
    angle = math.radians(float(rng.uniform(-tilt, tilt)))
    places = []
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        x = sx * half_w + float(rng.uniform(-bend, bend)) * page_width
        y = sy * half_h + float(rng.uniform(-bend, bend)) * page_width
        places.append(
            (
                width / 2 + x * math.cos(angle) - y * math.sin(angle),
                height / 2 + x * math.sin(angle) + y * math.cos(angle),
            )
        )
    return places


def lay(scene: Image.Image, page: Image.Image, where: Corners, *, shadow: float = 10, depth: int = 120) -> None:
    """Put the page into the scene in perspective, with the shadow it throws."""
    # A clear rim of two pixels lets the resampling soften the page's edge.
    rimmed = Image.new("RGBA", (page.width + 4, page.height + 4))
    rimmed.paste(page, (2, 2))
    source = [(2.0, 2.0), (page.width + 2.0, 2.0), (page.width + 2.0, page.height + 2.0), (2.0, page.height + 2.0)]
    rows, right = [], []
    for (x, y), (u, v) in zip(where, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    coefficients = np.linalg.solve(np.array(rows), np.array(right))
    card = rimmed.transform(
        scene.size, Image.Transform.PERSPECTIVE, tuple(coefficients.tolist()), Image.Resampling.BICUBIC
    )
    outline = card.getchannel("A")
    blurred = outline.resize((scene.width // 4, scene.height // 4), Image.Resampling.BOX)
    blurred = blurred.filter(ImageFilter.GaussianBlur(shadow / 4)).resize(scene.size, Image.Resampling.BILINEAR)
    thrown = ImageChops.offset(blurred, round(shadow * 0.5), round(shadow * 0.7))
    scene.paste((10, 9, 8), mask=thrown.point(lambda v: v * depth // 255))
    scene.paste(card.convert("RGB"), mask=outline)


def expose(scene: Image.Image, rng: np.random.Generator, *, noise: float = 2.0, light: float = 0.09) -> Image.Image:
    """Window light from one side, a little vignette, a tint and the sensor's grain."""
    towards = float(rng.uniform(0, 2 * math.pi))
    x = np.linspace(-1, 1, scene.width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, scene.height, dtype=np.float32)[:, None]
    lit = 1 + ramp(scene.size, towards) * np.float32(light) - (x**2 + y**2) * np.float32(light / 3)
    warm = float(rng.uniform(-0.015, 0.02))
    pixels = np.asarray(scene, np.float32) * lit[..., None] * np.array((1 + warm, 1, 1 - warm), np.float32)
    pixels += sensor_noise(rng, scene.size, noise)
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def photographed(
    page: Image.Image,
    size: tuple[int, int],
    surface: Desk,
    rng: np.random.Generator,
    *,
    margin: float = 0.07,
) -> Image.Image:
    """A page on a desk, taken with a telephone from above."""
    scene = desk(surface, size, rng)
    lay(scene, page, corners(size, margin, page.height / page.width, rng, tilt=1.3, bend=0.010))
    return expose(scene, rng)


def scanned(page: Image.Image, rng: np.random.Generator, paper: Rgb = (246, 246, 244)) -> Image.Image:
    """A page from a flatbed: almost straight, even light, a thin grey edge."""
    # 150 dots per inch or a little more: finer, and 200 KB would leave only mush of the guilloche.
    long_side = 1440
    scale = long_side / max(page.size)
    page = page.resize((round(page.width * scale), round(page.height * scale)), Image.Resampling.LANCZOS)
    size = (page.width + 32, page.height + 32)
    scene = Image.new("RGB", size, paper)
    lay(scene, page, corners(size, 0.012, page.height / page.width, rng, tilt=0.4, bend=0.001), shadow=6, depth=90)
    return expose(scene, rng, noise=1.2, light=0.025)


def jpeg(image: Image.Image, target: int = TARGET_BYTES) -> bytes:
    """The best JPEG that fits, searched between quality 20 and 92."""
    picture = image.convert("RGB")
    low, high, best = 20, 92, b""
    while low <= high:
        quality = (low + high) // 2
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True, dpi=(300, 300))
        if buffer.tell() <= target:
            best, low = buffer.getvalue(), quality + 1
        else:
            high = quality - 1
    if not best:
        raise ValueError(f"no JPEG of {image.width} × {image.height} fits {target} bytes")
    return best


def png(image: Image.Image, target: int = TARGET_BYTES) -> bytes:
    """A PNG of few colours, as a screen capture has them; fewer still until it fits."""
    for colours in (200, 64, 24, 8):
        buffer = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= target:
            return buffer.getvalue()
    raise ValueError(f"no PNG of {image.width} × {image.height} fits {target} bytes")
