"""What the wider look needs: fingerprints, second tries, what staff were told, photo checks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "looks"
down_revision = "first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checks", sa.Column("region", sa.Text(), nullable=True))
    op.add_column("checks", sa.Column("fingerprint", sa.LargeBinary(), nullable=True))
    op.add_column("checks", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    there = sa.text("removed_at IS NULL")
    op.create_index("checks_of_application", "checks", ["application_no"], postgresql_where=there)
    op.create_index("checks_sha256", "checks", ["sha256"], postgresql_where=there)
    op.create_table(
        "suspects",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("event", postgresql.JSONB(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.create_index("suspects_heard_at", "suspects", ["heard_at"])
    op.create_table(
        "told_to_staff",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("read_no", sa.Integer(), server_default="1", nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("mirrored", sa.Boolean(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("about IN ('reading', 'copies')", name="told_to_staff_about"),
        sa.PrimaryKeyConstraint("image_id", "about"),
    )
    op.create_table(
        "photo_checks",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("check_no", sa.Integer(), server_default="1", nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("photo", postgresql.JSONB(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict IN ('pass', 'fail')", name="photo_checks_verdict"),
        sa.PrimaryKeyConstraint("photo_id"),
    )


def downgrade() -> None:
    op.drop_table("photo_checks")
    op.drop_table("told_to_staff")
    op.drop_table("suspects")
    op.drop_index("checks_sha256", "checks")
    op.drop_index("checks_of_application", "checks")
    op.drop_column("checks", "removed_at")
    op.drop_column("checks", "fingerprint")
    op.drop_column("checks", "region")
