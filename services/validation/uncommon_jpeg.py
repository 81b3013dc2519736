"""JPEGs with a chroma sampling that simplejpeg has no name for, such as 4:1:0: decoded whole and as strictly.

libjpeg mends what it can of a damaged file, and complains: bits that were flipped, rows that are missing, bytes that
hide behind the last row. simplejpeg makes its complaint an error. OpenCV, which knows every sampling, has the same
libjpeg and lets it complain on standard error: that is where it is heard.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import cv2
import numpy as np

from services.validation.quality.picture import Pixels

_STANDARD_ERROR = 2
_MOST_HEARD = 4096
# The decoder's own steps, the smallest picture first.
_AT_A_FRACTION = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
    (1, cv2.IMREAD_COLOR),
)
# OpenCV takes six bytes a pixel for one that it decodes whole; above, it is halved whatever is asked.
_MOST_WHOLE_PIXELS = 25_000_000
# Standard error is the whole process's: one listens at a time.
_listening = threading.Lock()


def decode(body: bytes, size: tuple[int, int], least: tuple[int, int]) -> Pixels:
    """The picture as it is stored: blue, green, red; at the smallest fraction that leaves it large enough.

    Args:
        body: a JPEG whose size is checked.
        size: its width and height.
        least: the width and height that must be left of them.

    Raises:
        ValueError: the decoder had something to complain of.
    """
    largest = 2 if size[0] * size[1] > _MOST_WHOLE_PIXELS else 1
    flag = next(flag for part, flag in _AT_A_FRACTION if part == largest or _is_left(size, part, least))
    with _complaints() as heard:
        pixels = cv2.imdecode(np.frombuffer(body, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or heard:
        raise ValueError("a damaged JPEG" if pixels is None else heard[0].decode("ascii", "replace").strip())
    return np.asarray(pixels, np.uint8)


def _is_left(size: tuple[int, int], part: int, least: tuple[int, int]) -> bool:
    return all(-(-side // part) >= enough for side, enough in zip(size, least, strict=True))


@contextmanager
def _complaints() -> Iterator[list[bytes]]:
    """What is written to standard error meanwhile; it is in the list once the block is left."""
    heard: list[bytes] = []
    with _listening:
        reader, writer = os.pipe()
        # A full pipe takes no more rather than to hold the decoder up, and an empty one holds nobody up.
        os.set_blocking(writer, False)
        os.set_blocking(reader, False)
        before = os.dup(_STANDARD_ERROR)
        try:
            os.dup2(writer, _STANDARD_ERROR)
            try:
                yield heard
            finally:
                os.dup2(before, _STANDARD_ERROR)
        finally:
            os.close(before)
            os.close(writer)
            with suppress(BlockingIOError):
                if said := os.read(reader, _MOST_HEARD):
                    heard.append(said)
            os.close(reader)
