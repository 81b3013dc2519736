"""Reading the audit trail: auditors only, narrowed along indexes, page by page, and itself on record."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.queries import audit as trail
from services.review.use_cases import audit
from tests.builders.review import NO
from tests.review.conftest import Desk, ReviewUnderTest, Time
from tests.review.test_audit import a_member, lines_of, refusals

OTHER = "15012021000002"


async def an_auditor(review: ReviewUnderTest, region: str | None = "15") -> Desk:
    """The desk of an auditor of the region, or of the nation."""
    login = f"auditor-{region or 'nation'}"
    review.people[login] = uuid4()
    values = (await review.rows("SELECT password_hash FROM staff WHERE login = 'site'"))[0] | {
        "id": review.people[login], "login": login, "display_name": "审计员", "role": "auditor", "region": region,
    }  # fmt: skip
    async with review.service.sessions.begin() as session:
        await session.execute(insert(tables.staff), [values])
    return await review.desk(login)


async def read(desk: Desk, **filters: Any) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await desk.get("/audit", **filters, **cursor)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            return found
        cursor = {"cursor": answer.json()["next"]}


async def plant(review: ReviewUnderTest, *lines: dict[str, Any]) -> None:
    async with review.service.sessions.begin() as session:
        await audit.write(session, *(audit.line("opened", None) | line for line in lines))


@pytest.mark.parametrize("login", ["site", "region", "admin", "otherregion"])
@pytest.mark.parametrize("path", ["/audit", "/audit/seals"])
async def test_only_auditors_read_the_trail(review: ReviewUnderTest, login: str, path: str) -> None:
    desk = await review.desk(login)

    answer = await desk.get(path)

    assert answer.status_code == 403
    assert answer.json()["code"] == "role-act"
    assert len(await refusals(review)) == 1


async def test_an_auditor_reads_the_region_s_lines_newest_first_with_names(review: ReviewUnderTest) -> None:
    await review.has()
    site = await review.desk("site")
    await site.claim()
    await site.delete(f"/reviews/{NO}/claim")
    await plant(review, {"region": "43", "act": "elsewhere"})
    auditor = await an_auditor(review)

    lines = await read(auditor)

    assert [line["act"] for line in lines if line["application_no"]] == ["released", "claimed"]
    assert {line["by"] for line in lines if line["application_no"]} == {"审核员 site"}
    assert "elsewhere" not in {line["act"] for line in lines}


async def test_an_auditor_of_the_nation_reads_every_region(review: ReviewUnderTest) -> None:
    await plant(review, {"region": "15", "act": "here"}, {"region": "43", "act": "there"}, {"act": "nowhere"})
    auditor = await an_auditor(review, None)

    acts = {line["act"] for line in await read(auditor)}

    assert acts >= {"here", "there", "nowhere"}


async def test_an_auditor_opens_no_application(review: ReviewUnderTest) -> None:
    await review.has()
    auditor = await an_auditor(review)

    answer = await auditor.get(f"/reviews/{NO}")

    assert answer.status_code == 404
    assert len(await refusals(review)) == 1


async def test_the_trail_is_narrowed_by_person_act_application_outcome_and_time(review: ReviewUnderTest) -> None:
    at = datetime(2021, 3, 1, tzinfo=UTC)
    who, other = uuid4(), uuid4()
    await plant(
        review,
        {"at": at, "act": "claimed", "staff_id": who, "application_no": NO, "region": "15"},
        {"at": at + timedelta(hours=1), "act": "passed", "staff_id": who, "application_no": OTHER, "region": "15"},
        {"at": at + timedelta(hours=2), "act": "claimed", "staff_id": other, "application_no": OTHER, "region": "15"},
        {"at": at + timedelta(hours=3), "act": "decide", "outcome": "refused", "staff_id": other, "region": "15"},
    )  # fmt: skip
    auditor = await an_auditor(review)
    until = (at + timedelta(days=1)).isoformat()

    async def found(**filters: Any) -> list[str]:
        return [line["act"] for line in await read(auditor, **({"until": until} | filters))]

    assert await found() == ["decide", "claimed", "passed", "claimed"]
    assert await found(staff_id=str(who)) == ["passed", "claimed"]
    assert await found(act="claimed") == ["claimed", "claimed"]
    assert await found(application_no=OTHER) == ["claimed", "passed"]
    assert await found(application_no=OTHER, staff_id=str(who)) == ["passed"]
    assert await found(outcome="refused") == ["decide"]
    assert await found(since=(at + timedelta(hours=2)).isoformat()) == ["decide", "claimed"]
    assert await found(until=(at + timedelta(hours=1)).isoformat()) == ["claimed"]


async def test_pages_follow_each_other_without_gap_or_repetition(review: ReviewUnderTest) -> None:
    at = datetime(2021, 3, 1, tzinfo=UTC)
    # Several at the same moment: the number of the line decides.
    await plant(review, *({"at": at + timedelta(seconds=n // 3), "region": "15"} for n in range(20)))
    auditor = await an_auditor(review)

    lines = await read(auditor, limit=3, act="opened")

    ids = [line["line_id"] for line in lines]
    assert len(ids) == 20
    assert ids == sorted(ids, reverse=True)


async def test_a_rare_filter_looks_at_a_bounded_number_of_lines_and_leads_on(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "LOOKED_AT", 10)
    at = datetime(2021, 3, 1, tzinfo=UTC)
    await plant(review, {"at": at, "outcome": "refused", "region": "15"})
    await plant(review, *({"at": at + timedelta(seconds=n), "region": "15"} for n in range(1, 35)))
    auditor = await an_auditor(review)

    first = (await auditor.get("/audit", act="opened", outcome="refused")).json()
    lines = await read(auditor, act="opened", outcome="refused")

    assert first["items"] == []
    assert first["next"] is not None
    assert [line["outcome"] for line in lines] == ["refused"]


class WrittenMeanwhile:
    """A session before each of whose reads others write lines."""

    def __init__(self, session: AsyncSession, review: ReviewUnderTest, *lines: dict[str, Any]) -> None:
        self._session, self._review, self._lines = session, review, lines

    async def execute(self, query: Any) -> Any:
        await plant(self._review, *self._lines)
        return await self._session.execute(query)


@pytest.mark.parametrize("limit", [3, 50])
async def test_no_line_is_repeated_or_missed_while_lines_are_written_between_and_within_pages(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(trail, "LOOKED_AT", 10)
    at = datetime(2021, 3, 1, tzinfo=UTC)
    refused = (
        {"at": at + timedelta(seconds=n // 2), "outcome": "refused" if n % 4 == 0 else "done"} for n in range(60)
    )
    await plant(review, *(line | {"region": "15"} for line in refused))
    there = await review.rows("SELECT line_id FROM audit WHERE outcome = 'refused' ORDER BY at DESC, line_id DESC")
    newer = {"at": at + timedelta(hours=1), "outcome": "refused", "region": "15", "act": "newer"}
    filters = trail.AuditFilters(outcome="refused")
    found, cursor, pages = [], None, 0

    while pages == 0 or cursor is not None:
        async with review.service.sessions() as session:
            busy = WrittenMeanwhile(session, review, *[newer] * 4)
            page = await trail.audit_page(busy, a_member(review, role="auditor"), filters, cursor, limit)  # type: ignore[arg-type]
        found += [line.line_id for line in page.items if line.act != "newer"]
        cursor, pages = page.next, pages + 1

    assert found == [line["line_id"] for line in there]
    assert pages > 3


async def test_a_line_that_is_written_behind_the_cursor_is_read_once_and_one_before_it_on_the_next_reading(
    review: ReviewUnderTest,
) -> None:
    at = datetime(2021, 3, 1, tzinfo=UTC)
    await plant(review, *({"at": at + timedelta(seconds=2 * n), "region": "15"} for n in range(6)))
    auditor = await an_auditor(review)
    asked = {"act": "opened", "limit": 3}
    first = (await auditor.get("/audit", **asked)).json()

    await plant(review, *({"at": at + timedelta(seconds=n), "region": "15"} for n in (1, 11)))
    second = (await auditor.get("/audit", **asked, cursor=first["next"])).json()
    third = (await auditor.get("/audit", **asked, cursor=second["next"])).json()

    seconds = [datetime.fromisoformat(line["at"]).second for page in (first, second, third) for line in page["items"]]
    assert seconds == [10, 8, 6, 4, 2, 1, 0]
    assert third["next"] is None
    again = [datetime.fromisoformat(line["at"]).second for line in await read(auditor, **asked)]
    assert again == [11, 10, 8, 6, 4, 2, 1, 0]


async def test_every_narrowing_goes_along_an_index(review: ReviewUnderTest) -> None:
    await review.execute(
        "INSERT INTO audit (at, act, outcome, staff_id, application_no, region, detail) "
        "SELECT '2021-03-01Z'::timestamptz + n * interval '1 second', 'act' || n % 50, 'done', "
        "md5((n % 50)::text)::uuid, (n % 500)::text, (n % 30)::text, '{}' FROM generate_series(1, 20000) AS n"
    )
    await review.execute("ANALYZE audit")
    nation = a_member(review, role="auditor")
    region = a_member(review, role="auditor", region="15")
    until = datetime(2021, 3, 1, 2, tzinfo=UTC)
    for staff, filters, index in (
        (nation, trail.AuditFilters(), "audit_by_time"),
        (nation, trail.AuditFilters(until=until), "audit_by_time"),
        (region, trail.AuditFilters(until=until), "audit_of_region"),
        (nation, trail.AuditFilters(application_no="7", until=until), "audit_of_application"),
        (nation, trail.AuditFilters(staff_id=uuid4(), until=until), "audit_of_staff"),
        (nation, trail.AuditFilters(act="act7", until=until), "audit_acts"),
    ):
        async with review.service.sessions() as session:
            query = trail._window(staff, filters, None).limit(50)
            plain = query.compile(session.bind, compile_kwargs={"literal_binds": True})
            plan = "\n".join(await session.scalars(text(f"EXPLAIN {plain}".replace(":", r"\:"))))

        assert index in plan, (index, plan)
        assert "Seq Scan" not in plan


async def test_reading_the_trail_is_on_record_once_a_minute(review: ReviewUnderTest, time: Time) -> None:
    auditor = await an_auditor(review)

    await auditor.get("/audit")
    await auditor.get("/audit")
    await auditor.get("/audit/seals")
    time.passes(seconds=61)
    await auditor.get("/audit")

    details = [line["detail"]["what"] for line in await lines_of(review, "audit_read")]
    assert details == ["lines", "seals", "lines"]


async def test_the_heads_are_listed_with_what_waits(review: ReviewUnderTest) -> None:
    await plant(review, {}, {})
    auditor = await an_auditor(review)
    await review.execute("UPDATE audit SET seq = line_id, hash = 'h'")
    await review.execute(
        "INSERT INTO audit_seals (batch_no, chain_id, first_seq, last_seq, previous_head, head, sealed_at, key_id, "
        "signature) SELECT n, gen_random_uuid(), n, n, 'p', 'h' || n, now(), 'k', 's' FROM generate_series(1, 3) AS n"
    )
    await plant(review, {})

    first = (await auditor.get("/audit/seals", limit=2)).json()
    second = (await auditor.get("/audit/seals", limit=2, cursor=first["next"])).json()

    assert [seal["batch_no"] for seal in first["items"] + second["items"]] == [3, 2, 1]
    assert second["next"] is None
    # What reading this list adds itself waits, too.
    assert first["unsealed"] == 2


@pytest.mark.parametrize(
    "wrong", ["cursor=x", "limit=0", "limit=201", "act=<script>", "outcome=maybe", "since=yesterday", "staff_id=1"]
)
async def test_a_filter_or_cursor_that_makes_no_sense_is_refused(review: ReviewUnderTest, wrong: str) -> None:
    auditor = await an_auditor(review)

    answer = await auditor.client.get(f"/audit?{wrong}")

    assert answer.status_code == 422


@pytest.mark.parametrize("cursor", ["-1", "٣", "9" * 30, "x"])
async def test_a_seal_s_cursor_that_is_none_is_refused(review: ReviewUnderTest, cursor: str) -> None:
    auditor = await an_auditor(review)

    answer = await auditor.get("/audit/seals", cursor=cursor)

    assert answer.status_code == 422
