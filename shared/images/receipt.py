"""The receipt that a checked registration photo carries: a signed statement in one application segment of the JPEG.

It says for whom the photo was checked, when, until when it may be handed in, and the hash of every other byte of the
file. docs/photo-receipt.md describes it byte by byte for other systems.
"""

import base64
import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from shared.contracts.photo_receipts import ReceiptRefusal
from shared.security.photo_keys import PublicKey, PublicKeys, SigningKey

MOST_RECEIPT_BYTES = 385
"""No receipt is longer: so many bytes of a size limit have to be left for it."""
# Clocks of two hosts may differ a little.
LEEWAY = timedelta(minutes=2)

_START = b"\xff\xd8"
_END = b"\xff\xd9"
_JFIF = 0xE0
_APP10 = 0xEA
_SCAN = 0xDA
_NO_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
_IDENTIFIER = b"BAOSHEN-PHOTO\x00"
_VERSION = 1
_SIGNATURE = 64
_SIGNED = b"baoshen-photo-receipt-v1\x00"
# Real headers have about ten; each costs a walker's step.
_MOST_SEGMENTS = 500
_TIME = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
# Keys in order, no spaces, nothing to escape: JSON in its one canonical form, so a pattern reads it and no parser must
# be trusted with what nobody has verified yet.
_PAYLOAD = re.compile(
    rb'\{"app":"(?P<app>[0-9A-Z]{4,32})"'
    rb',"exp":"(?P<exp>%(time)b)","iat":"(?P<iat>%(time)b)"'
    rb',"key":"(?P<key>p[0-9]{8}-[0-9a-f]{4})"'
    rb',"nonce":"(?P<nonce>[A-Za-z0-9_-]{21}[AQgw])"'
    rb',"pack":"(?P<pack>[a-z][a-z0-9-]{1,47}@[1-9][0-9]{0,8})"'
    rb',"sha256":"(?P<sha256>[0-9a-f]{64})"\}' % {b"time": _TIME}
)


class ReceiptRefused(Exception):
    """The file is not a photo that was checked, unchanged and still good, for this candidate.

    Attributes:
        reason: why; `shared.contracts.photo_receipts` has the words for people.
    """

    def __init__(self, reason: ReceiptRefusal) -> None:
        super().__init__(reason)
        self.reason: ReceiptRefusal = reason


@dataclass(frozen=True)
class Receipt:
    """What a receipt says.

    Attributes:
        key_id: the key that signed it.
        nonce: names this receipt: it is accepted once.
        pack: id and version of the rules that the photo was checked by, such as `neimenggu-2021@3`.
        sha256: of the file without the receipt's segment.
    """

    application_no: str
    issued_at: datetime
    expires_at: datetime
    key_id: str
    nonce: str
    pack: str
    sha256: str


class _Segment(NamedTuple):
    marker: int
    start: int  # of the marker
    content: int  # behind marker and length
    end: int


class _Found(NamedTuple):
    receipt: Receipt
    payload: bytes
    signature: bytes
    rest: bytes
    in_its_place: bool


def add_receipt(
    photo: bytes,
    *,
    application_no: str,
    pack: str,
    issued_at: datetime,
    expires_at: datetime,
    key: SigningKey,
    nonce: bytes | None = None,
) -> tuple[bytes, Receipt]:
    """Put a receipt into a photo; nothing else of the file changes.

    Args:
        photo: a whole JPEG without a receipt and with nothing behind its end.
        application_no: the candidate's.
        pack: id and version of the rules, such as `neimenggu-2021@3`.
        issued_at: now, in whole seconds once it is written down.
        expires_at: from then on it is refused.
        key: the newest one.
        nonce: 16 bytes that no other receipt has; left out, they are drawn.

    Raises:
        ValueError: the photo is not as described, or a value can't stand in a receipt.
    """
    segments, sound = _header(photo)
    if not sound or not _ends_once(photo, segments[-1].end):
        raise ValueError("the photo is no whole JPEG, or something is behind its end")
    if any(_is_receipt(photo, segment) for segment in segments):
        raise ValueError("the photo has a receipt already")
    content = {
        "app": application_no,
        "exp": _written(expires_at),
        "iat": _written(issued_at),
        "key": key.id,
        "nonce": base64.urlsafe_b64encode(os.urandom(16) if nonce is None else nonce).decode().rstrip("="),
        "pack": pack,
        "sha256": hashlib.sha256(photo).hexdigest(),
    }
    payload = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    receipt = _read(payload)
    if receipt is None:
        raise ValueError("application number, pack, key id, nonce or times are not such as a receipt holds")
    body = b"".join((_IDENTIFIER, bytes([_VERSION]), len(payload).to_bytes(2), payload, key.sign(_SIGNED + payload)))
    segment = bytes([0xFF, _APP10]) + (len(body) + 2).to_bytes(2) + body
    at = _place(segments)
    return photo[:at] + segment + photo[at:], receipt


def read_receipt(file: bytes) -> tuple[Receipt, bytes]:
    """What the receipt says, and the file without it. Nothing of it is verified: anybody may have written it.

    Raises:
        ReceiptRefused: `not_a_jpeg`, `receipt_missing`, `receipt_twice` or `receipt_unreadable`.
    """
    found = _find(file)
    return found.receipt, found.rest


