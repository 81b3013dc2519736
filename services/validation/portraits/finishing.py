"""The registration photo that a portrait becomes: white a little whiter, and as good a JPEG as its limit allows."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from services.validation.portraits.background import Background
from services.validation.portraits.faces import Bgr
from shared.contracts.rules import PhotoRule

_BEST, _WORST = 96, 60  # qualities; above 96 nothing is seen, only bytes are spent
# With so much quality to spare, colours are kept at full resolution.
_FINE_COLOURS = 88
_WHITE = 94.0  # lightness from which a background is near enough to white to be set to it
_WHITE_CHROMA = 5.0
_CLOSE = 6.0  # to the background's colour, in CIE Lab


@dataclass(frozen=True)
class Finished:
    """The photo and the quality that it could be kept at."""

    picture: bytes
    quality: int


def finish(framed: Bgr, background: Background, rule: PhotoRule, room: int) -> Finished | None:
    """Make the photo of a picture in its official frame and size; None if it fits at no decent quality.

    Args:
        framed: the picture, as large as the rule wants it.
        background: what was measured of it.
        rule: the official size.
        room: bytes to leave for the receipt.
    """
    mask = _background_mask(framed, background)
    white = whitened(framed, background, mask)
    limit = rule.max_bytes - room - 1
    dpi = (_dots(rule.width_px, rule.width_mm), _dots(rule.height_px, rule.height_mm))
    return _best(white, limit, dpi) or _best(_smoothed(white, mask), limit, dpi)


def _dots(pixels: int, millimetres: int) -> int:
    return round(pixels / millimetres * 25.4)


def _background_mask(framed: Bgr, background: Background) -> npt.NDArray[np.float32]:
    """How much each pixel is background, 0 to 1: close to its colour, and joined to the frame's upper edges."""
    lab = cv2.cvtColor(framed.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    colour = np.array((background.lightness, *background.tint), np.float32)
    distance = np.linalg.norm(lab - colour, axis=2)
    close = (distance < _CLOSE).astype(np.uint8)
    _, labels = cv2.connectedComponents(close, connectivity=4)
    half = framed.shape[0] // 2
    edge = np.concatenate((labels[0], labels[:half, 0], labels[:half, -1]))
    joined = np.isin(labels, np.unique(edge[edge > 0]))
    weight = np.where(joined, np.clip((_CLOSE - distance) / 2, 0, 1), 0).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(weight, (3, 3), 0), np.float32)


def whitened(framed: Bgr, background: Background, mask: npt.NDArray[np.float32]) -> Bgr:
    """The background's colour brought to white where it is almost that; anything else stays as it was taken."""
    if background.lightness < _WHITE or background.chroma > _WHITE_CHROMA:
        return framed
    strips = np.concatenate([framed[:8].reshape(-1, 3), framed[: framed.shape[0] // 3, :8].reshape(-1, 3)])
    gain = 255 / np.maximum(np.median(strips, axis=0), 1).astype(np.float32)
    plain = framed.astype(np.float32)
    lifted = np.minimum(plain * np.clip(gain, 1, 1.2), 255)
    share = mask[:, :, None]
    return np.asarray(plain * (1 - share) + lifted * share + 0.5, np.uint8)


def _smoothed(framed: Bgr, mask: npt.NDArray[np.float32]) -> Bgr:
    """Noise and folds of the background are what costs most where a photo does not fit."""
    soft = cv2.GaussianBlur(framed, (0, 0), 4).astype(np.float32)
    share = mask[:, :, None]
    return np.asarray(framed.astype(np.float32) * (1 - share) + soft * share + 0.5, np.uint8)


def _best(picture: Bgr, limit: int, dpi: tuple[int, int]) -> Finished | None:
    image = Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
    plain = _search(image, limit, dpi, "4:2:0")
    if plain is not None and plain.quality > _FINE_COLOURS:
        fine = _search(image, limit, dpi, "4:4:4", _FINE_COLOURS)
        return fine or plain
    return plain


def _search(image: Image.Image, limit: int, dpi: tuple[int, int], colours: str, worst: int = _WORST) -> Finished | None:
    low, high = worst, _BEST
    found = None
    while low <= high:
        quality = (low + high) // 2
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=colours, optimize=True, progressive=True, dpi=dpi)
        if buffer.tell() <= limit:
            found, low = Finished(buffer.getvalue(), quality), quality + 1
        else:
            high = quality - 1
    return found
