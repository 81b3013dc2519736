"""The whole journey: withdrawing, lapsing, deadlines, rules that are followed, page events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_21_second"
down_revision = "upload_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '5s'")
    for column in (
        sa.Column("page_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=True),
        sa.Column("reopened_by_change", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("warned_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("warned_hours", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided", sa.Text(), nullable=True),
        sa.Column("decided_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opinion_noted", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("applications", column)
    # Lines of the first version's timelines were written at once, so nothing of them is to be noted again.
    op.execute("UPDATE applications SET opinion_noted = effective_at WHERE effective_at IS NOT NULL")
    op.create_index(
        "applications_rules",
        "applications",
        ["pack_id", "rules_version", "application_no"],
        postgresql_where=sa.text("pack_version IS NULL AND state IN ('draft', 'withdrawn')"),
    )
    op.create_index(
        "applications_deadline",
        "applications",
        ["pack_id", "application_no"],
        postgresql_where=sa.text("state IN ('draft', 'withdrawn', 'returned')"),
    )
    op.create_index(
        "applications_opinion",
        "applications",
        ["effective_at"],
        postgresql_where=sa.text("effective_at IS NOT NULL AND opinion_noted IS DISTINCT FROM effective_at"),
    )
    op.add_column("images", sa.Column("restored_as", sa.Uuid(), nullable=True))
    op.add_column(
        "timeline",
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.create_table(
        "page_events",
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["application_no"], ["applications.application_no"]),
        sa.PrimaryKeyConstraint("application_no", "seq"),
    )
    op.create_index("page_events_at", "page_events", ["at"])


def downgrade() -> None:
    op.drop_table("page_events")
    op.drop_column("timeline", "details")
    op.drop_column("images", "restored_as")
    for index in ("applications_opinion", "applications_deadline", "applications_rules"):
        op.drop_index(index, "applications")
    for column in (
        "opinion_noted",
        "decided_revision",
        "decided",
        "lapsed_at",
        "withdrawn_at",
        "warned_hours",
        "warned_for",
        "reopened_by_change",
        "rules_version",
        "page_seq",
    ):
        op.drop_column("applications", column)
