"""`baoshen bench review`: what it prints, and that it measures work that was really done."""

import json
import subprocess
import sys

import pytest

_BAOSHEN = (sys.executable, "-c", "from deploy.cli import main; main()")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_BAOSHEN, "bench", "review", *arguments], capture_output=True, text=True, timeout=400)


@pytest.mark.stack
def test_with_json_one_line_and_nothing_else_is_on_standard_output() -> None:
    done = bench(
        *("--json", "--applications", "2000", "--few", "200"),
        *("--reviewers", "6", "--decisions", "30", "--published", "250"),
    )

    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert list(line) == [
        "decisions_per_s", "p99_ms", "queue_ms_1k", "queue_ms_1m", "queue_ratio", "publish_100k_s"
    ]  # fmt: skip
    assert all(value > 0 for value in line.values())
    assert line["queue_ratio"] == pytest.approx(line["queue_ms_1m"] / line["queue_ms_1k"], abs=0.01)
    assert "large: 2,000 applications" in done.stderr
    assert "publishing 250 opinions" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--applications", "1"), ("--reviewers", "0"), ("--decisions", "many"), ("--published", "0")]
)
def test_bad_input_is_refused_with_two(arguments: tuple[str, ...]) -> None:
    done = bench(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert arguments[0] in done.stderr


def test_more_decisions_than_applications_that_wait_are_refused() -> None:
    done = bench("--applications", "1000", "--decisions", "201")

    assert (done.returncode, done.stdout) == (2, "")
    assert "--decisions is 200 at most" in done.stderr
