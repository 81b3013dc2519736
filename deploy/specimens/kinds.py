"""The list of kinds: which item each belongs to, how it was taken, and how it is saved."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image

from deploy.specimens import cards, certificates, forms, scenes
from deploy.specimens.further import FURTHER
from deploy.specimens.light import grain
from deploy.specimens.people import Person, invented_person
from deploy.specimens.photo import TARGET_BYTES, Desk, jpeg, photographed, png, scanned

_Page: TypeAlias = Callable[[Person, int], Image.Image]
_Camera: TypeAlias = Callable[[Image.Image, np.random.Generator], Image.Image]


def _on(surface: Desk, size: tuple[int, int], margin: float = 0.06) -> _Camera:
    return lambda page, rng: photographed(page, size, surface, rng, margin=margin)


def _as_it_is(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    return page


def _studio(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    return grain(photo, rng, 0.8)


@dataclass(frozen=True, slots=True)
class _Kind:
    item: str | None  # None: not material of an application
    page: _Page
    taken: _Camera
    format: Literal["jpeg", "png"] = "jpeg"
    target: int = TARGET_BYTES


_ALL: dict[str, _Kind] = {
    "identity_front": _Kind("identity", cards.identity_front, _on("wood", (1400, 1000))),
    "identity_back": _Kind("identity", cards.identity_back, _on("wood", (1400, 1000))),
    "identity_holding": _Kind("identity", scenes.identity_holding, _as_it_is),
    "diploma": _Kind("diploma", certificates.diploma, _on("slate", (1440, 1075), 0.04)),
    "junior_college_diploma": _Kind("junior_college_diploma", certificates.junior_college_diploma, scanned),
    "degree": _Kind("degree", certificates.degree, _on("linen", (1440, 1075), 0.04)),
    "assistant_qualification": _Kind(
        "assistant_qualification", certificates.assistant_qualification, _on("slate", (1440, 1060), 0.04)
    ),
    "assistant_practice_licence": _Kind("assistant_practice_licence", certificates.assistant_practice_licence, scanned),
    "institution_licence": _Kind("institution_licence", forms.institution_licence, scanned),
    "trial_assessment": _Kind("trial_assessment", forms.trial_assessment, _on("wood", (1100, 1500), 0.035)),
    "student_card": _Kind("student_card", cards.student_card, _on("linen", (1400, 1000))),
    "education_record": _Kind("education_record", forms.education_record, _as_it_is, "png"),
    **{item: _Kind(item, page, scanned) for item, page in FURTHER.items()},
    # The official size and weight (小2寸, < 30 KB): what the photo tool hands out.
    "portrait": _Kind(None, cards.marked_id_photo, _studio, target=29_500),
}

KINDS: tuple[str, ...] = tuple(_ALL)
ITEMS: dict[str, str | None] = {name: kind.item for name, kind in _ALL.items()}
"""The item code under which each kind is handed in; None for the portrait, which is no material."""


def draw(kind: str, *, person: Person | None = None, seed: int = 1) -> bytes:
    """One specimen as a file: upright, sharp, at most 198,000 bytes; PNG for `education_record`, else JPEG.

    Args:
        kind: One of `KINDS`.
        person: Who it speaks of; somebody invented from the seed if left out.
        seed: Decides everything that varies (numbers, stamp, light, noise); not negative.

    Raises:
        ValueError: If there is no such kind.
    """
    known = _known(kind)
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    picture = known.taken(page(kind, person or invented_person(seed), seed), rng)
    return png(picture) if known.format == "png" else jpeg(picture, known.target)


def draw_portrait(seed: int = 1) -> bytes:
    """A portrait as a candidate sends it to the photo check: JPEG, 1200 × 1600 px, fit to pass."""
    rng = np.random.default_rng([seed, 6])
    return jpeg(grain(cards.studio_portrait(seed), rng, 0.8), 600_000)


def page(kind: str, person: Person, seed: int) -> Image.Image:
    """The flat page before any camera saw it (for `identity_holding` the finished scene)."""
    return _known(kind).page(person, seed)


def file_name(kind: str) -> str:
    """`diploma.jpg`: the kind with the ending of its format."""
    return f"{kind}.{'png' if _known(kind).format == 'png' else 'jpg'}"


def media_type(kind: str) -> str:
    """`image/jpeg` or `image/png`."""
    return f"image/{_known(kind).format}"


def _known(kind: str) -> _Kind:
    try:
        return _ALL[kind]
    except KeyError:
        raise ValueError(f"no specimen kind {kind!r}; there are {', '.join(KINDS)}") from None
