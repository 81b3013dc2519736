"""Following the rules: before its first submission an application goes by the newest version of its pack."""

from collections.abc import Container, Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.checklist import Checklist, Rules
from services.upload.domain import Application, Change, differences
from services.upload.packs import Shelf
from services.upload.rows import Line, add_to_timelines, items_with_images, note_on_pages
from shared import clock
from shared.contracts.facts import Facts
from shared.contracts.rules import RulesPublished

BATCH = 500

_KEEP_PACK = text(
    """
    INSERT INTO packs (pack_id, version, content, published_at)
    VALUES (:id, :version, CAST(:content AS jsonb), :at) ON CONFLICT DO NOTHING
    """
)
# Those that had no rules yet have nothing to compare: no line for them, and all in one statement.
_BEGIN = text(
    """
    UPDATE applications SET rules_version = :version
    WHERE application_no IN (
        SELECT application_no FROM applications
        WHERE pack_id = :pack_id AND rules_version IS NULL AND pack_version IS NULL
              AND state IN ('draft', 'withdrawn')
        ORDER BY application_no LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING application_no
    """
)


async def keep_packs(session: AsyncSession, told: Sequence[RulesPublished]) -> None:
    """Keep every version of every pack.

    Raises:
        BadCondition: a condition does not compile; kept, it would close the page of every candidate of the region.
    """
    for each in told:
        Rules(each.pack)
        await session.execute(
            _KEEP_PACK,
            {
                "id": each.pack.id,
                "version": each.pack.version,
                "content": each.pack.model_dump_json(),
                "at": each.occurred_at,
            },
        )


async def begin_with(session: AsyncSession, pack_id: str, version: int) -> int:
    """Note which version counts for applications that came before any rules did; returns how many, `BATCH` at most."""
    rows = await session.execute(_BEGIN, {"pack_id": pack_id, "version": version, "most": BATCH})
    return len(rows.all())


async def follow(session: AsyncSession, shelf: Shelf, pack_id: str, version: int) -> int:
    """Bring applications that know an older version to this one; returns how many, `BATCH` at most.

    Rows that somebody else holds are left for the next time.
    """
    a = tables.applications.c
    found = (
        await session.scalars(
            select(Application)
            .where(
                a.pack_id == pack_id,
                a.rules_version < version,
                a.pack_version.is_(None),
                text("state IN ('draft', 'withdrawn')"),  # as the index has it
            )
            .order_by(a.application_no)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    ).all()
    images = await items_with_images(session, [of.application_no for of in found])
    rules = await shelf.rules(session, pack_id, version)
    lines = []
    for of in found:
        checklist = rules.checklist(Facts.model_validate(of.facts))
        changes = await _changes(session, shelf, of, checklist, images[of.application_no])
        if changes:
            lines.append(Line(of, "rules_changed", clock.now(), [change.words for change in changes]))
    await _say(session, lines)
    return len(found)


async def tell_candidate(
    session: AsyncSession, shelf: Shelf, of: Application, checklist: Checklist, with_images: Container[str]
) -> None:
    """Say on the timeline what the newest rules changed for this candidate, if anything; its row is locked."""
    changes = await _changes(session, shelf, of, checklist, with_images)
    if changes:
        await _say(session, [Line(of, "rules_changed", clock.now(), [change.words for change in changes])])


async def _changes(
    session: AsyncSession, shelf: Shelf, of: Application, checklist: Checklist, with_images: Container[str]
) -> tuple[Change, ...]:
    if of.rules_version == checklist.pack.version:
        return ()
    before = await shelf.worked_out_before(session, of)
    of.rules_version = checklist.pack.version
    return () if before is None else differences(before, checklist, with_images)


async def _say(session: AsyncSession, lines: Sequence[Line]) -> None:
    await add_to_timelines(session, lines)
    await note_on_pages(session, [(line.of, line.kind) for line in lines])
