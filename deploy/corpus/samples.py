"""The classes of the corpus, and how a sample of each is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from deploy.corpus import papers, spoiling
from deploy.corpus.papers import Maker, Rng, rng_for

Label = Literal["sound", "between", "bad"]


@dataclass(frozen=True)
class Sample:
    """One image and what is true of it.

    Attributes:
        name: its class and seed.
        of: the class, one of `CLASSES`.
        base: what it was made from, such as `diploma`.
        label: `between`: people would not agree.
        code: what is wrong with it; empty for a sound one.
        body: the file.
    """

    name: str
    of: str
    base: str
    label: Label
    code: str
    body: bytes


@dataclass(frozen=True)
class _Class:
    """Samples that share what is wrong with them: a base, spoiled by a random amount of the class's range."""

    bases: dict[str, Maker]
    label: Label = "sound"
    code: str = ""
    spoil: Callable[[Image.Image, Rng], Image.Image] = lambda picture, rng: picture
    is_filed_as_drawn: bool = False


def _blur(least: float, most: float) -> Callable[[Image.Image, Rng], Image.Image]:
    return lambda picture, rng: spoiling.blurred(picture, float(rng.uniform(least, most)))


def _shake(least: float, most: float) -> Callable[[Image.Image, Rng], Image.Image]:
    return lambda picture, rng: spoiling.shaken(picture, float(rng.uniform(least, most)), rng)


def _darken(least: float, most: float) -> Callable[[Image.Image, Rng], Image.Image]:
    return lambda picture, rng: spoiling.darkened(picture, float(rng.uniform(least, most)))


def _wash(least: float, most: float) -> Callable[[Image.Image, Rng], Image.Image]:
    return lambda picture, rng: spoiling.washed_out(
        picture, float(rng.uniform(least, most)), int(rng.integers(90, 246))
    )


def _turn(picture: Image.Image, rng: Rng) -> Image.Image:
    return spoiling.turned(picture, 90 * int(rng.integers(1, 4)))


_PRINT = papers.PAPERS
_READ_PRINT = {**papers.PAPERS, "half_the_frame": papers.half_the_frame, "grey_scan": papers.grey_scan}

_ALL: dict[str, _Class] = {
    "paper": _Class(_PRINT),
    "plain paper": _Class(papers.PLAIN_PAPERS, is_filed_as_drawn=True),
    "person": _Class(papers.PEOPLE),
    "slightly soft (sigma to 1)": _Class(_PRINT, spoil=_blur(0.3, 1.0)),
    "slightly shaken (to 3 px)": _Class(_PRINT, spoil=_shake(1, 3)),
    "soft (sigma 1.2 to 2)": _Class(_PRINT, "between", "blurred", _blur(1.2, 2.0)),
    "blurred (sigma 2.5 to 4)": _Class(_READ_PRINT, "bad", "blurred", _blur(2.5, 4)),
    "badly blurred (sigma 5 to 16)": _Class(_READ_PRINT, "bad", "blurred", _blur(5, 16)),
    "shaken (8 to 16 px)": _Class(_PRINT, "bad", "blurred", _shake(8, 16)),
    "person, blurred (sigma 4 to 7)": _Class(papers.PEOPLE, "bad", "blurred", _blur(4, 7)),
    "dim (half the light)": _Class({**_PRINT, **papers.PEOPLE}, spoil=_darken(0.45, 0.6)),
    "darker (.27 to .36)": _Class(_READ_PRINT, "between", "too_dark", _darken(0.27, 0.36)),
    "dark (.1 to .24)": _Class({**_READ_PRINT, **papers.PEOPLE}, "bad", "too_dark", _darken(0.1, 0.24)),
    "pale (half the contrast)": _Class(_PRINT, spoil=_wash(0.45, 0.6)),
    "paler (.23 to .32)": _Class(_PRINT, "between", "low_contrast", _wash(0.23, 0.32)),
    "washed out (.08 to .18)": _Class(_READ_PRINT, "bad", "low_contrast", _wash(0.08, 0.18)),
    "turned": _Class(_READ_PRINT, "bad", "orientation", _turn),
    "turned plain paper": _Class(
        {name: papers.PLAIN_PAPERS[name] for name in ("letter", "form", "bilevel", "screen")},
        "bad", "orientation", _turn, is_filed_as_drawn=True,
    ),
    "turned person": _Class(papers.PEOPLE, "bad", "orientation", _turn),
    "one line": _Class({"one_line": papers.one_line}, "between", "blank", is_filed_as_drawn=True),
    "blank": _Class(papers.BLANKS, "bad", "blank", is_filed_as_drawn=True),
}  # fmt: skip

CLASSES: tuple[str, ...] = tuple(_ALL)


def corpus(per_class: int, seed: int = 1) -> Iterator[Sample]:
    """`per_class` samples of every class."""
    for name in CLASSES:
        for number in range(per_class):
            yield sample(name, seed * 1000 + number)


def sample(of: str, seed: int) -> Sample:
    """One sample.

    Raises:
        ValueError: there is no such class.
    """
    if of not in _ALL:
        raise ValueError(f"no class {of!r}; there are {', '.join(CLASSES)}")
    kind = _ALL[of]
    rng = rng_for(of, seed)
    names = list(kind.bases)
    base = names[seed % len(names)]
    # A few persons' papers, for drawing one costs half a second and spoiling it a twentieth of that.
    picture = kind.spoil(kind.bases[base](rng, 1 + seed % 3), rng)
    if kind.is_filed_as_drawn:
        body = spoiling.filed(picture, int(rng.integers(60, 93)))
    else:
        picture = spoiling.sized(picture, int(rng.integers(800, 2001)))
        picture = spoiling.noisy(picture, float(rng.uniform(0.5, 6)), rng)
        body = spoiling.filed(picture, int(rng.integers(40, 93)))
    return Sample(f"{of} {seed}", of, base, kind.label, kind.code, body)
