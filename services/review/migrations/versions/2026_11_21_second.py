"""Withdrawn and lapsed applications; what is required of a candidate; when and by which round an image was replaced."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_second"
down_revision = "2026_11_21_sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("reopened_as", sa.Text(), nullable=True))
    op.add_column(
        "reviews", sa.Column("required_items", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("reviews", sa.Column("uploads", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("reviews", sa.Column("passed_revision", sa.Integer(), server_default="0", nullable=False))
    op.add_column("images", sa.Column("confirmed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("images", sa.Column("replaced_round", sa.Integer(), nullable=True))
    op.add_column("images", sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("reviews_unfinished", table_name="reviews")
    op.create_index(
        "reviews_unfinished",
        "reviews",
        ["region", "year"],
        postgresql_where=sa.text("state NOT IN ('decided', 'withdrawn', 'lapsed')"),
    )
    # What was replaced before this was kept: by the round after its last one, at the time that is known.
    op.execute(
        """
        UPDATE images SET replaced_round = images.last_round + 1, replaced_at = coalesce(
            (SELECT min(history.at) FROM history
             WHERE history.application_no = images.application_no AND history.act = 'submitted'
               AND history.round > images.last_round),
            reviews.submitted_at)
        FROM reviews
        WHERE reviews.application_no = images.application_no AND images.last_round < reviews.round
        """
    )
    op.execute(
        """
        UPDATE reviews SET passed_revision = passed.revision
        FROM (SELECT application_no, max(revision) AS revision FROM history WHERE act = 'passed' GROUP BY 1) AS passed
        WHERE passed.application_no = reviews.application_no
        """
    )


def downgrade() -> None:
    op.drop_index("reviews_unfinished", table_name="reviews")
    op.create_index("reviews_unfinished", "reviews", ["region", "year"], postgresql_where=sa.text("state <> 'decided'"))
    op.drop_column("images", "replaced_at")
    op.drop_column("images", "replaced_round")
    op.drop_column("images", "confirmed")
    op.drop_column("reviews", "passed_revision")
    op.drop_column("reviews", "uploads")
    op.drop_column("reviews", "required_items")
    op.drop_column("applications", "reopened_as")
