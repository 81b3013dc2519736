"""`baoshen up` and `baoshen reset` as they are run: in a process of their own, told to stop by a signal."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import PORTS, free_ports
from deploy.local.processes import start_time
from deploy.local.throwaway import own_environment

BAOSHEN = [sys.executable, "-c", "from deploy.cli import app; app()"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, usual ports moved out of the way of a stack that may run on this machine."""
    free = free_ports()
    moved = {name: str(next(free)) for name in PORTS}
    return own_environment() | moved | {"BAOSHEN_HOME": str(tmp_path / "home")}


@asynccontextmanager
async def baoshen(environment: dict[str, str], *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *BAOSHEN,
        *words,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def pid_in(file: Path) -> int:
    return int(json.loads(file.read_text())["pid"])


async def output_until(process: asyncio.subprocess.Process, words: str, within: float) -> str:
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(within):
        while words not in said:
            line = await process.stdout.readline()
            if not line:
                raise AssertionError(f"it ended without saying {words!r}:\n{said}")
            said += line.decode()
    return said


async def finish(process: asyncio.subprocess.Process, within: float = 30) -> tuple[int | None, str]:
    async with asyncio.timeout(within):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.mark.stack
async def test_up_starts_everything_and_stops_it_on_a_signal(environment: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with baoshen(environment, "up", "--no-web") as up:
        said = await output_until(up, "Ctrl-C", within=150)
        parts = [path.stem for path in (home / "run").glob("*.pid")]
        pids = [pid_in(path) for path in (home / "run").glob("*.pid")]
        async with httpx.AsyncClient(trust_env=False) as client:
            through_gateway = await client.get(f"http://127.0.0.1:{environment['GATEWAY_PORT']}/openapi/upload.json")
        async with baoshen(environment, "up", "--no-web") as second:
            second_code, second_said = await finish(second)
        async with baoshen(environment, "reset", "--yes") as reset:
            reset_code, _ = await finish(reset)
        os.kill(pid_in(home / "run" / "notify.pid"), signal.SIGKILL)
        death = await output_until(up, "notify.log", within=10)

        up.send_signal(signal.SIGTERM)
        code, rest = await finish(up, within=20)

    assert set(parts) == {
        *("kafka", "postgres", "s3", "upload", "validation", "validation-reading", "review", "notify"),
        *("sms", "gateway"),
    }
    assert through_gateway.status_code == 200
    assert f"http://127.0.0.1:{environment['GATEWAY_PORT']}/console/" in said
    assert "demo-candidate" in said
    assert len((said + rest).splitlines()) < 60
    assert (code, (home / "environment.json").exists()) == (0, False)
    assert not any(start_time(pid) for pid in pids)
    assert "notify ended by SIGKILL; the others go on" in death
    assert second_code == 1
    assert "already running" in second_said
    assert reset_code == 1
    assert (home / "secrets.json").exists()


async def test_up_names_a_taken_port_and_the_variable_that_moves_it(environment: dict[str, str]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", int(environment["NOTIFY_PORT"])))
        listener.listen()
        async with baoshen(environment, "up", "--no-web") as up:
            code, said = await finish(up)

    assert code == 1
    assert f"Port {environment['NOTIFY_PORT']} is taken" in said
    assert "NOTIFY_PORT=" in said
    assert "Traceback" not in said


async def test_a_setting_that_can_not_be_is_bad_input(environment: dict[str, str]) -> None:
    async with baoshen(environment | {"UPLOAD_PORT": "http"}, "up", "--no-web") as up:
        code, said = await finish(up)

    assert code == 2
    assert "UPLOAD_PORT is 'http'" in said
    assert "Traceback" not in said


async def test_reset_clears_the_data_and_keeps_the_downloads(environment: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    kept = [home / "cache" / "jars" / "a.jar", home / "uv" / "bin" / "uv"]
    (home / "run").mkdir(parents=True)
    (home / "run" / "lock").touch()
    gone = [home / "kafka" / "data" / "x", home / "postgres" / "data" / "y", home / "secrets.json", home / "logs" / "z"]
    for path in (*kept, *gone):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    async with baoshen(environment | {"BAOSHEN_CACHE": str(home / "cache")}, "reset", "--yes") as reset:
        code, _ = await finish(reset)

    assert code == 0
    assert [path.exists() for path in kept] == [True, True]
    assert [path.exists() for path in gone] == [False] * len(gone)


async def test_reset_never_deletes_in_a_folder_that_is_no_stacks(environment: dict[str, str], tmp_path: Path) -> None:
    stranger = tmp_path / "photos"
    (stranger / "logs").mkdir(parents=True)

    async with baoshen(environment | {"BAOSHEN_HOME": str(stranger)}, "reset", "--yes") as reset:
        code, said = await finish(reset)

    assert code == 2
    assert "BAOSHEN_HOME" in said
    assert (stranger / "logs").exists()
    assert [path.name for path in stranger.iterdir()] == ["logs"]
