"""Notify as a process: killed between sending and marking, and what its log says."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.ports import free_ports
from services.notify.settings import Settings
from shared.contracts.notify import NoticeDelivered
from shared.security.sealing import KeyRing
from tests.notify.builders import ID_NUMBER, NAME, a_code, a_feedback, a_phone, a_registration
from tests.notify.conftest import Gateway, NotifyUnderTest, a_process, until
from tests.notify.test_provider import a_server, an_answer, saying

# No pattern of the log's masks knows this number: if a line held it, it would be seen.
CANARY_PHONE = "85291234567"


def notify_process(settings: Settings, gateway_url: str, log: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Notify with its chores; its consumers find no Kafka and wait."""
    return a_process(
        "services.notify.main",
        log=log,
        KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        MASTER_KEYS=settings.master_keys,
        DATA_KEYS_FILE=str(settings.data_keys_file),
        DATABASE_URL_NOTIFY=settings.database_url,
        UPLOAD_IDENTITY_PUBLIC_KEY=settings.upload_identity_public_key,
        SMS_GATEWAY_URL=gateway_url,
        NOTIFY_PORT=str(next(free_ports())),
        ROLES="consumers",
        LOG_LEVEL="DEBUG",
        **environment,
    )


async def ended(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.wait_for(asyncio.to_thread(process.wait), 30)


@asynccontextmanager
async def running_process(settings: Settings, gateway_url: str, log: Path) -> AsyncIterator[None]:
    process = notify_process(settings, gateway_url, log)
    try:
        yield
    finally:
        process.terminate()
        await ended(process)


async def test_a_process_killed_after_sending_repeats_under_the_same_reference_and_one_message_is_kept(
    notify: NotifyUnderTest, notify_settings: Settings, key_ring: KeyRing, gateway: Gateway, tmp_path: Path
) -> None:
    phone, log = a_phone(), tmp_path / "log"
    await notify.hears(a_registration(key_ring, phone=phone), a_feedback())

    killed = notify_process(notify_settings, gateway.url, log, FAILPOINTS="notify.after_send")
    status = await ended(killed)
    between = (await notify.messages())[0]["status"]
    asked = [message["asked"] for message in await gateway.messages(phone)]
    await notify.time_passes()  # its lease ends
    async with running_process(notify_settings, gateway.url, log):
        await until(lambda: notify.has_messages("sent"))

    assert status == -signal.SIGKILL
    assert (between, asked) == ("sending", [1])
    assert [message["asked"] for message in await gateway.messages(phone)] == [2]
    assert [t.outcome for t in await notify.tells(NoticeDelivered) if t.channel == "sms"] == ["delivered"]
    assert "service.stopped" in log.read_text(encoding="utf-8")


async def test_no_line_of_the_log_holds_a_phone_whatever_the_provider_does(
    notify: NotifyUnderTest, notify_settings: Settings, key_ring: KeyRing, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    script = [
        b"garbage " + CANARY_PHONE.encode(),
        an_answer("422 Unprocessable Content", f"bad number {CANARY_PHONE}".encode()),
        an_answer("201 Created", b'{"id": "1"}'),
    ]

    async def follow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(script.pop(0))(reader, writer)

    async with a_server(follow) as url, running_process(notify_settings, url, log):
        await notify.hears(a_registration(key_ring, phone=CANARY_PHONE), a_feedback(words="canary-words"))
        await until(lambda: notify.has_messages("failed"))
        await notify.hears(a_feedback(words="canary-words"))
        await until(lambda: notify.has_messages("failed", "sent"))

    written = log.read_text(encoding="utf-8")
    for event in ("sms.sent", "sms.postponed", "sms.failed"):
        assert event in written
    for canary in (CANARY_PHONE, NAME, ID_NUMBER, "canary-words"):
        assert canary not in written
    assert CANARY_PHONE not in str(await notify.messages())


async def test_a_code_is_sent_within_a_second_or_two_and_stands_in_no_line_of_the_log(
    notify: NotifyUnderTest, notify_settings: Settings, key_ring: KeyRing, gateway: Gateway, tmp_path: Path
) -> None:
    phone, log, code = a_phone(), tmp_path / "log", "739105"

    async with running_process(notify_settings, gateway.url, log):
        await notify.hears(a_code(key_ring, code, phone=phone))
        await until(lambda: gateway.messages(phone))

    (message,) = await gateway.messages(phone)
    written = log.read_text(encoding="utf-8")
    assert code in message["text"]
    assert "code.sent" in written
    assert code not in written
    assert phone not in written
