"""The keys that sign receipts of checked registration photos: Ed25519, in a private file and a public one beside it.

Whoever signs reads the private file. Whoever verifies, other systems too, needs only the public one.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Generic, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.errors import Transient

C = TypeVar("C")


class PhotoKeysUnreadable(Transient):
    """A key file is missing or damaged. Nothing is lost by waiting until an operator has mended it."""


class NoSigningKey(PhotoKeysUnreadable):
    """Every key is retired, or there is none yet."""


class UnknownPhotoKey(Exception):
    """There is no key of that id."""


class _Entry(BaseModel):
    """One key as it lies in a file. `private` is the seed; the public file lacks it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^p[0-9]{8}-[0-9a-f]{4}$")]
    public: str
    private: str | None = Field(default=None, repr=False)
    created_at: AwareDatetime
    retired_at: AwareDatetime | None = None

    @property
    def may_sign(self) -> bool:
        return self.private is not None and self.retired_at is None


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[_Entry, ...]


@dataclass(frozen=True)
class PhotoKey:
    """What an operator sees of a key. Of all keys at most one signs; those that are not retired verify."""

    id: str
    created_at: datetime
    retired_at: datetime | None
    signs: bool


class SigningKey:
    """A private key and its id.

    Args:
        key_id: what receipts name it.
        seed: the 32 bytes of an Ed25519 seed (RFC 8032).
    """

    def __init__(self, key_id: str, seed: bytes) -> None:
        self.id = key_id
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._key.sign(message)

    @property
    def public(self) -> str:
        """The public half, as key files hold it."""
        return _encode(self._key.public_key().public_bytes_raw())


class PublicKey:
    """A public key, its id, and since when it is not trusted any more."""

    def __init__(self, key_id: str, public: bytes, retired_at: datetime | None) -> None:
        self.id = key_id
        self.retired_at = retired_at
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this key made that signature over that message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class _Watched(Generic[C]):
    """A file's content, read anew whenever the file was replaced."""

    def __init__(self, path: Path, read: Callable[[Path], C]) -> None:
        self.path = path
        self._read = read
        self._seen: tuple[tuple[int, int], C] | None = None

    def content(self) -> C:
        try:
            state = self.path.stat()
        except OSError as problem:
            raise _unreadable(self.path, problem) from None
        # Two changes may fall into one tick of the file system's clock; each is a file of its own, though.
        version = (state.st_mtime_ns, state.st_ino)
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, self._read(self.path))
        return self._seen[1]


class SigningKeys:
    """The private file, for the signer."""

    def __init__(self, path: Path) -> None:
        self._file = _Watched(path, _signing_key_in)

    def current(self) -> SigningKey:
        """The newest key that is not retired.

        Raises:
            PhotoKeysUnreadable: there is no such file, or it is damaged.
            NoSigningKey: none of its keys signs.
        """
        key = self._file.content()
        if key is None:
            raise NoSigningKey(f"{self._file.path} has no key that signs: run `baoshen photo keys new`")
        return key


class PublicKeys:
    """The public file, for whoever verifies."""

    def __init__(self, path: Path) -> None:
        self._file = _Watched(path, _public_keys_in)

    def get(self, key_id: str) -> PublicKey | None:
        """The key of that id, retired or not; None where there is none.

        Raises:
            PhotoKeysUnreadable: there is no such file, or it is damaged.
        """
        return self._file.content().get(key_id)


