"""No part that looks at candidates' papers opens a connection: not at its import, not at work, not some time after."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.specimens import draw
from tests.validation.no_network import REFUSED

# As long as those versions of the runtime that do open connections (1.30 and 1.31) were watched to find it out.
WAITS_S = 12


def under_the_trap(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Without the variable that keeps the runtime silent: the modules must set it themselves.
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-B", "-m", "tests.validation.no_network", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode == REFUSED:
        pytest.skip("this kernel takes no seccomp filter: whether anything is sent can't be told")
    return done


@pytest.mark.parametrize("what", ["connect", "send", "resolve"])
def test_the_trap_closes_on_whoever_uses_the_network(what: str) -> None:
    done = under_the_trap("0", what)

    assert (done.returncode, done.stdout) == (-signal.SIGSYS, "")


def test_looking_at_papers_and_portraits_and_reading_them_uses_no_network(tmp_path: Path) -> None:
    files = {"read": "identity_front", "look": "diploma", "portrait": "portrait"}
    for job, kind in files.items():
        (tmp_path / f"{job}.jpg").write_bytes(draw(kind, seed=1))

    done = under_the_trap(str(WAITS_S), *(f"{job}={tmp_path / job}.jpg" for job in files))

    assert done.returncode == 0, done.stderr
    read, _, rest = done.stdout.partition("look ")
    look, _, portrait = rest.partition("portrait ")
    assert "'field': 'name'" in read  # the recogniser worked,
    assert "'verdict': 'accept'" in look  # the measures and the model of turns,
    assert "'presence'" in portrait  # and those of faces
    assert portrait.endswith("done\n")
    assert "written" not in read
