"""Starts parts in their order, watches them, and stops them in reverse.

A part is a process with a health probe; a task is something done once in between (a migration, a build). Each names
what it comes `after`; whatever does not wait for another starts at the same time.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from deploy.local.errors import StackError
from deploy.local.part import Part, PartFailed, PartStatus, State, Task, UnknownPart
from deploy.local.processes import (
    MARK,
    PidFile,
    die_with_parent,
    end_leftovers,
    lock_home,
)

_PROBE_EVERY = 0.05
_PROBE_TIMEOUT = 5.0
_LOG_BYTES = 20_000_000


@dataclass(eq=False)
class _Entry:
    item: Part | Task
    state: State = State.WAITING
    process: asyncio.subprocess.Process | None = None
    watcher: asyncio.Task[None] | None = None
    began: float | None = None
    took: float | None = None
    detail: str = ""
    expected_to_end: bool = False
    up: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Runs the parts of one home folder; only one supervisor at a time can."""

    def __init__(
        self,
        home: Path,
        items: Iterable[Part | Task],
        *,
        environment: Mapping[str, str] = os.environ,
        on_change: Callable[[PartStatus], None] = lambda _: None,
    ) -> None:
        self._home = home
        self._run_folder = home / "run"
        self._log_folder = home / "logs"
        self._environment = dict(environment)
        self._on_change = on_change
        self._entries: dict[str, _Entry] = {}
        self._lock: IO[str] | None = None
        self._deaths: asyncio.Queue[str] = asyncio.Queue()
        for item in items:
            self.add(item)
        _check_order({entry.item.name: entry.item.after for entry in self._entries.values()})

    def add(self, item: Part | Task) -> None:
        """Take in one more part; `start_part` starts it when the stack already runs."""
        self._entries[item.name] = _Entry(item)

    def names(self) -> list[str]:
        """All parts and tasks, in the order in which they were given."""
        return list(self._entries)

    def status(self) -> list[PartStatus]:
        """How all parts and tasks are."""
        return [self._status_of(entry) for entry in self._entries.values()]

    def state(self, name: str) -> State:
        """How this part or task is."""
        return self._entry(name).state

    def is_part(self, name: str) -> bool:
        """Whether this is a process of ours, not a task."""
        return isinstance(self._entry(name).item, Part)

    def pid(self, name: str) -> int:
        """The process id of a running part."""
        process = self._entry(name).process
        if process is None or process.returncode is not None:
            raise UnknownPart(f"{name} is not running")
        return process.pid

    def log_file(self, name: str) -> Path:
        """Where this part's output goes."""
        return self._log_folder / f"{name}.log"

    async def died(self) -> str:
        """Wait until a part ends that nobody stopped, and say which."""
        return await self._deaths.get()

    @property
    def holds(self) -> bool:
        """Whether the home folder is this supervisor's now."""
        return self._lock is not None

    async def hold(self) -> None:
        """Take hold of the home folder, and end what a killed supervisor left running on it."""
        if self._lock is not None:
            return
        self._lock = lock_home(self._run_folder)
        try:
            await asyncio.to_thread(end_leftovers, self._home, self._run_folder)
        except BaseException:
            self._let_go()
            raise

    async def start(self) -> None:
        """Start everything; if one part can't start, stop the others and raise `PartFailed`."""
        self._log_folder.mkdir(parents=True, exist_ok=True)
        await self.hold()
        try:
            async with asyncio.TaskGroup() as group:
                for entry in self._entries.values():
                    group.create_task(self._bring_up_in_turn(entry))
        except BaseExceptionGroup as problems:
            await self.stop()
            first = next((one for one in _leaves(problems) if isinstance(one, StackError)), None)
            raise first or next(_leaves(problems)) from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything, each part after all that came after it; a second call changes nothing."""
        stops: dict[str, asyncio.Task[None]] = {}

        def stop_of(entry: _Entry) -> asyncio.Task[None]:
            if entry.item.name not in stops:
                stops[entry.item.name] = asyncio.create_task(self._stop_in_turn(entry, stop_of))
            return stops[entry.item.name]

        try:
            await asyncio.gather(*(stop_of(entry) for entry in self._entries.values()))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def start_part(self, name: str, extra_environment: Mapping[str, str] | None = None) -> None:
        """Start one part that does not run, and wait until it is ready."""
        entry = self._entry(name)
        if entry.process is not None and entry.process.returncode is None:
            raise StackError(f"{name} is already running")
        await self._bring_up(entry, extra_environment or {})

    async def kill(self, name: str, *, whole_group: bool = True) -> None:
        """End a part with SIGKILL; without `whole_group` only its first process, as an out-of-memory kill does."""
        await self._end(self._entry(name), signal.SIGKILL, within=10, whole_group=whole_group)

    async def terminate(self, name: str) -> None:
        """Ask a part to end, and kill it if it does not within its time."""
        entry = self._entry(name)
        part = _as_part(entry.item)
        await self._end(entry, part.stop_signal, within=part.stop_within)

    async def restart(self, name: str, extra_environment: Mapping[str, str] | None = None) -> None:
        """Terminate a part and start it again."""
        await self.terminate(name)
        await self.start_part(name, extra_environment)

    def pause(self, name: str) -> None:
        """Stop the clock of a part's processes (SIGSTOP)."""
        _signal_group(self.pid(name), signal.SIGSTOP)
        self._become(self._entry(name), State.PAUSED)

    def resume(self, name: str) -> None:
        """Let a paused part go on."""
        _signal_group(self.pid(name), signal.SIGCONT)
        self._become(self._entry(name), State.READY)

    async def wait_ready(self, name: str, within: float = 60.0) -> None:
        """Wait until the part's probe says yes, now, whatever it said before."""
        entry = self._entry(name)
        await self._probe_until_ready(entry, _as_part(entry.item), within)

    def _entry(self, name: str) -> _Entry:
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownPart(f"no part is called {name!r}; there are {', '.join(self._entries)}") from None

    def _status_of(self, entry: _Entry) -> PartStatus:
        running = entry.process is not None and entry.process.returncode is None
        return PartStatus(
            name=entry.item.name,
            state=entry.state,
            seconds=entry.took,
            pid=entry.process.pid if running and entry.process else None,
            address=entry.item.address,
            detail=entry.detail,
        )

    def _become(self, entry: _Entry, state: State, detail: str = "") -> None:
        entry.state, entry.detail = state, detail
        self._on_change(self._status_of(entry))

    async def _bring_up_in_turn(self, entry: _Entry) -> None:
        for name in entry.item.after:
            if name in self._entries:
                await self._entries[name].up.wait()
        await self._bring_up(entry, {})

    async def _bring_up(self, entry: _Entry, extra_environment: Mapping[str, str]) -> None:
        entry.began = time.monotonic()
        self._become(entry, State.STARTING)
        try:
            if isinstance(entry.item, Task):
                await _within(entry.item)
            else:
                await entry.item.prepare()
                await self._spawn(entry, entry.item, extra_environment)
                await self._probe_until_ready(entry, entry.item, entry.item.ready_within)
        except Exception as problem:
            reason = str(problem) or repr(problem)
            self._become(entry, State.FAILED, reason.partition("\n")[0])
            raise PartFailed(f"{entry.item.name}: {reason}") from problem
        entry.took = time.monotonic() - entry.began
        entry.up.set()
        self._become(entry, State.DONE if isinstance(entry.item, Task) else State.READY)

    async def _spawn(self, entry: _Entry, part: Part, extra_environment: Mapping[str, str]) -> None:
        log_file = self.log_file(part.name)
        if log_file.exists() and log_file.stat().st_size > _LOG_BYTES:
            log_file.replace(log_file.with_suffix(".log.1"))
        entry.expected_to_end = False
        with log_file.open("ab") as log:
            entry.process = await asyncio.create_subprocess_exec(
                *part.command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                cwd=part.folder,
                env={
                    **self._environment,
                    **part.environment,
                    **extra_environment,
                    MARK: f"{self._home}::{part.name}",
                },
                start_new_session=True,  # our Ctrl-C is ours alone: parts are told in their order
                preexec_fn=_both(part.hook, die_with_parent()),
            )
        PidFile(self._run_folder, part.name).write(entry.process.pid)
        entry.watcher = asyncio.create_task(self._watch(entry, entry.process))

    async def _watch(self, entry: _Entry, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        PidFile(self._run_folder, entry.item.name).clear()
        entry.up.clear()
        if entry.expected_to_end:
            self._become(entry, State.STOPPED)
            return
        was = entry.state
        self._become(entry, State.DIED, _how_it_ended(code))
        if was is not State.STARTING:
            self._deaths.put_nowait(entry.item.name)

    async def _probe_until_ready(self, entry: _Entry, part: Part, within: float) -> None:
        deadline = time.monotonic() + within
        while True:
            if entry.process is None or entry.process.returncode is not None:
                how = "does not run" if entry.process is None else _how_it_ended(entry.process.returncode or 0)
                raise PartFailed(f"{how}\n{self.last_lines(part.name)}")
            if await _is_ready(part):
                return
            if time.monotonic() > deadline:
                raise PartFailed(f"not ready within {within:.0f} s\n{self.last_lines(part.name)}")
            await asyncio.sleep(_PROBE_EVERY)

    def last_lines(self, name: str, count: int = 12) -> str:
        """The end of a part's log, with the file's path on top."""
        path = self.log_file(name)
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 8_000))
                lines = file.read().decode("utf-8", "replace").splitlines()[-count:]
        except OSError:
            lines = []
        return "\n".join([f"last lines of {path}:", *(f"  {line}" for line in lines)])

    async def _stop_in_turn(self, entry: _Entry, stop_of: Callable[[_Entry], asyncio.Task[None]]) -> None:
        dependants = [other for other in self._entries.values() if entry.item.name in other.item.after]
        if dependants:
            await asyncio.wait([stop_of(other) for other in dependants])
        if isinstance(entry.item, Part):
            await self._end(entry, entry.item.stop_signal, within=entry.item.stop_within)

    async def _end(
        self,
        entry: _Entry,
        sign: signal.Signals,
        *,
        within: float,
        whole_group: bool = True,
    ) -> None:
        process, watcher = entry.process, entry.watcher
        if process is None or watcher is None or process.returncode is not None:
            return
        entry.expected_to_end = True
        if sign is signal.SIGKILL and whole_group:
            _signal_group(process.pid, sign)
        else:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(sign)
        if entry.state is State.PAUSED:
            _signal_group(process.pid, signal.SIGCONT)
        try:
            await asyncio.wait_for(asyncio.shield(watcher), within)
        except TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)
            await watcher
        if whole_group:
            # What it started and left behind goes too.
            _signal_group(process.pid, signal.SIGKILL)


