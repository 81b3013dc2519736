"""The one face there is: NASA's public-domain portrait that scikit-image ships, in plain clothes.

The head is cut out of the picture and everything below the neck is drawn anew, so that neither the space suit nor the
names on its patches get onto a specimen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from deploy.specimens.light import Field, Rgb, multiply, noise_field, relief

Points = Sequence[tuple[float, float]]

_HEAD_BOX = (140, 4, 316, 206)
# All points are in pixels of the 512 px original. This one is traced a little outside the hair; colour does the rest.
_HEAD_OUTLINE = (
    (151, 64), (154, 52), (161, 44), (172, 38), (186, 33), (192, 26), (206, 18), (222, 13), (238, 13), (254, 17),
    (268, 24), (280, 30), (289, 39), (296, 50), (301, 64), (305, 84), (303, 98), (297, 112), (286, 124), (277, 133),
    (270, 138), (266, 138), (263, 147), (257, 157), (253, 167), (251, 180), (251, 206), (188, 206), (188, 166),
    (188, 157), (186, 149), (184, 141), (181, 133), (174, 129), (168, 121), (160, 114), (152, 103), (150, 90),
)  # fmt: skip
_NECK = ((188, 152), (258, 146), (251, 180), (251, 206), (188, 206))
_BACKDROP = np.array((199, 191, 193), np.float32)
_MIDDLE = 219.0

_SHOULDERS = (
    (183, 190), (172, 206), (152, 216), (118, 229), (88, 243), (66, 266), (56, 306), (50, 380), (46, 700),
    (392, 700), (388, 380), (382, 306), (372, 266), (350, 243), (320, 229), (286, 216), (266, 206), (255, 190),
)  # fmt: skip
_TURTLENECK = (
    (186, 180), (192, 184), (203, 187), (222, 190), (240, 190), (248, 187), (253, 183), (261, 204), (272, 226),
    (219, 372), (166, 226), (178, 204),
)  # fmt: skip
_COLLAR_FOLD = ((181, 204), (200, 212), (220, 214), (242, 212), (260, 204))
_ARMPIT = ((106, 322), (112, 370), (112, 430), (106, 700))
_LAPEL = ((173, 208), (158, 219), (150, 262), (168, 262), (160, 276), (214, 396), (220, 372), (186, 268))
_COLLAR = ((173, 208), (158, 219), (150, 262), (168, 262), (181, 254))


@cache
def _head() -> Image.Image:
    """Head and neck with a soft edge, freed from the backdrop's colour."""
    # The file itself, for skimage.data.astronaut() imports half of SciPy first (1.1 s); either way no network is asked.
    with (files("skimage.data") / "astronaut.png").open("rb") as file, Image.open(file) as original:
        photo = np.asarray(original.convert("RGB").crop(_HEAD_BOX), np.float32)
    warmth = photo[..., 0] - photo[..., 2]
    # The backdrop is a light, cool grey: what is darker or warmer inside the outline belongs to the head.
    likely = np.clip(np.maximum((160 - photo[..., 1]) / 30, (warmth - 26) / 18), 0, 1)
    colour = Image.fromarray((likely * 255).astype(np.uint8)).filter(ImageFilter.MedianFilter(3))
    outline = _trace(_HEAD_OUTLINE)
    matte = ImageChops.lighter(ImageChops.multiply(colour, outline), outline.filter(ImageFilter.MinFilter(13)))
    matte = ImageChops.lighter(matte, ImageChops.multiply(_trace(_NECK), outline)).filter(ImageFilter.GaussianBlur(0.6))
    alpha = np.asarray(matte, np.float32)[..., None] / 255
    clean = (photo - (1 - alpha) * _BACKDROP) / np.maximum(alpha, 0.2)
    head = Image.fromarray(np.clip(clean, 0, 255).astype(np.uint8)).convert("RGBA")
    head.putalpha(matte)
    return head


def _trace(points: Points) -> Image.Image:
    left, top, right, bottom = _HEAD_BOX
    return _shape((right - left, bottom - top), [(x - left, y - top) for x, y in points])


def _shape(size: tuple[int, int], points: Points) -> Image.Image:
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    ImageDraw.Draw(mask).polygon([(x * 2, y * 2) for x, y in points], fill=255)
    return mask.resize(size, Image.Resampling.BOX)


