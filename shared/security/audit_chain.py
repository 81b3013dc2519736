"""The audit chain: what a line's hash covers, and the signed heads. Pure: the sealer writes by it, the verifier reads.

`docs/audit.md` describes the format for those who check a chain with tools of their own.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

BEGINNING = "0" * 64
"""The head before the first line."""
LINE_FIELDS = (
    "seq",
    "line_id",
    "at",
    "act",
    "outcome",
    "staff_id",
    "role",
    "application_no",
    "region",
    "site",
    "address",
    "device",
    "detail",
)
"""What a line's hash covers, in this order. A new column goes to the end, and only into lines where it is not null."""


@dataclass(frozen=True)
class Head:
    """The chain after a batch; `AuditSealed` and a row of `audit_seals` say the same."""

    chain_id: UUID
    batch_no: int
    first_seq: int
    last_seq: int
    previous_head: str
    head: str
    sealed_at: datetime
    key_id: str
    signature: str

    @property
    def digest(self) -> bytes:
        """SHA-256 over all of it: two heads with the same digest say the same."""
        return hashlib.sha256(_statement(self) + b"\n" + self.signature.encode()).digest()


def line_hash(previous: str, line: Mapping[str, Any]) -> str:
    """The chain's head after a line.

    Args:
        previous: the head before it.
        line: its columns, with `seq`.
    """
    canonical = _json([_plain(line[name]) for name in LINE_FIELDS])
    return hashlib.sha256(previous.encode() + b"\n" + canonical).hexdigest()


def chained(previous: str, lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The hash of each line, in the chain's order."""
    hashes = []
    for line in lines:
        previous = line_hash(previous, line)
        hashes.append(previous)
    return hashes


class AuditSigner:
    """Signs heads.

    Args:
        seed: base64 of the 32 bytes of an Ed25519 key.
    """

    def __init__(self, seed: str) -> None:
        raw = base64.b64decode(seed, validate=True)
        if len(raw) != 32:
            raise ValueError("AUDIT_SIGNING_KEY wants base64 of 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        self.public_key = self._key.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public_key)

    def sign(
        self,
        chain_id: UUID,
        batch_no: int,
        *,
        first_seq: int,
        last_seq: int,
        previous_head: str,
        head: str,
        sealed_at: datetime,
    ) -> Head:
        """A head with its signature."""
        plain = Head(chain_id, batch_no, first_seq, last_seq, previous_head, head, sealed_at, self.key_id, "")
        signature = base64.b64encode(self._key.sign(_statement(plain))).decode()
        return Head(chain_id, batch_no, first_seq, last_seq, previous_head, head, sealed_at, self.key_id, signature)


class AuditKeys:
    """Public keys, to check heads with.

    Args:
        public_keys: each 32 bytes, also of keys that sign no more.
    """

    def __init__(self, public_keys: Iterable[bytes]) -> None:
        self._keys = {key_id_of(key): Ed25519PublicKey.from_public_bytes(key) for key in public_keys}

    def knows(self, key_id: str) -> bool:
        """True where a key of that id was given."""
        return key_id in self._keys

    def signed(self, head: Head) -> bool:
        """True where the head is as one of the keys signed it."""
        key = self._keys.get(head.key_id)
        if key is None:
            return False
        try:
            key.verify(base64.b64decode(head.signature, validate=True), _statement(head))
        except (InvalidSignature, ValueError):
            return False
        return True


def key_id_of(public_key: bytes) -> str:
    """The first 16 hex digits of the public key's SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def _statement(head: Head) -> bytes:
    """What is signed."""
    return b"baoshen/audit-head/1\n" + _json(
        [
            str(head.chain_id),
            head.batch_no,
            head.first_seq,
            head.last_seq,
            head.previous_head,
            head.head,
            _plain(head.sealed_at),
            head.key_id,
        ]
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")
