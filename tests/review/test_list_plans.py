"""What a page of a list costs: it reads an index in the list's order, and a bounded number of rows."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.bench.review_rows import fill
from services.review.domain import Staff
from services.review.lists import LOOKED, REGIONS_OWN, Listing, in_order
from services.review.lookup import Lookup
from services.review.queries import search
from services.review.queries.queue import MOST
from services.review.shapes import Filters, QueueName
from shared.database import make_engine
from shared.security.sealing import KeyRing
from tests.builders.review import START


@pytest_asyncio.fixture(scope="module")
async def crowded(scratch_database: Callable[[str | None], Awaitable[str]]) -> AsyncIterator[AsyncConnection]:
    """A database with 60,000 applications."""
    url = await scratch_database("review")
    filling = await asyncpg.connect(url)
    await fill(filling, 60_000, since=START)
    await filling.close()
    engine = make_engine(url)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


SCOPES = {
    "site": Staff(uuid4(), "s", "考点", "site_reviewer", "15", "1501"),
    "region": Staff(uuid4(), "r", "考区", "region_admin", "15", None),
    "nation": Staff(uuid4(), "n", "全国", "national_operator", None, None),
}
FILTERS: dict[str, dict[str, object]] = {
    "nothing": {},
    "category": {"category": "dental"},
    "education": {"education": "apprenticeship"},
    "a finding": {"finding": "blurred"},
    "a finding that none has": {"finding": "too_dark"},
    "time": {"waiting_since": START + timedelta(days=4)},
    "site": {"site": "1502"},
    "all": {"site": "1501", "education": "apprenticeship", "category": "dental", "finding": "blurred"},
}


@pytest.mark.parametrize("scope", SCOPES)
async def test_every_list_reads_indexes_in_order_and_touches_a_bounded_number_of_rows(
    crowded: AsyncConnection, scope: str
) -> None:
    staff, now = SCOPES[scope], START + timedelta(days=20)
    await in_order(crowded)
    names = [name for name in get_args(QueueName) if scope != "site" or name not in REGIONS_OWN]
    found = {}
    for name in names:
        for words, filters in FILTERS.items():
            closed = [("neimenggu-2021", 1)] if name == "attention" else []
            listing = Listing(staff, name, Filters.model_validate(filters), now, closed)
            for place, after in (("first", None), ("deep", deep_in(listing))):
                found[name, words, place] = await plan_of(crowded, listing.page(after, 20))
        found[name, "counted"] = await plan_of(crowded, Listing(staff, name, Filters(), now).counted(MOST))

    unfit = {at: plan for at, plan in found.items() if {"Seq Scan", "Bitmap Heap Scan", "Sort"} & nodes(plan)}
    # Every part of a list may look at as many, and lists have ten parts at most, two for each where time narrows them.
    touched = {at: rows_read(plan) for at, plan in found.items()}
    assert list(unfit) == []
    assert {at: rows for at, rows in touched.items() if rows > 3 * LOOKED and "counted" not in at} == {}
    assert {at: rows for at, rows in touched.items() if "counted" in at and rows > 20 * MOST} == {}
    assert touched["new", "nothing", "deep"] <= 60


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("after", [None, "15000000030000"])
async def test_a_search_reads_indexes_in_order_and_touches_a_bounded_number_of_rows(
    crowded: AsyncConnection, scope: str, after: str | None, tmp_path: Path
) -> None:
    lookup = Lookup(KeyRing(f"m:{b64encode(bytes(32)).decode()}", tmp_path / "keys"), bytes(32))
    await crowded.execute(text("UPDATE applications SET name_hash = :hash"), {"hash": lookup.name("王小明")})
    await in_order(crowded)

    plans = [
        await plan_of(crowded, search.looked_at(lookup, SCOPES[scope], q, after), with_bytes=True)
        for q in ("王小明", "150000", "999999199001011234", "15000000000007")
    ]

    assert [{"Seq Scan", "Bitmap Heap Scan"} & nodes(plan) for plan in plans] == [set()] * 4
    assert max(map(rows_read, plans)) <= 3 * search.LOOKED


def deep_in(listing: Listing) -> str:
    class At:
        due_at = START + timedelta(days=20)
        submitted_at = START + timedelta(days=15)
        application_no = "15"

    return listing.cursor(At())


async def plan_of(connection: AsyncConnection, query: Any, *, with_bytes: bool = False) -> dict[str, Any]:
    """How a statement went. `with_bytes`: its values can't be written into it."""
    compiled = query.compile(connection.engine.sync_engine, compile_kwargs={"literal_binds": not with_bytes})
    values = tuple(compiled.params[name] for name in compiled.positiontup or ()) if with_bytes else None
    answer = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {compiled}", values)
    told = answer.scalar()
    plan: dict[str, Any] = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return plan


def steps(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(step for part in plan.get("Plans", ()) for step in steps(part))]


def nodes(plan: dict[str, Any]) -> set[str]:
    return {step["Node Type"] for step in steps(plan)}


def rows_read(plan: dict[str, Any]) -> float:
    """Rows that scans gave, and those that they threw away."""
    return sum(
        (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
        for step in steps(plan)
        if "Scan" in step["Node Type"] and "Relation Name" in step
    )
