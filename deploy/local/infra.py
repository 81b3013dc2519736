"""`python -m deploy.local.infra --home DIR`: Kafka, PostgreSQL and S3 on free ports, until SIGTERM.

`DIR/environment.json` is there as long as everything is ready, so that tests and tools can use it.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.processes import end_with_parent
from deploy.local.stack import Stack


async def run(home: Path) -> None:
    """Start, write the environment, wait for SIGTERM or SIGINT, stop."""
    told_to_stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, told_to_stop.set)
    async with Stack(home, free_ports=True, services=()) as stack:
        for part in stack.status():
            print(
                f"{part.name:12} {part.state:8} {part.seconds or 0:5.1f} s  {part.address}",
                flush=True,
            )
        await told_to_stop.wait()


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.infra", description=__doc__)
    parser.add_argument(
        "--home",
        type=Path,
        required=True,
        help="folder for data, logs and environment.json",
    )
    parser.add_argument("--with-parent", action="store_true", help="stop when the process that started this one ends")
    arguments = parser.parse_args()
    if arguments.with_parent:
        end_with_parent(signal.SIGTERM)
    home: Path = arguments.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(run(home))
    except StackError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    raise SystemExit(main())
