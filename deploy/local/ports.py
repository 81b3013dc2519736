"""Which port belongs to whom, and what to say when somebody else has it."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploy.local.errors import BadSetting, StackError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class PortRule:
    """A port that somebody outside may rely on: its usual number and the part that listens there."""

    usual: int
    needed_by: str


PORTS: dict[str, PortRule] = {
    "GATEWAY_PORT": PortRule(8100, "the gateway (web pages and APIs)"),
    "UPLOAD_PORT": PortRule(8101, "the upload service"),
    "VALIDATION_PORT": PortRule(8102, "the validation service"),
    "REVIEW_PORT": PortRule(8103, "the review service"),
    "NOTIFY_PORT": PortRule(8104, "the notify service"),
    "SMS_GATEWAY_PORT": PortRule(8105, "the development SMS gateway"),
    "KAFKA_PORT": PortRule(19092, "Kafka"),
    "KAFKA_CONTROLLER_PORT": PortRule(19093, "Kafka's controller"),
    "POSTGRES_PORT": PortRule(15432, "PostgreSQL"),
    "S3_PORT": PortRule(18333, "the S3 server (SeaweedFS)"),
}


# Ports that this process was given: a lock does not keep a process from what it has locked itself.
_given: set[int] = set()


class PortTaken(StackError):
    """Somebody else listens where one of our parts wants to."""


class BadPort(BadSetting):
    """A port variable holds something that is not a port."""


def choose_ports(environment: Mapping[str, str], *, free: bool) -> dict[str, int]:
    """Give every variable its port: the environment's or the usual one; with `free`, one that nobody has."""
    if free:
        picked = free_ports()
        return {variable: next(picked) for variable in PORTS}
    return {variable: _from_environment(variable, environment) for variable in PORTS}


def check_ports(ports: Mapping[str, int], wanted: Collection[str]) -> None:
    """Raise `PortTaken`, naming every wanted port that is taken, who needs it and the variable that moves it."""
    by_number: dict[int, str] = {}
    for variable in sorted(wanted, key=list(PORTS).index):
        if other := by_number.get(ports[variable]):
            raise PortTaken(f"{variable} and {other} are both {ports[variable]}. Set one of them to another port.")
        by_number[ports[variable]] = variable
    taken = [variable for number, variable in by_number.items() if not is_free(number)]
    if taken:
        raise PortTaken(
            "\n".join(
                f"Port {ports[variable]} is taken, and {PORTS[variable].needed_by} needs it. Stop what listens there, "
                f"or choose another port: {variable}=<port> make up\n"
                f"端口 {ports[variable]} 已被占用。请停止占用它的程序，或换一个端口：{variable}=<端口> make up"
                for variable in taken
            )
        )


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set it too: a connection in TIME_WAIT does not make a port taken, a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports() -> Iterator[int]:
    """Yield free ports without end, no number twice while this process lives, and none that another process was given.

    They lie below the kernel's range for outgoing connections: one from inside it can be taken by any client between
    this look and the moment our server listens.
    """
    numbers = list(range(20_000, _first_ephemeral_port()))
    random.shuffle(numbers)
    yield from (number for number in numbers if is_free(number) and _reserve(number))
    raise StackError("No free port is left on the loopback interface.")


def _reserve(number: int) -> bool:
    """Keep it for this process: seconds pass until its server listens, and other stacks may be starting meanwhile.

    A byte of a file is locked for each, which ends with the process, however that ends.
    """
    if number in _given:
        return False
    try:
        fcntl.lockf(_register(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except OSError:
        return False
    _given.add(number)
    return True


@cache
def _register() -> int:
    # Never closed: closing any descriptor of the file would give all its locks up.
    name = Path(tempfile.gettempdir()) / f"baoshen-ports-{os.getuid()}"
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _first_ephemeral_port() -> int:
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768
    return first if first > 21_000 else 32_768


def _from_environment(variable: str, environment: Mapping[str, str]) -> int:
    text = environment.get(variable) or str(PORTS[variable].usual)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise BadPort(f"{variable} is {text!r}, which is not a port. Set it to a number from 1 to 65535, or unset it.")
    return int(text)
