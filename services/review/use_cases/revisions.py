"""What a candidate changed since the revision that a reviewer had on the screen."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Review, Staff, revision_changed
from services.review.packs import Shelf
from services.review.use_cases.rows import locked_review
from shared import clock
from shared.errors import Conflict

_HISTORY = tables.history.c
_IMAGES = tables.images.c
# More images one application never has on a screen.
_MOST_IMAGES = 1000


async def held_review(
    session: AsyncSession, shelf: Shelf, by: Staff, application_no: str, revision: int | None
) -> Review:
    """The application, locked, which this person must hold.

    Args:
        session: the transaction.
        shelf: the packs.
        by: who is about to act.
        application_no: which application.
        revision: what the person had on the screen; None where that does not matter.

    Raises:
        Conflict: not claimed, or the candidate handed in a newer revision; then with what changed.
        NotFound: no such application in this person's scope.
    """
    review = await locked_review(session, by, application_no)
    await must_be_as_seen(session, shelf, review, revision)
    review.must_be_held_by(by, clock.now(), revision)
    return review


async def must_be_as_seen(session: AsyncSession, shelf: Shelf, review: Review, revision: int | None) -> None:
    """Refuse an act on another revision than the one that was seen, with what changed since.

    Raises:
        Conflict: the candidate handed in a newer revision.
    """
    if revision is not None and revision != review.revision:
        raise await _what_changed(session, shelf, review, revision)


async def _what_changed(session: AsyncSession, shelf: Shelf, review: Review, seen: int) -> Conflict:
    seen_round, since = await _then(session, review, seen)
    new: defaultdict[str, list[str]] = defaultdict(list)
    removed: defaultdict[str, list[str]] = defaultdict(list)
    rows = await session.execute(
        select(_IMAGES.item, _IMAGES.image_id, _IMAGES.last_round)
        .where(
            _IMAGES.application_no == review.application_no,
            or_(
                and_(_IMAGES.last_round == review.round, _IMAGES.first_round > seen_round),
                and_(_IMAGES.last_round < review.round, _IMAGES.last_round >= seen_round),
            ),
        )
        .order_by(_IMAGES.uploaded_at, _IMAGES.image_id)
        .limit(_MOST_IMAGES)
    )
    for row in rows:
        (new if row.last_round == review.round else removed)[row.item].append(str(row.image_id))
    changed = set(review.changed_items if review.round > seen_round else ()) | set(new) | set(removed)
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    order = {code: place for place, code in enumerate(pack.ordered_items())}

    def shown(code: str) -> dict[str, Any]:
        rule = pack.items.get(code)
        title = rule.title.model_dump() if rule else {"zh": code, "en": code}
        return {"item": code, "title": title, "new_images": new[code], "removed_images": removed[code]}

    codes = sorted(changed, key=lambda code: (order.get(code, len(order)), code))
    return revision_changed(
        review.round,
        review.revision,
        since=since.isoformat(),
        state=review.state.value,
        changed_items=codes,
        changes=[shown(code) for code in codes],
    )


async def _then(session: AsyncSession, review: Review, seen: int) -> tuple[int, datetime]:
    """The round of the revision that was seen, and when it was overtaken."""
    row = (
        await session.execute(
            select(
                func.max(_HISTORY.round).filter(_HISTORY.act == "submitted", _HISTORY.revision <= seen).label("round"),
                func.min(_HISTORY.at).filter(_HISTORY.revision > seen).label("since"),
            ).where(_HISTORY.application_no == review.application_no)
        )
    ).one()
    return row.round or max(review.round - 1, 0), row.since or review.submitted_at
