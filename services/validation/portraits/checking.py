"""The photo check: what is wrong with a portrait, and the registration photo that a good one becomes.

Pure CPU work for a worker process. Whatever the file, the answer is a verdict; nothing is raised.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import cv2
import numpy as np

from services.validation.portraits import framing
from services.validation.portraits.background import Background, FaceIn, colour_beside, measure_background
from services.validation.portraits.faces import Bgr, Face, detect, mesh
from services.validation.portraits.finishing import finish
from services.validation.portraits.framing import Frame, Shape
from services.validation.portraits.head import measure_head
from services.validation.portraits.judging import (
    Notes,
    Subject,
    judge_background,
    judge_colour_beside,
    judge_composition,
    judge_eyes,
    judge_light,
    judge_pose,
    judge_room_above,
    judge_sharpness,
)
from services.validation.portraits.limits import FrameLimits, PortraitLimits, portrait_limits
from services.validation.portraits.looks import Looks, blockiness, measure_looks
from services.validation.portraits.opening import Opened, Refused, open_picture
from shared.contracts.rules import PhotoRule
from shared.contracts.validation import PhotoFinding

# A JPEG is decoded at the fraction that leaves this much: a head of a quarter of it still has pixels to spare.
_LONG_SIDE = 2000
_SEARCH_SIDE = 512  # faces are looked for on a copy of this size
_BRIGHT_PERCENTILE = 98


@dataclass(frozen=True)
class Portrait:
    """What the photo check says of one portrait.

    Attributes:
        verdict: `fail` if any finding rejects.
        findings: the gravest first; a `pass` may have some to be noted.
        picture: of a `pass`, the registration photo, a JPEG with `room` bytes to spare for its receipt.
        width, height: of the portrait as it was sent, upright; 0 where it could not be opened.
        metrics: what was measured on the way.
    """

    verdict: Literal["pass", "fail"]
    findings: tuple[PhotoFinding, ...]
    picture: bytes | None = None
    width: int = 0
    height: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


def check_portrait(body: bytes, content_type: str, rule: PhotoRule, room: int = 700) -> Portrait:
    """Check a portrait and make the registration photo of it.

    Args:
        body: the file that the candidate chose.
        content_type: as it was sent; the bytes decide what it is.
        rule: the official size.
        room: bytes that the photo's receipt will need.
    """
    try:
        opened = open_picture(body, content_type, _LONG_SIDE)
        portrait = _check(opened, rule, room)
        if portrait is None:
            portrait = _check(open_picture(body, content_type, 1 << 16), rule, room)
    except Refused as refused:
        return _failed(refused.code, refused.measured, refused.limit)
    except (cv2.error, MemoryError, ArithmeticError, ValueError, IndexError):
        # Nothing known leads here; a picture that does is one to choose anew, and never takes the worker with it.
        return _failed("too_complex")
    return portrait or _failed("too_complex")


def _failed(code: str, measured: float | None = None, limit: float | None = None) -> Portrait:
    return Portrait("fail", (PhotoFinding(code=code, severity="reject", measured=measured, limit=limit),))


@dataclass(frozen=True, eq=False)
class _Measured:
    """A person in a frame, whether or not the frame lies within the picture."""

    frame: Frame
    framed: Bgr
    looks: Looks
    background: Background
    enlarged: float
    quality: float | None
    blocks: float


def _check(opened: Opened, rule: PhotoRule, room: int) -> Portrait | None:
    """Check an opened picture; None if it should be opened with more of its pixels."""
    bgr, limits = opened.bgr, portrait_limits()
    notes, shape = Notes(bgr.shape[1], bgr.shape[0]), shape_of(rule, limits.frame)
    face = _the_face(bgr, notes)
    if face is None:
        return _portrait(opened, notes, {})
    found = mesh(bgr, face)
    subject = Subject(face, found, measure_head(bgr, found))
    shape = _sparing(shape, subject.head.height * opened.reduced, rule)
    frame = framing.fit(subject.head, notes.width, notes.height, shape, limits.pose.set_right_roll)
    fitting = frame or framing.best_guess(subject.head, shape)
    if opened.reduced > 1.01 and fitting.height < rule.height_px:
        return None
    if frame is None:
        misfits = framing.why_not(subject.head, notes.width, notes.height, shape)
        judge_composition(notes, subject, misfits, limits)
    measured = _measure(opened, subject, fitting, rule)
    _judge(notes, opened, subject, measured, rule, limits)
    if frame is not None:
        judge_background(notes, measured.background, measured.looks, frame, limits)
        judge_room_above(notes, (subject.head.crown - (frame.y - frame.height / 2)) / frame.height, limits)
    else:
        judge_colour_beside(notes, colour_beside(bgr, subject.head), limits)
    metrics = _metrics(subject, measured)
    if frame is None or notes.failed:
        return _portrait(opened, notes, metrics)
    finished = finish(measured.framed, measured.background, rule, room)
    if finished is None:
        notes.reject("over_compressed", rule.max_bytes, rule.max_bytes)
        return _portrait(opened, notes, metrics)
    return _portrait(opened, notes, metrics | {"saved_quality": float(finished.quality)}, finished.picture)


def _portrait(opened: Opened, notes: Notes, metrics: dict[str, float], picture: bytes | None = None) -> Portrait:
    return Portrait(
        verdict="fail" if picture is None else "pass",
        findings=notes.settled(),
        picture=picture,
        width=opened.full_width,
        height=opened.full_height,
        metrics={name: round(value, 3) for name, value in metrics.items()},
    )


def _sparing(shape: Shape, head_px: float, rule: PhotoRule) -> Shape:
    """Where a head has few pixels it is shown a little smaller rather than enlarged."""
    return replace(shape, head=min(shape.head, max(shape.least_head, head_px / rule.height_px)))


def shape_of(rule: PhotoRule, limits: FrameLimits) -> Shape:
    """The frame of a rule: its proportions, and what must be where in it."""
    return Shape(
        ratio=rule.width_px / rule.height_px,
        head=limits.head,
        least_head=limits.least_head,
        most_head=limits.most_head,
        top=limits.top,
        least_top=limits.least_top,
        most_top=limits.most_top,
        least_bottom=limits.least_bottom,
        sideways=limits.sideways,
    )


def _the_face(bgr: Bgr, notes: Notes) -> Face | None:
    """The face to look at; None, with a finding, if there is none or it is not upright."""
    limits = portrait_limits().face
    scale = min(1.0, _SEARCH_SIDE / max(bgr.shape[:2]))
    small = bgr
    if scale < 1:
        small = np.asarray(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    faces = _faces(small, 0.1) or _faces(small, 0.05)
    turned = _turned(small, faces, limits.turned_least_gain)
    if turned:
        places = [notes.box(*(edge / scale for edge in _edges(faces[0])))] if faces else []
        notes.reject("not_upright", turned, 0, places)
        return None
    if not faces:
        brightest = float(np.percentile(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), _BRIGHT_PERCENTILE)) / 2.55
        if brightest < portrait_limits().light.reject_brightest:
            notes.reject("too_dark", brightest, portrait_limits().light.reject_brightest)
        else:
            notes.reject("no_face", 0, 1)
        return None
    main = max(faces, key=lambda face: face.height * face.score)
    others = _others(small, main, faces)
    if others:
        places = [notes.box(*(edge / scale for edge in _edges(face))) for face in (main, *others)]
        notes.reject("several_faces", len(others) + 1, 1, places)
    left, top, right, bottom = (edge / scale for edge in _edges(main))
    return Face(left, top, right, bottom, main.score, main.points / np.float32(scale))


def _faces(small: Bgr, smallest: float) -> list[Face]:
    least = portrait_limits().face.least_score
    return [face for face in detect(small, smallest) if face.score >= least]


def _edges(face: Face) -> tuple[float, float, float, float]:
    return face.left, face.top, face.right, face.bottom


def _turned(small: Bgr, faces: list[Face], least_gain: float) -> int:
    """How many degrees clockwise the picture is turned: 0, 90, 180 or 270."""
    best = max(faces, key=lambda face: face.height * face.score, default=None)
    if best is not None and abs(best.roll) > 135:
        return 180
    if best is not None and abs(best.roll) > 50:
        return 90 if best.roll > 0 else 270
    # The detector takes an upside-down face for an upright one, only less surely.
    scores = {180: _best_score(small, cv2.ROTATE_180)}
    if best is None:
        scores[90] = _best_score(small, cv2.ROTATE_90_COUNTERCLOCKWISE)
        scores[270] = _best_score(small, cv2.ROTATE_90_CLOCKWISE)
    turn = max(scores, key=lambda degrees: scores[degrees])
    least = best.score + least_gain if best is not None else portrait_limits().face.least_score + 0.1
    return turn if scores[turn] > least else 0


def _best_score(small: Bgr, turn: int) -> float:
    found = detect(np.asarray(cv2.rotate(small, turn), np.uint8))
    return max((face.score for face in found if abs(face.roll) < 50), default=0.0)


def _others(small: Bgr, main: Face, faces: list[Face]) -> list[Face]:
    """The faces of other people; small ones far behind do not count."""
    limits = portrait_limits().face
    least = limits.second_least_height * main.height
    # Faces below a tenth of the picture are found on a finer copy only.
    seen = faces if least >= 0.1 * max(small.shape[:2]) else detect(small, 0.05)
    others = []
    for face in seen:
        apart = abs(face.left - main.left) + abs(face.top - main.top) > 0.3 * main.height
        counts = apart and face.height >= least and face.score >= limits.least_score
        if counts and mesh(small, face).presence >= limits.second_least_presence:
            others.append(face)
    return others[:5]


def _measure(opened: Opened, subject: Subject, frame: Frame, rule: PhotoRule) -> _Measured:
    framed = framing.render(opened.bgr, frame, rule.width_px, rule.height_px)
    there = frame.onto(rule.width_px, rule.height_px)
    points = subject.mesh.points.copy()
    points[:, :2] = points[:, :2] @ there[:, :2].T + there[:, 2]
    head = subject.head
    crown = there @ np.array((*head.on_picture((head.left + head.right) / 2, head.crown), 1))
    size = np.array((rule.width_px, rule.height_px))
    shares = points[:, :2] / size
    face = FaceIn(
        left=float(shares[234, 0]),
        right=float(shares[454, 0]),
        crown=float(crown[1] / rule.height_px),
        brow=float(shares[[105, 334], 1].min()),
        eyes=float(shares[[33, 263], 1].mean()),
        chin=float(shares[152, 1]),
    )
    enlarged = rule.height_px / (frame.height * opened.reduced)
    quality, blocks = _compression(opened, subject, enlarged)
    return _Measured(
        frame, framed, measure_looks(framed, points), measure_background(framed, face), enlarged, quality, blocks
    )


def _compression(opened: Opened, subject: Subject, enlarged: float) -> tuple[float | None, float]:
    """The JPEG's quality and its blocks, where the photo will still show them."""
    if opened.reduced > 1.01 or enlarged < 1 / portrait_limits().sharpness.least_reduction:
        return None, 1.0
    face = subject.face
    # On whole blocks of the file's own grid.
    left, top = (max(0, int(edge) // 8 * 8) for edge in (face.left, face.top))
    part = opened.bgr[top : max(0, int(face.bottom)), left : max(0, int(face.right))]
    if min(part.shape[:2]) < 64:
        return opened.quality, 1.0
    return opened.quality, blockiness(np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8))


def _judge(
    notes: Notes, opened: Opened, subject: Subject, measured: _Measured, rule: PhotoRule, limits: PortraitLimits
) -> None:
    """All but the background, which is judged only where the frame lies within the picture."""
    most = limits.frame.most_enlarged
    if measured.enlarged > most:
        room = min(opened.full_width / rule.width_px, opened.full_height / rule.height_px)
        least = round(limits.frame.least_head * rule.height_px / most)
        code = "too_few_pixels" if room * most < 1 else "head_too_small"
        notes.reject(code, subject.head.height * opened.reduced, least, [subject.head_box(notes)])
    judge_pose(notes, subject, limits)
    judge_eyes(notes, subject, measured.looks, limits)
    judge_light(notes, subject, measured.looks, limits)
    judge_sharpness(notes, subject, measured.looks, limits, measured.quality, measured.blocks)


def _metrics(subject: Subject, measured: _Measured) -> dict[str, float]:
    head, looks, background = subject.head, measured.looks, measured.background
    return {
        "score": subject.face.score,
        "presence": subject.mesh.presence,
        "yaw": head.yaw,
        "pitch": head.pitch,
        "roll": head.roll,
        "head_share": head.height / measured.frame.height,
        "crown_seen": float(head.crown_seen),
        "blink": sum(subject.mesh.blink) / 2,
        "eye_contrast": looks.eye_contrast,
        "glare": looks.glare,
        "blur": looks.blur,
        "blocks": measured.blocks,
        "quality": measured.quality or 0.0,
        "enlarged": measured.enlarged,
        "face_lightness": looks.face_lightness,
        "brightest": looks.brightest,
        "burnt": looks.burnt,
        "sides": looks.sides,
        "colour": looks.colour,
        "background_lightness": background.lightness,
        "background_chroma": background.chroma,
        "background_spread": background.spread,
        "background_spread_low": background.spread_low,
        "background_tilt": background.tilt,
        "background_fall": background.fall,
        "shadow": background.shadow,
        "shadow_depth": background.shadow_depth,
    }
