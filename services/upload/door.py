"""The door: what is looked at while an image streams in, before anything is stored."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from typing import Literal

from fastapi import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from shared.contracts.findings import words_for
from shared.errors import BadRequest, Invalid, Refusal, RequestTimedOut, TooLarge, UnsupportedType
from shared.images.envelope import MATERIAL, PORTRAIT, Enveloped, EnvelopeRefused, open_envelope

LARGEST_IMAGE = MATERIAL.most_bytes
LARGEST_PORTRAIT = PORTRAIT.most_bytes
LARGEST_PHOTO = 200_000
"""A finished registration photo has 30,000 bytes by the rules of today; a pack may allow more."""
# A sender that is over the limit is heard out for so long, so that it reads our answer instead of a broken pipe.
HEARD_OUT = 2 * 1024 * 1024
PORTRAIT_HEARD_OUT = LARGEST_PORTRAIT + HEARD_OUT
CHUNK_TIMEOUT_S = 15.0
WHOLE_TIMEOUT_S = 90.0

ContentType = Literal["image/jpeg", "image/png"]
# Everything else that is wrong with a file is 422.
_REFUSALS: dict[str, type[Refusal]] = {
    "too_large_bytes": TooLarge,
    "unsupported_format": UnsupportedType,
    "extension_mismatch": UnsupportedType,
}


@dataclass(frozen=True)
class Arrived:
    """An image that passed the door.

    Attributes:
        body: what is stored: the picture that was sent, without its metadata.
        sha256: of `body`. The same file gives the same, so a retry is known by it.
        content_type: what it is, whatever the sender said.
    """

    body: bytes
    sha256: str
    content_type: ContentType


@dataclass(frozen=True)
class _Cap:
    """How much is taken, how much is heard out, and the words for too much."""

    largest: int
    heard_out: int
    words: str

    def refusal(self) -> TooLarge:
        said = words_for(self.words)
        return TooLarge("too_large_bytes", said.zh, said.en, max_bytes=self.largest)


_IMAGE = _Cap(LARGEST_IMAGE, HEARD_OUT, "too_large_bytes")
_PORTRAIT = _Cap(LARGEST_PORTRAIT, PORTRAIT_HEARD_OUT, "too_large_portrait")


async def receive(request: Request) -> Arrived:
    """Take an image of a material from a raw body or from the one file of a multipart form.

    Raises:
        TooLarge: over 204,800 bytes, whatever the headers said.
        UnsupportedType: neither JPEG nor PNG, or named as what it is not.
        Invalid: empty, broken, or with something in it that no picture needs.
        RequestTimedOut: the sender stopped.
        BadRequest: a form that can't be read.
    """
    body, name = await _taken(request, _IMAGE)
    try:
        return _arrived(open_envelope(body, name))
    except EnvelopeRefused as refused:
        raise _refusal(refused) from None


async def receive_portrait(request: Request) -> Arrived:
    """Take a portrait for the photo check: up to 10 MB, and no least size, for the check says that better.

    Raises:
        TooLarge: over 10 MB.
        UnsupportedType: neither JPEG nor PNG, or named as what it is not.
        Invalid: empty, broken, or with something in it that no picture needs.
        RequestTimedOut: the sender stopped.
        BadRequest: a form that can't be read.
    """
    body, name = await _taken(request, _PORTRAIT)
    try:
        # In a thread: the look and the hash of 10 MB take 20 ms.
        return await asyncio.to_thread(lambda: _arrived(open_envelope(body, name, PORTRAIT)))
    except EnvelopeRefused as refused:
        raise _refusal(refused) from None


async def receive_photo(request: Request, largest: int = LARGEST_PHOTO) -> bytes:
    """Take a finished registration photo, every byte as it was sent: its receipt vouches for all of them.

    Raises:
        TooLarge: over `largest` bytes.
        Invalid: empty.
        RequestTimedOut: the sender stopped.
        BadRequest: a form that can't be read.
    """
    body, _ = await _taken(request, _Cap(largest, HEARD_OUT, "too_large_photo"))
    if not body:
        raise _refusal(EnvelopeRefused("empty"))
    return body


def _arrived(opened: Enveloped) -> Arrived:
    return Arrived(opened.body, hashlib.sha256(opened.body).hexdigest(), opened.content_type)


def _refusal(refused: EnvelopeRefused) -> Refusal:
    said = words_for(refused.words)
    numbers = {"measured": refused.measured, "limit": refused.limit} if refused.limit is not None else {}
    return _REFUSALS.get(refused.reason, Invalid)(refused.reason, said.zh, said.en, **numbers)


async def _taken(request: Request, cap: _Cap) -> tuple[bytes, str | None]:
    """The file and its name."""
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    try:
        async with asyncio.timeout(WHOLE_TIMEOUT_S):
            if content_type == "multipart/form-data":
                return await _from_form(request, options.get("boundary", ""), cap)
            return await _from_body(request, cap), _name_of(request.headers.get("content-disposition"))
    except (TimeoutError, ClientDisconnect):
        raise RequestTimedOut(
            "upload-timeout",
            "上传中断，请检查网络后重试。",
            "The upload stopped in the middle. Send it again, with the same image id.",
        ) from None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(CHUNK_TIMEOUT_S):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        yield chunk


async def _from_body(request: Request, cap: _Cap) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > cap.heard_out:
        raise cap.refusal()
    taken = bytearray()
    total = 0
    async for chunk in _chunks(request):
        total += len(chunk)
        if total <= cap.largest:
            taken += chunk
        elif total > cap.heard_out:
            break
    if total > cap.largest:
        raise cap.refusal()
    return bytes(taken)


async def _from_form(request: Request, boundary: str, cap: _Cap) -> tuple[bytes, str | None]:
    body = bytearray()
    name: str | None = None
    files = 0
    in_file = False
    try:
        with PushMultipartParser(boundary, max_segment_size=cap.heard_out) as parser:
            async for chunk in _chunks(request):
                for part in parser.parse(chunk):
                    if isinstance(part, MultipartSegment):
                        in_file = part.filename is not None
                        files += in_file
                        name = part.filename if in_file else name
                    elif part and in_file:
                        body += part
                        if len(body) > cap.largest:
                            raise cap.refusal()
    except (MultipartError, ValueError) as error:
        raise BadRequest("malformed-form", "上传内容无法识别，请重试。", "The form can't be read.") from error
    if files != 1:
        raise BadRequest(
            "one-file-please", "每次请上传一个文件。", "The form must have exactly one file part.", files=files
        )
    return bytes(body), name


def _name_of(disposition: str | None) -> str | None:
    if not disposition:
        return None
    # The standard library's reader knows RFC 5987 names (`filename*=UTF-8''…`), which is how browsers send Chinese.
    message = Message()
    message["Content-Disposition"] = disposition
    try:
        return message.get_filename()
    except (ValueError, TypeError):  # a charset that is none of bytes, NUL, an endless number, mixed continuations
        raise BadRequest(
            "malformed-file-name",
            "文件名无法识别，请重命名文件后重新上传。",
            "The file name in Content-Disposition can't be read. Rename the file, or leave the name out.",
        ) from None
