"""`baoshen import …` and `baoshen rules publish`, as an operator runs them."""

import asyncio
import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.intake.accounts import sort_accounts
from deploy.intake.registrations import id_number_fits
from deploy.intake.tables import Row
from deploy.topic_records import records_of
from shared.contracts.registration import RegistrationRecorded
from shared.messaging.topics import create_topics
from shared.security.sealing import KeyRing

GOOD = {
    "application_no": "2021150001",
    "pack": "neimenggu-2021",
    "site": "1501",
    "name": "样例甲",
    "id_number": "999999199001011238",
    "phone": "19900000001",
    "level": "physician",
    "upgrading": "false",
    "category": "clinical",
    "education": "bachelor",
    "student_status": "graduated",
    "entered_on": "2013-09-01",
    "graduated_on": "2018-07-01",
    "upgraded_from_junior_college": "false",
    "upgrade_entered_on": "",
    "degree_origin": "mainland",
    "nationality": "mainland",
    "institution": "medical",
    "institutions_count": "1",
    "diploma_lost": "false",
    "fresh_graduate": "false",
}


@pytest.fixture
def keys(master_keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyRing:
    file = tmp_path / "data-keys.json"
    monkeypatch.setenv("MASTER_KEYS", master_keys)
    monkeypatch.setenv("DATA_KEYS_FILE", str(file))
    return KeyRing(master_keys, file)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def a_csv(folder: Path, *rows: dict[str, str], name: str = "registrations.csv") -> Path:
    file = folder / name
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def told(kafka: str, number: str) -> list[RegistrationRecorded]:
    """What stands on the topic about one application."""

    async def read() -> list[RegistrationRecorded]:
        return [
            RegistrationRecorded.model_validate_json(record.value)
            async for record in records_of(kafka, [RegistrationRecorded.topic])
            if record.key == number.encode()
        ]

    return asyncio.run(read())


@pytest.fixture(scope="module")
def topics(kafka: str) -> None:
    asyncio.run(create_topics(kafka))


def a_number() -> str:
    return "T" + uuid4().hex[:12].upper()


def test_good_rows_are_told_sealed_and_bad_ones_refused_by_line(
    kafka: str, topics: None, keys: KeyRing, tmp_path: Path
) -> None:
    good, other = a_number(), a_number()
    rows = [
        GOOD | {"application_no": good},
        GOOD | {"application_no": a_number(), "id_number": "999999199001011237"},
        GOOD | {"application_no": a_number(), "phone": "12345"},
        GOOD | {"application_no": a_number(), "pack": "atlantis-1999"},
        GOOD | {"application_no": a_number(), "site": "9999"},
        GOOD | {"application_no": a_number(), "education": "kindergarten"},
        GOOD | {"application_no": a_number(), "student_status": "finishing_this_year"},
        GOOD | {"application_no": good},
        GOOD | {"application_no": other},
    ]

    result = run("import", "registrations", a_csv(tmp_path, *rows))

    assert result.exit_code == 2
    for line, word in [(3, "id_number"), (4, "phone"), (5, "pack"), (6, "site"), (7, "education"),
                       (8, "student_status"), (9, "line 2")]:  # fmt: skip
        assert any(f"line {line}" in each and word in each for each in result.stderr.splitlines()), result.stderr
    assert "2 registrations told, 7 rows refused" in result.stderr
    assert GOOD["name"] not in result.stderr
    assert "199001011237" not in result.stderr
    [first] = told(kafka, good)
    assert keys.open(first.sealed).id_number == GOOD["id_number"]
    assert len(told(kafka, other)) == 1


def test_facts_that_contradict_each_other_are_refused_by_line_and_column(keys: KeyRing, tmp_path: Path) -> None:
    rows = [
        GOOD | {"application_no": a_number(), **changed}
        for changed in (
            {"student_status": "finishing_this_year", "graduated_on": "2020-07-01"},
            {"graduated_on": "2013-08-31"},
            {"upgrading": "true", "level": "assistant"},
            {"upgraded_from_junior_college": "true"},
            {"upgrade_entered_on": "2016-09-01"},
            {"institutions_count": "0"},
        )
    ]

    result = run("import", "registrations", a_csv(tmp_path, *rows))

    assert result.exit_code == 2
    for line, columns in enumerate(
        [
            ("student_status", "graduated_on"),
            ("graduated_on", "entered_on"),
            ("upgrading", "level"),
            ("upgraded_from_junior_college", "upgrade_entered_on"),
            ("upgrade_entered_on", "upgraded_from_junior_college"),
            ("institutions_count",),
        ],
        start=2,
    ):
        [said] = [each for each in result.stderr.splitlines() if f"line {line}:" in each]
        assert all(column in said for column in columns), said


def test_excel_and_json_are_read_as_csv_is(kafka: str, topics: None, keys: KeyRing, tmp_path: Path) -> None:
    in_excel, in_json = a_number(), a_number()
    book = Workbook()
    book.active.append(list(GOOD))
    book.active.append(list((GOOD | {"application_no": in_excel}).values()))
    book.save(tmp_path / "r.xlsx")
    facts = {key: value for key, value in GOOD.items() if key not in {"application_no", "pack", "site", "name", "id_number", "phone"}}  # fmt: skip # noqa: E501
    entry = {key: GOOD[key] for key in ("pack", "site", "name", "id_number", "phone")} | {"application_no": in_json}
    (tmp_path / "r.json").write_text(json.dumps([entry | {"facts": facts}]), encoding="utf-8")

    results = [run("import", "registrations", tmp_path / name) for name in ("r.xlsx", "r.json")]

    assert [result.exit_code for result in results] == [0, 0], [result.stderr for result in results]
    assert told(kafka, in_excel)[0].facts == told(kafka, in_json)[0].facts


def test_a_fact_that_the_pack_reads_must_be_given(kafka: str, topics: None, keys: KeyRing, tmp_path: Path) -> None:
    row = {key: value for key, value in GOOD.items() if key != "institution"}

    result = run("import", "registrations", a_csv(tmp_path, row))

    assert result.exit_code == 2
    assert "institution" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.csv", None, "no such file"),
        ("r.pdf", b"%PDF", "only .csv, .xlsx and .json"),
        ("r.csv", "名称\n".encode("gb18030"), "not UTF-8"),
        ("r.xlsx", b"no workbook", "not an Excel workbook"),
        ("r.json", b"{", "not JSON"),
        ("r.json", b"{}", "array of objects"),
        ("r.csv", b"a,b\n1,2,3\n", "more cells"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(
    keys: KeyRing, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)

    result = run("import", "registrations", file)

    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")


def test_accounts_are_written_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL_UPLOAD", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("DATABASE_URL_REVIEW", "postgresql://nobody@127.0.0.1:1/none")
    file = tmp_path / "accounts.csv"
    file.write_text(
        "kind,login,password,display_name,role,region,site\n"
        "candidate,2021150001,long enough,,,,\n"
        "candidate,2021150002,short,,,,\n"
        "staff,someone,long enough,Someone,site_reviewer,15,\n"
        "visitor,x,long enough,,,,\n",
        encoding="utf-8",
    )

    result = run("import", "accounts", file)

    assert result.exit_code == 2
    assert [f"line {n}" in result.stderr for n in (2, 3, 4, 5)] == [False, True, True, True]
    assert "long enough" not in result.stderr


def test_a_pack_with_a_mistake_is_not_published(tmp_path: Path) -> None:
    source = Path("rules/neimenggu-2021.yaml").read_text(encoding="utf-8")
    file = tmp_path / "pack.yaml"
    file.write_text(source.replace('institution == "medical"', 'hospital == "medical"'), encoding="utf-8")

    result = run("rules", "publish", file)

    assert result.exit_code == 2
    assert "institution_licence" in result.stderr
    assert "hospital" in result.stderr


def test_a_published_version_stays_as_it_is_and_a_change_takes_a_higher_one(
    kafka: str, topics: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    name = f"test-{uuid4().hex[:12]}"
    default = Path("rules/default.yaml").read_text(encoding="utf-8").replace("id: default", f"id: {name}")
    first = re.sub(r"^version: \d+$", "version: 1", default, flags=re.MULTILINE)
    file = tmp_path / f"{name}.yaml"
    file.write_text(first, encoding="utf-8")
    assert [run("rules", "publish", file).exit_code for _ in range(2)] == [0, 0]
    changed = first.replace("第一考点", "中心考点")

    file.write_text(changed, encoding="utf-8")
    refused = run("rules", "publish", file)
    file.write_text(changed.replace("version: 1", "version: 2"), encoding="utf-8")
    published = run("rules", "publish", file)

    assert refused.exit_code == 2
    assert f"{name} version 1 is published already with other contents" in refused.stderr
    assert published.exit_code == 0, published.stderr


@pytest.mark.parametrize(
    ("number", "fits"),
    [("999999199001011238", True), ("999999199001011237", False), ("99999919900101123X", False), ("1234", False)],
)
def test_the_check_digit_of_an_id_number_is_looked_at(number: str, fits: bool) -> None:
    assert id_number_fits(number) is fits


@pytest.mark.parametrize(("cell", "activated"), [("yes", True), ("是", True), ("no", False), ("", False)])
def test_an_account_is_activated_when_the_file_says_so(cell: str, activated: bool) -> None:
    row = Row(2, {"kind": "candidate", "login": "2021150001", "password": "correct horse", "activated": cell})

    found = sort_accounts([row])

    assert found.refused == []
    assert [account.activated for account in found.candidates] == [activated]


def test_an_account_that_is_perhaps_activated_is_refused() -> None:
    row = Row(2, {"kind": "candidate", "login": "2021150001", "password": "correct horse", "activated": "perhaps"})

    assert sort_accounts([row]).refused == [(2, "activated is neither yes nor no")]


@pytest.mark.parametrize(
    ("cells", "issuer"),
    [
        ({"oidc_subject": "4711"}, "https://id.example"),
        ({"oidc_subject": "4711", "oidc_issuer": "https://other.example"}, "https://other.example"),
    ],
)
def test_staff_of_an_identity_provider_need_no_password(cells: dict[str, str], issuer: str) -> None:
    row = Row(2, {"kind": "staff", "login": "chief", "display_name": "主管", "role": "national_operator"} | cells)

    found = sort_accounts([row], "https://id.example")

    assert found.refused == []
    assert [(each.oidc_issuer, each.oidc_subject, each.password) for each in found.staff] == [(issuer, "4711", None)]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({}, "neither password nor oidc_subject"),
        ({"oidc_subject": "4711"}, "oidc_subject needs its oidc_issuer"),
        ({"password": "long-enough", "region": "15"}, "a national_operator has no region"),
        ({"password": "long-enough", "reset_second_factor": "perhaps"}, "reset_second_factor is neither yes nor no"),
    ],
)
def test_staff_who_could_not_log_in_or_stand_nowhere_are_refused_by_line(cells: dict[str, str], why: str) -> None:
    row = Row(2, {"kind": "staff", "login": "chief", "display_name": "主管", "role": "national_operator"} | cells)

    refused = sort_accounts([row]).refused

    assert [line for line, _ in refused] == [2]
    assert why in refused[0][1]
