"""Keys and passwords of one local stack: made once, then kept, readable by their owner only."""

import base64
import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deploy.local.errors import StackError

FILE_NAME = "secrets.json"


def keep_secrets(home: Path) -> dict[str, str]:
    """Read this home's secrets, making whatever is missing; keys are the environment variables they go to."""
    path = home / FILE_NAME
    kept = _read(path)
    made = kept | {name: value for name, value in _fresh().items() if name not in kept}
    made |= _public_keys(made)
    if made != kept:
        _write(path, made)
    return made


def _read(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise StackError(
            f"{path} can't be read ({problem}). It holds the keys to this stack's data: restore it, "
            "or run `baoshen reset` to begin with empty data."
        ) from problem
    if not (isinstance(content, dict) and all(isinstance(value, str) for value in content.values())):
        raise StackError(f"{path} does not hold secrets. Restore it, or run `baoshen reset` to begin with empty data.")
    return content


def _write(path: Path, content: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    # Opened with its mode: a chmod afterwards would leave a moment in which anybody can read it.
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600),
        "w",
        encoding="utf-8",
    ) as file:
        json.dump(content, file, indent=1)
    draft.replace(path)


def _fresh() -> dict[str, str]:
    return {
        "MASTER_KEYS": f"k1:{_key()}",
        "LOOKUP_KEY": _key(),
        "UPLOAD_IDENTITY_KEY": _key(),
        "REVIEW_IDENTITY_KEY": _key(),
        "AUDIT_SIGNING_KEY": _key(),
        "S3_ACCESS_KEY": secrets.token_hex(10),
        "S3_SECRET_KEY": secrets.token_hex(20),
        "POSTGRES_PASSWORD": secrets.token_hex(20),
        # Development stacks only: with it the demo and the tests get past a captcha that machines can't read.
        "CAPTCHA_TEST_ANSWER": secrets.token_hex(10),
    }


def _public_keys(made: dict[str, str]) -> dict[str, str]:
    return {
        f"{service}_IDENTITY_PUBLIC_KEY": _public_key(made[f"{service}_IDENTITY_KEY"])
        for service in ("UPLOAD", "REVIEW")
    }


def _public_key(seed: str) -> str:
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))
    return base64.b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
