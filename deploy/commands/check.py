"""`baoshen check`: the reconciliation of databases, bucket and topics."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from deploy import environment
from deploy.commands.printing import err, fail, json_line

NEEDED = ("KAFKA_BOOTSTRAP_SERVERS", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET")


def check(
    wait: Annotated[float, typer.Option(min=0, max=3600, help="Seconds to wait for what is under way.")] = 30,
    expect_dead: Annotated[int, typer.Option(min=0, help="Dead letters that were put there on purpose.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per rule on standard output.")] = False,
) -> None:
    """See that nothing was lost or doubled: every image one row, one object, one check; every feedback one notice.

    Exit code 0 if every rule holds, 1 if not. It reads only; on a busy system rules may be broken for a moment.
    """
    from aiokafka.errors import KafkaError
    from sqlalchemy.exc import SQLAlchemyError

    from shared.errors import Transient

    env = environment.load(*NEEDED, *environment.databases())
    try:
        holds = asyncio.run(_check(env, wait, expect_dead, as_json))
    except (KafkaError, SQLAlchemyError, Transient, OSError) as error:
        fail(f"A part does not answer ({type(error).__name__}). Is the system running?")
    raise typer.Exit(0 if holds else 1)


async def _check(env: Mapping[str, str], wait: float, expect_dead: int, as_json: bool) -> bool:
    from deploy.reconcile.rules import reconcile
    from deploy.reconcile.settling import read_settled

    findings = reconcile(await read_settled(env, wait), expected_dead=expect_dead)
    table = Table("", "rule", "looked at", "broken", title="baoshen check")
    for each in findings:
        if as_json:
            json_line({"rule": each.rule, "ok": each.ok, "looked_at": each.looked_at, "broken": len(each.broken)})
        table.add_row("[green]✔[/]" if each.ok else "[red]✘[/]", each.rule, str(each.looked_at), each.some())
    err.print(table)
    return all(each.ok for each in findings)
