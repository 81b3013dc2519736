"""Notify's own tables."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.messaging.tables import messaging_tables

metadata = MetaData()
messaging_tables(metadata)

applications = Table(
    "applications",
    metadata,
    Column("application_no", Text, primary_key=True),
    Column("registration_revision", Integer, nullable=False, server_default="0"),
    Column("sealed", JSONB(none_as_null=True), nullable=True),  # null: the registration was not heard yet
    Column("site", Text, nullable=True),
    # A phone that the candidate changed, and the registration's contact at that moment: a registration whose phone
    # is another one than it was then counts again.
    Column("contact_revision", Integer, nullable=False, server_default="0"),
    Column("contact", JSONB(none_as_null=True), nullable=True),
    Column("contact_over", JSONB(none_as_null=True), nullable=True),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("pack_id", Text, nullable=True),
    Column("pack_version", Integer, nullable=True),  # of the newest submission; null before the first
    # SMS that asked for something at a lower revision than this are not sent any more.
    Column("overtaken_revision", Integer, nullable=False, server_default="0"),
)

packs = Table(
    "packs",
    metadata,
    Column("pack_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("pack", JSONB, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("application_no", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("hidden_until", DateTime(timezone=True), nullable=True),
    Column("content", JSONB, nullable=False),
    Column("shown_at", DateTime(timezone=True), nullable=True),  # when the inbox's delivery was told
    Column("read_at", DateTime(timezone=True), nullable=True),
    Column("heard_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint(
        "about IN ('submitted', 'reopened', 'returned', 'published', 'withdrawn', 'deadline_near', 'lapsed')",
        name="notices_about",
    ),
    Index("notices_inbox", "application_no", "at", "notice_id"),
    Index("notices_to_show", "hidden_until", postgresql_where=text("shown_at IS NULL")),
)

messages = Table(
    "messages",
    metadata,
    Column("notice_id", Uuid, ForeignKey("notices.notice_id", ondelete="CASCADE"), primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("overtaken_after", Integer, nullable=True),  # null: sent whatever follows
    Column("not_before", DateTime(timezone=True), nullable=True),
    Column("next_try_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("text", Text, nullable=True),  # fixed at the first try, so that a repeat says the same
    Column("provider_id", Text, nullable=True),
    Column("failure", Text, nullable=True),
    Column("ended_at", DateTime(timezone=True), nullable=True),
    CheckConstraint("status IN ('pending', 'sending', 'sent', 'failed', 'superseded')", name="messages_status"),
    Index("messages_to_send", "next_try_at", postgresql_where=text("status IN ('pending', 'sending')")),
)

codes = Table(
    "codes",
    metadata,
    Column("code_id", Uuid, primary_key=True),
    Column("application_no", Text, nullable=False),
    Column("sealed", JSONB(none_as_null=True), nullable=True),  # null as soon as it was sent, or is worth nothing
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("next_try_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("failure", Text, nullable=True),
    Column("ended_at", DateTime(timezone=True), nullable=True),
    CheckConstraint("status IN ('pending', 'sending', 'sent', 'failed', 'expired')", name="codes_status"),
    CheckConstraint("(sealed IS NULL) = (ended_at IS NOT NULL)", name="codes_sealed_until_ended"),
    Index("codes_to_send", "next_try_at", postgresql_where=text("status IN ('pending', 'sending')")),
    Index("codes_expires_at", "expires_at"),
)
