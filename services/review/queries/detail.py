"""One application on one screen: facts, items with their images and marks, notices, history."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import structlog
from sqlalchemy import Row as SqlRow
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff, no_such_application
from services.review.packs import Shelf
from services.review.queries.people import on_the_screen, opened
from services.review.queries.readings import Advice, advice_on
from services.review.shapes import (
    Detail,
    FindingShown,
    ImageShown,
    ItemShown,
    Line,
    MarkShown,
    NoticeShown,
    PhotoShown,
    Reason,
    Replaced,
    SectionShown,
    WhyReplaced,
)
from shared import clock
from shared.contracts.findings import words_for
from shared.contracts.rules import ItemRule, Pack, Text
from shared.security.sealing import KeyRing

# More than that nobody reads on a screen; the audit has the rest.
_LINES = 200
_IMAGES = 1000
_NOTICES = 50
_RETURNS = 200
_NOT_IN_PACK = Text(zh="现行规则之外的材料", en="Not in the rules that apply")


@dataclass(frozen=True)
class _GivenBack:
    """What the candidate was told about an item in a round."""

    round: int
    why: WhyReplaced


async def detail_of(
    session: AsyncSession, key_ring: KeyRing, shelf: Shelf, staff: Staff, application_no: str
) -> Detail:
    """Everything that this person may see of an application.

    Raises:
        NotFound: there is none in this person's scope.
        Unavailable: its rules have not arrived yet.
    """
    review = await session.get(Review, application_no)
    if review is None or not staff.sees(review.region, review.site):
        raise no_such_application()
    structlog.contextvars.bind_contextvars(application_no=review.application_no)
    now = clock.now()
    mine = review.is_held_by(staff, now)
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    sealed = await session.scalar(
        select(tables.applications.c.sealed).where(tables.applications.c.application_no == application_no)
    )
    person = opened(key_ring, sealed)
    advice = await advice_on(session, key_ring, staff, review, person, claimed=mine)
    images = await _images(session, review, advice)
    shows = _shows_opinion(staff, review, now)
    return Detail(
        application_no=review.application_no,
        state=review.state.value,
        tier=review.tier,
        round=review.round,
        revision=review.revision,
        year=review.year,
        region=review.region,
        region_name=pack.region.name,
        site=review.site,
        site_name=next((site.name for site in pack.sites if site.code == review.site), None),
        route=review.route,
        uploads=review.uploads,
        facts=review.facts,
        candidate=on_the_screen(person, claimed=mine),
        submitted_at=review.submitted_at,
        claimed=review.is_held(now),
        claimed_by_me=mine,
        claimed_until=review.claimed_until if review.is_held(now) else None,
        opinion=review.opinion if shows else None,
        published_at=review.published_at,
        registration_photo=_photo(review),
        queue=review.queue,
        due_at=None,
        returns=review.returns,
        act=None,
        recommended=None,
        proposed=None,
        false_materials=[],
        watermark=None,
        reasons=[Reason(code=code, words=words) for code, words in pack.reasons.items()],
        sections=_sections(review, pack, images, await _marks(session, application_no, staff), advice),
        notices=await _notices(session, application_no),
        history=await _history(session, application_no, with_decisions=shows),
    )


def _shows_opinion(staff: Staff, review: Review, now: datetime) -> bool:
    # Before it takes effect an opinion is known to the region alone; a site's office is near the candidates.
    return staff.tier == "region" or (review.published_at is not None and review.published_at <= now)


def _photo(review: Review) -> PhotoShown | None:
    if review.photo_key is None or review.photo_accepted_at is None:
        return None
    return PhotoShown(url=f"/reviews/{review.application_no}/registration-photo", accepted_at=review.photo_accepted_at)


async def _given_back(session: AsyncSession, application_no: str) -> Mapping[str, list[_GivenBack]]:
    """By item, oldest first: what reviewers and the system said when they gave it back."""
    rows = await session.execute(
        select(tables.history.c.at, tables.history.c.tier, tables.history.c.round, tables.history.c.detail)
        .where(
            tables.history.c.application_no == application_no,
            tables.history.c.act.in_(("returned", "reopened")),
        )
        .order_by(tables.history.c.id.desc())
        .limit(_RETURNS)
    )
    by_item: defaultdict[str, list[_GivenBack]] = defaultdict(list)
    for row in reversed(rows.all()):
        tier: Literal["site", "region", "system"] = row.tier or "system"
        for each in row.detail.get("items", ()):
            why = WhyReplaced(tier=tier, words=each.get("words", ""), at=row.at)
            by_item[each["item"]].append(_GivenBack(row.round, why))
    return by_item


async def _images(session: AsyncSession, review: Review, advice: Advice) -> dict[str, list[ImageShown]]:
    given_back = await _given_back(session, review.application_no)
    rows = await session.execute(
        select(
            tables.images,
            tables.checks.c.verdict.label("checked_verdict"),
            tables.checks.c.reason,
            tables.checks.c.findings,
        )
        .outerjoin(tables.checks, tables.checks.c.image_id == tables.images.c.image_id)
        .where(tables.images.c.application_no == review.application_no)
        .order_by(tables.images.c.uploaded_at, tables.images.c.image_id)
        .limit(_IMAGES)
    )
    by_item: dict[str, list[ImageShown]] = {}
    for row in rows:
        by_item.setdefault(row.item, []).append(_image(row, review, advice, given_back.get(row.item, ())))
    return by_item


def _replaced(row: SqlRow[Any], given_back: Sequence[_GivenBack]) -> Replaced | None:
    if row.replaced_round is None:
        return None
    why = [each.why for each in given_back if row.last_round <= each.round < row.replaced_round]
    return Replaced(round=row.replaced_round, at=row.replaced_at, why=why)


def _image(row: SqlRow[Any], review: Review, advice: Advice, given_back: Sequence[_GivenBack]) -> ImageShown:
    return ImageShown(
        image_id=row.image_id,
        verdict=row.checked_verdict or row.verdict,
        reason=row.reason,
        confirmed=row.confirmed,
        findings=[FindingShown(**found, words=words_for(found["code"])) for found in row.findings or ()],
        reading=advice.readings.get(row.image_id),
        copies=advice.copies.get(row.image_id, []),
        uploaded_at=row.uploaded_at,
        size=row.size,
        content_type=row.content_type,
        round=row.first_round,
        current=row.last_round == review.round,
        replaced=_replaced(row, given_back),
        url=f"/reviews/{review.application_no}/images/{row.image_id}",
    )


async def _marks(session: AsyncSession, application_no: str, staff: Staff) -> dict[str, MarkShown]:
    rows = await session.execute(
        select(tables.marks).where(tables.marks.c.application_no == application_no, tables.marks.c.tier == staff.tier)
    )
    return {
        row.item: MarkShown(
            mark=row.mark,
            reason_code=row.reason_code,
            words=row.words,
            image_ids=list(row.image_ids),
            same_images_allowed=row.same_images_allowed,
        )
        for row in rows
    }


def _sections(
    review: Review, pack: Pack, images: dict[str, list[ImageShown]], marks: dict[str, MarkShown], advice: Advice
) -> list[SectionShown]:
    changed = set(review.changed_items) if review.round > 1 else set()
    required = set(review.required_items)

    def item(code: str, rule: ItemRule | None) -> ItemShown:
        return ItemShown(
            item=code,
            title=rule.title if rule else Text(zh=code, en=code),
            instruction=rule.instruction if rule else _NOT_IN_PACK,
            channel=rule.channel if rule else "upload",
            required=code in required,
            handed_in=any(image.current for image in images.get(code, ())),
            changed=code in changed,
            mark=marks.get(code),
            images=images.get(code, []),
            compared=advice.compared.get(code, []),
        )

    sections = [
        SectionShown(
            title=section.title,
            items=[item(code, pack.items[code]) for code in section.items if code in pack.items],
        )
        for section in pack.sections
    ]
    shown = {each.item for section in sections for each in section.items}
    # An image that was handed in under other rules is still to be seen.
    left = [item(code, pack.items.get(code)) for code in sorted(images.keys() - shown)]
    return [*sections, SectionShown(title=_NOT_IN_PACK, items=left)] if left else sections


async def _notices(session: AsyncSession, application_no: str) -> list[NoticeShown]:
    rows = await session.execute(
        select(tables.notices)
        .where(tables.notices.c.application_no == application_no)
        .order_by(tables.notices.c.delivered_at.desc())
        .limit(_NOTICES)
    )
    return [
        NoticeShown(at=row.delivered_at, about=row.about, channel=row.channel, outcome=row.outcome, round=row.round)
        for row in rows
    ]


async def _history(session: AsyncSession, application_no: str, *, with_decisions: bool) -> list[Line]:
    query = (
        select(tables.history, tables.staff.c.display_name)
        .outerjoin(tables.staff, tables.staff.c.id == tables.history.c.staff_id)
        .where(tables.history.c.application_no == application_no)
        .order_by(tables.history.c.id.desc())
        .limit(_LINES)
    )
    if not with_decisions:
        query = query.where(tables.history.c.act.not_in(("decided", "published")))
    return [
        Line(at=row.at, tier=row.tier, act=row.act, by=row.display_name, round=row.round, detail=row.detail)
        for row in await session.execute(query)
    ]
