"""The order of a pack's reasons for a return."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_28_reasons"
down_revision = "2026_11_28_append_only"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "packs", sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'"))
    )


def downgrade() -> None:
    op.drop_column("packs", "reasons")
