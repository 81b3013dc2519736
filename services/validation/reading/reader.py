"""One image, read: whatever way up it is, and also where it is mirrored."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from services.validation.domain import MOST_PIXELS
from services.validation.reading.engine import Engine, Patch, Picture, Words, engine, tilt
from services.validation.reading.fields import fields_of
from services.validation.reading.lines import Corners, Line, line
from shared.contracts.rules import ReadableField
from shared.contracts.validation import ReadText

# The mean of 14 specimens is .96 to 1.0 as they are, .93 to .99 askew, out of focus and of few bytes; .66 to .83
# mirrored, .57 to .76 upside down.
_SURE = 0.9
# Fewer characters than this tell nothing of a page's direction: a brand, a word in the background.
_LEAST_CHARACTERS = 6
# So many lines are read in all four ways, the largest; what is read worse than this in each of them is no text.
_TRIED = 4
_LEAST_SCORE = 0.6
# Another way must be read better by this; else the page lies as most pages do.
_MARGIN = 0.08
_LEAST_WORD_SCORE = 0.5
# A pixel is red from here on (of 255, over green and blue), and so many of them make a line of text.
_RED, _LEAST_RED = 50, 0.002
# The finder looks at 960 pixels whatever comes; cut out of more than 2,000, lines are not read any better.
_LONGEST_SIDE = 2000


@dataclass(frozen=True)
class Read:
    """What was read from an image.

    Attributes:
        texts: where each stands refers to the picture as a browser shows it.
        mirrored: None where there is no text to tell it by.
    """

    texts: tuple[ReadText, ...]
    mirrored: bool | None


@dataclass(frozen=True)
class _Look:
    """What one look at a picture found.

    Attributes:
        found: every place that may have text.
        patches: those of them that could be read.
        words: what each of those says.
    """

    found: Sequence[Patch]
    patches: Sequence[Patch]
    words: Sequence[Words]


@dataclass(frozen=True)
class _Way:
    """How the page must be turned to read it: a quarter to the left or not, then half, then mirrored."""

    quarter: bool = False
    half: bool = False
    mirrored: bool = False

    def applied(self, picture: Picture) -> Picture:
        """The picture with its page upright."""
        turned = np.rot90(picture, self.quarter + 2 * self.half)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)

    def back(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places on the upright page as places on the picture that it came from, both in shares."""
        x, y = shares[..., 0], shares[..., 1]
        if self.mirrored:
            x = 1 - x
        if self.half:
            x, y = 1 - x, 1 - y
        if self.quarter:
            x, y = 1 - y, x
        return np.stack((x, y), axis=-1)


def read(body: bytes, content_type: str, wanted: Sequence[ReadableField]) -> Read:
    """Read one image.

    Args:
        body: its bytes.
        content_type: `image/jpeg` or `image/png`.
        wanted: what is looked for on it.

    Returns:
        Nothing read where the bytes are no picture: to say so is the check's affair, not the reader's.
    """
    picture = _decoded(body, "PNG" if content_type == "image/png" else "JPEG")
    if picture is None:
        return Read((), None)
    ocr = engine()
    look = _look(ocr, _without_red(picture))
    told = _told(ocr, look)
    way = told or _Way()
    if way != _Way():
        look = _look(ocr, way.applied(_without_red(picture)))
    texts = _texts(look, picture, way, wanted)
    missing = [field for field in wanted if field not in {text.field for text in texts}]
    if missing and _has_red(picture):
        texts += _texts(_look(ocr, way.applied(picture)), picture, way, missing)
    return Read(texts, None if told is None else told.mirrored)


def _decoded(body: bytes, kind: str) -> Picture | None:
    """As a browser shows it: turned as its tag says, and on white where it is transparent."""
    try:
        with Image.open(io.BytesIO(body), formats=(kind,)) as opened:
            if opened.width * opened.height > MOST_PIXELS or opened.mode[0] in "IF":
                return None
            opened.draft("RGB", (1600, 1600))  # a JPEG of many more pixels is decoded at a half or a quarter
            shown = ImageOps.exif_transpose(opened)
            if shown.has_transparency_data:
                clear, shown = shown.convert("RGBA"), Image.new("RGB", shown.size, "white")
                shown.paste(clear, mask=clear.getchannel("A"))
            return _shrunk(np.ascontiguousarray(np.asarray(shown.convert("RGB"))[..., ::-1]))
    except Exception:  # noqa: BLE001 decoders raise anything: OSError, SyntaxError, MemoryError, KeyError …
        return None


