"""What lists want to know of an application without a look at its parts: findings, and when it is due."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.domain import NEVER
from services.review.use_cases.rows import locked_reviews
from shared.contracts.rules import Pack

_CHANGED_FINDINGS = text(
    """
    SELECT application_no, codes FROM (
        SELECT r.application_no, r.findings, ARRAY(
            SELECT DISTINCT f.code FROM images i
            JOIN checks c USING (image_id)
            CROSS JOIN LATERAL jsonb_to_recordset(c.findings) AS f(code text, severity text)
            WHERE i.application_no = r.application_no AND i.last_round = r.round AND f.severity IN ('review', 'reject')
            ORDER BY f.code
        ) AS codes
        FROM reviews r WHERE r.application_no = ANY(CAST(:numbers AS text[]))
    ) AS n WHERE findings <> codes
    """
)
# The first of the service level's end and the review window's; `least` passes over what a pack does not say.
_DUE = """
    coalesce(least(
        r.submitted_at + make_interval(days => CAST(p.content ->> 'service_level_days' AS int)),
        CAST(p.content #>> '{windows,review,closes}' AS timestamp)
            AT TIME ZONE (p.content #>> '{windows,review,time_zone}')
    ), :never)
"""
_SET_DUE = text(
    f"""
    UPDATE reviews SET due_at = n.due_at, escalated_at = NULL
    FROM (
        SELECT r.application_no, {_DUE} AS due_at
        FROM reviews r LEFT JOIN packs p ON p.pack_id = r.pack_id AND p.version = r.pack_version
        WHERE r.application_no = ANY(CAST(:numbers AS text[]))
    ) AS n
    WHERE reviews.application_no = n.application_no
    """
)
_SET_DUE_LATE = text(
    f"""
    UPDATE reviews SET due_at = n.due_at
    FROM (
        SELECT r.application_no, {_DUE} AS due_at
        FROM reviews r JOIN packs p ON p.pack_id = r.pack_id AND p.version = r.pack_version
        WHERE r.region = :region AND r.state IN ('submitted', 'at_site', 'at_region', 'returned')
          AND r.pack_id = :pack AND r.pack_version = :version AND r.due_at = :never
        ORDER BY r.application_no FOR UPDATE OF r
    ) AS n
    WHERE reviews.application_no = n.application_no
    """
)


async def note_findings(session: AsyncSession, numbers: Sequence[str]) -> None:
    """What the checks said of the present images; the caller has locked the applications' numbers."""
    changed = await session.execute(_CHANGED_FINDINGS, {"numbers": sorted(set(numbers))})
    codes = {row.application_no: row.codes for row in changed}
    if codes:
        for number, review in (await locked_reviews(session, list(codes))).items():
            review.findings = list(codes[number])
        await session.flush()


async def set_due(session: AsyncSession, numbers: Sequence[str]) -> None:
    """When each that was just handed in should have gone on its way, as its rules say.

    Args:
        session: the transaction that has locked the applications, and before them their rules (`lock_packs`).
        numbers: which. While their rules are not there yet, nothing is due; who hears of them later sets it.
    """
    if numbers:
        await session.execute(_SET_DUE, {"numbers": sorted(set(numbers)), "never": NEVER})


async def set_due_of(session: AsyncSession, pack: Pack) -> None:
    """The rules came after applications that were handed in under them."""
    if pack.service_level_days is not None or pack.windows.review is not None:
        about = {"region": pack.region.code, "pack": pack.id, "version": pack.version, "never": NEVER}
        await session.execute(_SET_DUE_LATE, about)


async def lock_packs(session: AsyncSession, packs: Sequence[tuple[str, int]], *, shared: bool) -> None:
    """A pack and a submission under it, heard at the same moment, must not miss each other."""
    lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    for pack, version in sorted(set(packs)):
        await session.execute(
            text(f"SELECT {lock}(hashtextextended('pack ' || :pack || ' ' || :version, 0))"),
            {"pack": pack, "version": str(version)},
        )
