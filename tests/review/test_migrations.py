"""The migrations make exactly what the code's metadata says, and keep what is there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.review.tables import metadata
from shared.database import _alembic, asyncpg_url


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


async def test_images_replaced_and_applications_passed_before_the_second_migration_are_known_after_it(
    scratch_database: Callable[[str | None], Awaitable[str]],
) -> None:
    url = await scratch_database("review")
    await asyncio.to_thread(command.downgrade, _alembic("review", url), "2026_11_21_sessions")
    engine = create_async_engine(asyncpg_url(url))
    old, new = uuid4(), uuid4()
    async with engine.begin() as connection:
        await connection.execute(
            text(
                """
                INSERT INTO reviews (application_no, region, site, year, pack_id, pack_version, route, facts, round,
                                     revision, submitted_at, changed_items, state, tier)
                VALUES ('1', '15', '1501', 2021, 'p', 1, 'online', '{}', 2, 3, now(), '{}', 'at_region', 'region')
                """
            )
        )
        for image_id, last_round in ((old, 1), (new, 2)):
            await connection.execute(
                text(
                    """
                    INSERT INTO images (application_no, image_id, item, object_key, sha256, size, content_type,
                                        uploaded_at, verdict, first_round, last_round)
                    VALUES ('1', :id, 'diploma', 'k', 's', 1, 'image/png', now(), 'accept', :last_round, :last_round)
                    """
                ),
                {"id": image_id, "last_round": last_round},
            )
        for act, round_no, revision in (("submitted", 1, 1), ("submitted", 2, 3), ("passed", 2, 3)):
            await connection.execute(
                text(
                    "INSERT INTO history (application_no, at, act, round, revision, detail) "
                    "VALUES ('1', make_date(2021, 3, :round_no), :act, :round_no, :revision, '{}')"
                ),
                {"act": act, "round_no": round_no, "revision": revision},
            )

    await asyncio.to_thread(command.upgrade, _alembic("review", url), "head")

    async with engine.connect() as connection:
        images = (await connection.execute(text("SELECT image_id, replaced_round, replaced_at FROM images"))).all()
        passed = await connection.scalar(text("SELECT passed_revision FROM reviews"))
    await engine.dispose()
    assert {row.image_id: row.replaced_round for row in images} == {old: 2, new: None}
    assert [row.replaced_at.date().isoformat() for row in images if row.replaced_at] == ["2021-03-02"]
    assert passed == 3
