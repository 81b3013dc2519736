"""Worker processes with memory, CPU and time limits. One that dies or hangs is replaced; the others lose nothing.

An image that ends its worker is tried once more in a fresh process that does nothing else: if that ends too, the
image is to blame. What a worker answers is JSON and bytes, never a pickle: a decoder that was taken over must not be
able to make its parent run anything.
"""

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from services.validation.worker import FRAME, LARGEST_BODY, LARGEST_HEADER
from shared.telemetry import metrics

log = structlog.get_logger(__name__)

# A worker imports OpenCV, the runtime and its models first: a second, several on a machine that is busy.
STARTS_WITHIN_S = 90.0
_BUFFER = 1 << 20
# Enough that one process can be slow to get its turn on a busy machine; what hangs is ended after it.
WALL_PER_CPU = 15.0
# A last try gives way to everybody else, so it may take long to get its CPU seconds.
ALONE_NICENESS = 10
ALONE_WITHIN_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAUSE_S = 1.0
_TOLD = ("PATH", "LANG", "PYTHONPATH", "VALIDATION_LIMITS_FILE")


@dataclass(frozen=True)
class Task:
    """A job for a worker.

    Attributes:
        job: its name in `services.validation.jobs`.
        body: the file.
        params: what else the job must know; JSON.
    """

    job: str
    body: bytes
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Done:
    """A worker's answer."""

    answer: dict[str, Any]
    body: bytes


class Turn:
    """A first try as others see it: since when a worker has it, and what CPU time that took."""

    def __init__(self) -> None:
        self._pid = 0
        self._since = self._cpu_s = 0.0

    def begin(self, pid: int) -> None:
        """A worker has it now."""
        self._pid = pid
        self._since = time.monotonic()
        self._cpu_s = _cpu_of(pid)

    def is_late(self, cpu_s: float, wall_s: float) -> bool:
        """Has it had a worker for more than this?"""
        if not self._pid:
            return False
        return time.monotonic() - self._since > wall_s or _cpu_of(self._pid) - self._cpu_s > cpu_s


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process; none where it has ended."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


class WorkerEnded(Exception):
    """The worker died, hung, or answered something that is no answer."""


