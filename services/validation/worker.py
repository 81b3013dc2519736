"""A worker process: decodes what candidates sent, under limits, with no keys, no secrets and no network.

Started by `services.validation.workers` with an empty environment and one socket. It answers one job after another;
what goes wrong inside a job that the job itself does not answer for ends the process, and its parent starts another.
"""

import contextlib
import ctypes
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Told before anything imports the runtime: later it is too late (1.31 sends its first packet at import).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

Job = Callable[[bytes, dict[str, Any]], tuple[dict[str, Any], bytes]]
FRAME = struct.Struct(">II")
# A header names a job and its few parameters; a body is at most a portrait.
LARGEST_HEADER = 1 << 20
LARGEST_BODY = 16 << 20
# Beside what the warm process has mapped. 300 MB of growth is the bar; mapped is always more than used.
ADDRESS_SPACE = 768 << 20
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    """Serve jobs until the socket closes. Arguments: the socket's number, the jobs, the niceness, their module."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    kinds = sys.argv[2].split(",")
    os.nice(int(sys.argv[3]))
    _confine()
    jobs = importlib.import_module(sys.argv[4])
    known = {kind: jobs.JOBS[kind] for kind in kinds}
    for kind in kinds:
        jobs.warm(kind)
    _limit_memory()
    _send(channel, {"ready": True}, b"")
    while (asked := _receive(channel)) is not None:
        header, body = asked
        # CPU time of all threads together; the signal's default action ends the process, whatever it hangs in.
        signal.setitimer(signal.ITIMER_PROF, float(header["cpu_s"]))
        answer, content = known[header["job"]](body, header["params"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(channel, answer, content)


def _confine() -> None:
    """Die with the parent, leave no core file, and cut the network off where the kernel lets us."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
    # In a network namespace of its own there is no route anywhere. Best effort: some kernels and containers refuse.
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def _limit_memory() -> None:
    mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    most = mapped + ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _send(channel: socket.socket, header: dict[str, Any], body: bytes) -> None:
    text = json.dumps(header).encode()
    channel.sendall(FRAME.pack(len(text), len(body)) + text)
    if body:
        channel.sendall(body)


def _receive(channel: socket.socket) -> tuple[dict[str, Any], bytes] | None:
    frame = _exactly(channel, FRAME.size)
    if frame is None:
        return None
    header_size, body_size = FRAME.unpack(frame)
    header = _exactly(channel, header_size)
    body = _exactly(channel, body_size)
    return None if header is None or body is None else (json.loads(header), bytes(body))


def _exactly(channel: socket.socket, size: int) -> bytearray | None:
    taken = bytearray(size)
    view = memoryview(taken)
    done = 0
    while done < size:
        count = channel.recv_into(view[done:])
        if count == 0:
            return None
        done += count
    return taken


if __name__ == "__main__":
    main()
