"""The figures of a site or a region: statements over indexes, each with a time-out; all together are kept for 60 s."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, TextClause, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import FINISHED, Staff, State, without_blanks
from services.review.shapes import (
    Age,
    Ageing,
    DayCounts,
    Overruled,
    Progress,
    ReasonCount,
    SiteCounts,
    Throughput,
)
from shared import clock
from shared.contracts.review import Tier
from shared.contracts.rules import Text
from shared.database import Sessions
from shared.errors import NotFound, Unavailable

KEPT_FOR = timedelta(seconds=60)
STATEMENT_TIMEOUT_MS = 10_000
DAYS = 60
BEIJING = ZoneInfo("Asia/Shanghai")

_MOST_PEOPLE = 2000
_PEOPLE_SHOWN = 200
_SCOPES_KEPT = 500
_OF = "r.region = :region AND r.year = :year AND (CAST(:site AS text) IS NULL OR r.site = :site)"
_DAY = "CAST(h.at AT TIME ZONE 'Asia/Shanghai' AS date)"
_NOT_UNDONE = """
    LEFT JOIN acts a ON a.act_id = CAST(h.detail ->> 'act_id' AS uuid)
    WHERE h.act = 'returned' AND h.at >= :since AND a.ended IS DISTINCT FROM 'undone'
