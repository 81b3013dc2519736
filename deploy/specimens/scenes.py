"""A person holding the card: bust, card and hand before an ordinary wall.

The hand is no photograph: thumb and palm are rows of balls in a height field, lit from the upper left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from deploy.specimens.cards import identity_front, jacket_of
from deploy.specimens.light import Field, Rgb, multiply, noise_field, ramp, relief
from deploy.specimens.paper import mark
from deploy.specimens.people import Person
from deploy.specimens.photo import Corners, expose, lay
from deploy.specimens.portrait import bust

# x, y and radius of each joint in hundredths of the card's width, from the middle of the card's right edge.
Limb = Sequence[tuple[float, float, float]]
_PALM: tuple[Limb, ...] = (
    ((-3, 6, 6.5), (5, 13, 7.2), (11, 26, 8.2), (15, 44, 10.5), (19, 64, 13), (23, 120, 14)),
    ((-14, 26, 9), (-3, 40, 11.5), (6, 54, 13.5), (13, 74, 14), (20, 120, 14)),
)
_THUMB: tuple[Limb, ...] = (
    ((-10, 26.5, 5.6), (-7, 28.5, 6.9), (-2.5, 33, 7.4), (3, 40, 7.6), (9, 51, 9.6), (15, 68, 12), (21, 100, 12.5)),
)
_SLEEVE = ((-4, 74), (18, 68), (40, 72), (52, 100), (70, 180), (-6, 180), (-2, 110))
_NAIL = (-8.2, 27.8, 8.4, 6.0, 40.0)  # x, y, length, width, degrees
_SKIN = np.array((230, 193, 173), np.float32)
_SHADE = np.array((0.56, 0.67, 0.73), np.float32)  # skin's shadows are redder than its light


def identity_holding(person: Person, seed: int) -> Image.Image:
    """The candidate with the card's front held towards the camera, both sharp."""
    rng = np.random.default_rng([seed, 21])
    size = (1200, 1500)
    scene = _wall(size, rng)
    mark(scene, 62, strength=30)
    figure = bust(size, 2.45, (540, 120), jacket_of(seed), rng)
    _shade(scene, figure)
    scene.paste(figure, mask=figure)
    card = identity_front(person, seed)
    width = 540.0
    where = _held(card, (372, 850), width, float(rng.uniform(-0.045, -0.015)))
    edge = ((where[1][0] + where[2][0]) / 2, (where[1][1] + where[2][1]) / 2)
    _flesh(scene, _PALM, edge, width / 100, rng)
    lay(scene, card, where, shadow=16, depth=130)
    _flesh(scene, _THUMB, edge, width / 100, rng, nail=True)
    _sleeve(scene, edge, width / 100, jacket_of(seed), rng)
    return expose(scene, rng, noise=2.2, light=0.07)


