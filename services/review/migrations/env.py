"""Alembic for review's database."""

from services.review.tables import metadata
from shared.database import run_migrations

run_migrations(metadata)
