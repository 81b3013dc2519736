"""`baoshen migrate`: each service's database to its newest migration."""

from typing import Annotated

import typer
from rich.console import Console

from deploy import environment
from deploy.environment import SERVICES

_err = Console(stderr=True)


def migrate(service: Annotated[str | None, typer.Argument(help="One of the four; all by default.")] = None) -> None:
    """Bring the services' databases to the newest migration. Safe to run again, and while services run."""
    if service is not None and service not in SERVICES:
        _err.print(f"[red]{service} is none of {', '.join(SERVICES)}[/]")
        raise typer.Exit(2)
    from sqlalchemy.exc import SQLAlchemyError

    from shared.database import migrate as migrate_database

    env = environment.load(*environment.databases())
    for each in [service] if service else SERVICES:
        try:
            migrate_database(each, environment.database_of(each, env))
        except (SQLAlchemyError, OSError) as error:
            _err.print(f"[red]{each}: {type(error).__name__}[/]: is the database there, and may we change it?")
            raise typer.Exit(1) from None
        _err.print(f"{each}: at the newest migration")
