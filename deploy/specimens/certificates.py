"""What a school or an authority awards: diplomas, the degree certificate and the physician's two booklets."""

from __future__ import annotations

import datetime as dt

import numpy as np
from PIL import Image, ImageDraw

from deploy.specimens.cards import id_photo
from deploy.specimens.light import Rgb
from deploy.specimens.paper import (
    chinese_date,
    frame,
    guilloche,
    handwrite,
    mark,
    paragraph,
    press,
    rosette,
    seal,
    sheet,
    write,
)
from deploy.specimens.people import Level, Person

SCHOOL = "样本医科大学"
COLLEGE = "示例医学高等专科学校"
AUTHORITY = "示例市卫生健康委员会"
HOSPITAL = "示例市样本医院"

_NUMBERS = "〇一二三四五六七八九"
_LANDSCAPE = (1560, 1110)
_BOOKLET = (1560, 1090)


_COURSES: dict[Level, tuple[str, str, str, Rgb]] = {
    # what the course is called, the heading, the number's code, the colour of print
    "graduate": ("硕士研究生", "研究生", "02", (96, 40, 110)),
    "bachelor": ("本科", "普通高等学校", "05", (158, 30, 38)),
    "junior_college": ("专科", "普通高等学校（专科）", "06", (34, 84, 130)),
    "secondary": ("中等专业教育", "中等专业学校", "08", (70, 84, 60)),
}


def diploma(person: Person, seed: int) -> Image.Image:
    """The diploma of the studies that the person applies with."""
    course = person.course
    called, heading, code, colour = _COURSES[course.level]
    school = SCHOOL if course.level in {"graduate", "bachelor"} else COLLEGE
    end = course.graduated or course.entered.replace(year=course.entered.year + course.years, month=6)
    text = (
        f"学生 {person.name}，性别{person.sex_zh}，{_born(person)}生，于{_month(course.entered)}至"
        f"{_month(end)}在本校临床医学专业{_NUMBERS[course.years]}年制{called}学习，"
        "修完教学计划规定的全部课程，成绩合格，准予毕业。"
    )
    number = f"99999{end.year}{code}00{seed % 10000:04d}1"
    day = chinese_date(end.year, end.month, end.day)
    return school_certificate(person, seed, "毕业证书", heading, text, school, number, day, colour)


def junior_college_diploma(person: Person, seed: int) -> Image.Image:
    """A junior college's diploma of three years."""
    # The one from before an upgrade: it ends as the upgraded course begins.
    began = person.studies.entered.year - 3 if person.studies else person.birth.year + 18
    text = (
        f"学生 {person.name}，性别{person.sex_zh}，{_born(person)}生，于{chinese_date(began, 9)}至"
        f"{chinese_date(began + 3, 7)}在本校临床医学专业三年制专科学习，"
        "修完教学计划规定的全部课程，成绩合格，准予毕业。"
    )
    number = f"99998{began + 3}0600{seed % 10000:04d}2"
    return school_certificate(
        person, seed + 1, "毕业证书", "普通高等学校（专科）", text, COLLEGE, number, chinese_date(began + 3, 7, 1),
        (34, 84, 130),
    )  # fmt: skip


def degree(person: Person, seed: int) -> Image.Image:
    """The degree in medicine that goes with the diploma."""
    end = person.course.graduated or person.course.entered
    called, title = ("硕士", "硕士学位证书") if person.course.level == "graduate" else ("学士", "学士学位证书")
    studied = "研究生" if person.course.level == "graduate" else "本科"
    text = (
        f"{person.name}，{person.sex_zh}，{_born(person)}生，在{SCHOOL}临床医学专业完成了{studied}学习计划，业已毕业，"
        f"经审核符合学位授予的规定，授予医学{called}学位。"
    )
    number = f"99999420{end.year}{seed % 10000:04d}3"
    day = chinese_date(end.year, end.month, end.day)
    return school_certificate(person, seed + 2, title, "普通高等教育", text, SCHOOL, number, day, (30, 92, 70))


def assistant_qualification(person: Person, seed: int) -> Image.Image:
    """The assistant physician's qualification booklet, opened."""
    year = person.birth.year + 25
    rows = (
        ("姓　　名", person.name),
        ("性　　别", person.sex_zh),
        ("出生日期", f"{person.birth:%Y年%m月%d日}"),
        ("证件编号", person.id_number),
        ("毕业学校", COLLEGE),
        ("所学专业", "临床医学"),
        ("类　　别", "临床"),
        ("级　　别", "执业助理医师"),
        ("证书编码", f"{year}99999{seed % 1000:03d}{person.id_number[6:14]}"),
    )
    return booklet(person, seed, "医师资格证书", rows, chinese_date(year, 12, 10), (24, 96, 76))


def assistant_practice_licence(person: Person, seed: int) -> Image.Image:
    """The assistant physician's licence to practise, opened."""
    year = person.birth.year + 26
    rows = (
        ("姓　　名", person.name),
        ("性　　别", person.sex_zh),
        ("身份证号", person.id_number),
        ("资格证书", f"{year - 1}99999{seed % 1000:03d}{person.id_number[6:14]}"),
        ("执业级别", "执业助理医师"),
        ("执业类别", "临床"),
        ("执业范围", "内科专业"),
        ("执业地点", HOSPITAL),
        ("证书编码", f"220999999{seed % 100000:06d}"),
    )
    return booklet(person, seed + 1, "医师执业证书", rows, chinese_date(year, 3, 6), (128, 44, 40))