def _wall(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    wall = Image.new("RGB", size, (206, 207, 202))
    draw = ImageDraw.Draw(wall)
    draw.rectangle((0, 0, 150, size[1]), fill=(178, 164, 144))
    draw.rectangle((150, 0, 172, size[1]), fill=(152, 138, 120))
    wall = wall.filter(ImageFilter.GaussianBlur(7))
    return multiply(wall, 1 + ramp(size, 0.9) * np.float32(-0.07) + noise_field(rng, size, (6, 7)) * 0.012)


def _shade(scene: Image.Image, figure: Image.Image) -> None:
    """The shadow of the person on the wall behind."""
    small = figure.getchannel("A").resize((figure.width // 8, figure.height // 8)).filter(ImageFilter.GaussianBlur(5))
    scene.paste((70, 66, 62), (26, 20), small.resize(figure.size, Image.Resampling.BICUBIC).point(lambda v: v * 3 // 8))


def _held(card: Image.Image, corner: tuple[float, float], width: float, tilt: float) -> Corners:
    height = width * card.height / card.width
    shape = ((0.0, 0.0), (width, 7.0), (width - 3, height), (4.0, height + 4))
    return [(corner[0] + x - y * tilt, corner[1] + y + x * tilt) for x, y in shape]


def _sleeve(scene: Image.Image, edge: tuple[float, float], unit: float, jacket: Rgb, rng: np.random.Generator) -> None:
    mask = Image.new("L", scene.size)
    ImageDraw.Draw(mask).polygon([(edge[0] + x * unit, edge[1] + y * unit) for x, y in _SLEEVE], fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(9)).point(lambda v: max(0, min(255, (v - 128) * 9 + 128)))
    folds = noise_field(rng, scene.size, (16, 24)) * 0.12
    weave = rng.standard_normal((scene.height, scene.width), np.float32) * 0.045
    cloth = multiply(Image.new("RGB", scene.size, jacket), 1.15 + relief(mask, 60) * 0.8 + folds + weave)
    scene.paste((6, 6, 9), mask=mask.filter(ImageFilter.BoxBlur(14)).point(lambda v: v * 2 // 3))
    scene.paste(cloth, mask=mask)


def _flesh(
    scene: Image.Image,
    limbs: Sequence[Limb],
    origin: tuple[float, float],
    unit: float,
    rng: np.random.Generator,
    *,
    nail: bool = False,
) -> None:
    """Paint the limbs as skin: the height field's slope gives the light, its edge the outline."""
    joints = [joint for limb in limbs for joint in limb]
    left = int(origin[0] + min(x - r for x, _, r in joints) * unit) - 20
    top = int(origin[1] + min(y - r for _, y, r in joints) * unit) - 20
    right = min(scene.width, int(origin[0] + max(x + r for x, _, r in joints) * unit) + 20)
    size = (right - left, scene.height - top)
    shift = (origin[0] - left, origin[1] - top)
    height, edge = _balls(
        size, [[(x * unit + shift[0], y * unit + shift[1], r * unit) for x, y, r in _smooth(limb)] for limb in limbs]
    )
    down, across = np.gradient(height)
    lit = (across * 0.40 + down * 0.55 + 1.0) / np.sqrt(1 + down**2 + across**2) / 1.21
    lit = lit + noise_field(rng, size, (9, 9)) * 0.02 + noise_field(rng, size, (size[0] // 4, size[1] // 4)) * 0.018
    dark = np.clip(0.98 - lit, 0, 1)[..., None]
    colour = _SKIN * (1 - dark * _SHADE)
    if nail:
        colour = _nail(colour, shift, unit)
    mask = Image.fromarray((np.clip(edge + 0.5, 0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    shadow = mask.filter(ImageFilter.GaussianBlur(11)).point(lambda v: v * 9 // 20)
    scene.paste((18, 10, 8), (left + 5, top + 8), shadow)
    scene.paste(Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8)), (left, top), mask)


def _smooth(limb: Limb, steps: int = 24) -> list[tuple[float, float, float]]:
    """The same limb with many joints, on a Catmull-Rom curve."""
    points = np.array([limb[0], *limb, limb[-1]], np.float64)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(points, points[1:], points[2:], points[3:], strict=False):
        parts.append(b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))
    return [(float(x), float(y), float(r)) for x, y, r in np.concatenate(parts)]


def _balls(size: tuple[int, int], limbs: list[list[tuple[float, float, float]]]) -> tuple[Field, Field]:
    """Height of the rows of balls, blended where limbs meet, and how far inside the outline each pixel lies."""
    half = (size[0] // 2 + 1, size[1] // 2 + 1)
    x = np.arange(half[0], dtype=np.float32)[None, :]
    y = np.arange(half[1], dtype=np.float32)[:, None]
    soft = 5.0
    total = np.zeros((half[1], half[0]), np.float32)
    edge = np.full_like(total, -4)
    for limb in limbs:
        squared = np.zeros_like(total)
        for cx, cy, r in limb:
            near = (slice(max(0, int((cy - r) / 2) - 3), int((cy + r) / 2) + 4),
                    slice(max(0, int((cx - r) / 2) - 3), int((cx + r) / 2) + 4))  # fmt: skip
            far = (x[:, near[1]] - cx / 2) ** 2 + (y[near[0]] - cy / 2) ** 2
            squared[near] = np.maximum(squared[near], r * r / 4 - far)
            edge[near] = np.maximum(edge[near], r / 2 - np.sqrt(far))
        total = soft * np.logaddexp(total / soft, np.sqrt(squared) / soft).astype(np.float32)
    grown = [
        np.asarray(Image.fromarray(field * 2).resize((half[0] * 2, half[1] * 2), Image.Resampling.BICUBIC))
        for field in (total, edge)
    ]
    return grown[0][: size[1], : size[0]], grown[1][: size[1], : size[0]]


def _nail(colour: Field, shift: tuple[float, float], unit: float) -> Field:
    x0, y0, long, wide, turn = _NAIL
    y, x = np.mgrid[0 : colour.shape[0], 0 : colour.shape[1]].astype(np.float32)
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    u = ((x - shift[0] - x0 * unit) * cos + (y - shift[1] - y0 * unit) * sin) / (long * unit / 2)
    v = (-(x - shift[0] - x0 * unit) * sin + (y - shift[1] - y0 * unit) * cos) / (wide * unit / 2)
    far = (np.abs(u) ** 2.6 + np.abs(v) ** 2.6)[..., None]
    plate = np.array((240, 198, 184), np.float32) + np.clip(-v, 0, 1)[..., None] * 12
    rim = np.clip(1 - np.abs(far - 1) / 0.2, 0, 1) * 20
    body = np.clip((1 - far) * 6, 0, 1) * 0.7
    return np.asarray(colour * (1 - body) + plate * body - rim, np.float32)