def verify(file: bytes, keys: PublicKeys, *, application_no: str | None, now: datetime) -> Receipt:
    """The receipt of a file that may be handed in.

    What a new check mends (another candidate, an old key, a date) is said before what the unchanged file mends.

    Args:
        file: the photo as it was handed in.
        keys: whose signatures are trusted.
        application_no: of the candidate who hands it in; None: anybody's will do.
        now: the time, aware.

    Raises:
        ReceiptRefused: with the reason.
        PhotoKeysUnreadable: there are no keys to verify with.
    """
    found = _find(file)
    receipt = found.receipt
    key = keys.get(receipt.key_id)
    if key is None:
        raise ReceiptRefused("key_unknown")
    if not key.signed(_SIGNED + found.payload, found.signature):
        raise ReceiptRefused("receipt_forged")
    # Only from here on is what the receipt says true.
    if application_no is not None and receipt.application_no != application_no:
        raise ReceiptRefused("other_candidate")
    _see_that_it_is_good_now(receipt, key, now)
    if not found.in_its_place or hashlib.sha256(found.rest).hexdigest() != receipt.sha256:
        raise ReceiptRefused("photo_changed")
    return receipt


def _see_that_it_is_good_now(receipt: Receipt, key: PublicKey, now: datetime) -> None:
    if key.retired_at is not None:
        raise ReceiptRefused("key_retired")
    if now < receipt.issued_at - LEEWAY:
        raise ReceiptRefused("receipt_not_yet_valid")
    if now >= receipt.expires_at:
        raise ReceiptRefused("receipt_expired")


def _find(file: bytes) -> _Found:
    segments, sound = _header(file)
    found = [segment for segment in segments if _is_receipt(file, segment)]
    if not found:
        raise ReceiptRefused("receipt_missing" if sound else "not_a_jpeg")
    if len(found) > 1:
        raise ReceiptRefused("receipt_twice")
    segment = found[0]
    taken_apart = _taken_apart(file[segment.content : segment.end])
    if taken_apart is None:
        raise ReceiptRefused("receipt_unreadable")
    rest = file[: segment.start] + file[segment.end :]
    # One photo with one receipt is one sequence of bytes: anywhere else in the header it was moved.
    return _Found(*taken_apart, rest=rest, in_its_place=segment.start == _place(_header(rest)[0]))


def _taken_apart(content: bytes) -> tuple[Receipt, bytes, bytes] | None:
    """Receipt, payload and signature; None unless the segment is exactly as it is written."""
    begin = len(_IDENTIFIER) + 3
    if len(content) < begin or content[begin - 3] != _VERSION:
        return None
    end = begin + int.from_bytes(content[begin - 2 : begin])
    if len(content) != end + _SIGNATURE:
        return None
    receipt = _read(content[begin:end])
    return (receipt, content[begin:end], content[end:]) if receipt else None


def _read(payload: bytes) -> Receipt | None:
    match = _PAYLOAD.fullmatch(payload)
    if match is None:
        return None
    said = {name: value.decode() for name, value in match.groupdict().items()}
    try:
        issued_at, expires_at = datetime.fromisoformat(said["iat"]), datetime.fromisoformat(said["exp"])
    except ValueError:  # such as a 30th of February
        return None
    if issued_at >= expires_at:
        return None
    return Receipt(said["app"], issued_at, expires_at, said["key"], said["nonce"], said["pack"], said["sha256"])


def _written(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("a receipt's times are aware")
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _is_receipt(file: bytes, segment: _Segment) -> bool:
    return segment.marker == _APP10 and file.startswith(_IDENTIFIER, segment.content, segment.end)


def _place(segments: list[_Segment]) -> int:
    """Where a receipt belongs: behind the JFIF segment if the file begins with one, else behind the start marker."""
    first = segments[0] if segments else None
    return first.end if first and first.marker == _JFIF and first.start == len(_START) else len(_START)


def _header(file: bytes) -> tuple[list[_Segment], bool]:
    """The segments up to and with the first scan's header, and whether it was reached."""
    segments: list[_Segment] = []
    at = len(_START) if file.startswith(_START) else len(file)
    while len(segments) < _MOST_SEGMENTS and (segment := _segment_at(file, at)):
        segments.append(segment)
        if segment.marker == _SCAN:
            return segments, True
        at = segment.end
    return segments, False


def _segment_at(file: bytes, at: int) -> _Segment | None:
    while file[at : at + 2] == b"\xff\xff":  # fill bytes
        at += 1
    if len(file) < at + 4 or file[at] != 0xFF or file[at + 1] in _NO_LENGTH:
        return None
    length = int.from_bytes(file[at + 2 : at + 4])
    if length < 2 or at + 2 + length > len(file):
        return None
    return _Segment(file[at + 1], at, at + 4, at + 2 + length)


def _ends_once(file: bytes, at: int) -> bool:
    """Whether the end marker of the scan that begins there is the file's last thing: behind it is room for anything."""
    while (at := file.find(b"\xff", at)) != -1:
        marker = file[at + 1 : at + 2]
        if marker == _END[1:]:
            return at + 2 == len(file)
        if marker == b"\xff":
            at += 1
        elif marker == b"\x00" or b"\xd0" <= marker <= b"\xd7":  # stuffing and restarts: the scan goes on
            at += 2
        else:  # tables between scans, or the next scan
            segment = _segment_at(file, at)
            if segment is None:
                return False
            at = segment.end
    return False
