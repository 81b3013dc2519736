"""Run a worker's jobs under a trap: whatever would send a packet or make a connection ends the process at once.

Run as `python -m tests.validation.no_network SECONDS [JOB=FILE …]`, or with `connect`, `send` or `resolve` instead of
a job to see the trap close. It is a seccomp filter of the kernel, set before anything else is imported: it holds for
native code and for every thread, and needs no rights. It stands before the calls without which nothing leaves a machine
or comes in: connect, the three that send to an address, listen, and io_uring, which could do them all.
"""

import ctypes
import hashlib
import os
import platform
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

REFUSED = 3
"""Exit code where the kernel takes no filter."""
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CALLS = {
    # connect, sendto, sendmsg, sendmmsg, listen, io_uring_setup
    "x86_64": (42, 44, 46, 307, 50, 425),
    "aarch64": (203, 206, 211, 269, 201, 425),
}
_X32 = 0x40000000  # the other numbers of x86-64's calls begin here
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def set_trap() -> bool:
    """False where the kernel refuses, or is of another kind."""
    machine = platform.machine()
    calls = _CALLS.get(machine, ())
    killing = 5 + len(calls)  # the number of the last step; a jump counts from the step after its own
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 0, killing - 2, _ARCHITECTURES.get(machine, 0)),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, killing - 4, 0, _X32),
        *((_EQUAL, killing - 5 - at, 0, call) for at, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _KILL_PROCESS),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    return (
        bool(calls)
        and libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0
    )


def _try(what: str) -> None:
    if what == "connect":
        socket.socket().connect_ex(("127.0.0.1", 9))
    elif what == "send":
        socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))
    elif what == "resolve":
        thread = threading.Thread(target=socket.gethostbyname, args=("example.invalid",))
        thread.start()
        thread.join()


def _work(tasks: dict[str, Path]) -> None:
    from services.validation import jobs

    for job, file in tasks.items():
        jobs.warm(job)
        body = file.read_bytes()
        params = {"content_type": "image/jpeg", "wanted": ["name"], "rule": {}, "room": 700}
        answer, _ = jobs.JOBS[job](body, params | {"sha256": hashlib.sha256(body).hexdigest()})
        _say(f"{job} {answer}")


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _no_writing(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        _say(f"written {arguments[0]}")


def main() -> int:
    """Set the trap, work, wait, and say what was done."""
    if not set_trap():
        return REFUSED
    sys.addaudithook(_no_writing)
    for what in sys.argv[2:]:
        _try(what)
    _work({job: Path(file) for job, _, file in (task.partition("=") for task in sys.argv[2:]) if file})
    time.sleep(float(sys.argv[1]))
    _say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
