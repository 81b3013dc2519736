"""`baoshen rules …`: rule packs."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy import environment
from deploy.commands.printing import err, kafka_must_answer, refuse


def publish(file: Annotated[Path, typer.Argument(help="A pack, such as rules/neimenggu-2021.yaml.")]) -> None:
    """Check a pack and tell it on rules.published.v1. A change needs a higher `version` in the file."""
    from deploy.intake.packs import read_pack
    from deploy.intake.tables import BadFile
    from deploy.intake.telling import tell_all
    from shared.contracts.rules import RulesPublished

    env = environment.load("KAFKA_BOOTSTRAP_SERVERS")
    try:
        pack = read_pack(file).pack
    except BadFile as error:
        refuse(str(error))
    with kafka_must_answer(env["KAFKA_BOOTSTRAP_SERVERS"]):
        asyncio.run(tell_all(env["KAFKA_BOOTSTRAP_SERVERS"], "baoshen/rules", [RulesPublished(pack=pack)]))
    err.print(f"{pack.id} version {pack.version} published")
