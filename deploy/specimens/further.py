"""The other items' papers: each said by its rows or its prose, on one of few layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from deploy.specimens.cards import id_photo
from deploy.specimens.certificates import AUTHORITY, HOSPITAL, SCHOOL, booklet, school_certificate
from deploy.specimens.light import Rgb
from deploy.specimens.paper import chinese_date, handwrite, mark, paragraph, press, seal, sheet, write
from deploy.specimens.people import Person

Page: TypeAlias = Callable[[Person, int], Image.Image]
_Rows: TypeAlias = tuple[tuple[str, str], ...]

_A4 = (1130, 1600)
_RULE: Rgb = (60, 60, 62)
_GREEN: Rgb = (24, 96, 76)
_RED: Rgb = (140, 44, 40)
_BLUE: Rgb = (34, 84, 130)


def _form(title: str, words: str, sealed_by: str, *, about: _Rows = (), photo: bool = False) -> Page:
    """An office form: what the person is, what the office says, signed and stamped."""

    def page(person: Person, seed: int) -> Image.Image:
        rng = np.random.default_rng([seed, 44])
        paper = sheet(_A4, (251, 250, 246), rng, fibres=0.006)
        draw = ImageDraw.Draw(paper)
        write(paper, (_A4[0] / 2, 160), title, min(58, 900 // len(title)), anchor="middle", bold=1.2, spacing=4)
        write(paper, (_A4[0] / 2, 220), "（样本 · 仅供示例）", 30, anchor="middle")
        left, right = 90, _A4[0] - 90
        rows = (("姓　名", person.name), ("性　别", person.sex_zh), ("证件号码", person.id_number), *about)
        y = 270
        for row, (label, value) in enumerate(rows):
            end = right - 240 if photo and row < 4 else right
            draw.rectangle((left, y, end, y + 84), outline=_RULE, width=2)
            draw.line((left + 220, y, left + 220, y + 84), fill=_RULE, width=2)
            write(paper, (left + 110, y + 54), label, 32, anchor="middle")
            handwrite(paper, (left + 250, y + 56), value, 37, rng)
            y += 84
        if photo:
            draw.rectangle((right - 240, 270, right, 270 + 4 * 84), outline=_RULE, width=2)
            paper.paste(id_photo(seed, (214, 311)), (right - 227, 282))
        draw.rectangle((left, y, right, y + 620), outline=_RULE, width=2)
        paragraph(paper, (left + 50, y + 90), words, 38, right - left - 100, 72)
        end_of_label = write(paper, (left + 430, y + 440), "签　名：", 34)
        handwrite(paper, (end_of_label + 30, y + 442), "范例", 56, rng)
        write(paper, (right - 60, y + 520), sealed_by, 34, anchor="right")
        write(paper, (right - 60, y + 576), f"{person.stamped_in}年3月5日", 34, anchor="right")
        press(paper, seal(sealed_by, "专用章", 132, rng), (right - 230, y + 480))
        mark(paper, 54)
        return paper

    return page


def _award(title: str, heading: str, words: str, awarded_by: str, colour: Rgb) -> Page:
    """A certificate in a frame. `words` go on after the name."""

    def page(person: Person, seed: int) -> Image.Image:
        year = person.birth.year + 27
        number = f"99999{year}{seed % 10000:04d}"
        text = f"{person.name}，{person.sex_zh}，{words}"
        date = chinese_date(year, 9, 1)
        return school_certificate(person, seed, title, heading, text, awarded_by, number, date, colour)

    return page


def _licence(title: str, about: _Rows, colour: Rgb) -> Page:
    """An authority's booklet."""

    def page(person: Person, seed: int) -> Image.Image:
        year = person.birth.year + 26
        rows = (
            ("姓　　名", person.name),
            ("性　　别", person.sex_zh),
            ("证件编号", person.id_number),
            *about,
            ("证书编码", f"{year}99999{seed % 100000:06d}"),
        )
        return booklet(person, seed, title, rows, chinese_date(year, 3, 6), colour)

    return page


_SCREEN_ROWS = (("报名编号", "2099990001"), ("报考级别", "执业医师"), ("报考类别", "临床"), ("考　　点", "示例考点"))

