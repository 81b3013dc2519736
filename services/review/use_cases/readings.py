"""What validation read from images, and where else it saw the same bytes: kept as it came, sealed."""

import json
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.validation import MaterialRead
from shared.messaging.inbox import newest_of

_NOTE = text(
    """
    INSERT INTO readings (image_id, about, application_no, read_no, wanted, sealed, mirrored, copies, read_at)
    SELECT n.* FROM unnest(CAST(:ids AS uuid[]), CAST(:abouts AS text[]), CAST(:numbers AS text[]),
                           CAST(:read_nos AS int[]), CAST(:wanted AS jsonb[]), CAST(:sealed AS jsonb[]),
                           CAST(:mirrored AS bool[]), CAST(:copies AS jsonb[]), CAST(:ats AS timestamptz[]))
         AS n(image_id, about, application_no, read_no, wanted, sealed, mirrored, copies, read_at)
    ORDER BY n.image_id, n.about
    ON CONFLICT (image_id, about) DO UPDATE SET
        read_no = excluded.read_no, wanted = excluded.wanted, sealed = excluded.sealed, mirrored = excluded.mirrored,
        copies = excluded.copies, read_at = excluded.read_at
    WHERE readings.read_no < excluded.read_no
    """
)


async def note_readings(session: AsyncSession, told: Sequence[MaterialRead]) -> None:
    """Advice about images, before or after their submission; it holds nothing up, so no application is locked."""
    newest = newest_of(told, lambda each: f"{each.image_id} {each.about}", lambda each: each.read_no)
    await session.execute(
        _NOTE,
        {
            "ids": [each.image_id for each in newest],
            "abouts": [each.about for each in newest],
            "numbers": [each.application_no for each in newest],
            "read_nos": [each.read_no for each in newest],
            "wanted": [json.dumps(each.wanted) for each in newest],
            "sealed": [each.sealed.model_dump_json() if each.sealed else None for each in newest],
            "mirrored": [each.mirrored for each in newest],
            "copies": [json.dumps([copy.model_dump(mode="json") for copy in each.copies]) for each in newest],
            "ats": [each.read_at for each in newest],
        },
    )
