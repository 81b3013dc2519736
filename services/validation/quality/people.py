"""Pictures of people: softer than print even when they are sharp, and asked only when the print's limits complain."""

from typing import NamedTuple

import numpy as np

from services.validation.portraits.faces import Face, detect
from services.validation.quality.limits import People
from services.validation.quality.measures import blur_score
from services.validation.quality.picture import Picture, Pixels


class Person(NamedTuple):
    """Somebody in the picture; `blur` is the score of the face alone."""

    blur: float


def person_in(picture: Picture, limits: People) -> Person | None:
    """Whoever is large enough in the picture to be what it is about, whichever way up: no photograph on a card."""
    for quarter in range(4):
        faces = _clear(np.ascontiguousarray(np.rot90(picture.colour, quarter)), limits)
        if faces:
            face, grey = faces[0], np.rot90(picture.grey, quarter)
            inside = grey[max(0, int(face.top)) : int(face.bottom), max(0, int(face.left)) : int(face.right)]
            return Person(blur_score(np.ascontiguousarray(inside)))
    return None


def stands_upright(picture: Picture, limits: People) -> bool:
    """Whether a face is found as the picture is, and none more clearly when it is turned.

    The detector fires on faces that stand on their heads, too (score .84 against .94 upright).
    """
    scores = [
        max((face.score for face in _clear(np.ascontiguousarray(np.rot90(picture.colour, quarter)), limits)), default=0)
        for quarter in range(4)
    ]
    return scores[0] > 0 and scores[0] == max(scores)


def _clear(colour: Pixels, limits: People) -> list[Face]:
    long_side = max(colour.shape[:2])
    return [
        face
        for face in detect(colour, smallest=limits.face_height, least_score=limits.face_score)
        if face.height >= limits.face_height * long_side
    ]
