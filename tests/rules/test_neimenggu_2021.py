"""Inner Mongolia 2021: who must hand in what. Cases quote 000_cdc8c7b373a400ab.txt (and 004_…, the guide's screens)."""

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
)

PACK = "neimenggu-2021"
EVERYBODY = {"identity", "diploma", "trial_assessment", "registration_notice"}
USUAL = EVERYBODY | {"institution_licence"}
ASSISTANTS_PAPERS = {"assistant_qualification", "assistant_practice_licence"}
UP = (USUAL - {"trial_assessment"}) | ASSISTANTS_PAPERS | {"practice_assessment"}
BY_UPGRADE = {"education": "bachelor", "upgraded_from_junior_college": True}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, USUAL, id="000 附件2一: 各类别均需上传的资料"),
        pytest.param(ASSISTANT, USUAL, id="000 附件2一: 各类别, an assistant as well"),
        pytest.param({"category": "public_health"}, USUAL, id="000 附件2一: 各类别, public health as well"),
        # 一（二）除三级甲等医院，各级疾控中心外，其他医疗机构
        pytest.param({"institution": "tertiary_a"}, EVERYBODY, id="000 附件2一(二): 除三级甲等医院"),
        pytest.param({"institution": "cdc"}, EVERYBODY, id="000 附件2一(二): 各级疾控中心"),
        pytest.param({"institution": "medical"}, USUAL, id="000 附件2一(二): 其他医疗机构"),
        pytest.param({"institution": "other"}, EVERYBODY, id="000 附件2一(二): no 医疗机构 at all"),
        # 一（三）
        pytest.param(GOING_UP, UP, id="000 附件2一(三): 执业期考核证明 instead of the trial period"),
        pytest.param({"institutions_count": 3}, USUAL, id="000 附件2一(三): several institutions, the same items"),
        # 一（四）
        pytest.param({"diploma_lost": True}, USUAL, id="000 附件2一(四): 遗失的, still under 毕业证书"),
        # 二（一）2015年9月1日以后升入本科
        pytest.param(BY_UPGRADE | {"upgrade_entered_on": "2015-08-31"}, USUAL, id="000 附件2二(一): the day before"),
        pytest.param(
            BY_UPGRADE | {"upgrade_entered_on": "2015-09-01"},
            USUAL | {"junior_college_diploma"},
            id="000 附件2二(一): 2015年9月1日 itself",
        ),
        pytest.param(BY_UPGRADE | {"upgrade_entered_on": None}, USUAL, id="000 附件2二(一): no date known"),
        pytest.param(
            {"upgraded_from_junior_college": False, "upgrade_entered_on": "2016-09-01"},
            USUAL,
            id="000 附件2二(一): a date, but no 专升本",
        ),
        pytest.param(
            GRADUATE | {"upgraded_from_junior_college": True, "upgrade_entered_on": "2015-09-01"},
            USUAL | {"junior_college_diploma", "degree"},
            id="000 附件2二(一): 本科及以上, behind a later graduate degree",
        ),
        pytest.param(
            BY_UPGRADE | {"level": "assistant", "upgrade_entered_on": "2016-09-01"},
            USUAL | {"junior_college_diploma"},
            id="000 附件2二(一): whatever the level",
        ),
        # 二（二）
        pytest.param(GOING_UP | {"education": "secondary"}, UP, id="000 附件2二(二): 中专学历"),
        pytest.param(GOING_UP | {"education": "bachelor"}, UP, id="000 附件4: 助理考执业提交, with any education"),
        pytest.param(
            GOING_UP | BY_UPGRADE | {"upgrade_entered_on": "2018-09-01"},
            UP | {"junior_college_diploma"},
            id="000 附件2二(一)(二): going up with a bachelor's by upgrade",
        ),
        # 二（三）
        pytest.param(
            FINISHING,
            USUAL | {"student_card", "clinical_training_proof"},
            id="000 附件2二(三)1: 当年毕业考生, and no degree yet",
        ),
        pytest.param(GRADUATE | {"entered_on": "2014-12-31"}, USUAL, id="000 附件2二(三)2: the day before 2015"),
        pytest.param(
            GRADUATE | {"entered_on": "2015-01-01"}, USUAL | {"degree"}, id="000 附件2二(三)2: 2015年1月1日 itself"
        ),
        pytest.param(GRADUATE | {"entered_on": None}, USUAL, id="000 附件2二(三)2: no date known"),
        pytest.param({"entered_on": "2016-09-01"}, USUAL, id="000 附件2二(三)2: 研究生 only, no bachelor"),
        # 二（四）
        pytest.param(
            {"level": "assistant", "education": "apprenticeship", "category": "tcm"},
            USUAL | {"apprenticeship_certificate"},
            id="000 附件2二(四)1: 师承",
        ),
        pytest.param(
            {"level": "assistant", "education": "special_skill", "category": "tcm"},
            USUAL | {"apprenticeship_certificate"},
            id="000 附件2二(四)1: 确有专长",
        ),
        pytest.param(
            {"level": "physician", "education": "apprenticeship", "category": "tcm"},
            USUAL | {"apprenticeship_certificate"} | ASSISTANTS_PAPERS,
            id="000 附件2二(四)2: 师承 to physician",
        ),
        pytest.param(
            GOING_UP | {"education": "special_skill", "category": "tcm"},
            UP | {"apprenticeship_certificate"},
            id="000 附件2二(四)2: 确有专长, going up",
        ),
        # 二（五）至（七）
        pytest.param(
            {"degree_origin": "foreign"}, USUAL | {"foreign_degree_certification"}, id="000 附件2二(五): 国外医学学历"
        ),
        pytest.param({"degree_origin": "hmt"}, USUAL, id="000 附件2二(五): 国外, so not Hong Kong, Macao, Taiwan"),
        pytest.param(
            {"nationality": "foreign", "id_document": "passport"},
            USUAL | {"internship_form_foreign"},
            id="000 附件2二(六): 外籍人员",
        ),
        pytest.param(
            {"nationality": "hmt", "id_document": "hmt_permit"},
            USUAL | {"internship_form_hmt"},
            id="000 附件2二(七): 港澳台居民",
        ),
        pytest.param(
            {"nationality": "foreign", "degree_origin": "foreign", "institution": "tertiary_a"},
            EVERYBODY | {"internship_form_foreign", "foreign_degree_certification"},
            id="000 附件2二(五)(六): a foreigner with a foreign degree at a tertiary hospital",
        ),
        # What other regions ask for, and this one does not.
        pytest.param({"fresh_graduate": True}, USUAL, id="000 附件4 11: 承诺书 is brought along, not uploaded"),
        pytest.param({"extra_exam": "emergency"}, USUAL, id="000: no word of an extra exam"),
        pytest.param({"military": "serving", "id_document": "military_card"}, USUAL, id="000: no word of the military"),
        pytest.param(
            GOING_UP | {"registration_changed": True, "registration_years_short": True},
            UP,
            id="000: no word of a first registration",
        ),
    ],
)
def test_each_candidate_is_asked_for_exactly_what_the_notice_says(facts: dict[str, Any], expected: set[str]) -> None:
    assert required(PACK, **facts) == expected