FURTHER: dict[str, Page] = {
    "foreign_degree_certification": _award(
        "国外学历学位认证书", "教育部门留学服务机构（样本）",
        "所持样本国示例大学颁发的医学学士学位证书，经认证，与国内高等学校相应学历学位相当。",
        "示例留学服务中心", _BLUE,
    ),
    "clinical_training_proof": _form(
        "临床实践训练满一年证明及承诺书",
        "兹证明该生在读期间临床实践训练已满一年，考核合格。本人承诺所述属实，于当年毕业并取得相应证书。",
        SCHOOL, about=(("专　　业", "临床医学"), ("训练医院", HOSPITAL)),
    ),
    "supervisor_licence": _licence(
        "医师执业证书", (("执业级别", "执业医师"), ("执业类别", "临床"), ("执业地点", HOSPITAL), ("说明", "带教老师")),
        _RED,
    ),
    "practice_assessment": _form(
        "执业期考核证明",
        "该同志在我单位执业期间遵守制度，操作规范，执业满规定年限，考核合格，同意报考。",
        HOSPITAL, about=(("执业级别", "执业助理医师"), ("执业时间", "满五年"), ("执业科室", "内科")), photo=True,
    ),
    "first_registration_proof": _form(
        "首次执业注册证明",
        "经查，该同志首次执业注册日期及历次变更如上，注册机关予以证明。",
        AUTHORITY, about=(("首次注册", "2019年3月6日"), ("变更注册", "2022年5月10日")),
    ),
    "graduate_commitment": _form(
        "应届毕业生承诺书",
        "本人为应届毕业生，试用期尚未满一年。承诺在规定日期前补交试用期考核合格证明；逾期未交，后果自负。",
        "本人签名", about=(("毕业学校", SCHOOL), ("试用机构", HOSPITAL)),
    ),
    "extra_exam_form": _form(
        "短线医学专业加试申请表",
        "本人从事院前急救（儿科）岗位工作，自愿申请短线医学专业加试，并知悉取得的证书注明相应岗位。",
        HOSPITAL, about=(("加试专业", "儿科"), ("工作单位", HOSPITAL)), photo=True,
    ),
    "residency_certificate": _award(
        "培训合格证书", "住院医师规范化培训", "按规定完成住院医师规范化培训，经考核合格，特发此证。", HOSPITAL, _BLUE
    ),
    "apprenticeship_certificate": _award(
        "出师证书", "传统医学师承", "按规定跟师学习满三年，经考核合格，准予出师，特发此证。", AUTHORITY, _GREEN
    ),
    "tcm_specialist_certificate": _licence(
        "专长医师资格证书", (("专　　长", "内服方药类"), ("级　　别", "医师")), _GREEN
    ),
    "tcm_specialist_licence": _licence(
        "专长医师执业证书", (("执业范围", "中医专长"), ("执业地点", HOSPITAL)), _RED
    ),
    "village_doctor_certificate": _licence(
        "乡村医生执业证书", (("执业地点", "示例县样本村卫生室"), ("有效期限", "五年")), _GREEN
    ),
    "internship_form_hmt": _form(
        "台港澳居民实习申请审核表",
        "经审核，该申请人在内地医疗机构实习期满一年，考核合格。",
        AUTHORITY, about=(("证件类型", "来往内地通行证"), ("实习机构", HOSPITAL)), photo=True,
    ),
    "internship_form_foreign": _form(
        "外籍人员实习申请审核表",
        "经审核，该申请人在境内医疗机构实习期满一年，考核合格。",
        AUTHORITY, about=(("证件类型", "护照"), ("实习机构", HOSPITAL)), photo=True,
    ),
    "military_identity": _licence(
        "军队人员身份证明", (("部　　职", "样本部队 医师"), ("军　　衔", "样本")), _RED
    ),
    "military_consent": _form(
        "报考同意证明",
        "该同志为我部现役人员，经研究，同意其报名参加国家医师资格考试。",
        "样本部队政治工作部门", about=(("部　　别", "样本部队"), ("职　　务", "医师")),
    ),
    "registration_notice": _form(
        "网上报名成功通知单",
        "您已完成网上报名。请按考区要求提交报名材料并参加资格审核，审核通过后方可缴费。本人核对以上信息无误。",
        "考生签名", about=_SCREEN_ROWS, photo=True,
    ),
    "previous_result": _form(
        "医师资格考试成绩单",
        "该考生参加往年医师资格考试，实践技能考试合格。",
        "示例考试机构", about=(("考试年度", "样本年度"), ("准考证号", "99999000001")), photo=True,
    ),
}  # fmt: skip
