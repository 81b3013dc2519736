"""A session has an id that may be shown, and a word for the device."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_sessions"
down_revision = "review_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sessions", sa.Column("session_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    )
    op.add_column("sessions", sa.Column("device", sa.Text(), server_default="", nullable=False))
    op.create_index("sessions_session_id", "sessions", ["session_id"], unique=True)


def downgrade() -> None:
    op.drop_index("sessions_session_id", "sessions")
    op.drop_column("sessions", "device")
    op.drop_column("sessions", "session_id")
