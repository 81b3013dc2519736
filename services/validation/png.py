"""The inside of a PNG: its chunks, whether its pixels are all there and nothing else, and their decoding in bands.

Pillow decodes; what it lets pass (a wrong checksum in the pixels, missing rows, a missing end) is found here before.
"""

import io
import struct
import zlib
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from services.validation.domain import Refused, rejected
from services.validation.quality.picture import Pixels

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG colour type
# The seven passes of an interlaced PNG: first column and row, step across and down.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 16
# A longer side of more is halved, or more, while it is read: nothing is measured above 1000 pixels.
_FINEST = 3000
_BAND_PIXELS = 1 << 20


class Header(NamedTuple):
    """A PNG's IHDR."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filter: int
    interlace: int


class Chunks(NamedTuple):
    """What of a PNG's chunks matters here."""

    header: Header
    pixels: list[bytes]


def walk(body: bytes) -> Chunks:
    """Every chunk's checksum, one header, and the end: Pillow misses a wrong CRC in the pixels and a missing IEND."""
    header: Header | None = None
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
            header = Header._make(struct.unpack(">IIBBBBB", body[at + 8 : end - 4]))
        elif kind == b"IDAT":
            pixels.append(body[at + 8 : end - 4])
        elif kind == b"IEND" and header is not None:
            return Chunks(header, pixels)
        at = end
    raise Refused(rejected("corrupt"))


def check_pixels(chunks: Chunks) -> None:
    """Refuse pixels that do not inflate to what the size asks for, and anything behind them.

    Pillow leaves missing rows black and never looks at what follows the last one, where a file could hide.
    """
    wanted = _inflated_size(chunks.header)
    inflater = zlib.decompressobj()
    behind = 0
    for chunk in chunks.pixels:
        while chunk and wanted >= 0 and not inflater.eof:
            wanted -= len(inflater.decompress(chunk, _PIECE))
            chunk = inflater.unconsumed_tail or inflater.unused_data
        behind += len(chunk)
    if wanted < 0 or (inflater.eof and behind):
        raise Refused(rejected("trailing_data", behind or -wanted, 0))
    if wanted > 0 or not inflater.eof:
        raise Refused(rejected("corrupt"))


def decode(body: bytes) -> Pixels:
    """The picture on white: blue, green, red; halved or more where its longer side is above 3000 pixels."""
    with Image.open(io.BytesIO(body), formats=("PNG",)) as picture:
        frames = getattr(picture, "n_frames", 1)
        if frames > 1:
            raise Refused(rejected("animated", frames, 1))
        # 16-bit grey: converting it clips to white, so nobody would see what the candidate sent.
        if picture.mode[0] in "IF":
            raise Refused(rejected("unsupported_colorspace"))
        picture.load()
        return _on_white(picture)


def _on_white(picture: Image.Image) -> Pixels:
    """In bands: whole copies of 25 million pixels with transparency would be 100 MB each."""
    width, height = picture.size
    shrink = max(1, max(width, height) // (_FINEST // 2))
    rows = max(1, _BAND_PIXELS // (width * shrink)) * shrink
    size = (max(1, width // shrink), max(1, height // shrink))
    white = np.empty((size[1], size[0], 3), np.uint8)
    for top in range(0, size[1] * shrink, rows):
        band = picture.crop((0, top, width, min(height, top + rows)))
        pixels = _without_transparency(band)
        begin = top // shrink
        end = min(size[1], begin + rows // shrink)
        white[begin:end] = (
            pixels if shrink == 1 else cv2.resize(pixels, (size[0], end - begin), interpolation=cv2.INTER_AREA)
        )
    return white


def _without_transparency(band: Image.Image) -> Pixels:
    if not band.has_transparency_data:
        return np.asarray(cv2.cvtColor(np.asarray(band.convert("RGB")), cv2.COLOR_RGB2BGR), np.uint8)
    pixels = np.asarray(band.convert("RGBA"))
    colour = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGR)
    alpha = cv2.extractChannel(pixels, 3)
    if int(alpha.min()) < 255:
        # What is transparent may hide another picture behind it; a viewer shows it on white.
        colour = cv2.bitwise_not(cv2.multiply(cv2.bitwise_not(colour), cv2.merge((alpha,) * 3), scale=1 / 255))
    return np.asarray(colour, np.uint8)


def _inflated_size(header: Header) -> int:
    bits = header.depth * _CHANNELS[header.colour]
    passes = _ADAM7 if header.interlace else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        width = -(-(header.width - left) // across)
        height = -(-(header.height - top) // down)
        if width > 0 and height > 0:
            total += height * (1 + (width * bits + 7) // 8)
    return total
