"""Hearing how the check of images went."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload.domain import STATUS_OF, Application, ImageStatus, State, only_quality
from services.upload.rows import add_to_timeline, keep_feedback, locked_applications, note_on_page, note_on_pages
from shared import clock
from shared.contracts.findings import words_for
from shared.contracts.validation import MaterialChecked
from shared.messaging.outbox import tell

_APPLY = text(
    """
    UPDATE images SET
        -- What the candidate confirmed stays so while nothing but its quality is at fault.
        status = CASE WHEN images.status = 'confirmed' AND c.only_quality THEN images.status ELSE c.status END,
        check_no = c.check_no, findings = c.findings
    FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:check_nos AS int[]), CAST(:findings AS jsonb[]),
                CAST(:qualities AS boolean[]))
         AS c(image_id, status, check_no, findings, only_quality)
    WHERE images.image_id = c.image_id AND images.check_no < c.check_no AND images.removed_at IS NULL
    RETURNING images.image_id, images.status, images.handed_in_round
    """
)


async def apply_checks(session: AsyncSession, checks: Sequence[MaterialChecked]) -> None:
    """Show what the checks found; an image of a locked submission that failed gives its item back.

    Older results for the same image, and results for a removed one, change nothing.
    """
    newest: dict[UUID, MaterialChecked] = {}
    for check in checks:
        known = newest.get(check.image_id)
        if known is None or check.check_no > known.check_no:
            newest[check.image_id] = check
    applications = await locked_applications(session, [check.application_no for check in checks])
    chosen = list(newest.values())
    rows = await session.execute(
        _APPLY,
        {
            "ids": [check.image_id for check in chosen],
            "statuses": [STATUS_OF[check.verdict].value for check in chosen],
            "check_nos": [check.check_no for check in chosen],
            "findings": [_findings(check) for check in chosen],
            "qualities": [check.verdict == "reject" and _only_quality(check) for check in chosen],
        },
    )
    applied = {row.image_id: row for row in rows}
    touched = {check.application_no for check in chosen if check.image_id in applied}
    await note_on_pages(session, [(of, "image_checked") for number, of in applications.items() if number in touched])
    failed = [check for check in chosen if _failed_late(applied.get(check.image_id))]
    for number in sorted({check.application_no for check in failed}):
        of = applications.get(number)
        # In an open item it is simply shown; only what is locked must be given back.
        late = [c for c in failed if c.application_no == number and of is not None and not of.is_open(c.item)]
        if of is not None and late and of.state in {State.SUBMITTED, State.RETURNED}:
            await _give_back_late(session, of, late)


async def _give_back_late(session: AsyncSession, of: Application, failed: list[MaterialChecked]) -> None:
    reopened = of.reopen_for(failed, {check.image_id: words_for(check.reason).zh for check in failed}, clock.now())
    items = [
        {
            "item": each.item,
            "reason_code": each.reason_code,
            "words": each.words,
            "image_ids": [str(image_id) for image_id in each.image_ids],
        }
        for each in reopened.items
    ]
    await keep_feedback(session, of, reopened.event_id, "system", items, reopened.reopened_at)
    await add_to_timeline(session, of, "reopened", reopened.reopened_at)
    await note_on_page(session, of, "reopened")
    await tell(session, reopened)


def _failed_late(row: Row[Any] | None) -> bool:
    # What is no longer on the checklist was not handed in: nobody waits for another one.
    return row is not None and row.status == ImageStatus.REJECTED and row.handed_in_round is not None


def _only_quality(check: MaterialChecked) -> bool:
    return only_quality([finding.model_dump() for finding in check.findings])


def _findings(check: MaterialChecked) -> str:
    findings = [finding.model_dump_json() for finding in check.findings]
    if check.verdict == "gone" and not findings:
        findings = ['{"code": "gone", "severity": "reject", "measured": null, "limit": null}']
    return f"[{', '.join(findings)}]"
