"""What else can be wrong with a portrait in its official frame: sharpness, light, eyes, glasses, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.validation.portraits.background import Lab, Mask
from services.validation.portraits.faces import Bgr, Points

_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
# Cheek and jaw beside nose and mouth, then the forehead over the brow: left in the picture, and the same to the right.
_SIDES = (
    ((116, 117, 118, 101, 36, 206, 216, 192, 213, 147, 123), (345, 346, 347, 330, 266, 426, 436, 416, 433, 376, 352)),
    ((109, 67, 103, 54, 68, 104, 69, 108), (338, 297, 332, 284, 298, 333, 299, 337)),
)
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)  # fmt: skip
_BLUR_HEIGHT_PX = 567  # sharpness is measured at the size that the blur limits were found at


@dataclass(frozen=True)
class Looks:
    """What was measured.

    Attributes:
        blur: how little a further blur changes the face (Crete), 0 to 1.
        face_lightness: median L of the skin.
        brightest: L that two of 100 pixels of the frame exceed.
        burnt: share of the face that is white without structure.
        sides: difference of L between the face's halves; above 0 the right one in the picture is lighter.
        eye_contrast: how much the inside of the eyes varies, beside the skin around (of the more open eye).
        glare: share of the eyes' surroundings that is white.
        colour: median chroma of the skin.
    """

    blur: float
    face_lightness: float
    brightest: float
    burnt: float
    sides: float
    eye_contrast: float
    glare: float
    colour: float


def measure_looks(framed: Bgr, points: Points) -> Looks:
    """Measure a picture in its official frame.

    Args:
        framed: the picture.
        points: the mesh, in pixels of `framed`.
    """
    flat = points[:, :2]
    lab = np.asarray(cv2.cvtColor(framed.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), np.float32)
    skin = _polygon(framed, flat[list(_OVAL)])
    light = lab[:, :, 0]
    on_skin = light[skin] if skin.any() else light.reshape(-1)
    chroma = np.hypot(lab[:, :, 1], lab[:, :, 2])
    return Looks(
        blur=_blur(framed, flat),
        face_lightness=float(np.median(on_skin)),
        brightest=float(np.percentile(light, 98)),
        burnt=float((framed[skin].min(axis=1) >= 250).mean()) if skin.any() else 0.0,
        sides=_sides(framed, flat, light),
        eye_contrast=max(_eye_contrast(light, flat[list(eye)]) for eye in EYES),
        glare=max(_glare(framed, flat[list(eye)]) for eye in EYES),
        colour=float(np.median(chroma[skin])) if skin.any() else 0.0,
    )


def _sides(framed: Bgr, flat: Points, light: Lab) -> float:
    """Of cheek and forehead together: either alone is fooled by hair."""
    differences = []
    for left, right in _SIDES:
        there, here = (light[_polygon(framed, flat[list(side)])] for side in (left, right))
        if there.size and here.size:
            differences.append(float(np.median(here) - np.median(there)))
    return sum(differences) / max(len(differences), 1)


def _polygon(framed: Bgr, corners: Points) -> Mask:
    mask = np.zeros(framed.shape[:2], np.uint8)
    cv2.fillPoly(mask, [cv2.convexHull(corners.astype(np.int32))], 1)
    return mask.astype(bool)


def _blur(framed: Bgr, flat: Points) -> float:
    """Crete's measure on the face, the picture at one size whatever the pack's."""
    face = _around(framed, flat[list(_OVAL)], 1.0)
    scale = _BLUR_HEIGHT_PX / framed.shape[0]
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    if abs(scale - 1) > 0.02:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32)
    worst = 0.0
    for kernel, dx, dy in (((1, 11), 0, 1), ((11, 1), 1, 0)):
        steps = np.abs(cv2.Sobel(grey, cv2.CV_32F, dx, dy))
        blurred = np.abs(cv2.Sobel(cv2.blur(grey, kernel), cv2.CV_32F, dx, dy))
        total = float(steps.sum())
        if total > 0:
            worst = max(worst, 1 - float(np.maximum(0, steps - blurred).sum()) / total)
    return worst


def _around(framed: Bgr, corners: Points, grow: float) -> Bgr:
    """The part of the picture around these points."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2 * grow
    left, top = (int(max(0, edge)) for edge in middle - half)
    right, bottom = (int(edge) + 1 for edge in middle + half)
    part = framed[top : max(bottom, top + 4), left : max(right, left + 4)]
    return part if part.size else framed


def _eye_contrast(light: Lab, eye: Points) -> float:
    """Iris, white and pupil differ from each other; a lid is as even as the skin."""
    mask = np.zeros(light.shape, np.uint8)
    cv2.fillPoly(mask, [cv2.convexHull(eye.astype(np.int32))], 1)
    inside = light[cv2.dilate(mask, np.ones((3, 3), np.uint8)).astype(bool)]
    if len(inside) < 12:
        return 0.0
    return float(np.percentile(inside, 90) - np.percentile(inside, 10))


def _glare(framed: Bgr, eye: Points) -> float:
    middle, half = eye.mean(axis=0), float(np.ptp(eye[:, 0])) * np.array((0.9, 0.7))
    part = _around(framed, np.array((middle - half, middle + half), np.float32), 1.0)
    return float((part.min(axis=2) >= 248).mean())


def blockiness(grey: npt.NDArray[np.uint8]) -> float:
    """How much stronger the steps at every eighth pixel are than the others; 1 where there is no grid of a JPEG."""
    plain = grey.astype(np.float32)
    ratios = []
    for axis in (0, 1):
        steps = np.abs(np.diff(plain, axis=axis)).mean(axis=1 - axis)
        at_edge = np.arange(len(steps)) % 8 == 7
        if at_edge.sum() < 4:
            return 1.0
        ratios.append(float(steps[at_edge].mean()) / max(float(steps[~at_edge].mean()), 1e-3))
    return max(ratios)