"""
_COUNTS = text(
    f"""
    SELECT r.site, r.state, r.tier, count(*) AS n,
           count(*) FILTER (WHERE r.due_at < :now) AS late, count(*) FILTER (WHERE r.returns >= 3) AS thrice,
           count(*) FILTER (WHERE r.submitted_at > :day) AS under_1,
           count(*) FILTER (WHERE r.submitted_at > :three_days) AS under_3,
           count(*) FILTER (WHERE r.submitted_at > :week) AS under_7
    FROM reviews r WHERE {_OF} GROUP BY r.site, r.state, r.tier
    """
)
_BY_DAY = text(
    f"""
    SELECT {_DAY} AS day, h.act, count(*) AS n
    FROM history h JOIN reviews r ON r.application_no = h.application_no
    WHERE h.act IN ('submitted', 'returned', 'passed', 'decided', 'agreed') AND h.at >= :since AND {_OF} GROUP BY 1, 2
    """
)
_UNDONE_BY_DAY = text(
    f"""
    SELECT {_DAY} AS day, h.detail ->> 'kind' AS act, count(*) AS n
    FROM history h JOIN reviews r ON r.application_no = h.application_no
    WHERE h.act = 'undone' AND h.at >= :since AND {_OF} GROUP BY 1, 2
    """
)
_BY_PERSON = text(
    """
    SELECT h.staff_id, h.act, count(*) AS n, count(*) FILTER (WHERE h.at >= :today) AS today
    FROM history h
    WHERE h.act IN ('returned', 'passed', 'decided', 'agreed') AND h.at >= :week
      AND h.staff_id = ANY(CAST(:people AS uuid[]))
    GROUP BY 1, 2
    """
)
_UNDONE_BY_PERSON = text(
    """
    SELECT h.staff_id, h.detail ->> 'kind' AS act, count(*) AS n, count(*) FILTER (WHERE h.at >= :today) AS today
    FROM history h
    WHERE h.act = 'undone' AND h.at >= :week AND h.staff_id = ANY(CAST(:people AS uuid[]))
    GROUP BY 1, 2
    """
)
_REASONS = text(
    f"""
    SELECT i ->> 'item' AS item, i ->> 'reason_code' AS reason_code, count(*) AS n
    FROM history h
    JOIN reviews r ON r.application_no = h.application_no
    CROSS JOIN LATERAL jsonb_array_elements(h.detail -> 'items') AS i
    {_NOT_UNDONE} AND {_OF}
    GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT 20
    """
)
_ACCEPTED_IN_SPITE = text(
    f"""
    WITH newest AS (
        SELECT r.application_no, r.round FROM reviews r WHERE {_OF} AND r.findings <> '{{}}'
        ORDER BY r.submitted_at DESC LIMIT 5000)
    SELECT f ->> 'code' AS code, count(DISTINCT (i.application_no, i.item)) AS n
    FROM newest
    JOIN images i ON i.application_no = newest.application_no AND i.last_round = newest.round
    JOIN marks m ON m.application_no = i.application_no AND m.item = i.item AND m.mark = 'accept'
    JOIN checks c ON c.image_id = i.image_id
    CROSS JOIN LATERAL jsonb_array_elements(c.findings) AS f
    WHERE f ->> 'severity' IN ('reject', 'review')
    GROUP BY 1
    """
)
_RETURNED_WITH_FINDINGS = text(
    f"""
    SELECT f ->> 'code' AS code, count(DISTINCT (h.id, i.item)) AS n
    FROM history h
    JOIN reviews r ON r.application_no = h.application_no
    CROSS JOIN LATERAL jsonb_array_elements(h.detail -> 'items') AS given_back
    JOIN images i ON i.application_no = h.application_no AND i.item = given_back ->> 'item'
         AND i.first_round <= h.round AND i.last_round >= h.round
    JOIN checks c ON c.image_id = i.image_id
    CROSS JOIN LATERAL jsonb_array_elements(c.findings) AS f
    {_NOT_UNDONE} AND {_OF} AND f ->> 'severity' IN ('reject', 'review')
    GROUP BY 1
    """
)
_RULES = text(
    """
    SELECT content FROM packs
    WHERE content -> 'region' ->> 'code' = :region AND CAST(content ->> 'year' AS int) = :year
    ORDER BY published_at DESC, version DESC LIMIT 1
    """
).columns(content=JSONB)
# What is written in history, and what an undone act is called, by the column that it counts in.
_COLUMNS = {
    "submitted": "submitted",
    "returned": "returned",
    "return": "returned",
    "passed": "passed",
    "pass": "passed",
    "decided": "decided",
    "decide": "decided",
    "agreed": "decided",
    "agree": "decided",
}


@dataclass(frozen=True)
class Scope:
    """Whose figures."""

    region: str
    site: str | None
    year: int


async def scope_of(
    session: AsyncSession, staff: Staff, *, region: str | None, site: str | None, year: int | None
) -> Scope:
    """What somebody may see of what was asked for; without a year, the newest that has applications.

    Raises:
        Forbidden: an auditor reads the trail only (`role-act`).
        Invalid: the operator named no region (`region-missing`).
        NotFound: another region (`region-not-found`), or another site than one's own (`site-not-found`).
    """
    staff.must_have_lists()
    wanted = staff.region_asked_for(region)
    if staff.site is not None and site not in (None, staff.site):
        raise NotFound("site-not-found", "只能查看本考点，请核对考点代码。", "You see your own site only.")
    return Scope(wanted, staff.site or site, year or await newest_year(session, wanted))


async def newest_year(session: AsyncSession, region: str) -> int:
    """The newest exam year that has applications in this region; this year where there are none at all."""
    reviews = tables.reviews.c
    found = await session.scalar(select(func.max(reviews.year)).where(reviews.region == region))
    return int(found or clock.now().astimezone(BEIJING).year)


class Boards:
    """Figures that were worked out a moment ago: a screen that everybody leaves open costs one round a minute."""

    def __init__(self) -> None:
        self._kept: dict[Scope, Progress] = {}
        self._working: defaultdict[Scope, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, sessions: Sessions, scope: Scope, staff: Staff) -> Progress:
        """The figures as this person may see them: colleagues' work is for administrators.

        Raises:
            Unavailable: they take too long now (`progress-too-slow`).
        """
        async with self._working[scope]:
            known = self._kept.get(scope)
            now = clock.now()
            if known is None or not now - KEPT_FOR < known.as_of <= now:
                self._forget_old(now)
                known = self._kept[scope] = await _work_out(sessions, scope, now)
        sees_all = staff.role in ("region_admin", "national_operator")
        people = [each for each in known.throughput if sees_all or each.staff_id == staff.id]
        by_site = known.by_site if staff.tier == "region" else []
        return known.model_copy(update={"throughput": people[:_PEOPLE_SHOWN], "by_site": by_site})

    def forget(self) -> None:
        """Work everything out anew."""
        self._kept.clear()

    def _forget_old(self, now: datetime) -> None:
        if len(self._kept) >= _SCOPES_KEPT:
            self._kept = {scope: kept for scope, kept in self._kept.items() if now - KEPT_FOR < kept.as_of <= now}
            for scope in [scope for scope, lock in self._working.items() if not lock.locked()]:
                del self._working[scope]
        if len(self._kept) >= _SCOPES_KEPT:
            self._kept.clear()


async def _work_out(sessions: Sessions, scope: Scope, now: datetime) -> Progress:
    try:
        async with sessions.begin() as session:
            await session.execute(
                text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(STATEMENT_TIMEOUT_MS)}
            )
            return await _progress(session, scope, now)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "57014":  # query_canceled
            raise
        raise Unavailable(
            "progress-too-slow",
            "系统繁忙，统计未能完成，请稍后再试。",
            "The figures could not be worked out in time. Try again in a minute.",
            retry_after_s=60,
        ) from None


async def _progress(session: AsyncSession, scope: Scope, now: datetime) -> Progress:
    of = {"region": scope.region, "year": scope.year, "site": scope.site}
    midnight = datetime.combine(now.astimezone(BEIJING).date(), time(), BEIJING)
    since = {"since": midnight - timedelta(days=DAYS - 1)}
    counts = (
        await session.execute(
            _COUNTS,
            of
            | {
                "now": now,
                "day": now - timedelta(days=1),
                "three_days": now - timedelta(days=3),
                "week": now - timedelta(days=7),
            },
        )
    ).all()
    rules = await session.scalar(_RULES, {"region": scope.region, "year": scope.year})
    by_state: Counter[str] = Counter()
    by_tier: defaultdict[Tier, Counter[str]] = defaultdict(Counter)
    for row in counts:
        by_state[row.state] += row.n
        by_tier[row.tier][row.state] += row.n
    return Progress(
        region=scope.region,
        site=scope.site,
        year=scope.year,
        as_of=now,
        applications=by_state.total(),
        by_state=dict(by_state),
        by_tier={tier: dict(states) for tier, states in by_tier.items()},
        by_site=_by_site(counts, rules or {}),
        by_day=await _by_day(session, of | since, midnight.date()),
        ageing=_ageing(counts),
        overdue=sum(row.late for row in counts if _waits(row.state)),
        returned_3_times=sum(row.thrice for row in counts),
        throughput=await _throughput(session, scope, midnight),
        reasons=await _reasons(session, of | since, rules or {}),
        overruled=await _overruled(session, of | since),
    )


def _waits(state: str) -> bool:
    return state in (State.AT_SITE, State.AT_REGION)


def _by_site(counts: Sequence[Row[Any]], rules: dict[str, Any]) -> list[SiteCounts]:
    names = {site["code"]: Text.model_validate(site["name"]) for site in rules.get("sites", ())}
    states: defaultdict[str, Counter[str]] = defaultdict(Counter)
    late: Counter[str] = Counter()
    for row in counts:
        states[row.site][row.state] += row.n
        late[row.site] += row.late if _waits(row.state) else 0

    def order(site: str) -> tuple[int, str]:
        return (-sum(n for state, n in states[site].items() if state not in FINISHED), site)

    return [
        SiteCounts(site=site, name=names.get(site), by_state=dict(states[site]), overdue=late[site])
        for site in sorted(states, key=order)
    ]


def _ageing(counts: Sequence[Row[Any]]) -> list[Ageing]:
    by_age: dict[Age, Counter[str]] = {"<1d": Counter(), "1-3d": Counter(), "3-7d": Counter(), ">7d": Counter()}
    for row in counts:
        by_age["<1d"][row.state] += row.under_1
        by_age["1-3d"][row.state] += row.under_3 - row.under_1
        by_age["3-7d"][row.state] += row.under_7 - row.under_3
        by_age[">7d"][row.state] += row.n - row.under_7
    return [
        Ageing(bucket=bucket, site=states[State.AT_SITE.value], region=states[State.AT_REGION.value])
        for bucket, states in by_age.items()
    ]


async def _by_day(session: AsyncSession, of: dict[str, Any], today: date) -> list[DayCounts]:
    days: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for statement, sign in ((_BY_DAY, 1), (_UNDONE_BY_DAY, -1)):
        for row in await session.execute(statement, of):
            if row.act in _COLUMNS:
                days[row.day][_COLUMNS[row.act]] += sign * row.n
    return [
        # An act before midnight that was undone after it must not make a day negative.
        DayCounts(day=day, **{name: max(days[day][name], 0) for name in ("submitted", "returned", "passed", "decided")})
        for day in (today - timedelta(days=back) for back in reversed(range(DAYS)))
    ]


async def _throughput(session: AsyncSession, scope: Scope, midnight: datetime) -> list[Throughput]:
    staff = tables.staff.c
    found = select(staff.id, staff.display_name, staff.site).where(staff.region == scope.region)
    if scope.site is not None:
        found = found.where(staff.site == scope.site)
    people = {row.id: row for row in await session.execute(found.order_by(staff.login).limit(_MOST_PEOPLE))}
    when = {"week": midnight - timedelta(days=6), "today": midnight, "people": list(people)}
    week: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    today: Counter[Any] = Counter()
    signed: tuple[tuple[TextClause, int], ...] = ((_BY_PERSON, 1), (_UNDONE_BY_PERSON, -1))
    for statement, sign in signed:
        for row in await session.execute(statement, when):
            if row.act in _COLUMNS:
                week[row.staff_id][_COLUMNS[row.act]] += sign * row.n
                today[row.staff_id] += sign * row.today
    lines = [
        Throughput(
            staff_id=who,
            name=person.display_name,
            site=person.site,
            today=max(today[who], 0),
            last_7_days=week[who].total(),
            returned=week[who]["returned"],
            passed=week[who]["passed"],
            decided=week[who]["decided"],
        )
        for who, person in people.items()
    ]
    return sorted(lines, key=lambda line: -line.last_7_days)


async def _reasons(session: AsyncSession, of: dict[str, Any], rules: dict[str, Any]) -> list[ReasonCount]:
    titles = {code: Text.model_validate(rule["title"]) for code, rule in rules.get("items", {}).items()}
    reasons = {code: Text.model_validate(words) for code, words in rules.get("reasons", {}).items()}
    return [
        ReasonCount(
            item=row.item,
            item_title=titles.get(row.item),
            reason_code=row.reason_code,
            reason=without_blanks(words, titles.get(row.item)) if (words := reasons.get(row.reason_code)) else None,
            count=row.n,
        )
        for row in await session.execute(_REASONS, of)
    ]


async def _overruled(session: AsyncSession, of: dict[str, Any]) -> list[Overruled]:
    accepted = {row.code: row.n for row in await session.execute(_ACCEPTED_IN_SPITE, of)}
    returned = {row.code: row.n for row in await session.execute(_RETURNED_WITH_FINDINGS, of)}
    lines = [
        Overruled(code=code, accepted_in_spite=accepted.get(code, 0), returned=returned.get(code, 0))
        for code in accepted | returned
    ]
    return sorted(lines, key=lambda line: (-line.accepted_in_spite, -line.returned, line.code))
