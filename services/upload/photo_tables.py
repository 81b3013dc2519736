"""Tables of the photo check and of the registration photo."""

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB


def photo_checks_table(metadata: MetaData) -> Table:
    """One row for each portrait that was sent. Rows stay; the picture and the finished photo go."""
    return Table(
        "photo_checks",
        metadata,
        Column("photo_id", Uuid, primary_key=True),
        Column("application_no", Text, ForeignKey("applications.application_no"), nullable=False),
        Column("object_key", Text, nullable=False, unique=True),
        Column("sha256", Text, nullable=False),
        Column("size", Integer, nullable=False),
        Column("content_type", Text, nullable=False),
        # What the candidate declared when it was sent, at `requested_at`.
        Column("declared", ARRAY(Text), nullable=False),
        Column("requested_at", DateTime(timezone=True), nullable=False),
        Column("status", Text, nullable=False, server_default="checking"),
        Column("check_no", Integer, nullable=False, server_default="0"),
        Column("findings", JSONB, nullable=False, server_default="[]"),
        Column("checked_at", DateTime(timezone=True), nullable=True),
        Column("source_deleted_at", DateTime(timezone=True), nullable=True),
        # When everything of it but the finished photo was deleted; null again once a further verdict comes.
        Column("swept_at", DateTime(timezone=True), nullable=True),
        # The finished photo, of one that passed.
        Column("photo_key", Text, nullable=True),
        Column("photo_sha256", Text, nullable=True),
        Column("photo_size", Integer, nullable=True),
        Column("photo_width", Integer, nullable=True),
        Column("photo_height", Integer, nullable=True),
        Column("photo_expires_at", DateTime(timezone=True), nullable=True),
        Column("photo_deleted_at", DateTime(timezone=True), nullable=True),
        Column("registered", Boolean, nullable=False, server_default=text("false")),  # it is the registration photo
        Index("photo_checks_application_no", "application_no", "requested_at"),
        Index("photo_checks_unswept", "requested_at", postgresql_where=text("swept_at IS NULL")),
        Index(
            "photo_checks_photos",
            "photo_expires_at",
            postgresql_where=text("photo_key IS NOT NULL AND photo_deleted_at IS NULL AND NOT registered"),
        ),
    )


def registration_photos_table(metadata: MetaData) -> Table:
    """Every registration photo that was accepted; the one without `replaced_at` counts."""
    return Table(
        "registration_photos",
        metadata,
        Column("nonce", Text, primary_key=True),  # a receipt is accepted once, whoever brings it
        Column("application_no", Text, ForeignKey("applications.application_no"), nullable=False),
        Column("object_key", Text, nullable=False, unique=True),
        Column("sha256", Text, nullable=False),
        Column("size", Integer, nullable=False),
        Column("pack", Text, nullable=False),
        Column("key_id", Text, nullable=False),
        Column("declared", ARRAY(Text), nullable=False),  # with this photo; empty where a photo check has it
        Column("accepted_at", DateTime(timezone=True), nullable=False),
        Column("expires_at", DateTime(timezone=True), nullable=False),
        Column("replaced_at", DateTime(timezone=True), nullable=True),
        Column("handed_in_round", Integer, nullable=True),  # the first round it was part of
        Column("object_deleted_at", DateTime(timezone=True), nullable=True),
        Index("registration_photos_application_no", "application_no", "accepted_at"),
        Index(
            "registration_photos_current",
            "application_no",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
        Index(
            "registration_photos_to_delete",
            "replaced_at",
            postgresql_where=text("replaced_at IS NOT NULL AND handed_in_round IS NULL AND object_deleted_at IS NULL"),
        ),
    )
