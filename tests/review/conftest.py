"""Review on a database of its own, with six people who work there."""

import base64
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import insert, text

from services.review import tables
from services.review.main import build
from services.review.settings import Settings
from services.review.use_cases import pending, publications
from shared import clock
from shared.contracts.event import Event
from shared.contracts.upload import ApplicationSubmitted
from shared.security.passwords import hash_now
from shared.security.sealing import KeyRing
from shared.storage import Storage
from tests.builders.review import NO, a_pack, a_registration, a_submission
from tests.harness import ServiceUnderTest, running

ORIGIN = "http://127.0.0.1:8100"
PASSWORD = "review-2021"
PEOPLE = {
    "site": ("site_reviewer", "15", "1501"),
    "site2": ("site_reviewer", "15", "1501"),
    "othersite": ("site_reviewer", "15", "1502"),
    "region": ("region_reviewer", "15", None),
    "admin": ("region_admin", "15", None),
    "otherregion": ("region_reviewer", "43", None),
}


class Desk:
    """One member of staff at work: a client of their own, with the token and keys that writes need."""

    def __init__(self, client: httpx.AsyncClient, staff_id: UUID) -> None:
        self.client = client
        self.staff_id = staff_id
        self.csrf = ""

    async def log_in(self, login: str) -> None:
        answer = await self.client.post("/staff/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.csrf = answer.json()["csrf_token"]

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        return await self.client.post(
            path,
            json={} if body is None else body,
            headers={"X-CSRF-Token": self.csrf, "Idempotency-Key": key or str(uuid4())},
        )

    async def put(self, path: str, body: Any = None) -> httpx.Response:
        return await self.client.put(path, json=body, headers={"X-CSRF-Token": self.csrf})

    async def delete(self, path: str) -> httpx.Response:
        return await self.client.delete(path, headers={"X-CSRF-Token": self.csrf})

    async def claim(self, application_no: str = NO) -> httpx.Response:
        return await self.put(f"/reviews/{application_no}/claim")

    async def mark_returned(self, item: str = "diploma", application_no: str = NO, **more: Any) -> httpx.Response:
        body = {"mark": "return", "reason_code": "unreadable", "words": "看不清，请重拍"} | more
        return await self.put(f"/reviews/{application_no}/items/{item}/mark", body)

    async def sees(self, application_no: str = NO) -> dict[str, Any]:
        answer = await self.get(f"/reviews/{application_no}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def queue(self, state: str = "waiting") -> list[str]:
        answer = await self.get("/reviews", state=state, limit=100)
        assert answer.status_code == 200, answer.text
        return [row["application_no"] for row in answer.json()["items"]]


class ReviewUnderTest(ServiceUnderTest):
    """Review with its people."""

    key_ring: KeyRing
    people: dict[str, UUID]
    desks: dict[str, Desk]
    clients: AsyncExitStack

    async def desk(self, login: str) -> Desk:
        """The desk of one of the `PEOPLE`, logged in."""
        if login not in self.desks:
            desk = Desk(await self.new_client(), self.people[login])
            await desk.log_in(login)
            self.desks[login] = desk
        return self.desks[login]

    async def new_client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.service.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN})
        return await self.clients.enter_async_context(client)

    async def has(self, *events: Event, application_no: str = NO) -> None:
        """Hears rules, a registration, and `events`; a plain submission where none are given."""
        await self.hears(a_pack(), a_registration(self.key_ring, application_no))
        for event in events or (a_submission(application_no),):
            await self.hears(event)

    async def passed(self, *events: ApplicationSubmitted, application_no: str = NO) -> None:
        """An application that the site has passed to its region."""
        await self.has(*events, application_no=application_no)
        site = await self.desk("site")
        await site.claim(application_no)
        answer = await site.post(f"/reviews/{application_no}/passes")
        assert answer.status_code == 201, answer.text

    async def decided(self, application_no: str = NO, outcome: str = "approved", words: str = "") -> None:
        """An application that the region has decided."""
        await self.passed(application_no=application_no)
        region = await self.desk("region")
        await region.claim(application_no)
        answer = await region.post(f"/reviews/{application_no}/decisions", {"outcome": outcome, "words": words})
        assert answer.status_code == 201, answer.text

    async def publish(self, year: int = 2021, **more: Any) -> httpx.Response:
        """The region's administrator publishes, and all of it is told."""
        answer = await (await self.desk("admin")).post("/publications", {"region": "15", "year": year} | more)
        await publications.tell_running(self.service.sessions)
        return answer

    async def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.service.sessions() as session:
            return [dict(row) for row in (await session.execute(text(statement), values)).mappings()]

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.service.sessions.begin() as session:
            await session.execute(text(statement), values)


