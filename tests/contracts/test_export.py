"""`baoshen contracts export`."""

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from deploy.commands import contracts
from deploy.local.places import CHECKOUT

TOPIC = "material.uploaded.v1"
app = typer.Typer()
app.command()(contracts.export)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what is published."""
    return Path(shutil.copytree(CHECKOUT / "docs" / "events", tmp_path / "events"))


def publish(folder: Path, topic: str, **fields: object) -> Path:
    """Pretend that the topic was published with other fields."""
    path = folder / "schemas" / f"{topic}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    for name, field in fields.items():
        schema["properties"][name] = field
    path.write_text(json.dumps(schema), encoding="utf-8")
    return path


def test_what_is_published_in_the_repository_is_up_to_date_and_compatible() -> None:
    result = run("--check")

    assert result.exit_code == 0, result.output


def test_exporting_again_changes_nothing(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}

    result = run("--folder", str(folder))

    assert result.exit_code == 0
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    assert run("--folder", str(tmp_path / "new")).exit_code == 0

    assert run("--check", "--folder", str(tmp_path / "new")).exit_code == 0


def test_the_check_names_stale_files_and_leaves_them(folder: Path) -> None:
    (folder / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n")
    (folder / "schemas" / f"{TOPIC}.json").unlink()

    result = run("--check", "--folder", str(folder))

    assert result.exit_code == 1
    assert "asyncapi.yaml" in result.output
    assert f"schemas/{TOPIC}.json" in result.output
    assert "README.md" not in result.output
    assert not (folder / "schemas" / f"{TOPIC}.json").exists()


def test_a_change_that_breaks_is_named_and_nothing_is_written(folder: Path) -> None:
    path = publish(folder, TOPIC, taken_with={"type": "string"})
    (folder / "README.md").unlink()
    before = path.read_bytes()

    result = run("--folder", str(folder))

    assert result.exit_code == 1
    assert f"{TOPIC}: taken_with is published and was removed" in result.output
    assert path.read_bytes() == before
    assert not (folder / "README.md").exists()


def test_the_check_refuses_what_breaks_as_well(folder: Path) -> None:
    publish(folder, TOPIC, size={"type": "string"})

    assert run("--check", "--folder", str(folder)).exit_code == 1


def test_a_change_that_widens_is_written_and_the_order_to_go_by_is_said(folder: Path) -> None:
    publish(folder, TOPIC, content_type={"type": "string", "enum": ["image/jpeg"]})

    result = run("--folder", str(folder))

    assert result.exit_code == 0
    assert "content_type may be" in result.output
    assert "all consumers" in result.output
    assert run("--check", "--folder", str(folder)).exit_code == 0


def test_a_topic_that_nobody_uses_may_be_published_anew(folder: Path) -> None:
    publish(folder, TOPIC, taken_with={"type": "string"})

    assert run("--rewrite", TOPIC, "--folder", str(folder)).exit_code == 0
    assert run("--check", "--folder", str(folder)).exit_code == 0


def test_a_topic_that_is_gone_is_taken_away_only_when_named(folder: Path) -> None:
    gone = folder / "schemas" / "paper.stamped.v1.json"
    gone.write_text('{"type": "object"}')

    assert run("--folder", str(folder)).exit_code == 1
    assert gone.exists()
    assert run("--rewrite", "paper.stamped.v1", "--folder", str(folder)).exit_code == 0
    assert not gone.exists()


def test_an_unknown_topic_or_a_broken_file_is_bad_input(folder: Path) -> None:
    unknown = run("--rewrite", "paper.stamped.v9", "--folder", str(folder))
    (folder / "schemas" / f"{TOPIC}.json").write_text("{")
    broken = run("--folder", str(folder))

    assert (unknown.exit_code, broken.exit_code) == (2, 2)
    assert TOPIC in unknown.output
    assert "is not JSON" in broken.output
