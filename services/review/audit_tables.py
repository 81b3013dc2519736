"""The audit trail: what staff saw and did. Lines are added with their act, chained by the sealer, and never changed."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, MetaData, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB


def audit_tables(metadata: MetaData) -> None:
    """Add them to review's metadata."""
    Table(
        "audit",
        metadata,
        Column("line_id", BigInteger, Identity(always=True), primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("act", Text, nullable=False),
        Column("outcome", Text, nullable=False),  # done, or refused
        Column("staff_id", Uuid, nullable=True),  # null: a login that failed, or the system
        Column("role", Text, nullable=True),
        Column("application_no", Text, nullable=True),
        Column("region", Text, nullable=True),
        Column("site", Text, nullable=True),
        Column("address", Text, nullable=True),
        Column("device", Text, nullable=True),
        Column("detail", JSONB, nullable=False),
        # Given by the sealer, in the order of the chain; null until then.
        Column("seq", BigInteger, nullable=True),
        Column("hash", Text, nullable=True),
        Index("audit_seq", "seq", unique=True),
        Index("audit_unsealed", "line_id", postgresql_where=text("seq IS NULL")),
        # Lists are by time, whatever they are narrowed to: a page costs the same at any size, also of a month long ago.
        Index("audit_by_time", "at", "line_id"),
        Index("audit_of_application", "application_no", "at", "line_id"),
        Index("audit_of_staff", "staff_id", "at", "line_id"),
        Index("audit_of_region", "region", "at", "line_id"),
        Index("audit_acts", "act", "at", "line_id"),
    )
    Table(
        "audit_seals",
        metadata,
        Column("batch_no", Integer, primary_key=True, autoincrement=False),
        Column("chain_id", Uuid, nullable=False),
        Column("first_seq", BigInteger, nullable=False),
        Column("last_seq", BigInteger, nullable=False),
        Column("previous_head", Text, nullable=False),
        Column("head", Text, nullable=False),
        Column("sealed_at", DateTime(timezone=True), nullable=False),
        Column("key_id", Text, nullable=False),
        Column("signature", Text, nullable=False),
    )
