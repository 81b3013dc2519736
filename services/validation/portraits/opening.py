"""From the bytes that a candidate chose to an upright picture, or the code of why there is none.

Bounded whatever the file says: what a header promises is weighed before a pixel is decoded, JPEGs are decoded at a
fraction of their size, and a decoder's complaint is an answer.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from services.validation import png, uncommon_jpeg
from services.validation.domain import Refused as FileRefused
from services.validation.portraits.faces import Bgr
from shared.images.limits import PORTRAIT

MOST_BYTES = PORTRAIT.most_bytes
MOST_PIXELS = PORTRAIT.most_pixels
LEAST_SIDE_PX = 100
# What a progressive JPEG's coefficients may take, two bytes each and all at once: 190 MB grew by that much.
_MOST_COEFFICIENT_BYTES = 200_000_000
# Of a PNG decoded whole. OpenCV 5 holds it three times over (181 MB grew to 559), and no photo of 10 MB has more.
_MOST_PNG_BYTES = 72_000_000
_MOST_SCANS = 60
# Each scan of a progressive JPEG goes over all its coefficients: about 0.15 s for 100 million of them.
_MOST_PIXELS_SCANNED = 400_000_000

_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
_START_OF_SCAN = b"\xff\xda"
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ORIENTATION = 0x0112
# The luminance table of the JPEG standard (IJG quality 50), summed: what other qualities' tables are multiples of.
_LUMINANCE_SUM = 3692


@dataclass(frozen=True, eq=False)
class Opened:
    """An upright picture, alpha laid on white.

    Attributes:
        bgr: its pixels; of a JPEG perhaps at a fraction of its size.
        full_width, full_height: the size the file has, upright.
        quality: of a JPEG, as the usual tables tell it (1 to 100); null for a PNG.
    """

    bgr: Bgr
    full_width: int
    full_height: int
    quality: float | None

    @property
    def reduced(self) -> float:
        """How many times smaller than the file it is decoded, 1 or more."""
        return self.full_height / int(self.bgr.shape[0])


class Refused(Exception):
    """There is no picture to look at; the code says why."""

    def __init__(self, code: str, measured: float | None = None, limit: float | None = None) -> None:
        super().__init__(code)
        self.code, self.measured, self.limit = code, measured, limit


def open_picture(body: bytes, content_type: str, long_side: int) -> Opened:
    """Decode a picture.

    Args:
        body: the file.
        content_type: as it was sent; the bytes decide, it only helps to name what can't be taken.
        long_side: a JPEG is decoded at the smallest fraction that leaves this much of its longer side.

    Raises:
        Refused: for whatever reason there is no picture.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's words about odd metadata; what matters is refused
            return _open(body, content_type, long_side)
    except Refused:
        raise
    except Exception as problem:  # decoders raise anything: ValueError, OSError, SyntaxError, MemoryError, cv2.error …
        raise Refused("corrupt") from problem


def _open(body: bytes, content_type: str, long_side: int) -> Opened:
    if not body:
        raise Refused("empty", 0, 1)
    if len(body) > MOST_BYTES:
        raise Refused("too_large_bytes", len(body), MOST_BYTES)
    if body.startswith(_JPEG_MAGIC):
        return _open_jpeg(body, long_side)
    if body.startswith(_PNG_MAGIC):
        return _open_png(body)
    if _is_heif(body) or content_type in {"image/heic", "image/heif"}:
        raise Refused("heic")
    raise Refused("unsupported_format")


def _is_heif(body: bytes) -> bool:
    brands = body[8:64]
    return body[4:8] == b"ftyp" and any(brand in brands for brand in _HEIF_BRANDS)


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise Refused("corrupt")
    if width * height > MOST_PIXELS:
        raise Refused("pixel_limit", width * height, MOST_PIXELS)
    if min(width, height) < LEAST_SIDE_PX:
        raise Refused("too_few_pixels", min(width, height), LEAST_SIDE_PX)


