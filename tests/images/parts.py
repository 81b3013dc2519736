"""Parts that image files are made of, and files with one thing in them, made on the spot."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

SAMPLES = Path(__file__).parent.parent / "data" / "images"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
GPS_IFD, GPS_LATITUDE = 0x8825, 2
ORIENTATION = 0x0112


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


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


@cache
def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segments(*inserted: bytes, body: bytes | None = None) -> bytes:
    """A JPEG with these bytes behind its JFIF segment."""
    body = a_jpeg() if body is None else body
    return body[:20] + b"".join(inserted) + body[20:]


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def with_chunks(*inserted: bytes, body: bytes | None = None) -> bytes:
    """A PNG with these bytes behind its header."""
    body = a_png() if body is None else body
    return body[:33] + b"".join(inserted) + body[33:]


def a_header(width: int = 200, height: int = 200, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def some_pixels() -> bytes:
    return chunk(b"IDAT", zlib.compress(bytes((1 + 3 * 200) * 200)))


def a_png_of(*chunks: bytes) -> bytes:
    return PNG_MAGIC + b"".join(chunks)


THE_END = chunk(b"IEND", b"")


def exif(orientation: int | None = None, **more: bytes) -> bytes:
    """EXIF data with a place in it, as Pillow writes it."""
    told = Image.Exif()
    if orientation is not None:
        told[ORIENTATION] = orientation
    told[0x010E] = more.get("description", b"a description").decode()
    told.get_ifd(GPS_IFD)[GPS_LATITUDE] = (39.0, 54.0, 20.0)
    return told.tobytes().removeprefix(b"Exif\x00\x00")


def samsungs_tail() -> bytes:
    """What Samsung phones append: data, and a directory that begins with SEFH and ends with SEFT."""
    data = b"\x00\x00\x01\x0a" + struct.pack("<I", 14) + b"Image_UTC_Data1607698888135"
    directory = b"SEFH" + struct.pack("<II", 107, 1) + b"\x00\x00\x01\x0a" + struct.pack("<II", len(data), len(data))
    return data + directory + struct.pack("<I", len(directory)) + b"SEFT"


def pixels(body: bytes) -> np.ndarray:
    """What a decoder sees, before any orientation."""
    with Image.open(io.BytesIO(body), formats=("JPEG", "PNG")) as picture:
        return np.asarray(picture)


def mend_checksums(body: bytearray) -> None:
    at = len(PNG_MAGIC)
    while at + 12 <= len(body):
        end = at + 12 + struct.unpack_from(">I", body, at)[0]
        if end > len(body):
            return
        struct.pack_into(">I", body, end - 4, zlib.crc32(body[at + 4 : end - 4]))
        at = end
