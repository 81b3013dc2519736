"""The first tables: checks, and removals heard before the look."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.messaging.tables import create_messaging_tables, drop_messaging_tables

revision = "first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_messaging_tables()
    op.create_table(
        "checks",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("check_no", sa.Integer(), server_default="1", nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("metrics", postgresql.JSONB(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict IN ('accept', 'review', 'reject', 'gone')", name="checks_verdict"),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.create_table(
        "removed_images",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.create_index("removed_images_heard_at", "removed_images", ["heard_at"])


def downgrade() -> None:
    op.drop_table("removed_images")
    op.drop_table("checks")
    drop_messaging_tables()
