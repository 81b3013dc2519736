"""Liaoning 2022: which way each candidate goes, and who must hand in what. Cases quote 003_ccc62b10b78dcdcd.txt."""

from typing import Any

import pytest

from tests.rules.asking import (
    ASSISTANT,
    FINISHING,
    GOING_UP,
    GRADUATE,
    brought,
    counts,
    listed,
    offered_only,
    reason,
    required,
    rules_of,
)

PACK = "liaoning-2022"
ALWAYS = {"identity", "diploma", "institution_licence"}
TRIAL = ALWAYS | {"trial_assessment"}
USUAL = TRIAL | {"degree", "education_record"}
ASSISTANTS_PAPERS = {"assistant_qualification", "assistant_practice_licence"}
UP = ALWAYS | ASSISTANTS_PAPERS | {"practice_assessment", "education_record"}
BEFORE_2002 = {"graduated_on": "2001-12-31"}
FIRST = {"first_application_within_3y": True}
APPRENTICE = {"level": "assistant", "education": "apprenticeship", "category": "tcm"}
BY_UPGRADE = {"upgraded_from_junior_college": True, "upgrade_entered_on": "2015-09-01"}


@pytest.mark.parametrize(
    ("facts", "route", "uploads"),
    [
        # 现役军人和部队文职人员: 线下, 只在系统内填报个人信息，无需上传报名材料
        pytest.param({"military": "serving"}, "onsite", False, id="003 附件1: 现役军人"),
        pytest.param({"military": "civilian_staff"}, "onsite", False, id="003 附件1: 部队文职人员"),
        pytest.param(
            {"military": "serving", "review_passed_years": [2021]},
            "onsite",
            False,
            id="003 附件1: 现役军人 before all other rows, passed in 2021",
        ),
        pytest.param(
            FIRST | {"military": "civilian_staff", "education": "secondary"},
            "onsite",
            False,
            id="003 附件1: 文职人员 before all other rows, 中专",
        ),
        # 最近3年首次报考
        pytest.param(
            FIRST | BEFORE_2002, "onsite", True, id="003 附件1: 首次, 2002年以前毕业的大专以上, the day before"
        ),
        pytest.param(
            FIRST | BEFORE_2002 | {"education": "junior_college"},
            "onsite",
            True,
            id="003 附件1: 首次, 大专 before 2002",
        ),
        pytest.param(FIRST | {"education": "secondary"}, "onsite", True, id="003 附件1: 首次, 中职(中专)"),
        pytest.param(FIRST | {"education_form": "adult"}, "onsite", True, id="003 附件1: 首次, 成人教育"),
        pytest.param(FIRST | {"western_studying_tcm": True}, "onsite", True, id="003 附件1: 首次, 西医学习中医"),
        pytest.param(FIRST | {"graduated_on": "2002-01-01"}, "online", True, id="003 附件1: 首次, from 2002 on"),
        pytest.param({"education_form": "adult"}, "online", True, id="003 附件1: 成人教育, but not the first time"),
        pytest.param({"western_studying_tcm": True}, "online", True, id="003 附件1: 西医学习中医, not the first time"),
        # 2020、2021年资格审核通过
        pytest.param({"review_passed_years": [2020]}, "online", True, id="003 附件1: passed in 2020"),
        pytest.param({"review_passed_years": [2019, 2021]}, "online", True, id="003 附件1: passed in 2021"),
        pytest.param(
            {"review_passed_years": [2021], "education": "secondary"}, "online", True, id="003 附件1: passed, 中专"
        ),
        pytest.param(
            BEFORE_2002 | {"review_passed_years": [2019]}, "onsite", True, id="003 附件1: passed in 2019 only"
        ),
        # 2002年及以后毕业的大专及以上学历可提供学信网认证
        pytest.param({}, "online", True, id="003 附件1: 2002年及以后, 学信网"),
        pytest.param(GRADUATE, "online", True, id="003 附件1: 大专及以上, a graduate"),
        pytest.param({"education_record_available": False}, "onsite", True, id="003 附件1: no 学信网 record"),
        pytest.param(BEFORE_2002, "onsite", True, id="003 附件1: 不在以上条件内, before 2002, not the first time"),
        pytest.param({"graduated_on": None}, "onsite", True, id="003 附件1: 不在以上条件内, no date"),
        pytest.param(FIRST | FINISHING, "onsite", True, id="003 附件1: no date is not before 2002"),
        pytest.param(ASSISTANT, "onsite", True, id="003 附件1: 不在以上条件内, 中专, not the first time"),
        pytest.param(APPRENTICE, "onsite", True, id="003 附件1: 不在以上条件内, 师承"),
    ],
)
def test_each_candidate_goes_the_way_of_the_table(facts: dict[str, Any], route: str, uploads: bool) -> None:
    checklist = listed(PACK, **facts)

    assert (checklist.route, checklist.uploads) == (route, uploads)
    assert (checklist.onsite is not None) == (route == "onsite")