def _rounded(mask: Image.Image, radius: float) -> Image.Image:
    """The same shape with its corners rounded off."""
    slope = max(2.0, radius * 1.6)
    return mask.filter(ImageFilter.GaussianBlur(radius)).point(lambda v: max(0, min(255, (v - 128) * slope + 128)))


def bust(
    size: tuple[int, int], scale: float, crown: tuple[float, float], jacket: Rgb, rng: np.random.Generator
) -> Image.Image:
    """The person from the head down to the frame's edge, on nothing.

    Args:
        size: Of the picture.
        scale: How many pixels one pixel of the original becomes; the head is 175 of those high and 150 wide.
        crown: Where the top of the hair comes to lie.
        jacket: Colour of the jacket; below it is a black jumper.
        rng: Source of the folds and the weave.
    """
    dx, dy = crown[0] - _MIDDLE * scale, crown[1] - 15 * scale

    def place(points: Points) -> list[tuple[float, float]]:
        return [(x * scale + dx, y * scale + dy) for x, y in points]

    texture = noise_field(rng, size, (7, 3)) * 0.10 + noise_field(rng, size, (18, 5)) * 0.05
    texture += rng.standard_normal((size[1], size[0]), np.float32) * 0.045 + 1
    figure = Image.new("RGBA", size)
    body = _rounded(_shape(size, place(_SHOULDERS)), 7 * scale)
    figure.paste(_cloth(texture, jacket, body, scale), mask=body)
    for crease in (_ARMPIT, [(2 * _MIDDLE - x, y) for x, y in _ARMPIT]):
        figure.paste((6, 6, 10), mask=_stroke(size, place(crease), 3 * scale, 2.5 * scale, 150))
    jumper = _rounded(_shape(size, place(_TURTLENECK)), 1.5 * scale)
    figure.paste(_jumper(texture, jumper, place(_COLLAR_FOLD), scale), mask=jumper)
    for points, lift in ((_LAPEL, 1.16), (_COLLAR, 1.3)):
        lighter = tuple(min(255, round(part * lift + 3)) for part in jacket)
        for side in (points, [(2 * _MIDDLE - x, y) for x, y in points]):
            lapel = _rounded(_shape(size, place(side)), 0.8 * scale)
            shadow = lapel.filter(ImageFilter.GaussianBlur(3 * scale)).point(lambda v: v * 5 // 10)
            figure.paste((8, 8, 12), mask=ImageChops.multiply(shadow, body))
            figure.paste(_cloth(texture, (lighter[0], lighter[1], lighter[2]), lapel, scale / 2), mask=lapel)
    left, top, right, bottom = _HEAD_BOX
    head = _head().resize((round((right - left) * scale), round((bottom - top) * scale)), Image.Resampling.LANCZOS)
    head = head.filter(ImageFilter.UnsharpMask(1.0 * scale, 60, 2))
    # The jumper's edge lies over the neck, so the head goes below it.
    under = Image.new("RGBA", size)
    under.paste(head, (round(left * scale + dx), round(top * scale + dy)))
    cover = Image.new("RGBA", size)
    cover.paste(figure, mask=ImageChops.lighter(jumper, _below(body, place([(0, 206)])[0][1])))
    back = Image.alpha_composite(figure, under)
    return Image.alpha_composite(back, cover)


def _below(mask: Image.Image, y: float) -> Image.Image:
    kept = mask.copy()
    kept.paste(0, (0, 0, mask.width, max(0, round(y))))
    return kept


def _cloth(texture: Field, colour: Rgb, mask: Image.Image, scale: float) -> Image.Image:
    """Woven cloth over a body: roundness, soft folds, a fine weave."""
    return multiply(Image.new("RGB", mask.size, colour), texture + relief(mask, 22 * scale) * np.float32(0.55))


def _jumper(texture: Field, mask: Image.Image, fold: Points, scale: float) -> Image.Image:
    cloth = _cloth(texture, (30, 30, 34), mask, scale / 2)
    cloth.paste((9, 9, 11), mask=_stroke(mask.size, fold, 2.2 * scale, 1.2 * scale, 200))
    return cloth


def _stroke(size: tuple[int, int], points: Points, width: float, softness: float, depth: int) -> Image.Image:
    line = Image.new("L", size)
    ImageDraw.Draw(line).line(list(points), fill=depth, width=max(1, round(width)), joint="curve")
    return line.filter(ImageFilter.GaussianBlur(softness))
