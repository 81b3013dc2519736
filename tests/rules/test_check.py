"""`baoshen rules check`: every mistake of a pack with its line and what to do."""

# ruff: noqa: E501  a case to a line is a table to read

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.rules_check.checking import check_pack
from deploy.rules_check.problems import Document
from deploy.rules_check.shape import check_shape
from tests.rules.small import SMALL, a_pack_file, line_of

Change = tuple[str, str]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def errors(file: Path) -> list[tuple[int, str]]:
    return [(problem.line, str(problem)) for problem in check_pack(file).errors]


def test_a_pack_that_is_right_has_no_problem(tmp_path: Path) -> None:
    file = a_pack_file(tmp_path)

    result = run("rules", "check", file)

    assert (result.exit_code, result.stdout) == (0, f"{file}: ok (small-2021 version 1, 7 items)\n")


CONDITIONS: list[tuple[str, Change, str]] = [
    ("an unknown fact", ("military != ", "millitary != "), "unknown fact millitary (column 1 of the condition); did you mean military?"),
    ("a condition that is no expression", ("military != ", "military !== "), "Syntax error"),
    ("a condition that breaks off", ("when: diploma_lost", "when: diploma_lost &&"), "it breaks off at its end"),
    ("a condition that is no bool", ('"!upgrading"', "education_form"), "gives string; it must give a bool"),
    ("a count that is no int", ("min_by: institutions_count", "min_by: upgrading"), "gives bool; it must give an int"),
    ("a bool compared with a text", ('"!upgrading"', "upgrading == 'true'"), "== can't be applied to bool, string"),
    ("a date compared with a number", ('graduated_on >= "2015-01-01"', "graduated_on >= 2015"), 'dates as "2002-01-01"'),
    ("a date compared with null", ('graduated_on >= "2015-01-01"', "graduated_on != null"), 'compare with ""'),
    ("a function that CEL has not", ("when: diploma_lost", "when: lost(diploma_lost)"), "CEL has no function lost"),
    ("a value that a fact never has", ('military != "none"', 'military == "servng"'), "did you mean serving?"),
    ("a value in a list that a fact never has", ('"bachelor", "graduate"]', '"bachelor", "phd"]'), 'education is never "phd"'),
    ("an order among values that have none", ('military != "none"', 'military > "none"'), "military has no order"),
    ("an empty condition", ('required_when: "!upgrading"', "required_when: ''"), "items.trial_assessment.required_when is empty"),
    ("a date that is none", ('entered_on >= "2015-01-01"', 'entered_on >= "2015-1-1"'), '"2015-1-1" is not a date'),
    ("a comparison that holds without a date", ('when: graduated_on >= "', 'when: graduated_on < "'), 'add `graduated_on != "" &&`'),
    ("a denied comparison that does", ('when: graduated_on >= "2015-01-01"', """when: '!(graduated_on >= "2015-01-01")'"""), 'add `graduated_on != "" &&`'),
    ("a condition that fails on some facts", ("size(review_passed_years) > 0", "review_passed_years[0] == 2020"), "can't be worked out for review_passed_years = []"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS])
def test_a_condition_is_refused_with_its_line(tmp_path: Path, change: Change, said: str) -> None:
    file = a_pack_file(tmp_path, change)

    found = errors(file)

    assert [line for line, words in found if said in words] == [line_of(file, change[1])], found


@pytest.mark.parametrize(
    "condition",
    [
        'graduated_on != "" && graduated_on < "2002-01-01"',
        'graduated_on >= "1990-01-01" && graduated_on < "2002-01-01"',
        '!(graduated_on == "" || graduated_on >= "2002-01-01")',
        'graduated_on == "" || graduated_on < "2002-01-01"',
        'graduated_on != "" ? graduated_on < "2002-01-01" : upgrading',
        '"2002-01-01" <= graduated_on',
    ],
)
def test_a_comparison_that_looks_at_absence_first_is_right(tmp_path: Path, condition: str) -> None:
    file = a_pack_file(tmp_path, ('when: graduated_on >= "2015-01-01"', f"when: >-\n          {condition}"))

    assert errors(file) == []


def test_the_line_inside_a_folded_condition_is_found(tmp_path: Path) -> None:
    file = a_pack_file(tmp_path, ('      entered_on >= "2015-01-01"', '      joined_on >= "2015-01-01"'))

    [problem] = check_pack(file).errors

    assert (problem.line, problem.column) == (line_of(file, "joined_on"), 7)


