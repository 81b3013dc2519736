"""Brings the locked Python environment up with nothing but Python: finds or installs uv, then `uv sync --locked`.

Run by `make` with the machine's own Python, so it uses the standard library only, and syntax that an old Python can
still read far enough to be told that it is too old.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
OWN_UV = CHECKOUT / ".local" / "uv"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
# The first that reads this lock file's revision without a warning.
OLDEST_UV = (0, 8)
UV_REQUIREMENT = "uv>=0.8,<1"
# Debian, Fedora, Alpine and macOS.
CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


class Stop(Exception):
    """Bootstrapping can't go on; the message says what to install."""


def main() -> int:
    """Do it; the exit code is 0 if the environment is there."""
    try:
        if sys.version_info[:2] < OLDEST_PYTHON:
            return _again_with_newer_python()
        uv = find_uv() or install_uv()
        command = [uv, "sync", "--locked", "--quiet", *_python_option()]
        return subprocess.call(command, cwd=str(CHECKOUT), env=_environment())
    except Stop as problem:
        print(problem, file=sys.stderr)
        return 1


def find_uv() -> str | None:
    """The path of a recent enough uv: on PATH, where its installer puts it, or the one that we installed; or None."""
    places = [
        shutil.which("uv"),
        Path.home() / ".local" / "bin" / "uv",
        Path.home() / ".cargo" / "bin" / "uv",
        OWN_UV / "bin" / "uv",
        OWN_UV / "packages" / "bin" / "uv",
    ]
    for place in places:
        if place and os.access(str(place), os.X_OK) and _version_of(str(place)) >= OLDEST_UV:
            return str(place)
    return None


def install_uv() -> str:
    """Install uv into .local/uv: in an environment of its own or, where Python can't make one, just as a folder."""
    print("正在安装 uv… Installing uv into .local/uv …", file=sys.stderr)
    shutil.rmtree(str(OWN_UV), ignore_errors=True)
    if _runs("ensurepip", "--version") and _succeeds("-m", "venv", str(OWN_UV)):
        _pip([str(OWN_UV / "bin" / "python")], [])
        return str(OWN_UV / "bin" / "uv")
    shutil.rmtree(str(OWN_UV), ignore_errors=True)
    if not _runs("pip", "--version"):
        raise Stop(
            "没有 uv，也无法安装它：这个 Python 既没有 ensurepip，也没有 pip。\n"
            f"There is no uv, and this Python ({sys.executable}) can't install it: it has neither ensurepip nor pip. "
            "Install one of them, then try again:\n"
            "    apt-get install python3-venv      (Debian, Ubuntu)\n"
            "    pipx install uv, or another way to install uv"
        )
    _pip([sys.executable], ["--target", str(OWN_UV / "packages")])
    return str(OWN_UV / "packages" / "bin" / "uv")


def _pip(python: list[str], options: list[str]) -> None:
    command = [*python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options, UV_REQUIREMENT]
    if subprocess.call(command) != 0:
        raise Stop("uv 安装失败，详见上面。 uv could not be installed; pip says above why.")


def _runs(module: str, *words: str) -> bool:
    return _succeeds("-m", module, *words)


def _succeeds(*words: str) -> bool:
    quiet = subprocess.DEVNULL
    return subprocess.call([sys.executable, *words], stdout=quiet, stderr=quiet) == 0


def _version_of(uv: str) -> tuple[int, int]:
    try:
        said = subprocess.run([uv, "--version"], stdout=subprocess.PIPE, check=True, timeout=30).stdout.decode()
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = re.search(r"(\d+)\.(\d+)", said)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _python_option() -> list[str]:
    if (CHECKOUT / ".venv" / "pyvenv.cfg").exists() or sys.version_info[:2] > NEWEST_PYTHON:
        return []  # the environment's own Python stays; for one that is too new uv looks for another
    return ["--python", sys.executable]


def _environment() -> dict[str, str]:
    # An active environment of somebody else's project is not ours to change.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    if any(Path(bundle).exists() for bundle in CA_BUNDLES):
        # A company's or a mirror's own certificate is known to the system, not to the list that uv brings along.
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    # Ten seconds once, half a second after that: uncompiled, each service takes 4 s of CPU to start instead of 1.5 s.
    # Left to themselves, Python's programs compile nothing where PYTHONDONTWRITEBYTECODE is set, as in many containers.
    environment.setdefault("UV_COMPILE_BYTECODE", "1")
    return environment


def _again_with_newer_python() -> int:
    for name in ("python3.13", "python3.12", "python3.11"):
        found = shutil.which(name)
        if found:
            return subprocess.call([found, *sys.argv])
    raise Stop(
        "需要 Python 3.11 或更新版本。 Python {}.{} is too old: install Python 3.11, 3.12 or 3.13, "
        "or name one: make PYTHON=/path/to/python3.12".format(*sys.version_info[:2])
    )


if __name__ == "__main__":
    raise SystemExit(main())
