"""What the other services told: registrations, rules, submissions, what ended them, verdicts, notices."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.domain import Heard, Review, State
from services.review.lookup import Hashes
from services.review.use_cases.pending import void_overtaken
from services.review.use_cases.rows import line_about, line_of, locked_reviews, write_history
from services.review.use_cases.upkeep import lock_packs, note_findings, set_due, set_due_of
from shared import clock
from shared.contracts.notify import NoticeDelivered
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import RulesPublished
from shared.contracts.upload import (
    ApplicationLapsed,
    ApplicationReopened,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    HandedInImage,
)
from shared.contracts.validation import MaterialChecked
from shared.messaging.inbox import newest_of

T = TypeVar("T", ApplicationReopened, ApplicationWithdrawn, ApplicationLapsed)

_RECORD = text(
    """
    INSERT INTO applications (application_no, registration_revision, facts, sealed, id_number_hash, name_hash)
    SELECT n.* FROM unnest(CAST(:numbers AS text[]), CAST(:revisions AS int[]), CAST(:facts AS jsonb[]),
                           CAST(:sealed AS jsonb[]), CAST(:id_numbers AS bytea[]), CAST(:names AS bytea[]))
         AS n(application_no, revision, facts, sealed, id_number_hash, name_hash)
    ORDER BY n.application_no
    ON CONFLICT (application_no) DO UPDATE SET
        registration_revision = excluded.registration_revision, facts = excluded.facts, sealed = excluded.sealed,
        id_number_hash = excluded.id_number_hash, name_hash = excluded.name_hash
    WHERE applications.registration_revision < excluded.registration_revision
    """
)
_KEEP_PACK = text(
    """
    INSERT INTO packs (pack_id, version, content, reasons, published_at)
    VALUES (:id, :version, CAST(:content AS jsonb), :reasons, :at) ON CONFLICT DO NOTHING
    RETURNING version
    """
)
# DO UPDATE … WHERE false locks a row that is there without writing it: new and old rows are locked in one order. To
# insert first and lock then deadlocked with a batch of registrations for the same numbers.
_LOCK = text(
    """
    INSERT INTO applications (application_no) SELECT unnest(CAST(:numbers AS text[])) AS n ORDER BY n
    ON CONFLICT (application_no) DO UPDATE SET reopened_revision = applications.reopened_revision WHERE false
    """
)
_TAKEN_BACK = text(
    """
    SELECT application_no, reopened_revision, reopened_as FROM applications
    WHERE application_no = ANY(CAST(:numbers AS text[]))
    """
)
_NOTE_TAKEN_BACK = text(
    """
    UPDATE applications SET reopened_revision = n.revision, reopened_as = :state
    FROM unnest(CAST(:numbers AS text[]), CAST(:revisions AS int[])) AS n(application_no, revision)
    WHERE applications.application_no = n.application_no AND applications.reopened_revision < n.revision
    """
)
_VOID_DECISIONS = text(
    """
    UPDATE decisions SET voided_at = :now
    WHERE application_no = ANY(CAST(:numbers AS text[])) AND voided_at IS NULL AND publication_id IS NULL
    """
)
_HAND_IN = text(
    """
    INSERT INTO images (application_no, image_id, item, object_key, sha256, size, content_type, uploaded_at, verdict,
                        confirmed, first_round, last_round)
    SELECT n.* FROM unnest(
        CAST(:numbers AS text[]), CAST(:ids AS uuid[]), CAST(:items AS text[]), CAST(:keys AS text[]),
        CAST(:sha256s AS text[]), CAST(:sizes AS int[]), CAST(:types AS text[]), CAST(:uploaded AS timestamptz[]),
        CAST(:verdicts AS text[]), CAST(:confirmed AS bool[]), CAST(:first_rounds AS int[]), CAST(:last_rounds AS int[])
    ) AS n(application_no, image_id, item, object_key, sha256, size, content_type, uploaded_at, verdict, confirmed,
           first_round, last_round)
    ON CONFLICT (application_no, image_id) DO UPDATE SET
        verdict = excluded.verdict, confirmed = excluded.confirmed, last_round = excluded.last_round,
        replaced_round = NULL, replaced_at = NULL
    """
)
# The first round without an image is the one that replaced it, also where a batch brings several rounds.
_NOTE_REPLACED = text(
    """
    UPDATE images SET replaced_round = n.round, replaced_at = n.at
    FROM (
        SELECT DISTINCT ON (i.application_no, i.image_id) i.application_no, i.image_id, r.round, r.at
        FROM unnest(CAST(:numbers AS text[]), CAST(:rounds AS int[]), CAST(:ats AS timestamptz[]))
             AS r(application_no, round, at)
        JOIN images AS i ON i.application_no = r.application_no AND i.last_round < r.round
        WHERE i.replaced_round IS NULL
        ORDER BY i.application_no, i.image_id, r.round
    ) AS n
    WHERE images.application_no = n.application_no AND images.image_id = n.image_id
    """
)
_FORGET_MARKS_OF_CHANGED = text(
    """
    DELETE FROM marks USING unnest(CAST(:numbers AS text[]), CAST(:items AS text[])) AS n(application_no, item)
    WHERE marks.application_no = n.application_no AND marks.item = n.item
    """
)
_FORGET_SITE_MARKS = text("DELETE FROM marks WHERE tier = 'site' AND application_no = ANY(CAST(:numbers AS text[]))")
_NOTE_CHECKS = text(
    """
    INSERT INTO checks (image_id, application_no, check_no, verdict, reason, findings, checked_at)
    SELECT n.* FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS text[]), CAST(:check_nos AS int[]),
                           CAST(:verdicts AS text[]), CAST(:reasons AS text[]), CAST(:findings AS jsonb[]),
                           CAST(:ats AS timestamptz[]))
         AS n(image_id, application_no, check_no, verdict, reason, findings, checked_at)
    ORDER BY n.image_id
    ON CONFLICT (image_id) DO UPDATE SET
        check_no = excluded.check_no, verdict = excluded.verdict, reason = excluded.reason,
        findings = excluded.findings, checked_at = excluded.checked_at
    WHERE checks.check_no < excluded.check_no
    """
)
# An image that was rejected, or is gone, holds back too: upload is about to reopen the application.
_CHECKED_THROUGH = text(
    """
    SELECT application_no FROM reviews
    WHERE application_no = ANY(CAST(:numbers AS text[])) AND state = 'submitted' AND NOT EXISTS (
        SELECT 1 FROM images LEFT JOIN checks USING (image_id)
        WHERE images.application_no = reviews.application_no AND images.last_round = reviews.round
          AND images.verdict = 'checking' AND NOT images.confirmed
          AND (checks.verdict IS NULL OR checks.verdict IN ('reject', 'gone'))
    )
    """
)
_NOTE_NOTICES = text(
    """
    INSERT INTO notices (notice_id, channel, application_no, about, outcome, round, delivered_at)
    SELECT n.* FROM unnest(CAST(:ids AS uuid[]), CAST(:channels AS text[]), CAST(:numbers AS text[]),
                           CAST(:abouts AS text[]), CAST(:outcomes AS text[]), CAST(:rounds AS int[]),
                           CAST(:ats AS timestamptz[]))
         AS n(notice_id, channel, application_no, about, outcome, round, delivered_at)
    ORDER BY n.notice_id, n.channel
    ON CONFLICT (notice_id, channel) DO UPDATE SET outcome = excluded.outcome, delivered_at = excluded.delivered_at
    WHERE notices.delivered_at < excluded.delivered_at
    """
)


async def record_registrations(
    session: AsyncSession, told: Sequence[RegistrationRecorded], hashes: Mapping[UUID, Hashes]
) -> None:
    """Keep who the candidate is, sealed as it came; an older revision than the known one changes nothing.

    Args:
        session: the caller's transaction.
        told: what was told.
        hashes: by event, under which the candidate is found.
    """
    newest = newest_of(told, lambda each: each.application_no, lambda each: each.registration_revision)
    await session.execute(
        _RECORD,
        {
            "numbers": [each.application_no for each in newest],
            "revisions": [each.registration_revision for each in newest],
            "facts": [each.facts.model_dump_json() for each in newest],
            "sealed": [each.sealed.model_dump_json() for each in newest],
            "id_numbers": [hashes[each.event_id].id_number for each in newest],
            "names": [hashes[each.event_id].name for each in newest],
        },
    )


async def keep_packs(session: AsyncSession, told: Sequence[RulesPublished]) -> None:
    """Keep every version of every pack; what was handed in under one that comes late is due from now on."""
    await lock_packs(session, [(each.pack.id, each.pack.version) for each in told], shared=False)
    for each in sorted(told, key=lambda event: event.key):
        kept = await session.scalar(
            _KEEP_PACK,
            {
                "id": each.pack.id,
                "version": each.pack.version,
                "content": each.pack.model_dump_json(),
                "reasons": list(each.pack.reasons),
                "at": each.occurred_at,
            },
        )
        if kept is not None:
            await set_due_of(session, each.pack)


async def take_submissions(session: AsyncSession, told: Sequence[ApplicationSubmitted]) -> None:
    """Applications were handed in: those whose images are all checked come into the queue."""
    # Rules are heard under their pack's lock and lock reviews then: the other order could block both.
    await lock_packs(session, [(each.pack_id, each.pack_version) for each in told], shared=True)
    known = await _locked_applications(session, [each.application_no for each in told])
    reviews = await locked_reviews(session, list(known))
    await void_overtaken(session, reviews, [(each.application_no, each.revision) for each in told])
    lines, taken, moved, overtaken = [], [], [], []
    for each in told:
        known_round = reviews[each.application_no].round if each.application_no in reviews else each.round
        changes = _changes_of(reviews.get(each.application_no), each)
        heard = _take(session, reviews, each, known[each.application_no])
        review = reviews[each.application_no]
        if heard is Heard.NEW:
            taken.append(each)
            lines.append(line_of(review, "submitted", detail=changes))
            if "to_site" in changes:
                moved.append(each.application_no)
        elif heard is Heard.OLD and each.round > known_round and not review.is_frozen:
            review.note_overtaken(each)
            overtaken.append(each)
        elif heard is Heard.LATE:
            lines.append(line_of(review, "submitted_after_publication", detail={"told_revision": each.revision}))
    await session.flush()
    await _void_decisions(session, [each.application_no for each in taken])
    await _forget_site_marks(session, moved)
    await _hand_in(session, sorted([*overtaken, *taken], key=lambda each: each.round))
    await write_history(session, *lines)
    numbers = [each.application_no for each in taken]
    await set_due(session, numbers)
    await note_findings(session, numbers)
    await _let_in(session, numbers)


async def take_reopenings(session: AsyncSession, told: Sequence[ApplicationReopened]) -> None:
    """The system gave applications back: out of the queue until they are handed in again."""
    await _take_back(session, told, State.RETURNED, "reopened", Review.reopen, _of_reopening)


async def take_withdrawals(session: AsyncSession, told: Sequence[ApplicationWithdrawn]) -> None:
    """Candidates took applications back."""
    await _take_back(session, told, State.WITHDRAWN, "withdrawn", _withdraw, lambda _: {})


async def take_lapses(session: AsyncSession, told: Sequence[ApplicationLapsed]) -> None:
    """Applications were not handed in (again) by the deadline."""
    await _take_back(session, told, State.LAPSED, "lapsed", Review.lapse, _of_lapse)


async def note_checks(session: AsyncSession, told: Sequence[MaterialChecked]) -> None:
    """Verdicts on images, before or after their submission; the last one outstanding lets the application in."""
    numbers = [each.application_no for each in told]
    await _locked_applications(session, numbers)
    # All at once: what is found and what is let in are two lists, and locked one after the other would be two orders.
    await locked_reviews(session, numbers)
    newest = newest_of(told, lambda each: str(each.image_id), lambda each: each.check_no)
    await session.execute(
        _NOTE_CHECKS,
        {
            "ids": [each.image_id for each in newest],
            "numbers": [each.application_no for each in newest],
            "check_nos": [each.check_no for each in newest],
            "verdicts": [each.verdict for each in newest],
            "reasons": [each.reason for each in newest],
            "findings": [json.dumps([found.model_dump(mode="json") for found in each.findings]) for each in newest],
            "ats": [each.checked_at for each in newest],
        },
    )
    await note_findings(session, numbers)
    await _let_in(session, numbers)


async def note_notices(session: AsyncSession, told: Sequence[NoticeDelivered]) -> None:
    """Whether the candidate was reached: the last outcome per notice and channel counts."""
    newest = newest_of(told, lambda each: f"{each.notice_id} {each.channel}", lambda each: each.delivered_at)
    await session.execute(
        _NOTE_NOTICES,
        {
            "ids": [each.notice_id for each in newest],
            "channels": [each.channel for each in newest],
            "numbers": [each.application_no for each in newest],
            "abouts": [each.about for each in newest],
            "outcomes": [each.outcome for each in newest],
            "rounds": [each.round for each in newest],
            "ats": [each.delivered_at for each in newest],
        },
    )


async def _take_back(
    session: AsyncSession,
    told: Sequence[T],
    state: State,
    act: str,
    take: Callable[[Review, T], Heard],
    detail_of: Callable[[T], dict[str, Any]],
) -> None:
    """Out of every queue: the claim ends, an unpublished decision is void; after publication it is only listed."""
    numbers = [each.application_no for each in told]
    await _locked_applications(session, numbers)
    newest = newest_of(told, lambda each: each.application_no, lambda each: each.revision)
    await session.execute(
        _NOTE_TAKEN_BACK,
        {
            "numbers": [each.application_no for each in newest],
            "revisions": [each.revision for each in newest],
            "state": state.value,
        },
    )
    reviews = await locked_reviews(session, numbers)
    await void_overtaken(session, reviews, [(each.application_no, each.revision) for each in told])
    lines, taken = [], []
    for each in told:
        review = reviews.get(each.application_no)
        if review is None:
            # Noted: the submission, when it comes, is overtaken already.
            lines.append(line_about(each.application_no, each.round, each.revision, act, detail=detail_of(each)))
            continue
        heard = take(review, each)
        if heard is Heard.NEW:
            taken.append(each.application_no)
            lines.append(line_of(review, act, detail=detail_of(each)))
        elif heard is Heard.LATE:
            detail = detail_of(each) | {"told_revision": each.revision}
            lines.append(line_of(review, f"{act}_after_publication", detail=detail))
    await session.flush()
    await _void_decisions(session, taken)
    await write_history(session, *lines)


def _withdraw(review: Review, event: ApplicationWithdrawn) -> Heard:
    return review.withdraw(event, clock.now())


def _changes_of(before: Review | None, event: ApplicationSubmitted) -> dict[str, Any]:
    """What else than images is new in a submission: where it goes, and what it is held against."""
    changes: dict[str, Any] = {}
    if before is not None and before.site != event.site:
        changes |= {"from_site": before.site, "to_site": event.site}
    if before is not None and before.facts != event.facts.model_dump(mode="json"):
        changes["cause"] = "registration_changed"
    return changes


def _of_reopening(event: ApplicationReopened) -> dict[str, Any]:
    return {
        "cause": event.cause,
        "items": [item.model_dump(mode="json", include={"item", "reason_code", "words"}) for item in event.items],
    }


def _of_lapse(event: ApplicationLapsed) -> dict[str, Any]:
    return {"was": event.was, "deadline": event.deadline.isoformat()}


async def _locked_applications(session: AsyncSession, numbers: Sequence[str]) -> dict[str, tuple[int, State]]:
    """Lock by number, also what nobody has heard of yet: a verdict and its submission must not miss each other.

    Returns:
        The revision of the newest reopening, withdrawal or lapse heard, and what it made of the application.
    """
    wanted = {"numbers": sorted(set(numbers))}
    await session.execute(_LOCK, wanted)
    rows = await session.execute(_TAKEN_BACK, wanted)
    return {
        row.application_no: (row.reopened_revision, State(row.reopened_as) if row.reopened_as else State.RETURNED)
        for row in rows
    }


def _take(
    session: AsyncSession, reviews: dict[str, Review], event: ApplicationSubmitted, known: tuple[int, State]
) -> Heard:
    review = reviews.get(event.application_no)
    if review is not None:
        return review.resubmit(event)
    review = reviews[event.application_no] = Review.begun_by(event)
    review.overtaken_by(*known)
    session.add(review)
    return Heard.NEW


async def _forget_site_marks(session: AsyncSession, numbers: Sequence[str]) -> None:
    """Another site's staff look with their own eyes."""
    if numbers:
        await session.execute(_FORGET_SITE_MARKS, {"numbers": list(numbers)})


