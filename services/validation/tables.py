"""Validation's own tables."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.messaging.tables import messaging_tables

metadata = MetaData()
messaging_tables(metadata)

checks = Table(
    "checks",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("region", Text, nullable=True),  # null: checked before it was kept
    Column("sha256", Text, nullable=False),
    Column("check_no", Integer, nullable=False, server_default="1"),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("metrics", JSONB, nullable=False),
    Column("fingerprint", LargeBinary, nullable=True),  # 32 bytes; null where the picture was not seen
    Column("removed_at", DateTime(timezone=True), nullable=True),
    Column("checked_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("verdict IN ('accept', 'review', 'reject', 'gone')", name="checks_verdict"),
    Index("checks_of_application", "application_no", postgresql_where=text("removed_at IS NULL")),
    Index("checks_sha256", "sha256", postgresql_where=text("removed_at IS NULL")),
)

# Images taken away before they were looked at; a removal may be heard before the upload.
removed_images = Table(
    "removed_images",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("heard_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("removed_images_heard_at", "heard_at"),
)

# Images that ended their worker: each is tried once more, alone, while the others go on.
suspects = Table(
    "suspects",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("event", JSONB, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("taken_until", DateTime(timezone=True), nullable=True),
    Column("heard_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("suspects_heard_at", "heard_at"),
)

# What staff are told of images, and how often: a higher number replaces a lower one.
told_to_staff = Table(
    "told_to_staff",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("about", Text, primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("read_no", Integer, nullable=False, server_default="1"),
    Column("fields", ARRAY(Text), nullable=False, server_default="{}"),  # which were read; never what they say
    Column("mirrored", Boolean, nullable=True),
    Column("told_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("about IN ('reading', 'copies')", name="told_to_staff_about"),
)

photo_checks = Table(
    "photo_checks",
    metadata,
    Column("photo_id", Uuid, primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("check_no", Integer, nullable=False, server_default="1"),
    Column("verdict", Text, nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("photo", JSONB(none_as_null=True), nullable=True),
    Column("checked_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("verdict IN ('pass', 'fail')", name="photo_checks_verdict"),
)
