"""Which ports are taken, and what is said about it."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local.ports import PORTS, BadPort, PortTaken, check_ports, choose_ports, free_ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_without_a_word_everything_has_its_usual_port() -> None:
    assert choose_ports({}, free=False) == {name: rule.usual for name, rule in PORTS.items()}


def test_a_variable_moves_a_port() -> None:
    assert choose_ports({"UPLOAD_PORT": "9101"}, free=False)["UPLOAD_PORT"] == 9101


@pytest.mark.parametrize("text", ["0", "65536", "-1", "80 ", "http", "١٢"])
def test_what_is_no_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadPort, match="S3_PORT"):
        choose_ports({"S3_PORT": text}, free=False)


def test_a_taken_port_is_named_with_who_needs_it_and_the_variable_that_moves_it(taken: int) -> None:
    ports = choose_ports({"REVIEW_PORT": str(taken)}, free=False)

    with pytest.raises(PortTaken) as problem:
        check_ports(ports, {"REVIEW_PORT"})

    assert f"Port {taken} is taken, and the review service needs it" in str(problem.value)
    assert "REVIEW_PORT=" in str(problem.value)


def test_a_taken_port_that_nothing_of_ours_needs_does_not_matter(taken: int) -> None:
    check_ports(choose_ports({"REVIEW_PORT": str(taken)}, free=False), ())


def test_one_port_for_two_parts_is_refused() -> None:
    number = str(next(free_ports()))
    ports = choose_ports({"UPLOAD_PORT": number, "NOTIFY_PORT": number}, free=False)

    with pytest.raises(PortTaken, match="NOTIFY_PORT and UPLOAD_PORT are both"):
        check_ports(ports, {"UPLOAD_PORT", "NOTIFY_PORT"})


def test_a_port_that_one_process_was_given_is_given_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.ports.is_free", lambda number: number < 20_040)
    mine = {next(free_ports()) for _ in range(20)}
    others = """
import deploy.local.ports as ports
ports.is_free = lambda number: number < 20_040
try:
    for number in ports.free_ports():
        print(number)
except ports.StackError:
    print("none is left")
"""

    told = subprocess.run([sys.executable, "-c", others], capture_output=True, text=True, check=True, timeout=60)

    *theirs, end = told.stdout.split("\n")[:-1]
    assert len(mine) == 20
    assert mine.isdisjoint(int(number) for number in theirs)
    assert len(theirs) <= 20
    assert end == "none is left"


def test_free_ports_are_all_different_and_ignore_the_environment() -> None:
    ports = choose_ports({"UPLOAD_PORT": "9101"}, free=True)

    assert len(set(ports.values())) == len(PORTS)
    assert 9101 not in ports.values()
