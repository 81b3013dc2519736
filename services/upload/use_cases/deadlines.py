"""Deadlines: warning who has not submitted (again), and recording who did not in time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, or_, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.domain import STAGES, Application, stage_at
from services.upload.packs import Shelf
from services.upload.rows import Line, add_to_timelines, note_on_pages
from shared import clock
from shared.contracts.event import Event
from shared.contracts.rules import Text, Window, Windows
from shared.contracts.upload import ApplicationLapsed, DeadlineNear
from shared.messaging.outbox import tell

BATCH = 200

_LEFT = {
    72: Text(zh="距截止不到3天，请尽快提交", en="Less than three days are left: submit soon"),
    24: Text(zh="距截止不到24小时，请尽快提交", en="Less than 24 hours are left: submit soon"),
    2: Text(zh="距截止不到2小时，请立即提交", en="Less than two hours are left: submit now"),
}


async def versions_near_a_deadline(session: AsyncSession, shelf: Shelf) -> list[tuple[str, int]]:
    """The versions of packs one of whose deadlines is near or past: only their applications are looked at."""
    now = clock.now()
    found = []
    for pack_id, versions in (await shelf.versions(session)).items():
        for version in versions:
            windows = (await shelf.rules(session, pack_id, version)).pack.windows
            ends = [window.closes_at for window in (windows.upload, windows.review) if window is not None]
            if any(end - now <= timedelta(hours=STAGES[-1]) for end in ends):
                found.append((pack_id, version))
    return found


async def mind(session: AsyncSession, shelf: Shelf, pack_id: str, version: int) -> int:
    """Warn, or let lapse, applications that follow this version; returns how many, `BATCH` at most.

    What was told once is not found again, in whatever process; rows that somebody else holds wait for the next time.
    """
    now = clock.now()
    windows = (await shelf.rules(session, pack_id, version)).pack.windows
    a = tables.applications.c
    newest = await shelf.newest(session, pack_id)
    follows = a.pack_version == version
    found = (
        await session.scalars(
            select(Application)
            .where(
                a.pack_id == pack_id,
                or_(follows, a.pack_version.is_(None)) if version == newest else follows,
                a.opinion.is_(None),
                text("state IN ('draft', 'withdrawn', 'returned')"),  # as the index has it
                _due(windows, now),
            )
            .order_by(a.application_no)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    ).all()
    await _tell(session, found, windows, now)
    return len(found)


def _due(windows: Windows, now: datetime) -> ColumnElement[bool]:
    a = tables.applications.c
    by_review = and_(text("state = 'returned'"), a.reopened_by_change.is_(False))
    by_upload = or_(text("state <> 'returned'"), a.reopened_by_change.is_(True))
    return or_(
        and_(by_upload, _untold(windows.upload, now)),
        and_(by_review, _untold(windows.review, now)),
    )


def _untold(window: Window | None, now: datetime) -> ColumnElement[bool]:
    """The deadline is past, or a stage was reached that was not told for it."""
    if window is None:
        return false()
    if now >= window.closes_at:
        return true()
    stage = stage_at(now, window.closes_at)
    a = tables.applications.c
    if stage is None:
        return false()
    return or_(
        a.warned_for.is_distinct_from(window.closes_at),
        a.warned_hours > stage,
    )


async def _tell(session: AsyncSession, found: Sequence[Application], windows: Windows, now: datetime) -> None:
    lines: list[Line] = []
    notes: list[tuple[Application, str]] = []
    events: list[Event] = []
    for of in found:
        event: ApplicationLapsed | DeadlineNear | None = of.lapse(windows, now)
        if isinstance(event, ApplicationLapsed):
            lines.append(Line(of, "lapsed", now))
            notes.append((of, "lapsed"))
        else:
            event = of.warn(windows, now)
            if event is None:
                continue
            lines.append(Line(of, "deadline_near", now, (_LEFT[event.hours_left],)))
            notes.append((of, "deadline_near"))
        events.append(event)
    await add_to_timelines(session, lines)
    await note_on_pages(session, notes)
    await tell(session, *events)
