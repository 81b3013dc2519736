"""SMS providers: hand over one text, once per reference."""

import asyncio
import json
from types import TracebackType
from typing import Protocol, Self

import httpx

from shared.errors import Transient

CONNECT_S = 3.0
READ_S = 5.0
WHOLE_S = 8.0
_LARGEST_ANSWER = 64 * 1024
# The message itself is at fault; every other failure is the provider's, or our account's, and may be mended.
_REFUSALS = frozenset({400, 413, 422})


class SmsAway(Transient):
    """The provider did not take the message now. Whether it has it is not known: the reference makes a repeat safe."""


class SmsRefused(Exception):
    """The provider will never take this message. Says a status, never the number or the text."""


class SmsProvider(Protocol):
    """Somebody who delivers SMS."""

    async def send(self, reference: str, phone: str, text: str) -> str:
        """Hand over one message; the same reference again must not send a second one.

        Args:
            reference: ours, the same for every try.
            phone: the number.
            text: what to say.

        Returns:
            The provider's id of the message.

        Raises:
            SmsAway: try again later, with the same reference.
            SmsRefused: it will never be taken.
        """
        ...


class HttpGatewayProvider:
    """A provider with one HTTP resource, `POST /messages`; the development gateway is one.

    Args:
        url: its origin.
        connect_s: how long a connection may take.
        read_s: how long it may say nothing.
        whole_s: how long all of it may take (a trickle of bytes resets `read_s`).
    """

    def __init__(
        self, url: str, *, connect_s: float = CONNECT_S, read_s: float = READ_S, whole_s: float = WHOLE_S
    ) -> None:
        self._whole_s = whole_s
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(read_s, connect=connect_s),
            # A redirect would carry the number to somebody whom nobody configured.
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, reference: str, phone: str, text: str) -> str:
        """Hand over one message (see `SmsProvider`)."""
        body = {"reference": reference, "to": phone, "text": text}
        try:
            async with asyncio.timeout(self._whole_s):
                async with self._client.stream("POST", "/messages", json=body) as response:
                    return _message_id(response.status_code, await _answer(response))
        except (httpx.HTTPError, TimeoutError) as error:
            # Only the kind of error: its text may quote the request.
            raise SmsAway(type(error).__name__) from None


async def _answer(response: httpx.Response) -> bytes:
    answer = b""
    async for part in response.aiter_bytes():
        answer += part
        if len(answer) > _LARGEST_ANSWER:
            raise SmsAway("the answer has no end")
    return answer


def _message_id(status: int, answer: bytes) -> str:
    if status in _REFUSALS:
        raise SmsRefused(f"HTTP {status}")
    if status not in {200, 201}:
        raise SmsAway(f"HTTP {status}")
    try:
        message_id = json.loads(answer)["id"]
    except (ValueError, KeyError, TypeError):
        raise SmsAway("the answer names no id") from None
    return str(message_id)[:200]
