"""What is measured of a picture: how much is on it, how light, how strong in contrast, how sharp; and its fingerprint.

Nothing here decides anything: `judging` does. Sharpness is measured on the picture at 1000 pixels, all else on the
coarse one of half that, which costs a quarter.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from services.validation.quality.picture import Pixels

_NEIGHBOURS = np.ones((9, 9), np.uint8)
_RIM = 0.04  # of each side: the grey edge that a scanner adds is nothing on the page
_RELIEF_SIDE = 32
_HASH_SIDE, _HASH_WAVES = 64, 16
_REBLUR = 11  # pixels; Crete's value
_STEEP = 5  # times the usual slope
_LEAST_STEEP = 50  # pixels: a page with one ruled line has no edges in the other direction


def local_range(coarse: Pixels) -> Pixels:
    """The difference of lightest and darkest among 9 × 9 pixels, for each pixel that is not at the rim."""
    height, width = coarse.shape
    ranges = cv2.subtract(cv2.dilate(coarse, _NEIGHBOURS), cv2.erode(coarse, _NEIGHBOURS))
    down, across = round(height * _RIM), round(width * _RIM)
    return np.asarray(ranges[down : height - down, across : width - across], np.uint8)


def structure(ranges: Pixels) -> float:
    """The share of places that stand out from the rest: 0 for a bare sheet, a gradient and noise of any strength.

    What stands out is well above what is usual in this picture, so it finds the writing of a photo that is nearly
    black, and no writing in a photo of nothing that is full of noise.
    """
    counts = _counts(ranges)
    usual = int(np.searchsorted(counts, 0.5 * ranges.size))
    # Of noise alone a thousandth is above; a form full of print and marks still has a thirtieth that is.
    level = min(255, max(5, usual + 4, round(1.6 * usual)))
    return float(1 - counts[level] / ranges.size)


def _counts(levels: Pixels) -> npt.NDArray[np.int64]:
    """How many are at most 0, 1, … 255."""
    return np.cumsum(np.bincount(levels.ravel(), minlength=256))


def relief(coarse: Pixels) -> float:
    """What a smooth fall of light does not explain, of the picture at 32 × 32: standard deviation, levels of grey."""
    small = cv2.resize(coarse, (_RELIEF_SIDE, _RELIEF_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    return float(np.std(small - _SMOOTH @ (_SMOOTH.T @ small)))


def _smooth_light() -> npt.NDArray[np.float32]:
    """An orthonormal basis of the polynomials of second degree over the 32 × 32 places."""
    y, x = np.mgrid[-1 : 1 : _RELIEF_SIDE * 1j, -1 : 1 : _RELIEF_SIDE * 1j].reshape(2, -1)
    basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1))
    return np.asarray(basis, np.float32)


_SMOOTH = _smooth_light()


def brightness(coarse: Pixels) -> float:
    """How light the lightest hundredth of the picture is, the level of its paper: 0 to 255."""
    return float(np.searchsorted(_counts(coarse), 0.99 * coarse.size))


def contrast(ranges: Pixels) -> float:
    """What the strongest edges are above the noise, levels of grey; a page with one line on it has strong ones, too."""
    quiet, strong = np.searchsorted(_counts(ranges), (0.05 * ranges.size, 0.995 * ranges.size))
    return float(strong - quiet)


def blur_score(grey: Pixels) -> float:
    """Crete's measure: how little one more blur changes the edges. 0.2 is crisp print, 0.6 is mush, 1 has no edges.

    Noise scores sharp, so the picture is smoothed a little first, and only slopes well above the usual one count:
    without that, half of the blurred pictures of people passed. The blur is applied to the slopes instead of the
    picture (both are linear), in sixteenths of a level: the same to .0005 as in floating point, at 40 % of the cost.
    """
    calm = cv2.GaussianBlur(grey, (3, 3), 0)
    scores = []
    for window, dx, dy in (((1, _REBLUR), 0, 1), ((_REBLUR, 1), 1, 0)):
        slopes = cv2.Sobel(calm, cv2.CV_16S, dx, dy, scale=16)
        blurred = np.abs(cv2.blur(slopes, window)).view(np.uint16)
        heights = np.abs(slopes).view(np.uint16)
        usual = float(np.median(heights[::4, ::4]))
        steep = cv2.threshold(heights, _STEEP * usual, 0, cv2.THRESH_TOZERO)[1]
        if cv2.countNonZero(steep) >= _LEAST_STEEP:
            lost: Any = cv2.sumElems(cv2.subtract(steep, blurred))  # never below 0
            whole: Any = cv2.sumElems(steep)
            scores.append(1 - lost[0] / whole[0])
    return float(max(scores, default=1.0))


def fingerprint(coarse: Pixels) -> bytes:
    """256 bits: which of the picture's 16 × 16 slowest waves are above their median."""
    small = cv2.resize(coarse, (_HASH_SIDE, _HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    waves = cv2.dct(small)[:_HASH_WAVES, :_HASH_WAVES].ravel()
    return np.packbits(waves > np.median(waves)).tobytes()
