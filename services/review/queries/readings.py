"""What was read from an application's images, held against its registration; and where else the same bytes lie."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row as SqlRow
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff, gravest, outcome_of, today_in_china
from services.review.opening import Opened, reading_of
from services.review.shapes import ComparedShown, CopyShown, ReadingShown, ReadTextShown
from shared import clock
from shared.contracts.event import Person
from shared.contracts.rules import ReadableField
from shared.contracts.validation import SeenUnder
from shared.security.masking import mask_id_number
from shared.security.sealing import KeyRing


@dataclass(frozen=True)
class Advice:
    """For the images and items of one application."""

    readings: Mapping[UUID, ReadingShown] = field(default_factory=dict)
    copies: Mapping[UUID, list[CopyShown]] = field(default_factory=dict)
    compared: Mapping[str, list[ComparedShown]] = field(default_factory=dict)


async def advice_on(
    session: AsyncSession,
    key_ring: KeyRing,
    staff: Staff,
    review: Review,
    person: Person | None,
    images: Sequence[SqlRow[Any]],
    *,
    claimed: bool,
) -> Advice:
    """What validation can tell this person about the images of an application.

    Args:
        session: the transaction.
        key_ring: opens what was read.
        staff: who is asking.
        review: the application.
        person: who is registered, if that is known.
        images: its images, see `handed_in`.
        claimed: whether `staff` holds it: nothing that was read is opened for anybody else.
    """
    copies = await _copies(session, staff, {row.image_id: row.copies for row in images if row.copies})
    if not claimed:
        return Advice(copies=copies)
    present: dict[str, list[Opened]] = {}
    replaced: list[Opened] = []
    for row in images:
        if row.wanted is None:
            continue
        opened = reading_of(key_ring, row.image_id, row.wanted, row.mirrored, row.sealed)
        if opened is None:
            continue
        if row.last_round == review.round:
            present.setdefault(row.item, []).append(opened)
        else:
            replaced.append(opened)
    counts = Counter(row.item for row in images if row.last_round == review.round)
    return _compared(person, present, replaced, counts, copies)


def _compared(
    person: Person | None,
    present: Mapping[str, list[Opened]],
    replaced: Sequence[Opened],
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


def _wanted(opened: Sequence[Opened]) -> list[ReadableField]:
    return list(dict.fromkeys(name for each in opened for name in each.wanted))


def _missing(opened: Sequence[Opened]) -> list[ReadableField]:
    """The wanted fields that none of an item's images shows: a card's back has no name, so it lacks none."""
    read = {text.field for each in opened for text in each.texts}
    return [name for name in _wanted(opened) if name not in read]


def _shown(opened: Opened, person: Person | None, missing: Sequence[ReadableField]) -> ReadingShown:
    today = today_in_china(clock.now())
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
