"""Passwords: argon2id, computed off the event loop, a few at a time."""

import asyncio
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's second choice of parameters: 19 MiB, 2 passes, 1 lane; about 25 ms here.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = asyncio.Semaphore(4)


def hash_now(password: str) -> str:
    """The hash to store; blocks for about 25 ms."""
    return _HASHER.hash(password)


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))


async def verify_password(stored: str | None, password: str) -> bool:
    """True when `password` is the one. Takes as long for an account that does not exist (`stored` None)."""
    async with _AT_ONCE:
        matches = await asyncio.to_thread(_matches, stored or _nobodys_hash(), password)
    return matches and stored is not None
