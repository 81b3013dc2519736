"""Where the official frame lies on a picture, or why it fits nowhere; and the picture that it cuts out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from services.validation.portraits.faces import Bgr
from services.validation.portraits.head import Head

Side = Literal["left", "right", "top", "bottom"]


@dataclass(frozen=True)
class Shape:
    """What the frame must hold, in shares of its height; `sideways` in shares of its width.

    Attributes:
        ratio: its width, in heights.
        head, least_head, most_head: from crown to chin: best, and what still goes.
        top, least_top, most_top: over the crown.
        least_bottom: below the chin.
        sideways: how far the face may be off the middle.
    """

    ratio: float
    head: float
    least_head: float
    most_head: float
    top: float
    least_top: float
    most_top: float
    least_bottom: float
    sideways: float


@dataclass(frozen=True)
class Frame:
    """A frame on a picture: its middle and height in the picture's pixels, turned clockwise by `degrees`."""

    x: float
    y: float
    width: float
    height: float
    degrees: float = 0.0

    def onto(self, width_px: int, height_px: int) -> npt.NDArray[np.float64]:
        """The affine map from the picture to the frame's own pixels."""
        scale = height_px / self.height
        there = cv2.getRotationMatrix2D((self.x, self.y), self.degrees, scale)
        there[:, 2] += np.array((width_px / 2 - self.x, height_px / 2 - self.y))
        return np.asarray(there, np.float64)

    def corners(self) -> npt.NDArray[np.float64]:
        sine, cosine = math.sin(math.radians(self.degrees)), math.cos(math.radians(self.degrees))
        half = np.array(((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))) * (self.width / 2, self.height / 2)
        turned = half @ np.array(((cosine, sine), (-sine, cosine))) + np.array((self.x, self.y))
        return np.asarray(turned, np.float64)


def fit(head: Head, width: int, height: int, shape: Shape, most_turn: float) -> Frame | None:
    """The best frame that lies within a picture of this size; one that sets the head upright if it can be.

    Args:
        head: the head that it must hold.
        width: of the picture, in pixels.
        height: of the picture.
        shape: what must be where in the frame.
        most_turn: so many degrees of tilt are set right; less than one and a half are left.
    """
    if 1.5 < abs(head.roll) <= most_turn:
        # A head that would have to be shown larger for it is better left a little tilted.
        for share in (share for share in _shares(shape) if share < 1.06 * shape.head):
            frame = _ideal(head, shape, share, head.roll)
            if _inside(frame, width, height):
                return frame
    for share in _shares(shape):
        found = _fit_upright(head, width, height, shape, share)
        if found is not None:
            return found
    return None


def _shares(shape: Shape) -> list[float]:
    """Sizes of the head to try, the best first."""
    return sorted(
        np.linspace(shape.least_head, shape.most_head, 25).tolist(), key=lambda share: abs(share - shape.head)
    )


def _ideal(head: Head, shape: Shape, share: float, degrees: float) -> Frame:
    height = head.height / share
    x, y = (head.left + head.right) / 2, head.crown - shape.top * height + height / 2
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    dx, dy = x - head.middle[0], y - head.middle[1]
    middle = (head.middle[0] + dx * cosine - dy * sine, head.middle[1] + dx * sine + dy * cosine)
    return Frame(middle[0], middle[1], height * shape.ratio, height, degrees)


def _inside(frame: Frame, width: int, height: int) -> bool:
    spare = 0.004 * frame.height  # two pixels of 567 may be made up at the edge
    corners = frame.corners()
    return bool(
        corners.min() >= -spare and corners[:, 0].max() <= width + spare and corners[:, 1].max() <= height + spare
    )


def _fit_upright(head: Head, width: int, height: int, shape: Shape, share: float) -> Frame | None:
    tall = head.height / share
    wide, spare = tall * shape.ratio, 0.004 * tall
    x = _within(
        (head.left + head.right) / 2 - wide / 2,
        max(-spare, (head.left + head.right) / 2 - wide / 2 - shape.sideways * wide),
        min(width + spare - wide, (head.left + head.right) / 2 - wide / 2 + shape.sideways * wide),
    )
    y = _within(
        head.crown - shape.top * tall,
        max(-spare, head.crown - shape.most_top * tall, head.chin + shape.least_bottom * tall - tall),
        min(height + spare - tall, head.crown - shape.least_top * tall),
    )
    return None if x is None or y is None else Frame(x + wide / 2, y + tall / 2, wide, tall)


