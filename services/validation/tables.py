"""Validation's own tables."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB

from shared.messaging.tables import messaging_tables

metadata = MetaData()
messaging_tables(metadata)

checks = Table(
    "checks",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("check_no", Integer, nullable=False, server_default="1"),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("metrics", JSONB, nullable=False),
    Column("checked_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("verdict IN ('accept', 'review', 'reject', 'gone')", name="checks_verdict"),
)

# Images taken away before they were looked at; a removal may be heard before the upload.
removed_images = Table(
    "removed_images",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("heard_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("removed_images_heard_at", "heard_at"),
)
