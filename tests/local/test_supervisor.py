"""Order, health, death and leftovers, with parts that are a line of shell each."""

# A test may block its own event loop for a moment.
# ruff: noqa: ASYNC110, ASYNC220, ASYNC240

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.part import Part, PartFailed, PartStatus, State, Task, UnknownPart
from deploy.local.processes import MARK, AlreadyRunning, start_time
from deploy.local.supervisor import Supervisor


async def always() -> bool:
    return True


def part(
    name: str,
    script: str = "exec sleep 60",
    *,
    after: tuple[str, ...] = (),
    ready: Callable[[], Awaitable[bool]] = always,
    ready_within: float = 5,
    stop_within: float = 5,
) -> Part:
    return Part(
        name, lambda: ("/bin/sh", "-c", script), ready, after, ready_within=ready_within, stop_within=stop_within
    )


class Story:
    """What happened, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, State]] = []

    def __call__(self, status: PartStatus) -> None:
        self.told.append((status.name, status.state))

    def order(self, state: State) -> list[str]:
        return [name for name, reached in self.told if reached is state]


def is_file(path: Path) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return path.exists()

    return ready


def alive(pid: int) -> bool:
    return start_time(pid) is not None


async def until(condition: Callable[[], bool], within: float = 5) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


async def test_parts_start_after_what_they_need_and_stop_before_it(tmp_path: Path) -> None:
    story = Story()
    mark = tmp_path / "ready"
    supervisor = Supervisor(
        tmp_path / "home",
        [
            part("service", after=("migration",)),
            Task("migration", lambda: asyncio.sleep(0), after=("database",)),
            part("database", f"sleep 0.3; touch {mark}; exec sleep 60", ready=is_file(mark)),
        ],
        on_change=story,
    )

    await supervisor.start()
    await supervisor.stop()

    assert story.order(State.READY) == ["database", "service"]
    assert story.order(State.STOPPED) == ["service", "database"]


async def test_parts_that_do_not_wait_for_each_other_start_at_the_same_time(tmp_path: Path) -> None:
    marks = [tmp_path / str(number) for number in range(4)]

    async def all_have_begun() -> bool:
        return all(mark.exists() for mark in marks)

    parts = [part(m.name, f"touch {m}; exec sleep 60", ready=all_have_begun, ready_within=20) for m in marks]
    supervisor = Supervisor(tmp_path / "home", parts)

    await supervisor.start()  # one after the other, the first would never be ready

    assert {supervisor.state(mark.name) for mark in marks} == {State.READY}
    await supervisor.stop()


async def test_a_part_that_can_not_start_stops_the_others_and_shows_its_last_words(tmp_path: Path) -> None:
    supervisor = Supervisor(
        tmp_path, [part("steady"), part("broken", "echo the disk is full; exit 3", ready=is_file(tmp_path / "never"))]
    )

    with pytest.raises(PartFailed) as failed:
        await supervisor.start()

    assert "broken: ended with exit code 3" in str(failed.value)
    assert "the disk is full" in str(failed.value)
    assert supervisor.state("broken") is State.FAILED
    assert supervisor.state("steady") is State.STOPPED


async def test_a_part_that_never_becomes_ready_is_given_up(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, [part("slow", ready=is_file(tmp_path / "never"), ready_within=0.3)])

    with pytest.raises(PartFailed, match="slow: not ready within"):
        await supervisor.start()


async def test_a_task_that_fails_says_why(tmp_path: Path) -> None:
    async def fail() -> None:
        raise StackError("no such database")

    supervisor = Supervisor(tmp_path, [Task("migration", fail)])

    with pytest.raises(PartFailed, match="migration: no such database"):
        await supervisor.start()


async def test_a_part_that_dies_is_reported(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, [part("steady"), part("mortal")])
    await supervisor.start()

    os.kill(supervisor.pid("mortal"), signal.SIGKILL)
    async with asyncio.timeout(5):
        name = await supervisor.died()
    died = {status.name: status for status in supervisor.status()}
    await supervisor.stop()

    assert name == "mortal"
    assert (died["mortal"].state, died["mortal"].detail) == (State.DIED, "ended by SIGKILL")
    assert died["steady"].state is State.READY


async def test_a_part_that_was_killed_on_purpose_starts_again_with_other_variables(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    supervisor = Supervisor(tmp_path / "home", [part("service", f'echo "$COLOUR" > {mark}; exec sleep 60')])
    await supervisor.start()
    first = supervisor.pid("service")

    await supervisor.kill("service")
    await supervisor.start_part("service", {"COLOUR": "green"})
    await until(lambda: mark.read_text() == "green\n")
    second = supervisor.pid("service")
    await supervisor.stop()

    assert not alive(first)
    assert first != second


async def test_a_part_that_ignores_sigterm_is_killed_when_its_time_is_over(tmp_path: Path) -> None:
    supervisor = Supervisor(
        tmp_path, [part("deaf", f"trap '' TERM; touch {tmp_path}/up; while :; do sleep 0.1; done", stop_within=0.3)]
    )
    await supervisor.start()
    await until((tmp_path / "up").exists)
    pid = supervisor.pid("deaf")

    await supervisor.stop()

    assert not alive(pid)


async def test_what_a_part_started_ends_with_it(tmp_path: Path) -> None:
    child = tmp_path / "child"
    supervisor = Supervisor(tmp_path / "home", [part("parent", f"sleep 60 & echo $! > {child}; wait")])
    await supervisor.start()
    await until(lambda: child.exists() and child.read_text().strip() != "")

    await supervisor.stop()

    await until(lambda: not alive(int(child.read_text())))


async def test_a_paused_part_can_be_resumed_and_stopped(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, [part("service")])
    await supervisor.start()

    supervisor.pause("service")
    paused = supervisor.state("service")
    supervisor.resume("service")
    supervisor.pause("service")
    began = time.monotonic()
    await supervisor.stop()

    assert paused is State.PAUSED
    assert time.monotonic() - began < 3


async def test_two_supervisors_can_not_share_a_home(tmp_path: Path) -> None:
    first, second = Supervisor(tmp_path, [part("a")]), Supervisor(tmp_path, [part("b")])
    await first.start()

    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        await second.start()
    await first.stop()
    await second.start()
    await second.stop()


async def test_parts_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    script = f"""
import asyncio, pathlib
from deploy.local.part import Part
from deploy.local.supervisor import Supervisor
async def ready(): return True
async def main():
    supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}), [Part("a", lambda: ("/bin/sleep", "60"), ready)])
    await supervisor.start()
    print(supervisor.pid("a"), flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())

        supervisor.kill()

    await until(lambda: not alive(pid))


async def test_leftovers_of_an_earlier_run_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    sleeping = ["/bin/sleep", "60"]
    marked = subprocess.Popen(sleeping, env={MARK: f"{tmp_path}::worker"})
    recorded, stranger = subprocess.Popen(sleeping), subprocess.Popen(sleeping)
    (run / "a.pid").write_text(json.dumps({"pid": recorded.pid, "started": start_time(recorded.pid)}))
    (run / "b.pid").write_text(json.dumps({"pid": stranger.pid, "started": "long ago"}))
    supervisor = Supervisor(tmp_path, [part("a")])

    await supervisor.start()
    await supervisor.stop()

    assert (marked.wait(5), recorded.wait(5)) == (-signal.SIGKILL, -signal.SIGKILL)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_parts_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="wait for each other: a, b"):
        Supervisor(tmp_path, [part("a", after=("b",)), part("b", after=("a",))])


async def test_an_unknown_name_is_answered_with_the_names_there_are(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, [part("kafka")])

    with pytest.raises(UnknownPart, match="kafka"):
        await supervisor.kill("kafak")
