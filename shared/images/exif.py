"""The one thing of EXIF that is kept: which way up the picture is."""

import re
import struct

UPRIGHT = 1
_ORIENTATION = 0x0112
_SHORT = 3
_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}
_MOST_ENTRIES = 512
# The header, one entry and the end: what is written is no longer than what was read, so no file grows over its limit.
_LEAST = 26
HEADER = b"Exif\x00\x00"
_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


def orientation_in(tiff: bytes) -> int:
    """The orientation that EXIF data tells; 1, upright, where it tells none.

    As browsers read it: the first directory's tag, as one number of two bytes. The candidate saw the picture so.
    """
    order = _ORDERS.get(tiff[:4])
    if order is None or len(tiff) < _LEAST:
        return UPRIGHT
    (directory,) = struct.unpack_from(order + "I", tiff, 4)
    if not 8 <= directory <= len(tiff) - 2:
        return UPRIGHT
    (entries,) = struct.unpack_from(order + "H", tiff, directory)
    first = directory + 2
    there = min(entries, _MOST_ENTRIES, (len(tiff) - first) // 12)
    for tag, kind, _, value in struct.iter_unpack(order + "HHIH2x", tiff[first : first + 12 * there]):
        if tag == _ORIENTATION and kind == _SHORT:
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def telling(orientation: int) -> bytes:
    """EXIF data that tells this orientation and nothing else."""
    return struct.pack(">4sIHHHIHxxI", b"MM\x00*", 8, 1, _ORIENTATION, _SHORT, 1, orientation, 0)


def orientation_in_xmp(xmp: bytes) -> int | None:
    """The orientation that XMP tells; None where it tells none. It counts only where there is no EXIF."""
    found = _IN_XMP.search(xmp)
    return int(found[1]) if found else None


def orientation_in_hex(profile: bytes) -> int:
    """The orientation that ImageMagick keeps in a text chunk: a name, a length and EXIF data in hexadecimal digits."""
    try:
        exif = bytes.fromhex(profile.split(b"\n", 3)[3].decode("ascii"))
    except (IndexError, ValueError):
        return UPRIGHT
    return orientation_in(exif.removeprefix(HEADER))
