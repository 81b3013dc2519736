"""Upload on its own database and the run's bucket, with one candidate ready to log in."""

import base64
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from services.upload.accounts import CandidateAccount, import_candidates
from services.upload.main import build
from services.upload.settings import Settings
from shared import clock
from shared.contracts.event import Person
from shared.contracts.facts import Facts
from shared.contracts.rules import Pack
from shared.contracts.upload import MaterialUploaded
from shared.contracts.validation import MaterialChecked
from shared.security.passwords import hash_now
from shared.security.photo_keys import PhotoKeyFiles
from shared.security.sealing import KeyRing
from tests.builders.events import PERSON, a_check, a_pack, a_registration, rules_published, with_windows
from tests.builders.images import a_jpeg
from tests.harness import ServiceUnderTest, running

PASSWORD = "correct horse battery"
_HASH = hash_now(PASSWORD)
NUMBER = "2021110001"
REQUIRED = {"identity": 3, "diploma": 1, "trial_assessment": 1, "institution_licence": 1, "registration_notice": 1}


class Upload(ServiceUnderTest):
    """Upload with shortcuts for what most tests do."""

    keys: KeyRing
    csrf: str = ""

    async def has_candidate(self, number: str = NUMBER, person: Person = PERSON) -> None:
        await self.hears(a_registration(self.keys, number, person=person))
        async with self.service.sessions.begin() as session:
            await import_candidates(session, [CandidateAccount(number, _HASH, activated=True)])

    async def log_in(self, login: str = NUMBER, password: str = PASSWORD) -> httpx.Response:
        answer = await self.client.post("/candidate/session", json={"login": login, "password": password})
        if answer.status_code == 201:
            self.csrf = answer.json()["csrf_token"]
        return answer

    def writes(self, **more: str) -> dict[str, str]:
        return {"X-CSRF-Token": self.csrf, **more}

    async def put(
        self, item: str, body: bytes, image_id: UUID | None = None, number: str = NUMBER, **headers: str
    ) -> httpx.Response:
        url = f"/applications/{number}/items/{item}/images/{image_id or uuid4()}"
        return await self.client.put(url, content=body, headers=self.writes(**headers))

    async def submit(self, key: str | None = None, number: str = NUMBER) -> httpx.Response:
        headers = self.writes(**{"Idempotency-Key": key or str(uuid4())})
        return await self.client.post(f"/applications/{number}/submissions", json={}, headers=headers)

    async def post(self, path: str, body: dict | None = None, number: str = NUMBER) -> httpx.Response:
        """A POST on the candidate's application, under a key of its own."""
        headers = self.writes(**{"Idempotency-Key": str(uuid4())})
        return await self.client.post(f"/applications/{number}/{path}", json=body or {}, headers=headers)

    async def has_windows(self, version: int = 2, **hours: tuple[float, float] | None) -> Pack:
        """A further version of the rules is in force, with these windows in hours from now."""
        pack = with_windows(a_pack(version=version), **hours)
        await self.hears(rules_published(pack=pack))
        return pack

    async def is_registered(self, revision: int = 2, number: str = NUMBER, **facts: object) -> None:
        """The registration system tells the candidate's facts (again)."""
        await self.hears(a_registration(self.keys, number, revision=revision, facts=Facts(**facts)))

    async def page_events(self, number: str = NUMBER) -> list[str]:
        """What open pages were told, in order; `seq` has no gap."""
        async with self.service.sessions() as session:
            rows = await session.execute(
                text("SELECT seq, kind FROM page_events WHERE application_no = :no ORDER BY seq"), {"no": number}
            )
            found = rows.all()
        assert [row.seq for row in found] == list(range(1, len(found) + 1))
        return [row.kind for row in found]

    async def page(self, number: str = NUMBER) -> dict:
        answer = await self.client.get(f"/applications/{number}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def item(self, code: str) -> dict:
        page = await self.page()
        return next(i for section in page["sections"] for i in section["items"] if i["item"] == code)

    async def fills_checklist(self, verdict: str | None = "accept") -> list[MaterialUploaded]:
        """Upload every required image; with a verdict, validation has looked at all of them."""
        shade = 0
        for item, count in REQUIRED.items():
            for _ in range(count):
                shade += 1
                assert (await self.put(item, a_jpeg(shade))).status_code == 201
        told = await self.tells(MaterialUploaded)
        if verdict is not None:
            await self.hears(*(self.check_of(each, verdict) for each in told))
        return told

    @staticmethod
    def check_of(uploaded: MaterialUploaded, verdict: str = "accept", **more: object) -> MaterialChecked:
        return a_check(uploaded.image_id, uploaded.application_no, uploaded.item, verdict=verdict, **more)


@pytest.fixture(scope="session")
def photo_keys(tmp_path_factory: pytest.TempPathFactory) -> PhotoKeyFiles:
    """Throw-away keys for photo receipts; upload knows the public halves."""
    files = PhotoKeyFiles(tmp_path_factory.mktemp("photo-keys") / "photo-keys.json")
    files.new(clock.now())
    return files


@pytest_asyncio.fixture(scope="session")
async def _running_upload(
    scratch_database: Callable[[str | None], Awaitable[str]],
    master_keys: str,
    key_ring: KeyRing,
    photo_keys: PhotoKeyFiles,
) -> AsyncIterator[ServiceUnderTest]:
    settings = Settings(
        kafka_bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        database_url=await scratch_database("upload"),
        master_keys=master_keys,
        data_keys_file=Path(key_ring._file),
        s3_endpoint_url=os.environ["S3_ENDPOINT_URL"],
        s3_access_key=os.environ["S3_ACCESS_KEY"],
        s3_secret_key=os.environ["S3_SECRET_KEY"],
        s3_bucket=os.environ.get("S3_BUCKET", "materials"),
        public_origin="http://127.0.0.1:8100",
        lookup_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        identity_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        roles="api",
        photo_public_keys_file=photo_keys.public,
    )
    async with running(build(settings)) as service:
        yield service


@pytest_asyncio.fixture
async def upload(_running_upload: ServiceUnderTest, key_ring: KeyRing, storage: object) -> Upload:
    """Upload, empty but for the rules and one candidate, who is logged in."""
    fresh = Upload(_running_upload.service, _running_upload.client)
    fresh.keys = key_ring
    await fresh.clear()
    # A published version never changes, so a process keeps what it has compiled; here each test publishes its own.
    fresh.service.app.state.edge.shelf.forget()
    fresh.client.cookies.clear()
    await fresh.hears(rules_published())
    await fresh.has_candidate()
    assert (await fresh.log_in()).status_code == 201
    return fresh


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the service's clock so many hours on."""

    def move(hours: float) -> None:
        monkeypatch.setattr(clock, "_SHIFT", clock._SHIFT + timedelta(hours=hours))

    return move


@pytest.fixture
def number() -> str:
    return NUMBER
