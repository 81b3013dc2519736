"""Portraits of the one free face there is, NASA's astronaut in plain clothes, and what can be wrong with one."""

import io
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from deploy.specimens.portrait import bust
from services.validation.portraits.checking import Portrait, check_portrait
from services.validation.portraits.faces import Mesh, detect, mesh
from services.validation.portraits.looks import EYES
from shared.contracts.rules import PhotoRule

Pixels = npt.NDArray[np.uint8]
WHITE = (255, 255, 255)
RULE = PhotoRule()


@cache
def _figure(width: int, height: int, scale: float, across: float, crown: float) -> Image.Image:
    place = (width * across, height * crown)
    return bust((width, height), scale, place, (52, 60, 84), np.random.default_rng(1))


def figure(
    width: int = 900, height: int = 1200, scale: float = 3.2, across: float = 0.5, crown: float = 0.1
) -> tuple[Pixels, npt.NDArray[np.float32]]:
    """The person (BGR) and how much of each pixel is the person; a head is about 162 × `scale` high."""
    rgba = np.asarray(_figure(width, height, scale, across, crown))
    return np.ascontiguousarray(rgba[:, :, 2::-1]), rgba[:, :, 3:].astype(np.float32) / 255


def on(background: Any, **how: Any) -> Pixels:
    """The person on a background: one grey, a colour (BGR), or a whole picture."""
    if how.get("width", 0) > 1300:  # drawing 3000 × 4000 takes ten seconds; enlarging 1200 × 1600, nothing
        times = how["width"] / 1200
        small = {"width": 1200, "height": round(how["height"] / times), "scale": how["scale"] / times}
        enlarged = cv2.resize(
            on(background, **how | small), (how["width"], how["height"]), interpolation=cv2.INTER_CUBIC
        )
        return _bytes(enlarged)
    person, share = figure(**how)
    behind = np.broadcast_to(np.asarray(background, np.float32), person.shape)
    return _bytes(person * share + behind * (1 - share))


def on_white(**how: Any) -> Pixels:
    return on(255, **how)


def _bytes(pixels: npt.NDArray[Any]) -> Pixels:
    return np.asarray(np.clip(pixels + 0.5, 0, 255), np.uint8)


def jpeg(pixels: Pixels, quality: int = 92, **more: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])).save(buffer, "JPEG", quality=quality, **more)
    return buffer.getvalue()


def judged(picture: Pixels | bytes, rule: PhotoRule = RULE, **more: Any) -> Portrait:
    """What the check says of it."""
    body = picture if isinstance(picture, bytes) else jpeg(picture)
    return check_portrait(body, "image/jpeg", rule, **more)


def first_code(portrait: Portrait) -> str:
    return portrait.findings[0].code if portrait.findings else "none"


def codes(portrait: Portrait) -> list[str]:
    return [finding.code for finding in portrait.findings]


@cache
def _mesh_of(body: bytes, shape: tuple[int, ...]) -> Mesh:
    picture = np.frombuffer(body, np.uint8).reshape(shape)
    return mesh(picture, detect(picture)[0])


def mesh_of(picture: Pixels) -> Mesh:
    return _mesh_of(picture.tobytes(), picture.shape)


def leaned(picture: Pixels, degrees: float) -> Pixels:
    """The person leans to the right of the picture; what comes in is white."""
    height, width = picture.shape[:2]
    lean = cv2.getRotationMatrix2D((width / 2, height * 0.4), -degrees, 1)
    return _bytes(cv2.warpAffine(picture, lean, (width, height), flags=cv2.INTER_CUBIC, borderValue=WHITE))


def shadow_on_wall(depth: float, dx: int, dy: int, softness: float) -> Pixels:
    """The person's shadow lies on the wall behind."""
    _, share = figure()
    thrown = cv2.warpAffine(share, np.array(((1, 0, dx), (0, 1, dy)), np.float64), (share.shape[1], share.shape[0]))
    soft = cv2.GaussianBlur(thrown, (0, 0), softness)
    return on(255 * (1 - depth * soft[:, :, None]))


def half_lit(light: float) -> Pixels:
    """The half of the face on the right of the picture gets so much light only."""
    person, share = figure()
    nose = float(mesh_of(on_white()).points[1, 0])
    dark = 1 / (1 + np.exp(-(np.arange(person.shape[1]) - nose) / 20))
    lit = person * (1 - (1 - light) * dark)[None, :, None]
    return _bytes(lit * share + 255 * (1 - share))


def eyes_shut(picture: Pixels) -> Pixels:
    """Lids of the skin's colour, a line of lashes below, painted over the eyes."""
    points = mesh_of(picture).points[:, :2]
    shut = picture.astype(np.float32)
    grain = np.random.default_rng(1).normal(0, 2, picture.shape)
    for eye in EYES:
        (x, y), size = points[list(eye)].mean(axis=0), float(np.ptp(points[list(eye), 0]))
        skin = np.median(picture[int(y + 0.4 * size) : int(y + 0.5 * size), int(x - 5) : int(x + 5)], axis=(0, 1))
        lid, lash = np.zeros(picture.shape[:2], np.float32), np.zeros(picture.shape[:2], np.float32)
        cv2.ellipse(lid, (int(x), int(y)), (int(0.62 * size), int(0.34 * size)), 0, 0, 360, 1, -1)
        cv2.ellipse(lash, (int(x), int(y + 0.05 * size)), (int(0.5 * size), int(0.14 * size)), 0, 15, 165, 1, 3)
        lid = cv2.GaussianBlur(lid, (0, 0), 0.05 * size)[:, :, None]
        lash = 0.8 * cv2.GaussianBlur(lash, (0, 0), 0.03 * size)[:, :, None]
        shut = (shut * (1 - lid) + (skin + grain) * lid) * (1 - lash) + np.array((35, 30, 30)) * lash
    return _bytes(shut)


def looking_aside(degrees: float) -> Pixels:
    """The head turned about its own axis: the mesh is turned in space, and the picture drawn over it again."""
    from skimage.transform import PiecewiseAffineTransform, warp  # half a second to import, for one test

    picture = on_white(width=600, height=800, scale=2.2)
    points = mesh_of(picture).points[:468].astype(np.float64)
    middle = points.mean(axis=0)
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    level = points - middle
    turned = points[:, :2].copy()
    # z grows away from the camera: looking to the right of the picture brings its left side nearer.
    turned[:, 0] = middle[0] + level[:, 0] * cosine - (level[:, 2] - 0.25 * np.ptp(points[:, 0])) * sine
    height, width = picture.shape[:2]
    rim = np.array([(x, y) for x in (0, width - 1) for y in np.linspace(0, height - 1, 8)])
    there = PiecewiseAffineTransform.from_estimate(np.vstack((turned, rim)), np.vstack((points[:, :2], rim)))
    return _bytes(warp(picture, there, mode="edge", preserve_range=True))
