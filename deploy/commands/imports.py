"""`baoshen import …`: registrations onto their topic, development accounts into their stores."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy import environment
from deploy.commands.printing import err, kafka_must_answer, refuse

_MOST_SHOWN = 50


def registrations(
    file: Annotated[Path, typer.Argument(help="A .csv, .xlsx or .json file; docs/imports.md lists the columns.")],
) -> None:
    """Tell registrations on registration.recorded.v1. Rows that don't fit are refused by line; the others are told.

    Exit code 2 if any row was refused: mend those lines and import the file again, nothing is doubled by it.
    """
    # Imported here: the other commands start a second sooner without them.
    from deploy.intake.packs import packs_in
    from deploy.intake.registrations import Intake, Refused
    from deploy.intake.tables import BadFile, read_rows
    from deploy.intake.telling import tell_all
    from shared.contracts.registration import RegistrationRecorded
    from shared.security.sealing import KeyRing

    env = environment.load("KAFKA_BOOTSTRAP_SERVERS", "MASTER_KEYS", "DATA_KEYS_FILE")
    keys = KeyRing(env["MASTER_KEYS"], Path(env["DATA_KEYS_FILE"]))
    good: list[RegistrationRecorded] = []
    refused: list[Refused] = []
    try:
        for taken in Intake(packs_in(), keys).take(read_rows(file)):
            if isinstance(taken, Refused):
                refused.append(taken)
            else:
                good.append(taken)
    except BadFile as error:
        refuse(str(error))
    _show_lines([(each.line, each.why) for each in refused])
    with kafka_must_answer(env["KAFKA_BOOTSTRAP_SERVERS"]):
        told = asyncio.run(tell_all(env["KAFKA_BOOTSTRAP_SERVERS"], "baoshen/import", good))
    err.print(f"{told} registrations told, {len(refused)} rows refused")
    if refused:
        raise typer.Exit(2)


def _show_lines(refused: list[tuple[int, str]]) -> None:
    for line, why in refused[:_MOST_SHOWN]:
        err.print(f"line {line}: {why}", markup=False)
    if len(refused) > _MOST_SHOWN:
        err.print(f"… and {len(refused) - _MOST_SHOWN} more lines")


def accounts(
    file: Annotated[
        Path,
        typer.Argument(help="A .csv, .xlsx or .json file: kind, login, password, and of staff display_name, role, …"),
    ],
) -> None:
    """Write accounts: candidates (for development) into upload's store, staff into review's. All rows or none."""
    from deploy.intake.accounts import sort_accounts, write_accounts
    from deploy.intake.tables import BadFile, read_rows

    env = environment.load(*environment.databases("upload", "review"))
    try:
        found = sort_accounts(read_rows(file), env.get("STAFF_OIDC_ISSUER", ""))
    except BadFile as error:
        refuse(str(error))
    if found.refused:
        _show_lines(found.refused)
        refuse("No account was written: mend these lines and import the file again.")
    asyncio.run(write_accounts(found, env["DATABASE_URL_UPLOAD"], env["DATABASE_URL_REVIEW"]))
    err.print(f"{len(found.candidates)} candidates' and {len(found.staff)} staff accounts written")
