"""What was read from an application's images, held against its registration; and where else the same bytes lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Row as SqlRow
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff, gravest, outcome_of
from services.review.shapes import ComparedShown, CopyShown, ReadingShown, ReadTextShown
from shared import clock
from shared.contracts.event import Person, Sealed
from shared.contracts.rules import ReadableField
from shared.contracts.validation import Reading, ReadText, SeenUnder
from shared.security.masking import mask_id_number
from shared.security.sealing import KeyDestroyed, KeyRing

log = structlog.get_logger(__name__)

_CHINA = ZoneInfo("Asia/Shanghai")
# Two kinds of advice for each image that a screen shows.
_ROWS = 2000


@dataclass(frozen=True)
class Advice:
    """For the images and items of one application."""

    readings: Mapping[UUID, ReadingShown] = field(default_factory=dict)
    copies: Mapping[UUID, list[CopyShown]] = field(default_factory=dict)
    compared: Mapping[str, list[ComparedShown]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Opened:
    """One image's reading."""

    image_id: UUID
    wanted: Sequence[ReadableField]
    mirrored: bool | None
    texts: Sequence[ReadText]


async def advice_on(
    session: AsyncSession, key_ring: KeyRing, staff: Staff, review: Review, person: Person | None, *, claimed: bool
) -> Advice:
    """What validation can tell this person about the images of an application.

    Args:
        session: the transaction.
        key_ring: opens what was read.
        staff: who is asking.
        review: the application.
        person: who is registered, if that is known.
        claimed: whether `staff` holds it: nothing that was read is opened for anybody else.
    """
    rows = (
        await session.execute(
            select(tables.readings, tables.images.c.item, tables.images.c.last_round)
            .join(
                tables.images,
                (tables.images.c.image_id == tables.readings.c.image_id)
                & (tables.images.c.application_no == tables.readings.c.application_no),
            )
            .where(tables.images.c.application_no == review.application_no)
            .order_by(tables.images.c.uploaded_at, tables.images.c.image_id)
            .limit(_ROWS)
        )
    ).all()
    copies = await _copies(session, staff, {row.image_id: row.copies for row in rows if row.about == "copies"})
    if not claimed:
        return Advice(copies=copies)
    present: dict[str, list[_Opened]] = {}
    replaced: list[_Opened] = []
    for row in rows:
        opened = _opened(key_ring, row) if row.about == "reading" else None
        if opened is None:
            continue
        if row.last_round == review.round:
            present.setdefault(row.item, []).append(opened)
        else:
            replaced.append(opened)
    return _compared(person, present, replaced, await _present_images(session, review), copies)


def _compared(
    person: Person | None,
    present: Mapping[str, list[_Opened]],
    replaced: Sequence[_Opened],
    images: Mapping[str, int],
    copies: Mapping[UUID, list[CopyShown]],
) -> Advice:
    readings = {each.image_id: _shown(each, person, _missing([each])) for each in replaced}
    items: dict[str, list[ComparedShown]] = {}
    for item, opened in present.items():
        # What was not found may be on an image that is still to be read.
        missing = _missing(opened) if len(opened) >= images[item] else []
        shown = [_shown(each, person, missing) for each in opened]
        readings |= {each.image_id: reading for each, reading in zip(opened, shown, strict=True)}
        items[item] = [
            ComparedShown(
                field=name,
                outcome=gravest(text.outcome for reading in shown for text in reading.texts if text.field == name),
            )
            for name in _wanted(opened)
            if name in missing or any(text.field == name for each in opened for text in each.texts)
        ]
    return Advice(readings, copies, items)


def _wanted(opened: Sequence[_Opened]) -> list[ReadableField]:
    return list(dict.fromkeys(name for each in opened for name in each.wanted))


def _missing(opened: Sequence[_Opened]) -> list[ReadableField]:
    """The wanted fields that none of an item's images shows: a card's back has no name, so it lacks none."""
    read = {text.field for each in opened for text in each.texts}
    return [name for name in _wanted(opened) if name not in read]


def _shown(opened: _Opened, person: Person | None, missing: Sequence[ReadableField]) -> ReadingShown:
    today = clock.now().astimezone(_CHINA).date()
    return ReadingShown(
        mirrored=opened.mirrored,
        texts=[
            ReadTextShown(
                field=text.field,
                outcome=outcome_of(text, person, today),
                value=mask_id_number(text.value) if text.field == "id_number" else text.value,
                confidence=text.confidence,
                check_digit=text.check_digit,
                box=text.box,
            )
            for text in opened.texts
        ],
        missing=[name for name in missing if name in opened.wanted],
    )


def _opened(key_ring: KeyRing, row: SqlRow[Any]) -> _Opened | None:
    """None where it was erased, or is damaged."""
    try:
        reading = key_ring.open_as(Sealed.model_validate(row.sealed), Reading) if row.sealed else Reading()
    except KeyDestroyed:
        return None
    except ValueError:
        # One damaged row must not close the whole page.
        log.exception("sealed.not_intact", image_id=str(row.image_id))
        return None
    return _Opened(row.image_id, row.wanted, row.mirrored, reading.texts)


async def _present_images(session: AsyncSession, review: Review) -> Mapping[str, int]:
    items = await session.scalars(
        select(tables.images.c.item).where(
            tables.images.c.application_no == review.application_no, tables.images.c.last_round == review.round
        )
    )
    counts: dict[str, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return counts


async def _copies(
    session: AsyncSession, staff: Staff, told: Mapping[UUID, Sequence[Mapping[str, Any]]]
) -> Mapping[UUID, list[CopyShown]]:
    seen = {image_id: [SeenUnder.model_validate(each) for each in copies] for image_id, copies in told.items()}
    numbers = {each.application_no for copies in seen.values() for each in copies}
    if not numbers:
        return {}
    rows = await session.execute(
        select(tables.reviews.c.application_no, tables.reviews.c.region, tables.reviews.c.site).where(
            tables.reviews.c.application_no.in_(sorted(numbers))
        )
    )
    places = {row.application_no: (row.region, row.site) for row in rows}

    def shown(copy: SeenUnder) -> CopyShown:
        # One that was not handed in yet has a region, but no site that anybody could vouch for.
        region, site = places.get(copy.application_no, (copy.region, ""))
        number = copy.application_no if staff.sees(region, site) else None
        return CopyShown(application_no=number, region=region, item=copy.item)

    return {image_id: [shown(each) for each in copies] for image_id, copies in seen.items()}
