"""The text recogniser: finds lines of text on a picture and reads them. One per process, loaded at its first use."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Before anything imports the runtime: from 1.30 on it opens connections to its maker unless it is told at its import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

Picture = NDArray[np.uint8]
"""Height × width × 3, blue first."""

# A4 forms have up to 60 lines, watermarks included. A page of nothing but tiny print must not take minutes.
MOST_LINES = 120
# A line of 40 Chinese characters. What is longer for its height is a rule or noise, and costs memory by its width.
_WIDEST = 40.0
# Patches of one batch are padded to the widest of them: by sixes it takes 10 % longer and 110 MB more (measured).
_BATCH = 1
# A page lies level to a few degrees; what is steeper than this against most of its lines is a watermark across it.
_STEEPEST = 12.0


@dataclass(frozen=True)
class Patch:
    """A place with text, cut out and laid level.

    Attributes:
        corners: its four corners on the picture, in pixels: left top, right top, right bottom, left bottom.
        image: the pixels.
        stands: True where it was higher than wide and so was turned to the left.
        slope: degrees by which it falls to the right (or, where it stands, to the left).
    """

    corners: NDArray[np.float32]
    image: Picture
    stands: bool
    slope: float


@dataclass(frozen=True)
class Words:
    """What was read from a patch, and how sure the recogniser is of it (0 to 1)."""

    text: str
    score: float


class Engine:
    """RapidOCR with the models of its wheel."""

    def __init__(self) -> None:
        import rapidocr

        # Models that are named are never looked for elsewhere: a default one that is missing would be downloaded.
        models = Path(rapidocr.__file__).parent / "models"
        self._ocr: Any = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
                "Det.limit_type": "max",
                "Det.limit_side_len": 960,
                # Below it (the default is .3) a line and the seal or the watermark across it are found as one: of
                # watermarked forms it left out a quarter of the names (24 of 32 fields read; at .5: 30).
                "Det.thresh": 0.5,
                "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
                "Rec.rec_batch_num": _BATCH,
            }
        )

    def find(self, picture: Picture) -> list[Patch]:
        """The places with text that lie as most of them do; the largest where there are too many."""
        found = self._ocr(picture, use_det=True, use_cls=False, use_rec=False)
        boxes = () if found.boxes is None else np.asarray(found.boxes, np.float32)
        patches = [patch for box in boxes if (patch := _cut(picture, box)) is not None]
        lean = tilt(patches)
        level = [patch for patch in patches if abs(patch.slope - lean) <= _STEEPEST]
        return sorted(level, key=lambda patch: -patch.image.size)[:MOST_LINES]

    def recognise(self, images: Sequence[Picture]) -> list[Words]:
        """What each of these pieces of pictures says, in their order."""
        if not images:
            return []
        read = self._ocr.recognize_txt(list(images))
        return [Words(text, float(score)) for text, score in zip(read.txts, read.scores, strict=True)]


@cache
def engine() -> Engine:
    """This process's own: a second would take another 300 MB."""
    return Engine()


def tilt(patches: Sequence[Patch]) -> float:
    """The slope of most of the text, in degrees."""
    level = sorted((patch.slope, patch.image.shape[1]) for patch in patches if abs(patch.slope) <= _STEEPEST)
    half = sum(width for _, width in level) / 2
    for slope, width in level:
        half -= width
        if half <= 0:
            return slope
    return 0.0


def _cut(picture: Picture, corners: NDArray[np.float32]) -> Patch | None:
    left_top, right_top, right_bottom, left_bottom = corners
    width = int(max(np.linalg.norm(right_top - left_top), np.linalg.norm(right_bottom - left_bottom)))
    height = int(max(np.linalg.norm(left_bottom - left_top), np.linalg.norm(right_bottom - right_top)))
    if min(width, height) < 4 or max(width, height) > _WIDEST * min(width, height):
        return None
    flat = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    level = cv2.getPerspectiveTransform(corners, flat)
    image = cv2.warpPerspective(picture, level, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    stands = height >= 1.5 * width
    if stands:
        image = np.rot90(image)
    return Patch(corners, np.ascontiguousarray(image, np.uint8), stands, _slope(corners, stands))


def _slope(corners: NDArray[np.float32], stands: bool) -> float:
    left_top, right_top, right_bottom, left_bottom = corners
    x, y = (
        (left_bottom - left_top + right_bottom - right_top)
        if stands
        else (right_top - left_top + right_bottom - left_bottom)
    )
    return float(np.degrees(np.arctan2(-x if stands else y, y if stands else x)))
