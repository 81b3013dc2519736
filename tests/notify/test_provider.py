"""The HTTP provider against the real development gateway, and against servers that misbehave."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.notify.sending import Sender
from services.notify.sms import HttpGatewayProvider, SmsAway, SmsRefused
from shared.security.sealing import KeyRing
from tests.notify.builders import a_feedback, a_phone, a_registration
from tests.notify.conftest import Gateway, NotifyUnderTest

CANARY = "13712345678"
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def a_server(speak: Speak) -> AsyncIterator[str]:
    """A server on a free port; `speak` begins once a request's head is read."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await speak(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(answer: bytes) -> Speak:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return speak


def an_answer(status: str, body: bytes = b"", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


async def test_the_gateway_keeps_one_message_per_reference(gateway: Gateway) -> None:
    phone = a_phone()

    async with HttpGatewayProvider(gateway.url) as provider:
        first = await provider.send("reference-1", phone, "【样本】一")
        again = await provider.send("reference-1", phone, "【样本】一")

    kept = await gateway.messages(phone)
    assert first == again == kept[0]["id"]
    assert [(message["text"], message["asked"]) for message in kept] == [("【样本】一", 2)]


async def test_a_message_goes_through_to_the_gateway(
    notify: NotifyUnderTest, key_ring: KeyRing, gateway: Gateway
) -> None:
    phone = a_phone()
    await notify.hears(a_registration(key_ring, phone=phone), a_feedback())

    async with HttpGatewayProvider(gateway.url) as provider:
        await Sender(notify.service.sessions, key_ring, provider).send_due()

    kept = await gateway.messages(phone)
    assert [message["reference"] for message in kept] == [str((await notify.notices())[0])]
    assert (await notify.messages())[0]["provider_id"] == kept[0]["id"]


async def test_what_the_gateway_never_takes_is_refused(gateway: Gateway) -> None:
    async with HttpGatewayProvider(gateway.url) as provider:
        with pytest.raises(SmsRefused, match="HTTP 422"):
            await provider.send("reference-2", "no number", "text")


async def test_a_gateway_that_is_not_there_is_away() -> None:
    async with HttpGatewayProvider("http://127.0.0.1:1") as provider:
        with pytest.raises(SmsAway, match="ConnectError"):
            await provider.send("reference-3", CANARY, "text")


async def test_a_gateway_that_never_answers_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    started = time.monotonic()
    async with a_server(silent) as url, HttpGatewayProvider(url, read_s=0.2) as provider:
        with pytest.raises(SmsAway, match="ReadTimeout"):
            await provider.send("reference-4", CANARY, "text")

    assert time.monotonic() - started < 2


async def test_a_gateway_that_answers_drop_by_drop_is_given_up() -> None:
    async def trickling(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")
        for _n in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    started = time.monotonic()
    async with a_server(trickling) as url, HttpGatewayProvider(url, read_s=1, whole_s=0.3) as provider:
        with pytest.raises(SmsAway, match="TimeoutError"):
            await provider.send("reference-5", CANARY, "text")

    assert time.monotonic() - started < 2


async def test_a_redirect_is_not_followed() -> None:
    asked = []

    async def elsewhere(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        writer.write(an_answer("201 Created", b'{"id": "stolen"}'))

    async with a_server(elsewhere) as other:
        redirect = an_answer("307 Temporary Redirect", headers=f"Location: {other}/messages\r\n")
        async with a_server(saying(redirect)) as url, HttpGatewayProvider(url) as provider:
            with pytest.raises(SmsAway, match="HTTP 307"):
                await provider.send("reference-6", CANARY, "text")

    assert asked == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (an_answer("500 Internal Server Error", CANARY.encode()), SmsAway),
        (an_answer("503 Service Unavailable"), SmsAway),
        (an_answer("401 Unauthorized"), SmsAway),
        (an_answer("429 Too Many Requests"), SmsAway),
        (an_answer("422 Unprocessable Content", f"bad number {CANARY}".encode()), SmsRefused),
        (an_answer("400 Bad Request"), SmsRefused),
        (an_answer("201 Created", b"accepted"), SmsAway),
        (an_answer("201 Created", b"{}"), SmsAway),
        (an_answer("201 Created", b"[1]"), SmsAway),
        (an_answer("201 Created", b"x" * 100_000), SmsAway),
        (an_answer("201 Created", b"\xff\xfe"), SmsAway),
        (b"not HTTP at all\r\n\r\n", SmsAway),
        (b"", SmsAway),
    ],
)
async def test_an_answer_that_is_no_acceptance_says_whether_to_try_again_and_quotes_nothing(
    answer: bytes, error: type[Exception]
) -> None:
    async with a_server(saying(answer)) as url, HttpGatewayProvider(url) as provider:
        with pytest.raises(error) as raised:
            await provider.send("reference-7", CANARY, "text-canary")

    assert CANARY not in str(raised.value)
    assert "text-canary" not in str(raised.value)
    assert raised.value.__cause__ is None
