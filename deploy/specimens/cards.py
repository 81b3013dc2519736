"""What fits into a wallet: the identity card's two sides and the student card; and the ID photo on them."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from deploy.specimens.light import Rgb, noise_field
from deploy.specimens.paper import MARK, SEAL, font, frame, guilloche, mark, press, rosette, seal, sheet, star, write
from deploy.specimens.people import Person
from deploy.specimens.photo import rounded
from deploy.specimens.portrait import bust

CARD = (1284, 810)  # ISO ID-1 at 15 pixels per millimetre
ID_PHOTO = (390, 567)  # 小2寸, 33 × 48 mm at 300 dpi
_JACKETS: tuple[Rgb, ...] = ((34, 40, 58), (44, 44, 48), (60, 34, 42), (34, 52, 50))
_LABEL: Rgb = (36, 92, 150)


def jacket_of(seed: int) -> Rgb:
    """What the person wears."""
    return _JACKETS[seed % len(_JACKETS)]


def id_photo(seed: int, size: tuple[int, int] = ID_PHOTO, backdrop: Rgb = (253, 253, 253)) -> Image.Image:
    """The person before a plain backdrop, framed as 小2寸 asks; other proportions show more or less of the sides."""
    person = _sitter(seed % len(_JACKETS))
    side = (person.width - person.height * size[0] / size[1]) / 2
    sitter = person.resize(size, Image.Resampling.LANCZOS, (side, 0, person.width - side, person.height))
    photo = Image.new("RGB", size, backdrop)
    photo.paste(sitter, mask=sitter)
    return photo


@cache
def _sitter(jacket: int) -> Image.Image:
    rng = np.random.default_rng([jacket, 48])
    return bust((478, ID_PHOTO[1]), 1.96, (239, 46), _JACKETS[jacket], rng)


def marked_id_photo(person: Person, seed: int) -> Image.Image:
    """The ID photo on its own; 样本 stands on the clothes, for the backdrop must stay white."""
    photo = id_photo(seed)
    note = Image.new("L", photo.size)
    ImageDraw.Draw(note).text((195, 532), MARK, 190, font("sans", 38), anchor="mm")
    photo.paste((255, 255, 255), mask=note)
    return photo


def studio_portrait(seed: int) -> Image.Image:
    """What a candidate sends to the photo check: the person on white in large, 样本 on the clothes.

    1200 × 1600 px; the head has some 950 of them, and room all around.
    """
    size = (1200, 1600)
    rng = np.random.default_rng([seed, 5])
    photo = Image.new("RGB", size, (255, 255, 255))
    person = bust(size, 5.5, (size[0] / 2, 160), _JACKETS[seed % len(_JACKETS)], rng)
    photo.paste(person, mask=person.getchannel("A"))
    note = Image.new("L", size)
    ImageDraw.Draw(note).text((size[0] / 2, 1490), MARK, 190, font("sans", 110), anchor="mm")
    photo.paste((255, 255, 255), mask=note)
    return photo


def identity_front(person: Person, seed: int) -> Image.Image:
    """The side with the face."""
    rng = np.random.default_rng([seed, 11])
    card = sheet(CARD, (226, 237, 244), rng, fibres=0.006)
    card.paste((244, 226, 224), mask=_glow(CARD, (0.72, 0.55), 0.5))
    guilloche(card, (0, 0, *CARD), (120, 168, 206), 46)
    rosette(card, (560, 420), 330, (196, 120, 150), 70)
    for y, label, value in ((150, "姓名", person.name), (245, "性别", person.sex_zh)):
        write(card, (86, y), label, 36, face="sans", ink=_LABEL)
        write(card, (196, y), value, 44, face="sans")
    write(card, (320, 245), "民族", 36, face="sans", ink=_LABEL)
    write(card, (424, 245), person.ethnicity, 44, face="sans")
    write(card, (86, 340), "出生", 36, face="sans", ink=_LABEL)
    x = 196.0
    for number, unit in ((person.birth.year, "年"), (person.birth.month, "月"), (person.birth.day, "日")):
        x = write(card, (x, 340), str(number), 42, face="sans") + 14
        x = write(card, (x, 340), unit, 34, face="sans", ink=_LABEL) + 22
    write(card, (86, 435), "住址", 36, face="sans", ink=_LABEL)
    for row, start in enumerate(range(0, len(person.address), 12)):
        write(card, (196, 435 + row * 58), person.address[start : start + 12], 42, face="sans")
    write(card, (86, 710), "公民身份号码", 36, face="sans", ink=_LABEL)
    write(card, (366, 713), person.id_number, 58, face="sans", bold=0.8, spacing=6)
    photo = id_photo(seed, (376, 462), (236, 241, 244))
    soft = Image.new("L", photo.size)
    ImageDraw.Draw(soft).rectangle((10, 10, photo.width - 11, photo.height - 11), fill=255)
    card.paste(photo, (838, 118), soft.filter(ImageFilter.GaussianBlur(5)))
    mark(card, 58, strength=46)
    return rounded(card, 46)


def identity_back(person: Person, seed: int) -> Image.Image:
    """The side with the issuer; the roundel stands where the real card bears the state's emblem."""
    rng = np.random.default_rng([seed, 12])
    card = sheet(CARD, (229, 236, 243), rng, fibres=0.006)
    card.paste((247, 222, 220), mask=_glow(CARD, (0.25, 0.3), 0.7))
    guilloche(card, (0, 0, *CARD), (150, 160, 206), 46)
    rosette(card, (700, 470), 310, (110, 150, 190), 70)
    _battlements(card)
    _roundel(card, (196, 190), 110)
    write(card, (780, 178), "中华人民共和国", 64, bold=0.8, anchor="middle", spacing=16)
    write(card, (780, 306), "居民身份证", 100, bold=1.0, anchor="middle", spacing=16)
    issued = person.birth.year + 26
    write(card, (250, 610), "签发机关", 40, face="sans", bold=0.5)
    write(card, (468, 610), "示例市公安局样本分局", 42, face="sans")
    write(card, (250, 706), "有效期限", 40, face="sans", bold=0.5)
    write(card, (468, 706), f"{issued}.03.18-{issued + 20}.03.18", 42, face="sans")
    mark(card, 58, strength=46)
    return rounded(card, 46)