def test_a_missing_date_is_not_a_date_before_2002() -> None:
    words = listed(PACK, **FIRST, **FINISHING).route_reason.zh

    assert words == rules_of(PACK).pack.routes[-1].reason.zh


@pytest.mark.parametrize("military", ["serving", "civilian_staff"])
@pytest.mark.parametrize("facts", [{}, GOING_UP, {"extra_exam": "emergency"}, {"review_passed_years": [2020, 2021]}])
def test_the_military_upload_nothing(facts: dict[str, Any], military: str) -> None:
    # 附件1 只在系统内填报个人信息，无需上传报名材料
    assert required(PACK, **facts, military=military) == set()
    assert brought(PACK, military=military)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, USUAL, id="003 附件1: 需上传教育部学历证书电子注册备案表"),
        pytest.param(
            {"review_passed_years": [2021]},
            TRIAL | {"degree", "previous_result"},
            id="003 附件1: 准考证、成绩单，任选其中一项",
        ),
        pytest.param({"review_passed_years": [2019]}, USUAL, id="003 附件1: 2020、2021年 only"),
        pytest.param({"education_record_available": False}, TRIAL | {"degree"}, id="003 附件1: 系统内必须上传所有材料"),
        # 学位证书（本科及以上学历必传）
        pytest.param({"education": "junior_college"}, TRIAL | {"education_record"}, id="003 学位证书: 本科及以上 only"),
        pytest.param({"education_form": "adult"}, USUAL, id="003 学位证书: whatever the form of the education"),
        pytest.param(GRADUATE | {"entered_on": "2010-09-01"}, USUAL, id="003 学位证书: whenever entered"),
        pytest.param(ASSISTANT, TRIAL, id="003: 中专"),
        # 在校研究生或应届（2022年毕业）研究生
        pytest.param(
            FINISHING,
            TRIAL | {"degree", "student_card", "clinical_training_proof"},
            id="003 学生证, 临床实践训练: 在校或应届研究生",
        ),
        # 专科毕业证书, 错位报考: under 毕业证书
        pytest.param(BY_UPGRADE, USUAL, id="003 毕业证书: 同时提交专科毕业证书, no item of its own"),
        pytest.param({"other_category_diplomas": True}, USUAL, id="003 毕业证书: 错位报考"),
        # 试用机构执业许可证: of everybody
        pytest.param({"institution": "tertiary_a"}, USUAL, id="003 执业许可证: a tertiary hospital as well"),
        pytest.param({"institution": "cdc"}, USUAL, id="003 执业许可证: a CDC as well"),
        pytest.param({"institution": "other"}, USUAL, id="003 执业许可证: always"),
        pytest.param(
            {"institution_has_category": False},
            USUAL | {"supervisor_licence"},
            id="003 带教老师: 无考生报考类别诊疗科目",
        ),
        # 其他
        pytest.param(
            {"nationality": "hmt", "id_document": "hmt_permit"},
            USUAL | {"internship_form_hmt"},
            id="003 实习申请表: 台港澳居民",
        ),
        pytest.param(
            {"nationality": "foreign", "id_document": "passport"},
            USUAL | {"internship_form_foreign"},
            id="003 实习申请表: 外籍人员",
        ),
        pytest.param(GOING_UP, UP, id="003 助理升执业必传"),
        pytest.param(GOING_UP | {"education": "bachelor"}, UP | {"degree"}, id="003 助理升执业必传, a bachelor"),
        pytest.param(
            GOING_UP | {"licence_lacks_first_registration": True},
            UP | {"first_registration_proof"},
            id="003 执业证书: 体现不出首次注册时间",
        ),
        pytest.param(
            GOING_UP | {"registration_changed": True, "registration_years_short": True},
            UP,
            id="003 执业证书: a change alone asks for nothing more",
        ),
        pytest.param({"licence_lacks_first_registration": True}, USUAL, id="003 执业证书: nobody but 助理升执业"),
        pytest.param({"fresh_graduate": True}, USUAL | {"graduate_commitment"}, id="003 承诺书: 应届毕业生必传"),
        pytest.param({"extra_exam": "paediatrics"}, USUAL | {"extra_exam_form"}, id="003 加试申请表: 儿科"),
        pytest.param({"extra_exam": "emergency"}, USUAL | {"extra_exam_form"}, id="003 加试申请表: 院前急救"),
        pytest.param({"has_residency_certificate": True}, USUAL, id="003 规范化培训证书: 有就上传"),
        pytest.param(
            APPRENTICE | {"apprenticeship_province": "21"},
            TRIAL | {"apprenticeship_certificate"},
            id="003 师承: 辽宁省证书",
        ),
        pytest.param(
            APPRENTICE | {"apprenticeship_province": "22"},
            TRIAL | {"apprenticeship_certificate"},
            id="003 师承: 外省无效, so one of 辽宁省 is still missing",
        ),
        pytest.param(
            GOING_UP | {"education": "special_skill", "apprenticeship_province": "21"},
            (UP - {"education_record"}) | {"apprenticeship_certificate"},
            id="003 确有专长, 助理升执业",
        ),
        pytest.param(
            GOING_UP | {"rural_major": True, "has_village_doctor_certificate": True}, UP, id="003 乡医证: 可留空"
        ),
    ],
)
def test_each_candidate_is_asked_for_exactly_what_the_document_says(facts: dict[str, Any], expected: set[str]) -> None:
    assert required(PACK, **facts) == expected


