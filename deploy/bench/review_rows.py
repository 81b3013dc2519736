"""A review database with as many applications as wanted, made by a few statements: for measurements and their tests.

Submission times are shuffled against the numbers, so that neighbours in a list are not neighbours on disk.
"""

from datetime import datetime, timedelta

import asyncpg

REGION, SITES = "15", 4
PUBLISHING_REGION = "43"
PACK = "neimenggu-2021"
ITEMS = ("identity", "diploma")
# Of ten applications: five wait at a site, three at the region, one is with the candidate and one is decided.
_REVIEWS = """
INSERT INTO reviews (application_no, region, site, year, pack_id, pack_version, route, facts, round, revision,
                     submitted_at, changed_items, state, tier, passed_revision, queue, due_at, returns, findings,
                     opinion)
SELECT number, region, site, 2021, $3, 1, 'online', jsonb_build_object('category', category, 'education', education),
       round, round, at, '{identity,diploma}', state, CASE state WHEN 'at_site' THEN 'site' ELSE 'region' END,
       CASE state WHEN 'at_site' THEN 0 ELSE round END,
       CASE state WHEN 'at_site' THEN site_queue WHEN 'at_region' THEN region_queue END,
       CASE WHEN n % 50 = 7 THEN '9999-01-01 00:00:00+00' ELSE at + interval '5 days' END,
       CASE WHEN n % 200 = 3 THEN 3 ELSE 0 END, findings, CASE state WHEN 'decided' THEN 'approved' END
FROM (
    SELECT n, '15' || lpad(n::text, 12, '0') AS number, '15' AS region, '150' || 1 + n % 4 AS site, 1 + n % 2 AS round,
           $4::timestamptz + (n * 7919 % 1000003) * ($5::interval / 1000003) AS at,
           ('{at_site,at_site,at_site,at_site,at_site,at_region,at_region,at_region,returned,decided}'::text[])
               [1 + (hashint8(n) & 1023) % 10] AS state,
           ('{clinical,dental,public_health,tcm}'::text[])
               [1 + (hashint8(n + 1) & 1023) % 4] AS category,
           CASE WHEN n % 499 = 0 THEN 'apprenticeship'
                ELSE ('{bachelor,junior_college,graduate}'::text[])[1 + (hashint8(n + 2) & 1023) % 3] END AS education,
           ('{new,new,new,resubmitted,sent_back,onsite}'::text[])[1 + (hashint8(n + 3) & 1023) % 6] AS site_queue,
           ('{new,new,new,resubmitted,second_look}'::text[])[1 + (hashint8(n + 4) & 1023) % 5] AS region_queue,
           CASE WHEN n % 10 = 3 THEN '{blurred}'::text[] ELSE '{}' END AS findings
    FROM generate_series($1::bigint, $2::bigint) AS n
) AS made
"""
_DECIDED = """
INSERT INTO reviews (application_no, region, site, year, pack_id, pack_version, route, facts, round, revision,
                     submitted_at, changed_items, state, tier, passed_revision, opinion)
SELECT '43' || lpad(n::text, 12, '0'), '43', '4301', 2021, $2, 1, 'online', '{}', 1, 1, $3, '{}', 'decided', 'region',
       1, 'approved'
FROM generate_series(1, $1::bigint) AS n
"""
_DECISIONS = """
INSERT INTO decisions (decision_id, application_no, round, revision, opinion, words, decided_by, decided_at)
SELECT gen_random_uuid(), application_no, round, revision, 'approved', '', $1, $2 FROM reviews WHERE state = 'decided'
"""
_APPLICATIONS = """
INSERT INTO applications (application_no, registration_revision, facts, sealed, id_number_hash, name_hash)
SELECT application_no, 1, facts, $1::jsonb, sha256(application_no::bytea), sha256(reverse(application_no)::bytea)
FROM reviews WHERE region = '15'
"""
_IMAGES = """
INSERT INTO images (application_no, image_id, item, object_key, sha256, size, content_type, uploaded_at, verdict,
                    first_round, last_round)
SELECT application_no, gen_random_uuid(), 'diploma', application_no, repeat('0', 64), 1000, 'image/jpeg', submitted_at,
       'accept', round, round
FROM reviews WHERE region = '15' AND queue IS NOT NULL
"""


async def fill(
    connection: asyncpg.Connection,
    count: int,
    *,
    since: datetime,
    over: timedelta = timedelta(days=30),
    sealed: str | None = None,
    decided_by: object = None,
    decided: int = 0,
) -> None:
    """Make `count` applications of region 15 and its four sites, in all states.

    Args:
        connection: to a migrated review database; a superuser's.
        count: how many.
        since: when the first was handed in.
        over: within how long all of them were.
        sealed: whose registrations they are, as JSON: one person stands for all. None: no registrations.
        decided_by: who decided those that are decided; without it there are no decisions.
        decided: so many more, all of them decided, in region 43.
    """
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('reviews', 'applications', 'images') "
        "AND indexname NOT LIKE '%pkey'"
    )
    # One by one, rows would go into sixteen indexes: a million takes minutes. Foreign keys hold by construction.
    await connection.execute("SET session_replication_role = replica")
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["indexname"]}"')
    await connection.execute(_REVIEWS, 1, count, PACK, since, over, timeout=300)
    if decided:
        await connection.execute(_DECIDED, decided, PACK, since, timeout=300)
    if decided_by is not None:
        await connection.execute(_DECISIONS, decided_by, since, timeout=300)
    if sealed is not None:
        await connection.execute(_APPLICATIONS, sealed, timeout=300)
        await connection.execute(_IMAGES, timeout=300)
    for index in indexes:
        await connection.execute(index["indexdef"], timeout=300)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("VACUUM ANALYZE", timeout=300)
