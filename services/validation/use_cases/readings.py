"""What was read from images: told to staff, sealed. Here only that it was read stays, never what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.contracts.upload import MaterialUploaded
from shared.contracts.validation import MaterialRead, Reading
from shared.messaging.outbox import tell
from shared.security.sealing import KeyDestroyed, KeyRing

_COUNT = text(
    """
    INSERT INTO told_to_staff (image_id, about, application_no, fields, mirrored, told_at)
    SELECT n.image_id, 'reading', n.number, string_to_array(n.fields, ','), n.mirrored, :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS text[]), CAST(:fields AS text[]), CAST(:mirrored AS bool[]))
         AS n(image_id, number, fields, mirrored)
    ORDER BY n.image_id
    ON CONFLICT (image_id, about) DO UPDATE SET
        read_no = told_to_staff.read_no + 1, fields = excluded.fields, mirrored = excluded.mirrored,
        told_at = excluded.told_at
    RETURNING image_id, read_no
    """
)


@dataclass(frozen=True)
class Found:
    """What one image says; `mirrored` is None where that can't be told."""

    reading: Reading
    mirrored: bool | None


async def record_readings(
    session: AsyncSession, events: Sequence[MaterialUploaded], found: Mapping[UUID, Found], keys: KeyRing
) -> None:
    """Tell staff what was read from these images. One that is not in `found` is gone: nothing is told of it.

    Args:
        session: the caller's.
        events: heard for the first time, each with `year` and `reads`.
        found: by image.
        keys: seal what was read, under the candidate's region and year.
    """
    read = [event for event in {each.image_id: each for each in events}.values() if event.image_id in found]
    if not read:
        return
    at = clock.now()
    rows = await session.execute(
        _COUNT,
        {
            "at": at,
            "ids": [event.image_id for event in read],
            "numbers": [event.application_no for event in read],
            "fields": [
                ",".join(sorted({each.field for each in found[event.image_id].reading.texts})) for event in read
            ],
            "mirrored": [found[event.image_id].mirrored for event in read],
        },
    )
    numbers: dict[UUID, int] = {row.image_id: row.read_no for row in rows}
    told = (_told(event, found[event.image_id], numbers[event.image_id], keys) for event in read)
    await tell(session, *(event.model_copy(update={"read_at": at}) for event in told if event is not None))


def _fields(found: Found) -> list[str]:
    return sorted({each.field for each in found.reading.texts})


def _told(event: MaterialUploaded, found: Found, read_no: int, keys: KeyRing) -> MaterialRead | None:
    sealed = None
    if found.reading.texts and event.year is not None:
        try:
            sealed = keys.seal(event.region, event.year, found.reading)
        except KeyDestroyed:
            return None  # that year was erased; nothing of it is kept again
    return MaterialRead(
        application_no=event.application_no,
        item=event.item,
        image_id=event.image_id,
        sha256=event.sha256,
        about="reading",
        read_no=read_no,
        wanted=event.reads,
        sealed=sealed,
        mirrored=found.mirrored,
        read_at=clock.now(),
    )