def _shrunk(picture: Picture) -> Picture:
    scale = _LONGEST_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _without_red(picture: Picture) -> Picture:
    """In red light: seals and red watermarks vanish, and what stands under them can be read."""
    return np.repeat(picture[..., 2:], 3, axis=2)


def _has_red(picture: Picture) -> bool:
    """Whether something on it may be written in red, and so be missed in red light."""
    small = picture[::4, ::4].astype(np.int16)
    return float((small[..., 2] - small[..., :2].max(axis=2) > _RED).mean()) > _LEAST_RED


def _look(ocr: Engine, picture: Picture) -> _Look:
    patches = ocr.find(picture)
    pairs = zip(patches, ocr.recognise([patch.image for patch in patches]), strict=True)
    said = [(patch, words) for patch, words in pairs if words.text.strip() and words.score >= _LEAST_WORD_SCORE]
    return _Look(patches, [patch for patch, _ in said], [words for _, words in said])


def _told(ocr: Engine, look: _Look) -> _Way | None:
    """How the page lies; None where there is not enough text to tell it by."""
    lies = _lies(look.found)
    if not lies and _mean(look.words) >= _SURE:
        return _Way() if _characters(look.words) >= _LEAST_CHARACTERS else None
    lines = [patch for patch in look.found if patch.stands == lies and patch.image.shape[1] >= 2 * patch.image.shape[0]]
    tried = [patch.image for patch in sorted(lines, key=lambda patch: -patch.image.size)[:_TRIED]]
    ways = [_Way(lies, half, mirrored) for mirrored in (False, True) for half in (False, True)]
    read = [ocr.recognise([replace(way, quarter=False).applied(image) for image in tried]) for way in ways]
    best = max(range(len(ways)), key=lambda way: _mean(read[way]))
    if _mean(read[best]) < _LEAST_SCORE or _characters(read[best]) < _LEAST_CHARACTERS:
        return None
    return ways[best] if _mean(read[best]) >= _mean(read[0]) + _MARGIN else ways[0]


def _lies(patches: Sequence[Patch]) -> bool:
    """Whether most of the text runs up or down."""
    standing = sum(patch.image.size for patch in patches if patch.stands)
    return standing * 2 > sum(patch.image.size for patch in patches)


def _mean(words: Sequence[Words]) -> float:
    return sum(each.score for each in words) / max(len(words), 1)


def _characters(words: Sequence[Words]) -> int:
    return sum(len(each.text) for each in words)


def _texts(look: _Look, picture: Picture, way: _Way, wanted: Sequence[ReadableField]) -> tuple[ReadText, ...]:
    height, width = picture.shape[:2]
    return fields_of(_level(look, (height, width) if way.quarter else (width, height), way), wanted)


def _level(look: _Look, size: tuple[int, int], way: _Way) -> list[Line]:
    """The lines with their places once the page lies level, from top to bottom."""
    turn = np.radians(-tilt(look.patches))
    rotation = np.array(((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))))
    lines = []
    for patch, said in zip(look.patches, look.words, strict=True):
        if patch.stands:
            continue
        level = patch.corners @ rotation
        place = level[[0, 3], 0].mean(), level[[0, 1], 1].mean(), level[[1, 2], 0].mean(), level[[2, 3], 1].mean()
        lines.append(line(said.text, said.score, place, _corners(patch, size, way)))
    return sorted(lines, key=lambda each: each.level[1])


def _corners(patch: Patch, size: tuple[int, int], way: _Way) -> Corners:
    first, second, third, fourth = (
        (float(x), float(y)) for x, y in way.back(patch.corners / np.array(size, np.float64))
    )
    return first, second, third, fourth