def _month(day: dt.date) -> str:
    return chinese_date(day.year, day.month)


def _born(person: Person) -> str:
    return chinese_date(person.birth.year, person.birth.month, person.birth.day)


def school_certificate(
    person: Person,
    seed: int,
    title: str,
    heading: str,
    text: str,
    school: str,
    number: str,
    date: str,
    colour: Rgb,
) -> Image.Image:
    """What a school awards, in an ornamental frame: a photo, prose, and the school's seal."""
    rng = np.random.default_rng([seed, 31])
    page = sheet(_LANDSCAPE, (250, 246, 234), rng)
    pale: Rgb = (colour[0] // 2 + 120, colour[1] // 2 + 120, colour[2] // 2 + 110)
    guilloche(page, (92, 92, page.width - 92, page.height - 92), pale, 44)
    rosette(page, (page.width / 2, 560), 380, pale, 80)
    _border(page, colour)
    write(page, (page.width / 2, 208), heading, 46, anchor="middle", spacing=12, ink=colour)
    write(page, (page.width / 2, 320), title, 92, anchor="middle", spacing=34, ink=colour, bold=2)
    photo = id_photo(seed, (238, 346))
    ImageDraw.Draw(page).rectangle((166, 426, 166 + 249, 426 + 357), fill=(252, 252, 250), outline=(160, 150, 130))
    page.paste(photo, (172, 432))
    paragraph(page, (474, 466), text, 44, page.width - 474 - 150, 80)
    write(page, (172, 880), f"证书编号：{number}", 34)
    end = write(page, (880, 830), "校（院）长：", 38)
    handwrite(page, (end + 40, 832), "范例", 62, rng)
    write(page, (880, 902), f"学　　校：{school}", 38)
    write(page, (1220, 976), date, 38, anchor="middle")
    press(page, seal(school, "", 136, rng), (1222, 856))
    press(page, seal(school, "照片骑缝章", 92, rng), (404, 770), (176, 60, 60))
    mark(page, 60)
    return page


def _border(page: Image.Image, colour: Rgb) -> None:
    """An ornamental frame: rules with a band of interlaced rings between them."""
    draw = ImageDraw.Draw(page)
    frame(page, 40, ((0, 5), (12, 2), (44, 2), (52, 1)), colour)
    near, far = 40 + 28, 28
    across = np.linspace(near, page.width - 1 - near, 76)
    along = np.linspace(near, page.height - 1 - near, 54)
    for x in across:
        for y in (near, page.height - 1 - near):
            draw.ellipse((x - far / 2, y - 13, x + far / 2, y + 13), outline=colour, width=2)
    for y in along[1:-1]:
        for x in (near, page.width - 1 - near):
            draw.ellipse((x - 13, y - far / 2, x + 13, y + far / 2), outline=colour, width=2)


def booklet(
    person: Person, seed: int, title: str, rows: tuple[tuple[str, str], ...], date: str, colour: Rgb
) -> Image.Image:
    """A licence or certificate that opens: photo and issuer on the left, the particulars on the right."""
    rng = np.random.default_rng([seed, 32])
    page = sheet(_BOOKLET, (244, 246, 238), rng)
    pale: Rgb = (colour[0] // 2 + 124, colour[1] // 2 + 124, colour[2] // 2 + 120)
    guilloche(page, (60, 60, page.width - 60, page.height - 60), pale, 48)
    rosette(page, (page.width * 0.25, 560), 330, pale, 80)
    rosette(page, (page.width * 0.75, 560), 330, pale, 80)
    middle = page.width // 2
    draw = ImageDraw.Draw(page)
    for left, right in ((46, middle - 30), (middle + 30, page.width - 47)):
        draw.rectangle((left, 46, right, page.height - 47), outline=colour, width=4)
        draw.rectangle((left + 10, 56, right - 10, page.height - 57), outline=colour, width=1)
    distance = np.abs(np.arange(page.width, dtype=np.float32) - middle)
    fold = np.exp(-distance / 26) * 120 + np.exp(-distance / 2) * 70
    gutter = Image.fromarray(np.broadcast_to(fold, (page.height, page.width)).astype(np.uint8))
    page.paste((104, 100, 88), mask=gutter)
    write(page, (middle / 2, 172), title, 62, anchor="middle", bold=1.2, spacing=10, ink=colour)
    photo = id_photo(seed, (280, 407))
    draw.rectangle((244, 238, 244 + 291, 238 + 418), fill=(252, 252, 250), outline=(160, 160, 150))
    page.paste(photo, (250, 244))
    write(page, (112, 764), "发证机关：", 36, ink=colour)
    write(page, (290, 764), AUTHORITY, 38)
    write(page, (112, 846), "签发日期：", 36, ink=colour)
    write(page, (290, 846), date, 38)
    write(page, (112, 950), "本证为演示样本，不具任何效力。", 32, ink=(90, 90, 90))
    for row, (label, value) in enumerate(rows):
        y = 174 + row * 98
        write(page, (middle + 70, y), label, 35, ink=colour)
        write(page, (middle + 236, y), value, 38)
        draw.line((middle + 228, y + 16, page.width - 92, y + 16), fill=pale, width=2)
    press(page, seal(AUTHORITY, "医师专用章", 128, rng), (560, 790))
    mark(page, 58)
    return page
