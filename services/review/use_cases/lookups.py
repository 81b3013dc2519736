"""Keyed hashes for registrations that were heard before there were any."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.lookup import Lookup
from shared.contracts.event import Sealed
from shared.database import Sessions

BATCH = 500
_WITHOUT = text(
    """
    SELECT application_no, registration_revision, sealed FROM applications
    WHERE sealed IS NOT NULL AND id_number_hash IS NULL
    ORDER BY application_no LIMIT :most
    """
)
_FILL_IN = text(
    """
    UPDATE applications SET id_number_hash = n.id_number_hash, name_hash = n.name_hash
    FROM (
        SELECT a.application_no, n.revision, n.id_number_hash, n.name_hash
        FROM unnest(CAST(:numbers AS text[]), CAST(:revisions AS int[]), CAST(:id_numbers AS bytea[]),
                    CAST(:names AS bytea[])) AS n(application_no, revision, id_number_hash, name_hash)
        JOIN applications a USING (application_no)
        ORDER BY a.application_no FOR UPDATE OF a
    ) AS n
    WHERE applications.application_no = n.application_no AND applications.registration_revision = n.revision
    """
)


async def fill_in(sessions: Sessions, lookup: Lookup) -> None:
    """Hash who is known, but can't be found yet; a batch at a time, until there is none."""
    found = BATCH
    while found == BATCH:
        async with sessions.begin() as session:
            found = await _fill_in_some(session, lookup)


async def _fill_in_some(session: AsyncSession, lookup: Lookup) -> int:
    rows = {row.application_no: row for row in await session.execute(_WITHOUT, {"most": BATCH})}
    hashes = await lookup.hashes_of({number: Sealed.model_validate(row.sealed) for number, row in rows.items()})
    if rows:
        await session.execute(
            _FILL_IN,
            {
                "numbers": list(rows),
                "revisions": [row.registration_revision for row in rows.values()],
                "id_numbers": [hashes[number].id_number for number in rows],
                "names": [hashes[number].name for number in rows],
            },
        )
    return len(rows)
