"""Hearing of registrations and rules."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload.checklist import Rules
from shared import clock
from shared.contracts.event import Sealed
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import RulesPublished
from shared.security.sealing import KeyDestroyed, KeyRing, lookup_hash

_RECORD = text(
    """
    INSERT INTO applications (application_no, region, site, year, pack_id, registration_revision, facts, sealed,
                              id_number_hash, last_seq)
    SELECT n.*, 1
    FROM unnest(CAST(:numbers AS text[]), CAST(:regions AS text[]), CAST(:sites AS text[]), CAST(:years AS int[]),
                CAST(:packs AS text[]), CAST(:revisions AS int[]), CAST(:facts AS jsonb[]), CAST(:sealed AS jsonb[]),
                CAST(:hashes AS bytea[]))
         AS n(application_no, region, site, year, pack_id, revision, facts, sealed, hash)
    ORDER BY n.application_no
    ON CONFLICT (application_no) DO UPDATE SET
        region = excluded.region, site = excluded.site, year = excluded.year,
        -- Once submitted, the application keeps the pack of its submission.
        pack_id = CASE WHEN applications.pack_version IS NULL THEN excluded.pack_id ELSE applications.pack_id END,
        registration_revision = excluded.registration_revision, facts = excluded.facts, sealed = excluded.sealed,
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
_KEEP_PACK = text(
    """
    INSERT INTO packs (pack_id, version, content, published_at)
    VALUES (:id, :version, CAST(:content AS jsonb), :at) ON CONFLICT DO NOTHING
    """
)


class IdNumbers:
    """Finds applications by ID number without storing it in the clear.

    Args:
        keys: opens what registrations seal.
        lookup_key: of the keyed hash.
    """

    def __init__(self, keys: KeyRing, lookup_key: bytes) -> None:
        self._keys = keys
        self._lookup_key = lookup_key

    def hash_of(self, sealed: Sealed) -> bytes | None:
        """The hash of a sealed person's ID number; None where the data was erased."""
        try:
            return lookup_hash(self._lookup_key, self._keys.open(sealed).id_number)
        except KeyDestroyed:
            return None


async def record(session: AsyncSession, told: Sequence[RegistrationRecorded], id_numbers: IdNumbers) -> None:
    """Take over registrations; one that is older than what is known changes nothing."""
    newest: dict[str, RegistrationRecorded] = {}
    for each in told:
        known = newest.get(each.application_no)
        if known is None or each.registration_revision > known.registration_revision:
            newest[each.application_no] = each
    rows = [newest[number] for number in sorted(newest)]
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
    fresh = [row.application_no for row in written if row.fresh]
    if fresh:
        await session.execute(_BEGIN_TIMELINES, {"numbers": fresh, "at": clock.now()})


async def keep_packs(session: AsyncSession, told: Sequence[RulesPublished]) -> None:
    """Keep every version of every pack.

    Raises:
        BadCondition: a condition does not compile; kept, it would close the page of every candidate of the region.
    """
    for each in told:
        Rules(each.pack)
        await session.execute(
            _KEEP_PACK,
            {
                "id": each.pack.id,
                "version": each.pack.version,
                "content": each.pack.model_dump_json(),
                "at": each.occurred_at,
            },
        )
