"""The photo check and the registration photo."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_28_photos"
down_revision = "2026_11_21_third"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '5s'")
    _photo_checks()
    _registration_photos()


def _photo_checks() -> None:
    op.create_table(
        "photo_checks",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("declared", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default="checking", nullable=False),
        sa.Column("check_no", sa.Integer(), server_default="0", nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("photo_key", sa.Text(), nullable=True),
        sa.Column("photo_sha256", sa.Text(), nullable=True),
        sa.Column("photo_size", sa.Integer(), nullable=True),
        sa.Column("photo_width", sa.Integer(), nullable=True),
        sa.Column("photo_height", sa.Integer(), nullable=True),
        sa.Column("photo_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("photo_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["application_no"], ["applications.application_no"]),
        sa.PrimaryKeyConstraint("photo_id"),
        sa.UniqueConstraint("object_key"),
    )
    op.create_index("photo_checks_application_no", "photo_checks", ["application_no", "requested_at"])
    op.create_index(
        "photo_checks_unswept",
        "photo_checks",
        ["requested_at"],
        postgresql_where=sa.text("swept_at IS NULL"),
    )
    op.create_index(
        "photo_checks_photos",
        "photo_checks",
        ["photo_expires_at"],
        postgresql_where=sa.text("photo_key IS NOT NULL AND photo_deleted_at IS NULL AND NOT registered"),
    )


def _registration_photos() -> None:
    op.create_table(
        "registration_photos",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("declared", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_in_round", sa.Integer(), nullable=True),
        sa.Column("object_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["application_no"], ["applications.application_no"]),
        sa.PrimaryKeyConstraint("nonce"),
        sa.UniqueConstraint("object_key"),
    )
    op.create_index("registration_photos_application_no", "registration_photos", ["application_no", "accepted_at"])
    op.create_index(
        "registration_photos_current",
        "registration_photos",
        ["application_no"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_index(
        "registration_photos_to_delete",
        "registration_photos",
        ["replaced_at"],
        postgresql_where=sa.text("replaced_at IS NOT NULL AND handed_in_round IS NULL AND object_deleted_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("registration_photos", "photo_checks"):
        op.drop_table(table)
