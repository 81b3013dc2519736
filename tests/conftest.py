"""One infrastructure per run: from the environment, else containers where a Docker engine answers, else embedded."""

import asyncio
import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
import structlog
from sqlalchemy.engine import make_url
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from deploy.local.stack import Stack
from shared import web
from shared.database import migrate
from shared.security.sealing import KeyRing
from shared.storage import Storage
from tests import containers

_NEEDED = ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "S3_ENDPOINT_URL")
_started: subprocess.Popen[bytes] | None = None
_home: Path | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Start what the environment does not give, once, before the workers are made: they inherit it."""
    if hasattr(config, "workerinput"):
        # As with databases: two tests at once may both count what lies under one application's number.
        os.environ["S3_BUCKET"] = f"{os.environ.get('S3_BUCKET', 'materials')}-{config.workerinput['workerid']}"
        return
    if config.option.collectonly or config.option.help:
        return
    if all(os.environ.get(name) for name in _NEEDED):
        return
    if os.environ.get("BAOSHEN_TEST_INFRA") == "none":
        return
    given = containers.start() if containers.engine_answers() else _start_embedded()
    os.environ.update(given)


# What takes minutes comes first, what takes seconds last: then no worker waits for the other at the end.
_FIRST, _LAST = ("browser", "journeys", "chaos", "deploy", "local"), ("images", "rules", "contracts", "test_house.py")


def _folder(nodeid: str) -> str:
    return nodeid.partition("::")[0].split("/", 2)[1] if "/" in nodeid else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which tests are given away; within a file it stays as it is."""
    last = len(_FIRST) + 1

    def place(item: pytest.Item) -> int:
        folder = _folder(item.nodeid)
        return _FIRST.index(folder) if folder in _FIRST else last + (folder in _LAST)

    items.sort(key=place)


class OneWorkerPerStack(LoadScopeScheduling):
    """Tests that share a running stack run in one worker, and so do those of a file: they share what it has drawn.

    xdist's own `loadgroup` does the same by rewriting node ids, which pytest 9.1 does not let it do any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        stacks = {"chaos": "chaos", "journeys": "system", "browser": "system"}
        return stacks.get(_folder(nodeid), nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """How tests are given to the workers."""
    config.option.loadscopereorder = False  # it would take many tests for long ones
    return OneWorkerPerStack(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if hasattr(config, "workerinput"):
        return
    containers.stop()
    if _started is not None:
        _started.send_signal(signal.SIGTERM)
        _started.wait(60)
    if _home is not None:
        shutil.rmtree(_home, ignore_errors=True)


def _start_embedded() -> dict[str, str]:
    global _started, _home
    _home = Path(tempfile.mkdtemp(prefix="baoshen-test-"))
    with (_home / "infra.log").open("wb") as log:
        _started = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.infra", "--with-parent", "--home", str(_home)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    ready = _home / "environment.json"
    until = time.monotonic() + 300  # the first start downloads
    while not ready.exists():
        if _started.poll() is not None or time.monotonic() > until:
            pytest.exit("the embedded infrastructure did not start:\n" + (_home / "infra.log").read_text()[-4000:], 3)
        time.sleep(0.1)
    given: dict[str, str] = json.loads(ready.read_text())
    return given


@pytest.fixture(scope="session")
def kafka() -> str:
    """Bootstrap servers of the run's Kafka."""
    return os.environ["KAFKA_BOOTSTRAP_SERVERS"]


@pytest_asyncio.fixture(scope="session")
async def scratch_database() -> AsyncIterator[Callable[[str | None], Awaitable[str]]]:
    """Makes databases of this worker's own: `await scratch_database("upload")` is migrated, None is empty."""
    server = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql")
    admin = server.set(database=server.database or "postgres").render_as_string(hide_password=False)
    made: list[str] = []

    async def make(service: str | None) -> str:
        name = f"test_{service or 'empty'}_{uuid4().hex[:8]}"
        connection = await asyncpg.connect(admin, timeout=10)
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()
        made.append(name)
        url = server.set(database=name).render_as_string(hide_password=False)
        if service is not None:
            await asyncio.to_thread(migrate, service, url)
        return url

    yield make
    connection = await asyncpg.connect(admin, timeout=10)
    for name in made:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture(scope="session")
def master_keys() -> str:
    """A master key for this run."""
    return "test:" + base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture(scope="session")
def key_ring(master_keys: str, tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """A key ring of this run's own."""
    return KeyRing(master_keys, tmp_path_factory.mktemp("keys") / "data-keys.json")


@pytest_asyncio.fixture(scope="session")
async def storage() -> AsyncIterator[Storage]:
    """The run's bucket."""
    store = Storage(
        endpoint_url=os.environ["S3_ENDPOINT_URL"],
        access_key=os.environ["S3_ACCESS_KEY"],
        secret_key=os.environ["S3_SECRET_KEY"],
        bucket=os.environ.get("S3_BUCKET", "materials"),
    )
    async with store:
        await store.make_bucket()
        yield store


@pytest_asyncio.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The whole system on the run's infrastructure: four services, SMS gateway, web pages, one origin."""
    home = tmp_path_factory.mktemp("system")
    # The time in which an act can be undone, and a publication is heard, would mostly be waited for.
    shorter = {"UNDO_S": "2", "PUBLICATION_DELAY_S": "5"}
    async with Stack(home, free_ports=True, environment=dict(os.environ) | shorter) as stack:
        yield stack


@pytest.fixture
def request_lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What services write down of requests, in order, before it is masked; the log itself goes where it was set up."""
    found: list[dict[str, Any]] = []

    class Log:
        def info(self, _event: str, **line: Any) -> None:
            found.append(structlog.contextvars.get_contextvars() | line)

    monkeypatch.setattr(web, "log", Log())
    return found
