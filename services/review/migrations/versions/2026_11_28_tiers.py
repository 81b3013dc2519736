"""Queues, acts that may be undone, second reviewers, publications in chunks, second factors, and the audit trail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_28_tiers"
down_revision = "2026_11_28_readings"
branch_labels = None
depends_on = None

ATTENTION = "(returns >= 3 AND state NOT IN ('decided', 'withdrawn', 'lapsed')) OR (returns > 0 AND state = 'lapsed')"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("line_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("application_no", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("line_id"),
    )
    op.create_index("audit_acts", "audit", ["act", "at", "line_id"], unique=False)
    op.create_index("audit_by_time", "audit", ["at", "line_id"], unique=False)
    op.create_index("audit_of_application", "audit", ["application_no", "at", "line_id"], unique=False)
    op.create_index("audit_of_region", "audit", ["region", "at", "line_id"], unique=False)
    op.create_index("audit_of_staff", "audit", ["staff_id", "at", "line_id"], unique=False)
    op.create_index("audit_seq", "audit", ["seq"], unique=True)
    op.create_index("audit_unsealed", "audit", ["line_id"], unique=False, postgresql_where=sa.text("seq IS NULL"))
    op.create_table(
        "audit_seals",
        sa.Column("batch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.Uuid(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("previous_head", sa.Text(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_no"),
    )
    op.create_table(
        "acts",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_no"],
            ["reviews.application_no"],
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("act_id"),
    )
    op.create_index("acts_of_application", "acts", ["application_no", "made_at"], unique=False)
    op.create_index("acts_pending", "acts", ["due_at"], unique=False, postgresql_where=sa.text("ended IS NULL"))
    op.create_table(
        "false_materials",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("image_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_no"],
            ["reviews.application_no"],
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"],
            ["staff.id"],
        ),
        sa.PrimaryKeyConstraint("record_id"),
    )
    op.create_index(
        "false_materials_of_application", "false_materials", ["application_no", "recorded_at"], unique=False
    )
    op.add_column("sessions", sa.Column("through", sa.Text(), server_default="password", nullable=False))
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("who", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id"),
    )
    op.create_index("attempts_at", "attempts", ["at"], unique=False)
    op.create_index("attempts_who", "attempts", ["kind", "who", "at"], unique=False)
    op.create_table(
        "enrolments",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("staff_id"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("staff_id", "code_hash"),
    )
    op.create_table(
        "publication_lines",
        sa.Column("publication_id", sa.Uuid(), nullable=False),
        sa.Column("application_no", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.publication_id"],
        ),
        sa.PrimaryKeyConstraint("publication_id", "application_no"),
    )
    op.create_index("publication_lines_of_application", "publication_lines", ["application_no"], unique=False)
    op.add_column("applications", sa.Column("id_number_hash", sa.LargeBinary(), nullable=True))
    op.add_column("applications", sa.Column("name_hash", sa.LargeBinary(), nullable=True))
    op.create_index(
        "applications_id_number_hash",
        "applications",
        ["id_number_hash", "application_no"],
        unique=False,
        postgresql_where=sa.text("id_number_hash IS NOT NULL"),
    )
    op.create_index(
        "applications_name_hash",
        "applications",
        ["name_hash", "application_no"],
        unique=False,
        postgresql_where=sa.text("name_hash IS NOT NULL"),
    )
    op.create_index(
        "applications_to_hash",
        "applications",
        ["application_no"],
        unique=False,
        postgresql_where=sa.text("sealed IS NOT NULL AND id_number_hash IS NULL"),
    )
    op.add_column(
        "publications", sa.Column("supplementary", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("publications", sa.Column("told", sa.Integer(), server_default="0", nullable=False))
    op.add_column("publications", sa.Column("told_up_to", sa.Text(), server_default="", nullable=False))
    op.add_column("publications", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "publications_running",
        "publications",
        ["published_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.add_column("reviews", sa.Column("queue", sa.Text(), nullable=True))
    op.add_column(
        "reviews",
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.text("'9999-01-01 00:00:00+00'"), nullable=False
        ),
    )
    op.add_column("reviews", sa.Column("returns", sa.Integer(), server_default="0", nullable=False))
    op.add_column("reviews", sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("reviews", sa.Column("findings", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column(
        "reviews", sa.Column("category", sa.Text(), sa.Computed("facts ->> 'category'", persisted=True), nullable=True)
    )
    op.add_column(
        "reviews",
        sa.Column("education", sa.Text(), sa.Computed("facts ->> 'education'", persisted=True), nullable=True),
    )
    op.add_column("reviews", sa.Column("recommended_opinion", sa.Text(), nullable=True))
    op.add_column("reviews", sa.Column("recommended_words", sa.Text(), nullable=True))
    op.add_column("reviews", sa.Column("recommended_by", sa.Uuid(), nullable=True))
    op.add_column("reviews", sa.Column("proposed_opinion", sa.Text(), nullable=True))
    op.add_column("reviews", sa.Column("proposed_words", sa.Text(), nullable=True))
    op.add_column("reviews", sa.Column("proposed_by", sa.Uuid(), nullable=True))
    op.add_column("reviews", sa.Column("act_id", sa.Uuid(), nullable=True))
    op.add_column("reviews", sa.Column("publication_id", sa.Uuid(), nullable=True))
    op.create_index(
        "reviews_attention",
        "reviews",
        ["region", "submitted_at", "application_no"],
        unique=False,
        postgresql_where=sa.text(ATTENTION),
    )
    op.create_index(
        "reviews_attention_nation",
        "reviews",
        ["submitted_at", "application_no"],
        unique=False,
        postgresql_where=sa.text(ATTENTION),
    )
    op.create_index("reviews_of_nation", "reviews", ["state", "submitted_at", "application_no"], unique=False)
    op.create_index(
        "reviews_queue_nation",
        "reviews",
        ["tier", "queue", "due_at", "submitted_at", "application_no"],
        unique=False,
        postgresql_where=sa.text("queue IS NOT NULL"),
    )
    op.create_index(
        "reviews_to_escalate",
        "reviews",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("queue IS NOT NULL AND escalated_at IS NULL"),
    )
    op.create_index(
        "reviews_queue_region",
        "reviews",
        ["region", "tier", "queue", "due_at", "submitted_at", "application_no"],
        unique=False,
        postgresql_where=sa.text("queue IS NOT NULL"),
    )
    op.create_index(
        "reviews_queue_region_category",
        "reviews",
        ["region", "category", "tier", "queue", "due_at", "submitted_at", "application_no"],
        unique=False,
        postgresql_where=sa.text("queue IS NOT NULL"),
    )
    op.create_index(
        "reviews_queue_region_education",
        "reviews",
        ["region", "education", "tier", "queue", "due_at", "submitted_at", "application_no"],
        unique=False,
        postgresql_where=sa.text("queue IS NOT NULL"),
    )
    op.create_index(
        "reviews_queue_site",
        "reviews",
        ["site", "tier", "queue", "due_at", "submitted_at", "application_no"],
        unique=False,
        postgresql_include=["region"],
        postgresql_where=sa.text("queue IS NOT NULL"),
    )
    op.create_index(
        "reviews_queue_site_category",
        "reviews",
        ["site", "category", "tier", "queue", "due_at", "submitted_at", "application_no"],
        unique=False,
        postgresql_where=sa.text("queue IS NOT NULL"),
    )
    op.create_index(
        "reviews_queue_site_education",
        "reviews",
        ["site", "education", "tier", "queue", "due_at", "submitted_at", "application_no"],
        unique=False,
        postgresql_where=sa.text("queue IS NOT NULL"),
    )
    op.execute("DROP INDEX reviews_of_site")
    op.execute("CREATE INDEX reviews_of_site ON reviews (site, state, submitted_at, application_no) INCLUDE (region)")
    op.add_column("staff", sa.Column("totp_key_id", sa.Text(), nullable=True))
    op.add_column("staff", sa.Column("totp_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("staff", sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("staff", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.add_column("staff", sa.Column("oidc_issuer", sa.Text(), nullable=True))
    op.add_column("staff", sa.Column("oidc_subject", sa.Text(), nullable=True))
    op.alter_column("staff", "region", existing_type=sa.TEXT(), nullable=True)
    op.alter_column("staff", "password_hash", existing_type=sa.TEXT(), nullable=True)
    op.create_index("staff_of_region", "staff", ["region", "login"], unique=False)
    op.create_index("staff_oidc", "staff", ["oidc_issuer", "oidc_subject"], unique=True)
    op.create_index(
        "history_acts",
        "history",
        ["at"],
        unique=False,
        postgresql_include=["act", "application_no", "staff_id"],
        postgresql_where=sa.text("act IN ('submitted', 'returned', 'passed', 'decided', 'agreed', 'undone')"),
    )
    op.create_index(
        "reviews_of_year",
        "reviews",
        ["region", "year", "application_no"],
        unique=False,
        postgresql_include=["site", "state", "tier", "submitted_at", "due_at", "returns"],
    )
    op.create_index(
        "reviews_with_findings",
        "reviews",
        ["region", "year", "submitted_at"],
        unique=False,
        postgresql_where=sa.text("findings <> '{}'"),
    )
    # Those that wait now wait in a queue; what was given back before counts.
    op.execute(
        """
        UPDATE reviews SET queue = CASE
            WHEN state = 'at_site' AND route = 'onsite' THEN 'onsite'
            WHEN round > 1 AND NOT (state = 'at_region' AND passed_revision = revision) THEN 'resubmitted'
            ELSE 'new' END
        WHERE state IN ('at_site', 'at_region')
        """
    )
    op.execute(
        """
        UPDATE reviews SET returns = counted.n
        FROM (SELECT application_no, count(*) AS n FROM history WHERE act = 'returned' GROUP BY 1) AS counted
        WHERE counted.application_no = reviews.application_no
        """
    )
    # What the checks said of present images, and when each should have gone on its way: as `upkeep.py` keeps them.
    op.execute(
        """
        UPDATE reviews SET findings = n.codes
        FROM (
            SELECT i.application_no, array_agg(DISTINCT f.code ORDER BY f.code) AS codes
            FROM images i JOIN reviews r ON r.application_no = i.application_no AND i.last_round = r.round
            JOIN checks c USING (image_id)
            CROSS JOIN LATERAL jsonb_to_recordset(c.findings) AS f(code text, severity text)
            WHERE f.severity IN ('review', 'reject')
            GROUP BY i.application_no
        ) AS n
        WHERE n.application_no = reviews.application_no
        """
    )
    op.execute(
        """
        UPDATE reviews SET due_at = coalesce(least(
            reviews.submitted_at + make_interval(days => CAST(p.content ->> 'service_level_days' AS int)),
            CAST(p.content #>> '{windows,review,closes}' AS timestamp)
                AT TIME ZONE (p.content #>> '{windows,review,time_zone}')
        ), reviews.due_at)
        FROM packs p WHERE p.pack_id = reviews.pack_id AND p.version = reviews.pack_version
        """
    )
    # What was published before was told in the same transaction.
    op.execute("UPDATE publications SET told = applications, finished_at = published_at")


def downgrade() -> None:
    # Accounts that the code before knows nothing of.
    op.execute("DELETE FROM staff WHERE region IS NULL OR password_hash IS NULL")
    op.drop_index("staff_oidc", table_name="staff")
    op.drop_index("staff_of_region", table_name="staff")
    op.alter_column("staff", "password_hash", existing_type=sa.TEXT(), nullable=False)
    op.alter_column("staff", "region", existing_type=sa.TEXT(), nullable=False)
    op.drop_column("staff", "oidc_subject")
    op.drop_column("staff", "oidc_issuer")
    op.drop_column("staff", "totp_last_step")
    op.drop_column("staff", "totp_confirmed_at")
    op.drop_column("staff", "totp_sealed")
    op.drop_column("staff", "totp_key_id")
    op.execute("DROP INDEX reviews_of_site")
    op.execute("CREATE INDEX reviews_of_site ON reviews (site, state, submitted_at, application_no)")
    op.drop_index("reviews_queue_site_education", table_name="reviews", postgresql_where=sa.text("queue IS NOT NULL"))
    op.drop_index("reviews_queue_site_category", table_name="reviews", postgresql_where=sa.text("queue IS NOT NULL"))
    op.drop_index("reviews_queue_site", table_name="reviews", postgresql_where=sa.text("queue IS NOT NULL"))
    op.drop_index("reviews_queue_region_education", table_name="reviews", postgresql_where=sa.text("queue IS NOT NULL"))
    op.drop_index("reviews_queue_region_category", table_name="reviews", postgresql_where=sa.text("queue IS NOT NULL"))
    op.drop_index("reviews_queue_region", table_name="reviews", postgresql_where=sa.text("queue IS NOT NULL"))
    op.drop_index(
        "reviews_to_escalate",
        table_name="reviews",
        postgresql_where=sa.text("queue IS NOT NULL AND escalated_at IS NULL"),
    )
    op.drop_index("reviews_queue_nation", table_name="reviews", postgresql_where=sa.text("queue IS NOT NULL"))
    op.drop_index("reviews_of_nation", table_name="reviews")
    op.drop_index("reviews_attention_nation", table_name="reviews", postgresql_where=sa.text(ATTENTION))
    op.drop_index("reviews_attention", table_name="reviews", postgresql_where=sa.text(ATTENTION))
    op.drop_index("reviews_with_findings", table_name="reviews", postgresql_where=sa.text("findings <> '{}'"))
    op.drop_index("reviews_of_year", table_name="reviews")
    op.drop_index("history_acts", table_name="history")
    op.drop_column("reviews", "publication_id")
    op.drop_column("reviews", "act_id")
    op.drop_column("reviews", "proposed_by")
    op.drop_column("reviews", "proposed_words")
    op.drop_column("reviews", "proposed_opinion")
    op.drop_column("reviews", "recommended_by")
    op.drop_column("reviews", "recommended_words")
    op.drop_column("reviews", "recommended_opinion")
    op.drop_column("reviews", "education")
    op.drop_column("reviews", "category")
    op.drop_column("reviews", "findings")
    op.drop_column("reviews", "escalated_at")
    op.drop_column("reviews", "returns")
    op.drop_column("reviews", "due_at")
    op.drop_column("reviews", "queue")
    op.drop_index("publications_running", table_name="publications", postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_column("publications", "finished_at")
    op.drop_column("publications", "told_up_to")
    op.drop_column("publications", "told")
    op.drop_column("publications", "supplementary")
    op.drop_index(
        "applications_to_hash",
        table_name="applications",
        postgresql_where=sa.text("sealed IS NOT NULL AND id_number_hash IS NULL"),
    )
    op.drop_index(
        "applications_name_hash", table_name="applications", postgresql_where=sa.text("name_hash IS NOT NULL")
    )
    op.drop_index(
        "applications_id_number_hash", table_name="applications", postgresql_where=sa.text("id_number_hash IS NOT NULL")
    )
    op.drop_column("applications", "name_hash")
    op.drop_column("applications", "id_number_hash")
    op.drop_index("publication_lines_of_application", table_name="publication_lines")
    op.drop_table("publication_lines")
    op.drop_table("recovery_codes")
    op.drop_table("enrolments")
    op.drop_index("attempts_who", table_name="attempts")
    op.drop_index("attempts_at", table_name="attempts")
    op.drop_table("attempts")
    op.drop_column("sessions", "through")
    op.drop_index("false_materials_of_application", table_name="false_materials")
    op.drop_table("false_materials")
    op.drop_index("acts_pending", table_name="acts", postgresql_where=sa.text("ended IS NULL"))
    op.drop_index("acts_of_application", table_name="acts")
    op.drop_table("acts")
    op.drop_table("audit_seals")
    op.drop_index("audit_unsealed", table_name="audit", postgresql_where=sa.text("seq IS NULL"))
    op.drop_index("audit_seq", table_name="audit")
    op.drop_index("audit_of_staff", table_name="audit")
    op.drop_index("audit_of_region", table_name="audit")
    op.drop_index("audit_of_application", table_name="audit")
    op.drop_index("audit_acts", table_name="audit")
    op.drop_table("audit")
