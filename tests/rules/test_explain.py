"""`baoshen rules explain`, the facts it takes, and facts that contradict each other."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.intake.facts import BadFacts, contradictions, read_facts
from shared.contracts.facts import Facts
from tests.rules.small import a_pack_file


def run(*arguments: str | Path, told: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["rules", "explain", *(str(argument) for argument in arguments)], input=told)


def test_standard_output_is_the_json_and_nothing_else(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text('{"education": "graduate", "institutions_count": 3}', encoding="utf-8")

    result = run(a_pack_file(tmp_path), facts)

    answer = json.loads(result.stdout)
    items = {item["item"]: item for item in answer["items"]}
    assert (result.exit_code, result.stderr) == (0, "")
    assert (answer["pack"], answer["route"], answer["uploads"]) == ("small-2021", "both", True)
    assert items["trial_assessment"]["min"] == 3
    assert "毕业证书" in result.stdout


def test_facts_come_from_standard_input_too_and_packs_by_their_id() -> None:
    result = run("neimenggu-2021", "-", told="{}")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["pack"] == "neimenggu-2021"


def test_a_row_without_uploads_says_so(tmp_path: Path) -> None:
    answer = json.loads(run(a_pack_file(tmp_path), "-", told='{"military": "serving"}').stdout)

    assert answer["uploads"] is False
    assert not any(item["required"] for item in answer["items"])


BAD: list[tuple[str, str]] = [
    ('{"educatoin": "graduate"}', "unknown fact educatoin, did you mean education?"),
    ('{"upgrading": "true"}', 'upgrading is "true"; it must be true or false'),
    ('{"upgrading": 1}', "upgrading is 1; it must be true or false"),
    ('{"upgrading": null}', "upgrading is null; it must be true or false"),
    ('{"education": "phd"}', "it must be one of graduate, bachelor"),
    ('{"education": "Graduate"}', "it must be one of graduate, bachelor"),
    ('{"education": null}', "education is null"),
    ('{"level": ["physician"]}', "level is a list; it must be one of physician, assistant"),
    ('{"institutions_count": 1.0}', "institutions_count is 1.0; it must be a whole number from 1 to 20"),
    ('{"institutions_count": "1"}', "institutions_count"),
    ('{"institutions_count": true}', "institutions_count is true"),
    ('{"institutions_count": 0}', "institutions_count is 0"),
    ('{"institutions_count": 21}', "institutions_count is 21"),
    ('{"graduated_on": 1498867200}', "graduated_on is 1498867200; it must be a date"),
    ('{"graduated_on": "2017-02-30"}', 'graduated_on is "2017-02-30"; it must be a date'),
    ('{"graduated_on": "2017-7-1"}', "graduated_on"),
    ('{"graduated_on": "20170701"}', "graduated_on"),
    ('{"graduated_on": "2017-07-01T00:00:00"}', "graduated_on"),
    ('{"graduated_on": ""}', "graduated_on"),
    ('{"review_passed_years": 2020}', "review_passed_years is 2020; it must be a list of years"),
    ('{"review_passed_years": ["2020"]}', "review_passed_years"),
    ('{"review_passed_years": [true]}', "review_passed_years"),
    ('{"review_passed_years": null}', "review_passed_years"),
    ('{"apprenticeship_province": 21}', "apprenticeship_province is 21; it must be a region code"),
    ('{"apprenticeship_province": ""}', "apprenticeship_province"),
    ('{"level": "physician", "level": "assistant"}', "level is given twice"),
    ("[]", "must be a JSON object"),
    ('"education"', "must be a JSON object"),
    ("null", "must be a JSON object"),
    ("", "the facts are empty"),
    ("  \n", "the facts are empty"),
    ("{", "not JSON: it ends too early (line 1, column 2); complete it"),
    ('{"level":', "not JSON: it ends too early"),
    ('{"level": "phys', "not JSON: it ends too early"),
    ('{"level" "physician"}', "not JSON at line 1, column 10; look at the quotes, commas, colons and braces there"),
    ("{} {}", "not JSON: the object ends before line 1, column 4, but more follows; take out what follows"),
    ('{"review_passed_years": [2020, 99999]}', "review_passed_years[2] is 99999; it must be a year from 1990 to 2100"),
    ('{"review_passed_years": [[2020]]}', "review_passed_years[1] is a list; it must be a year"),
    ('{"review_passed_years": [' + "9" * 5_000 + "]}", "review_passed_years[1] is a number of 5000 digits"),
    ('{"review_passed_years": [' + ",".join(["2020"] * 51) + "]}", "it must be a list of at most 50 years"),
    ('{"graduated_on": "1800-01-01"}', 'graduated_on is "1800-01-01"; it must be a date from 1900 to 2100'),
    (" " * 1024 * 1024 + "{}", "the facts are over 1 MB"),
    ('{"institutions_count": NaN}', "NaN is no JSON number"),
    ("[" * 100_000, "the facts are nested too deep; write one JSON object"),
    (
        '{"institutions_count": ' + "9" * 5_000 + "}",
        "institutions_count is a number of 5000 digits; it must be a whole number from 1 to 20",
    ),
]


@pytest.mark.parametrize(("told", "said"), BAD, ids=[told[:45] for told, _ in BAD])
def test_facts_that_can_not_be_are_refused_by_name(tmp_path: Path, told: str, said: str) -> None:
    result = run(a_pack_file(tmp_path), "-", told=told)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_every_wrong_fact_is_named(tmp_path: Path) -> None:
    result = run(a_pack_file(tmp_path), "-", told='{"level": 1, "upgrading": 2, "nothing": 3}')

    assert all(name in result.stderr for name in ("level", "upgrading", "nothing"))


def test_facts_that_are_not_utf8_or_not_there_are_refused(tmp_path: Path) -> None:
    pack, file = a_pack_file(tmp_path), tmp_path / "facts.json"
    file.write_bytes('{"education": "研"}'.encode("gb18030"))

    encoded, missing, folder = run(pack, file), run(pack, tmp_path / "none.json"), run(pack, tmp_path)

    assert [each.exit_code for each in (encoded, missing, folder)] == [2, 2, 2]
    assert "UTF-8" in encoded.stderr
    todo = "give a JSON file with the candidate's facts, or - to read them from standard input"
    assert f"none.json: can't be read (No such file or directory); {todo}" in missing.stderr
    assert f"can't be read (Is a directory); {todo}" in folder.stderr
    assert f"no facts are named; {todo}" in run(pack, "").stderr


def test_a_pack_that_is_not_there_or_broken_is_refused(tmp_path: Path) -> None:
    broken = a_pack_file(tmp_path, ("military != ", "millitary != "))

    missing, wrong = run("atlantis-1999", "-", told="{}"), run(broken, "-", told="{}")
    unnamed, folder, long = (run(pack, "-", told="{}") for pack in ("", tmp_path, "x" * 5_000))

    assert [each.exit_code for each in (missing, wrong, unnamed, folder, long)] == [2, 2, 2, 2, 2]
    assert "no pack is named; the packs are default, " in unnamed.stderr
    assert f"{tmp_path} is a folder; give a YAML file in it" in folder.stderr
    assert "no such pack" in long.stderr
    assert "neimenggu-2021" in missing.stderr
    assert "millitary" in wrong.stderr
    assert f"{broken}:16: routes[1].when: unknown fact millitary" in wrong.stderr


def test_facts_of_every_kind_are_read() -> None:
    facts = read_facts(
        b'\xef\xbb\xbf{"graduated_on": null, "entered_on": "2016-02-29", "review_passed_years": [2020, 2021],'
        b' "apprenticeship_province": "21", "upgrading": true, "institutions_count": 20, "category": "tcm"}'
    )

    assert facts == Facts(
        graduated_on=None,
        entered_on=date(2016, 2, 29),
        review_passed_years=(2020, 2021),
        apprenticeship_province="21",
        upgrading=True,
        institutions_count=20,
        category="tcm",
    )


def test_an_object_without_facts_is_a_graduated_mainland_bachelor() -> None:
    assert read_facts(b"{}") == Facts()


def test_bad_facts_carry_a_fault_for_each() -> None:
    with pytest.raises(BadFacts) as raised:
        read_facts(b'{"level": 1, "upgrading": 2}')

    assert len(raised.value.faults) == 2


CONTRADICTORY: list[tuple[dict[str, Any], str]] = [
    ({"student_status": "finishing_this_year", "graduated_on": date(2020, 7, 1)}, "finishing_this_year"),
    ({"student_status": "finishing_this_year", "graduated_on": date(2022, 7, 1)}, "finishing_this_year"),
    ({"student_status": "graduated", "graduated_on": date(2022, 7, 1)}, "later year"),
    ({"entered_on": date(2016, 9, 1), "graduated_on": date(2015, 7, 1)}, "graduated_on lies before entered_on"),
    ({"entered_on": date(2022, 9, 1), "graduated_on": None}, "entered_on"),
    ({"upgrading": True, "level": "assistant"}, "upgrading"),
    ({"upgraded_from_junior_college": True, "upgrade_entered_on": None}, "upgrade_entered_on"),
    ({"upgraded_from_junior_college": False, "upgrade_entered_on": date(2015, 9, 1)}, "upgrade_entered_on is given"),
    (
        {
            "upgraded_from_junior_college": True,
            "upgrade_entered_on": date(2015, 9, 1),
            "education": "secondary",
        },
        "below a bachelor's",
    ),
    ({"first_application_within_3y": True, "review_passed_years": (2018,)}, "first_application_within_3y"),
    ({"review_passed_years": (2022,)}, "review_passed_years"),
    ({"registration_years_short": True, "registration_changed": False}, "registration_changed"),
    ({"military": "serving", "nationality": "foreign"}, "military"),
    ({"id_document": "hmt_permit", "nationality": "mainland"}, "hmt_permit"),
]


@pytest.mark.parametrize(("facts", "said"), CONTRADICTORY)
def test_facts_that_contradict_each_other_are_named(facts: dict[str, Any], said: str) -> None:
    [words] = contradictions(Facts(**facts), 2021)

    assert said in words


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"student_status": "finishing_this_year"},
        {"upgraded_from_junior_college": True},
        {"student_status": "finishing_this_year", "graduated_on": None},
        {"student_status": "finishing_this_year", "graduated_on": date(2021, 6, 30)},
        {"first_application_within_3y": True, "review_passed_years": (2017,)},
        {"upgrading": True, "registration_changed": True, "registration_years_short": True},
        {"upgraded_from_junior_college": True, "upgrade_entered_on": date(2015, 9, 1), "education": "graduate"},
        {"education": "apprenticeship", "graduated_on": None, "entered_on": None},
        {"nationality": "hmt", "id_document": "hmt_permit", "degree_origin": "hmt"},
    ],
)
def test_facts_that_agree_are_left_alone(facts: dict[str, Any]) -> None:
    assert contradictions(Facts(**facts), 2021) == []


def test_explaining_only_warns_of_contradictions_and_not_of_defaults(tmp_path: Path) -> None:
    pack = a_pack_file(tmp_path)

    both = run(pack, "-", told='{"student_status": "finishing_this_year", "graduated_on": "2019-07-01"}')
    by_default = run(pack, "-", told='{"student_status": "finishing_this_year"}')

    assert [each.exit_code for each in (both, by_default)] == [0, 0]
    assert "graduated_on lies in an earlier year" in both.stderr
    assert by_default.stderr == ""
    assert json.loads(both.stdout)["pack"] == "small-2021"
