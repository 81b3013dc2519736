"""Many applications at once, written as the service itself would have left them."""

from typing import Any

from tests.review.conftest import ReviewUnderTest

_REVIEWS = """
    INSERT INTO applications (application_no, registration_revision, facts, sealed)
    SELECT number, 1, '{}', CAST(:sealed AS jsonb) FROM unnest(CAST(:numbers AS text[])) AS n(number)
"""
_OF = """
    INSERT INTO reviews (application_no, region, site, year, pack_id, pack_version, route, facts, round, revision,
                         submitted_at, changed_items, state, tier, opinion, queue, returns)
    SELECT number, :region, :site, :year, 'neimenggu-2021', 1, 'online',
           '{"category": "clinical", "education": "bachelor"}', 1, 1, CAST('2021-03-01T02:00:00Z' AS timestamptz), '{}',
           :state, :tier, :opinion, CASE WHEN :state IN ('at_site', 'at_region') THEN 'new' END, :returns
    FROM unnest(CAST(:numbers AS text[])) AS n(number)
"""
_DECISIONS = """
    INSERT INTO decisions (decision_id, application_no, round, revision, opinion, words, decided_by, decided_at)
    SELECT gen_random_uuid(), number, 1, 1, :opinion, :words, :by, CAST('2021-03-02T02:00:00Z' AS timestamptz)
    FROM unnest(CAST(:numbers AS text[])) AS n(number)
"""


def numbers(count: int, first: int = 1) -> list[str]:
    """Application numbers in order."""
    return [f"15{first + n:08d}" for n in range(count)]


async def there_are(
    review: ReviewUnderTest,
    count: int,
    state: str,
    *,
    first: int = 1,
    region: str = "15",
    site: str = "1501",
    year: int = 2021,
    returns: int = 0,
    opinion: str = "approved",
    words: str = "",
    sealed: str | None = None,
) -> list[str]:
    """So many applications in a state, and their decisions where that is `decided`; returns their numbers."""
    many = numbers(count, first)
    decided = state == "decided"
    values: dict[str, Any] = {
        "numbers": many,
        "region": region,
        "site": site,
        "year": year,
        "state": state,
        "tier": "site" if state == "at_site" else "region",
        "opinion": opinion if decided else None,
        "returns": returns,
    }
    await review.execute(_REVIEWS, numbers=many, sealed=sealed)
    await review.execute(_OF, **values)
    if decided:
        await review.execute(_DECISIONS, numbers=many, opinion=opinion, words=words, by=review.people["region"])
    return many
