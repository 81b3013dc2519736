"""JPEG as a file: the walk over its markers, and the picture without its metadata.

Nothing is recompressed: frame, tables, scan headers and coded data stay byte for byte. The walk knows every byte of the
file but the coded data, which it only looks for the next marker in.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from shared.images.active_content import check_inert
from shared.images.exif import HEADER as EXIF
from shared.images.exif import UPRIGHT, orientation_in, orientation_in_xmp, telling
from shared.images.icc import LARGEST, Space, is_sound
from shared.images.limits import (
    MOST_METADATA_SEGMENTS,
    MOST_PIXELS_SCANNED,
    MOST_SCANS,
    MOST_TABLE_SEGMENTS,
    EnvelopeRefused,
    Limits,
    check_pixels,
)
from shared.images.trailers import check_tail

MAGIC = b"\xff\xd8\xff"
SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE = 0xC0, 0xC1, 0xC2
DHT, EOI, SOS, DQT, DRI = 0xC4, 0xD9, 0xDA, 0xDB, 0xDD
APP0, APP1, APP2, APP14, APP15, COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE

_FRAMES = frozenset({SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE})
# Lossless, hierarchical, arithmetic-coded frames and JPEG-LS: legal, but no browser shows them.
_RARE_FRAMES = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xDE, 0xF7})
_TABLES = frozenset({DHT, DQT, DRI})
# Any number of FF may stand before a marker; possessive, so that many of them and no marker cost one pass.
_MARKER = re.compile(rb"\xff++[^\x00\xff]")
# In coded data FF00 is an FF, and FFD0 to FFD7 are restarts. The last of several FF decides: each place is tried once.
_NEXT_IN_DATA = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Between header segments, old Photoshop and some cameras leave up to a dozen bytes that mean nothing. libjpeg passes
# over them, and what is stored hasn't got them. A table whose length is wrong is found when it is taken apart.
_NEXT_IN_HEADER = re.compile(rb"\xff[^\x00\xff]")
_MOST_JUNK = 64
_JFIF = b"JFIF\x00"
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_ICC = b"ICC_PROFILE\x00"
_ADOBE = b"Adobe"
_MPF = b"MPF\x00"
# In XMP: motion photos and pictures with a gain map or a depth map say that something follows.
_HAS_MORE = re.compile(rb"MicroVideo|MotionPhoto|Container:Directory|GContainer")
_SPACES: dict[int, Space] = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}
_LARGEST_SEGMENT = 65_533


class Segment(NamedTuple):
    """A marker and what belongs to it.

    Attributes:
        marker: its second byte, such as 0xE1.
        start: of the marker, with fill bytes before it.
        end: behind the payload. The coded data of a scan (SOS) goes on to the next segment's start.
        payload: without marker and length.
    """

    marker: int
    start: int
    end: int
    payload: bytes


@dataclass(frozen=True)
class Stripped:
    """A picture without its metadata; width and height as they are stored, before the orientation."""

    body: bytes
    width: int
    height: int
    orientation: int


def segments(body: bytes) -> Iterator[Segment]:
    """Walk from behind the start marker up to and with the end marker; the header ends with the first SOS.

    Raises:
        EnvelopeRefused: `corrupt`, when the walk comes to what is no segment, or to the end of the bytes.
    """
    if not body.startswith(b"\xff\xd8"):
        raise EnvelopeRefused("corrupt")
    start, junk = 2, _MOST_JUNK
    while True:
        found = _MARKER.match(body, start)
        if found is None and junk:
            found, junk = _NEXT_IN_HEADER.search(body, start, start + junk), 0
            start = found.start() if found else start
        if found is None:
            raise EnvelopeRefused("corrupt")
        marker, at = found[0][-1], found.end()
        if marker == EOI:
            yield Segment(marker, start, at, b"")
            return
        end = _end_of(body, marker, at)
        yield Segment(marker, start, end, body[at + 2 : end])
        start = end
        if marker == SOS:
            start, junk = _end_of_data(body, end), 0


def _end_of(body: bytes, marker: int, at: int) -> int:
    # No length: restarts, a second start, TEM and what is reserved. None of them can stand here.
    if marker < SOF_BASELINE or 0xD0 <= marker <= 0xD8 or at + 2 > len(body):
        raise EnvelopeRefused("corrupt")
    length = int.from_bytes(body[at : at + 2])
    if length < 2 or at + length > len(body):
        raise EnvelopeRefused("corrupt")
    return at + length


def _end_of_data(body: bytes, begin: int) -> int:
    found = _NEXT_IN_DATA.search(body, begin)
    if found is None:
        raise EnvelopeRefused("corrupt")
    end = found.start()
    if body[end - 1] == 0xFF:  # fill bytes: in the data itself an FF has a zero behind it
        end = begin + len(body[begin:end].rstrip(b"\xff"))
    if end == begin:
        raise EnvelopeRefused("corrupt")
    return end


def orientation_of(body: bytes) -> int:
    """What the EXIF says which way up the picture is to be shown, 1 to 8; 1 where it doesn't, or the file is none."""
    try:
        for segment in islice(segments(body), MOST_METADATA_SEGMENTS):
            if segment.marker == APP1 and segment.payload.startswith(EXIF):
                return orientation_in(segment.payload[len(EXIF) :])
            if segment.marker == SOS:
                break
    except EnvelopeRefused:
        pass
    return UPRIGHT


