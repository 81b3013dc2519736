"""`python -m deploy.compose.settings`: sees that every secret is set, before anything else starts."""

import os
import sys
from collections.abc import Mapping

NEEDED = (
    "MASTER_KEYS",
    "LOOKUP_KEY",
    "UPLOAD_IDENTITY_KEY",
    "UPLOAD_IDENTITY_PUBLIC_KEY",
    "REVIEW_IDENTITY_KEY",
    "REVIEW_IDENTITY_PUBLIC_KEY",
    "AUDIT_SIGNING_KEY",
    "POSTGRES_PASSWORD",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
)
# It stands inside of URLs.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


def faults(environment: Mapping[str, str]) -> list[str]:
    """What has to be mended, one sentence each."""
    found = [f"{name} is not set" for name in NEEDED if not environment.get(name)]
    if set(environment.get("POSTGRES_PASSWORD", "")) - _PLAIN:
        found.append("POSTGRES_PASSWORD may have letters, digits and -._~ only")
    return found


def main() -> int:
    """Exit code 1, and what to do, if one is missing."""
    found = faults(os.environ)
    if not found:
        return 0
    print("\n".join(found), file=sys.stderr)
    print("没有 .env 或不完整。Make a .env next to docker-compose.yml: .env.example says how.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
