"""Activation, captchas, failed logins, phone changes; sessions have an id that may be shown."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_third"
down_revision = "2026_11_21_second"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '5s'")
    op.add_column(
        "sessions", sa.Column("session_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    )
    op.add_column("sessions", sa.Column("device", sa.Text(), server_default="", nullable=False))
    op.create_index("sessions_session_id", "sessions", ["session_id"], unique=True)
    op.create_table(
        "activations",
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_no"),
    )
    # Who had an account before there was an activation goes on logging in as before.
    op.execute("INSERT INTO activations (application_no, activated_at) SELECT application_no, now() FROM accounts")
    op.create_table(
        "captchas",
        sa.Column("captcha_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("spoken", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("captcha_id"),
    )
    op.create_index("captchas_expires_at", "captchas", ["expires_at"])
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("who", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id"),
    )
    op.create_index("attempts_who", "attempts", ["kind", "who", "at"])
    op.create_index("attempts_at", "attempts", ["at"])
    op.create_table(
        "phone_codes",
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["application_no"], ["applications.application_no"]),
        sa.PrimaryKeyConstraint("code_id"),
    )
    op.create_index("phone_codes_application_no", "phone_codes", ["application_no", "requested_at"])
    op.create_index("phone_codes_phone_hash", "phone_codes", ["phone_hash", "requested_at"])
    op.create_index("phone_codes_requested_at", "phone_codes", ["requested_at"])
    op.create_table(
        "contacts",
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("contact_revision", sa.Integer(), nullable=False),
        sa.Column("sealed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("registered_hash", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["application_no"], ["applications.application_no"]),
        sa.PrimaryKeyConstraint("application_no"),
    )


def downgrade() -> None:
    for table in ("contacts", "phone_codes", "attempts", "captchas", "activations"):
        op.drop_table(table)
    op.drop_index("sessions_session_id", "sessions")
    op.drop_column("sessions", "device")
    op.drop_column("sessions", "session_id")
