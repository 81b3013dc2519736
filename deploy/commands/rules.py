"""`baoshen rules …`: rule packs."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy import environment

_err = Console(stderr=True)


def publish(file: Annotated[Path, typer.Argument(help="A pack, such as rules/neimenggu-2021.yaml.")]) -> None:
    """Check a pack and tell it on rules.published.v1. A change needs a higher `version` in the file."""
    from aiokafka.errors import KafkaError

    from deploy.intake.packs import read_pack
    from deploy.intake.tables import BadFile
    from deploy.intake.telling import tell_all
    from shared.contracts.rules import RulesPublished

    env = environment.load("KAFKA_BOOTSTRAP_SERVERS")
    try:
        pack = read_pack(file).pack
    except BadFile as error:
        _err.print(f"[red]{error}[/]", soft_wrap=True)
        raise typer.Exit(2) from None
    try:
        asyncio.run(tell_all(env["KAFKA_BOOTSTRAP_SERVERS"], "baoshen/rules", [RulesPublished(pack=pack)]))
    except (KafkaError, OSError) as error:
        _err.print(f"[red]Kafka did not take it ({type(error).__name__}).[/] Publish again when it is there.")
        raise typer.Exit(1) from None
    _err.print(f"{pack.id} version {pack.version} published")
