"""Hunan 2026: who must hand in what. Cases quote 001_3869ecb673b022a9.txt."""

from typing import Any

import pytest

from tests.rules.asking import ASSISTANT, FINISHING, GOING_UP, GRADUATE, counts, listed, reason, required, rules_of

PACK = "hunan-2026"
EVERYBODY = {"identity", "diploma", "trial_assessment"}
USUAL = EVERYBODY | {"institution_licence"}
ASSISTANTS_PAPERS = {"assistant_qualification", "assistant_practice_licence"}
UP = (USUAL - {"trial_assessment"}) | ASSISTANTS_PAPERS | {"practice_assessment"}
BY_UPGRADE = {"education": "bachelor", "upgraded_from_junior_college": True}
CHANGED = {"registration_changed": True, "registration_years_short": True}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, USUAL, id="001 附件2一: 各类别均需上传, and no 报名成功通知单"),
        pytest.param(ASSISTANT, USUAL, id="001 附件2一: an assistant as well"),
        pytest.param({"institutions_count": 2}, USUAL, id="001 附件2一(三): several institutions, the same items"),
        # 一（四）除三级甲等医院、各级疾控中心外
        pytest.param({"institution": "tertiary_a"}, EVERYBODY, id="001 附件2一(四): 除三级甲等医院"),
        pytest.param({"institution": "cdc"}, EVERYBODY, id="001 附件2一(四): 各级疾控中心"),
        pytest.param({"institution": "other"}, EVERYBODY, id="001 附件2一(四): no 医疗机构 at all"),
        # 二（一）本科及以上学历报考执业医师
        pytest.param(BY_UPGRADE | {"upgrade_entered_on": "2015-08-31"}, USUAL, id="001 附件2二(一): the day before"),
        pytest.param(
            BY_UPGRADE | {"upgrade_entered_on": "2015-09-01"},
            USUAL | {"junior_college_diploma"},
            id="001 附件2二(一): 2015年9月1日 itself",
        ),
        pytest.param(BY_UPGRADE | {"upgrade_entered_on": None}, USUAL, id="001 附件2二(一): no date known"),
        pytest.param(
            GRADUATE | {"upgraded_from_junior_college": True, "upgrade_entered_on": "2016-09-01"},
            USUAL | {"junior_college_diploma", "degree"},
            id="001 附件2二(一): 本科及以上, behind a later graduate degree",
        ),
        pytest.param(
            BY_UPGRADE | {"level": "assistant", "upgrade_entered_on": "2016-09-01"},
            USUAL,
            id="001 附件2二(一): 报考执业医师 only",
        ),
        # 二（二）
        pytest.param(GOING_UP, UP, id="001 附件2二(二): 执业助理医师报考执业医师"),
        pytest.param(GOING_UP | {"education": "bachelor"}, UP, id="001 附件2二(二): with any education"),
        pytest.param(
            GOING_UP | CHANGED, UP | {"first_registration_proof"}, id="001 附件2二(二)3: 变更记录, 不满足报考年限"
        ),
        pytest.param(GOING_UP | {"registration_changed": True}, UP, id="001 附件2二(二)3: changed, with years enough"),
        pytest.param(
            GOING_UP | {"registration_years_short": True}, UP, id="001 附件2二(二)3: short without any change"
        ),
        pytest.param(CHANGED, USUAL, id="001 附件2二(二)3: nobody but assistants going up"),
        pytest.param(
            GOING_UP | {"licence_lacks_first_registration": True}, UP, id="001 附件2二(二)3: that is Liaoning's case"
        ),
        # 二（三）
        pytest.param(
            FINISHING, USUAL | {"student_card", "clinical_training_proof"}, id="001 附件2二(三)1: 毕业当年报考"
        ),
        pytest.param(GRADUATE | {"entered_on": "2014-12-31"}, USUAL, id="001 附件2二(三)2: the day before 2015"),
        pytest.param(
            GRADUATE | {"entered_on": "2015-01-01"}, USUAL | {"degree"}, id="001 附件2二(三)2: 2015年1月1日 itself"
        ),
        pytest.param(GRADUATE | {"entered_on": None}, USUAL, id="001 附件2二(三)2: no date known"),
        # 二（四）（五）
        pytest.param(
            {"level": "assistant", "education": "apprenticeship", "category": "tcm"},
            USUAL | {"apprenticeship_certificate"},
            id="001 附件2二(四): 师承",
        ),
        pytest.param(
            GOING_UP | {"education": "special_skill", "category": "tcm"},
            UP | {"apprenticeship_certificate"},
            id="001 附件2二(二)(四): 确有专长, going up",
        ),
        pytest.param(
            {"education": "tcm_specialist", "category": "tcm"},
            USUAL | {"tcm_specialist_certificate", "tcm_specialist_licence"},
            id="001 附件2二(五): 中医医术确有专长人员",
        ),
        # 二（六）至（八）
        pytest.param(
            {"degree_origin": "foreign"}, USUAL | {"foreign_degree_certification"}, id="001 附件2二(六): 国外医学毕业证"
        ),
        pytest.param({"degree_origin": "hmt"}, USUAL, id="001 附件2二(六): 国外, so not Hong Kong, Macao, Taiwan"),
        pytest.param(
            {"nationality": "foreign", "id_document": "passport"},
            USUAL | {"internship_form_foreign"},
            id="001 附件2二(七): 外籍人员",
        ),
        pytest.param(
            {"nationality": "hmt", "id_document": "hmt_permit"},
            USUAL | {"internship_form_hmt"},
            id="001 附件2二(八): 港澳台居民",
        ),
        # 附件3四
        pytest.param({"carried_over_skill_pass": True}, USUAL, id="001 附件3四(一): 仍需要上传所需要的资料"),
        # What other regions ask for, and this one does not.
        pytest.param({"fresh_graduate": True}, USUAL, id="001: no word of a commitment"),
        pytest.param({"extra_exam": "paediatrics"}, USUAL, id="001: no word of an extra exam"),
        pytest.param(
            {"military": "serving", "id_document": "military_card"}, USUAL, id="001 附件2一(一): 军官证 will do"
        ),
    ],
)
def test_each_candidate_is_asked_for_exactly_what_the_notice_says(facts: dict[str, Any], expected: set[str]) -> None:
    assert required(PACK, **facts) == expected


