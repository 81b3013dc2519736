"""What a pack's conditions give for a candidate: items, counts, reasons, route, catalogue, supplements."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.bench.rules import random_facts
from services.upload.checklist import BadCondition, Checklist, Rules, explain
from shared.contracts.facts import Facts
from shared.contracts.rules import ItemRule, Pack, Text
from tests.rules.small import SMALL, a_pack_file


def a_pack(*changes: tuple[str, str]) -> Pack:
    text = SMALL
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return Pack.model_validate(yaml.safe_load(text))


def seen_by(*changes: tuple[str, str], **facts: Any) -> Checklist:
    return Rules(a_pack(*changes)).checklist(Facts(**facts))


def required(checklist: Checklist) -> list[str]:
    return [code for code, item in checklist.items.items() if item.required]


def test_every_item_of_the_pack_is_listed_in_order() -> None:
    checklist = seen_by()

    assert list(checklist.items) == checklist.pack.ordered_items()
    assert required(checklist) == ["identity", "diploma", "trial_assessment"]
    assert [checklist.items[code].offered for code in ("degree", "previous_result", "other")] == [True, False, False]


def test_the_first_row_that_holds_decides_the_route() -> None:
    serving = seen_by(military="serving", review_passed_years=(2020,))
    passed = seen_by(review_passed_years=(2020,))
    others = seen_by()

    assert [each.route for each in (serving, passed, others)] == ["onsite", "online", "both"]
    assert serving.route_reason.en == "because you are in the military"


def test_a_row_without_uploads_requires_and_offers_nothing() -> None:
    checklist = seen_by(military="civilian_staff")

    assert checklist.uploads is False
    assert [item.code for item in checklist.items.values() if item.required or item.offered] == []
    assert checklist.items["identity"].reason.en == "because you are in the military"


def test_a_row_requires_items_of_its_own_and_says_why() -> None:
    checklist = seen_by(review_passed_years=(2019,))

    assert checklist.items["previous_result"].required
    assert checklist.items["previous_result"].reason.en == "because you passed an earlier review"


def test_without_a_table_the_pack_has_one_route() -> None:
    pack = a_pack().model_copy(update={"routes": (), "route": "both"})

    checklist = Rules(pack).checklist(Facts())

    assert (checklist.route, checklist.uploads, checklist.onsite is not None) == ("both", True, True)
    assert "in person" in checklist.route_reason.en


def test_a_count_by_condition_raises_the_minimum_and_with_it_the_maximum() -> None:
    one, four, nine = (seen_by(institutions_count=n).items["trial_assessment"] for n in (1, 4, 9))

    assert [(item.min, item.max) for item in (one, four, nine)] == [(1, 5), (4, 5), (9, 9)]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"diploma_lost": True}, "because you lost it"),
        ({"graduated_on": date(2015, 1, 1)}, "because you graduated after 2015"),
        ({"graduated_on": date(2014, 12, 31)}, "because of what your registration says"),
        ({"graduated_on": None}, "because of what your registration says"),
        ({"education": "secondary"}, "you may hand it in; it is not required"),
    ],
)
def test_the_first_reason_that_holds_is_said(facts: dict[str, Any], words: str) -> None:
    assert seen_by(**facts).items["diploma"].reason.en == words


def test_an_item_brought_on_site_is_listed_but_never_required() -> None:
    item = seen_by().items["photo_prints"]

    assert (item.required, item.offered) == (False, False)


def test_who_must_come_is_told_what_to_bring() -> None:
    graduate = seen_by(education="graduate")
    online = seen_by(education="graduate", review_passed_years=(2020,))

    assert graduate.onsite is not None
    assert [line.item for line in graduate.onsite.lines] == ["photo_prints", "degree"]
    assert online.onsite is None
    assert [line.item for line in online.catalogue] == ["photo_prints", "degree"]


def test_a_condition_of_its_own_calls_candidates_in_whatever_their_route_says() -> None:
    calls = ("  instruction: {zh: 请带原件", "  applies_when: fresh_graduate\n  instruction: {zh: 请带原件")

    called = seen_by(calls, review_passed_years=(2020,), fresh_graduate=True)

    assert called.route == "online"
    assert called.onsite is not None


def test_supplements_are_those_that_hold() -> None:
    assert [each.item for each in seen_by(fresh_graduate=True).supplements] == ["trial_assessment"]
    assert seen_by().supplements == ()


def test_an_absent_date_is_before_no_date_and_after_none() -> None:
    absent = seen_by(education="graduate", entered_on=None)
    given = seen_by(education="graduate", entered_on=date(2015, 1, 1))

    assert [each.items["degree"].required for each in (absent, given)] == [False, True]


def test_facts_read_are_what_conditions_name_and_not_what_their_texts_say() -> None:
    pack = a_pack(("when: diploma_lost", "when: \"'rural_major' == 'x' || diploma_lost\""))

    assert Rules(pack).facts_read == {
        "military",
        "review_passed_years",
        "diploma_lost",
        "graduated_on",
        "education",
        "entered_on",
        "upgrading",
        "institutions_count",
        "fresh_graduate",
    }


def test_a_variable_inside_a_condition_is_no_fact() -> None:
    pack = a_pack(("size(review_passed_years) > 0", "review_passed_years.exists(year, year >= 2020)"))

    assert "year" not in Rules(pack).facts_read
    assert Rules(pack).checklist(Facts(review_passed_years=(2021,))).route == "online"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("when: diploma_lost", "when: no_such_fact"), r"items\.diploma\.reasons\[1\]\.when: .*no_such_fact"),
        (("min_by: institutions_count", "min_by: upgrading"), r"min_by: the condition gives bool"),
        (("size(review_passed_years) > 0", "review_passed_years[0] > 1"), r"routes\[2\]\.when: can't be worked out"),
        (("requires: [previous_result]", "requires: [nothing]"), r"routes\[2\]\.requires: nothing is not defined"),
        (("[identity, diploma", "[identity, passport, diploma"), r"sections\[1\]\.items: passport is not defined"),
        (("    when: fresh_graduate", "    when: education"), r"supplements\[1\]\.when: .*gives string"),
    ],
)
def test_rules_that_can_not_be_followed_are_refused_when_they_are_loaded(change: tuple[str, str], said: str) -> None:
    with pytest.raises(BadCondition, match=said):
        Rules(a_pack(change))


def test_random_candidates_are_explained_alike_by_the_engine_and_by_hand(tmp_path: Path) -> None:
    rules = Rules(a_pack())

    for facts in random_facts(300):
        checklist = rules.checklist(facts)

        serving = facts.military != "none"
        wanted = [] if serving else _by_hand(facts)
        assert required(checklist) == wanted, facts


def _by_hand(facts: Facts) -> list[str]:
    new_graduate = (
        facts.education == "graduate" and facts.entered_on is not None and facts.entered_on >= date(2015, 1, 1)
    )
    by_item = {
        "identity": True,
        "diploma": facts.education in {"bachelor", "graduate"},
        "degree": new_graduate,
        "trial_assessment": not facts.upgrading,
        "previous_result": bool(facts.review_passed_years),
    }
    return [code for code, holds in by_item.items() if holds]


def test_explain_has_every_item_and_only_what_json_has() -> None:
    answer = explain(seen_by(fresh_graduate=True))

    assert list(answer) == [
        "pack", "version", "route", "route_reason", "uploads", "items", "onsite", "supplements",
    ]  # fmt: skip
    assert answer["items"][0] == {
        "item": "identity",
        "title": {"zh": "身份证明", "en": "Identity"},
        "channel": "upload",
        "required": True,
        "offered": True,
        "reason": {"zh": "所有考生均须提交", "en": "because every candidate hands it in"},
        "min": 3,
        "max": 3,
    }
    assert answer["onsite"]["lines"][0] == {
        "item": "photo_prints",
        "title": {"zh": "照片", "en": "Photos"},
        "copies": 2,
        "note": None,
    }
    assert answer["supplements"][0]["due"] == "2021-08-31"


def test_a_pack_of_35_items_is_explained_in_under_a_millisecond() -> None:
    import time

    pack = a_pack()
    words = Text(zh="因为", en="because")
    codes = [f"item_{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(35)]
    items = {
        code: ItemRule(
            title=words,
            instruction=words,
            required_when=f'education == "graduate" && entered_on >= "20{n:02}-01-01"',
            offered_when=f'graduated_on >= "20{n:02}-01-01" || upgrading',
            min_by=f"institutions_count + {n} - {n}",
            reasons=({"when": f'category != "dental" && institutions_count > {n}', "words": words},),
        )
        for n, code in enumerate(codes)
    }
    section = _a_section(pack, codes)
    rules = Rules(pack.model_copy(update={"items": items, "sections": (section,), "routes": (), "supplements": ()}))
    people = list(random_facts(300))

    taken = []
    for facts in people:
        begun = time.perf_counter()
        explain(rules.checklist(facts))
        taken.append(time.perf_counter() - begun)

    assert sorted(taken)[len(taken) // 2] < 0.001


def _a_section(pack: Pack, codes: list[str]) -> Any:
    return pack.sections[0].model_copy(update={"items": tuple(codes)})


def test_one_candidates_checklist_knows_nothing_of_the_next_ones() -> None:
    rules = Rules(a_pack())

    first = rules.checklist(Facts(institutions_count=4))
    rules.checklist(Facts(institutions_count=9, military="serving"))

    assert (first.items["trial_assessment"].min, first.uploads) == (4, True)


def test_the_pack_file_and_the_pack_are_the_same_rules(tmp_path: Path) -> None:
    from deploy.intake.packs import read_pack

    assert read_pack(a_pack_file(tmp_path)).pack == a_pack()
