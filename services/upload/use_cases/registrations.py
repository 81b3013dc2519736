"""Hearing of registrations: new ones, repeated ones, and ones that changed."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload.checklist import Checklist
from services.upload.domain import Application, State, differences
from services.upload.packs import Shelf
from services.upload.rows import add_to_timeline, items_with_images, keep_feedback, locked_applications, note_on_page
from shared import clock
from shared.contracts.event import Person, Sealed
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import Text, Windows
from shared.contracts.upload import ApplicationReopened
from shared.errors import Transient
from shared.messaging.inbox import newest_of
from shared.messaging.outbox import tell
from shared.security.sealing import KeyRing, lookup_hash

# What the candidate goes by is changed one by one, under the row's lock; here only what is new, and what is the same
# but for the person.
_RECORD = text(
    """
    INSERT INTO applications (application_no, region, site, year, pack_id, registration_revision, facts, sealed,
                              id_number_hash, last_seq, rules_version)
    SELECT n.*, 1, (SELECT max(version) FROM packs WHERE packs.pack_id = n.pack)
    FROM unnest(CAST(:numbers AS text[]), CAST(:regions AS text[]), CAST(:sites AS text[]), CAST(:years AS int[]),
                CAST(:packs AS text[]), CAST(:revisions AS int[]), CAST(:facts AS jsonb[]), CAST(:sealed AS jsonb[]),
                CAST(:hashes AS bytea[]))
         AS n(application_no, region, site, year, pack, revision, facts, sealed, hash)
    ORDER BY n.application_no
    ON CONFLICT (application_no) DO UPDATE SET
        registration_revision = excluded.registration_revision, sealed = excluded.sealed,
        id_number_hash = excluded.id_number_hash
    WHERE applications.registration_revision < excluded.registration_revision
    RETURNING application_no, (xmax = 0) AS fresh
    """
)
_BEGIN_TIMELINES = text(
    """
    INSERT INTO timeline (application_no, seq, kind, round, at)
    SELECT unnest(CAST(:numbers AS text[])), 1, 'registered', 0, :at
    """
)
_AGAIN = Text(
    zh="内容已重新打开，请核对后再次提交，否则报名到期失效",
    en="The application is open again: check it and submit again, or it lapses",
)
_NOTHING_ELSE = Text(zh="材料要求没有变化", en="The same materials are asked for")


class IdNumbers:
    """Finds applications by ID number without storing it in the clear.

    Args:
        keys: opens what registrations seal.
        lookup_key: of the keyed hash.
    """

    def __init__(self, keys: KeyRing, lookup_key: bytes) -> None:
        self._keys = keys
        self._lookup_key = lookup_key

    def person(self, sealed: Sealed) -> Person | None:
        """Whom it is about; None where the data was erased."""
        return self._keys.open_if_kept(sealed)

    def hash_of(self, sealed: Sealed) -> bytes | None:
        """The hash of a sealed person's ID number; None where the data was erased."""
        person = self.person(sealed)
        return None if person is None else lookup_hash(self._lookup_key, person.id_number)


async def record(
    session: AsyncSession, told: Sequence[RegistrationRecorded], id_numbers: IdNumbers, shelf: Shelf
) -> None:
    """Take over registrations; one that is older than what is known changes nothing."""
    newest = newest_of(told, lambda each: each.application_no, lambda each: each.registration_revision)
    applications = await locked_applications(session, [each.application_no for each in newest])
    for each in newest:
        of = applications.get(each.application_no)
        if of is None or each.registration_revision <= of.registration_revision:
            continue
        if of.differs_from(each):
            await _take_over(session, shelf, of, each)
        before, now = id_numbers.person(Sealed.model_validate(of.sealed)), id_numbers.person(each.sealed)
        if before is not None and now is not None and before.phone != now.phone:
            await note_on_page(session, of, "contact_changed")
    await session.flush()
    written = await _write(session, newest, id_numbers)
    if not written <= applications.keys():
        # Another process took these numbers in since they were looked for: look again.
        raise Transient("registrations that were new a moment ago are there now")


async def _write(session: AsyncSession, rows: Sequence[RegistrationRecorded], id_numbers: IdNumbers) -> set[str]:
    """Write new rows, and what every registration brings; returns the numbers that were there before."""
    written = await session.execute(
        _RECORD,
        {
            "numbers": [each.application_no for each in rows],
            "regions": [each.region for each in rows],
            "sites": [each.site for each in rows],
            "years": [each.year for each in rows],
            "packs": [each.pack_id for each in rows],
            "revisions": [each.registration_revision for each in rows],
            "facts": [each.facts.model_dump_json() for each in rows],
            "sealed": [each.sealed.model_dump_json() for each in rows],
            "hashes": [id_numbers.hash_of(each.sealed) for each in rows],
        },
    )
    found = written.all()
    fresh = [row.application_no for row in found if row.fresh]
    if fresh:
        await session.execute(_BEGIN_TIMELINES, {"numbers": fresh, "at": clock.now()})
    return {row.application_no for row in found if not row.fresh}


async def _take_over(session: AsyncSession, shelf: Shelf, of: Application, told: RegistrationRecorded) -> None:
    """The registration says something else now: follow it where that still may be, else note that it came too late."""
    now = clock.now()
    before = await shelf.worked_out_before(session, of)
    after = await _with(session, shelf, of, told)
    images = (await items_with_images(session, [of.application_no]))[of.application_no]
    changes = differences(before, after, images) if before is not None and after is not None else ()
    details = [*_of_site(of, told, after), *(change.words for change in changes)]
    if after is not None and not changes:
        details.append(_NOTHING_ELSE)
    await note_on_page(session, of, "registration_changed")
    if not of.takes_changes(await _windows(session, shelf, of), now):
        await add_to_timeline(session, of, "change_too_late", now, details)
        return
    again = [_AGAIN] if of.state is State.SUBMITTED else []
    of.follow(told)
    of.rules_version = None if after is None else after.pack.version
    reopened = of.take_in(changes, now)
    await add_to_timeline(session, of, "registration_changed", now, [*again, *details])
    if reopened is not None:
        await _keep_reasons(session, of, reopened)
        await note_on_page(session, of, "reopened")
        await tell(session, reopened)


async def _keep_reasons(session: AsyncSession, of: Application, reopened: ApplicationReopened) -> None:
    items = [
        {"item": each.item, "reason_code": each.reason_code, "words": each.words, "image_ids": []}
        for each in reopened.items
    ]
    if items:
        await keep_feedback(session, of, reopened.event_id, "system", items, reopened.reopened_at)


def _of_site(of: Application, told: RegistrationRecorded, after: Checklist | None) -> list[Text]:
    if of.site == told.site:
        return []
    sites = after.pack.sites if after is not None else ()
    name = next((site.name for site in sites if site.code == told.site), Text(zh=told.site, en=told.site))
    return [Text(zh=f"考点改为{name.zh}", en=f"Your exam site is {name.en} now")]


async def _with(session: AsyncSession, shelf: Shelf, of: Application, told: RegistrationRecorded) -> Checklist | None:
    """The checklist as the registration would have it; None while its rules have not arrived."""
    pack_id = told.pack_id if of.pack_version is None else of.pack_id
    version = of.pack_version or await shelf.newest(session, pack_id)
    if version is None:
        return None
    return (await shelf.rules(session, pack_id, version)).checklist(told.facts)


async def _windows(session: AsyncSession, shelf: Shelf, of: Application) -> Windows:
    version = await shelf.version_for(session, of)
    return Windows() if version is None else (await shelf.rules(session, of.pack_id, version)).pack.windows
