"""The look at one image's bytes: is it what it says, whole, and of a sane size? Pure CPU work, for a thread.

Whatever a decoder does with a hostile file, the answer is a finding; nothing is raised.
"""

import hashlib
import io
import struct
import warnings
import zlib
from typing import NamedTuple

import simplejpeg
from PIL import Image

from services.validation.domain import (
    LARGEST_BYTES,
    LEAST_SIDE_PX,
    MOST_PIXELS,
    MOST_PIXELS_SCANNED,
    Check,
    judge,
    rejected,
)
from shared.contracts.validation import Finding

JPEG_MAGIC = b"\xff\xd8\xff"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN = b"\xff\xda"

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG colour type
# The seven passes of an interlaced PNG: first column and row, step across and down.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 20

# A decompression bomb is only a warning up to twice Pillow's own limit.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class _Refused(Exception):
    """A check failed; no later one can say anything."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def look(body: bytes, sha256: str, declared: str) -> Check:
    """Check one image.

    Args:
        body: the stored bytes.
        sha256: what they must hash to.
        declared: the content type they were uploaded as.
    """
    metrics: dict[str, float] = {}
    try:
        _check_bytes(body, sha256, declared)
        if declared == "image/jpeg":
            _check_jpeg(body, metrics)
        else:
            _check_png(body, metrics)
    except _Refused as refused:
        return judge([refused.finding], metrics)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return judge([rejected("pixel_limit", limit=MOST_PIXELS)], metrics)
    except Exception:  # noqa: BLE001 decoders raise anything: OSError, SyntaxError, MemoryError, KeyError …
        return judge([rejected("corrupt")], metrics)
    return judge([], metrics)


def _check_bytes(body: bytes, sha256: str, declared: str) -> None:
    if hashlib.sha256(body).hexdigest() != sha256:
        raise _Refused(rejected("corrupt"))  # not the bytes that the candidate sent
    if not body:
        raise _Refused(rejected("empty", 0, 1))
    if len(body) > LARGEST_BYTES:
        raise _Refused(rejected("too_large_bytes", len(body), LARGEST_BYTES))
    if body.startswith(JPEG_MAGIC):
        found = "image/jpeg"
    elif body.startswith(PNG_MAGIC):
        found = "image/png"
    else:
        raise _Refused(rejected("unsupported_format"))
    if found != declared:
        raise _Refused(rejected("extension_mismatch"))


def _check_size(width: int, height: int, metrics: dict[str, float]) -> None:
    """Before anything is decoded: a header costs nothing, the pixels that it promises may cost gigabytes."""
    metrics["width_px"], metrics["height_px"] = width, height
    if width * height > MOST_PIXELS:
        raise _Refused(rejected("pixel_limit", width * height, MOST_PIXELS))
    if min(width, height) < LEAST_SIDE_PX:
        raise _Refused(rejected("too_small", min(width, height), LEAST_SIDE_PX))


def _check_jpeg(body: bytes, metrics: dict[str, float]) -> None:
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(body, strict=False)
    except Exception:  # noqa: BLE001 it knows the seven common chroma samplings; others are legal, too
        _check_uncommon_jpeg(body, metrics)
        return
    _check_size(width, height, metrics)
    _check_scans(body, width * height)
    # Strict: flipped bits, which Pillow lets pass, are an error. Grey still reads every coefficient, at two thirds of
    # the cost. Of an MPO this is the first picture.
    simplejpeg.decode_jpeg(body, "CMYK" if colours in {"CMYK", "YCCK"} else "GRAY", strict=True)


def _check_uncommon_jpeg(body: bytes, metrics: dict[str, float]) -> None:
    with Image.open(io.BytesIO(body), formats=("JPEG",)) as picture:
        _check_size(picture.width, picture.height, metrics)
        _check_scans(body, picture.width * picture.height)
        picture.load()


def _check_scans(body: bytes, pixels: int) -> None:
    """Refuse what repeats its scans: 2,500 of them over 25 million pixels are 200 KB, and minutes of work."""
    scans, most = body.count(_START_OF_SCAN), max(MOST_PIXELS_SCANNED // pixels, 1)
    if scans > most:
        raise _Refused(rejected("too_complex", scans, most))


def _check_png(body: bytes, metrics: dict[str, float]) -> None:
    header, pixels = _walk_png(body)
    _check_size(header.width, header.height, metrics)
    if not _has_all_rows(header, pixels):
        raise _Refused(rejected("corrupt"))
    with Image.open(io.BytesIO(body), formats=("PNG",)) as picture:
        frames = getattr(picture, "n_frames", 1)
        if frames > 1:
            raise _Refused(rejected("animated", frames, 1))
        # 16-bit grey: converting it clips to white, so nobody would see what the candidate sent.
        if picture.mode[0] in "IF":
            raise _Refused(rejected("unsupported_colorspace"))
        picture.load()


class _Header(NamedTuple):
    """A PNG's IHDR."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filter: int
    interlace: int


def _walk_png(body: bytes) -> tuple[_Header, list[bytes]]:
    """Every chunk's checksum, one header, and the end: Pillow misses a wrong CRC in the pixels and a missing IEND.

    Returns:
        The header, and the chunks that hold the pixels.
    """
    header: _Header | None = None
    pixels: list[bytes] = []
    at = len(PNG_MAGIC)
    while at + 12 <= len(body):
        length, kind = struct.unpack_from(">I4s", body, at)
        end = at + 12 + length
        if end > len(body) or zlib.crc32(body[at + 4 : end - 4]) != struct.unpack_from(">I", body, end - 4)[0]:
            break
        # A second header would change the size after it was looked at.
        if (kind == b"IHDR") is not (header is None):
            break
        if kind == b"IHDR":
            header = _Header._make(struct.unpack(">IIBBBBB", body[at + 8 : end - 4]))
        elif kind == b"IDAT":
            pixels.append(body[at + 8 : end - 4])
        elif kind == b"IEND" and header is not None:
            return header, pixels
        at = end
    raise _Refused(rejected("corrupt"))


def _has_all_rows(header: _Header, pixels: list[bytes]) -> bool:
    """True when the pixels inflate to as many bytes as the size asks for; Pillow leaves missing rows black."""
    wanted = _inflated_size(header)
    inflater = zlib.decompressobj()
    for chunk in pixels:
        while wanted > 0 and chunk:
            wanted -= len(inflater.decompress(chunk, _PIECE))
            chunk = inflater.unconsumed_tail
    if wanted > 0:
        wanted -= len(inflater.flush())
    return wanted <= 0


def _inflated_size(header: _Header) -> int:
    bits = header.depth * _CHANNELS[header.colour]
    passes = _ADAM7 if header.interlace else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        width = -(-(header.width - left) // across)
        height = -(-(header.height - top) // down)
        if width > 0 and height > 0:
            total += height * (1 + (width * bits + 7) // 8)
    return total
