"""Exports under way: how many at once, of whom, and what becomes of one that nobody takes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.review.api import downloads
from services.review.queries import exports as queries
from tests.review.conftest import Desk, ReviewUnderTest
from tests.review.many import there_are

Message = dict[str, Any]
PATH = "/exports/applications.csv"


async def steps(review: ReviewUnderTest) -> list[tuple[str, int | None]]:
    lines = await review.rows("SELECT detail FROM audit WHERE act = 'exported' AND outcome = 'done' ORDER BY line_id")
    return [(line["detail"]["step"], line["detail"].get("rows")) for line in lines]


def nobody_exports(review: ReviewUnderTest) -> bool:
    room = review.service.app.state.edge.exports
    return room.reading == 0 and not room.under_way


async def asked(
    review: ReviewUnderTest, desk: Desk, send: Callable[[Any], Awaitable[None]], gone: asyncio.Event, path: str = PATH
) -> None:
    """A download, as the server would have the service send it."""
    cookies = "; ".join(f"{name}={value}" for name, value in desk.client.cookies.items())
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "scheme": "http", "server": ("127.0.0.1", 8100), "client": ("127.0.0.1", 5000),
        "headers": [(b"host", b"127.0.0.1:8100"), (b"cookie", cookies.encode())],
    }  # fmt: skip

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    await review.service.app(scope, receive, send)


@asynccontextmanager
async def held(review: ReviewUnderTest, desk: Desk, count: int, path: str = PATH) -> AsyncIterator[list[int]]:
    """So many downloads that are open, and whose reader takes nothing after the first rows; their statuses."""
    gone = asyncio.Event()
    statuses: list[int] = []
    tasks = []
    for _ in range(count):
        reading = asyncio.Event()

        async def send(message: Message, reading: asyncio.Event = reading) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            elif message.get("body"):
                reading.set()
                await gone.wait()

        tasks.append(asyncio.create_task(asked(review, desk, send, gone, path)))
        await reading.wait()
    try:
        yield statuses
    finally:
        gone.set()
        await asyncio.gather(*tasks)


async def test_a_third_of_one_person_is_refused_while_a_colleague_s_goes_through(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "at_site")
    region, admin = await review.desk("region"), await review.desk("admin")

    async with held(review, region, 2) as open_:
        third = await region.get(PATH)
        as_xlsx = await region.get("/exports/progress.xlsx", year=2021)
        colleague = await admin.get(PATH)
    afterwards = await region.get(PATH)

    assert open_ == [200, 200]
    assert (third.status_code, third.json()["code"], third.headers["retry-after"]) == (429, "own-exports-running", "30")
    assert "取消" in third.json()["detail"]
    assert as_xlsx.status_code == 429
    assert (colleague.status_code, afterwards.status_code) == (200, 200)
    assert nobody_exports(review)


async def test_four_at_once_are_all_that_a_process_reads(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "at_site")
    region, admin, site = await review.desk("region"), await review.desk("admin"), await review.desk("site")

    async with held(review, region, 2), held(review, admin, 2):
        busy = await site.get(PATH)
    free = await site.get(PATH)

    assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (503, "exports-busy", "30")
    assert free.status_code == 200


async def test_workbooks_that_are_being_taken_read_nothing_and_keep_nobody_out(review: ReviewUnderTest) -> None:
    await there_are(review, 1, "at_site")
    region, admin, site = await review.desk("region"), await review.desk("admin"), await review.desk("site")

    async with (
        held(review, region, 2, "/exports/applications.xlsx"),
        held(review, admin, 2, "/exports/progress.xlsx"),
    ):
        third = await region.get("/exports/applications.xlsx")
        other = await site.get(PATH)

    assert (third.status_code, other.status_code) == (429, 200)
    assert nobody_exports(review)


async def test_a_reader_that_stops_reading_does_not_keep_others_out_for_ever(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await there_are(review, 1200, "at_site")
    monkeypatch.setattr(downloads, "STALLED_AFTER_S", 0.2)
    region, admin, site = await review.desk("region"), await review.desk("admin"), await review.desk("site")
    never = asyncio.Event()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) % 3 == 0:  # the start, the header, and the first 500 rows, which nobody takes
            await never.wait()

    for desk in (region, region, admin, admin):
        await asked(review, desk, send, never)
    others = await site.get(PATH)

    assert others.status_code == 200
    assert [message.get("more_body", True) for message in sent] == [True] * 12
    assert (await steps(review))[:8] == [("begun", None), ("cut_off", 500)] * 4
    assert nobody_exports(review)
    assert (
        await review.rows(
            "SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
        )
        == []
    )


async def test_a_reader_that_is_slow_but_reads_gets_everything(
    review: ReviewUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    await there_are(review, 1200, "at_site")
    monkeypatch.setattr(downloads, "STALLED_AFTER_S", 5.0)
    region = await review.desk("region")
    bodies = []

    async def send(message: Message) -> None:
        await asyncio.sleep(0.1)
        if message["type"] == "http.response.body":
            bodies.append(message["body"])

    await asked(review, region, send, asyncio.Event())

    assert b"".join(bodies).count(b"\r\n") == 1201
    assert await steps(review) == [("begun", None), ("ended", 1200)]


async def test_whoever_stops_a_download_is_on_record_with_what_was_read(review: ReviewUnderTest) -> None:
    await there_are(review, 1200, "at_site")
    region = await review.desk("region")
    gone = asyncio.Event()
    bodies = 0

    async def send(message: Message) -> None:
        nonlocal bodies
        bodies += message["type"] == "http.response.body"
        if bodies == 2:  # the header, and the first 500 rows
            gone.set()
            await asyncio.sleep(60)

    await asked(review, region, send, gone)

    assert await steps(review) == [("begun", None), ("cut_off", 500)]
    assert nobody_exports(review)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_is_refused_or_breaks_takes_no_room(
    review: ReviewUnderTest, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await there_are(review, 1, "at_site")
    region = await review.desk("region")

    def breaks(*_: object) -> None:
        raise RuntimeError

    refused: list[httpx.Response] = [
        await region.get(f"/exports/applications.{form}", category="dental"),
        await region.get(f"/exports/progress.{form}", year=2030),
        await region.get(f"/exports/audit.{form}"),
    ]
    monkeypatch.setattr(queries, "person_of", breaks)
    if form == "xlsx":
        refused.append(await region.get(f"/exports/applications.{form}"))

    assert [answer.status_code for answer in refused] == [404, 404, 403, 500][: len(refused)]
    assert nobody_exports(review)
