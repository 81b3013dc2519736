"""The background of a portrait in its official frame: is it white, is it even, does a shadow lie on it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from services.validation.portraits.faces import Bgr
from services.validation.portraits.head import Head

Lab: TypeAlias = npt.NDArray[np.float32]
Mask: TypeAlias = npt.NDArray[np.bool_]
Place: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom, in shares of the frame

_HEIGHT_PX = 280  # of the copy that is looked at


@dataclass(frozen=True)
class FaceIn:
    """Where the face is in the frame, in shares of the frame's width (x) and height (y)."""

    left: float
    right: float
    crown: float
    brow: float
    eyes: float
    chin: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def width(self) -> float:
        return self.right - self.left


@dataclass(frozen=True)
class Background:
    """What was measured; lightness and distances in CIE Lab.

    Attributes:
        lightness, tint, chroma: of the median; the tint is its a and b, the chroma their size.
        spread: 85 of 100 places are closer to the median than this, down to the brow; what is left may be wide hair.
        spread_low: 95 of 100 places, down to the eyes.
        tilt: how much lighter one side is than the other.
        fall: how much darker it gets from the top to the chin, where it does so smoothly.
        shadow: share of the frame that a shadow covers; how much darker it is; where; whether on one side only.
    """

    lightness: float
    tint: tuple[float, float]
    chroma: float
    spread: float
    spread_low: float
    tilt: float
    fall: float
    shadow: float
    shadow_depth: float
    shadow_at: Place | None
    shadow_on_one_side: bool


def measure_background(framed: Bgr, face: FaceIn) -> Background:
    """Measure the background of a picture in its official frame."""
    width = max(8, round(framed.shape[1] * _HEIGHT_PX / framed.shape[0]))
    small = cv2.resize(framed, (width, _HEIGHT_PX), interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), np.float32)
    strips = _strips(lab, face, face.brow)
    middle = np.median(strips, axis=0)
    spread = float(np.percentile(np.linalg.norm(strips - middle, axis=1), 85))
    low = _strips(lab, face, face.eyes)
    spread_low = float(np.percentile(np.linalg.norm(low - middle, axis=1), 95))
    upper = lab[: max(2, round(face.brow * _HEIGHT_PX))]
    side = max(2, round(0.07 * width))
    tilt = float(np.median(upper[:, -side:, 0]) - np.median(upper[:, :side, 0]))
    share, depth, place, one_side = _shadow(lab, middle, face)
    tint = (float(middle[1]), float(middle[2]))
    return Background(
        lightness=float(middle[0]),
        tint=tint,
        chroma=float(np.hypot(*tint)),
        spread=spread,
        spread_low=spread_low,
        tilt=tilt,
        fall=_fall(lab, face),
        shadow=share,
        shadow_depth=depth,
        shadow_at=place,
        shadow_on_one_side=one_side,
    )


def colour_beside(bgr: Bgr, head: Head) -> tuple[float, float] | None:
    """Lightness and chroma of what is left and right of a head, above its eyes; None if nothing is."""
    scale = min(1.0, _HEIGHT_PX / bgr.shape[0])
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), np.float32)
    upper = lab[: max(0, round((head.chin - 0.6 * head.height) * scale))]
    left, right = (
        max(0, round(edge * scale)) for edge in (head.left - 0.3 * head.width, head.right + 0.3 * head.width)
    )
    parts = np.concatenate([upper[:, :left].reshape(-1, 3), upper[:, right:].reshape(-1, 3)])
    if len(parts) < 0.02 * lab.shape[0] * lab.shape[1]:
        return None
    middle = np.median(parts, axis=0)
    return float(middle[0]), float(np.hypot(middle[1], middle[2]))


def _strips(lab: Lab, face: FaceIn, down_to: float) -> Lab:
    """The pixels along the upper edge and along both sides down to a height."""
    height, width = lab.shape[:2]
    top = max(2, round(min(0.05, 0.7 * face.crown) * height))
    side, bottom = max(2, round(0.07 * width)), max(top + 2, round(down_to * height))
    parts = (lab[:top], lab[top:bottom, :side], lab[top:bottom, -side:])
    return np.concatenate([part.reshape(-1, 3) for part in parts])


def _fall(lab: Lab, face: FaceIn) -> float:
    """How much darker the outermost columns get from above to the chin; hair and shoulders are steps, and end it."""
    falls = [0.0]
    rows = max(12, round(face.chin * lab.shape[0]))
    for columns in (lab[:rows, :4, 0], lab[:rows, -4:, 0]):
        light = np.convolve(np.pad(columns.mean(axis=1), 4, mode="edge"), np.ones(9) / 9, mode="valid")
        (steps,) = np.nonzero(np.abs(np.diff(light)) > 0.8)
        end = int(steps[0]) if steps.size else len(light) - 1
        falls.append(float(light[0] - light[end]))
    return max(falls)


def _shadow(lab: Lab, middle: Lab, face: FaceIn) -> tuple[float, float, Place | None, bool]:
    """The part of the background that is the background's colour, only darker, and smooth as hair and cloth are not."""
    height, width = lab.shape[:2]
    light = lab[:, :, 0]
    fall = middle[0] - light
    mean = cv2.blur(light, (5, 5))
    rough = np.sqrt(np.maximum(cv2.blur(light * light, (5, 5)) - mean * mean, 0))
    colour = np.hypot(lab[:, :, 1] - middle[1], lab[:, :, 2] - middle[2])
    likely = (fall > 7) & (fall < 0.55 * middle[0]) & (colour < 5) & (rough < 2.5) & ~_person(height, width, face)
    # The soft edge of a shadow is neither even nor yet background: 12 pixels are room for it.
    beside = cv2.dilate((np.abs(fall) < 5).astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(likely.astype(np.uint8), connectivity=4)
    chosen = np.zeros((height, width), bool)
    for index in range(1, count):
        region = labels == index
        if stats[index, cv2.CC_STAT_AREA] >= 0.004 * height * width and (region & beside).any():
            chosen |= region
    if not chosen.any():
        return 0.0, 0.0, None, False
    area, depth = float(chosen.mean()), float(np.median(fall[chosen]))
    left, right = int(chosen[:, : round(face.middle * width)].sum()), int(chosen[:, round(face.middle * width) :].sum())
    one_side = min(left, right) < 0.25 * max(left, right)
    if one_side:  # a little on the other side is no part of what is shown
        chosen[:, slice(round(face.middle * width), None) if left > right else slice(round(face.middle * width))] = (
            False
        )
    ys, xs = np.nonzero(chosen)
    place = (
        float(xs.min() / width),
        float(ys.min() / height),
        float((xs.max() + 1) / width),
        float((ys.max() + 1) / height),
    )
    return area, depth, place, one_side


def _person(height: int, width: int, face: FaceIn) -> Mask:
    """Where head and shoulders are whatever the hair: an ellipse around the head, and all below the chin."""
    person = np.zeros((height, width), np.uint8)
    middle = (round(face.middle * width), round((face.crown + face.chin) / 2 * height))
    axes = (round(0.66 * face.width * width), round((face.chin - face.crown) / 2 * height * 1.06))
    cv2.ellipse(person, middle, axes, 0, 0, 360, 1, -1)
    person[round(face.chin * height) :] = 1
    return person.astype(bool)
