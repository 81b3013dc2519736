"""The door's two other ways in: a portrait for the photo check, and a finished photo, of which no byte changes."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from services.upload import door
from shared.contracts.findings import words_for
from shared.errors import Invalid, Refusal, RequestTimedOut, TooLarge, UnsupportedType
from tests.images.parts import a_jpeg, a_png, a_scene, exif, sample, samsungs_tail, saved, segment, with_segments


def asking(body: bytes, name: str | None = None, cut: bool = False, **headers: str) -> Request:
    """A request that sends this body in pieces; cut off, the sender goes in the middle."""
    given = {"content-type": "image/jpeg"} | {key.replace("_", "-"): value for key, value in headers.items()}
    if name is not None:
        given["content-disposition"] = f'attachment; filename="{name}"'
    pieces: Iterator[bytes] = iter([body[at : at + 65_536] for at in range(0, len(body), 65_536)] or [b""])
    left = -(-len(body) // 65_536)

    async def receive() -> Message:
        nonlocal left
        left -= 1
        if cut and left < 1:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": next(pieces), "more_body": left > 0}

    raw = [(key.encode(), value.encode()) for key, value in given.items()]
    return Request({"type": "http", "method": "PUT", "path": "/", "headers": raw}, receive)


@pytest.mark.parametrize(("side", "quality"), [(40, 85), (3000, 97)])
async def test_a_portrait_may_be_small_or_straight_from_the_camera_and_is_stripped(side: int, quality: int) -> None:
    picture = saved(a_scene(side, side), "JPEG", quality=quality)
    sent = with_segments(segment(0xE1, b"Exif\x00\x00" + exif(6)), body=picture) + samsungs_tail()

    arrived = await door.receive_portrait(asking(sent, "IMG_0001.JPG"))

    assert arrived.content_type == "image/jpeg"
    assert arrived.body.endswith(picture[20:])
    assert b"description" in sent
    assert b"description" not in arrived.body
    assert (await door.receive_portrait(asking(sent))) == arrived
    assert (await door.receive_portrait(asking(arrived.body))) == arrived


async def test_a_portrait_in_a_form_and_as_png_is_taken() -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    form = asking(head + a_png() + b"\r\n--x--\r\n", content_type="multipart/form-data; boundary=x")

    arrived = await door.receive_portrait(form)

    assert (arrived.body, arrived.content_type) == (a_png(), "image/png")


@pytest.mark.parametrize(
    ("body", "name", "kind", "code", "words"),
    [
        (b"", None, Invalid, "empty", "empty"),
        (a_jpeg() + bytes(door.LARGEST_PORTRAIT), None, TooLarge, "too_large_bytes", "too_large_portrait"),
        (bytes(door.PORTRAIT_HEARD_OUT + 1), None, TooLarge, "too_large_bytes", "too_large_portrait"),
        (sample("is_heic.jpg"), "a.heic", UnsupportedType, "unsupported_format", "unsupported_format_heic"),
        (a_jpeg(), "a.png", UnsupportedType, "extension_mismatch", "extension_mismatch"),
        (a_jpeg()[:-500], None, Invalid, "corrupt", "corrupt"),
        (a_jpeg() + b"PK\x03\x04", None, Invalid, "trailing_data", "trailing_data"),
        (sample("poly_php_com.jpg"), None, Invalid, "active_content", "active_content"),
        (sample("huge_header.jpg"), None, Invalid, "pixel_limit", "pixel_limit"),
    ],
)
async def test_a_portrait_goes_through_the_same_walk(
    body: bytes, name: str | None, kind: type[Refusal], code: str, words: str
) -> None:
    with pytest.raises(kind) as refused:
        await door.receive_portrait(asking(body, name))

    assert (refused.value.code, refused.value.zh) == (code, words_for(words).zh)


async def test_a_length_that_is_announced_and_too_much_is_refused_unheard() -> None:
    request = asking(a_jpeg(), content_length=str(door.PORTRAIT_HEARD_OUT + 1))

    with pytest.raises(TooLarge) as refused:
        await door.receive_portrait(request)

    assert refused.value.extra["max_bytes"] == 10 * 1024 * 1024


async def test_of_a_finished_photo_no_byte_changes() -> None:
    photo = with_segments(segment(0xEA, b"BAOSHEN-PHOTO\x00 a receipt")) + b"something behind the end"

    assert await door.receive_photo(asking(photo, "anything")) == photo


async def test_a_finished_photo_has_its_limit() -> None:
    full = a_jpeg() + bytes(door.LARGEST_PHOTO - len(a_jpeg()))

    assert await door.receive_photo(asking(full)) == full
    for body, largest in ((full + b"x", door.LARGEST_PHOTO), (a_jpeg(), 100)):
        with pytest.raises(TooLarge) as refused:
            await door.receive_photo(asking(body), largest)
        assert refused.value.extra["max_bytes"] == largest
        assert refused.value.zh == words_for("too_large_photo").zh
    with pytest.raises(Invalid, match="empty"):
        await door.receive_photo(asking(b""))


async def test_a_sender_that_goes_in_the_middle_timed_out() -> None:
    for entry in (door.receive, door.receive_portrait, door.receive_photo):
        with pytest.raises(RequestTimedOut):
            await entry(asking(a_jpeg() * 20, cut=True))


async def test_a_sender_that_stops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "CHUNK_TIMEOUT_S", 0.01)

    async def silence() -> Message:
        await asyncio.sleep(60)
        raise ClientDisconnect

    for entry in (door.receive, door.receive_portrait, door.receive_photo):
        with pytest.raises(RequestTimedOut):
            await entry(Request({"type": "http", "method": "PUT", "path": "/", "headers": []}, silence))