@pytest.mark.parametrize("facts", [{}, {"nationality": "foreign", "id_document": "passport"}, FINISHING, GOING_UP])
def test_identity_takes_three_images_no_more_no_less(facts: dict[str, Any]) -> None:
    # 附件2一(一) 正反面照片及本人手持; 附件3(3) 传完指定数量的图片后，则不能继续上传
    assert counts(PACK, "identity", **facts) == (3, 3)


@pytest.mark.parametrize(("institutions", "least"), [(1, 1), (2, 2), (8, 8)])
def test_each_institution_of_the_trial_gives_a_form(institutions: int, least: int) -> None:
    # 附件2一(三) 每个单位一份
    lowest, highest = counts(PACK, "trial_assessment", institutions_count=institutions)

    assert lowest == least
    assert highest >= lowest


def test_each_institution_of_the_practice_gives_a_form() -> None:
    assert counts(PACK, "practice_assessment", **GOING_UP, institutions_count=2)[0] == 2


def test_a_lost_diploma_changes_what_is_handed_in_not_whether() -> None:
    # 附件2一(四) 毕业证明书、学籍档案或中国高等教育学生信息网网查报告
    assert "毕业证明书" in reason(PACK, "diploma", diploma_lost=True)
    assert "毕业证明书" not in reason(PACK, "diploma")