class PhotoKeyFiles:
    """Both files, for the operator: makes keys and retires them. Several processes may do so at once.

    Args:
        private: where the private file lies.
        public: where the public one lies; without it beside the private one, as `<name>.public.json`.
    """

    def __init__(self, private: Path, public: Path | None = None) -> None:
        self.private = private
        self.public = public or public_file_beside(private)

    def all(self) -> list[PhotoKey]:
        """Every key, the newest last."""
        return _shown(self._entries())

    def new(self, at: datetime) -> PhotoKey:
        """Make a key; from now on it signs. Older ones go on verifying until they are retired."""
        with self._locked() as entries:
            made = _make(at, {entry.id for entry in entries})
            self._write([*entries, made])
        return PhotoKey(made.id, made.created_at, None, signs=True)

    def make_first(self, at: datetime) -> PhotoKey | None:
        """Make a key if there is none at all, and the public file if only that is missing; says which was made."""
        if self.private.exists() and self.public.exists() and self._entries():
            return None  # without a lock: they may lie where this process can't write
        with self._locked() as entries:
            made = None if entries else _make(at, set())
            if made or not self.public.exists():
                self._write([*entries, *([made] if made else [])])
        return PhotoKey(made.id, made.created_at, None, signs=True) if made else None

    def retire(self, key_id: str, at: datetime) -> PhotoKey:
        """Trust a key no longer: it neither signs nor verifies. One that is retired already keeps its time.

        Raises:
            UnknownPhotoKey: there is no such key.
        """
        with self._locked() as entries:
            if key_id not in {entry.id for entry in entries}:
                raise UnknownPhotoKey(key_id)
            changed = [
                entry.model_copy(update={"retired_at": entry.retired_at or _whole_seconds(at)})
                if entry.id == key_id
                else entry
                for entry in entries
            ]
            # Written even if nothing changed: the public file may lag behind where a process was killed in between.
            self._write(changed)
        return next(key for key in _shown(changed) if key.id == key_id)

    def _entries(self) -> list[_Entry]:
        """Keys of which only the public half is left (the private file was lost) go on verifying."""
        private = _read(self.private) if self.private.exists() else ()
        public = _read(self.public) if self.public.exists() else ()
        known = {entry.id for entry in private}
        return [*(entry for entry in public if entry.id not in known), *private]

    @contextmanager
    def _locked(self) -> Iterator[list[_Entry]]:
        self.private.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.private.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._entries()
        finally:
            os.close(lock)

    def _write(self, entries: list[_Entry]) -> None:
        # The public file first: whoever verifies knows a key before anything is signed with it.
        self.public.parent.mkdir(parents=True, exist_ok=True)
        _replace(self.public, [entry.model_dump(mode="json", exclude={"private"}) for entry in entries], mode=0o644)
        _replace(self.private, [entry.model_dump(mode="json") for entry in entries if entry.private], mode=0o600)


def public_file_beside(private: Path) -> Path:
    """Where the public file lies if nothing else is said."""
    return private.with_suffix(".public.json")


def _make(at: datetime, taken: set[str]) -> _Entry:
    seed = secrets.token_bytes(32)
    while (key_id := f"p{at.astimezone(UTC):%Y%m%d}-{secrets.token_hex(2)}") in taken:
        pass
    public = SigningKey(key_id, seed).public
    return _Entry(id=key_id, public=public, private=_encode(seed), created_at=_whole_seconds(at))


def _shown(entries: list[_Entry]) -> list[PhotoKey]:
    signing = next((entry.id for entry in reversed(entries) if entry.may_sign), None)
    return [PhotoKey(entry.id, entry.created_at, entry.retired_at, entry.id == signing) for entry in entries]


def _read(path: Path) -> tuple[_Entry, ...]:
    try:
        return _File.model_validate_json(path.read_bytes()).keys
    except (OSError, ValidationError) as problem:
        # What pydantic says quotes the content.
        raise _unreadable(path, problem) from None


def _signing_key_in(path: Path) -> SigningKey | None:
    entry = next((entry for entry in reversed(_read(path)) if entry.may_sign), None)
    if entry is None or entry.private is None:
        return None
    try:
        key = SigningKey(entry.id, _decode(entry.private))
    except ValueError as problem:
        raise _unreadable(path, problem) from None
    if key.public != entry.public:
        raise PhotoKeysUnreadable(f"{path} is damaged: the halves of key {entry.id} do not belong together")
    return key


def _public_keys_in(path: Path) -> dict[str, PublicKey]:
    entries = _read(path)
    if any(entry.private is not None for entry in entries):
        raise PhotoKeysUnreadable(f"{path} holds private keys: give the public file to whoever verifies")
    try:
        return {entry.id: PublicKey(entry.id, _decode(entry.public), entry.retired_at) for entry in entries}
    except ValueError as problem:
        raise _unreadable(path, problem) from None


def _unreadable(path: Path, problem: Exception) -> PhotoKeysUnreadable:
    if isinstance(problem, FileNotFoundError):
        return PhotoKeysUnreadable(f"{path} is missing: `baoshen photo keys new` makes it, or restore it")
    if isinstance(problem, OSError):
        return PhotoKeysUnreadable(f"{path} can't be read ({problem.strerror})")
    return PhotoKeysUnreadable(f"{path} holds no keys ({type(problem).__name__}): restore it")


def _replace(path: Path, keys: list[dict[str, object]], mode: int) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    # Opened with its mode: a chmod afterwards would leave a moment in which anybody can read it.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump({"keys": keys}, out, indent=1)
        out.flush()
        os.fchmod(out.fileno(), mode)  # 0644 whatever the umask
        os.fsync(out.fileno())
    draft.replace(path)  # whole or not at all


def _whole_seconds(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(data: str) -> bytes:
    return base64.b64decode(data, validate=True)
