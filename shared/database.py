"""PostgreSQL: engines, sessions, and each service's own Alembic history."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, MetaData, event, pool
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from alembic.config import Config

Sessions = async_sessionmaker[AsyncSession]

_ROOT = Path(__file__).resolve().parent.parent


def asyncpg_url(url: str) -> str:
    """The same database through asyncpg, whatever driver the URL names."""
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def make_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine whose every statement, lock wait and connection attempt has a time-out.

    Args:
        url: PostgreSQL URL.
        pool_size: connections kept; as many again may be opened under load. A caller waits 5 s for one at most.
    """
    return create_async_engine(
        asyncpg_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # an error's text must not quote personal data
        connect_args={
            "timeout": 5,
            "command_timeout": 30,
            "server_settings": {
                "statement_timeout": "25000",
                "lock_timeout": "10000",
                "idle_in_transaction_session_timeout": "60000",
                "timezone": "UTC",
            },
        },
    )


def make_sessions(
    engine: AsyncEngine, *, source: str = "baoshen", on_told: Callable[[], None] | None = None
) -> Sessions:
    """Sessions on `engine`.

    Args:
        engine: where to.
        source: who tells what these sessions tell, such as `baoshen/upload`.
        on_told: called after each commit that told something (it wakes the relay).
    """

    class Telling(Session):
        """A class of its own, so that its commits can be listened to without touching every session there is."""

    if on_told is not None:
        wake = on_told

        def committed(session: Session) -> None:
            if session.info.pop("told", False):
                wake()

        event.listen(Telling, "after_commit", committed)
    return async_sessionmaker(engine, expire_on_commit=False, sync_session_class=Telling, info={"source": source})


def _alembic(service: str, url: str) -> "Config":
    # Only here: a tenth of a service's start would be for what migrates, and services never do.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_ROOT / "services" / service / "migrations"))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    config.attributes["url"] = url
    return config


def migrate(service: str, url: str, revision: str = "head") -> None:
    """Bring a service's database to `revision`. Blocking: call it from a thread or a process of its own."""
    from alembic import command

    command.upgrade(_alembic(service, url), revision)


def run_migrations(metadata: MetaData) -> None:
    """What each `migrations/env.py` calls. A migration waits 4 s for a lock and no statement runs longer than 60 s."""
    from alembic import context

    def run(connection: Connection) -> None:
        context.configure(connection=connection, target_metadata=metadata, compare_type=True)
        with context.begin_transaction():
            # One service may start several processes at once: only one of them migrates.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7274916030)")
            connection.exec_driver_sql("SET LOCAL lock_timeout = '4s'")
            connection.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
            context.run_migrations()

    async def main(url: str) -> None:
        engine = create_async_engine(asyncpg_url(url), poolclass=pool.NullPool, connect_args={"timeout": 5})
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
        await engine.dispose()

    given = context.config.attributes.get("connection")
    if given is not None:
        run(given)
    else:
        asyncio.run(main(context.config.attributes["url"]))
