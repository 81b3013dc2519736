"""The migrations make exactly what the code's metadata says, and can be taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.upload.tables import metadata
from shared.database import _alembic, asyncpg_url, migrate


async def test_the_migrated_database_is_what_the_tables_say(
    scratch_database: Callable[[str | None], Awaitable[str]],
) -> None:
    url = await scratch_database("upload")

    found = await _differences(url)

    assert found == []


async def test_the_migrations_can_be_taken_back_and_done_again(
    scratch_database: Callable[[str | None], Awaitable[str]],
) -> None:
    url = await scratch_database("upload")

    await asyncio.to_thread(command.downgrade, _alembic("upload", url), "upload_0001")
    await asyncio.to_thread(migrate, "upload", url)

    assert await _differences(url) == []


async def _differences(url: str) -> list[Any]:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    engine = create_async_engine(asyncpg_url(url))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    return [change for change in found if "alembic_version" not in str(change)]
