"""Audit lines and seals are only added: the database itself refuses to change them or take them out."""

from alembic import op

revision = "2026_11_28_append_only"
down_revision = "2026_11_28_tiers"
branch_labels = None
depends_on = None

_LINE = "line_id, at, act, outcome, staff_id, role, application_no, region, site, address, device, detail"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'lines of % are only added', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END
        $$
        """
    )
    # The one change that there is: the sealer gives a line its place, once.
    old, new = (", ".join(f"{row}.{name}" for name in _LINE.split(", ")) for row in ("OLD", "NEW"))
    op.execute(
        f"""
        CREATE TRIGGER audit_append_only BEFORE UPDATE ON audit FOR EACH ROW
        WHEN (OLD.seq IS NOT NULL OR OLD.hash IS NOT NULL OR NEW.seq IS NULL OR NEW.hash IS NULL
              OR ROW({old}) IS DISTINCT FROM ROW({new}))
        EXECUTE FUNCTION audit_append_only()
        """
    )
    op.execute("CREATE TRIGGER audit_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_append_only()")
    op.execute(
        "CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW "
        "EXECUTE FUNCTION audit_append_only()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_seals_append_only ON audit_seals")
    op.execute("DROP TRIGGER audit_kept ON audit")
    op.execute("DROP TRIGGER audit_append_only ON audit")
    op.execute("DROP FUNCTION audit_append_only()")
