"""The first migration makes exactly what the code's metadata says."""

from collections.abc import Awaitable, Callable
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.review.tables import metadata
from shared.database import asyncpg_url


async def test_the_migrated_database_is_what_the_tables_say(
    scratch_database: Callable[[str | None], Awaitable[str]],
) -> None:
    engine = create_async_engine(asyncpg_url(await scratch_database("review")))

    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert [change for change in found if "alembic_version" not in str(change)] == []
