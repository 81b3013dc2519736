"""Office paper: the institution's licence as a stamped copy, the assessment form, and a record on the screen."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from deploy.specimens.cards import id_photo
from deploy.specimens.certificates import AUTHORITY, HOSPITAL, SCHOOL
from deploy.specimens.light import Rgb, multiply, noise_field
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
    wrap,
    write,
)
from deploy.specimens.people import Level, Person

_LEVELS: dict[Level, str] = {
    "graduate": "硕士研究生",
    "bachelor": "本科",
    "junior_college": "专科",
    "secondary": "中专",
}
_A4 = (1130, 1600)
_RULE: Rgb = (60, 60, 62)


def institution_licence(person: Person, seed: int) -> Image.Image:
    """A black-and-white copy of the licence's duplicate, stamped by the institution it was copied in."""
    rng = np.random.default_rng([seed, 41])
    page = sheet(_A4, (252, 252, 250), rng, fibres=0.004)
    guilloche(page, (70, 70, _A4[0] - 70, _A4[1] - 70), (140, 140, 140), 40, waves=4)
    rosette(page, (_A4[0] / 2, 780), 380, (130, 130, 130), 60)
    frame(page, 52, ((0, 7), (16, 2), (24, 1)), (70, 70, 70))
    middle = _A4[0] / 2
    write(page, (middle, 216), "医疗机构执业许可证", 74, anchor="middle", bold=1.6, spacing=12)
    write(page, (middle, 300), "（副　本）", 44, anchor="middle", spacing=8)
    began = person.birth.year + 24
    rows = (
        ("机构名称", HOSPITAL),
        ("地　　址", "样本省示例市样本区范例路100号"),
        ("法定代表人", "范例"),
        ("主要负责人", "范例"),
        ("所有制形式", "全民"),
        ("机构类别", "综合医院（二级）"),
        ("登记号", f"99999-9{seed % 1000:03d}-A1001"),
        ("有效期限", f"自{began}年6月1日至{began + 15}年5月31日"),
    )
    draw = ImageDraw.Draw(page)
    y = 400.0
    for label, value in rows:
        write(page, (140, y), label, 35, bold=0.4)
        write(page, (350, y), value, 37)
        draw.line((342, y + 15, 990, y + 15), fill=_RULE, width=1)
        y += 78
    write(page, (140, y), "诊疗科目", 35, bold=0.4)
    subjects = "内科；外科；妇产科；儿科；急诊医学科；麻醉科；医学检验科；医学影像科；中医科（以上均为样本内容）"
    for line in wrap(subjects, 35, 640):
        write(page, (350, y), line, 35)
        y += 60
    paragraph(page, (140, 1236), "该机构经核准登记，准予按上列科目开展诊疗活动。", 35, 850, 60)
    write(page, (1030, 1370), f"发证机关：{AUTHORITY}", 33, anchor="right")
    write(page, (880, 1436), chinese_date(began, 6, 1), 33, anchor="middle")
    press(page, seal(AUTHORITY, "", 126, rng), (872, 1366))
    copy = _photocopied(page, rng)
    write(copy, (124, 1452), "复印件与原件一致", 38, face="sans", ink=(30, 40, 110), bold=0.6)
    press(copy, seal(HOSPITAL, "业务专用章", 118, rng), (330, 1424))
    mark(copy, 54)
    return copy


def trial_assessment(person: Person, seed: int) -> Image.Image:
    """The form on which an institution certifies the trial period: printed, filled in by pen, stamped in red."""
    rng = np.random.default_rng([seed, 42])
    page = sheet(_A4, (251, 250, 246), rng, fibres=0.006)
    draw = ImageDraw.Draw(page)
    write(page, (_A4[0] / 2, 150), "试用期考核合格证明", 62, anchor="middle", bold=1.4, spacing=8)
    write(page, (_A4[0] / 2, 206), "（样本 · 仅供演示）", 30, anchor="middle")
    year = person.stamped_in - 2
    left, right = 90, _A4[0] - 90
    table: tuple[tuple[int, tuple[tuple[str, str, int], ...]], ...] = (
        (86, (("姓　名", person.name, 430), ("性　别", person.sex_zh, right))),
        (86, (("出生日期", f"{person.birth:%Y.%m.%d}", 560), ("报考类别", "临床执业医师", right))),
        (86, (("身份证号", person.id_number, right),)),
        (86, (("毕业学校", SCHOOL, 560), ("所学专业", "临床医学", right))),
        (86, (("试用机构", HOSPITAL, 560), ("科　室", "内科", right))),
        (86, (("试用时间", f"{year}年8月1日 至 {year + 1}年7月31日", right),)),
        (86, (("带教老师", "例师", 560), ("资格证书", f"{year - 12}99999110", right))),
    )
    y = 250
    for height, cells in table:
        x = left
        for label, value, end in cells:
            draw.rectangle((x, y, end, y + height), outline=_RULE, width=2)
            draw.line((x + 150, y, x + 150, y + height), fill=_RULE, width=2)
            write(page, (x + 75, y + height / 2 + 12), label, 32, anchor="middle")
            handwrite(page, (x + 186, y + height / 2 + 16), value, 37, rng)
            x = end
        y += height
    opinions = (
        ("带教老师意见", "试用期内工作认真，操作规范，遵守制度，考核合格。", "例师", 240),
        ("机构考核意见", "经考核，该同志试用期满一年，考核合格，同意报考。", "范例", 330),
    )
    for label, words, signed, height in opinions:
        draw.rectangle((left, y, right, y + height), outline=_RULE, width=2)
        draw.line((left + 150, y, left + 150, y + height), fill=_RULE, width=2)
        for row, start in enumerate(range(0, len(label), 2)):
            write(page, (left + 75, y + height / 2 - 26 + row * 44), label[start : start + 2], 32, anchor="middle")
        for row, line in enumerate(wrap(words, 40, right - left - 230)):
            handwrite(page, (left + 200, y + 72 + row * 62), line, 39, rng)
        after = write(page, (left + 470, y + height - 84), "签　名：", 32)
        handwrite(page, (after + 40, y + height - 82), signed, 56, rng)
        write(page, (right - 40, y + height - 26), f"{year + 2}年1月12日", 32, anchor="right")
        y += height
    write(page, (left, y + 58), "说明：本表由试用机构填写并加盖公章；涂改无效。", 28)
    press(page, seal(HOSPITAL, "人事科", 138, rng), (786, y - 110))
    mark(page, 54)
    return page


