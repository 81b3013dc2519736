"""Open pages learn what changed: over real connections, from two processes' worth of service on one database."""

import asyncio
import base64
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from services.upload import chores, page_events
from services.upload.main import build
from services.upload.page_events import PageEvents
from services.upload.rows import application, note_on_page
from services.upload.settings import Settings
from shared.security.sealing import KeyRing
from shared.service import Service
from tests.builders.events import PERSON, rules_published
from tests.upload.conftest import NUMBER, PASSWORD, Upload

ORIGIN = "http://127.0.0.1:8100"
SOON_S = 3.0


class Served(Upload):
    """Upload behind a server of its own."""

    server: object
    port: int

    @property
    def streams(self) -> PageEvents:
        found: PageEvents = self.service.app.state.edge.page_events
        return found

    async def notes(self, kind: str, number: str = NUMBER) -> None:
        """Something changes that pages are to be told of."""
        async with self.service.sessions.begin() as session:
            await note_on_page(session, await application(session, number, lock=True), kind)


@dataclass
class Page:
    """One open stream."""

    response: httpx.Response
    lines: AsyncIterator[str]

    async def block(self) -> dict[str, str]:
        """The next event or comment, as its fields."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(SOON_S):
            while line := await anext(self.lines):
                name, _, value = line.partition(":")
                fields[name or "comment"] = value.strip()
        return fields

    async def event(self) -> tuple[int, str]:
        """The next page event: seq and kind."""
        found = await self.block()
        assert found["event"] == "page", found
        data = json.loads(found["data"])
        assert data["seq"] == int(found["id"])
        return data["seq"], data["kind"]

    async def over(self) -> bool:
        """Does it end soon?"""
        async with asyncio.timeout(SOON_S):
            with suppress(StopAsyncIteration, httpx.RemoteProtocolError):
                while True:
                    await anext(self.lines)
        return True


@asynccontextmanager
async def served(settings: Settings, keys: KeyRing) -> AsyncIterator[Served]:
    """Build a service and serve it on a free port."""
    service: Service = build(settings)
    server = service.server(0)
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done()
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Origin": ORIGIN}, timeout=10) as client:
        found = Served(service, client)
        found.keys, found.server, found.port = keys, server, port
        try:
            yield found
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, 15)


@asynccontextmanager
async def page(on: Served, after: int = 0, **headers: str) -> AsyncIterator[Page]:
    """Open one, and read its first line."""
    url = f"/applications/{NUMBER}/events"
    async with on.client.stream("GET", url, params={"after": after}, headers=headers) as response:
        found = Page(response, response.aiter_lines())
        if response.status_code == 200:
            assert await found.block() == {"retry": "3000"}
        yield found


@pytest_asyncio.fixture(scope="module")
async def settings(
    scratch_database: Callable[[str | None], Awaitable[str]], master_keys: str, key_ring: KeyRing, storage: object
) -> Settings:
    """Of one database that several services share."""
    return Settings(
        kafka_bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        database_url=await scratch_database("upload"),
        master_keys=master_keys,
        data_keys_file=Path(key_ring._file),
        s3_endpoint_url=os.environ["S3_ENDPOINT_URL"],
        s3_access_key=os.environ["S3_ACCESS_KEY"],
        s3_secret_key=os.environ["S3_SECRET_KEY"],
        s3_bucket=os.environ.get("S3_BUCKET", "materials"),
        public_origin=ORIGIN,
        lookup_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        identity_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        roles="api",
    )


@pytest_asyncio.fixture
async def first(settings: Settings, key_ring: KeyRing) -> AsyncIterator[Served]:
    """A server with a candidate who is logged in."""
    async with served(settings, key_ring) as service:
        await service.clear()
        await service.hears(rules_published())
        await service.has_candidate()
        assert (await service.log_in()).status_code == 201
        yield service


@pytest_asyncio.fixture
async def second(first: Served, settings: Settings, key_ring: KeyRing) -> AsyncIterator[Served]:
    """Another server on the same database; the same browser."""
    async with served(settings, key_ring) as service:
        service.client.cookies.update(first.client.cookies)
        service.csrf = first.csrf
        yield service


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while not condition():  # noqa: ASYNC110 nothing announces it
            await asyncio.sleep(0.02)


async def test_an_open_page_is_told_within_a_moment(first: Served) -> None:
    async with page(first) as mine:
        started = time.monotonic()
        await first.notes("image_checked")

        assert await mine.event() == (1, "image_checked")
        assert time.monotonic() - started < 1.5
        assert mine.response.headers["content-type"].startswith("text/event-stream")
        assert mine.response.headers["cache-control"] == "no-store"
        assert mine.response.headers["x-accel-buffering"] == "no"


async def test_several_tabs_on_several_servers_agree(first: Served, second: Served) -> None:
    async with page(first) as here, page(first) as beside, page(second) as there:
        await first.notes("image_added")
        await second.notes("submitted")

        seen = [[await each.event() for _ in range(2)] for each in (here, beside, there)]

    assert seen == [[(1, "image_added"), (2, "submitted")]] * 3


async def test_a_stream_resumes_where_it_was_cut_off_also_on_another_server(first: Served, second: Served) -> None:
    async with page(first) as before:
        await first.notes("image_added")
        assert (await before.event())[0] == 1
    await first.notes("image_checked")
    await first.notes("submitted")

    async with page(second, after=0, **{"Last-Event-ID": "1"}) as resumed:
        assert [await resumed.event() for _ in range(2)] == [(2, "image_checked"), (3, "submitted")]


async def test_the_page_s_own_seq_is_where_its_stream_begins(first: Served) -> None:
    await first.notes("image_added")
    seq = (await first.page())["seq"]

    async with page(first, after=seq) as mine:
        await first.notes("submitted")

        assert await mine.event() == (seq + 1, "submitted")


async def test_who_is_far_behind_or_asks_for_what_is_gone_gets_the_newest_only(first: Served) -> None:
    for _ in range(30):
        await first.notes("image_checked")
    async with page(first) as far_behind:
        assert (await far_behind.event())[0] == 30

    async with first.service.sessions.begin() as session:
        await session.execute(text("UPDATE page_events SET at = at - interval '25 hours'"))
    await chores.forget_the_past(first.service.sessions)

    async with page(first, after=3) as late:
        assert (await late.event())[0] == 30
    async with first.service.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM page_events")) == 0


async def test_a_page_from_the_future_is_told_what_comes_next(first: Served) -> None:
    async with page(first, after=10**6) as mine:
        await first.notes("submitted")

        assert await mine.event() == (1, "submitted")


async def test_nobody_hears_of_another_s_application(first: Served) -> None:
    await first.has_candidate("2021110002", PERSON.model_copy(update={"id_number": "110101199003070011"}))

    foreign = await first.client.get("/applications/2021110002/events")
    async with page(first) as mine:
        await first.notes("submitted", "2021110002")
        await first.notes("withdrawn")
        heard = await mine.event()
    first.client.cookies.clear()
    stranger = await first.client.get(f"/applications/{NUMBER}/events")

    assert (foreign.status_code, stranger.status_code) == (404, 401)
    assert heard == (1, "withdrawn")


async def test_a_silent_stream_shows_that_it_is_alive(first: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_events, "HEARTBEAT_S", 0.2)

    async with page(first) as mine:
        assert await mine.block() == {"comment": "alive"}


async def test_the_stream_ends_with_the_login(first: Served, second: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_events, "CHECK_SESSIONS_S", 0.1)

    async with page(first) as mine:
        # Logged out elsewhere, on another server.
        assert (await second.client.delete("/candidate/sessions", headers=second.writes())).status_code == 204

        assert (await mine.block())["event"] == "end"
        assert await mine.over()


async def test_a_stream_does_not_keep_a_login_alive(first: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_events, "CHECK_SESSIONS_S", 0.1)

    async with page(first) as mine:
        async with first.service.sessions.begin() as session:
            await session.execute(text("UPDATE sessions SET last_seen_at = last_seen_at - interval '2 hours'"))

        assert (await mine.block())["event"] == "end"


async def test_a_session_has_four_streams_and_the_newest_win(first: Served) -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page(first)) for _ in range(5)]

        assert await pages[0].over()
        assert len(first.streams) == 4
        await first.notes("submitted")
        assert [await each.event() for each in pages[1:]] == [(1, "submitted")] * 4


async def test_a_full_process_says_when_to_come_back(first: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_events, "MOST", 1)

    async with page(first), page(first) as refused:
        await refused.response.aread()

        assert (refused.response.status_code, refused.response.json()["code"]) == (503, "too-many-streams")
        assert refused.response.headers["retry-after"] == "10"


async def test_a_page_that_is_closed_leaves_nothing_behind(first: Served) -> None:
    async with page(first), page(first):
        assert len(first.streams) == 2

    await _until(lambda: len(first.streams) == 0)
    await _until(lambda: first.streams._task is not None and first.streams._task.done())


async def test_open_pages_hold_no_connection_and_share_one_look(first: Served) -> None:
    pool = first.service.engine.pool
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(page(first))
        held = []
        for _ in range(40):
            held.append(pool.checkedout())  # type: ignore[attr-defined]
            await asyncio.sleep(0.025)

    assert max(held) <= 1
    assert held.count(0) > len(held) / 2


async def test_open_pages_outlast_a_database_that_is_away(first: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async with page(first) as mine:
        look = first.streams._look

        async def away() -> None:
            raise ConnectionError

        monkeypatch.setattr(first.streams, "_look", away)
        await first.notes("submitted")
        await asyncio.sleep(0.5)
        monkeypatch.setattr(first.streams, "_look", look)

        assert await mine.event() == (1, "submitted")


async def test_a_server_that_stops_lets_its_pages_go_at_once(settings: Settings, key_ring: KeyRing) -> None:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(served(settings, key_ring))
        await service.clear()
        await service.hears(rules_published())
        await service.has_candidate()
        await service.client.post("/candidate/session", json={"login": NUMBER, "password": PASSWORD})
        mine = await stack.enter_async_context(page(service))

        started = time.monotonic()
        service.server.should_exit = True  # type: ignore[attr-defined]

        # Without an `end`: the page comes back, to another server.
        assert await mine.over()
        assert time.monotonic() - started < 2
