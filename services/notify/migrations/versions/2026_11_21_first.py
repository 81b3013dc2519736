"""The first tables: whom to reach, what to call things, notices, and their SMS."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.messaging.tables import create_messaging_tables, drop_messaging_tables

revision = "first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_messaging_tables()
    op.create_table(
        "applications",
        sa.Column("application_no", sa.Text, primary_key=True),
        sa.Column("registration_revision", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sealed", JSONB, nullable=True),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
        sa.Column("pack_id", sa.Text, nullable=True),
        sa.Column("pack_version", sa.Integer, nullable=True),
    )
    op.create_table(
        "packs",
        sa.Column("pack_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("pack", JSONB, nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Uuid, primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("application_no", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hidden_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("about IN ('submitted', 'reopened', 'returned', 'published')", name="notices_about"),
    )
    op.create_index("notices_inbox", "notices", ["application_no", "at", "notice_id"])
    op.create_index("notices_to_show", "notices", ["hidden_until"], postgresql_where=sa.text("shown_at IS NULL"))
    op.create_table(
        "messages",
        sa.Column("notice_id", sa.Uuid, sa.ForeignKey("notices.notice_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("application_no", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="pending"),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("text", sa.Text, nullable=True),
        sa.Column("provider_id", sa.Text, nullable=True),
        sa.Column("failure", sa.Text, nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'sending', 'sent', 'failed')", name="messages_status"),
    )
    op.create_index(
        "messages_to_send",
        "messages",
        ["next_try_at"],
        postgresql_where=sa.text("status IN ('pending', 'sending')"),
    )


def downgrade() -> None:
    for name in ("messages", "notices", "packs", "applications"):
        op.drop_table(name)
    drop_messaging_tables()
