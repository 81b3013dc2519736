"""Accounts of a registration system, asked over HTTP: a small real server plays it."""

import asyncio
import base64
import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy import text

from deploy.local.ports import free_ports
from services.upload import registration_system
from services.upload.main import build
from services.upload.settings import Settings
from shared.errors import Unavailable
from shared.security.sealing import KeyRing
from tests.builders.events import PERSON, a_registration, rules_published
from tests.harness import running
from tests.upload.conftest import NUMBER, PASSWORD, Upload
from tests.upload.people import a_captcha

TOKEN = "between-the-two-systems"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class System:
    """The registration system: remembers what it was asked, and answers as it is told to."""

    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    answer: Answer | None = None

    async def check(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        self.tokens.append(request.headers.get("Authorization"))
        if self.answer is not None:
            return await self.answer(request)
        if body["login"] in {NUMBER, PERSON.id_number, "2021999999"} and body["password"] == PASSWORD:
            return web.json_response({"application_no": "2021999999" if body["login"] == "2021999999" else NUMBER})
        return web.Response(status=401)


@pytest_asyncio.fixture
async def system() -> AsyncIterator[System]:
    """A real server on loopback."""
    found = System()
    app = web.Application()
    app.router.add_post("/accounts/check", found.check)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    found.url = f"http://127.0.0.1:{port}"
    yield found
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module")
async def database(scratch_database: Callable[[str | None], Awaitable[str]]) -> str:
    """Migrated once, emptied before each test."""
    return await scratch_database("upload")


@pytest_asyncio.fixture
async def upload(
    system: System,
    database: str,
    master_keys: str,
    key_ring: KeyRing,
    storage: object,
) -> AsyncIterator[Upload]:
    """Upload with the HTTP adapter, and a registration that has arrived; no account was imported."""
    settings = Settings(
        kafka_bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        database_url=database,
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
        accounts_url=system.url,
        accounts_token=TOKEN,
    )
    async with running(build(settings)) as service:
        found = Upload(service.service, service.client)
        await found.clear()
        found.keys = key_ring
        await found.hears(rules_published(), a_registration(key_ring))
        yield found


async def test_an_account_of_the_registration_system_is_activated_and_logs_in(upload: Upload, system: System) -> None:
    before = await upload.log_in()
    activated = await upload.client.post(
        "/candidate/activation",
        json={"login": PERSON.id_number.lower(), "password": PASSWORD, "captcha": await a_captcha(upload)},
    )
    later = await upload.log_in()

    assert (before.status_code, before.json()["code"]) == (403, "activation-needed")
    assert (activated.status_code, activated.json()["application_no"]) == (201, NUMBER)
    assert later.status_code == 201
    assert system.asked[0] == {"login": NUMBER, "password": PASSWORD}
    assert set(system.tokens) == {f"Bearer {TOKEN}"}


async def test_a_wrong_password_is_asked_once_and_counted(upload: Upload, system: System) -> None:
    answers = [await upload.log_in(NUMBER, "not it") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert len(system.asked) == 5


async def test_an_application_that_has_not_arrived_is_told_so_to_its_owner_only(upload: Upload) -> None:
    right, wrong = await upload.log_in("2021999999"), await upload.log_in("2021999999", "not it")

    assert (right.status_code, right.json()["code"]) == (403, "registration-not-here")
    assert wrong.json()["code"] == "login-failed"
    assert "set-cookie" not in right.headers


async def _garbage(_: web.Request) -> web.Response:
    return web.Response(text="<html>maintenance</html>")


async def _odd_number(_: web.Request) -> web.Response:
    return web.json_response({"application_no": "../etc/passwd"})


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(200):
        await answer.write(b" " * 4096)
    return answer


async def _broken(_: web.Request) -> web.Response:
    return web.Response(status=500)


async def _elsewhere(_: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/accounts/check"})


async def _hung_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize("answer", [_garbage, _odd_number, _endless, _broken, _elsewhere, _hung_up])
async def test_an_odd_answer_means_try_again_in_a_moment_and_counts_as_no_guess(
    upload: Upload, system: System, answer: Answer
) -> None:
    system.answer = answer

    answers = [await upload.log_in() for _ in range(6)]

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(503, "accounts-unavailable")}
    assert "retry-after" in answers[0].headers
    async with upload.service.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM attempts")) == 0


async def test_a_slow_system_is_not_waited_for_and_holds_no_connection(
    upload: Upload, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response(status=401)

    monkeypatch.setattr(registration_system, "WHOLE_S", 0.5)
    system.answer = slow
    started = time.monotonic()
    asking = asyncio.create_task(upload.log_in())
    await asyncio.sleep(0.3)
    held = upload.service.engine.pool.checkedout()  # type: ignore[attr-defined]

    answer = await asking

    assert (answer.status_code, answer.json()["code"]) == (503, "accounts-unavailable")
    assert time.monotonic() - started < 2
    assert held == 0


async def test_a_system_that_comes_back_between_two_tries_is_found(system: System) -> None:
    port = next(free_ports())
    app = web.Application()
    app.router.add_post("/accounts/check", system.check)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()

    async with registration_system.HttpAccounts(f"http://127.0.0.1:{port}/") as accounts:
        asking = asyncio.create_task(accounts.check(None, NUMBER, PASSWORD))  # type: ignore[arg-type]
        await asyncio.sleep(0.2)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        found = await asking
    await runner.cleanup()

    assert found == NUMBER


async def test_a_system_that_is_down_is_tried_three_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0
    once = registration_system.HttpAccounts._ask_once

    async def counted(self: registration_system.HttpAccounts, body: dict[str, str]) -> str | None:
        nonlocal tries
        tries += 1
        return await once(self, body)

    monkeypatch.setattr(registration_system.HttpAccounts, "_ask_once", counted)
    async with registration_system.HttpAccounts(f"http://127.0.0.1:{next(free_ports())}") as accounts:
        with pytest.raises(Unavailable):
            await accounts.check(None, NUMBER, PASSWORD)  # type: ignore[arg-type]

    assert tries == 3


async def test_no_password_is_logged(upload: Upload, system: System, capfd: pytest.CaptureFixture[str]) -> None:
    await upload.log_in()
    system.answer = _broken
    await upload.log_in()

    logged = "".join(capfd.readouterr())

    assert PASSWORD not in logged
    assert json.dumps(PASSWORD) not in logged
    assert PERSON.id_number not in logged
