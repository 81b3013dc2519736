"""A head on a picture: how it is turned, where crown and chin are, how wide it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from services.validation.portraits.faces import Bgr, Mesh

# Points of the mesh, the one on the left of the picture first: corners of eyes and mouth, cheeks, temples, brows.
_PAIRS = ((33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (93, 323), (70, 300))
_FOREHEAD, _CHIN, _LEFT_CHEEK, _RIGHT_CHEEK = 10, 152, 234, 454
# What the mesh says of people who look straight ahead (median of 64 frontal portraits).
_PITCH_OF_FRONTAL = 8.0
# From the top of the forehead to the crown of the hair, in heights of the face: median, and 5 to 95 of 100 are .3 to
# .61; a bun .79.
_USUAL_CROWN, _LEAST_CROWN, _MOST_CROWN = 0.46, 0.2, 0.95
_FACE_PX = 120  # height of the face on the copy that the crown is looked for on


@dataclass(frozen=True)
class Head:
    """All places in pixels of the picture after it is turned by `-roll` about `middle`; degrees.

    Attributes:
        yaw: to which side the face looks: above 0 to the right of the picture.
        pitch: above 0 down, below 0 up.
        roll: clockwise.
        middle: of the face, in pixels of the picture itself.
        left, right: the cheeks' edges.
        crown_seen: whether the crown stands out from the background; else it is where most people's is.
        crown_cut: whether the head is cut by the picture's upper edge.
    """

    yaw: float
    pitch: float
    roll: float
    middle: tuple[float, float]
    left: float
    right: float
    crown: float
    chin: float
    crown_seen: bool
    crown_cut: bool

    @property
    def height(self) -> float:
        return self.chin - self.crown

    @property
    def width(self) -> float:
        return self.right - self.left

    def on_picture(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the upright head is on the picture as it was given."""
        dx, dy = _turn(self.roll) @ np.array((x - self.middle[0], y - self.middle[1]))
        return self.middle[0] + float(dx), self.middle[1] + float(dy)


def measure_head(bgr: Bgr, mesh: Mesh) -> Head:
    """Measure the head whose mesh this is."""
    yaw, pitch, roll = pose(mesh)
    points = mesh.points[:, :2]
    middle = (float(points[:468, 0].mean()), float(points[:468, 1].mean()))
    level = points @ _turn(-roll).T + (np.array(middle) - _turn(-roll) @ np.array(middle))
    forehead, chin = float(level[_FOREHEAD, 1]), float(level[_CHIN, 1])
    left, right = float(level[_LEFT_CHEEK, 0]), float(level[_RIGHT_CHEEK, 0])
    face = max(chin - forehead, 1.0)
    up, seen, cut = _find_crown(bgr, middle, roll, (left + right) / 2, forehead, face)
    return Head(yaw, pitch, roll, middle, left, right, forehead - up * face, chin, seen, cut)


def pose(mesh: Mesh) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees."""
    points = mesh.points.astype(np.float64)
    across = sum(points[right] - points[left] for left, right in _PAIRS)
    down = points[_CHIN] - points[_FOREHEAD]
    roll = math.degrees(math.atan2(across[1], across[0]))
    yaw = math.degrees(math.atan2(across[2], math.hypot(across[0], across[1])))
    pitch = math.degrees(math.atan2(down[2], math.hypot(down[0], down[1])))
    return yaw, pitch - _PITCH_OF_FRONTAL, roll


def _turn(degrees: float) -> npt.NDArray[np.float64]:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return np.array(((cosine, -sine), (sine, cosine)))


def _find_crown(
    bgr: Bgr, middle: tuple[float, float], roll: float, axis: float, forehead: float, face: float
) -> tuple[float, bool, bool]:
    """How many heights of the face the crown is above the forehead; whether it was seen; whether it is cut off."""
    scale = _FACE_PX / face
    rows, half = round((_MOST_CROWN + 0.35) * _FACE_PX), round(0.26 * _FACE_PX)
    # A strip over the forehead, turned level; it ends at the forehead.
    there = cv2.getRotationMatrix2D(middle, roll, scale)
    there[:, 2] += np.array((half - (middle[0] + (axis - middle[0]) * scale), 0.0))
    there[1, 2] += rows - (middle[1] + (forehead - middle[1]) * scale)
    strip = cv2.warpAffine(bgr, there, (2 * half, rows), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones(bgr.shape[:2], np.uint8), there, (2 * half, rows), flags=cv2.INTER_NEAREST)
    first = int(np.argmax(inside.mean(axis=1) > 0.9))
    row = _first_row_of_head(strip, first)
    edge = (rows - first) / _FACE_PX
    if row is not None:
        up = (rows - row) / _FACE_PX
        if row <= first + 1:
            # The head begins at the picture's edge, or, where there would be room for it, something else does.
            cut = edge < _USUAL_CROWN + 0.1 or _is_plain_above(bgr, axis, face)
            return (max(up, _USUAL_CROWN) if cut else _USUAL_CROWN), False, cut
        if _LEAST_CROWN <= up <= _MOST_CROWN:
            return up, True, False
    return _USUAL_CROWN, False, edge < _LEAST_CROWN


def _is_plain_above(bgr: Bgr, axis: float, face: float) -> bool:
    """Whether the picture's upper edge is all one beside the head: then what differs in its middle is hair."""
    left, right = max(0, round(axis - 0.75 * face)), max(0, round(axis + 0.75 * face))
    beside = np.concatenate((bgr[:3, :left].reshape(-1, 3), bgr[:3, right:].reshape(-1, 3)))
    return len(beside) > 30 and float(beside.std(axis=0).max()) < 12


def _first_row_of_head(strip: npt.NDArray[Any], first: int) -> int | None:
    """The first row, from above, that differs from the ones over it and stays different."""
    lab = cv2.cvtColor(cv2.GaussianBlur(strip, (5, 5), 0).astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    lab = lab[first:]
    if len(lab) < 8:
        return None
    background = np.median(lab[:2].reshape(-1, 3), axis=0)
    streak = 0
    for index, row in enumerate(lab):
        differs = np.linalg.norm(row - background, axis=1) > 7
        if differs.mean() > 0.15:
            streak += 1
            if streak == 5:
                return first + index - 4
        else:
            streak = 0
            background += 0.2 * (np.median(row[~differs], axis=0) - background)
    return None