def education_record(person: Person, seed: int) -> Image.Image:
    """A web page with the education record, as a screen capture shows it."""
    page = Image.new("RGB", (1280, 1000), (244, 246, 249))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 1280, 96), fill=(30, 98, 160))
    write(page, (48, 62), "样本学历信息网", 40, face="sans", ink=(255, 255, 255), bold=0.6)
    write(page, (1232, 60), "演示环境", 28, face="sans", ink=(214, 230, 246), anchor="right")
    draw.rectangle((48, 136, 1231, 936), fill=(255, 255, 255), outline=(214, 220, 228), width=2)
    write(page, (640, 216), "学历证书电子注册备案表（样本）", 44, face="sans", anchor="middle", bold=0.8)
    course = person.course
    ended = course.graduated or course.entered
    rows = (
        ("姓名", person.name, "性别", person.sex_zh),
        ("出生日期", f"{person.birth:%Y年%m月%d日}", "入学日期", f"{course.entered:%Y年%m月%d日}"),
        ("学校名称", SCHOOL, "毕（结）业日期", f"{ended:%Y年%m月%d日}"),
        ("专业", "临床医学", "学制", f"{course.years} 年"),
        ("层次", _LEVELS[course.level], "学历类别", "普通高等教育"),
        ("学习形式", "普通全日制", "毕（结）业", "毕业"),
        ("证书编号", f"99999{ended.year}0500{seed % 10000:04d}1", "校（院）长", "范例"),
    )
    draw.rectangle((916, 262, 1171, 262 + 359), outline=(190, 200, 210), width=2)
    page.paste(id_photo(seed, (244, 355)), (922, 264))
    for row, (first, value, second, other) in enumerate(rows):
        y = 252 + row * 76
        for x, label, words in ((84, first, value), (484, second, other)):
            write(page, (x, y + 28), label, 22, face="sans", ink=(120, 128, 138))
            write(page, (x, y + 62), words, 29, face="sans", ink=(36, 40, 46))
            draw.line((x, y + 74, x + 350, y + 74), fill=(226, 230, 236))
    write(page, (84, 842), f"在线验证码：99SAMPLE{seed % 10000:04d}（无效）", 24, face="sans", ink=(120, 128, 138))
    write(page, (84, 888), "本页为演示样本，不能在线验证。", 24, face="sans", ink=(120, 128, 138))
    _pattern(draw, (952, 680), seed)
    write(page, (1044, 900), "样本码", 22, face="sans", ink=(120, 128, 138), anchor="middle")
    mark(page, 52, strength=44)
    return page


def _pattern(draw: ImageDraw.ImageDraw, corner: tuple[int, int], seed: int) -> None:
    """Squares that look like a code and say nothing."""
    left, top = corner
    bits = np.random.default_rng([seed, 43]).random((23, 23)) < 0.5
    for y, x in np.argwhere(bits):
        draw.rectangle((left + x * 8, top + y * 8, left + x * 8 + 7, top + y * 8 + 7), fill=(36, 40, 46))
    for x, y in ((0, 0), (16, 0), (0, 16)):
        for inset, colour in ((-8, (255, 255, 255)), (0, (36, 40, 46)), (8, (255, 255, 255)), (16, (36, 40, 46))):
            near, far = inset, 55 - inset
            draw.rectangle(
                (left + x * 8 + near, top + y * 8 + near, left + x * 8 + far, top + y * 8 + far), fill=colour
            )


def _photocopied(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Grey, contrasty, with specks and a faint drum band: the output of an office copier."""
    grey = ImageOps.autocontrast(ImageOps.grayscale(page), cutoff=(1, 30))
    specks = (rng.random((grey.height // 2, grey.width // 2)) < 0.00025).astype(np.float32)
    dirt = np.asarray(Image.fromarray(specks).resize(grey.size, Image.Resampling.BILINEAR), np.float32)
    band = noise_field(rng, grey.size, (2, 9)) * 0.015 + noise_field(rng, grey.size, (grey.width // 2, 90)) * 0.012
    return multiply(Image.merge("RGB", (grey, grey, grey)), 0.975 + band - dirt * 0.7)
