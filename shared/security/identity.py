"""The signed identity header: the session's owner says who is asking, for one audience, for thirty seconds."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import Unauthenticated

HEADER = "X-Baoshen-Identity"
VALID_FOR = timedelta(seconds=30)
# Clocks of two hosts may differ a little.
LEEWAY = timedelta(seconds=5)


@dataclass(frozen=True)
class Identity:
    """Who is asking: a candidate by application number, or a member of staff by id."""

    kind: Literal["candidate", "staff"]
    subject: str


class IdentitySigner:
    """Signs on behalf of the service that owns the session.

    Args:
        issuer: that service's name.
        seed: base64 of the 32-byte Ed25519 seed.
    """

    def __init__(self, issuer: str, seed: str) -> None:
        self._issuer = issuer
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed, validate=True))

    def sign(self, identity: Identity, audience: str) -> str:
        """The header's value. Real time, not the shifted clock: it guards the present."""
        now = datetime.now(UTC)
        claims = {
            "iss": self._issuer,
            "aud": audience,
            "sub": identity.subject,
            "kind": identity.kind,
            "iat": now,
            "exp": now + VALID_FOR,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA")


class IdentityChecker:
    """Trusts only what a known session owner signed for this service.

    Args:
        audience: this service's name.
        public_keys: base64 Ed25519 public key by issuer.
    """

    def __init__(self, audience: str, public_keys: dict[str, str]) -> None:
        self._audience = audience
        self._keys = {
            issuer: Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
            for issuer, key in public_keys.items()
        }

    def check(self, header: str | None) -> Identity:
        """Who is asking.

        Raises:
            Unauthenticated: no header, or not one to trust.
        """
        if not header:
            raise _refused()
        try:
            issuer = str(jwt.decode(header, options={"verify_signature": False}).get("iss"))
            claims = jwt.decode(
                header,
                self._keys[issuer],
                algorithms=["EdDSA"],
                audience=self._audience,
                issuer=issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
        except (jwt.InvalidTokenError, KeyError):
            raise _refused() from None
        # Upload speaks for candidates and review for staff; neither for the other.
        kind: Literal["candidate", "staff"] = "candidate" if issuer == "upload" else "staff"
        if claims.get("kind") != kind:
            raise _refused()
        return Identity(kind, str(claims["sub"]))


def _refused() -> Unauthenticated:
    return Unauthenticated("not-logged-in", "请先登录。", "Please log in first.")
