"""The same bytes under several candidates: told to staff, about each of the images."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.upload import MaterialUploaded
from shared.contracts.validation import MaterialRead, SeenUnder
from shared.messaging.outbox import tell

MOST_TOLD = 20

# Two candidates may send the same bytes in the same moment, to two processes: the second waits until the first has
# committed, and sees it. In one order, so that two batches can't wait for each other.
ONE_AT_A_TIME = text(
    """
    SELECT pg_advisory_xact_lock(n.lock)
    FROM (SELECT DISTINCT lock FROM unnest(CAST(:locks AS bigint[])) AS u(lock) ORDER BY lock) AS n
    """
)
# Of bytes that thousands hand in (an empty form) the first are enough to look into it: MOST_TOLD, one's own, and one
# by which it shows that there are more.
COPIES = text(
    """
    SELECT found.* FROM (SELECT DISTINCT unnest(CAST(:sha256s AS text[])) AS sha256) AS wanted
    CROSS JOIN LATERAL (
        SELECT image_id, application_no, item, region, sha256 FROM checks
        WHERE checks.sha256 = wanted.sha256 AND removed_at IS NULL AND verdict <> 'gone' AND region IS NOT NULL
        ORDER BY checked_at, image_id LIMIT 22
    ) AS found
    """
)
_COUNT = text(
    """
    INSERT INTO told_to_staff (image_id, about, application_no, told_at)
    SELECT n.image_id, 'copies', n.number, :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS text[])) AS n(image_id, number) ORDER BY n.image_id
    ON CONFLICT (image_id, about) DO UPDATE SET read_no = told_to_staff.read_no + 1, told_at = excluded.told_at
    RETURNING image_id, read_no
    """
)


async def tell_of_copies(session: AsyncSession, events: Sequence[MaterialUploaded], at: datetime) -> None:
    """Tell staff where the bytes of these images lie under other candidates too; their own checks are written already.

    Each image that has a new copy is told of anew, the earlier ones as well while their lists are not full.
    """
    if not events:
        return
    await session.execute(ONE_AT_A_TIME, {"locks": [lock_of(event.sha256) for event in events]})
    by_bytes: dict[str, list[_Copy]] = {}
    for row in await session.execute(COPIES, {"sha256s": [event.sha256 for event in events]}):
        copy = _Copy(row.image_id, row.application_no, row.item, row.region)
        by_bytes.setdefault(row.sha256, []).append(copy)
    to_tell = _to_tell(events, by_bytes)
    if not to_tell:
        return
    counted = await session.execute(
        _COUNT,
        {
            "at": at,
            "ids": list(to_tell),
            "numbers": [copy.application_no for copy, _ in to_tell.values()],
        },
    )
    numbers: dict[UUID, int] = {row.image_id: row.read_no for row in counted}
    await tell(
        session,
        *(_told(copy, sha256, by_bytes[sha256], numbers[image_id], at) for image_id, (copy, sha256) in to_tell.items()),
    )


class _Copy(NamedTuple):
    """An image with these bytes."""

    image_id: UUID
    application_no: str
    item: str
    region: str


def _to_tell(
    events: Sequence[MaterialUploaded], by_bytes: Mapping[str, Sequence[_Copy]]
) -> dict[UUID, tuple[_Copy, str]]:
    """The images whose list is new or longer than it was, each with its bytes."""
    found: dict[UUID, tuple[_Copy, str]] = {}
    for event in events:
        group = by_bytes.get(event.sha256, ())
        own = _Copy(event.image_id, event.application_no, event.item, event.region)
        for copy in (own, *group) if len(group) <= MOST_TOLD + 1 else (own,):
            if any(other.application_no != copy.application_no for other in group):
                found[copy.image_id] = (copy, event.sha256)
    return found


def _told(copy: _Copy, sha256: str, group: Sequence[_Copy], read_no: int, at: datetime) -> MaterialRead:
    others = [other for other in group if other.application_no != copy.application_no]
    return MaterialRead(
        application_no=copy.application_no,
        item=copy.item,
        image_id=copy.image_id,
        sha256=sha256,
        about="copies",
        read_no=read_no,
        copies=tuple(
            SeenUnder(
                application_no=other.application_no, region=other.region, item=other.item, image_id=other.image_id
            )
            for other in others[:MOST_TOLD]
        ),
        read_at=at,
    )


def lock_of(sha256: str) -> int:
    """An advisory lock's number: 64 bits, signed, away from those of the relay."""
    return int.from_bytes(hashlib.blake2b(f"copies {sha256}".encode(), digest_size=8).digest(), signed=True)
