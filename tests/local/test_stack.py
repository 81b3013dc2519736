"""Our own Kafka, PostgreSQL and S3: what they keep, and what they do when they are killed."""

# A test may block its own event loop for a moment.
# ruff: noqa: ASYNC240

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.errors import BadSetting, StackError
from deploy.local.parts import postgres, s3
from deploy.local.processes import AlreadyRunning, start_time
from deploy.local.stack import Stack
from deploy.local.throwaway import own_environment

TOPIC = "material.uploaded.v1"


@asynccontextmanager
async def infra(home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m deploy.local.infra`, ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local.infra", "--home", str(home), "--with-parent"),
        env=own_environment(),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(90):
            while not (home / "environment.json").exists():
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)


async def write_everywhere(environment: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(environment["DATABASE_URL_UPLOAD"], timeout=5)
    await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('row')")
    await connection.close()
    async with AIOKafkaProducer(bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"], acks="all") as producer:
        await producer.send_and_wait(TOPIC, b"record", partition=0)
    await call_s3(environment, "PUT", "/kept", b"object")


async def read_everywhere(environment: Mapping[str, str]) -> tuple[str, bytes, bytes]:
    connection = await asyncpg.connect(environment["DATABASE_URL_UPLOAD"], timeout=5)
    row = await connection.fetchval("SELECT word FROM kept")
    await connection.close()
    consumer = AIOKafkaConsumer(
        TOPIC, bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"], auto_offset_reset="earliest"
    )
    async with consumer, asyncio.timeout(20):
        record = (await consumer.getone()).value
    got = await call_s3(environment, "GET", "/kept")
    return row, record, got.content


async def call_s3(environment: Mapping[str, str], method: str, path: str, body: bytes = b"") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await s3.call(client, s3.account_in(environment), method, path, body)
    assert answer.is_success
    return answer


async def test_what_was_written_survives_a_kill_of_everything_and_other_ports(tmp_path: Path) -> None:
    async with infra(tmp_path) as first:
        before = json.loads((tmp_path / "environment.json").read_text())
        await write_everywhere(before)
        parts = [json.loads(file.read_text())["pid"] for file in (tmp_path / "run").glob("*.pid")]
        first.send_signal(signal.SIGKILL)
        await first.wait()
    (tmp_path / "environment.json").unlink()

    async with infra(tmp_path):
        after = json.loads((tmp_path / "environment.json").read_text())
        found = await read_everywhere(after)
        with pytest.raises(AlreadyRunning):
            await Stack(tmp_path, free_ports=True, services=(), environment=own_environment()).start()

    assert len(parts) == 3
    assert not any(start_time(pid) for pid in parts)
    assert before["KAFKA_PORT"] != after["KAFKA_PORT"]
    assert found == ("row", b"record", b"object")
    assert not (tmp_path / "environment.json").exists()


async def test_each_part_comes_back_after_a_kill(tmp_path: Path) -> None:
    async with Stack(tmp_path, free_ports=True, services=(), environment=own_environment()) as stack:
        await write_everywhere(stack.environment)
        for name in ("kafka", "postgres", "s3"):
            before = stack.pid(name)
            await stack.kill(name)
            await stack.start_part(name)
            assert stack.pid(name) != before
        await stack.pause("kafka")
        await stack.resume("kafka")
        await stack.wait_ready("kafka", 20)

        assert await read_everywhere(stack.environment) == ("row", b"record", b"object")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
async def test_where_root_can_not_map_users_postgres_runs_as_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provided: dict[str, str]
) -> None:
    open_to_all = Path(tempfile.mkdtemp(prefix="baoshen-test-"))
    open_to_all.chmod(0o711)
    monkeypatch.setattr(postgres, "_can_map_user", lambda: False)
    monkeypatch.setattr(postgres, "_SHARED", open_to_all)
    tmp_path.chmod(0o700)
    del provided["DATABASE_URL"]

    async with Stack(tmp_path, free_ports=True, services=(), environment=provided) as stack:
        owner = Path(f"/proc/{stack.pid('postgres')}").stat().st_uid
        await stack.restart("postgres")
    shutil.rmtree(open_to_all)

    assert owner == 65_534


@pytest.fixture
def provided() -> dict[str, str]:
    """An environment in which everything is provided already: by the infrastructure of this run."""
    names = ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "S3_ENDPOINT_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY")
    return own_environment() | {name: os.environ[name] for name in names}


async def test_what_the_environment_provides_is_used_and_not_started(tmp_path: Path, provided: dict[str, str]) -> None:
    async with Stack(tmp_path, free_ports=True, services=(), environment=provided) as stack:
        parts = {part.name: part for part in stack.status()}

    assert stack.own_parts() == set()
    assert "postgres" not in parts
    assert parts["kafka"].pid is None
    assert stack.environment["DATABASE_URL"] == provided["DATABASE_URL"]


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1", "KAFKA_BOOTSTRAP_SERVERS"),
        ("DATABASE_URL", "postgresql://somebody:secret-word@127.0.0.1:1", "DATABASE_URL"),
        ("S3_ENDPOINT_URL", "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("S3_SECRET_KEY", "secret-word", "S3_SECRET_KEY"),
    ],
)
async def test_a_provided_part_that_does_not_work_is_named(
    tmp_path: Path, provided: dict[str, str], name: str, value: str, named: str
) -> None:
    stack = Stack(tmp_path, free_ports=True, services=(), environment=provided | {name: value})

    with pytest.raises(StackError, match=named) as problem:
        await stack.start()

    assert "secret-word" not in str(problem.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"S3_ENDPOINT_URL": "http://127.0.0.1:1"}, "S3_ACCESS_KEY and S3_SECRET_KEY"),
        ({"DATABASE_URL_UPLOAD": "postgresql://127.0.0.1:1/x"}, "DATABASE_URL_REVIEW"),
    ],
)
def test_half_a_setting_is_refused_with_what_is_missing(tmp_path: Path, given: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting, match=named):
        Stack(tmp_path, free_ports=True, services=(), environment=own_environment() | given)
