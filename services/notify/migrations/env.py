"""Alembic for notify's database."""

from services.notify.tables import metadata
from shared.database import run_migrations

run_migrations(metadata)