class _Worker:
    """One process and the socket to it."""

    def __init__(self, kinds: Sequence[str], niceness: int, jobs: str) -> None:
        self._arguments = (",".join(kinds), str(niceness), jobs)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise WorkerEnded
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it has loaded what its jobs need.

        Raises:
            WorkerEnded: it did not come up.
        """
        ours, theirs = socket.socketpair()
        try:
            for end in (ours, theirs):
                for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                    end.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.validation.worker",
                str(theirs.fileno()),
                *self._arguments,
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
            )
        finally:
            theirs.close()
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        try:
            await asyncio.wait_for(self._answer(), STARTS_WITHIN_S)
        except (TimeoutError, WorkerEnded) as error:
            await self.end()
            raise WorkerEnded("a worker did not start") from error

    def give_way(self) -> None:
        """Less claim to the cores from now on; for good, since only root may take that back."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, max(ALONE_NICENESS, os.getpriority(os.PRIO_PROCESS, self.pid)))

    async def do(self, task: Task, cpu_s: float, within_s: float) -> Done:
        """One job, within `cpu_s` seconds of CPU time and `within_s` of wall time.

        Raises:
            WorkerEnded: it ended instead; it is of no further use.
        """
        if self._writer is None:
            raise WorkerEnded
        header = json.dumps({"job": task.job, "params": dict(task.params), "cpu_s": cpu_s}).encode()
        try:
            async with asyncio.timeout(within_s):
                self._writer.write(FRAME.pack(len(header), len(task.body)) + header)
                self._writer.write(task.body)
                await self._writer.drain()
                return await self._answer()
        except (TimeoutError, OSError) as error:
            raise WorkerEnded(type(error).__name__) from error

    async def _answer(self) -> Done:
        if self._reader is None:
            raise WorkerEnded
        try:
            header_size, body_size = FRAME.unpack(await self._reader.readexactly(FRAME.size))
            if header_size > LARGEST_HEADER or body_size > LARGEST_BODY:
                raise WorkerEnded("an answer of no sane size")
            answer = json.loads(await self._reader.readexactly(header_size))
            body = await self._reader.readexactly(body_size)
        except (asyncio.IncompleteReadError, ValueError, OSError) as error:
            raise WorkerEnded(type(error).__name__) from error
        if not isinstance(answer, dict):
            raise WorkerEnded("an answer that is none")
        return Done(answer, body)

    async def end(self) -> None:
        """Kill it and take leave of it."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


class Workers:
    """A pool of worker processes. Open it once per process (`async with`).

    Args:
        kinds: which jobs they do.
        count: how many work at the same time.
        first_cpu_s: CPU seconds of a first try: what takes longer waits for its own, so that others need not.
        alone_cpu_s: CPU seconds of the second and last try.
        niceness: 0 to 19, for work that must not slow other work down.
        spares: how many more stand by, warm: replacing one that died then costs the others nothing.
        jobs: the module that has `JOBS` and `warm`.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        *,
        count: int,
        first_cpu_s: float,
        alone_cpu_s: float,
        niceness: int = 0,
        spares: int = 0,
        jobs: str = "services.validation.jobs",
    ) -> None:
        self._kinds = kinds
        self._count = count
        self._first_cpu_s = first_cpu_s
        self._alone_cpu_s = alone_cpu_s
        self._niceness = niceness
        self._spare_count = spares
        self._jobs = jobs
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._all: set[_Worker] = set()
        self._spares: asyncio.Queue[_Worker] = asyncio.Queue()
        self._starting: set[asyncio.Task[None]] = set()
        self._alone = asyncio.Lock()
        self._closed = False

    async def __aenter__(self) -> "Workers":
        for _ in range(self._count):
            self._begin_start(self._idle)
        for _ in range(self._spare_count):
            self._begin_start(self._spares)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in self._all), return_exceptions=True)
        self._all.clear()

    async def ready(self) -> None:
        """Wait until one has loaded what it needs."""
        self._idle.put_nowait(await self._idle.get())

    def pids(self) -> list[int]:
        """The process ids of those that run now."""
        return [worker.pid for worker in self._all]

    async def first_try(self, task: Task, turn: Turn | None = None) -> Done | None:
        """A worker's answer; None where the worker ended over it: then `alone` has the last word.

        Args:
            task: the job.
            turn: is told once a worker has it.
        """
        worker = await self._idle.get()
        if turn is not None:
            turn.begin(worker.pid)
        try:
            done = await worker.do(task, self._first_cpu_s, self._first_cpu_s * WALL_PER_CPU)
        except WorkerEnded as error:
            log.warning("worker.ended", job=task.job, error=str(error))
            metrics.WORKERS_ENDED.labels(task.job).inc()
            self._replace(worker)
            return None
        except BaseException:
            # Given up in the middle: what it would answer belongs to nobody any more.
            self._replace(worker)
            raise
        self._idle.put_nowait(worker)
        return done

    async def alone(self, task: Task) -> Done | None:
        """A last try in a process of its own; None: the file is to blame."""
        async with self._alone:
            if not self._spare_count:
                self._begin_start(self._spares)
            worker = await self._spares.get()
            try:
                worker.give_way()
                return await worker.do(task, self._alone_cpu_s, ALONE_WITHIN_S)
            except WorkerEnded as error:
                log.warning("worker.ended_again", job=task.job, error=str(error))
                metrics.WORKERS_ENDED.labels(task.job).inc()
                return None
            finally:
                self._all.discard(worker)
                if self._spare_count:
                    self._begin_start(self._spares)
                await asyncio.shield(worker.end())

    async def run(self, task: Task) -> Done | None:
        """Try, and once more alone; None: the file ended both."""
        return await self.first_try(task) or await self.alone(task)

    def _replace(self, worker: _Worker) -> None:
        self._all.discard(worker)
        self._keep(worker.end())
        if self._spare_count and not self._spares.empty():
            self._idle.put_nowait(self._spares.get_nowait())
            self._begin_start(self._spares)
        else:
            self._begin_start(self._idle)

    def _begin_start(self, into: "asyncio.Queue[_Worker]") -> None:
        self._keep(self._start(into))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start(self, into: "asyncio.Queue[_Worker]") -> None:
        while not self._closed:
            worker = _Worker(self._kinds, self._niceness, self._jobs)
            self._all.add(worker)
            try:
                await worker.start()
            except (WorkerEnded, OSError) as error:
                self._all.discard(worker)
                log.warning("worker.not_started", error=str(error))
                await asyncio.sleep(_PAUSE_S)
            else:
                into.put_nowait(worker)
                return


def _environment() -> dict[str, str]:
    """What a worker is told: where its programs are, never a secret of ours."""
    told = {name: os.environ[name] for name in _TOLD if name in os.environ}
    # One thread each: the pool is what uses the cores.
    return told | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