@pytest.mark.parametrize(
    "document", ["id_card", "temporary_id", "military_card", "police_card", "hmt_permit", "passport"]
)
def test_identity_takes_three_images_whatever_the_document(document: str) -> None:
    # 附件2一(一) 正反面照片及本人手持; 附件3二(三) 传完指定数量图片后，则不能继续上传
    assert counts(PACK, "identity", id_document=document) == (3, 3)


def test_military_candidates_are_advised_to_use_the_id_card() -> None:
    # 附件2一(一) 军队考生建议使用身份证报名
    assert "建议" in reason(PACK, "identity", military="serving", id_document="military_card")
    assert "建议" not in reason(PACK, "identity", military="serving", id_document="id_card")


def test_the_trial_form_has_the_name_that_hunan_gives_it() -> None:
    # 附件2一(三) 《医师资格考试医学专业工作实践证明》
    assert rules_of(PACK).pack.items["trial_assessment"].title.zh == "医学专业工作实践证明"


def test_each_institution_gives_a_form() -> None:
    # 附件2一(三) 每个单位一份
    assert counts(PACK, "trial_assessment", institutions_count=4)[0] == 4
    assert counts(PACK, "practice_assessment", **GOING_UP, institutions_count=2)[0] == 2


def test_there_is_no_registration_notice() -> None:
    assert "registration_notice" not in rules_of(PACK).pack.items


def test_everybody_is_reviewed_online() -> None:
    checklist = listed(PACK)

    assert (checklist.route, checklist.uploads, checklist.onsite, checklist.catalogue) == ("online", True, None, ())


def test_who_carries_a_skill_pass_over_reads_what_is_left_to_do() -> None:
    # 附件3四(一) 资格审核通过并缴纳医学综合考试费用后，可参加医学综合考试
    words = listed(PACK, carried_over_skill_pass=True).route_reason.zh

    assert "仍须" in words
    assert "医学综合考试费用" in words
    assert "医学综合" not in listed(PACK).route_reason.zh
