"""`baoshen dlq …`: records that a service could not take, and what an operator does about them."""

import asyncio
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from deploy import environment
from deploy.commands.printing import age, err, fail, json_line, out, refuse, wide
from shared.messaging.groups import GROUPS

if TYPE_CHECKING:
    from deploy.dead_letters import DeadLetters, Outcome
    from shared.messaging.dead_letters import DeadLetter

T = TypeVar("T")

GroupOption = Annotated[str | None, typer.Option("--group", "-g", help="Such as upload, validation or review.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per line on standard output.")]
LetterId = Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number in the list.")]

_STATUS = {"dead": "[red]dead[/red] 失败", "parked": "[yellow]parked[/yellow] 等待"}
_FATE = {
    "replayed": "[green]✓ replayed 已重放[/green]",
    "failed": "[red]✗ failed again 再次失败[/red]",
    "parked": "[yellow]· waits behind it 仍在等待[/yellow]",
    "asked for": "[yellow]… not taken up yet 尚未处理[/yellow]",
}


def list_(
    group: GroupOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Records shown of each group at most.")] = 200,
    as_json: JsonOption = False,
) -> None:
    """列出无法处理的记录。Dead records and those parked behind them, oldest first."""
    letters = _dead_letters(group)
    found: list[DeadLetter] = []
    total = 0
    for each in letters.groups:
        some, count = _run(letters.waiting(each, limit))
        found += some
        total += count
    if as_json:
        for letter in found:
            json_line(_as_json(letter))
        return
    if not found:
        out.print("[green]✓[/green] 没有死信。No dead letters.")
        return
    table = Table(box=box.SIMPLE_HEAD, title=f"死信 dead letters · {total}", title_justify="left")
    for name in ("group", "id", "status", "key", "topic/partition/offset", "error", "age"):
        short = name in ("group", "id", "status", "age")
        table.add_column(name, overflow="fold", no_wrap=short, justify="right" if name in ("id", "age") else "left")
    for letter in found:
        table.add_row(*_as_row(letter))
    wide().print(table)
    if total > len(found):
        out.print(f"还有 {total - len(found)} 条。{total - len(found)} more: --limit {min(total, 10_000)}")
    out.print(
        "查看 look: baoshen dlq show ID --group GROUP   重放 take again: baoshen dlq replay ID --group GROUP",
        style="dim",
    )


def show(letter_id: LetterId, group: GroupOption = None, as_json: JsonOption = False) -> None:
    """查看一条记录。One record with its headers and body. What is sealed stays sealed."""
    letters = _dead_letters(group)
    group = _group_of(letters, letter_id)
    row = _run(letters.record(group, letter_id)) or _not_there(letter_id, group)
    if as_json:
        json_line(_record_as_json(row))
        return
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in (
        ("group", group),
        ("id", row["id"]),
        ("status", f"{row['status']}{'，已请求重放 replay asked for' if row['replay_requested_at'] else ''}"),
        ("key", row["parking_key"] or "—"),
        ("record", f"{row['topic']}/{row['partition']}/{row['offset']}, key {row['record_key'] or '—'}"),
        ("error", row["error"]),
        ("tries", row["tries"]),
        ("since", f"{row['created_at']:%Y-%m-%d %H:%M:%S %Z} ({age(row['created_at'])})"),
    ):
        facts.add_row(Text(name, style="bold"), Text(str(value)))
    headers = Table(box=None, show_header=False, pad_edge=False)
    for name, value in sorted(row["headers"].items()):
        headers.add_row(Text(f"  {name}", style="cyan"), Text(str(value)))
    wide().print(Group(facts, Text("headers", style="bold"), headers, Text("body", style="bold"), Text(row["body"])))


def replay(
    letter_id: Annotated[
        int | None, typer.Argument(metavar="[ID]", min=1, help="One record, with what is parked behind it.")
    ] = None,
    group: GroupOption = None,
    key: Annotated[str | None, typer.Option(help="Records of this application number (validation: image id).")] = None,
    timeout: Annotated[float, typer.Option(min=0, max=3600, help="Seconds to wait for the service.")] = 60,
    as_json: JsonOption = False,
) -> None:
    """重放。The running service takes the records again, each key in order; waits and says what came of it.

    Without ID, --group and --key it is all of them. Exit code 1 if one failed again or was not taken up in time.
    """
    if letter_id is not None and key is not None:
        refuse("请只给出 ID 或 --key。Give either an ID or --key: an ID takes what is parked behind it along.")
    letters = _dead_letters(group)
    groups = letters.groups if letter_id is None else [_group_of(letters, letter_id)]
    outcomes = _run(letters.replay(groups, key=key, letter_id=letter_id, within_s=timeout))
    for outcome in outcomes:
        if as_json:
            line = {"group": outcome.group, "id": outcome.id, "outcome": outcome.fate, "error": outcome.error}
            json_line(line)
        else:
            said = f"{outcome.group} {outcome.id}: {_FATE[outcome.fate]}"
            out.print(said, Text(outcome.error if outcome.fate == "failed" and outcome.error else ""), soft_wrap=True)
    _conclude(outcomes, timeout)


