"""PNG as a file: the walk over its chunks, and the picture without its metadata.

The pixels' chunks stay byte for byte and are not inflated: 200 KB of them may be 75 MB of pixels. So what is hidden
behind the end of their zlib stream, or is missing in it, is for validation to find, which inflates them anyway.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.images.active_content import check_inert
from shared.images.exif import UPRIGHT, orientation_in, orientation_in_hex, orientation_in_xmp, telling
from shared.images.icc import HEADER, LARGEST, LARGEST_CLAIM, is_a_profile, is_sound
from shared.images.jpeg import Stripped
from shared.images.limits import EnvelopeRefused, Limits, check_pixels
from shared.images.trailers import check_tail

MAGIC = b"\x89PNG\r\n\x1a\n"
# Encoders write pixels in chunks of 8 KB and more; a file of one-byte chunks costs 40 ms of walking.
_MOST_CHUNKS = 1000
_MOST_METADATA_CHUNKS = 200
# Of all compressed texts together; nothing of them is kept, so what doesn't fit is no loss.
_MOST_TEXT = 131_072
# As much of them is taken: blocks that hold nothing cost 75 ns a byte, and inflate to no text at all.
_MOST_PACKED = 16_384
# Inflated at a time. Where a text breaks, so much is counted of what zlib does not hand over.
_PIECE = 8192
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_PALETTE = 3
_GREY = frozenset({0, 4})
# What stays, and how long it has to be, by colour type where it depends on that.
_ALL = (0, 2, 3, 4, 6)
_LENGTHS: dict[bytes, dict[int, int]] = {
    b"gAMA": dict.fromkeys(_ALL, 4),
    b"cHRM": dict.fromkeys(_ALL, 32),
    b"sRGB": dict.fromkeys(_ALL, 1),
    b"pHYs": dict.fromkeys(_ALL, 9),
    b"sBIT": {0: 1, 2: 3, 3: 3, 4: 2, 6: 4},
    b"bKGD": {0: 2, 2: 6, 3: 1, 4: 2, 6: 6},
    b"tRNS": {0: 2, 2: 6},
}
# One letter, as any program's has at least: a file never grows. Its own name could say anything.
_PROFILE_NAME = b"i"
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_HEX_EXIF = frozenset({b"Raw profile type exif", b"Raw profile type APP1"})
_XMP = b"XML:com.adobe.xmp"


class Chunk(NamedTuple):
    """A piece of a PNG; its checksum is right."""

    kind: bytes
    start: int
    end: int
    payload: bytes


def chunks(body: bytes) -> Iterator[Chunk]:
    """Walk from behind the signature up to and with IEND.

    Raises:
        EnvelopeRefused: `corrupt`, at a wrong length or checksum, or at the end of the bytes.
    """
    if not body.startswith(MAGIC):
        raise EnvelopeRefused("corrupt")
    view = memoryview(body)
    start = len(MAGIC)
    while start + 12 <= len(body):
        length, kind = struct.unpack_from(">I4s", body, start)
        end = start + 12 + length
        if end > len(body) or not kind.isalpha():
            break
        if zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            break
        yield Chunk(kind, start, end, body[start + 8 : end - 4])
        if kind == b"IEND":
            return
        start = end
    raise EnvelopeRefused("corrupt")


def orientation_of(body: bytes) -> int:
    """What the EXIF says which way up the picture is to be shown, 1 to 8; 1 where it doesn't, or the file is none."""
    try:
        for number, chunk in enumerate(chunks(body)):
            if chunk.kind == b"eXIf":
                return orientation_in(chunk.payload)
            if number > _MOST_CHUNKS:
                break
    except EnvelopeRefused:
        pass
    return UPRIGHT