@pytest_asyncio.fixture(scope="session")
async def review_settings(
    scratch_database: Callable[[str | None], Awaitable[str]], master_keys: str, key_ring: KeyRing
) -> Settings:
    return Settings(
        kafka_bootstrap_servers="127.0.0.1:1",
        master_keys=master_keys,
        data_keys_file=key_ring._file,
        roles="api",
        log_level="ERROR",
        database_url=await scratch_database("review"),
        development=True,
        publication_delay_s=0,
        undo_s=0,
        public_origin=ORIGIN,
        staff_second_factor="offered",
        lookup_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        identity_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        audit_signing_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        s3_endpoint_url=os.environ["S3_ENDPOINT_URL"],
        s3_access_key=os.environ["S3_ACCESS_KEY"],
        s3_secret_key=os.environ["S3_SECRET_KEY"],
        s3_bucket=os.environ.get("S3_BUCKET", "materials"),
    )


@pytest_asyncio.fixture(scope="session")
async def _running_review(review_settings: Settings, storage: Storage) -> AsyncIterator[ServiceUnderTest]:
    async with running(build(review_settings)) as plain:
        yield plain


@pytest.fixture(scope="session")
def password_hash() -> str:
    return hash_now(PASSWORD)


@pytest_asyncio.fixture
async def review(
    _running_review: ServiceUnderTest, key_ring: KeyRing, password_hash: str
) -> AsyncIterator[ReviewUnderTest]:
    under_test = ReviewUnderTest(_running_review.service, _running_review.client)
    under_test.client.cookies.clear()
    under_test.key_ring = key_ring
    under_test.people = {login: uuid4() for login in PEOPLE}
    under_test.desks = {}
    under_test.service.app.state.edge.boards.forget()
    await under_test.clear()
    async with under_test.service.sessions.begin() as session:
        await session.execute(
            insert(tables.staff),
            [
                {
                    "id": under_test.people[login],
                    "login": login,
                    "display_name": f"审核员 {login}",
                    "role": role,
                    "region": region,
                    "site": site,
                    "password_hash": password_hash,
                }
                for login, (role, region, site) in PEOPLE.items()
            ],
        )
    async with AsyncExitStack() as clients:
        under_test.clients = clients
        yield under_test


class Time:
    """The clock, moved by the test."""

    def __init__(self) -> None:
        self.shift = timedelta()
        self._real = clock.now

    def now(self) -> datetime:
        return self._real() + self.shift

    def passes(self, **much: float) -> None:
        self.shift += timedelta(**much)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    moved = Time()
    monkeypatch.setattr(clock, "now", moved.now)
    return moved


@pytest.fixture
def undoable(review: ReviewUnderTest) -> Iterator[Callable[[], Awaitable[None]]]:
    """Acts wait ten seconds, as they do outside of tests; awaiting the call tells those that are due."""
    state = review.service.app.state
    before = state.edge
    state.edge = replace(before, undo=timedelta(seconds=10))

    async def tell() -> None:
        await pending.tell_all_due(review.service.sessions)

    yield tell
    state.edge = before
