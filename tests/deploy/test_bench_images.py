"""`baoshen bench images`: its last line, and what it refuses. A run takes a stack and a minute of both cores."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.bench.images import Result

_BAOSHEN = (sys.executable, "-c", "from deploy.cli import main; main()")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_BAOSHEN, "bench", "images", *arguments], capture_output=True, text=True, timeout=280)


def test_the_line_has_the_medians_and_the_ratio_of_each_round() -> None:
    measured = Result(
        door_s=[0.0002, 0.0004, 0.0009],
        decode_s=[0.003, 0.004, 0.009],
        check_s=[0.020, 0.024, 0.090],
        ours=[50.0, 90.0, 40.0],
        bare=[50.0, 100.0, 80.0],
    )

    assert measured.line() == {
        "door_us": 400,
        "check_ms": 24.0,
        "decode_ms": 4.0,
        "ratio_check_to_decode": 6.0,
        "images_per_s": 50.0,
        "bare_images_per_s": 80.0,
        "ratio": 0.9,
    }


@pytest.mark.parametrize("arguments", [("--images", "1"), ("--rounds", "0"), ("--limits", "many"), ("--seed", "-1")])
def test_bad_input_is_refused_with_two(arguments: tuple[str, ...]) -> None:
    done = bench(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert arguments[0] in done.stderr


def test_samples_without_a_manifest_are_refused_with_two(tmp_path: Path) -> None:
    done = bench("--samples", str(tmp_path))

    assert (done.returncode, done.stdout) == (2, "")
    assert "manifest.json" in done.stderr
    assert "--samples" in done.stderr
