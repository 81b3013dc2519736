"""What is printed: type, rules, seals, guilloches and the mark 样本 that no specimen goes without."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
import pylopdf_fonts_zh_cn
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from deploy.specimens.light import Rgb, multiply, noise_field

Face = Literal["sans", "serif"]
Anchor = Literal["left", "middle", "right"]

INK: Rgb = (28, 28, 30)
PEN: Rgb = (32, 44, 110)
SEAL: Rgb = (205, 28, 30)
MARK = "样本 SPECIMEN"
_ANCHORS = {"left": "ls", "middle": "ms", "right": "rs"}


@cache
def font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    """Noto Sans or Serif SC out of the package that ships them; the machine's fonts are never asked."""
    path = pylopdf_fonts_zh_cn.sans_path() if face == "sans" else pylopdf_fonts_zh_cn.serif_path()
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def sheet(size: tuple[int, int], colour: Rgb, rng: np.random.Generator, fibres: float = 0.008) -> Image.Image:
    """Blank paper, slightly cloudy and fibrous."""
    clouds = noise_field(rng, size, (max(2, size[0] // 180), max(2, size[1] // 180))) * (fibres * 0.8)
    fine = noise_field(rng, size, (size[0] // 3, size[1] // 3)) * fibres
    return multiply(Image.new("RGB", size, colour), 1 + clouds + fine)


def write(
    page: Image.Image,
    at: tuple[float, float],
    text: str,
    size: int,
    *,
    face: Face = "serif",
    ink: Rgb = INK,
    anchor: Anchor = "left",
    bold: float = 0,
    spacing: float = 0,
) -> float:
    """Print one line on its baseline and return where it ended.

    Args:
        page: Printed on in place.
        at: Start, middle or end of the baseline, as `anchor` says.
        text: What to print.
        size: Of the type in pixels.
        face: Which of the two typefaces.
        ink: Its colour.
        anchor: What `at` means.
        bold: Extra stroke in pixels, for there is only one weight.
        spacing: Extra room between characters in pixels.
    """
    draw, type_ = ImageDraw.Draw(page), font(face, size)
    width = type_.getlength(text) + spacing * (len(text) - 1)
    x = at[0] - {"left": 0.0, "middle": width / 2, "right": width}[anchor]
    for part in text if spacing else [text]:
        draw.text((x, at[1]), part, ink, type_, anchor="ls", stroke_width=bold)
        x += type_.getlength(part) + spacing
    return x - spacing


def wrap(text: str, size: int, width: float, face: Face = "serif", indent: int = 0) -> list[str]:
    """Break Chinese prose into lines; closing punctuation never begins one."""
    lines, line = [], "　" * indent
    for character in text:
        if font(face, size).getlength(line + character) > width and character not in "，。、；：）》":
            lines.append(line)
            line = ""
        line += character
    return [*lines, line]


def paragraph(
    page: Image.Image, at: tuple[float, float], text: str, size: int, width: float, leading: float, *, indent: int = 2
) -> float:
    """Print prose from the first baseline down and return the baseline below the last."""
    y = at[1]
    for line in wrap(text, size, width, indent=indent):
        write(page, (at[0], y), line, size)
        y += leading
    return y


def handwrite(page: Image.Image, at: tuple[float, float], text: str, size: int, rng: np.random.Generator) -> float:
    """The same type, slanted and unsteady, in blue ink: near enough to a pen."""
    x, y = at
    for character in text:
        grown = round(size * rng.uniform(0.94, 1.1))
        glyph = Image.new("L", (grown * 2, grown * 2))
        ImageDraw.Draw(glyph).text((grown, grown), character, 255, font("serif", grown), anchor="mm", stroke_width=0.4)
        lean, tilt = rng.uniform(0.12, 0.26), rng.uniform(-5, 5)
        glyph = glyph.transform(
            glyph.size, Image.Transform.AFFINE, (1, lean, -lean * grown, 0, 1, 0), Image.Resampling.BICUBIC
        ).rotate(tilt, Image.Resampling.BICUBIC)
        corner = (round(x - grown / 2), round(y - grown * 1.36 + rng.uniform(-0.05, 0.05) * size))
        page.paste(PEN, corner, glyph.point(lambda v: min(255, v * 9 // 10)))
        x += font("serif", grown).getlength(character) * rng.uniform(0.9, 1.0)
    return x


def guilloche(page: Image.Image, box: tuple[int, int, int, int], colour: Rgb, strength: int, waves: int = 5) -> None:
    """Fine interlaced waves over the box, as security printing has them."""
    left, top, right, bottom = box
    layer = Image.new("L", (right - left, bottom - top))
    draw = ImageDraw.Draw(layer)
    xs = np.arange(0, right - left + 6, 6)
    for start in range(-40, bottom - top + 40, 9):
        for phase in (0.0, math.pi):
            ys = start + 13 * np.sin(xs / (right - left) * 2 * math.pi * waves + phase + start / 60)
            draw.line([(float(x), float(y)) for x, y in zip(xs, ys, strict=True)], fill=strength, width=1)
    page.paste(colour, (left, top), layer.filter(ImageFilter.GaussianBlur(0.5)))


def rosette(page: Image.Image, centre: tuple[float, float], radius: float, colour: Rgb, strength: int) -> None:
    """A spirograph flower, pale enough to print over."""
    layer = Image.new("L", page.size)
    draw = ImageDraw.Draw(layer)
    turn = np.linspace(0, 2 * math.pi, 1400)
    for phase in np.linspace(0, 2 * math.pi, 14, endpoint=False):
        r = radius * (0.62 + 0.38 * np.sin(turn * 9 + phase))
        points = zip(centre[0] + r * np.cos(turn), centre[1] + r * np.sin(turn), strict=True)
        draw.line([(float(x), float(y)) for x, y in points], fill=strength, width=1)
    page.paste(colour, mask=layer)


def frame(page: Image.Image, inset: int, lines: Sequence[tuple[int, int]], colour: Rgb) -> None:
    """A border of several rules, each given as (distance from `inset`, width)."""
    draw = ImageDraw.Draw(page)
    for distance, width in lines:
        far = inset + distance
        draw.rectangle((far, far, page.width - 1 - far, page.height - 1 - far), outline=colour, width=width)


def star(centre: tuple[float, float], radius: float) -> list[tuple[float, float]]:
    """The corners of a five-pointed star."""
    corners = []
    for step in range(10):
        reach = radius if step % 2 == 0 else radius * 0.382
        angle = math.pi * (step / 5 - 0.5)
        corners.append((centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle)))
    return corners


def seal(name: str, caption: str, radius: int, rng: np.random.Generator) -> Image.Image:
    """A round red seal: the name along the rim, a star, a caption, and the unevenness of a hand-pressed stamp."""
    side = radius * 2 + 12
    middle = side / 2
    ink = Image.new("L", (side, side))
    draw = ImageDraw.Draw(ink)
    draw.ellipse((6, 6, side - 7, side - 7), outline=255, width=max(3, radius // 20))
    draw.polygon(star((middle, middle), radius * 0.28), fill=255)
    size = round(radius * min(0.30, 2.45 / len(name)))
    spread = min(math.radians(250), len(name) * size * 1.3 / (radius * 0.76))
    for index, character in enumerate(name):
        angle = (index - (len(name) - 1) / 2) * spread / max(1, len(name) - 1)
        glyph = Image.new("L", (size * 2, size * 2))
        ImageDraw.Draw(glyph).text((size, size), character, 255, font("serif", size), anchor="mm", stroke_width=0.8)
        glyph = glyph.rotate(-math.degrees(angle), Image.Resampling.BICUBIC)
        x = middle + radius * 0.76 * math.sin(angle) - size
        y = middle - radius * 0.76 * math.cos(angle) - size
        ink.paste(255, (round(x), round(y)), glyph)
    draw.text((middle, middle + radius * 0.55), caption, 255, font("serif", round(radius * 0.19)), anchor="mm")
    worn = 0.84 + 0.16 * noise_field(rng, ink.size, (side // 4, side // 4)) + 0.12 * noise_field(rng, ink.size, (4, 4))
    faded = np.clip(np.asarray(ink, np.float32) * worn, 0, 235).astype(np.uint8)
    return Image.fromarray(faded).rotate(rng.uniform(-9, 9), Image.Resampling.BICUBIC)


def press(page: Image.Image, stamp: Image.Image, centre: tuple[float, float], colour: Rgb = SEAL) -> None:
    """Press the stamp on; what is printed below shows through, as with real ink."""
    left, top = round(centre[0] - stamp.width / 2), round(centre[1] - stamp.height / 2)
    ink = Image.new("RGB", stamp.size, "white")
    ink.paste(colour, mask=stamp)
    below = page.crop((left, top, left + stamp.width, top + stamp.height))
    page.paste(ImageChops.multiply(below, ink), (left, top))


def mark(page: Image.Image, size: int, *, strength: int = 62, colour: Rgb = (200, 40, 40)) -> None:
    """样本 across the whole page, diagonally; over everything, so that nobody can take it for the real thing."""
    words = slanted_mark(size, strength)
    step = words.width * 95 // 100
    for row, y in enumerate(range(-words.height // 2, page.height, words.height * 105 // 100)):
        for x in range(-(row % 3 + 1) * step // 3, page.width, step):
            page.paste(colour, (x, y), words)


@cache
def slanted_mark(size: int, strength: int) -> Image.Image:
    """One 样本 SPECIMEN, turned, to be stamped over and over."""
    type_ = font("sans", size)
    line = Image.new("L", (round(type_.getlength(MARK)) + size, size * 2))
    ImageDraw.Draw(line).text((size // 2, size), MARK, strength, type_, anchor="lm", stroke_width=1)
    return line.rotate(24, Image.Resampling.BICUBIC, expand=True)


def chinese_date(year: int, month: int, day: int | None = None) -> str:
    """二〇一八年七月一日, the way certificates write it."""
    digits = "〇一二三四五六七八九"
    text = "".join(digits[int(d)] for d in str(year)) + f"年{_count(month)}月"
    return text if day is None else text + f"{_count(day)}日"


def _count(number: int) -> str:
    digits = "〇一二三四五六七八九"
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones or not tens else "")
