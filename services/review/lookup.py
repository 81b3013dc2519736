"""Finding a candidate by what is only kept sealed: keyed hashes of ID numbers and names."""

import asyncio
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from shared.contracts.event import Sealed
from shared.folding import folded
from shared.security.sealing import KeyDestroyed, KeyRing, lookup_hash

log = structlog.get_logger(__name__)
K = TypeVar("K", bound=Hashable)

# Dots between the parts of a name: a keyboard's and a card's differ.
_BETWEEN = re.compile(r"[.\u00b7\u2022\u2027\u2219\u22c5\u25cf\u2e31\u30fb]+")


@dataclass(frozen=True)
class Hashes:
    """Of one candidate; empty where there is nothing to be found any more."""

    id_number: bytes = b""
    name: bytes = b""


class Lookup:
    """The hashes under which candidates are found.

    Args:
        key_ring: opens what is sealed.
        key: of the hashes.
    """

    def __init__(self, key_ring: KeyRing, key: bytes) -> None:
        self._key_ring = key_ring
        self._key = key

    def id_number(self, value: str) -> bytes:
        """Of an ID number, however it was typed."""
        return lookup_hash(self._key, f"id_number:{folded(value)}")

    def name(self, value: str) -> bytes:
        """Of a whole name, whatever its width, its script and the spaces in it."""
        return lookup_hash(self._key, f"name:{_BETWEEN.sub('', folded(value))}")

    async def hashes_of(self, people: Mapping[K, Sealed]) -> dict[K, Hashes]:
        """Of sealed people; unsealing is CPU work, so it is done in a thread."""
        return await asyncio.to_thread(lambda: {key: self._hashes(sealed) for key, sealed in people.items()})

    def _hashes(self, sealed: Sealed) -> Hashes:
        try:
            person = self._key_ring.open(sealed)
        except KeyDestroyed:
            return Hashes()
        except ValueError:
            # One damaged row must not keep the others from being found.
            log.exception("sealed.not_intact")
            return Hashes()
        return Hashes(self.id_number(person.id_number), self.name(person.name))
