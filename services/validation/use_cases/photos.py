"""The verdict on portraits: kept and told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.contracts.upload import PhotoCheckRequested
from shared.contracts.validation import CheckedPhoto, PhotoChecked, PhotoFinding
from shared.messaging.outbox import tell

_FINDINGS = TypeAdapter(tuple[PhotoFinding, ...])

_RECORD = text(
    """
    INSERT INTO photo_checks (photo_id, application_no, sha256, verdict, findings, photo, checked_at)
    SELECT n.*, :at FROM unnest(
        CAST(:ids AS uuid[]), CAST(:numbers AS text[]), CAST(:sha256s AS text[]), CAST(:verdicts AS text[]),
        CAST(:findings AS jsonb[]), CAST(:photos AS jsonb[])
    ) AS n(photo_id, application_no, sha256, verdict, findings, photo)
    ORDER BY n.photo_id
    ON CONFLICT (photo_id) DO UPDATE SET
        check_no = photo_checks.check_no + 1, sha256 = excluded.sha256, verdict = excluded.verdict,
        findings = excluded.findings, photo = excluded.photo, checked_at = excluded.checked_at
    RETURNING photo_id, check_no
    """
)


@dataclass(frozen=True)
class PhotoVerdict:
    """What became of a portrait; `photo` only where it passed."""

    verdict: Literal["pass", "fail"]
    findings: tuple[PhotoFinding, ...]
    photo: CheckedPhoto | None = None


async def record_photos(
    session: AsyncSession, events: Sequence[PhotoCheckRequested], verdicts: Mapping[UUID, PhotoVerdict]
) -> None:
    """Keep and tell what became of these portraits; one that is not in `verdicts` had its answer before."""
    latest = list({event.photo_id: event for event in events if event.photo_id in verdicts}.values())
    if not latest:
        return
    at = clock.now()
    found = [verdicts[event.photo_id] for event in latest]
    rows = await session.execute(
        _RECORD,
        {
            "at": at,
            "ids": [event.photo_id for event in latest],
            "numbers": [event.application_no for event in latest],
            "sha256s": [event.sha256 for event in latest],
            "verdicts": [each.verdict for each in found],
            "findings": [_FINDINGS.dump_json(each.findings).decode() for each in found],
            "photos": [None if each.photo is None else each.photo.model_dump_json() for each in found],
        },
    )
    numbers: dict[UUID, int] = {row.photo_id: row.check_no for row in rows}
    await tell(
        session,
        *(
            PhotoChecked(
                application_no=event.application_no,
                photo_id=event.photo_id,
                sha256=event.sha256,
                check_no=numbers[event.photo_id],
                verdict=each.verdict,
                findings=each.findings,
                photo=each.photo,
                checked_at=at,
            )
            for event, each in zip(latest, found, strict=True)
        ),
    )
