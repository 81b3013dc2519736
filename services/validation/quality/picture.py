"""A decoded picture, upright, in the sizes that the measures need; each is made once, when it is first asked for."""

from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]

LONG_SIDE = 1000
"""What is measured, is measured at this size: then a limit means the same for every camera."""

cv2.setNumThreads(1)  # a worker process has one core

# What an EXIF orientation asks for: a mirror image first, then quarter turns (clockwise).
_MIRRORED = {2, 4, 5, 7}
_TURNS = {
    3: cv2.ROTATE_180,
    4: cv2.ROTATE_180,
    5: cv2.ROTATE_90_COUNTERCLOCKWISE,
    6: cv2.ROTATE_90_CLOCKWISE,
    7: cv2.ROTATE_90_CLOCKWISE,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


class Picture:
    """What was decoded.

    Args:
        pixels: blue, green, red; or grey.
        orientation: EXIF's, 1 to 8: how a viewer turns it, so how it must be judged.
    """

    def __init__(self, pixels: Pixels, orientation: int = 1) -> None:
        self._pixels = pixels
        self._orientation = orientation

    @cached_property
    def grey(self) -> Pixels:
        """Grey, long side at most `LONG_SIDE`."""
        grey = self._pixels if self._pixels.ndim == 2 else cv2.cvtColor(self._pixels, cv2.COLOR_BGR2GRAY)
        return turned(shrunk(np.asarray(grey), LONG_SIDE), self._orientation)

    @cached_property
    def colour(self) -> Pixels:
        """Blue, green, red; long side at most `LONG_SIDE`. Ten milliseconds: for those few that need it."""
        small = shrunk(self._pixels, LONG_SIDE)
        colour = small if small.ndim == 3 else np.asarray(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), np.uint8)
        return turned(colour, self._orientation)

    @cached_property
    def coarse(self) -> Pixels:
        """Grey, half as large again."""
        return shrunk(self.grey, LONG_SIDE // 2)


def shrunk(pixels: Pixels, long_side: int) -> Pixels:
    """Scaled down; never up, for that would look like blur."""
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """As a viewer shows it that follows the EXIF orientation."""
    if orientation in _MIRRORED:
        pixels = np.asarray(cv2.flip(pixels, 1), np.uint8)
    if orientation in _TURNS:
        pixels = np.asarray(cv2.rotate(pixels, _TURNS[orientation]), np.uint8)
    return pixels
