"""Alembic for validation's database."""

from services.validation.tables import metadata
from shared.database import run_migrations

run_migrations(metadata)
