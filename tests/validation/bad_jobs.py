"""Jobs that do what a decoder does at its worst."""

import ctypes
import os
import resource
import socket
import sys
import time
from pathlib import Path
from typing import Any

Answer = tuple[dict[str, Any], bytes]


def echo(body: bytes, params: dict[str, Any]) -> Answer:
    return {"params": params, "pid": os.getpid(), "niceness": os.nice(0)}, body


def burn(body: bytes, params: dict[str, Any]) -> Answer:
    until = time.process_time() + params["seconds"]
    while time.process_time() < until:
        pass
    return {"burnt": True}, b""


def hang(body: bytes, params: dict[str, Any]) -> Answer:
    time.sleep(3600)
    return {}, b""


def crash(body: bytes, params: dict[str, Any]) -> Answer:
    ctypes.string_at(0)
    return {}, b""


def eat(body: bytes, params: dict[str, Any]) -> Answer:
    # Touched page by page, so that the memory is used, not only promised.
    return {"eaten": sum(bytearray(params["bytes"])[::4096])}, b""


def lie(body: bytes, params: dict[str, Any]) -> Answer:
    os.write(int(sys.argv[1]), b"\xff" * 4096)
    return {}, b""


def leave(body: bytes, params: dict[str, Any]) -> Answer:
    os._exit(0)


def tell(body: bytes, params: dict[str, Any]) -> Answer:
    """What the process knows and may do."""
    try:
        with socket.create_connection(("127.0.0.1", params["port"]), timeout=2):
            connected = True
    except OSError:
        connected = False
    return {
        "environment": sorted(os.environ),
        "connected": connected,
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "descriptors": sorted(each.name for each in Path("/proc/self/fd").iterdir()),
    }, b""


JOBS = {each.__name__: each for each in (echo, burn, hang, crash, eat, lie, leave, tell)}


def warm(job: str) -> None:
    """Nothing to load."""
