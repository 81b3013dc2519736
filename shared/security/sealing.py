"""The key ring: personal data on topics and at rest is AES-256-GCM under a data key per region and year.

Data keys lie in a file, each wrapped by a master key; destroying a data key erases what it sealed, wherever it lies.
"""

import base64
import fcntl
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import TypedDict, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.contracts.event import Part, Person, Sealed

P = TypeVar("P", bound=Part)
DEAD_LETTERS_KEY = "dead-letters"
_NONCE = 12


class KeyDestroyed(Exception):
    """The data key is not in the ring (any more): what it sealed is erased."""


class _Wrapped(TypedDict):
    by: str
    nonce: str
    key: str


_DESTROYED: _Wrapped = {"by": "", "nonce": "", "key": ""}


def data_key_id(region: str, year: int) -> str:
    """The id of the data key of one region and year."""
    return f"{region}-{year}"


class KeyRing:
    """Data keys, unwrapped on demand and kept in memory.

    Args:
        master_keys: `id:base64,…`, each 32 bytes; the first wraps new data keys.
        file: where the wrapped data keys lie; several processes may share it.
    """

    def __init__(self, master_keys: str, file: Path) -> None:
        self._masters: dict[str, AESGCM] = {}
        for entry in master_keys.split(","):
            master_id, _, encoded = entry.strip().partition(":")
            key = base64.b64decode(encoded, validate=True)
            if len(key) != 32 or not master_id:
                raise ValueError("MASTER_KEYS wants id:base64 of 32 bytes, separated by commas")
            self._masters[master_id] = AESGCM(key)
        self._current = next(iter(self._masters))
        self._file = file
        self._keys: dict[str, AESGCM] = {}
        self._read_at: tuple[int, int] | None = None

    def seal(self, region: str, year: int, part: Part) -> Sealed:
        """Seal what identifies a candidate (a `Person`, a `CodeToSend`); makes the data key at its first use.

        Raises:
            KeyDestroyed: that region and year were erased; nothing of them is sealed again.
        """
        key_id = data_key_id(region, year)
        key = self._key(key_id) or self._make(key_id)
        nonce = os.urandom(_NONCE)
        ciphertext = key.encrypt(nonce, part.model_dump_json().encode(), key_id.encode())
        return Sealed(key_id=key_id, nonce=_encode(nonce), ciphertext=_encode(ciphertext))

    def open(self, sealed: Sealed) -> Person:
        """Read a sealed person; raises as `open_as` does."""
        return self.open_as(sealed, Person)

    def open_if_kept(self, sealed: Sealed) -> Person | None:
        """Read a sealed person; None where the data was erased."""
        try:
            return self.open(sealed)
        except KeyDestroyed:
            return None

    def open_as(self, sealed: Sealed, kind: type[P]) -> P:
        """Read what `seal` made of a `kind`.

        Raises:
            KeyDestroyed: the data key is gone, so the data is erased.
            ValueError: it was changed, or never ours.
        """
        key = self._key(sealed.key_id)
        if key is None:
            raise KeyDestroyed(sealed.key_id)
        try:
            plain = key.decrypt(_decode(sealed.nonce), _decode(sealed.ciphertext), sealed.key_id.encode())
        except InvalidTag:
            raise ValueError(f"sealed data under key {sealed.key_id} is not intact") from None
        return kind.model_validate_json(plain)

    def seal_bytes(self, data: bytes) -> tuple[str, bytes]:
        """Seal a body of unknown content; returns the key id, and nonce plus ciphertext."""
        key = self._key(DEAD_LETTERS_KEY) or self._make(DEAD_LETTERS_KEY)
        nonce = os.urandom(_NONCE)
        return DEAD_LETTERS_KEY, nonce + key.encrypt(nonce, data, DEAD_LETTERS_KEY.encode())

    def open_bytes(self, key_id: str, sealed: bytes) -> bytes:
        """Read what `seal_bytes` made.

        Raises:
            KeyDestroyed: the key is gone.
        """
        key = self._key(key_id)
        if key is None:
            raise KeyDestroyed(key_id)
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], key_id.encode())

    def destroy(self, key_id: str) -> bool:
        """Erase a data key from the file; true if there was one. Processes forget it within one look at the file."""
        with self._locked() as wrapped:
            there = bool(wrapped.get(key_id, _DESTROYED)["key"])
            # The mark stays: under a new key of the same name old data would look damaged instead of erased.
            wrapped[key_id] = _DESTROYED
            self._write(wrapped)
        self._keys.pop(key_id, None)
        return there

    def _key(self, key_id: str) -> AESGCM | None:
        self._refresh()
        return self._keys.get(key_id)

    def _refresh(self) -> None:
        try:
            state = self._file.stat()
        except FileNotFoundError:
            return
        # Two changes may fall into one tick of the file system's clock; each is a file of its own, though.
        changed = (state.st_mtime_ns, state.st_ino)
        if changed == self._read_at:
            return
        wrapped: dict[str, _Wrapped] = json.loads(self._file.read_text())
        self._keys = {key_id: self._unwrapped(key_id, entry) for key_id, entry in wrapped.items() if entry["key"]}
        self._read_at = changed

    def _unwrapped(self, key_id: str, entry: _Wrapped) -> AESGCM:
        master = self._masters.get(entry["by"])
        if master is None:
            raise ValueError(f"data key {key_id} is wrapped by master key {entry['by']}, which MASTER_KEYS lacks")
        return AESGCM(master.decrypt(_decode(entry["nonce"]), _decode(entry["key"]), key_id.encode()))

    def _make(self, key_id: str) -> AESGCM:
        with self._locked() as wrapped:
            if key_id not in wrapped:  # another process may have been quicker
                nonce = os.urandom(_NONCE)
                key = AESGCM.generate_key(256)
                sealed = self._masters[self._current].encrypt(nonce, key, key_id.encode())
                wrapped[key_id] = {"by": self._current, "nonce": _encode(nonce), "key": _encode(sealed)}
                self._write(wrapped)
            if not wrapped[key_id]["key"]:
                raise KeyDestroyed(key_id)
            made = self._unwrapped(key_id, wrapped[key_id])
        self._keys[key_id] = made
        return made

    def _locked(self) -> "_LockedFile":
        return _LockedFile(self._file)

    def _write(self, wrapped: dict[str, _Wrapped]) -> None:
        fresh = self._file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(wrapped, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._file)  # whole or not at all: a lost data key is lost personal data


class _LockedFile:
    """The wrapped keys, read under a lock that other processes respect."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> dict[str, _Wrapped]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        wrapped: dict[str, _Wrapped] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return wrapped

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)


def lookup_hash(key: bytes, value: str) -> bytes:
    """A keyed hash, for finding a row by an ID number that is not stored in the clear (HMAC-SHA256)."""
    return hmac.new(key, value.strip().upper().encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(data: str) -> bytes:
    return base64.b64decode(data, validate=True)