def strip(body: bytes, limits: Limits) -> Stripped:
    """The picture without its metadata; the same bytes give the same bytes.

    Raises:
        EnvelopeRefused: with what is wrong.
    """
    picture = _Picture(limits)
    most = _MOST_CHUNKS + limits.most_bytes // 1024
    for number, chunk in enumerate(chunks(body), 1):
        if number > most:
            raise EnvelopeRefused("too_complex", number, most)
        picture.take(chunk)
        if chunk.kind == b"IEND":
            check_tail(body[chunk.end :], has_more=False)
    return picture.without_metadata(body)


@dataclass
class _Picture:
    """What is known of a picture on the way through its chunks, and what of it stays."""

    limits: Limits
    size: tuple[int, int] = (0, 0)
    colour: int | None = None
    palette: int = 0
    kept: list[bytes] = field(default_factory=list)
    kinds: set[bytes] = field(default_factory=set)
    pixels_from: int = 0
    pixels_to: int = 0
    orientation: int | None = None
    in_hex: int | None = None
    in_xmp: int | None = None
    metadata: int = 0
    text: int = 0
    packed: int = 0

    def take(self, chunk: Chunk) -> None:
        if (chunk.kind == b"IHDR") is not (self.colour is None):
            raise EnvelopeRefused("corrupt")  # a second header would change the size after it was looked at
        if chunk.kind == b"IDAT":
            self._take_pixels(chunk)
            return
        check_inert(chunk.payload)
        if chunk.kind == b"IHDR":
            self._take_header(chunk)
        elif chunk.kind == b"PLTE":
            self._take_palette(chunk)
        elif chunk.kind == b"IEND":
            self._finish(chunk)
        elif chunk.kind[0] & 0x20:
            self._take_ancillary(chunk)
        else:
            raise EnvelopeRefused("corrupt")  # it says that nobody may show the picture without knowing it

    def without_metadata(self, body: bytes) -> Stripped:
        orientation = self.orientation or self.in_hex or self.in_xmp or UPRIGHT
        if orientation != UPRIGHT:
            self.kept.append(_chunk(b"eXIf", telling(orientation)))
        stripped = b"".join([MAGIC, *self.kept, body[self.pixels_from : self.pixels_to], _chunk(b"IEND", b"")])
        return Stripped(stripped, *self.size, orientation)

    def _take_header(self, chunk: Chunk) -> None:
        if len(chunk.payload) != 13:
            raise EnvelopeRefused("corrupt")
        width, height, depth, colour, *methods = struct.unpack(">IIBBBBB", chunk.payload)
        known = depth in _DEPTHS.get(colour, ()) and methods in ([0, 0, 0], [0, 0, 1])
        if not known or max(width, height) > 0x7FFFFFFF:
            raise EnvelopeRefused("corrupt")
        check_pixels(width, height, self.limits)
        self.size, self.colour = (width, height), colour
        self.kept.append(_chunk(b"IHDR", chunk.payload))

    def _take_palette(self, chunk: Chunk) -> None:
        entries, rest = divmod(len(chunk.payload), 3)
        if rest or not 1 <= entries <= 256 or self.palette or self.pixels_to:
            raise EnvelopeRefused("corrupt")
        self.palette = entries
        if self.colour not in _GREY:
            self.kept.append(_chunk(b"PLTE", chunk.payload))

    def _take_pixels(self, chunk: Chunk) -> None:
        if not self.pixels_to:
            if self.colour == _PALETTE and not self.palette:
                raise EnvelopeRefused("corrupt")
            self.pixels_from = chunk.start
        elif self.pixels_to != chunk.start:
            raise EnvelopeRefused("corrupt")
        self.pixels_to = chunk.end

    def _finish(self, chunk: Chunk) -> None:
        if chunk.payload or not self.pixels_to:
            raise EnvelopeRefused("corrupt")
        if min(self.size) < self.limits.least_side_px:
            raise EnvelopeRefused("too_small", min(self.size), self.limits.least_side_px)

    def _take_ancillary(self, chunk: Chunk) -> None:
        self.metadata += 1
        if self.metadata > _MOST_METADATA_CHUNKS:
            raise EnvelopeRefused("metadata_excess", self.metadata, _MOST_METADATA_CHUNKS)
        if chunk.kind == b"acTL":
            raise EnvelopeRefused("animated")
        if chunk.kind in _TEXTS:
            self._look_into_text(chunk)
        elif chunk.kind == b"eXIf":
            if self.orientation is None:
                self.orientation = orientation_in(chunk.payload)
        # Behind the pixels, or a second time, decoders pass over it.
        elif chunk.kind not in self.kinds and not self.pixels_to:
            if self._stays(chunk):
                self.kinds.add(chunk.kind)
                self.kept.append(_chunk(chunk.kind, chunk.payload))
            elif chunk.kind == b"iCCP":
                self._take_profile(chunk)

    def _stays(self, chunk: Chunk) -> bool:
        if self.colour == _PALETTE and chunk.kind == b"tRNS":
            return 1 <= len(chunk.payload) <= self.palette
        lengths = _LENGTHS.get(chunk.kind)
        return lengths is not None and lengths.get(self.colour or 0) == len(chunk.payload)

    def _take_profile(self, chunk: Chunk) -> None:
        # The first decides, sound or not: of two hundred, one is inflated.
        self.kinds.add(b"iCCP")
        name, _, rest = chunk.payload.partition(b"\x00")
        if not 1 <= len(name) <= 79 or not rest.startswith(b"\x00"):
            return
        inflater = zlib.decompressobj()
        try:
            # What is packed into more than its size is no profile that stays, but may be a bomb.
            profile = inflater.decompress(rest[1 : 1 + LARGEST], LARGEST + 1)
        except zlib.error:
            return
        if len(profile) > LARGEST:
            # A large profile of a screen or a printer is dropped; what is none is a bomb.
            if not is_a_profile(profile[:HEADER], largest=LARGEST_CLAIM):
                raise EnvelopeRefused("corrupt")
            return
        whole = inflater.eof and not inflater.unused_data and len(rest) <= 1 + LARGEST
        if whole and is_sound(profile, b"GRAY" if self.colour in _GREY else b"RGB "):
            self.kept.append(_chunk(b"iCCP", _PROFILE_NAME + b"\x00" + rest))

    def _look_into_text(self, chunk: Chunk) -> None:
        keyword, _, rest = chunk.payload.partition(b"\x00")
        text, is_packed = _text_in(chunk.kind, rest)
        if is_packed:
            packed = text[: _MOST_PACKED - self.packed]
            self.packed += len(packed)
            text, done, is_sound = _inflated(packed, _MOST_TEXT - self.text + 1)
            self.text += done
            if self.text > _MOST_TEXT:
                raise EnvelopeRefused("metadata_excess", self.text, _MOST_TEXT)
            if not is_sound:
                return
            check_inert(text)
        if keyword in _HEX_EXIF and self.in_hex is None:
            self.in_hex = orientation_in_hex(text)
        elif keyword == _XMP and self.in_xmp is None:
            self.in_xmp = orientation_in_xmp(text)


def _text_in(kind: bytes, rest: bytes) -> tuple[bytes, bool]:
    """What is behind a text chunk's keyword, and whether it is compressed."""
    if kind == b"tEXt":
        return rest, False
    if kind == b"zTXt":
        return rest[1:], True
    parts = rest[2:].split(b"\x00", 2)  # language, translated keyword, text
    return parts[-1], rest[:1] == b"\x01"


def _inflated(packed: bytes, most: int) -> tuple[bytes, int, bool]:
    """At most so much of a compressed text, how many bytes of work it was, and whether it did not break on the way."""
    inflater = zlib.decompressobj()
    pieces: list[bytes] = []
    done = 0
    while done < most and not inflater.eof:
        try:
            piece = inflater.decompress(packed, min(_PIECE, most - done))
        except zlib.error:
            return b"", done + _PIECE, False
        if not piece and packed == inflater.unconsumed_tail:
            break
        pieces.append(piece)
        done += len(piece)
        packed = inflater.unconsumed_tail
    return b"".join(pieces), done, True


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))
