"""What is behind the end of an image: padding and what phones append is cut off, anything else is refused."""

import re

from shared.images.active_content import check_inert
from shared.images.limits import EnvelopeRefused

_PADDING = b"\x00\xff \t\r\n"
_VIVO = b"\xff\xff\xff\xff\x1b*9HWfu\x84\x93\xa2\xb1"
_ONEPLUS = re.compile(rb"jxrs...\x00+\Z", re.DOTALL)
_JPEG = b"\xff\xd8\xff"
_FILM = b"ftyp"


def check_tail(tail: bytes, *, has_more: bool) -> None:
    """Refuse what has no business behind an image. What passes is cut off all the same.

    Args:
        tail: everything behind the end marker.
        has_more: the metadata tells of further pictures (MPO, HDR gain maps) or of a film (motion photos).

    Raises:
        EnvelopeRefused: `active_content` or `trailing_data`.
    """
    # Some cameras write the end marker twice.
    if not tail.replace(b"\xff\xd9", b"").strip(_PADDING):
        return
    behind_padding = tail.lstrip(b"\x00")
    # Their compressed pixels are not searched; nothing of them is stored. A film begins with its first box's length, of
    # whose zeros some are taken for padding.
    if has_more and (behind_padding.startswith(_JPEG) or _FILM in behind_padding[:8]):
        return
    check_inert(behind_padding)
    if not _is_of_a_phone(tail):
        raise EnvelopeRefused("trailing_data", len(tail), 0)


def _is_of_a_phone(tail: bytes) -> bool:
    """By how they end, as ExifTool 13 tells them: Samsung's blocks, vivo's and OnePlus's JSON."""
    end = tail.rstrip(b"\x00")
    if end.endswith(b"SEFT"):
        # A directory: its name SEFH, its entries; then its length, and the name that it ends with.
        length = int.from_bytes(end[-8:-4], "little")
        return end[-8 - length :].startswith(b"SEFH")
    return end.endswith((b"\x00\x00QDIOBS", _VIVO)) or _ONEPLUS.search(tail[-64:]) is not None