SHAPES: list[tuple[str, Change, str, str]] = [
    ("an unknown key", ("offered_when: education", "offerd_when: education"), "offerd_when", "unknown key items.degree.offerd_when; did you mean offered_when?"),
    ("a missing key", ("    instruction: {zh: 每个机构一份, en: One for each institution}\n", ""), "trial_assessment:", "items.trial_assessment.instruction is missing"),
    ("a wrong value", ("route: online", "route: offline"), "offline", "must be 'online', 'onsite' or 'both'"),
    ("a wrong type", ("    min: 3", "    min: three"), "three", 'items.identity.min must be a whole number, but is "three"; write a whole number'),
    ("a number in quotes for a number", ("version: 1", 'version: "1"'), "version:", 'version must be a whole number, but is "1"'),
    ("a number with a point for a whole one", ("year: 2021", "year: 2021.0"), "year:", "year must be a whole number, but is 2021.0"),
    ("a text for true or false", ("uploads: false", 'uploads: "off"'), "uploads:", 'uploads must be true or false, but is "off"; write true or false, without quotes'),
    ("a number for true or false", ("year: 2021", "year: 2021\nsecond_reviewer_on_rejection: 0"), "second_reviewer", "must be true or false, but is 0"),
    ("a text for a list", ("requires: [previous_result]", "requires: previous_result"), "requires:", 'routes[2].requires must be a list, but is "previous_result"; write a list'),
    ("a text for keys", ("exam: {zh: 样例考试, en: Example exam}", "exam: 样例考试"), "exam:", 'exam must have keys of its own, but is "样例考试"; write its keys and their values below it'),
    ("a list entry that should have keys", ('- {code: "9901", name: {zh: 样例考点, en: Example site}}', '- "9901"'), '- "9901"', 'sites[1] must have keys of its own, but is "9901"'),
    ("nothing for keys", ("exam: {zh: 样例考试, en: Example exam}", "exam:"), "exam:", "exam must have keys of its own, but is empty"),
    ("too small a number", ("    min: 3", "    min: 0"), "min: 0", "items.identity.min must be at least 1, but is 0; give at least 1"),
    ("too large a number", ("    max: 3", "    max: 21"), "max: 21", "items.identity.max must be at most 20, but is 21; give at most 20"),
    ("a list without entries", ("items: [identity, diploma, degree, trial_assessment, previous_result, photo_prints, other]", "items: []"), "items: []", "sections[1].items must have at least 1 entry; add one"),
    ("an id spelled otherwise", ("id: small-2021", "id: Small 2021"), "id: Small", 'id must be 2 to 48 small letters, digits and hyphens, a letter first, such as neimenggu-2021, but is "Small 2021"'),
    ("a key that is a number", ("  unreadable: {", "  404: {"), "404:", "the key 404 is no text; put it in quotes"),
    ("seconds since 1970 as a time", ("opens: 2021-01-10T09:00", 'opens: "1609459200"'), "1609459200", 'windows.review.opens must be a day and a time, but is "1609459200"'),
    ("seconds since 1970 as a day", ("due: 2021-08-31", 'due: "1609459200"'), "1609459200", 'supplements[1].due must be a day, but is "1609459200"'),
    ("an anchor", ("when: diploma_lost", "when: &lost diploma_lost"), "&lost", "the anchor &lost: a pack has no anchors and aliases; write it out"),
    ("a tag", ("when: diploma_lost", "when: !!binary ZGlwbG9tYQ=="), "!!binary", "the tag !!binary; take it out"),
    ("merged keys", ("  diploma:\n", "  diploma:\n    <<: {max: 4}\n"), "<<:", "the key <<; write the keys out"),
    ("a number for a text", ('code: "9901"', "code: 9901"), "9901", "put it in quotes"),
    ("an unknown time zone", ("closes: 2021-02-20T17:00", "closes: 2021-02-20T17:00, time_zone: Asia/Peking"), "Peking", "no time zone is called Asia/Peking"),
    ("a field that nobody reads", ("    min: 3", "    reads: [name, id_card]\n    min: 3"), "reads:", "items.identity.reads[2] must be 'id_number', 'name', 'valid_until' or 'certificate_number'; use one of them"),
    ("a field to read that is no list", ("    min: 3", "    reads: name\n    min: 3"), "reads:", 'items.identity.reads must be a list, but is "name"'),
    ("a check spelled otherwise", ("    min: 3", "    stricter_checks: [Blurred]\n    min: 3"), "stricter_checks:", "items.identity.stricter_checks[1] must be a code of small letters and _"),
    ("too small a photo", ("year: 2021", "year: 2021\nphoto: {width_px: 33}"), "photo:", "photo.width_px must be at least 200, but is 33"),
    ("an unknown key of the photo", ("year: 2021", "year: 2021\nphoto: {width: 390}"), "photo:", "unknown key photo.width"),
    ("a date that is none", ("due: 2021-08-31", "due: 2021-08-32"), "due:", "supplements[1].due must be a day, but is \"2021-08-32\"; write a day that there is"),
    ("a key given twice", ("year: 2021", "year: 2021\nyear: 2022"), "year: 2022", "the key year stands in line 4 already"),
    ("no YAML", ("year: 2021", "year: [2021"), "exam:", "not YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "where", "said"), [case[1:] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_the_form_is_refused_with_its_line(tmp_path: Path, change: Change, where: str, said: str) -> None:
    file = a_pack_file(tmp_path, change)

    found = errors(file)

    assert [line for line, words in found if said in words] == [line_of(file, where)], found


WHOLE: list[tuple[str, Change, str, str]] = [
    ("an item that no section has", ("previous_result, photo", "photo"), "  previous_result:", "item previous_result is in no section"),
    ("an item in two sections", ("photo_prints, other]", "photo_prints, other, degree]"), "items: [", "item degree is in a section already, in line 29"),
    ("a section with an unknown item", ("[identity, diploma", "[identity, diplomma, diploma"), "items: [", "unknown item diplomma: items does not define it; did you mean diploma?"),
    ("a row that requires an unknown item", ("requires: [previous_result]", "requires: [previous_results]"), "requires:", "unknown item previous_results"),
    ("a catalogue with an unknown item", ("{item: photo_prints, title", "{item: photo_print, title"), "{item: photo_print,", "did you mean photo_prints?"),
    ("a supplement with an unknown item", ("- item: trial_assessment", "- item: trial_paper"), "trial_paper", "unknown item trial_paper"),
    ("min over max", ("    min: 3\n    max: 3", "    min: 4\n    max: 3"), "min: 4", "min 4 is more than max 3"),
    ("a window that closes first", ("review: {opens: 2021-01-10T09:00, closes: 2021-02", "review: {opens: 2021-03-10T09:00, closes: 2021-02"), "review: {", "the window review closes before it opens"),
    ("publishing before review has closed", ("publishing: {opens: 2021-02-21", "publishing: {opens: 2021-02-11"), "publishing:", "the window publishing overlaps review (line 12)"),
    ("uploads into publishing", ("closes: 2021-02-01T17:00", "closes: 2021-02-25T17:00"), "  upload: {", "the window upload overlaps publishing"),
    ("uploads after review", ("closes: 2021-02-01T17:00", "closes: 2021-02-20T18:00"), "  upload: {", "the window upload closes after review has closed"),
    ("a change into payment", ("  change: {opens: 2021-01-06T09:00, closes: 2021-01-25", "  change: {opens: 2021-01-06T09:00, closes: 2021-03-05"), "  change: {", "the window change overlaps payment"),
    ("changes after the last submission", ("  change: {opens: 2021-01-06T09:00, closes: 2021-01-25", "  change: {opens: 2021-01-06T09:00, closes: 2021-02-03"), "  change: {", "the window change closes after upload has closed"),
    ("changes that open too late", ("  change: {opens: 2021-01-06T09:00, closes: 2021-01-25", "  change: {opens: 2021-02-20T19:00, closes: 2021-02-21"), "  change: {", "the window change opens when review has closed"),
    ("a row after one that always holds", ('military != "none"', '"true"'), "size(review_passed_years)", "routes[2] is never reached: routes[1] holds for everybody"),
    ("a row that another hides", ("size(review_passed_years) > 0", 'military == "serving"'), 'military == "serving"', "routes[2] is never reached: where it holds, a row before it does, too"),
    ("a row that never holds", ("size(review_passed_years) > 0", "upgrading && !upgrading"), "!upgrading", "routes[2] is never reached: it never holds"),
    ("no row for everybody else", ('  - when: "true"', "  - when: upgrading"), "- when: upgrading", "the last route row does not always hold"),
    ("an item for nobody", ("    reason: {zh: 您是研究生, en: because you are a graduate}\n    required_when: >-\n      education == \"graduate\" &&\n      entered_on >= \"2015-01-01\"\n    offered_when: education == \"bachelor\"", "    required_when: upgrading && !upgrading\n    offered_when: 'education == \"bachelor\" && education == \"graduate\"'"), "  degree:", "item degree is never required nor offered"),
    ("two sites of one code", ("  - {code: \"9901\", name: {zh: 样例考点, en: Example site}}\n", "  - {code: \"9901\", name: {zh: 甲, en: A}}\n  - {code: \"9901\", name: {zh: 乙, en: B}}\n"), "en: B", "the site code 9901 stands at sites[1] already"),
    ("a placeholder that is none", ("{deadline}", "{dead_line}"), "sms:", "did you mean deadline?"),
    ("a place of a reason that is none", ("{zh: 看不清,", '{zh: "第 {pages} 页看不清",'), "unreadable:", "unknown placeholder {pages}, there are {item} {site} {region} {deadline}, which are filled in, and {page} {what} {which}, which the reviewer fills in; did you mean page?"),
    ("a place in a reason's English", ("en: It can't be read}", 'en: "{phone} can\'t be read"}'), "unreadable:", "unknown placeholder {phone}, there are {item} {site} {region} {deadline}, which are filled in, and {page} {what} {which}, which the reviewer fills in; use one of them"),
    ("a brace of a reason that stands alone", ("{zh: 看不清,", '{zh: "第 {page 页看不清",'), "unreadable:", "a brace { or } stands alone; write placeholders as {item}"),
    ("a supplement due before approval", ("due: 2021-08-31", "due: 2021-02-01"), "due:", "after review has closed"),
    ("an on-site item that a row requires", ("requires: [previous_result]", "requires: [previous_result, photo_prints]"), "requires:", "photo_prints is brought on-site"),
    ("an on-site item as a supplement", ("- item: trial_assessment", "- item: photo_prints"), "- item: photo_prints", "photo_prints is brought on-site, it can't be uploaded; set its channel to both"),
    ("an unknown check", ("    min: 3", "    stricter_checks: [too_dark, blured]\n    min: 3"), "stricter_checks:", "unknown check blured: the checks that can be made stricter are blank, blurred, low_contrast, orientation, too_dark; did you mean blurred?"),
    ("a check that refuses anyway", ("    min: 3", "    stricter_checks: [corrupt]\n    min: 3"), "stricter_checks:", "unknown check corrupt: the checks that can be made stricter are blank, blurred, low_contrast, orientation, too_dark; use one of them"),
    ("a check that looks at portraits only", ("    min: 3", "    stricter_checks: [too_bright]\n    min: 3"), "stricter_checks:", "unknown check too_bright: the checks that can be made stricter are"),
    ("a check that is made by the reading", ("    min: 3", "    stricter_checks: [mirrored]\n    min: 3"), "stricter_checks:", "unknown check mirrored: the checks that can be made stricter are"),
    ("a check named twice", ("    min: 3", "    stricter_checks: [blurred, blurred]\n    min: 3"), "stricter_checks:", "stricter_checks of identity has blurred twice; keep one of the two"),
    ("a field to read named twice", ("    min: 3", "    reads: [name, name]\n    min: 3"), "reads:", "reads of identity has name twice"),
    ("something to read of what is never uploaded", ("    channel: onsite", "    channel: onsite\n    reads: [name]"), "reads:", "photo_prints is brought on-site: it has no images that reads could speak of; take reads out, or set its channel to both"),
    ("a stricter check of what is never uploaded", ("    channel: onsite", "    channel: onsite\n    stricter_checks: [blurred]"), "stricter_checks:", "photo_prints is brought on-site: it has no images that stricter_checks could speak of"),
    ("a photo that would be distorted", ("year: 2021", "year: 2021\nphoto: {width_mm: 35, height_mm: 45}"), "photo:", "the photo is 35 × 45 mm, but 390 × 567 pixels have other proportions"),
    ("too many images", ("min_by: institutions_count", "min_by: institutions_count * 2"), "min_by", "gives up to 40"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "where", "said"), [case[1:] for case in WHOLE], ids=[case[0] for case in WHOLE])
def test_what_does_not_fit_together_is_refused_with_its_line(
    tmp_path: Path, change: Change, where: str, said: str
) -> None:
    file = a_pack_file(tmp_path, change)

    found = errors(file)

    assert [line for line, words in found if said in words] == [line_of(file, where)], found


def test_an_item_code_outside_the_vocabulary_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL.replace("trial_assessment", "trial_asessment"), encoding="utf-8")

    found = errors(file)

    assert [line for line, words in found if "unknown item trial_asessment" in words] == [
        line_of(file, "  trial_asessment:")
    ]
    assert "did you mean trial_assessment?" in found[0][1]


def test_a_reason_may_use_every_place_and_blank(tmp_path: Path) -> None:
    words = "{region}{site}：{item}第 {page} 页的{what}，{which}，{deadline}"
    file = a_pack_file(tmp_path, ("{zh: 看不清, en: It can't be read}", f'{{zh: "{words}", en: "{words}"}}'))

    assert errors(file) == []


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    file = a_pack_file(
        tmp_path,
        ("version: 1", "version: one"),
        ("military != ", "millitary != "),
        ("    min: 3", "    min: 4"),
        ("offered_when: education", "offerd_when: education"),
        ("{deadline}", "{dead_line}"),
        ("publishing: {opens: 2021-02-21", "publishing: {opens: 2021-02-11"),
    )

    result = run("rules", "check", file)

    assert result.exit_code == 2
    for said in ("version", "millitary", "min 4", "offerd_when", "{dead_line}", "overlaps review"):
        assert said in result.stdout
    assert all(line.startswith(f"{file}:") for line in result.stdout.splitlines())
    assert "6 problems in 1 of 1 packs" in result.stderr


def test_a_wrong_field_to_read_hides_no_other_problem(tmp_path: Path) -> None:
    file = a_pack_file(
        tmp_path,
        ("    min: 3", "    reads: [id_card]\n    stricter_checks: [Blurred]\n    min: 4"),
        ("{deadline}", "{dead_line}"),
    )

    said = " ".join(words for _, words in errors(file))

    for part in ("identity.reads[1]", "identity.stricter_checks[1]", "min 4 is more than max 3", "{dead_line}"):
        assert part in said


def test_fields_to_read_and_stricter_checks_are_taken(tmp_path: Path) -> None:
    file = a_pack_file(
        tmp_path,
        ("    min: 3", "    reads: [id_number, valid_until]\n    stricter_checks: [blurred, too_dark]\n    min: 3"),
        ("year: 2021", "year: 2021\nphoto: {width_mm: 35, height_mm: 45, width_px: 413, height_px: 531}"),
    )

    checked = check_pack(file)

    assert checked.problems == ()
    assert checked.rules is not None
    identity = checked.rules.pack.items["identity"]
    assert (identity.reads, identity.stricter_checks) == (("id_number", "valid_until"), ("blurred", "too_dark"))
    assert checked.rules.pack.photo.receipt_days == 30


def test_a_picture_that_is_not_there_is_only_a_warning(tmp_path: Path) -> None:
    file = a_pack_file(tmp_path, ("    min: 3", "    example: no_such_picture\n    min: 3"))

    checked = check_pack(file)

    assert [problem.line for problem in checked.warnings] == [line_of(file, "no_such_picture")]
    assert checked.rules is not None
    assert run("rules", "check", file).exit_code == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read"),
        (b"", "pack.yaml:1: the file is empty"),
        (b"# nothing\n", "pack.yaml:1: the file is empty"),
        (b"- a\n- b\n", "holds no keys"),
        (b"id: \xff\n", "not UTF-8"),
        (b"id: \x07\n", "U+0007 is not allowed"),
        (b"a: &a [*a]\n", "pack.yaml:1: the anchor &a: a pack has no anchors and aliases; write it out"),
        (b"a: &a [x]\nb: *a\n", "pack.yaml:2: the alias *a: a pack has no anchors and aliases; write it out"),
        (b"id: " + b"x" * 256 * 1024, "the file is over 256 KB"),
        (b"id: " + b"9" * 5000, "is no value"),
        (b'id: "\\ud800"', "U+D800"),
        (b"a: 1\n---\nb: 2\n", "not YAML"),
        (b"a: !!python/object:os.system {}\n", "not YAML"),
        (b"id: " + b"[" * 3000, "pack.yaml:1: not YAML: lists and keys are nested too deep"),
    ],
)
def test_a_file_that_is_no_pack_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "pack.yaml"
    if content is not None:
        file.write_bytes(content)

    result = run("rules", "check", file)

    assert result.exit_code == 2
    assert said in result.stdout
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_json_has_a_line_for_each_problem(tmp_path: Path) -> None:
    file = a_pack_file(tmp_path, ("military != ", "millitary != "))

    result = run("rules", "check", "--json", file)

    [problem] = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 2
    assert problem == {
        "file": str(file),
        "line": line_of(file, "millitary"),
        "column": 11,
        "severity": "error",
        "what": "routes[1].when: unknown fact millitary (column 1 of the condition)",
        "todo": "did you mean military?",
    }


