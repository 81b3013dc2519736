"""Finding or installing uv, with stand-ins for uv and pip."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import bootstrap


def program(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(bootstrap.Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(bootstrap, "OWN_UV", tmp_path / "own")


def test_a_recent_uv_on_the_path_is_used(tmp_path: Path) -> None:
    uv = program(tmp_path / "bin" / "uv", "uv 0.13.8 (x86_64-unknown-linux-gnu)")

    assert bootstrap.find_uv() == str(uv)


def test_an_old_uv_is_passed_over_for_our_own(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "uv", "uv 0.2.1")
    own = program(tmp_path / "own" / "packages" / "bin" / "uv", "uv 0.9.0")

    assert bootstrap.find_uv() == str(own)


def test_where_there_is_none_none_is_found() -> None:
    assert bootstrap.find_uv() is None


def test_without_ensurepip_and_pip_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_runs", lambda *_: False)

    with pytest.raises(bootstrap.Stop, match="apt-get install python3-venv"):
        bootstrap.install_uv()


def test_without_ensurepip_pip_puts_uv_into_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "_runs", lambda module, *_: module == "pip")
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command, **_: asked.append(command) or 0)

    uv = bootstrap.install_uv()

    assert uv == str(tmp_path / "own" / "packages" / "bin" / "uv")
    assert asked[-1][-3:] == ["--target", str(tmp_path / "own" / "packages"), bootstrap.UV_REQUIREMENT]


@pytest.mark.parametrize(("given", "told"), [(None, "1"), ("0", "0")])
def test_what_is_installed_is_compiled_at_once_unless_somebody_says_no(
    given: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_COMPILE_BYTECODE", raising=False)
    if given is not None:
        monkeypatch.setenv("UV_COMPILE_BYTECODE", given)
    uv = program(tmp_path / "bin" / "uv", "uv 0.13.8")
    ran: list[tuple[list[str], str]] = []

    def call(command: list[str], *, cwd: str, env: dict[str, str]) -> int:
        ran.append((command, env["UV_COMPILE_BYTECODE"]))
        return 0

    monkeypatch.setattr(bootstrap.subprocess, "call", call)

    code = bootstrap.main()

    [(command, compiles)] = ran
    assert code == 0
    assert command[:2] == [str(uv), "sync"]
    assert compiles == told


def test_it_needs_nothing_but_the_standard_library() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({bootstrap.__file__!r}, run_name='x')"],
        check=False,
    )

    assert done.returncode == 0