async def _is_ready(part: Part) -> bool:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT):
            return await part.ready()
    except (OSError, TimeoutError):
        return False


def _signal_group(leader: int, sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, sign)


def _both(first: Callable[[], None] | None, second: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        if first is not None:
            first()
        # Last, because changing the user makes the kernel forget the parent-death signal.
        second()

    return both


def _as_part(item: Part | Task) -> Part:
    if isinstance(item, Task):
        raise UnknownPart(f"{item.name} is done once at the start; it is no part that runs")
    return item


def _how_it_ended(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


async def _within(task: Task) -> None:
    deadline = asyncio.timeout(task.within)
    try:
        async with deadline:
            await task.run()
    except TimeoutError:
        if deadline.expired():
            raise PartFailed(f"took longer than {task.within:.0f} s") from None
        raise


def _leaves(problems: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for problem in problems.exceptions:
        if isinstance(problem, BaseExceptionGroup):
            yield from _leaves(problem)
        else:
            yield problem


def _check_order(after: Mapping[str, tuple[str, ...]]) -> None:
    settled: set[str] = set()
    while left := {name for name in after if name not in settled}:
        free = {name for name in left if not (set(after[name]) & left)}
        if not free:
            raise StackError(f"these parts wait for each other: {', '.join(sorted(left))}")
        settled |= free