def discard(
    letter_id: LetterId,
    group: GroupOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """丢弃。Give one record up for good. What is parked behind it waits on until it is replayed."""
    letters = _dead_letters(group)
    group = _group_of(letters, letter_id)
    row = _run(letters.record(group, letter_id)) or _not_there(letter_id, group)
    what = f"{group} {letter_id} ({row['topic']}/{row['partition']}/{row['offset']}, key {row['record_key'] or '—'})"
    if not yes:
        err.print("它的内容将永远丢失。What it says will never take effect.", style="yellow")
        typer.confirm(f"丢弃 {what}？ Discard it?", abort=True, err=True)
    given_up = _run(letters.give_up(group, letter_id))
    if given_up is None:
        fail(f"{what} 已不存在。It is not there any more: it was replayed or discarded meanwhile.")
    err.print(f"✓ 已丢弃 {what}。Discarded.", style="green", markup=False)
    if given_up.behind:
        err.print(
            f"还有 {given_up.behind} 条在等待。{given_up.behind} records of this key wait: "
            f"baoshen dlq replay --group {group} --key {given_up.key}",
            markup=False,
        )


def _dead_letters(group: str | None) -> "DeadLetters":
    if group is not None and group not in GROUPS:
        refuse(f"没有 {group} 这个组。There is no group {group}: --group takes {', '.join(GROUPS)}.")
    # Only now: SQLAlchemy takes half a second, and `baoshen --help` has no need of it.
    from deploy.dead_letters import DeadLetters

    groups = [group] if group else list(GROUPS)
    found = environment.load(*environment.databases(*{GROUPS[each] for each in groups}))
    return DeadLetters({each: environment.database_of(GROUPS[each], found) for each in groups})


def _group_of(letters: "DeadLetters", letter_id: int) -> str:
    """The group whose record it is; every database counts its own, so a number alone may not tell."""
    groups = _run(letters.groups_with(letter_id))
    if len(groups) > 1:
        refuse(
            f"{'、'.join(groups)} 都有 {letter_id} 号。Each of {', '.join(groups)} has a record {letter_id}: "
            "add --group."
        )
    return groups[0] if groups else _not_there(letter_id, *letters.groups)


def _not_there(letter_id: int, *groups: str) -> NoReturn:
    refuse(f"没有 {letter_id} 号。There is no record {letter_id} of {' or '.join(groups)}; see: baoshen dlq list")


def _run(work: Coroutine[Any, Any, T]) -> T:
    from deploy.dead_letters import Away

    try:
        return asyncio.run(work)
    except Away as problem:
        fail(str(problem))


def _conclude(outcomes: "list[Outcome]", timeout: float) -> None:
    if not outcomes:
        err.print("[green]✓[/green] 没有要重放的记录。There was nothing to replay.")
        return
    replayed = sum(outcome.fate == "replayed" for outcome in outcomes)
    err.print(f"{replayed}/{len(outcomes)} 已重放 replayed")
    if any(outcome.fate == "asked for" for outcome in outcomes):
        groups = sorted({outcome.group for outcome in outcomes if outcome.fate == "asked for"})
        fail(
            f"{timeout:g} 秒内未被处理，请求仍有效。Not taken up within {timeout:g} s; it stays asked for, and is done "
            f"as soon as a process with the consumers' role runs: {', '.join(groups)}."
        )
    if replayed < len(outcomes):
        fail("有记录再次失败。Some failed again: see `baoshen dlq show`, mend the cause, and replay once more.")


def _as_row(letter: "DeadLetter") -> tuple[str | Text, ...]:
    status = _STATUS.get(letter.status, letter.status) + ("，重放中 replaying" if letter.replay_requested_at else "")
    return (
        letter.consumer_group,
        str(letter.id),
        status,
        Text(letter.parking_key or "—"),
        f"{letter.topic}/{letter.partition}/{letter.offset}",
        Text(letter.error),
        age(letter.created_at),
    )


def _record_as_json(row: dict[str, Any]) -> dict[str, object]:
    try:
        body = json.loads(row["body"])
    except ValueError:
        body = row["body"]  # in words: it is sealed, empty or no JSON
    same = ("id", "status", "topic", "partition", "offset", "record_key", "error", "tries", "headers")
    return {
        "group": row["consumer_group"],
        "key": row["parking_key"],
        **{name: row[name] for name in same},
        "created_at": row["created_at"].isoformat(),
        "replay_requested": row["replay_requested_at"] is not None,
        "sealed_by": row["body_sealed_by"],
        "body": body,
    }


def _as_json(letter: "DeadLetter") -> dict[str, object]:
    return {
        "group": letter.consumer_group,
        "id": letter.id,
        "status": letter.status,
        "key": letter.parking_key,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "record_key": letter.record_key,
        "error": letter.error,
        "tries": letter.tries,
        "created_at": letter.created_at.isoformat(),
        "replay_requested": letter.replay_requested_at is not None,
    }
