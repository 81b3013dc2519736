"""What the operators' commands print alike: JSON lines, complaints, and how long ago something was."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)

# A page is wider than a terminal here: a program reads it, or `less -S`.
_NO_TERMINAL_WIDTH = 200
_SURROGATE = re.compile("[\ud800-\udfff]")


def wide() -> Console:
    """For tables: the terminal's width, or room for every column where there is no terminal."""
    return out if out.is_terminal else Console(highlight=False, width=_NO_TERMINAL_WIDTH)


def json_line(line: Mapping[str, object]) -> None:
    """One object on a line of its own, on standard output.

    A file name that is no UTF-8 is in it as Python reads it: each such byte as the escape of U+DC80 to U+DCFF.
    """
    text = json.dumps(line, ensure_ascii=False, default=str)
    sys.stdout.write(_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    sys.stdout.flush()


def plainly(path: object) -> str:
    """A file's name for people, in rich's markup: brackets are no tags, and bytes that are no UTF-8 are marked."""
    return escape(str(path).encode("utf-8", "replace").decode())


def refuse(message: str) -> NoReturn:
    """The input is bad: say what to do, exit with 2."""
    err.print(f"✗ {message}", style="red", markup=False)
    raise typer.Exit(2)


def fail(message: str) -> NoReturn:
    """The thing itself went wrong: say what to do, exit with 1."""
    err.print(f"✗ {message}", style="red", markup=False)
    raise typer.Exit(1)


@contextmanager
def kafka_must_answer(bootstrap: str) -> Iterator[None]:
    """Turns a broker that is away into words and exit code 1."""
    import logging

    from aiokafka.errors import KafkaError

    # The client's own log repeats, at length, what is said here in one sentence.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        fail(
            f"Kafka 没有回答（{type(error).__name__}）。Kafka does not answer at {bootstrap}: "
            "is the stack running (make up), and is KAFKA_BOOTSTRAP_SERVERS right?"
        )


def age(since: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int((datetime.now(UTC) - since).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