def test_all_packs_of_the_repository_are_right() -> None:
    result = run("rules", "check")

    assert result.exit_code == 0, result.stdout


def test_a_pack_that_the_check_refuses_is_not_published(tmp_path: Path) -> None:
    file = a_pack_file(tmp_path, ('  - when: "true"', "  - when: upgrading"))

    result = run("rules", "publish", file)

    assert result.exit_code == 2
    assert f"{file}:{line_of(file, '- when: upgrading')}: the last route row" in result.stderr


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{then}: &{then} [{','.join(['*' + one] * 9)}]\n" for one, then in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


@pytest.mark.parametrize("arguments", [("check",), ("publish",), ("explain", "-")])
def test_aliases_that_stand_for_billions_of_entries_are_refused_at_once(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "bomb.yaml"
    file.write_text(BOMB, encoding="utf-8")

    result = run("rules", arguments[0], file, *arguments[1:])

    assert result.exit_code == 2
    assert f"{file}:1: the anchor &a: a pack has no anchors and aliases; write it out" in result.output


def test_a_row_after_the_one_for_everybody_is_only_said_to_be_never_reached(tmp_path: Path) -> None:
    more = "  - when: upgrading\n    route: onsite\n    reason: {zh: 升执业, en: because you go up}\n"
    file = a_pack_file(tmp_path, ("sections:\n", f"{more}sections:\n"))

    [(line, words)] = errors(file)

    assert line == line_of(file, "- when: upgrading")
    assert "routes[4] is never reached: routes[3] holds for everybody" in words


def test_a_pack_in_a_file_of_another_name_is_only_warned_of(tmp_path: Path) -> None:
    file = a_pack_file(tmp_path, name="big-2021.yaml")

    result = run("rules", "check", file)

    assert result.exit_code == 0
    assert (
        f"{file}:1: warning: the pack small-2021 stands in a file called big-2021.yaml; call the file" in result.stdout
    )


def test_two_files_of_one_pack_and_version_are_refused(tmp_path: Path) -> None:
    first, second = a_pack_file(tmp_path), a_pack_file(tmp_path, name="again.yaml")
    third = a_pack_file(tmp_path, ("version: 1", "version: 2"), name="later.yaml")

    result = run("rules", "check", first, second, third)
    twice = run("rules", "check", first, first)

    assert result.exit_code == 2
    assert f"{second}:1: {first} is small-2021 version 1, too; give one of them another id" in result.stdout
    assert "1 problem in 1 of 3 packs" in result.stderr
    assert (twice.exit_code, twice.stdout) == (0, f"{first}: ok (small-2021 version 1, 7 items)\n")


def test_times_may_stand_in_quotes_and_without_an_hour(tmp_path: Path) -> None:
    file = a_pack_file(
        tmp_path,
        ("opens: 2021-01-10T09:00", 'opens: "2021-01-10 09:00:00"'),
        ("closes: 2021-02-20T17:00", "closes: 2021-02-20"),
        ("due: 2021-08-31", 'due: "2021-08-31"'),
    )

    assert errors(file) == []


def test_a_file_of_nothing_but_mistakes_says_a_bounded_number_of_them(tmp_path: Path) -> None:
    file = tmp_path / "pack.yaml"
    file.write_text("".join(f"key{number}: 1\n" for number in range(700)), encoding="utf-8")

    checked = check_pack(file)

    assert len(checked.errors) == 501
    assert "there are more problems than these" in str(checked.errors)


def test_no_message_speaks_of_the_library() -> None:
    """Whatever stands in place of anything in the pack."""
    content = yaml.safe_load(re.sub(r"(2021-\d\d-\d\d(T\d\d:\d\d)?)", r'"\1"', SMALL))
    document = Document("small-2021.yaml", SMALL)
    for path in _paths(content):
        for wrong in (None, "Ä", 0, 10**6, 1.5, True, [], {}, [0], {"?": 0}):
            spoiled = copy.deepcopy(content)
            holder = spoiled
            for part in path[:-1]:
                holder = holder[part]
            holder[path[-1]] = wrong
            document.content, document.problems = spoiled, []
            check_shape(document)
            said = " ".join(str(problem) for problem in document.problems)
            assert not re.search("Input|tuple|dictionary|instance|should|valid |JSON|array|object", said), said


def _paths(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for part, value in (
        content.items() if isinstance(content, dict) else enumerate(content if isinstance(content, list) else ())
    ):
        yield from _paths(value, (*path, part))
