"""One application on one screen: facts, items with their images and marks, notices, history."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row as SqlRow
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import NEVER, Review, Staff, no_such_application, reasons_of
from services.review.handed_in import images_of
from services.review.opening import person_of
from services.review.packs import Shelf
from services.review.queries.beside import GivenBack, beside
from services.review.queries.people import on_the_screen
from services.review.queries.readings import Advice, advice_on
from services.review.shapes import (
    Detail,
    FindingShown,
    ImageShown,
    ItemShown,
    MarkShown,
    OpinionOf,
    Pending,
    PhotoShown,
    Reason,
    Replaced,
    SectionShown,
)
from shared import clock
from shared.contracts.findings import words_for
from shared.contracts.review import Opinion
from shared.contracts.rules import ItemRule, Pack, Text
from shared.security.sealing import KeyRing

_NOT_IN_PACK = Text(zh="现行规则之外的材料", en="Not in the rules that apply")

_RECOMMENDER = tables.staff.alias("recommender")
_PROPOSER = tables.staff.alias("proposer")
_HEAD = (
    select(
        Review,
        tables.applications.c.sealed,
        tables.acts.c.kind.label("act_kind"),
        tables.acts.c.due_at.label("undo_until"),
        tables.acts.c.staff_id.label("acted_by"),
        _RECOMMENDER.c.display_name.label("recommender"),
        _PROPOSER.c.display_name.label("proposer"),
    )
    .outerjoin(tables.applications, tables.applications.c.application_no == tables.reviews.c.application_no)
    .outerjoin(tables.acts, tables.acts.c.act_id == tables.reviews.c.act_id)
    .outerjoin(_RECOMMENDER, _RECOMMENDER.c.id == tables.reviews.c.recommended_by)
    .outerjoin(_PROPOSER, _PROPOSER.c.id == tables.reviews.c.proposed_by)
)


async def detail_of(
    session: AsyncSession, key_ring: KeyRing, shelf: Shelf, staff: Staff, application_no: str
) -> Detail:
    """Everything that this person may see of an application.

    Raises:
        NotFound: there is none in this person's scope.
        Unavailable: its rules have not arrived yet.
    """
    head = (await session.execute(_HEAD.where(tables.reviews.c.application_no == application_no))).one_or_none()
    if head is None or not staff.sees(head.Review.region, head.Review.site):
        raise no_such_application()
    review: Review = head.Review
    structlog.contextvars.bind_contextvars(application_no=review.application_no)
    now = clock.now()
    mine = review.is_held_by(staff, now)
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    person = person_of(key_ring, head.sealed)
    rows = await images_of(session, application_no)
    advice = await advice_on(session, key_ring, staff, review, person, rows, claimed=mine)
    shows = staff.sees_opinion(review.published_at, now)
    around = await beside(session, staff, application_no, with_opinions=shows)
    images = _images(rows, review, advice, around.given_back)
    regions = staff.tier == "region"
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
        published_at=review.published_at if shows else None,
        registration_photo=_photo(review),
        # That it waits for a second look tells what the region would decide.
        queue=review.queue if regions or review.tier == "site" else None,
        due_at=review.due_at if review.due_at != NEVER else None,
        returns=review.returns,
        act=_act(head, staff),
        recommended=_opinion(
            staff, review.recommended_opinion, review.recommended_words, review.recommended_by, head.recommender
        ),
        proposed=_opinion(staff, review.proposed_opinion, review.proposed_words, review.proposed_by, head.proposer)
        if regions
        else None,
        false_materials=around.records,
        watermark=f"{staff.display_name} {staff.login}" if pack.watermark else None,
        reasons=[Reason(code=code, words=words) for code, words in reasons_of(pack, review.site).items()],
        sections=_sections(review, pack, images, around.marks, advice),
        notices=around.notices,
        history=around.history.items,
        history_next=around.history.next,
    )


def _act(head: SqlRow[Any], staff: Staff) -> Pending | None:
    if head.act_kind is None or head.acted_by != staff.id:
        return None
    return Pending(act_id=head.Review.act_id, kind=head.act_kind, undo_until=head.undo_until)


def _opinion(
    staff: Staff, opinion: Opinion | None, words: str | None, by: UUID | None, name: str | None
) -> OpinionOf | None:
    if opinion is None:
        return None
    return OpinionOf(opinion=opinion, words=words or "", by=name or "", mine=by == staff.id)


def _photo(review: Review) -> PhotoShown | None:
    if review.photo_key is None or review.photo_accepted_at is None:
        return None
    return PhotoShown(url=f"/reviews/{review.application_no}/registration-photo", accepted_at=review.photo_accepted_at)


def _images(
    rows: Sequence[SqlRow[Any]], review: Review, advice: Advice, given_back: Mapping[str, Sequence[GivenBack]]
) -> dict[str, list[ImageShown]]:
    by_item: dict[str, list[ImageShown]] = {}
    for row in rows:
        by_item.setdefault(row.item, []).append(_image(row, review, advice, given_back.get(row.item, ())))
    return by_item


def _replaced(row: SqlRow[Any], given_back: Sequence[GivenBack]) -> Replaced | None:
    if row.replaced_round is None:
        return None
    why = [each.why for each in given_back if row.last_round <= each.round < row.replaced_round]
    return Replaced(round=row.replaced_round, at=row.replaced_at, why=why)


def _image(row: SqlRow[Any], review: Review, advice: Advice, given_back: Sequence[GivenBack]) -> ImageShown:
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


def _sections(
    review: Review, pack: Pack, images: dict[str, list[ImageShown]], marks: Mapping[str, MarkShown], advice: Advice
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