def test_a_finishing_graduate_hands_in_the_earlier_diploma() -> None:
    assert "此前取得" in reason(PACK, "diploma", **FINISHING)


@pytest.mark.parametrize("facts", [{}, ASSISTANT, {"military": "serving"}, {"review_passed_years": [2020]}])
def test_everybody_is_reviewed_online_and_comes_only_if_called_in(facts: dict[str, Any]) -> None:
    checklist = listed(PACK, **facts)

    assert (checklist.route, checklist.uploads, checklist.onsite) == ("online", True, None)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(
            {},
            [
                "registration_notice",
                "award_application_form",
                "identity",
                "diploma",
                "trial_assessment",
                "institution_licence",
                "education_record",
                "photo_prints",
            ],
            id="000 附件4 1 2 3 4 7 9 10 12",
        ),
        pytest.param(
            GOING_UP,
            [
                "registration_notice",
                "award_application_form",
                "identity",
                "diploma",
                "assistant_qualification",
                "assistant_practice_licence",
                "practice_assessment",
                "institution_licence",
                "education_record",
                "photo_prints",
            ],
            id="000 附件4 5 6 8: 助理考执业提交",
        ),
        pytest.param(
            FINISHING | {"fresh_graduate": True, "institution": "tertiary_a"},
            [
                "registration_notice",
                "award_application_form",
                "identity",
                "diploma",
                "enrolment_form",
                "clinical_graduate_proof",
                "supervisor_statement",
                "trial_assessment",
                "institution_licence",
                "education_record",
                "graduate_commitment",
                "photo_prints",
            ],
            id="000 附件4 4 11: 当年毕业研究生, 应届毕业生提交",
        ),
        pytest.param(
            {"level": "assistant", "education": "apprenticeship", "institution": "other"},
            [
                "registration_notice",
                "award_application_form",
                "identity",
                "apprenticeship_certificate",
                "apprenticeship_assessment",
                "trial_assessment",
                "photo_prints",
            ],
            id="000 附件4 4: 师承或确有专长人员",
        ),
    ],
)
def test_the_cover_lists_what_those_called_in_bring(facts: dict[str, Any], expected: list[str]) -> None:
    assert brought(PACK, **facts) == expected


def test_a_report_on_a_foreign_degree_takes_the_place_of_the_record() -> None:
    # 附件4 10 学信查询报告或学历认证报告
    lines = brought(PACK, degree_origin="foreign")

    assert "foreign_degree_certification" in lines
    assert "education_record" not in lines


def test_two_portraits_are_brought() -> None:
    # 附件4 12 近期白底免冠小二寸照片2张
    [portraits] = [line for line in listed(PACK).catalogue if line.item == "photo_prints"]

    assert portraits.copies == 2


def test_other_is_neither_required_nor_offered_until_a_reviewer_asks() -> None:
    assert "other" not in required(PACK) | offered_only(PACK)


def test_who_applies_again_is_not_called_a_first_time_applicant() -> None:
    words = reason(PACK, "trial_assessment", review_passed_years=(2019,))

    assert words == "您不是由执业助理医师报考执业医师，须证明试用期考核合格"
