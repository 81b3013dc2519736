"""What a supervisor runs: parts and tasks, and how they are."""

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from deploy.local.errors import StackError


class State(StrEnum):
    """Where a part or task is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    PAUSED = "paused"
    STOPPED = "stopped"
    DIED = "died"
    FAILED = "failed"


class PartFailed(StackError):
    """A part did not become ready, or a task went wrong."""


class UnknownPart(StackError):
    """No part has this name."""


async def _nothing() -> None:
    return


@dataclass(frozen=True)
class Part:
    """A process that runs as long as the stack does."""

    name: str
    # Called at each start, after `prepare`.
    command: Callable[[], Sequence[str]]
    ready: Callable[[], Awaitable[bool]]
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], Awaitable[None]] = _nothing
    folder: Path | None = None
    address: str = ""
    # Runs in the child before its program.
    hook: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 10.0
    ready_within: float = 60.0


@dataclass(frozen=True)
class Task:
    """Something that is done once while the stack starts."""

    name: str
    run: Callable[[], Awaitable[None]]
    after: tuple[str, ...] = ()
    address: str = ""
    within: float = 120.0


@dataclass(frozen=True)
class PartStatus:
    """What a status table shows of one part or task."""

    name: str
    state: State
    seconds: float | None  # from start to ready, or to done
    pid: int | None
    address: str
    detail: str
