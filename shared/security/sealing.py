"""The key ring: personal data on topics and at rest is AES-256-GCM under a data key per region and year.

Data keys lie in a file, each wrapped by a master key; destroying a data key erases what it sealed, wherever it lies.
A data key may have versions: the newest seals, the older ones still open, and they are destroyed together.
"""

import base64
import fcntl
import hashlib
import hmac
import json
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import TypedDict, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.contracts.event import Part, Person, Sealed

P = TypeVar("P", bound=Part)
DEAD_LETTERS_KEY = "dead-letters"
STAFF_KEY = "staff-factors"
"""Of second factors, and of saved answers that hold them."""
_NONCE = 12
# `15-2021`, then `15-2021-2`, `15-2021-3`, …: a year has four digits, a version three at most.
_VERSIONED = re.compile(r"(.+)-([1-9][0-9]{0,2})")


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


def _version_of(key_id: str) -> tuple[str, int]:
    """The key whose version it is, and which."""
    match = _VERSIONED.fullmatch(key_id)
    return (match[1], int(match[2])) if match else (key_id, 1)


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
        self._newest: dict[str, str] = {}  # which version seals, by the first version's id
        self._read_at: tuple[int, int] | None = None

    def seal(self, region: str, year: int, part: Part) -> Sealed:
        """Seal what identifies a candidate (a `Person`, a `CodeToSend`); makes the data key at its first use.

        Raises:
            KeyDestroyed: that region and year were erased; nothing of them is sealed again.
        """
        return self._sealed(data_key_id(region, year), part.model_dump_json().encode())

    def _sealed(self, base: str, plain: bytes) -> Sealed:
        key_id, key = self._sealing_key(base)
        nonce = os.urandom(_NONCE)
        return Sealed(
            key_id=key_id, nonce=_encode(nonce), ciphertext=_encode(key.encrypt(nonce, plain, key_id.encode()))
        )

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
        return kind.model_validate_json(self._plain(sealed))

    def _plain(self, sealed: Sealed) -> bytes:
        key = self._key(sealed.key_id)
        if key is None:
            raise KeyDestroyed(sealed.key_id)
        try:
            return key.decrypt(_decode(sealed.nonce), _decode(sealed.ciphertext), sealed.key_id.encode())
        except InvalidTag:
            raise ValueError(f"sealed data under key {sealed.key_id} is not intact") from None

    def seal_bytes(self, data: bytes, base: str = DEAD_LETTERS_KEY) -> tuple[str, bytes]:
        """Seal a body of unknown content; returns the key id, and nonce plus ciphertext."""
        return self._sealed_bytes(base, data)

    def _sealed_bytes(self, base: str, data: bytes) -> tuple[str, bytes]:
        key_id, key = self._sealing_key(base)
        nonce = os.urandom(_NONCE)
        return key_id, nonce + key.encrypt(nonce, data, key_id.encode())

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
        """Erase a data key with all its versions; true if there was one. Processes forget it at their next look.

        Args:
            key_id: of the first version, or of one version alone.
        """
        with self._locked() as wrapped:
            erased = [each for each in wrapped if each == key_id or _version_of(each)[0] == key_id]
            there = any(wrapped[each]["key"] for each in erased)
            # The mark stays: under a new key of the same name old data would look damaged instead of erased.
            wrapped |= dict.fromkeys([*erased, key_id], _DESTROYED)
            self._write(wrapped)
        for each in (*erased, key_id):
            self._keys.pop(each, None)
        self._newest = _newest_of(self._keys)
        return there

    def data_keys(self) -> list[str]:
        """The data keys that there are, by the ids of their first versions; not those that were destroyed."""
        self._refresh()
        return sorted(self._newest)

    def older_versions(self, key_ids: Collection[str]) -> list[str]:
        """Of these keys, by the ids of their first versions, the versions that seal no more."""
        self._refresh()
        return sorted(
            each
            for each in self._keys
            if _version_of(each)[0] in key_ids and self._newest[_version_of(each)[0]] != each
        )

    def rewrap(self) -> int:
        """Wrap every data key by the first master key; returns how many were not. Nothing needs to be sealed anew."""
        with self._locked() as wrapped:
            others = {
                key_id: entry for key_id, entry in wrapped.items() if entry["key"] and entry["by"] != self._current
            }
            for key_id, entry in others.items():
                wrapped[key_id] = self._wrap(key_id, self._raw(key_id, entry))
            if others:
                self._write(wrapped)
        return len(others)

    def add_versions(self, key_ids: Collection[str]) -> dict[str, str]:
        """Make a new version of each of these keys, which seals from now on; one that was destroyed gets none.

        Args:
            key_ids: of first versions.

        Returns:
            The new version's id by the first one's.
        """
        with self._locked() as wrapped:
            made = {}
            for base in key_ids:
                versions = [_version_of(each)[1] for each in wrapped if _version_of(each)[0] == base]
                if any(entry["key"] for each, entry in wrapped.items() if _version_of(each)[0] == base):
                    made[base] = f"{base}-{max(versions) + 1}"
                    wrapped[made[base]] = self._wrap(made[base], AESGCM.generate_key(256))
            if made:
                self._write(wrapped)
        return made

    def reseal(self, sealed: Sealed) -> Sealed | None:
        """The same under the newest version of its key; None where it is so already.

        Raises:
            KeyDestroyed: it is erased.
            ValueError: it was changed, or never ours.
        """
        plain = self._plain(sealed)
        base = _version_of(sealed.key_id)[0]
        return None if self._newest.get(base) == sealed.key_id else self._sealed(base, plain)

    def reseal_bytes(self, key_id: str, sealed: bytes) -> tuple[str, bytes] | None:
        """The same for what `seal_bytes` made.

        Raises:
            KeyDestroyed: it is erased.
            ValueError: it was changed, or never ours.
        """
        try:
            plain = self.open_bytes(key_id, sealed)
        except InvalidTag:
            raise ValueError(f"sealed data under key {key_id} is not intact") from None
        base = _version_of(key_id)[0]
        return None if self._newest.get(base) == key_id else self._sealed_bytes(base, plain)

    def _sealing_key(self, base: str) -> tuple[str, AESGCM]:
        self._refresh()
        key_id = self._newest.get(base)
        return (key_id, self._keys[key_id]) if key_id is not None else (base, self._make(base))

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
        self._keys = {key_id: AESGCM(self._raw(key_id, entry)) for key_id, entry in wrapped.items() if entry["key"]}
        self._newest = _newest_of(self._keys)
        self._read_at = changed

    def _raw(self, key_id: str, entry: _Wrapped) -> bytes:
        master = self._masters.get(entry["by"])
        if master is None:
            raise ValueError(f"data key {key_id} is wrapped by master key {entry['by']}, which MASTER_KEYS lacks")
        return master.decrypt(_decode(entry["nonce"]), _decode(entry["key"]), key_id.encode())

    def _wrap(self, key_id: str, key: bytes) -> _Wrapped:
        nonce = os.urandom(_NONCE)
        wrapped = self._masters[self._current].encrypt(nonce, key, key_id.encode())
        return {"by": self._current, "nonce": _encode(nonce), "key": _encode(wrapped)}

    def _make(self, key_id: str) -> AESGCM:
        with self._locked() as wrapped:
            if key_id not in wrapped:  # another process may have been quicker
                wrapped[key_id] = self._wrap(key_id, AESGCM.generate_key(256))
                self._write(wrapped)
            if not wrapped[key_id]["key"]:
                raise KeyDestroyed(key_id)
            made = AESGCM(self._raw(key_id, wrapped[key_id]))
        self._keys[key_id] = made
        self._newest = _newest_of(self._keys)
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


def _newest_of(key_ids: Collection[str]) -> dict[str, str]:
    newest: dict[str, str] = {}
    for key_id in sorted(key_ids, key=lambda each: _version_of(each)[1]):
        newest[_version_of(key_id)[0]] = key_id
    return newest


def lookup_hash(key: bytes, value: str) -> bytes:
    """A keyed hash, for finding a row by an ID number that is not stored in the clear (HMAC-SHA256)."""
    return hmac.new(key, value.strip().upper().encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(data: str) -> bytes:
    return base64.b64decode(data, validate=True)
