"""Tables about people rather than applications: who is activated, who guesses, who changes a phone."""

from sqlalchemy import (
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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.security.attempts import attempts_table


def account_tables(metadata: MetaData) -> None:
    """Add them to upload's metadata."""
    # Ours, whatever system the accounts belong to.
    Table(
        "activations",
        metadata,
        Column("application_no", Text, primary_key=True),
        Column("activated_at", DateTime(timezone=True), nullable=False),
    )
    # The digits are derived from the id: whoever reads this table learns no answer.
    Table(
        "captchas",
        metadata,
        Column("captcha_id", Uuid, primary_key=True),
        Column("expires_at", DateTime(timezone=True), nullable=False),
        Column("drawn", Integer, nullable=False, server_default="0"),
        Column("spoken", Integer, nullable=False, server_default="0"),
        Index("captchas_expires_at", "expires_at"),
    )
    attempts_table(metadata)
    Table(
        "phone_codes",
        metadata,
        Column("code_id", Uuid, primary_key=True),
        Column("application_no", Text, ForeignKey("applications.application_no"), nullable=False),
        Column("phone_hash", LargeBinary, nullable=False),
        Column("code_hash", LargeBinary, nullable=False),
        Column("sealed", JSONB, nullable=False),  # CodeToSend
        Column("requested_at", DateTime(timezone=True), nullable=False),
        Column("expires_at", DateTime(timezone=True), nullable=False),
        Column("tries", Integer, nullable=False, server_default="0"),
        Column("ended", Boolean, nullable=False, server_default=text("false")),
        Index("phone_codes_application_no", "application_no", "requested_at"),
        Index("phone_codes_phone_hash", "phone_hash", "requested_at"),
        Index("phone_codes_requested_at", "requested_at"),
    )
    # The phone that a candidate chose, over the one that the registration had at that time.
    Table(
        "contacts",
        metadata,
        Column("application_no", Text, ForeignKey("applications.application_no"), primary_key=True),
        Column("contact_revision", Integer, nullable=False),
        Column("sealed", JSONB, nullable=False),  # Person
        Column("registered_hash", LargeBinary, nullable=False),
        Column("changed_at", DateTime(timezone=True), nullable=False),
    )
