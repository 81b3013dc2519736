"""What was read from images and where else they were handed in; the registration photo; the same image again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_28_readings"
down_revision = "2026_11_21_second"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "readings",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("read_no", sa.Integer(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sealed", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("mirrored", sa.Boolean(), nullable=True),
        sa.Column("copies", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("image_id", "about"),
    )
    op.add_column("reviews", sa.Column("photo_key", sa.Text(), nullable=True))
    op.add_column("reviews", sa.Column("photo_sha256", sa.Text(), nullable=True))
    op.add_column("reviews", sa.Column("photo_size", sa.Integer(), nullable=True))
    op.add_column("reviews", sa.Column("photo_accepted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "marks", sa.Column("same_images_allowed", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("marks", "same_images_allowed")
    op.drop_column("reviews", "photo_accepted_at")
    op.drop_column("reviews", "photo_size")
    op.drop_column("reviews", "photo_sha256")
    op.drop_column("reviews", "photo_key")
    op.drop_table("readings")
