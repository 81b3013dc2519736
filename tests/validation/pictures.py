"""Images with one thing wrong, made on the spot."""

import hashlib
import io
import struct
import zlib
from functools import cache
from pathlib import Path

from PIL import Image

from services.validation.decoding import look
from services.validation.domain import Check, Kind, Look
from services.validation.png import PNG_MAGIC

SAMPLES = Path(__file__).parent.parent / "data" / "images"


def looked_at(body: bytes, declared: str | None = None, kind: Kind = "codec") -> Check:
    """What the look finds; by default it is declared as what its first bytes say, and judged as a file alone."""
    return looked(body, declared, kind).check


def looked(
    body: bytes, declared: str | None = None, kind: Kind = "document", stricter: frozenset[str] = frozenset()
) -> Look:
    """The look itself, at what is on the picture, too."""
    found = "image/png" if body.startswith(PNG_MAGIC) else "image/jpeg"
    return look(body, hashlib.sha256(body).hexdigest(), declared or found, kind, stricter)


def sample(name: str) -> Image.Image:
    """One of the sample files, decoded."""
    with Image.open(SAMPLES / name) as opened:
        return opened.convert("RGB")


@cache
def a_scene(width: int = 320, height: int = 240) -> Image.Image:
    """Something with detail in it, so that its compressed data is not trivial."""
    ramp = Image.linear_gradient("L").resize((width, height))
    waves = Image.effect_mandelbrot((width, height), (-2, -1.5, 1, 1.5), 60)
    return Image.merge("RGB", (ramp, waves, ramp.rotate(180)))


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


@cache
def a_jpeg() -> bytes:
    return saved(a_scene(), "JPEG", quality=85)


@cache
def a_png() -> bytes:
    return saved(a_scene(), "PNG")


def a_png_of(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG put together by hand, every checksum right."""
    return PNG_MAGIC + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def a_header(width: int, height: int, depth: int = 8, colour: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def a_png_bomb(side: int) -> bytes:
    """All zeros, one bit each: `side`² pixels in a few thousand bytes."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return a_png_of(a_header(side, side, 1, 0), (b"IDAT", data), (b"IEND", b""))


def a_jpeg_that_claims(width: int, height: int) -> bytes:
    """A sound JPEG but for the size in its frame header."""
    body = bytearray(a_jpeg())
    frame = body.index(b"\xff\xc0")
    body[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(body)


def a_grey_jpeg_sampled(across: int, down: int, width: int = 160, height: int = 128, colour: bool = False) -> bytes:
    """Legal, whole and flat, with a chroma sampling that few encoders write.

    Each block of a flat picture is `00` (no change of the mean) and an end-of-block mark in the standard tables, so
    the coded data can be written by hand. In colour, the first blue block's mean is moved: the rest stays with it.
    """
    model = saved(Image.new("RGB", (width, height), (128, 128, 128)), "JPEG", subsampling=2)
    head = bytearray(model[: model.index(b"\xff\xda") + 14])
    frame = head.index(b"\xff\xc0")
    head[frame + 11] = across << 4 | down
    units = -(-width // (8 * across)) * -(-height // (8 * down))
    unit = "001010" * (across * down) + "0000" * 2
    blue = "111110" + "101000" + "00" if colour else "0000"  # six bits follow: 40 steps up
    bits = "001010" * (across * down) + blue + "0000" + unit * (units - 1)
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)).replace(b"\xff", b"\xff\x00")
    return bytes(head) + data + b"\xff\xd9"


UNCOMMON = ((1, 3), (3, 1), (4, 2), (3, 2), (2, 4), (1, 4))
"""Chroma samplings that are legal and that simplejpeg has no name for."""


def damaged(body: bytes) -> dict[str, bytes]:
    """A JPEG of one scan with damage that Pillow lets pass, by what is wrong with it."""
    frame, start = body.index(b"\xff\xc0"), body.index(b"\xff\xda") + 14
    taller = bytearray(body)
    taller[frame + 5 : frame + 7] = (512).to_bytes(2)
    return {
        "half of its data": body[: (start + len(body)) // 2] + b"\xff\xd9",
        "a height that its data is not for": bytes(taller),
        "a payload behind its data": body[:-2] + b"<?php PAYLOAD ?>" * 5 + b"\xff\xd9",
    }
