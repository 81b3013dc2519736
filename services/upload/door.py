"""The door: what is looked at while an image streams in, before anything is stored."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePosixPath
from typing import Literal

from fastapi import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from shared.errors import BadRequest, Invalid, RequestTimedOut, TooLarge, UnsupportedType

LARGEST_IMAGE = 204_800  # bytes: 200 KB read as 200 × 1024
# A sender that is over the limit is heard out for so long, so that it reads our answer instead of a broken pipe.
HEARD_OUT = 2 * 1024 * 1024
CHUNK_TIMEOUT_S = 15.0
WHOLE_TIMEOUT_S = 90.0

ContentType = Literal["image/jpeg", "image/png"]
_EXTENSIONS: dict[ContentType, frozenset[str]] = {
    "image/jpeg": frozenset({".jpg", ".jpeg"}),
    "image/png": frozenset({".png"}),
}


@dataclass(frozen=True)
class Arrived:
    """An image that passed the door."""

    body: bytes
    sha256: str
    content_type: ContentType


async def receive(request: Request) -> Arrived:
    """Take an image from a raw body or from the one file of a multipart form.

    Raises:
        TooLarge: over 204,800 bytes, whatever the headers said.
        Invalid: empty.
        UnsupportedType: neither JPEG nor PNG, or named as what it is not.
        RequestTimedOut: the sender stopped.
        BadRequest: a form that can't be read.
    """
    content_type, options = parse_options_header(request.headers.get("content-type", ""))
    try:
        async with asyncio.timeout(WHOLE_TIMEOUT_S):
            if content_type == "multipart/form-data":
                body, name = await _from_form(request, options.get("boundary", ""))
            else:
                body, name = await _from_body(request), _name_of(request.headers.get("content-disposition"))
    except (TimeoutError, ClientDisconnect):
        raise RequestTimedOut(
            "upload-timeout",
            "上传中断，请检查网络后重试。",
            "The upload stopped in the middle. Send it again, with the same image id.",
        ) from None
    if not body:
        raise Invalid("empty", "文件是空的，请重新选择图片。", "The file is empty. Choose the image again.")
    kind = _kind_of(body)
    _check_name(name, kind)
    return Arrived(body, hashlib.sha256(body).hexdigest(), kind)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(CHUNK_TIMEOUT_S):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        yield chunk


async def _from_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > HEARD_OUT:
        raise _too_large()
    taken = bytearray()
    total = 0
    async for chunk in _chunks(request):
        total += len(chunk)
        if total <= LARGEST_IMAGE:
            taken += chunk
        elif total > HEARD_OUT:
            break
    if total > LARGEST_IMAGE:
        raise _too_large()
    return bytes(taken)


async def _from_form(request: Request, boundary: str) -> tuple[bytes, str | None]:
    body = bytearray()
    name: str | None = None
    files = 0
    in_file = False
    try:
        with PushMultipartParser(boundary, max_segment_size=HEARD_OUT) as parser:
            async for chunk in _chunks(request):
                for part in parser.parse(chunk):
                    if isinstance(part, MultipartSegment):
                        in_file = part.filename is not None
                        files += in_file
                        name = part.filename if in_file else name
                    elif part and in_file:
                        body += part
                        if len(body) > LARGEST_IMAGE:
                            raise _too_large()
    except (MultipartError, ValueError) as error:
        raise BadRequest("malformed-form", "上传内容无法识别，请重试。", "The form can't be read.") from error
    if files != 1:
        raise BadRequest(
            "one-file-please", "每次请上传一个文件。", "The form must have exactly one file part.", files=files
        )
    return bytes(body), name


def _too_large() -> TooLarge:
    return TooLarge(
        "too_large_bytes",
        "图片超过 200 KB，请压缩后重新上传。",
        "The image has more than 204,800 bytes. Compress it and send it again.",
        max_bytes=LARGEST_IMAGE,
    )


def _kind_of(body: bytes) -> ContentType:
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    raise UnsupportedType(
        "unsupported_format",
        "只接受 jpg、jpeg、png 格式的图片。",
        "Only JPEG and PNG images are taken.",
    )


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


def _check_name(name: str | None, kind: ContentType) -> None:
    """A name must have an extension, and the extension must tell the truth; without a name the content decides."""
    if name is None:
        return
    if PurePosixPath(name.replace("\\", "/")).suffix.lower() not in _EXTENSIONS[kind]:
        raise UnsupportedType(
            "extension_mismatch",
            "文件扩展名与图片内容不符，请使用 jpg、jpeg 或 png 原文件。",
            f"The file's extension is not that of its content ({kind}). Use .jpg, .jpeg or .png.",
        )