@pytest.mark.parametrize("facts", [{}, {"id_document": "passport"}, FINISHING])
def test_identity_takes_three_images(facts: dict[str, Any]) -> None:
    # 身份证明（3张）
    assert counts(PACK, "identity", **facts) == (3, 3)


def test_of_a_foreign_passport_the_cover_is_shown() -> None:
    # 外国护照需上传信息页与封页
    assert "封页" in reason(PACK, "identity", nationality="foreign", id_document="passport")


@pytest.mark.parametrize(
    ("facts", "least"),
    [
        ({}, 1),
        (BY_UPGRADE, 2),
        (BY_UPGRADE | {"upgrade_entered_on": "2015-08-31"}, 1),
        (BY_UPGRADE | {"upgrade_entered_on": None}, 1),
        ({"other_category_diplomas": True}, 2),
        (BY_UPGRADE | {"other_category_diplomas": True}, 3),
        (GRADUATE | BY_UPGRADE, 2),
    ],
)
def test_the_diploma_takes_as_many_images_as_there_are_diplomas(facts: dict[str, Any], least: int) -> None:
    # 错位报考的毕业证都要上传; 2015年9月1日以后专科升入本科的，同时提交专科毕业证书
    assert counts(PACK, "diploma", **facts)[0] == least


@pytest.mark.parametrize(
    ("facts", "least"),
    [
        ({}, 1),
        ({"institutions_count": 3}, 3),
        ({"fresh_graduate": True}, 2),
        ({"fresh_graduate": True, "institutions_count": 3}, 3),
    ],
)
def test_the_trial_takes_a_sheet_for_each_part(facts: dict[str, Any], least: int) -> None:
    # 若在不同机构试用的可分段提供; 应届生…需开两张
    assert counts(PACK, "trial_assessment", **facts)[0] == least


def test_a_certificate_of_another_province_is_called_void() -> None:
    # 外省无效
    assert "无效" in reason(PACK, "apprenticeship_certificate", **APPRENTICE, apprenticeship_province="22")
    assert "无效" not in reason(PACK, "apprenticeship_certificate", **APPRENTICE, apprenticeship_province="21")


@pytest.mark.parametrize(
    ("facts", "item", "offered"),
    [
        ({"has_residency_certificate": True}, "residency_certificate", True),
        ({}, "residency_certificate", False),
        (GOING_UP | {"rural_major": True, "has_village_doctor_certificate": True}, "village_doctor_certificate", True),
        (GOING_UP | {"rural_major": True}, "village_doctor_certificate", False),
        (GOING_UP | {"has_village_doctor_certificate": True}, "village_doctor_certificate", False),
        ({"rural_major": True, "has_village_doctor_certificate": True}, "village_doctor_certificate", False),
    ],
)
def test_some_may_hand_in_more(facts: dict[str, Any], item: str, offered: bool) -> None:
    # 有就上传; 农村医学或卫生保健的助理升执业人员…如果没有或丢失可留空
    assert (item in offered_only(PACK, **facts)) is offered
