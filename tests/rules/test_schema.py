"""The JSON Schema that editors complete and check packs with."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from deploy.cli import app
from deploy.intake.packs import RULES
from deploy.rules_check.problems import Document
from deploy.rules_check.schema import SCHEMA, pack_schema, schema_text
from deploy.rules_check.shape import check_shape
from deploy.rules_check.vocabulary import KNOWN_ITEMS
from deploy.rules_check.whole import check_items
from shared.contracts.facts import Facts
from shared.contracts.findings import CAN_BE_STRICTER
from shared.contracts.rules import ItemRule, PhotoRule, ReadableField
from tests.rules.small import SMALL

PACKS = sorted(RULES.glob("*.yaml"))


class AsEditorsRead(yaml.SafeLoader):
    """Dates stay text, as in JSON."""


AsEditorsRead.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def faults(text: str) -> list[str]:
    content = yaml.load(text, Loader=AsEditorsRead)  # noqa: S506 a safe loader's child
    return [error.message for error in Draft202012Validator(pack_schema()).iter_errors(content)]


def test_the_schema_in_the_repository_is_up_to_date() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "run `baoshen rules schema --write`"


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(app, ["rules", "schema"])

    assert json.loads(result.stdout) == pack_schema()


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(pack_schema())


@pytest.mark.parametrize("file", PACKS, ids=[file.stem for file in PACKS])
def test_the_packs_of_the_repository_fit_it(file: Path) -> None:
    assert faults(file.read_text(encoding="utf-8")) == []


def test_the_small_pack_fits_it() -> None:
    assert faults(SMALL) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("offered_when: education", "offerd_when: education"),
        ("route: online", "route: offline"),
        ("  degree:", "  degre:"),
        ("[identity, diploma,", "[identity, diplomma,"),
        ("- item: trial_assessment", "- item: trial_paper"),
        ("  unreadable: {", "  Unreadable: {"),
        ("opens: 2021-01-10T09:00", "opens: tomorrow"),
        ("    min: 3", "    min: three"),
        ("    min: 3", '    min: "3"'),
        ("version: 1", 'version: "1"'),
        ("uploads: false", 'uploads: "off"'),
        ("uploads: false", "uploads: 0"),
        ("opens: 2021-01-10T09:00", 'opens: "1609459200"'),
        ("due: 2021-08-31", 'due: "1609459200"'),
        ("due: 2021-08-31", "due: 20210831"),
        ("year: 2021\n", ""),
        ("    min: 3", "    reads: [id_card]\n    min: 3"),
        ("    min: 3", "    stricter_checks: [Blurred]\n    min: 3"),
        ("year: 2021\n", "year: 2021\nphoto: {width_px: 33}\n"),
    ],
)
def test_it_refuses_what_the_check_refuses(before: str, after: str) -> None:
    assert before in SMALL

    text = SMALL.replace(before, after, 1)
    document = Document("small-2021.yaml", text)
    pack = check_shape(document)
    if pack is not None:
        check_items(document, pack)

    assert faults(text)
    assert document.problems


def test_keys_are_described_for_whoever_writes_a_pack() -> None:
    parts: dict[str, Any] = pack_schema()["$defs"]

    for part, key in [
        ("ItemRule", "reads"),
        ("PhotoRule", "receipt_days"),
        ("ItemRule", "required_when"),
        ("RouteRow", "uploads"),
        ("Windows", "change"),
    ]:
        assert parts[part]["properties"][key]["description"]


def test_editors_offer_the_checks_that_can_be_made_stricter() -> None:
    offered = pack_schema()["$defs"]["ItemRule"]["properties"]["stricter_checks"]["items"]["enum"]

    assert offered == sorted(CAN_BE_STRICTER)
    assert faults(SMALL.replace("    min: 3", "    stricter_checks: [corrupt]\n    min: 3", 1))


def test_the_documentation_names_every_fact_and_every_item() -> None:
    glossary, rules = (Path(f"docs/{name}.md").read_text(encoding="utf-8") for name in ("glossary", "rules"))

    assert [name for name in Facts.model_fields if f"`{name}`" not in glossary] == []
    assert [code for code in KNOWN_ITEMS if f"`{code}`" not in rules] == []


def test_the_documentation_names_what_is_read_and_what_can_be_stricter() -> None:
    page = Path("docs/rules.md").read_text(encoding="utf-8")

    names = ["reads", "stricter_checks", "photo", *get_args(ReadableField), *CAN_BE_STRICTER, *PhotoRule.model_fields]
    assert [name for name in names if f"`{name}`" not in page] == []
    assert {"reads", "stricter_checks"} <= set(ItemRule.model_fields)
