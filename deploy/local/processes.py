"""What the supervisor needs of the operating system: process groups, parent death, leftovers of an earlier run."""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from deploy.local.errors import StackError

# Every process that a supervisor starts, and whatever that starts, carries this variable: <home>::<part>.
MARK = "BAOSHEN_PART"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class AlreadyRunning(StackError):
    """Another supervisor works on this home."""


def die_with_parent() -> Callable[[], None]:
    """Make the hook that a child runs before its program: it gets SIGKILL when this process ends, however that ends."""
    parent = os.getpid()

    def hook() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(125)

    return hook


def end_with_parent(sign: signal.Signals) -> None:
    """Have the kernel send this process `sign` when the one that started it ends."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, sign)


def start_time(pid: int) -> str | None:
    """When the kernel started this process, in its own unit; None if it is gone, or dead and not yet collected."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


class PidFile:
    """Remembers one part's process on disk, so that a later run can end what a killed supervisor left behind."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.pid"

    def write(self, pid: int) -> None:
        """Remember this process."""
        self._path.write_text(json.dumps({"pid": pid, "started": start_time(pid)}), encoding="utf-8")

    def clear(self) -> None:
        """Forget it."""
        self._path.unlink(missing_ok=True)


def end_leftovers(home: Path, folder: Path) -> list[int]:
    """Kill what an earlier supervisor of this home left running, and say which processes that were."""
    left = {pid for path in folder.glob("*.pid") if (pid := _still_running(path))} | _marked(home)
    left.discard(os.getpid())
    for pid in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(start_time(pid) for pid in left):
        if time.monotonic() > deadline:
            raise StackError(f"Processes {sorted(left)} of an earlier run do not end. End them, then try again.")
        time.sleep(0.05)
    for path in folder.glob("*.pid"):
        path.unlink(missing_ok=True)
    return sorted(left)


def lock_home(folder: Path) -> IO[str]:
    """Hold this home for one supervisor; closing the file, or the end of the process, lets go of it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise AlreadyRunning(
            f"A stack is already running on {folder.parent} (process {holder}). Stop it first, "
            "or choose another folder with BAOSHEN_HOME."
        ) from problem
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _still_running(path: Path) -> int | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        pid, started = int(record["pid"]), record["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if started is not None and start_time(pid) == started else None


def _marked(home: Path) -> set[int]:
    mark = f"{MARK}={home}::".encode()
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(item.startswith(mark) for item in (entry / "environ").read_bytes().split(b"\0")):
                found.add(int(entry.name))
    return found