def _within(best: float, least: float, most: float) -> float | None:
    return None if least > most else min(max(best, least), most)


def best_guess(head: Head, shape: Shape) -> Frame:
    """Where the frame would lie, whether or not the picture is there."""
    return _ideal(head, shape, shape.head, 0.0)


@dataclass(frozen=True)
class Misfit:
    """Why no frame fits: what to say, and at which sides something is missing."""

    code: Literal["head_too_large", "cut_off", "off_centre"]
    sides: tuple[Side, ...]


def why_not(head: Head, width: int, height: int, shape: Shape) -> list[Misfit]:
    """The reasons, the plainest first, where `fit` found nothing."""
    tall = head.height / shape.most_head
    wide = tall * shape.ratio
    middle = (head.left + head.right) / 2
    lacks: dict[Side, float] = {
        "left": wide * (0.5 - shape.sideways) - middle,
        "right": middle + wide * (0.5 - shape.sideways) - width,
        "top": shape.least_top * tall - head.crown,
        "bottom": head.chin + shape.least_bottom * tall - height,
    }
    short = [side for side, missing in lacks.items() if missing > 0.004 * tall]
    cut = _cut_sides(head, width, height)
    sideways, upright = [s for s in short if s in {"left", "right"}], [s for s in short if s in {"top", "bottom"}]
    reasons = []
    if _is_too_near(head, wide, (width, height), short, cut):
        reasons.append(Misfit("head_too_large", tuple(short)))
    if cut or upright or (len(sideways) == 1 and wide > width):
        reasons.append(Misfit("cut_off", tuple(dict.fromkeys((*cut, *upright, *(sideways if wide > width else ()))))))
    elif sideways:
        reasons.append(Misfit("off_centre", tuple(sideways)))
    return reasons or [Misfit("head_too_large", tuple(short))]


def _is_too_near(head: Head, wide: float, size: tuple[int, int], short: list[Side], cut: list[Side]) -> bool:
    """Whether the whole picture is too small for the head, not only one side of it."""
    if "left" in cut or "right" in cut:
        return False
    width, height = size
    middle = (head.left + head.right) / 2
    both = min(middle, width - middle) > 0.36 * wide
    fills = not cut and (head.height > 0.8 * height or {"top", "bottom"} <= set(short))
    return (wide > width and both) or fills


def _cut_sides(head: Head, width: int, height: int) -> list[Side]:
    """At which sides the head itself leaves the picture."""
    cut: list[Side] = []
    if head.crown_cut:
        cut.append("top")
    # Hair and ears stand a little over the cheeks.
    if head.left < 0.04 * head.width:
        cut.append("left")
    if head.right > width - 0.04 * head.width:
        cut.append("right")
    if head.chin > height - 0.02 * head.height:
        cut.append("bottom")
    return cut


def render(bgr: Bgr, frame: Frame, width_px: int, height_px: int) -> Bgr:
    """What the frame cuts out, at this size; beyond the picture its edge is repeated."""
    if frame.degrees or height_px > frame.height:
        # Turned at the picture's own scale first, for only a plain reduction averages over all its pixels.
        scale = max(1.0, height_px / frame.height)
        size = (round(frame.width * scale), round(frame.height * scale))
        there = frame.onto(*size)
        warped = cv2.warpAffine(bgr, there, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        part = np.asarray(warped, np.uint8)
    else:
        left, top = round(frame.x - frame.width / 2), round(frame.y - frame.height / 2)
        right, bottom = left + max(1, round(frame.width)), top + max(1, round(frame.height))
        part = bgr[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        edges = (max(0, -top), max(0, bottom - bgr.shape[0]), max(0, -left), max(0, right - bgr.shape[1]))
        if any(edges):
            part = np.asarray(cv2.copyMakeBorder(part, *edges, cv2.BORDER_REPLICATE), np.uint8)
    if part.shape[:2] == (height_px, width_px):
        return np.ascontiguousarray(part)
    return np.asarray(cv2.resize(part, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)
