"""Sealed things opened, for those who may know them: who a candidate is, and what was read from an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from shared.contracts.event import Person, Sealed
from shared.contracts.rules import ReadableField
from shared.contracts.validation import Reading, ReadText
from shared.security.sealing import KeyDestroyed, KeyRing

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Opened:
    """One image's reading."""

    image_id: UUID
    wanted: Sequence[ReadableField]
    mirrored: bool | None
    texts: Sequence[ReadText]


def person_of(key_ring: KeyRing, sealed: Mapping[str, Any] | None) -> Person | None:
    """Who it is; None where the data was erased, or the registration has not arrived."""
    if sealed is None:
        return None
    try:
        return key_ring.open_if_kept(Sealed.model_validate(sealed))
    except ValueError:
        # One damaged row must not close the whole list.
        log.exception("sealed.not_intact")
        return None


def reading_of(
    key_ring: KeyRing,
    image_id: UUID,
    wanted: Sequence[ReadableField],
    mirrored: bool | None,
    sealed: Mapping[str, Any] | None,
) -> Opened | None:
    """What was read from an image; None where it was erased, or is damaged."""
    try:
        reading = key_ring.open_as(Sealed.model_validate(sealed), Reading) if sealed else Reading()
    except KeyDestroyed:
        return None
    except ValueError:
        # One damaged row must not close the whole page.
        log.exception("sealed.not_intact", image_id=str(image_id))
        return None
    return Opened(image_id, wanted, mirrored, reading.texts)
