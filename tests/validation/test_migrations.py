"""The migrations make exactly the tables that the code believes in."""

import asyncio
from collections.abc import Awaitable, Callable

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from services.validation.tables import metadata
from shared.database import _alembic, asyncpg_url


async def test_the_migrations_equal_the_metadata(scratch_database: Callable[[str | None], Awaitable[str]]) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(asyncpg_url(await scratch_database("validation")))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []


async def test_the_migrations_can_be_taken_back(scratch_database: Callable[[str | None], Awaitable[str]]) -> None:
    url = await scratch_database("validation")

    await asyncio.to_thread(command.downgrade, _alembic("validation", url), "base")

    engine = create_async_engine(asyncpg_url(url))
    async with engine.connect() as connection:
        left = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    assert left == ["alembic_version"]
