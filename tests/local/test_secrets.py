"""Keys are made once and kept."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from deploy.local.errors import StackError
from deploy.local.secrets import FILE_NAME, keep_secrets


def test_secrets_are_kept_from_run_to_run(tmp_path: Path) -> None:
    assert keep_secrets(tmp_path) == keep_secrets(tmp_path)


def test_every_home_has_its_own(tmp_path: Path) -> None:
    first, second = keep_secrets(tmp_path / "a"), keep_secrets(tmp_path / "b")

    assert not set(first.values()) & set(second.values())


def test_only_their_owner_can_read_them(tmp_path: Path) -> None:
    keep_secrets(tmp_path)

    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_secret_that_a_newer_version_needs_is_added_to_the_old_ones(tmp_path: Path) -> None:
    old = {"MASTER_KEYS": "k1:" + base64.b64encode(bytes(32)).decode()}
    (tmp_path / FILE_NAME).write_text(json.dumps(old))

    secrets = keep_secrets(tmp_path)

    assert secrets["MASTER_KEYS"] == old["MASTER_KEYS"]
    assert len(base64.b64decode(secrets["LOOKUP_KEY"])) == 32


def test_the_identity_keys_fit_together(tmp_path: Path) -> None:
    secrets = keep_secrets(tmp_path)

    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(secrets["UPLOAD_IDENTITY_KEY"]))
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(secrets["UPLOAD_IDENTITY_PUBLIC_KEY"]))

    public.verify(private.sign(b"who"), b"who")


@pytest.mark.parametrize("content", ["{", "[]", '{"MASTER_KEYS": 1}'])
def test_a_damaged_file_is_never_overwritten(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)

    with pytest.raises(StackError, match="baoshen reset"):
        keep_secrets(tmp_path)

    assert (tmp_path / FILE_NAME).read_text() == content
