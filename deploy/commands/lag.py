"""`baoshen lag`: how far each service is behind in hearing."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from deploy import environment
from deploy.commands.printing import json_line, kafka_must_answer, refuse, wide
from shared.messaging.groups import GROUPS

if TYPE_CHECKING:
    from shared.messaging.lag import Lag

# A broker that no group ever used makes its offsets topic at the first question, and says meanwhile that it can't tell.
_FRESH_BROKER_S = 15.0


def lag(
    group: Annotated[str | None, typer.Option("--group", "-g", help="Such as upload, validation or review.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per partition and line on standard output.")
    ] = False,
) -> None:
    """消费延迟。Records told but not yet heard, of each service and topic."""
    if group is not None and group not in GROUPS:
        refuse(f"没有 {group} 这个组。There is no group {group}: --group takes {', '.join(GROUPS)}.")
    bootstrap = environment.load("KAFKA_BOOTSTRAP_SERVERS")["KAFKA_BOOTSTRAP_SERVERS"]
    with kafka_must_answer(bootstrap):
        lags = asyncio.run(_read(bootstrap, [group] if group else list(GROUPS)))
    if as_json:
        for each in lags:
            json_line(
                {
                    "group": each.group,
                    "topic": each.topic,
                    "partition": each.partition,
                    "committed": each.committed,
                    "end": each.end,
                    "behind": each.behind,
                }
            )
        return
    _print(lags)


async def _read(bootstrap: str, groups: list[str]) -> "list[Lag]":
    # Only now: the Kafka client takes a second, and `baoshen --help` has no need of it.
    from aiokafka.errors import GroupCoordinatorNotAvailableError

    from deploy.contracts.schemas import heard_by
    from shared.messaging.lag import LagReader

    heard = heard_by()
    until = time.monotonic() + _FRESH_BROKER_S
    async with LagReader(bootstrap) as reader:
        while True:
            try:
                return [
                    lag
                    for group in groups
                    for lag in await reader.read(group, [topic for topic in heard if group in heard[topic]])
                ]
            except GroupCoordinatorNotAvailableError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(0.5)


def _print(lags: "list[Lag]") -> None:
    by_topic: dict[tuple[str, str], list[Lag]] = {}
    for each in lags:
        by_topic.setdefault((each.group, each.topic), []).append(each)
    table = Table(box=box.SIMPLE_HEAD, title="消费延迟 lag", title_justify="left", show_footer=True)
    table.add_column("group", "合计 total")
    table.add_column("topic")
    table.add_column("partitions", justify="right")
    table.add_column("heard", justify="right")
    table.add_column("told", justify="right")
    table.add_column("behind", str(sum(each.behind for each in lags)), justify="right")
    for (group, topic), partitions in by_topic.items():
        behind = sum(each.behind for each in partitions)
        table.add_row(
            group,
            topic,
            str(len(partitions)),
            str(sum(each.committed for each in partitions)),
            str(sum(each.end for each in partitions)),
            f"[yellow]{behind}[/yellow]" if behind else "[green]0[/green]",
        )
    wide().print(table)
