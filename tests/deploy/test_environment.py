"""`deploy.environment`: what commands work with."""

import json
from pathlib import Path

import pytest

from deploy import environment

STACK = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "DATABASE_URL": "postgresql://u:p@127.0.0.1:2",
    "DATABASE_URL_UPLOAD": "postgresql://u:p@127.0.0.1:2/baoshen_upload",
    "DATABASE_URL_REVIEW": "postgresql://u:p@127.0.0.1:2/baoshen_review",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and nothing set."""
    for name in (*STACK, *environment.databases()):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BAOSHEN_HOME", str(tmp_path))
    return tmp_path


def run_a_stack(home: Path) -> None:
    (home / environment.FILE_NAME).write_text(json.dumps(STACK))


def test_a_running_stack_is_found(home: Path) -> None:
    run_a_stack(home)

    found = environment.load("KAFKA_BOOTSTRAP_SERVERS", *environment.databases("upload"))

    assert found["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:1"
    assert environment.database_of("upload", found) == STACK["DATABASE_URL_UPLOAD"]


def test_what_is_set_counts_more_than_the_stack(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_a_stack(home)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    monkeypatch.setenv("DATABASE_URL_UPLOAD", "")

    found = environment.load()

    assert found["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9"
    assert found["DATABASE_URL_UPLOAD"] == STACK["DATABASE_URL_UPLOAD"]


def test_another_server_has_other_databases(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_a_stack(home)
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@127.0.0.1:3")
    monkeypatch.setenv("DATABASE_URL_REVIEW", "postgresql://me:secret@127.0.0.1:4/mine")

    found = environment.load(*environment.databases())

    assert found["DATABASE_URL_UPLOAD"] == "postgresql://me:secret@127.0.0.1:3/baoshen_upload"
    assert found["DATABASE_URL_REVIEW"] == "postgresql://me:secret@127.0.0.1:4/mine"


def test_without_a_stack_it_says_what_to_set_and_what_to_start(home: Path) -> None:
    with pytest.raises(environment.EnvironmentIncomplete) as refused:
        environment.load("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL_UPLOAD")

    assert refused.value.exit_code == 2
    message = refused.value.format_message()
    assert "Set KAFKA_BOOTSTRAP_SERVERS, DATABASE_URL_UPLOAD" in message
    assert "make up" in message
    assert str(home) in message


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_file_is_said_to_be_broken(home: Path, content: str) -> None:
    (home / environment.FILE_NAME).write_text(content)

    with pytest.raises(environment.EnvironmentIncomplete, match="start the stack again"):
        environment.load()
