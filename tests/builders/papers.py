"""Papers that a check finds nothing wrong with, each another: lines of text in the dark on light."""

from functools import cache

import cv2
import numpy as np


@cache
def a_paper(number: int = 1, *, quality: int = 90) -> bytes:
    """A JPEG of 1000 × 700 px. Two numbers give papers that look different, two qualities the same paper twice."""
    return cv2.imencode(".jpg", a_page(number), (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


def a_page(number: int = 1) -> np.ndarray:
    """Its pixels: black words of this number's own on a warm sheet."""
    chance = np.random.default_rng(number)
    page = np.full((700, 1000, 3), (225, 236, 240), np.uint8)
    for row in range(9):
        words = "".join(chr(chance.integers(65, 91)) if chance.random() > 0.2 else " " for _ in range(24))
        left, down = int(chance.integers(20, 120)), 70 + row * 70
        cv2.putText(page, words, (left, down), cv2.FONT_HERSHEY_DUPLEX, 1.2, (40, 30, 30), 2, cv2.LINE_AA)
    left, top = int(chance.integers(100, 800)), int(chance.integers(100, 500))
    cv2.circle(page, (left, top), 90, (60, 60, 190), 4, cv2.LINE_AA)
    cv2.rectangle(page, (8, 8), (991, 691), (90, 90, 90), 3)
    return page
