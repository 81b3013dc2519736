"""Notify on a database of its own, a provider that the tests drive, and the real development gateway."""

import asyncio
import base64
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from deploy.local.ports import free_ports
from services.notify.codes import CodeSender
from services.notify.main import build
from services.notify.sending import Sender
from services.notify.settings import Settings
from shared.security.identity import HEADER, Identity, IdentitySigner
from shared.security.sealing import KeyRing
from tests.harness import ServiceUnderTest, running
from tests.notify.builders import APPLICATION


class FakeProvider:
    """Takes messages as a provider does, or breaks as the test wants; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.kept: dict[str, tuple[str, str]] = {}
        self.breaks: list[Exception] = []
        self.always: Exception | None = None
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def send(self, reference: str, phone: str, text: str) -> str:
        self.asked.append((reference, phone, text))
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.breaks:
            raise self.breaks.pop(0)
        if self.always is not None:
            raise self.always
        self.kept.setdefault(reference, (phone, text))
        return f"fake-{reference}"


class NotifyUnderTest(ServiceUnderTest):
    """Notify with its sender in the test's hand.

    Attributes:
        provider: the fake one.
        sender: its chores, run when the test says so.
    """

    provider: FakeProvider
    sender: Sender
    codes: CodeSender
    upload_signer: IdentitySigner

    async def sends(self) -> None:
        """One round of the chores."""
        await self.sender.show_due()
        await self.sender.send_due()

    async def time_passes(self) -> None:
        """Every pause between two tries is over."""
        await self.execute("UPDATE messages SET next_try_at = now()")
        await self.execute("UPDATE codes SET next_try_at = now()")

    async def sends_codes(self) -> None:
        """One round of the chore for codes."""
        await self.codes.send_due()

    async def kept_codes(self) -> list[dict[str, object]]:
        async with self.service.sessions() as session:
            rows = await session.execute(text("SELECT * FROM codes ORDER BY code_id"))
            return [dict(row) for row in rows.mappings()]

    async def execute(self, statement: str) -> None:
        async with self.service.sessions.begin() as session:
            await session.execute(text(statement))

    async def messages(self) -> list[dict[str, object]]:
        async with self.service.sessions() as session:
            rows = await session.execute(text("SELECT * FROM messages ORDER BY notice_id"))
            return [dict(row) for row in rows.mappings()]

    async def has_messages(self, *statuses: str) -> bool:
        return sorted(str(each["status"]) for each in await self.messages()) == sorted(statuses)

    async def notices(self) -> list[UUID]:
        async with self.service.sessions() as session:
            return list(await session.scalars(text("SELECT notice_id FROM notices ORDER BY notice_id")))

    def identity(self, application_no: str = APPLICATION) -> dict[str, str]:
        """What the gateway adds for a candidate who is logged in."""
        return {HEADER: self.upload_signer.sign(Identity("candidate", application_no), "notify")}

    async def inbox(self, application_no: str = APPLICATION, **params: str | int) -> dict[str, Any]:
        answer = await self.client.get("/inbox", params=params, headers=self.identity(application_no))
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page


def key_pair() -> tuple[str, str]:
    """An Ed25519 seed and its public key, both base64."""
    seed = secrets.token_bytes(32)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(seed).decode(), base64.b64encode(public).decode()


@pytest_asyncio.fixture(scope="session")
async def notify_settings(
    scratch_database: Callable[[str | None], Awaitable[str]],
    master_keys: str,
    key_ring: KeyRing,
    upload_keys: tuple[str, str],
) -> Settings:
    return Settings(
        kafka_bootstrap_servers="127.0.0.1:1",
        master_keys=master_keys,
        data_keys_file=key_ring._file,
        roles="api",
        database_url=await scratch_database("notify"),
        upload_identity_public_key=upload_keys[1],
        sms_gateway_url="http://127.0.0.1:1",
    )


@pytest.fixture(scope="session")
def upload_keys() -> tuple[str, str]:
    return key_pair()


@pytest_asyncio.fixture(scope="session")
async def _running_notify(notify_settings: Settings) -> AsyncIterator[ServiceUnderTest]:
    async with running(build(notify_settings)) as plain:
        yield plain


@pytest_asyncio.fixture
async def notify(_running_notify: ServiceUnderTest, key_ring: KeyRing, upload_keys: tuple[str, str]) -> NotifyUnderTest:
    under_test = NotifyUnderTest(_running_notify.service, _running_notify.client)
    under_test.provider = FakeProvider()
    under_test.sender = Sender(under_test.service.sessions, key_ring, under_test.provider)
    under_test.codes = CodeSender(under_test.service.sessions, key_ring, under_test.provider)
    under_test.upload_signer = IdentitySigner("upload", upload_keys[0])
    await under_test.clear()
    return under_test


async def until(check: Callable[[], Awaitable[object]]) -> None:
    """Wait until `check` says yes, half a minute at most."""
    async with asyncio.timeout(30):
        while not await check():  # noqa: ASYNC110 it looks into another process
            await asyncio.sleep(0.05)


def a_process(module: str, *, log: Path | None = None, **environment: str) -> subprocess.Popen[bytes]:
    """A Python process of ours; its output is added to `log`."""
    with (log or Path(os.devnull)).open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module], env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )


class Gateway:
    """The real development gateway, in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=5)

    async def messages(self, to: str) -> list[dict[str, Any]]:
        kept: list[dict[str, Any]] = (await self.client.get("/messages", params={"to": to})).json()["messages"]
        return kept

    async def is_live(self) -> bool:
        try:
            return (await self.client.get("/live")).status_code == 200
        except httpx.TransportError:
            return False

    async def aclose(self) -> None:
        await self.client.aclose()


@pytest_asyncio.fixture(scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    port = next(free_ports())
    process = a_process(
        "deploy.local.sms_gateway", SMS_GATEWAY_PORT=str(port), BAOSHEN_HOME=str(tmp_path_factory.mktemp("sms"))
    )
    try:
        async with aclosing(Gateway(f"http://127.0.0.1:{port}")) as gateway:
            await until(gateway.is_live)
            yield gateway
    finally:
        process.terminate()
        process.wait(10)
