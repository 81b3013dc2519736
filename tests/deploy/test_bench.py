"""`baoshen bench flow`: what it prints, and that it measures work that was really done."""

import json
import subprocess
import sys

import pytest

_BAOSHEN = (sys.executable, "-c", "from deploy.cli import main; main()")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_BAOSHEN, "bench", "flow", *arguments], capture_output=True, text=True, timeout=280)


@pytest.mark.stack
def test_with_json_one_line_and_nothing_else_is_on_standard_output() -> None:
    done = bench("--json", "--events", "2000", "--rounds", "1")

    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert set(line) == {"ratio", "events_per_s", "bare_events_per_s"}
    assert line["events_per_s"] > 100
    assert line["ratio"] == pytest.approx(line["events_per_s"] / line["bare_events_per_s"], abs=0.01)
    assert "round 1" in done.stderr


@pytest.mark.parametrize("arguments", [("--events", "1"), ("--rounds", "0"), ("--events", "many")])
def test_bad_input_is_refused_with_two(arguments: tuple[str, ...]) -> None:
    done = bench(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert arguments[0] in done.stderr
