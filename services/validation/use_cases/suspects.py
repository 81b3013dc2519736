"""Images that ended their worker: put aside in the batch's transaction, tried once more alone, then judged for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.validation.domain import Look, judge, rejected
from services.validation.use_cases.checks import record_checks
from shared import clock
from shared.contracts.upload import MaterialUploaded

# Longer than the last try may take, with the fetch; another process takes it up after that.
TAKEN_FOR = timedelta(seconds=180)
# A try that ends the whole process leaves no verdict: after so many beginnings the image has it.
MOST_TRIES = 3
TOO_COMPLEX = Look(judge([rejected("too_complex")], {}))

_PUT_ASIDE = text(
    """
    INSERT INTO suspects (image_id, event, event_id, occurred_at)
    SELECT n.* FROM unnest(CAST(:ids AS uuid[]), CAST(:events AS jsonb[]), CAST(:event_ids AS uuid[]),
                           CAST(:times AS timestamptz[])) AS n(image_id, event, event_id, occurred_at)
    ORDER BY n.image_id
    ON CONFLICT (image_id) DO UPDATE SET event = excluded.event, event_id = excluded.event_id,
        occurred_at = excluded.occurred_at, tries = 0, taken_until = NULL
    """
)
_TAKE = text(
    """
    UPDATE suspects SET tries = tries + 1, taken_until = :until
    WHERE image_id = (
        SELECT image_id FROM suspects WHERE taken_until IS NULL OR taken_until < :now
        ORDER BY heard_at, image_id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING image_id, event, event_id, occurred_at, tries
    """
)
_SETTLE = text("DELETE FROM suspects WHERE image_id = :id AND event_id = :event_id RETURNING image_id")
_WAITING = text("SELECT count(*) FROM suspects")


@dataclass(frozen=True)
class Suspect:
    """An image whose turn it is; `tries` counts this one."""

    event: MaterialUploaded
    tries: int


async def put_aside(session: AsyncSession, events: Sequence[MaterialUploaded]) -> None:
    """Keep these for a try of their own."""
    if events:
        await session.execute(
            _PUT_ASIDE,
            {
                "ids": [event.image_id for event in events],
                "events": [event.model_dump_json() for event in events],
                "event_ids": [event.event_id for event in events],
                "times": [event.occurred_at for event in events],
            },
        )


async def take_one(session: AsyncSession) -> Suspect | None:
    """The one that waits longest; None where none does. It is ours until a minute has passed."""
    now = clock.now()
    row = (await session.execute(_TAKE, {"now": now, "until": now + TAKEN_FOR})).first()
    if row is None:
        return None
    fields = row.event if isinstance(row.event, dict) else MaterialUploaded.model_validate_json(row.event).model_dump()
    event = MaterialUploaded.model_validate(fields | {"event_id": row.event_id, "occurred_at": row.occurred_at})
    return Suspect(event, row.tries)


async def settle(session: AsyncSession, suspect: Suspect, look: Look | None) -> None:
    """Write down and tell the verdict, once; None: the image is gone."""
    event = suspect.event
    settled = await session.execute(_SETTLE, {"id": event.image_id, "event_id": event.event_id})
    if settled.first() is not None:
        await record_checks(session, [event], {} if look is None else {event.image_id: look})


async def waiting(session: AsyncSession) -> int:
    """How many still wait."""
    return int(await session.scalar(_WAITING) or 0)
