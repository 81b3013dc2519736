"""`baoshen topics`: the topics there should be, and whether they are."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from deploy import environment
from deploy.commands.printing import err, fail, json_line, kafka_must_answer, out, wide

if TYPE_CHECKING:
    from deploy.topic_states import TopicState


def topics(
    create: Annotated[bool, typer.Option("--create", help="Make those that are missing.")] = False,
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Of each event topic that is made.")] = 6,
    replication: Annotated[int, typer.Option(min=1, max=9, help="Copies of what is made; 3 in production.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line on standard output.")] = False,
) -> None:
    """列出主题。Every topic of the system: is it there, how is it kept, who tells it and who hears it.

    Topics that exist are never changed: one that differs from the catalogue is shown as such.
    """
    bootstrap = environment.load("KAFKA_BOOTSTRAP_SERVERS")["KAFKA_BOOTSTRAP_SERVERS"]
    with kafka_must_answer(bootstrap):
        # Only now: the Kafka client takes a second, and `baoshen --help` has no need of it.
        from deploy.topic_states import topic_states
        from shared.messaging.topics import create_topics

        made: list[str] = []
        if create:
            made = asyncio.run(create_topics(bootstrap, partitions=partitions, replication=replication))
        states = asyncio.run(topic_states(bootstrap))
    if as_json:
        for state in states:
            json_line(_as_json(state, made))
    else:
        _print(states, made)
    missing = [state.name for state in states if not state.partitions]
    if create and missing:
        fail(f"仍缺少主题。Still not there: {', '.join(missing)}; does the broker let us make topics?")
    if missing:
        err.print(f"缺少 {len(missing)} 个主题。{len(missing)} topics are missing; make them: baoshen topics --create")


def _print(states: "list[TopicState]", made: list[str]) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"主题 topics · {len(states)}", title_justify="left")
    for name in ("topic", "state", "partitions", "copies", "records kept", "told by", "heard by"):
        number = name in ("partitions", "copies")
        table.add_column(name, overflow="fold", no_wrap=name == "topic", justify="right" if number else "left")
    for state in states:
        table.add_row(
            state.name,
            _state(state, made),
            str(state.partitions or "—"),
            str(state.copies or "—"),
            state.kept,
            state.told_by,
            ", ".join(state.heard_by) or "—",
        )
    wide().print(table)
    if made:
        out.print(f"[green]✓[/green] 已创建 {len(made)} 个主题。{len(made)} topics made.")


def _state(state: "TopicState", made: list[str]) -> str:
    if not state.partitions:
        return "[red]missing 缺少[/red]"
    if state.differs:
        return f"[yellow]differs 不同: {', '.join(state.differs)}[/yellow]"
    return "[green]made 新建[/green]" if state.name in made else "[green]ok[/green]"


def _as_json(state: "TopicState", made: list[str]) -> dict[str, object]:
    return {
        "topic": state.name,
        "there": bool(state.partitions),
        "made": state.name in made,
        "partitions": state.partitions,
        "copies": state.copies,
        "kept": state.kept,
        "differs": state.differs,
        "told_by": state.told_by,
        "heard_by": list(state.heard_by),
    }
