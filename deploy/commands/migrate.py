"""`baoshen migrate`: each service's database to its newest migration."""

from typing import Annotated

import typer

from deploy import environment
from deploy.commands.printing import err, fail, refuse
from deploy.environment import SERVICES


def migrate(service: Annotated[str | None, typer.Argument(help="One of the four; all by default.")] = None) -> None:
    """Bring the services' databases to the newest migration. Safe to run again, and while services run."""
    if service is not None and service not in SERVICES:
        refuse(f"{service} is none of {', '.join(SERVICES)}")
    from sqlalchemy.exc import SQLAlchemyError

    from shared.database import migrate as migrate_database

    env = environment.load(*environment.databases())
    for each in [service] if service else SERVICES:
        try:
            migrate_database(each, environment.database_of(each, env))
        except (SQLAlchemyError, OSError) as error:
            fail(f"{each}: {type(error).__name__}: is the database there, and may we change it?")
        err.print(f"{each}: at the newest migration")
