"""Withdrawn, lapsed and near deadlines; changed phones; codes; SMS that were overtaken."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "2026_11_21_second"
down_revision = "first"
branch_labels = None
depends_on = None

_ABOUTS = "'submitted', 'reopened', 'returned', 'published'"
_STATUSES = "'pending', 'sending', 'sent', 'failed'"


def upgrade() -> None:
    op.add_column("applications", sa.Column("site", sa.Text, nullable=True))
    op.add_column("applications", sa.Column("contact_revision", sa.Integer, nullable=False, server_default="0"))
    op.add_column("applications", sa.Column("contact", JSONB, nullable=True))
    op.add_column("applications", sa.Column("contact_over", JSONB, nullable=True))
    op.add_column("applications", sa.Column("overtaken_revision", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE applications SET overtaken_revision = revision")
    op.add_column("messages", sa.Column("overtaken_after", sa.Integer, nullable=True))
    _allow("notices", "notices_about", f"about IN ({_ABOUTS}, 'withdrawn', 'deadline_near', 'lapsed')")
    _allow("messages", "messages_status", f"status IN ({_STATUSES}, 'superseded')")
    op.create_table(
        "codes",
        sa.Column("code_id", sa.Uuid, primary_key=True),
        sa.Column("application_no", sa.Text, nullable=False),
        sa.Column("sealed", JSONB, nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="pending"),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failure", sa.Text, nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'sending', 'sent', 'failed', 'expired')", name="codes_status"),
        sa.CheckConstraint("(sealed IS NULL) = (ended_at IS NOT NULL)", name="codes_sealed_until_ended"),
    )
    op.create_index(
        "codes_to_send", "codes", ["next_try_at"], postgresql_where=sa.text("status IN ('pending', 'sending')")
    )
    op.create_index("codes_expires_at", "codes", ["expires_at"])


def downgrade() -> None:
    op.drop_table("codes")
    op.execute("DELETE FROM notices WHERE about IN ('withdrawn', 'deadline_near', 'lapsed')")
    op.execute("DELETE FROM messages WHERE status = 'superseded'")
    _allow("messages", "messages_status", f"status IN ({_STATUSES})")
    _allow("notices", "notices_about", f"about IN ({_ABOUTS})")
    op.drop_column("messages", "overtaken_after")
    for name in ("overtaken_revision", "contact_over", "contact", "contact_revision", "site"):
        op.drop_column("applications", name)


def _allow(table: str, constraint: str, condition: str) -> None:
    op.drop_constraint(constraint, table, type_="check")
    op.create_check_constraint(constraint, table, condition)
