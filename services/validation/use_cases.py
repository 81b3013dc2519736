"""What validation does: write down what was found, and tell it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.validation.domain import GONE, Check
from shared import clock
from shared.contracts.upload import MaterialRemoved, MaterialUploaded
from shared.contracts.validation import Finding, MaterialChecked
from shared.messaging.outbox import tell

# Uploads are looked at within seconds; a removal heard before its upload is needed no longer than the topics keep.
REMOVALS_KEPT_FOR = timedelta(days=60)

_FINDINGS = TypeAdapter(tuple[Finding, ...])
_METRICS = TypeAdapter(dict[str, float])

# Rows are locked in the order of their ids, so that two batches can't wait for each other.
RECORD = text(
    """
    INSERT INTO checks (image_id, application_no, item, sha256, verdict, reason, findings, metrics, checked_at)
    SELECT n.*, :at FROM unnest(
        CAST(:ids AS uuid[]), CAST(:numbers AS text[]), CAST(:items AS text[]), CAST(:sha256s AS text[]),
        CAST(:verdicts AS text[]), CAST(:reasons AS text[]), CAST(:findings AS jsonb[]), CAST(:metrics AS jsonb[])
    ) AS n(image_id, application_no, item, sha256, verdict, reason, findings, metrics)
    ORDER BY n.image_id
    ON CONFLICT (image_id) DO UPDATE SET
        check_no = checks.check_no + 1, sha256 = excluded.sha256, verdict = excluded.verdict,
        reason = excluded.reason, findings = excluded.findings, metrics = excluded.metrics,
        checked_at = excluded.checked_at
    RETURNING image_id, check_no
    """
)
_NOTE_REMOVAL = text(
    """
    INSERT INTO removed_images (image_id)
    SELECT n.image_id FROM unnest(CAST(:ids AS uuid[])) AS n(image_id)
    WHERE NOT EXISTS (SELECT 1 FROM checks WHERE checks.image_id = n.image_id)
    ON CONFLICT DO NOTHING
    """
)
_FORGET_REMOVALS = text(
    """
    DELETE FROM removed_images WHERE image_id IN
        (SELECT image_id FROM removed_images WHERE heard_at < now() - CAST(:kept AS interval) LIMIT 10000)
    """
)


async def record_checks(
    session: AsyncSession, events: Sequence[MaterialUploaded], checked: Mapping[UUID, Check]
) -> None:
    """Keep and tell what was found; what nobody looked at any more is gone. A further look counts as the newer one."""
    latest = list({event.image_id: event for event in events}.values())
    if not latest:
        return
    checks = [checked.get(event.image_id, GONE) for event in latest]
    at = clock.now()
    rows = await session.execute(
        RECORD,
        {
            "at": at,
            "ids": [event.image_id for event in latest],
            "numbers": [event.application_no for event in latest],
            "items": [event.item for event in latest],
            "sha256s": [event.sha256 for event in latest],
            "verdicts": [check.verdict for check in checks],
            "reasons": [check.reason for check in checks],
            "findings": [_FINDINGS.dump_json(check.findings).decode() for check in checks],
            "metrics": [_METRICS.dump_json(check.metrics).decode() for check in checks],
        },
    )
    numbers: dict[UUID, int] = {row.image_id: row.check_no for row in rows}
    await tell(
        session,
        *(
            MaterialChecked(
                application_no=event.application_no,
                item=event.item,
                image_id=event.image_id,
                sha256=event.sha256,
                check_no=numbers[event.image_id],
                verdict=check.verdict,
                reason=check.reason,
                findings=check.findings,
                metrics=check.metrics,
                checked_at=at,
            )
            for event, check in zip(latest, checks, strict=True)
        ),
    )


async def note_removals(session: AsyncSession, events: Sequence[MaterialRemoved]) -> None:
    """Remember which images need no look any more; those that had theirs are left as they are."""
    if events:
        await session.execute(_NOTE_REMOVAL, {"ids": [event.image_id for event in events]})


async def forget_removals(session: AsyncSession) -> None:
    """Drop removals that no upload can follow any more."""
    await session.execute(_FORGET_REMOVALS, {"kept": REMOVALS_KEPT_FOR})
