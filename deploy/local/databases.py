"""Makes each service's database where it is missing, and migrates it."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from deploy.local.errors import StackError


def database_url(server_url: str, service: str) -> str:
    """The URL of a service's database on this server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/baoshen_{service}"))


async def make_databases(server_url: str, services: Mapping[str, str]) -> None:
    """Make the databases that `services` (name to URL) names and the server lacks."""
    import asyncpg

    parts = urlsplit(server_url)
    admin_url = urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else "/postgres"))
    try:
        connection = await asyncpg.connect(admin_url, timeout=10, command_timeout=60)
    except (
        OSError,
        TimeoutError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as problem:
        raise StackError(
            f"The database server at {parts.hostname}:{parts.port} does not let us in ({type(problem).__name__}). "
            "Check DATABASE_URL, or unset it to have a server started."
        ) from problem
    try:
        there = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for url in services.values():
            name = urlsplit(url).path.strip("/")
            if name not in there:
                quoted = name.replace('"', '""')
                await connection.execute(f"CREATE DATABASE \"{quoted}\" TEMPLATE template0 ENCODING 'UTF8'")
    finally:
        await connection.close(timeout=5)


async def migrate_databases(services: Mapping[str, str]) -> None:
    """Bring each database (service to URL) to its newest migration."""
    await asyncio.to_thread(_migrate, dict(services))


def _migrate(services: Mapping[str, str]) -> None:
    from shared.database import migrate

    # One after the other: Alembic keeps its context in module globals.
    for name, url in services.items():
        migrate(name, url)
