"""The province of 2022: who must hand in what. Cases quote 002_8432f36c18922ea7.txt."""

from datetime import date
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
    reason,
    required,
    rules_of,
)

PACK = "province-2022"
ALWAYS = {"identity", "diploma"}
TRIAL = ALWAYS | {"trial_assessment", "institution_licence"}
USUAL = TRIAL | {"degree", "education_record"}
ASSISTANTS_PAPERS = {"assistant_qualification", "assistant_practice_licence"}
UP = ALWAYS | {"institution_licence", "education_record", "practice_assessment"} | ASSISTANTS_PAPERS
CHANGED = {"registration_changed": True, "registration_years_short": True}
BEFORE_2002 = {"graduated_on": "2001-12-31"}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, USUAL, id="002 附件2二 1-6: a bachelor, full-time"),
        # 二3 全日制本科及以上学历必须提供
        pytest.param({"education_form": "adult"}, USUAL - {"degree"}, id="002 附件2二3: 全日制 only"),
        pytest.param({"education": "junior_college"}, USUAL - {"degree"}, id="002 附件2二3: 本科及以上 only"),
        pytest.param(GRADUATE | {"entered_on": "2010-09-01"}, USUAL, id="002 附件2二3: 及以上, whenever entered"),
        pytest.param(
            GRADUATE | {"education_form": "adult"}, USUAL - {"degree"}, id="002 附件2二3: a graduate not full-time"
        ),
        pytest.param(FINISHING, USUAL - {"education_record"}, id="002 附件2二3 附件3二2(6): 当年毕业研究生"),
        # 附件3 2002年以后毕业的专科及以上学历
        pytest.param(BEFORE_2002, USUAL - {"education_record"}, id="002 附件3二2(5): the day before 2002"),
        pytest.param({"graduated_on": "2002-01-01"}, USUAL, id="002 附件3二2(5): from 2002 on"),
        pytest.param({"graduated_on": None}, USUAL - {"education_record"}, id="002 附件3二2(5): no date known"),
        pytest.param(ASSISTANT, TRIAL, id="002 附件3一1(5): 专科及以上, so not 中专"),
        pytest.param(
            {"level": "assistant", "education": "junior_college"},
            TRIAL | {"education_record"},
            id="002 附件3一1(5): 大专",
        ),
        pytest.param(
            {"education_record_available": False}, USUAL, id="002 附件2二4: other proof will do, some must be"
        ),
        # 二6 工作单位是医疗机构的
        pytest.param({"institution": "tertiary_a"}, USUAL, id="002 附件2二6: a tertiary hospital as well"),
        pytest.param({"institution": "cdc"}, USUAL, id="002 附件2二6: a CDC as well"),
        pytest.param({"institution": "other"}, USUAL - {"institution_licence"}, id="002 附件2二6: no 医疗机构"),
        # 二2
        pytest.param(
            {"degree_origin": "foreign"},
            USUAL | {"foreign_degree_certification"},
            id="002 附件2二2: 非大陆学历, abroad",
        ),
        pytest.param(
            {"degree_origin": "hmt"}, USUAL | {"foreign_degree_certification"}, id="002 附件2二2: 非大陆学历, hmt"
        ),
        # 二5
        pytest.param(
            {"nationality": "hmt", "id_document": "hmt_permit"},
            USUAL | {"internship_form_hmt"},
            id="002 附件2二5: 台港澳",
        ),
        pytest.param(
            {"nationality": "foreign", "id_document": "passport"},
            USUAL | {"internship_form_foreign"},
            id="002 附件2二5: 外籍",
        ),
        # 二7 须在毕业证书一栏提交
        pytest.param(
            {"level": "assistant", "education": "apprenticeship", "category": "tcm"},
            TRIAL,
            id="002 附件2二7: 师承, under 毕业证书",
        ),
        pytest.param(
            {"level": "physician", "education": "special_skill", "category": "tcm"},
            TRIAL | ASSISTANTS_PAPERS,
            id="002 附件3二3: 确有专长 to physician",
        ),
        pytest.param(
            GOING_UP | {"education": "apprenticeship", "category": "tcm"},
            UP - {"education_record"},
            id="002 附件2二7 8: 师承, going up",
        ),
        # 二8
        pytest.param(GOING_UP, UP, id="002 附件2二8: 执业助理医师申报执业医师"),
        pytest.param(
            GOING_UP | {"education": "bachelor"}, UP | {"degree"}, id="002 附件2二3 8: going up as a bachelor"
        ),
        pytest.param(
            GOING_UP | {"education": "secondary"}, UP - {"education_record"}, id="002 附件2二8: going up from 中专"
        ),
        pytest.param(GOING_UP | CHANGED, UP | {"first_registration_proof"}, id="002 附件2二8: 变更记录, years short"),
        pytest.param(GOING_UP | {"registration_changed": True}, UP, id="002 附件2二8: changed, with years enough"),
        pytest.param(CHANGED, USUAL, id="002 附件2二8: nobody but assistants going up"),
        # 二9 至 11
        pytest.param({"fresh_graduate": True}, USUAL | {"graduate_commitment"}, id="002 附件2二9: 应届毕业生"),
        pytest.param({"extra_exam": "emergency"}, USUAL | {"extra_exam_form"}, id="002 附件2二10: 院前急救"),
        pytest.param({"extra_exam": "paediatrics"}, USUAL | {"extra_exam_form"}, id="002 附件2二10: 儿科"),
        pytest.param(
            {"military": "serving"}, USUAL | {"military_identity", "military_consent"}, id="002 附件2二11: 军队现役考生"
        ),
        pytest.param({"military": "civilian_staff"}, USUAL, id="002 附件2二11: 现役 only"),
        # What other regions ask for, and this one does not.
        pytest.param(
            {"upgraded_from_junior_college": True, "upgrade_entered_on": "2016-09-01"},
            USUAL,
            id="002: no word of 专升本",
        ),
        pytest.param({"has_residency_certificate": True}, USUAL, id="002: no word of residency training"),
        pytest.param(
            GOING_UP | CHANGED | {"education": "bachelor", "military": "serving", "extra_exam": "emergency"},
            UP | {"degree", "first_registration_proof", "military_identity", "military_consent", "extra_exam_form"},
            id="002 附件2二 3 8 10 11 together",
        ),
    ],
)
def test_each_candidate_is_asked_for_exactly_what_the_document_says(facts: dict[str, Any], expected: set[str]) -> None:
    assert required(PACK, **facts) == expected


