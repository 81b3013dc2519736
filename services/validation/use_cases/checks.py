"""The verdict on images: kept, told, and compared with what else lies under the same candidate and under others."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.validation.domain import GONE, Check, Look, judge
from services.validation.quality.similar import is_near
from services.validation.use_cases.copies import tell_of_copies
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
    INSERT INTO checks (image_id, application_no, item, region, sha256, verdict, reason, findings, metrics, fingerprint,
                        checked_at)
    SELECT n.*, :at FROM unnest(
        CAST(:ids AS uuid[]), CAST(:numbers AS text[]), CAST(:items AS text[]), CAST(:regions AS text[]),
        CAST(:sha256s AS text[]), CAST(:verdicts AS text[]), CAST(:reasons AS text[]), CAST(:findings AS jsonb[]),
        CAST(:metrics AS jsonb[]), CAST(:fingerprints AS bytea[])
    ) AS n(image_id, application_no, item, region, sha256, verdict, reason, findings, metrics, fingerprint)
    ORDER BY n.image_id
    ON CONFLICT (image_id) DO UPDATE SET
        check_no = checks.check_no + 1, region = excluded.region, sha256 = excluded.sha256,
        verdict = excluded.verdict, reason = excluded.reason, findings = excluded.findings,
        metrics = excluded.metrics, fingerprint = excluded.fingerprint, checked_at = excluded.checked_at
    RETURNING image_id, check_no
    """
)
# The newest are enough: nobody has a thousand images.
SLOTS = text(
    """
    SELECT image_id, application_no, item, sha256, fingerprint FROM checks
    WHERE application_no = ANY(CAST(:numbers AS text[])) AND removed_at IS NULL AND verdict <> 'gone'
    ORDER BY checked_at DESC, image_id LIMIT 20000
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
_MARK_REMOVED = text(
    """
    UPDATE checks SET removed_at = :at FROM
        (SELECT image_id FROM checks WHERE image_id = ANY(CAST(:ids AS uuid[])) AND removed_at IS NULL
         ORDER BY image_id FOR UPDATE) AS there
    WHERE checks.image_id = there.image_id
    """
)
_FORGET_REMOVALS = text(
    """
    DELETE FROM removed_images WHERE image_id IN
        (SELECT image_id FROM removed_images WHERE heard_at < now() - CAST(:kept AS interval) LIMIT 10000)
    """
)


async def record_checks(session: AsyncSession, events: Sequence[MaterialUploaded], looks: Mapping[UUID, Look]) -> None:
    """Keep and tell what was found; what nobody looked at any more is gone. A further look counts as the newer one."""
    latest = list({event.image_id: event for event in events}.values())
    if not latest:
        return
    found = [looks.get(event.image_id) or Look(GONE) for event in latest]
    checks = await _with_duplicates(session, latest, found)
    at = clock.now()
    rows = await session.execute(
        RECORD,
        {
            "at": at,
            "ids": [event.image_id for event in latest],
            "numbers": [event.application_no for event in latest],
            "items": [event.item for event in latest],
            "regions": [event.region for event in latest],
            "sha256s": [event.sha256 for event in latest],
            "verdicts": [check.verdict for check in checks],
            "reasons": [check.reason for check in checks],
            "findings": [_FINDINGS.dump_json(check.findings).decode() for check in checks],
            "metrics": [_METRICS.dump_json(check.metrics).decode() for check in checks],
            "fingerprints": [look.fingerprint for look in found],
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
    await tell_of_copies(
        session, [event for event, check in zip(latest, checks, strict=True) if check.verdict != "gone"], at
    )


class _Slot(NamedTuple):
    """An image of a candidate, to be compared with."""

    image_id: UUID
    item: str
    sha256: str
    fingerprint: bytes | None


async def _with_duplicates(
    session: AsyncSession, events: Sequence[MaterialUploaded], looks: Sequence[Look]
) -> list[Check]:
    """The checks, with a finding where the candidate has handed in the same picture already, in whatever slot.

    Of two in one batch the later one gets the finding. Between candidates fingerprints say nothing: two people's
    certificates of one printing differ less than two scans of one paper do.
    """
    rows = await session.execute(SLOTS, {"numbers": sorted({event.application_no for event in events})})
    slots: dict[str, list[_Slot]] = {}
    for row in rows:
        slot = _Slot(row.image_id, row.item, row.sha256, row.fingerprint)
        slots.setdefault(row.application_no, []).append(slot)
    checks = []
    for event, look in zip(events, looks, strict=True):
        others = slots.setdefault(event.application_no, [])
        # A further look at an image replaces it.
        others[:] = [slot for slot in others if slot.image_id != event.image_id]
        checks.append(_compared(event, look, others))
        if look.check.verdict != "gone":
            others.append(_Slot(event.image_id, event.item, event.sha256, look.fingerprint))
    return checks


def _compared(event: MaterialUploaded, look: Look, others: Sequence[_Slot]) -> Check:
    check = look.check
    if check.verdict in {"gone", "reject"}:
        return check
    same = next((slot for slot in others if slot.sha256 == event.sha256), None)
    if same is not None:
        duplicate = Finding(code="duplicate", severity="review", other_item=same.item)
        return judge([*check.findings, duplicate], check.metrics)
    for slot in others:
        near = is_near(look.fingerprint, slot.fingerprint)
        if near is not None:
            measured, limit = near
            similar = Finding(
                code="near_duplicate", severity="review", measured=measured, limit=limit, other_item=slot.item
            )
            return judge([*check.findings, similar], check.metrics)
    return check


async def note_removals(session: AsyncSession, events: Sequence[MaterialRemoved]) -> None:
    """Remember which images need no look any more, and that others are compared with them no longer."""
    if events:
        ids: dict[str, Any] = {"ids": [event.image_id for event in events]}
        await session.execute(_NOTE_REMOVAL, ids)
        await session.execute(_MARK_REMOVED, ids | {"at": clock.now()})


async def forget_removals(session: AsyncSession) -> None:
    """Drop removals that no upload can follow any more."""
    await session.execute(_FORGET_REMOVALS, {"kept": REMOVALS_KEPT_FOR})
