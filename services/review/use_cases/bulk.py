"""Passing what nothing speaks against, many at once: each is looked at again by the server, in its own transaction."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import Mark, Review, Staff, outcome_of, today_in_china
from services.review.handed_in import images_of
from services.review.opening import person_of, reading_of
from services.review.packs import Shelf
from services.review.use_cases.acts import Done, decide_held, pass_held
from services.review.use_cases.revisions import must_be_as_seen
from services.review.use_cases.rows import line_of, locked_review, marks_of, write_history
from shared import clock
from shared.contracts.rules import Pack
from shared.errors import Conflict
from shared.security.sealing import KeyRing

_SPEAK_AGAINST = frozenset({"review", "reject", "gone"})
_CONTRADICTS = frozenset({"mismatch", "expired"})
_HISTORY = tables.history.c


async def pass_clean(
    session: AsyncSession,
    key_ring: KeyRing,
    shelf: Shelf,
    by: Staff,
    application_no: str,
    revision: int,
    lease: timedelta,
    undo: timedelta,
) -> Done:
    """Pass one on (a site), or approve it (a region), where nothing speaks against it.

    Args:
        session: a transaction, or a savepoint, of its own: what is refused leaves nothing behind.
        key_ring: opens what was read.
        shelf: the packs.
        by: who passes it.
        application_no: which one.
        revision: as it was seen.
        lease: for the claim that it takes on the way.
        undo: for how long it may be undone.

    Raises:
        Conflict: somebody else holds it, it waits elsewhere, a newer revision is there, or something speaks against it.
        NotFound: no such application in this person's scope.
    """
    by.must_review()
    review = await locked_review(session, by, application_no)
    await must_be_as_seen(session, shelf, review, revision)
    if review.claim(by, clock.now(), lease):
        await write_history(session, line_of(review, "claimed", by))
    if review.proposed_opinion is not None:
        raise _not_clean("needs-second-look", "有待复核的意见，请逐份复核", "An opinion waits for a second look")
    await _must_be_clean(session, key_ring, shelf, by, review)
    if by.tier == "site":
        return await pass_held(session, shelf, by, review, None, undo)
    return await decide_held(session, shelf, by, review, "approved", "", undo)


async def _must_be_clean(session: AsyncSession, key_ring: KeyRing, shelf: Shelf, by: Staff, review: Review) -> None:
    pack = await shelf.get(session, review.pack_id, review.pack_version)
    if review.route == "onsite" or review.queue in ("onsite", "sent_back"):
        raise _not_clean("looked-at-one-by-one", "现场审核或考区退回的报名", "It comes on-site, or was sent back")
    marks = await marks_of(session, shelf, review, by.tier)
    # What the site passed, it saw as it is registered now.
    site_passed = by.tier == "region" and review.passed_revision == review.revision
    passed = await marks_of(session, shelf, review, "site") if site_passed else []
    present = [row for row in await images_of(session, review.application_no) if row.last_round == review.round]
    await _must_not_be_doubted(session, review)
    _must_be_accepted(pack, review, marks, passed, present)
    if not site_passed:
        await _must_be_accepted_as_registered(session, pack, by, review, marks)
    _must_be_without_findings(pack, present)
    await _must_not_be_contradicted(session, key_ring, review, pack, present)


async def _must_not_be_doubted(session: AsyncSession, review: Review) -> None:
    if review.recommended_opinion is not None:
        raise _not_clean("site-recommends", "考点建议不予通过", "The site recommends otherwise")
    recorded = await session.scalar(
        select(exists().where(tables.false_materials.c.application_no == review.application_no))
    )
    if recorded:
        raise _not_clean("false-material-recorded", "已登记违纪违规材料", "False material is on record")
    disagreed = await session.scalar(
        select(
            exists().where(
                _HISTORY.application_no == review.application_no,
                _HISTORY.act == "disagreed",
                _HISTORY.revision == review.revision,
            )
        )
    )
    if disagreed:
        raise _not_clean("reviewers-disagree", "两位审核员意见不一致", "Two reviewers disagree about it")


def _must_be_accepted(
    pack: Pack, review: Review, marks: Sequence[Mark], passed: Sequence[Mark], present: Sequence[Row[Any]]
) -> None:
    """Every item accepted by this tier, or, for the region, by the site that passed this very revision."""
    returned = [mark.item for mark in marks if mark.mark == "return"]
    if returned:
        raise _not_clean("items-marked-return", "有标记为退回的材料", "Items are marked `return`", pack, returned)
    handed_in = {row.item for row in present}
    missing = sorted(set(review.required_items) - handed_in)
    if missing or not handed_in:
        raise _not_clean("items-missing", "缺少应提交的材料", "Required items are missing", pack, missing)
    unseen = sorted(handed_in - {mark.item for mark in (*marks, *passed) if mark.mark == "accept"})
    if unseen:
        raise _not_clean("not-accepted-before", "有尚未审核的材料", "Items were not accepted before", pack, unseen)


async def _must_be_accepted_as_registered(
    session: AsyncSession, pack: Pack, by: Staff, review: Review, marks: Sequence[Mark]
) -> None:
    """A diploma was accepted for the education that was registered then: the images may be the same, it is not."""
    of_it = _HISTORY.application_no == review.application_no
    changed = await session.scalar(
        select(func.max(_HISTORY.revision)).where(
            of_it, _HISTORY.act == "submitted", _HISTORY.detail["cause"].astext == "registration_changed"
        )
    )
    if changed is None:
        return
    since = await session.scalars(
        select(_HISTORY.detail["item"].astext).where(
            of_it, _HISTORY.act == "marked", _HISTORY.tier == by.tier, _HISTORY.revision >= changed
        )
    )
    stale = sorted({mark.item for mark in marks if mark.mark == "accept"} - set(since))
    if stale:
        raise _not_clean(
            "registration-changed",
            "报名信息在材料通过后有变更",
            "The registration changed after items were accepted",
            pack,
            stale,
        )


def _must_be_without_findings(pack: Pack, present: Sequence[Row[Any]]) -> None:
    found = {
        row.item
        for row in present
        if row.confirmed
        or (row.checked_verdict or row.verdict) in _SPEAK_AGAINST
        or any(finding["severity"] in _SPEAK_AGAINST for finding in row.findings or ())
    }
    if found:
        raise _not_clean(
            "has-findings", "自动检查提示需核对", "The automatic check noticed something", pack, sorted(found)
        )


async def _must_not_be_contradicted(
    session: AsyncSession, key_ring: KeyRing, review: Review, pack: Pack, present: Sequence[Row[Any]]
) -> None:
    copied = sorted({row.item for row in present if row.copies})
    if copied:
        raise _not_clean("seen-elsewhere", "图片与其他考生的相同", "The same images lie under others", pack, copied)
    sealed = await session.scalar(
        select(tables.applications.c.sealed).where(tables.applications.c.application_no == review.application_no)
    )
    person, today = person_of(key_ring, sealed), today_in_china(clock.now())
    contradicts = set()
    for row in present:
        opened = reading_of(key_ring, row.image_id, row.wanted, row.mirrored, row.sealed) if row.sealed else None
        if opened and any(outcome_of(each, person, today) in _CONTRADICTS for each in opened.texts):
            contradicts.add(row.item)
    if contradicts:
        raise _not_clean(
            "reading-contradicts",
            "识别内容与报名信息不一致或已过期",
            "What was read does not match the registration, or is out of date",
            pack,
            sorted(contradicts),
        )


def _not_clean(code: str, zh: str, en: str, pack: Pack | None = None, items: Sequence[str] = ()) -> Conflict:
    titles = [pack.items[code].title for code in items if code in pack.items] if pack is not None else []
    which, which_en = "、".join(each.zh for each in titles), ", ".join(each.en for each in titles)
    return Conflict(
        code,
        f"{zh}{f'（{which}）' if which else ''}，请逐份审核。",
        f"{en}{f' ({which_en})' if which_en else ''}. Review this one by itself.",
        items=list(items),
    )