def test_identity_has_no_fixed_count() -> None:
    # 附件2二1 gives none
    least, most = counts(PACK, "identity")

    assert least == 1
    assert most > least


def test_the_apprenticeship_certificate_counts_as_the_diploma() -> None:
    # 附件2二7: so one image is enough, and there is no item of its own
    assert counts(PACK, "diploma", education="apprenticeship")[0] == 1
    assert "计入" in reason(PACK, "diploma", education="apprenticeship")
    assert "apprenticeship_certificate" not in rules_of(PACK).pack.items


@pytest.mark.parametrize("facts", [{}, ASSISTANT, GOING_UP, {"military": "serving"}, {"review_passed_years": [2021]}])
def test_everybody_uploads_and_then_comes(facts: dict[str, Any]) -> None:
    # 附件2一 上传相关证件… 按照考点要求，参加现场审核
    checklist = listed(PACK, **facts)

    assert (checklist.route, checklist.uploads) == ("both", True)
    assert checklist.onsite is not None


def test_the_registration_notice_is_brought_not_uploaded() -> None:
    # 附件3一1(1), 附件4 1
    assert rules_of(PACK).pack.items["registration_notice"].channel == "onsite"
    assert brought(PACK)[0] == "registration_notice"
    assert "registration_notice" not in required(PACK)


@pytest.mark.parametrize(
    ("facts", "there", "absent"),
    [
        pytest.param(
            {},
            {"identity", "diploma", "education_record", "trial_assessment", "institution_licence", "photo_prints"},
            {"assistant_qualification", "practice_assessment", "graduate_commitment", "enrolment_form", "degree"},
            id="002 附件3二2",
        ),
        pytest.param(
            GOING_UP,
            {"assistant_qualification", "assistant_practice_licence", "practice_assessment", "education_record"},
            {"trial_assessment", "graduate_commitment"},
            id="002 附件3二1",
        ),
        pytest.param(ASSISTANT, {"diploma", "trial_assessment"}, {"education_record"}, id="002 附件3一1"),
        pytest.param(
            {"level": "physician", "education": "apprenticeship", "upgrading": True},
            {"diploma", "assistant_qualification", "practice_assessment", "institution_licence"},
            {"trial_assessment", "education_record"},
            id="002 附件3二3",
        ),
        pytest.param(
            FINISHING,
            {"enrolment_form", "clinical_graduate_proof", "supervisor_statement"},
            {"education_record"},
            id="002 附件3二2(6)",
        ),
        pytest.param({"fresh_graduate": True}, {"graduate_commitment"}, set(), id="002 附件3一1(4) 二2(4)"),
        pytest.param({"degree_origin": "hmt"}, {"foreign_degree_certification"}, set(), id="002 附件3三"),
        pytest.param({"military": "serving"}, {"military_identity", "military_consent"}, set(), id="002 附件3四"),
        pytest.param({"extra_exam": "paediatrics"}, {"extra_exam_form"}, set(), id="002 附件3五"),
    ],
)
def test_the_catalogue_lists_what_each_brings(facts: dict[str, Any], there: set[str], absent: set[str]) -> None:
    lines = brought(PACK, **facts)

    assert there <= set(lines)
    assert not absent & set(lines)


def test_apprentices_bring_their_certificate_in_place_of_the_diploma() -> None:
    [line] = [line for line in listed(PACK, education="apprenticeship").catalogue if line.item == "diploma"]

    assert "出师证书" in line.title.zh


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"fresh_graduate": True}, [("trial_assessment", date(2022, 8, 31))]),
        (FINISHING | {"fresh_graduate": True}, [("trial_assessment", date(2022, 8, 31))]),
        ({}, []),
        (GOING_UP, []),
    ],
)
def test_a_fresh_graduate_hands_in_the_rest_of_the_trial_by_the_end_of_august(
    facts: dict[str, Any], expected: list[tuple[str, date]]
) -> None:
    # 附件7 将于今年8月31日前，将后续试用累计满一年的《医师资格考试试用期考核证明》及时交考点办公室
    assert [(each.item, each.due) for each in listed(PACK, **facts).supplements] == expected