def strip(body: bytes, limits: Limits) -> Stripped:
    """The first picture of the file, without its metadata; the same bytes give the same bytes.

    Raises:
        EnvelopeRefused: with what is wrong.
    """
    picture = _Picture(limits)
    coded_from: int | None = None
    for segment in segments(body):
        if coded_from is not None:
            picture.kept.append(body[coded_from : segment.start])
        coded_from = segment.end if segment.marker == SOS else None
        if segment.marker == EOI:
            picture.finish()
            check_tail(body[segment.end :], has_more=picture.has_more)
        else:
            picture.take(segment)
    return picture.without_metadata()


@dataclass
class _Picture:
    """What is known of a picture on the way through its segments, and what of it stays."""

    limits: Limits
    kept: list[bytes] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    components: bytes = b""
    scans: int = 0
    tables: int = 0
    metadata: int = 0
    jfif: bytes | None = None
    adobe: bytes | None = None
    orientation: int | None = None
    in_xmp: int | None = None
    profile: dict[int, bytes] = field(default_factory=dict)
    parts: int | None = 0
    has_more: bool = False

    def take(self, segment: Segment) -> None:
        # Tables are searched, too: those that no scan uses stay, as libjpeg's own do. What fits into the tables'
        # strict form and runs nowhere is left in them; it is a few hundred bytes that no decoder shows.
        check_inert(segment.payload)
        marker = segment.marker
        if APP0 <= marker <= APP15 or marker == COM:
            self._take_metadata(segment)
        elif marker in _TABLES:
            self._take_table(segment)
        elif marker in _FRAMES:
            self._take_frame(segment)
        elif marker == SOS:
            self._take_scan(segment)
        else:
            # DNL among them: it would change the height after it was looked at.
            raise EnvelopeRefused("unsupported_format" if marker in _RARE_FRAMES else "corrupt")

    def finish(self) -> None:
        if not self.scans:
            raise EnvelopeRefused("corrupt")
        if min(self.size) < self.limits.least_side_px:
            raise EnvelopeRefused("too_small", min(self.size), self.limits.least_side_px)

    def without_metadata(self) -> Stripped:
        orientation = self.orientation or self.in_xmp or UPRIGHT
        head = [b"\xff\xd8"]
        if self.jfif is not None:
            head.append(_segment(APP0, self.jfif))
        if orientation != UPRIGHT:
            head.append(_segment(APP1, EXIF + telling(orientation)))
        if self.adobe is not None:
            head.append(_segment(APP14, self.adobe))
        return Stripped(b"".join([*head, *self._icc(), *self.kept, b"\xff\xd9"]), *self.size, orientation)

    def _take_metadata(self, segment: Segment) -> None:
        self.metadata += 1
        if self.metadata > MOST_METADATA_SEGMENTS:
            raise EnvelopeRefused("metadata_excess", self.metadata, MOST_METADATA_SEGMENTS)
        if self.scans:
            return  # too late to mean anything: decoders settle colours and size with the first scan
        marker, payload = segment.marker, segment.payload
        # As libjpeg has it: any JFIF segment counts from its 14 bytes on, and of several Adobe segments the last.
        if marker == APP0 and payload.startswith(_JFIF) and len(payload) >= 14:
            self.jfif = payload[:12] + b"\x00\x00"  # no thumbnail
        elif marker == APP1:
            self._take_app1(payload)
        elif marker == APP2:
            self._take_app2(payload)
        elif marker == APP14 and payload.startswith(_ADOBE) and len(payload) >= 12:
            self.adobe = payload[:12]

    def _take_app1(self, payload: bytes) -> None:
        if payload.startswith(EXIF):
            if self.orientation is None:
                self.orientation = orientation_in(payload[len(EXIF) :])
            return
        self.has_more = self.has_more or _HAS_MORE.search(payload) is not None
        if payload.startswith(_XMP) and self.in_xmp is None:
            self.in_xmp = orientation_in_xmp(payload)

    def _take_app2(self, payload: bytes) -> None:
        if payload.startswith(_MPF):
            self.has_more = True
        elif payload.startswith(_ICC) and len(payload) > len(_ICC) + 2:
            number, parts = payload[len(_ICC) : len(_ICC) + 2]
            if number in self.profile or self.parts not in {0, parts}:
                self.parts = None  # two profiles in one, or none: whose would be shown?
            else:
                self.parts = parts
                self.profile[number] = payload[len(_ICC) + 2 :]

    def _icc(self) -> list[bytes]:
        if not self.parts or sorted(self.profile) != list(range(1, self.parts + 1)):
            return []
        whole = b"".join(self.profile[number] for number in sorted(self.profile))
        space = _SPACES.get(len(self.components))
        if space is None or len(whole) > LARGEST or not is_sound(whole, space):
            return []
        room = _LARGEST_SEGMENT - len(_ICC) - 2
        pieces = [whole[at : at + room] for at in range(0, len(whole), room)]
        return [_segment(APP2, _ICC + bytes([n, len(pieces)]) + piece) for n, piece in enumerate(pieces, 1)]

    def _take_table(self, segment: Segment) -> None:
        self.tables += 1
        if self.tables > MOST_TABLE_SEGMENTS:
            raise EnvelopeRefused("too_complex", self.tables, MOST_TABLE_SEGMENTS)
        if segment.marker == DQT:
            fits = _is_quantisation(segment.payload)
        elif segment.marker == DHT:
            fits = _is_huffman(segment.payload)
        else:
            fits = len(segment.payload) == 2
        if not fits:
            raise EnvelopeRefused("corrupt")
        self.kept.append(_segment(segment.marker, segment.payload))

    def _take_frame(self, segment: Segment) -> None:
        payload = segment.payload
        if self.components or len(payload) < 9 or len(payload) != 6 + 3 * payload[5]:
            raise EnvelopeRefused("corrupt")
        precision, height, width, components = struct.unpack_from(">BHHB", payload)
        check_pixels(width, height, self.limits)
        if precision != 8:
            raise EnvelopeRefused("unsupported_format")
        if components not in _SPACES:
            raise EnvelopeRefused("unsupported_colorspace", components, max(_SPACES))
        if not all(1 <= part >> 4 <= 4 and 1 <= part & 15 <= 4 for part in payload[7::3]):
            raise EnvelopeRefused("corrupt")
        self.size, self.components = (width, height), payload[6::3]
        self.kept.append(_segment(segment.marker, payload))

    def _take_scan(self, segment: Segment) -> None:
        payload = segment.payload
        if not payload or not 1 <= payload[0] <= 4 or len(payload) != 4 + 2 * payload[0]:
            raise EnvelopeRefused("corrupt")
        if not self.components or not set(payload[1:-3:2]) <= set(self.components):
            raise EnvelopeRefused("corrupt")
        self.scans += 1
        most = min(max(MOST_PIXELS_SCANNED // (self.size[0] * self.size[1]), 1), MOST_SCANS)
        if self.scans > most:
            raise EnvelopeRefused("too_complex", self.scans, most)
        self.kept.append(_segment(SOS, payload))


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _is_quantisation(payload: bytes) -> bool:
    at = 0
    while at < len(payload):
        if payload[at] & 15 > 3 or payload[at] >> 4 > 1:
            return False
        at += 129 if payload[at] >> 4 else 65
    return at == len(payload) > 0


def _is_huffman(payload: bytes) -> bool:
    at = 0
    while at + 17 <= len(payload):
        codes = sum(payload[at + 1 : at + 17])
        if payload[at] & 15 > 3 or payload[at] >> 4 > 1 or codes > 256:
            return False
        at += 17 + codes
    return at == len(payload) > 0
