"""Worker processes: what ends one, what that costs the others, and what one can get at."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.validation import workers as workers_module
from services.validation.workers import Done, Task, Workers

ALL = ("echo", "burn", "hang", "crash", "eat", "lie", "leave", "tell")


@asynccontextmanager
async def pool(
    count: int = 1, *, first_cpu_s: float = 0.3, alone_cpu_s: float = 0.6, spares: int = 1, niceness: int = 0
) -> AsyncIterator[Workers]:
    async with Workers(
        ALL,
        count=count,
        first_cpu_s=first_cpu_s,
        alone_cpu_s=alone_cpu_s,
        spares=spares,
        niceness=niceness,
        jobs="tests.validation.bad_jobs",
    ) as workers:
        yield workers


def a_task(job: str, body: bytes = b"", **params: Any) -> Task:
    return Task(job, body, params)


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def echoed(workers: Workers, body: bytes) -> Done:
    done = await workers.first_try(a_task("echo", body))
    assert done is not None
    assert done.body == body
    return done


async def test_a_job_gets_its_file_and_gives_one_back() -> None:
    body = os.urandom(3_000_000)

    async with pool() as workers:
        done = await workers.first_try(a_task("echo", body, name="材料"))

    assert done is not None
    assert (done.body, done.answer["params"]) == (body, {"name": "材料"})


@pytest.mark.parametrize(
    "bad",
    [
        a_task("crash"),
        a_task("burn", seconds=30),
        a_task("hang"),
        a_task("eat", bytes=3 << 30),
        a_task("lie"),
        a_task("leave"),
        a_task("no such job"),
    ],
    ids=lambda task: task.job,
)
async def test_what_ends_a_worker_is_tried_once_more_alone_and_the_next_file_finds_another_worker(
    bad: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "ALONE_WITHIN_S", 3.0)
    async with pool() as workers:
        first = await workers.first_try(bad)
        last = await workers.alone(bad)
        after = await echoed(workers, b"next")

    assert (first, last) == (None, None)
    assert after.body == b"next"


async def test_what_needs_more_time_than_a_first_try_gives_has_it_alone() -> None:
    slow = a_task("burn", seconds=0.45)

    async with pool() as workers:
        first = await workers.first_try(slow)
        last = await workers.alone(slow)

    assert first is None
    assert last is not None
    assert last.answer == {"burnt": True}


async def test_those_beside_one_that_dies_lose_nothing() -> None:
    bodies = [bytes([number]) * 50_000 for number in range(40)]

    async with pool(2) as workers:
        bad = [asyncio.create_task(workers.run(a_task("crash"))) for _ in range(4)]
        good = await asyncio.gather(*(echoed(workers, body) for body in bodies))
        ended = await asyncio.gather(*bad)

    assert [done.body for done in good] == bodies
    assert ended == [None] * 4


async def test_a_caller_that_gives_up_leaves_no_answer_to_the_next() -> None:
    async with pool() as workers:
        given_up = asyncio.create_task(workers.first_try(a_task("burn", b"", seconds=0.2)))
        await workers.ready()
        await asyncio.sleep(0.05)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)

        after = await echoed(workers, b"mine")

    assert after.body == b"mine"


async def test_all_workers_are_gone_when_the_pool_is_closed() -> None:
    async with pool(2) as workers:
        await echoed(workers, b"x")
        pids = workers.pids()

    assert len(pids) >= 2
    assert [pid for pid in pids if is_there(pid)] == []


async def test_a_worker_knows_no_secret_of_its_parent_and_inherits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_KEYS", "k1:secret")
    monkeypatch.setenv("S3_SECRET_KEY", "secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with pool() as workers:
            done = await workers.first_try(a_task("tell", port=server.getsockname()[1]))

    assert done is not None
    assert not {"MASTER_KEYS", "S3_SECRET_KEY"} & set(done.answer["environment"])
    assert done.answer["core"] == 0
    # Standard streams, its socket, and the folder that it lists.
    assert len(done.answer["descriptors"]) <= 5


async def test_a_worker_has_no_network_where_the_kernel_can_take_it_away() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may always make a network namespace")
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with pool() as workers:
            done = await workers.first_try(a_task("tell", port=server.getsockname()[1]))

    assert done is not None
    assert done.answer["connected"] is False


async def test_a_last_try_gives_way_to_everybody_else() -> None:
    async with pool() as workers:
        done = await workers.alone(a_task("echo", b"x"))

    assert done is not None
    assert done.answer["niceness"] >= 10


async def test_slow_work_is_done_with_less_claim_to_the_cores() -> None:
    async with pool(niceness=10, spares=0) as workers:
        done = await echoed(workers, b"x")

    assert done.answer["niceness"] == os.nice(0) + 10