async def _void_decisions(session: AsyncSession, numbers: Sequence[str]) -> None:
    if numbers:
        await session.execute(_VOID_DECISIONS, {"numbers": list(numbers), "now": clock.now()})


async def _hand_in(session: AsyncSession, taken: Sequence[ApplicationSubmitted]) -> None:
    """Keep the images of the submissions; marks on what the candidate changed are worth nothing now."""
    rows: dict[tuple[str, str], tuple[ApplicationSubmitted, HandedInImage, int]] = {}
    changed: set[tuple[str, str]] = set()
    for each in taken:
        changed.update((each.application_no, item) for item in each.changed_items)
        for image in each.images:
            place = (each.application_no, str(image.image_id))
            first_round = rows[place][2] if place in rows else each.round
            rows[place] = (each, image, first_round)
    if changed:
        await session.execute(
            _FORGET_MARKS_OF_CHANGED,
            {"numbers": [number for number, _ in changed], "items": [item for _, item in changed]},
        )
    ordered = [rows[place] for place in sorted(rows)]
    await session.execute(
        _HAND_IN,
        {
            "numbers": [each.application_no for each, _, _ in ordered],
            "ids": [image.image_id for _, image, _ in ordered],
            "items": [image.item for _, image, _ in ordered],
            "keys": [image.object_key for _, image, _ in ordered],
            "sha256s": [image.sha256 for _, image, _ in ordered],
            "sizes": [image.size for _, image, _ in ordered],
            "types": [image.content_type for _, image, _ in ordered],
            "uploaded": [image.uploaded_at for _, image, _ in ordered],
            "verdicts": [image.verdict for _, image, _ in ordered],
            "confirmed": [image.confirmed for _, image, _ in ordered],
            "first_rounds": [first_round for _, _, first_round in ordered],
            "last_rounds": [each.round for each, _, _ in ordered],
        },
    )
    await session.execute(
        _NOTE_REPLACED,
        {
            "numbers": [each.application_no for each in taken],
            "rounds": [each.round for each in taken],
            "ats": [each.submitted_at for each in taken],
        },
    )


async def _let_in(session: AsyncSession, numbers: Sequence[str]) -> None:
    """Those whose images are all checked come into their tier's queue."""
    checked = (await session.scalars(_CHECKED_THROUGH, {"numbers": sorted(set(numbers))})).all()
    if checked:
        for review in (await locked_reviews(session, checked)).values():
            review.let_in()
        await session.flush()
