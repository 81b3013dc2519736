"""The same candidate in all four regions: where the rules part."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.rules import WINDOWS, ItemRule, Pack, Window
from tests.rules.asking import GOING_UP, counts, listed, required, rules_of

IM, HUNAN, PROVINCE, LIAONING = REGIONS = ("neimenggu-2021", "hunan-2026", "province-2022", "liaoning-2022")
ALL = (*REGIONS, "default")
EXAMPLES = Path(__file__).parent.parent.parent / "web/candidate/public/examples"
GRADUATE_OF_2014 = {"education": "graduate", "entered_on": "2014-09-01", "graduated_on": "2017-07-01"}
APPRENTICE = {"level": "assistant", "education": "apprenticeship", "category": "tcm"}


@pytest.mark.parametrize(
    ("facts", "item", "asking"),
    [
        ({}, "registration_notice", {IM}),
        ({}, "degree", {PROVINCE, LIAONING}),
        (GRADUATE_OF_2014, "degree", {PROVINCE, LIAONING}),
        (GRADUATE_OF_2014 | {"entered_on": "2015-01-01"}, "degree", set(REGIONS)),
        ({"education_form": "adult"}, "degree", {LIAONING}),
        ({"institution": "medical"}, "institution_licence", set(REGIONS)),
        ({"institution": "tertiary_a"}, "institution_licence", {PROVINCE, LIAONING}),
        ({"institution": "cdc"}, "institution_licence", {PROVINCE, LIAONING}),
        ({"institution": "other"}, "institution_licence", {LIAONING}),
        (
            {"upgraded_from_junior_college": True, "upgrade_entered_on": "2015-09-01"},
            "junior_college_diploma",
            {IM, HUNAN},
        ),
        (APPRENTICE, "apprenticeship_certificate", {IM, HUNAN, LIAONING}),
        ({"education": "tcm_specialist"}, "tcm_specialist_certificate", {HUNAN}),
        ({"degree_origin": "foreign"}, "foreign_degree_certification", {IM, HUNAN, PROVINCE}),
        ({"degree_origin": "hmt"}, "foreign_degree_certification", {PROVINCE}),
        ({"fresh_graduate": True}, "graduate_commitment", {PROVINCE, LIAONING}),
        ({"extra_exam": "emergency"}, "extra_exam_form", {PROVINCE, LIAONING}),
        ({"military": "serving"}, "military_consent", {PROVINCE}),
        ({"military": "serving"}, "identity", {IM, HUNAN, PROVINCE}),
        (
            GOING_UP | {"registration_changed": True, "registration_years_short": True},
            "first_registration_proof",
            {HUNAN, PROVINCE},
        ),
        (GOING_UP | {"licence_lacks_first_registration": True}, "first_registration_proof", {LIAONING}),
        ({"institution_has_category": False}, "supervisor_licence", {LIAONING}),
        ({"review_passed_years": [2021]}, "previous_result", {LIAONING}),
        ({}, "education_record", {PROVINCE, LIAONING}),
    ],
)
def test_only_these_regions_ask(facts: dict[str, Any], item: str, asking: set[str]) -> None:
    assert {region for region in REGIONS if item in required(region, **facts)} == asking


def test_the_same_candidate_goes_another_way_in_each_region() -> None:
    facts = {"education": "secondary", "first_application_within_3y": True}

    assert {region: listed(region, **facts).route for region in REGIONS} == {
        IM: "online",
        HUNAN: "online",
        PROVINCE: "both",
        LIAONING: "onsite",
    }


def test_only_the_province_gives_no_count_for_identity() -> None:
    assert [counts(region, "identity") == (3, 3) for region in REGIONS] == [True, True, False, True]


def test_a_diploma_before_the_bachelor_is_an_item_of_its_own_or_a_further_image() -> None:
    facts = {"upgraded_from_junior_college": True, "upgrade_entered_on": "2016-09-01"}

    assert [counts(region, "diploma", **facts)[0] for region in REGIONS] == [1, 1, 1, 2]


@pytest.mark.parametrize("pack_id", ALL)
def test_everything_a_pack_asks_for_says_why_in_both_languages(pack_id: str) -> None:
    pack = rules_of(pack_id).pack

    silent = [code for code, rule in pack.items.items() if _may_be_required(pack, code, rule) and rule.reason is None]

    assert silent == []


def _may_be_required(pack: Pack, code: str, rule: ItemRule) -> bool:
    return rule.required_when != "false" or any(code in row.requires for row in pack.routes)


@pytest.mark.parametrize("pack_id", ALL)
def test_every_uploaded_item_but_other_has_an_example(pack_id: str) -> None:
    pack = rules_of(pack_id).pack

    without = [code for code, rule in pack.items.items() if rule.channel != "onsite" and rule.example != code]

    assert without == ["other"]


@pytest.mark.parametrize("pack_id", ALL)
def test_every_pack_has_all_windows_and_marks_invented_dates(pack_id: str) -> None:
    windows = {name: getattr(rules_of(pack_id).pack.windows, name) for name in WINDOWS}

    assert all(isinstance(window, Window) and window.example for window in windows.values())
    assert _closes(windows["upload"]) <= _closes(windows["review"]) <= windows["publishing"].opens
    assert _closes(windows["publishing"]) <= windows["payment"].opens


def _closes(window: Window) -> datetime:
    return window.closes


@pytest.mark.parametrize("pack_id", ALL)
def test_every_example_is_there_to_be_opened(pack_id: str) -> None:
    names = {rule.example for rule in rules_of(pack_id).pack.items.values() if rule.example}

    assert sorted(name for name in names if not (EXAMPLES / f"{name}.jpg").is_file()) == []
