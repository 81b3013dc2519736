"""`baoshen up --as-of`: what it takes for a date, and what clock the stack and the commands beside it then have."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.errors import BadSetting
from deploy.local.moment import moment, now_in, shift_in, shift_to
from deploy.local.stack import Stack


@pytest.mark.parametrize(
    ("words", "utc"),
    [
        ("2021-01-20", datetime(2021, 1, 20, 4, tzinfo=UTC)),
        ("2021-01-20T09:30", datetime(2021, 1, 20, 1, 30, tzinfo=UTC)),
        ("2021-01-20 09:30:15", datetime(2021, 1, 20, 1, 30, 15, tzinfo=UTC)),
        ("2021-01-20T09:30:00+00:00", datetime(2021, 1, 20, 9, 30, tzinfo=UTC)),
        (" 2021-01-20T09:30:00Z ", datetime(2021, 1, 20, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_date_is_noon_in_beijing_and_a_time_is_beijing_time(words: str, utc: datetime) -> None:
    assert moment(words) == utc


@pytest.mark.parametrize("words", ["", "yesterday", "2021-02-30", "20.1.2021", "2021-13-01", "0021-01-20", "2021-1-2"])
def test_what_is_no_date_is_refused_with_what_to_give(words: str) -> None:
    with pytest.raises(BadSetting, match="YYYY-MM-DD"):
        moment(words)


def test_the_clock_starts_at_the_moment_and_runs_on() -> None:
    shift = shift_to(moment("2021-01-20"))

    now = now_in({"BAOSHEN_CLOCK_SHIFT_S": shift})

    assert timedelta(seconds=-1) <= now - moment("2021-01-20") < timedelta(seconds=10)
    assert now_in({}) - datetime.now(UTC) < timedelta(seconds=1)


def test_a_shift_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadSetting, match="BAOSHEN_CLOCK_SHIFT_S is 'a day'"):
        shift_in({"BAOSHEN_CLOCK_SHIFT_S": "a day"})


def test_the_stack_gives_its_clock_to_every_process_and_tells_the_commands(tmp_path: Path) -> None:
    shifted = Stack(tmp_path, free_ports=True, services=(), environment={"BAOSHEN_CLOCK_SHIFT_S": "-3600"})
    usual = Stack(tmp_path, free_ports=True, services=(), environment={})

    assert shifted.environment["BAOSHEN_CLOCK_SHIFT_S"] == "-3600"
    assert usual.environment["BAOSHEN_CLOCK_SHIFT_S"] == "0"


def test_a_stack_has_an_answer_to_captchas_of_its_own(tmp_path: Path) -> None:
    one = Stack(tmp_path / "one", free_ports=True, services=(), environment={})
    other = Stack(tmp_path / "other", free_ports=True, services=(), environment={})

    assert len(one.environment["CAPTCHA_TEST_ANSWER"]) >= 16
    assert one.environment["CAPTCHA_TEST_ANSWER"] != other.environment["CAPTCHA_TEST_ANSWER"]


def test_up_refuses_what_is_no_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAOSHEN_HOME", str(tmp_path / "home"))

    result = CliRunner().invoke(app, ["up", "--as-of", "next week"])

    assert result.exit_code == 2
    assert "'next week'" in result.output
    assert "YYYY-MM-DD" in result.output
    assert not (tmp_path / "home").exists()


def test_the_demo_refuses_a_pack_that_is_not_there_and_names_those_that_are() -> None:
    result = CliRunner().invoke(app, ["demo", "--pack", "atlantis-2021"])

    assert result.exit_code == 2
    assert "atlantis-2021" in result.output
    for name in ("neimenggu-2021", "hunan-2026", "province-2022", "liaoning-2022", "default"):
        assert name in result.output


def test_the_demo_says_what_is_missing_where_no_stack_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAOSHEN_HOME", str(tmp_path))
    (tmp_path / "environment.json").write_text(json.dumps({"PUBLIC_ORIGIN": "http://127.0.0.1:1"}))
    monkeypatch.delenv("CAPTCHA_TEST_ANSWER", raising=False)

    result = CliRunner().invoke(app, ["demo"])

    assert result.exit_code == 2
    assert "CAPTCHA_TEST_ANSWER" in result.output