def student_card(person: Person, seed: int) -> Image.Image:
    """A graduate student's card, opened: photo and stamp on the left, the particulars on the right."""
    rng = np.random.default_rng([seed, 13])
    page = sheet((1500, 1020), (247, 243, 230), rng)
    guilloche(page, (0, 0, *page.size), (214, 190, 150), 42)
    frame(page, 34, ((0, 4), (12, 1)), (150, 44, 48))
    draw = ImageDraw.Draw(page)
    page.paste((120, 108, 90), mask=_gutter(page.size))
    photo = id_photo(seed, (300, 420))
    draw.rectangle((218, 196, 218 + 311, 196 + 431), fill=(252, 252, 250), outline=(170, 160, 140), width=2)
    page.paste(photo, (224, 202))
    write(page, (375, 120), "样本医科大学", 58, bold=0.8, ink=(150, 30, 36), anchor="middle", spacing=6)
    write(page, (375, 722), "研究生学生证", 52, bold=0.6, anchor="middle", spacing=8)
    write(page, (375, 790), "STUDENT CARD", 30, face="sans", anchor="middle", spacing=4)
    year = person.studies.entered.year if person.studies else person.birth.year + 24
    rows = (
        ("姓　　名", person.name),
        ("性　　别", person.sex_zh),
        ("出生日期", f"{person.birth:%Y年%m月%d日}"),
        ("学　　号", f"999{year}0{seed % 1000:03d}"),
        ("学　　院", "示例临床医学院"),
        ("专　　业", "内科学（样本方向）"),
        ("学习形式", "全日制硕士研究生"),
        ("入学日期", f"{year}年9月1日"),
        ("有效期至", f"{year + 3}年7月31日"),
    )
    for row, (label, value) in enumerate(rows):
        y = 158 + row * 84
        write(page, (812, y), label, 34, ink=(120, 40, 44))
        write(page, (1000, y), value, 38)
        draw.line((992, y + 14, 1424, y + 14), fill=(176, 150, 120), width=2)
    write(page, (812, 930), "注册栏：本学年已注册", 30, ink=(120, 40, 44))
    press(page, seal("样本医科大学", "学生证专用章", 122, rng), (500, 600))
    press(page, seal("样本医科大学", "注册章", 66, rng), (1316, 912))
    mark(page, 54)
    return page


def _glow(size: tuple[int, int], centre: tuple[float, float], reach: float) -> Image.Image:
    x = np.linspace(0, 1, size[0], dtype=np.float32)[None, :] - centre[0]
    y = np.linspace(0, 1, size[1], dtype=np.float32)[:, None] - centre[1]
    return Image.fromarray((np.exp(-(x**2 + y**2) / (reach**2 / 2)) * 190).astype(np.uint8))


def _gutter(size: tuple[int, int]) -> Image.Image:
    distance = np.abs(np.arange(size[0], dtype=np.float32) - size[0] / 2)
    fold = np.exp(-distance / 22) * 150 + np.exp(-distance / 2) * 60
    return Image.fromarray(np.broadcast_to(fold, (size[1], size[0])).astype(np.uint8))


def _roundel(card: Image.Image, centre: tuple[float, float], radius: float) -> None:
    """An emblem of nobody: a star over a book within a wreath of dots."""
    draw = ImageDraw.Draw(card)
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=SEAL, width=9)
    draw.ellipse((x - radius + 20, y - radius + 20, x + radius - 20, y + radius - 20), outline=(212, 150, 40), width=4)
    for step in range(24):
        angle = step * math.pi / 12
        px, py = x + (radius - 12) * math.cos(angle), y + (radius - 12) * math.sin(angle)
        draw.ellipse((px - 4, py - 4, px + 4, py + 4), fill=(212, 150, 40))
    draw.polygon(star((x, y - 30), 34), fill=SEAL)
    write(card, (x, y + 62), "样本", 54, face="sans", bold=1.2, ink=SEAL, anchor="middle")


def _battlements(card: Image.Image) -> None:
    """A long wall over hills, faint, along the card's foot."""
    rng = np.random.default_rng(7)
    layer = Image.new("L", card.size)
    draw = ImageDraw.Draw(layer)
    width, height = card.size
    for depth, strength in ((0, 26), (1, 34), (2, 42)):
        ridge = height * (0.52 + 0.13 * depth) + noise_field(rng, (width, 1), (7 + depth, 2))[0] * 70
        draw.polygon([(0, height), *((x, float(ridge[x])) for x in range(0, width, 4)), (width, height)], fill=strength)
        for x in range(0, width, 26):
            draw.rectangle((x, float(ridge[x]) - 10, x + 13, float(ridge[x]) + 4), fill=strength)
    card.paste((88, 112, 150), mask=layer)
