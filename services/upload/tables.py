"""Upload's tables, and how `Application` is mapped on its own."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
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
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator

from services.upload.account_tables import account_tables
from services.upload.domain import Application, State
from services.upload.photo_tables import photo_checks_table, registration_photos_table
from shared.idempotency import idempotency_table
from shared.messaging.tables import messaging_tables
from shared.security.sessions import session_table

metadata = MetaData()
messaging_tables(metadata)
idempotency_table(metadata)
session_table(metadata)


class StateText(TypeDecorator[State]):
    """A state as text: a new one needs no migration."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: State | None, _dialect: object) -> str | None:
        """To the database."""
        return None if value is None else State(value).value

    def process_result_value(self, value: str | None, _dialect: object) -> State | None:
        """From the database."""
        return None if value is None else State(value)


packs = Table(
    "packs",
    metadata,
    Column("pack_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", JSONB, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
)

applications = Table(
    "applications",
    metadata,
    Column("application_no", Text, primary_key=True),
    Column("region", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("pack_id", Text, nullable=False),
    Column("pack_version", Integer, nullable=True),  # null until the first submission: the newest counts
    Column("registration_revision", Integer, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("sealed", JSONB, nullable=False),
    Column("id_number_hash", LargeBinary, nullable=True),
    Column("state", StateText, nullable=False, server_default="draft"),
    Column("round", Integer, nullable=False, server_default="0"),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("locked", Boolean, nullable=False, server_default=text("false")),
    Column("open_items", ARRAY(Text), nullable=False, server_default="{}"),
    Column("asked_items", ARRAY(Text), nullable=False, server_default="{}"),
    Column("changed_items", ARRAY(Text), nullable=False, server_default="{}"),
    Column("submitted_at", DateTime(timezone=True), nullable=True),
    Column("first_submitted_at", DateTime(timezone=True), nullable=True),
    Column("opinion", Text, nullable=True),
    Column("opinion_words", Text, nullable=True),
    Column("opinion_revision", Integer, nullable=False, server_default="0"),
    Column("effective_at", DateTime(timezone=True), nullable=True),
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    Column("page_seq", BigInteger, nullable=False, server_default="0"),
    # The version of the pack that its checklist was last worked out with; null: none was there yet.
    Column("rules_version", Integer, nullable=True),
    Column("reopened_by_change", Boolean, nullable=False, server_default=text("false")),
    Column("warned_for", DateTime(timezone=True), nullable=True),
    Column("warned_hours", Integer, nullable=True),
    Column("withdrawn_at", DateTime(timezone=True), nullable=True),
    Column("lapsed_at", DateTime(timezone=True), nullable=True),
    # What the region decided, before it publishes: no page and no event of upload's says what it is.
    Column("decided", Text, nullable=True),
    Column("decided_revision", Integer, nullable=False, server_default="0"),
    Column("opinion_noted", DateTime(timezone=True), nullable=True),  # the `effective_at` that the timeline tells of
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("applications_id_number_hash", "id_number_hash", "year"),
    Index(
        "applications_rules",
        "pack_id",
        "rules_version",
        "application_no",
        postgresql_where=text("pack_version IS NULL AND state IN ('draft', 'withdrawn')"),
    ),
    Index(
        "applications_deadline",
        "pack_id",
        "application_no",
        postgresql_where=text("state IN ('draft', 'withdrawn', 'returned')"),
    ),
    Index(
        "applications_opinion",
        "effective_at",
        postgresql_where=text("effective_at IS NOT NULL AND opinion_noted IS DISTINCT FROM effective_at"),
    ),
)

images = Table(
    "images",
    metadata,
    Column("image_id", Uuid, primary_key=True),
    Column("application_no", Text, ForeignKey("applications.application_no"), nullable=False),
    Column("item", Text, nullable=False),
    Column("object_key", Text, nullable=False, unique=True),
    Column("sha256", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("check_no", Integer, nullable=False, server_default="0"),
    Column("findings", JSONB, nullable=False, server_default="[]"),
    Column("uploaded_at", DateTime(timezone=True), nullable=False),
    Column("handed_in_round", Integer, nullable=True),  # the first round it was part of
    Column("removed_at", DateTime(timezone=True), nullable=True),
    Column("object_deleted_at", DateTime(timezone=True), nullable=True),
    Column("restored_as", Uuid, nullable=True),  # the removal was undone: the image that it is now
    Index("images_application_no", "application_no", "item"),
    Index(
        "images_to_delete",
        "removed_at",
        postgresql_where=text("removed_at IS NOT NULL AND handed_in_round IS NULL AND object_deleted_at IS NULL"),
    ),
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", Uuid, primary_key=True),
    Column("application_no", Text, ForeignKey("applications.application_no"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("tier", Text, nullable=False),
    Column("items", JSONB, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("feedback_application_no", "application_no", "at"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("application_no", Text, ForeignKey("applications.application_no"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("details", JSONB, nullable=False, server_default="[]"),
)

# What open pages are told; written under the application's lock, so `seq` has no gap and no twin.
page_events = Table(
    "page_events",
    metadata,
    Column("application_no", Text, ForeignKey("applications.application_no"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("page_events_at", "at"),
)

# The development account adapter's store; in production accounts belong to the registration system.
accounts = Table(
    "accounts",
    metadata,
    Column("application_no", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
)

account_tables(metadata)
photo_checks = photo_checks_table(metadata)
registration_photos = registration_photos_table(metadata)

registry(metadata=metadata).map_imperatively(
    Application,
    applications,
    exclude_properties=["id_number_hash", "created_at"],
)
