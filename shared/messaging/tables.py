"""The four tables that every service's database has, whatever else is in it."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

STATUSES = ("dead", "parked", "replaying")


def messaging_tables(metadata: MetaData) -> None:
    """Add outbox, inbox, parked_keys and dead_letters to a service's metadata."""
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("body", LargeBinary, nullable=True),  # null: a tombstone
        Column("headers", JSONB, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    Table(
        "inbox",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("heard_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("inbox_heard_at", "heard_at"),
    )
    Table(
        "parked_keys",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("parked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    Table(
        "dead_letters",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("consumer_group", Text, nullable=False),
        Column("parking_key", Text, nullable=True),  # null: the record could not be read, so nothing waits for it
        Column("status", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("record_key", Text, nullable=True),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=True),
        Column("body_sealed_by", Text, nullable=True),  # key id, where the body could not be decoded
        Column("error", Text, nullable=False),
        Column("tries", Integer, nullable=False, server_default="0"),
        Column("replay_requested_at", DateTime(timezone=True), nullable=True),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("dead_letters_record", "consumer_group", "topic", "partition", "offset", unique=True),
        Index("dead_letters_parking_key", "consumer_group", "parking_key", "id"),
    )


def create_messaging_tables() -> None:
    """For a service's first migration. A later change gets a function of its own here, called by a new migration."""
    metadata = MetaData()
    messaging_tables(metadata)
    metadata.create_all(op.get_bind())


def drop_messaging_tables() -> None:
    """The way back of `create_messaging_tables`."""
    for name in ("dead_letters", "parked_keys", "inbox", "outbox"):
        op.drop_table(name)