def _open_jpeg(body: bytes, long_side: int) -> Opened:
    marker, width, height, colours, samples = _frame(body)
    _check_size(width, height)
    scans = body.count(_START_OF_SCAN)  # counts too many where metadata holds some: a thumbnail has one
    if scans > _MOST_SCANS:
        raise Refused("too_complex", scans, _MOST_SCANS)
    if marker in _PROGRESSIVE:
        if width * height * samples * 2 > _MOST_COEFFICIENT_BYTES:
            raise Refused("pixel_limit", width * height, int(_MOST_COEFFICIENT_BYTES / (2 * samples)))
        if scans * width * height > _MOST_PIXELS_SCANNED:
            raise Refused("too_complex", scans, _MOST_PIXELS_SCANNED // (width * height))
    orientation, quality = _read_jpeg_header(body)
    least = min(1.0, long_side / max(width, height))
    bgr = _decode_jpeg(body, colours, (width, height), (max(1, int(width * least)), max(1, int(height * least))))
    return _upright(bgr, orientation, width, height, quality)


def _frame(body: bytes) -> tuple[int, int, int, int, float]:
    """The frame header: its marker, width, height, number of colours, and samples for each pixel."""
    at = 2
    while at + 9 <= len(body):
        if body[at] != 0xFF:
            at += 1  # what lies between segments is passed over, as every decoder does
            continue
        marker = body[at + 1]
        if marker in _FRAMES:
            height, width, colours = struct.unpack_from(">HHB", body, at + 5)
            factors = [(byte >> 4) * (byte & 15) for byte in body[at + 11 : at + 10 + 3 * colours : 3]]
            return marker, width, height, colours, sum(factors) / max(1, *factors, 0) if factors else 1.0
        if marker in {0xDA, 0xD9}:
            break
        if marker in {0x00, 0x01, 0xFF} or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + max(2, int.from_bytes(body[at + 2 : at + 4], "big"))
    raise Refused("corrupt")


def _read_jpeg_header(body: bytes) -> tuple[int, float | None]:
    """The EXIF orientation, and the quality that the luminance table tells."""
    with Image.open(io.BytesIO(body), formats=("JPEG", "MPO")) as picture:
        orientation = picture.getexif().get(_ORIENTATION, 1)
        tables = getattr(picture, "quantization", {})
    table = tables.get(0)
    return orientation, _quality(sum(table)) if table else None


def _quality(total: int) -> float:
    percent = 100 * total / _LUMINANCE_SUM
    return max(1.0, min(100.0, 5000 / percent if percent > 100 else (200 - percent) / 2))


def _decode_jpeg(body: bytes, colours: int, size: tuple[int, int], enough: tuple[int, int]) -> Bgr:
    least = {"min_width": enough[0], "min_height": enough[1], "min_factor": 1}
    try:
        _, _, space, _ = simplejpeg.decode_jpeg_header(body, strict=False)
    except Exception:  # noqa: BLE001 it knows the seven common chroma samplings; others are legal, too
        return uncommon_jpeg.decode(body, size, enough)
    if space in {"CMYK", "YCCK"} or colours == 4:
        # Stored inverted, as Adobe writes it and everybody reads it, with Adobe's marker or without.
        ink = simplejpeg.decode_jpeg(body, "CMYK", strict=True, **least)
        plain = np.ascontiguousarray(ink[:, :, 2::-1])
        return np.asarray(cv2.multiply(plain, cv2.merge([ink[:, :, 3]] * 3), scale=1 / 255), np.uint8)
    return np.asarray(simplejpeg.decode_jpeg(body, "BGR", strict=True, **least), np.uint8)


def _open_png(body: bytes) -> Opened:
    if len(body) < 33 or body[12:16] != b"IHDR":
        raise Refused("corrupt")
    width, height, depth, colour = struct.unpack_from(">IIBB", body, 16)
    _check_size(width, height)
    chunks = [kind for kind, _ in _png_chunks(body)]
    if b"acTL" in chunks:
        raise Refused("animated")
    if b"IEND" not in chunks:
        raise Refused("corrupt")
    each = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}.get(colour, 4) + (1 if b"tRNS" in chunks else 0)
    decoded = width * height * min(each, 4) * (2 if depth == 16 else 1)
    if decoded > _MOST_PNG_BYTES:
        raise Refused("pixel_limit", width * height, width * height * _MOST_PNG_BYTES // decoded)
    try:
        png.check_pixels(png.walk(body))
    except FileRefused as refused:
        finding = refused.finding
        raise Refused(finding.code, finding.measured, finding.limit) from None
    with Image.open(io.BytesIO(body), formats=("PNG",)) as picture:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    pixels = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise Refused("corrupt")
    return _upright(_on_white(pixels), orientation, width, height, None)


def _png_chunks(body: bytes) -> Iterator[tuple[bytes, int]]:
    at, count = 8, 0
    while at + 12 <= len(body):
        length, kind = int.from_bytes(body[at : at + 4], "big"), body[at + 4 : at + 8]
        yield kind, at
        if kind == b"IEND":
            return
        at, count = at + 12 + length, count + 1
        if count > 20_000:
            raise Refused("too_complex", count, 20_000)


def _on_white(pixels: npt.NDArray[Any]) -> Bgr:
    """Eight bits, three colours, no alpha."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
    if pixels.shape[2] == 3:
        return pixels
    white = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, pixels.shape[0], 512):  # in strips, or the steps between would double what it takes
        part = pixels[top : top + 512]
        alpha = cv2.merge((part[:, :, 3], part[:, :, 3], part[:, :, 3]))
        white[top : top + 512] = cv2.add(cv2.multiply(part[:, :, :3], alpha, scale=1 / 255), cv2.bitwise_not(alpha))
    return white


def _upright(bgr: Bgr, orientation: int, width: int, height: int, quality: float | None) -> Opened:
    if orientation in {2, 4, 5, 7}:
        bgr = np.asarray(cv2.flip(bgr, 1 if orientation in {2, 5, 7} else 0), np.uint8)
    turn = {
        3: cv2.ROTATE_180,
        5: cv2.ROTATE_90_COUNTERCLOCKWISE,
        6: cv2.ROTATE_90_CLOCKWISE,
        7: cv2.ROTATE_90_CLOCKWISE,
        8: cv2.ROTATE_90_COUNTERCLOCKWISE,
    }.get(orientation)
    if turn is not None:
        bgr = np.asarray(cv2.rotate(bgr, turn), np.uint8)
    if orientation in {5, 6, 7, 8}:
        width, height = height, width
    return Opened(np.ascontiguousarray(bgr), width, height, quality)
