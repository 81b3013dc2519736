"""Alembic's way into upload's database."""

from services.upload.tables import metadata
from shared.database import run_migrations

run_migrations(metadata)
