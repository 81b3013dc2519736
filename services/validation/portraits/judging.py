"""From what was measured of a portrait to findings, each with its place on the upright picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from services.validation.portraits.background import Background, Place
from services.validation.portraits.faces import Face, Mesh, Points
from services.validation.portraits.framing import Frame, Misfit, Side
from services.validation.portraits.head import Head
from services.validation.portraits.limits import PortraitLimits
from services.validation.portraits.looks import EYES, Looks
from services.validation.quality.limits import Above, Below
from shared.contracts.validation import Mark, PhotoFinding

# What is said first. A fault that makes others appear stands before them.
_ORDER = (
    "no_face", "not_upright", "several_faces", "too_few_pixels", "head_too_small", "head_too_large", "cut_off",
    "off_centre", "too_dark", "too_bright", "blurred", "over_compressed", "tilted", "not_frontal", "eyes_closed",
    "background_not_white", "background_uneven", "face_shadow", "glasses_glare", "no_colour",
)  # fmt: skip


@dataclass
class Notes:
    """The findings so far, for a picture of this size (in the pixels that places are given in)."""

    width: int
    height: int
    findings: list[PhotoFinding] = field(default_factory=list)

    def reject(self, code: str, measured: float, limit: float, marks: Sequence[Mark] = ()) -> None:
        self._add(code, "reject", measured, limit, marks)

    def review(self, code: str, measured: float, limit: float, marks: Sequence[Mark] = ()) -> None:
        self._add(code, "review", measured, limit, marks)

    def above(self, code: str, measured: float, limits: Above, marks: Sequence[Mark] = ()) -> None:
        if measured > limits.reject:
            self.reject(code, measured, limits.reject, marks)
        elif measured > limits.review:
            self.review(code, measured, limits.review, marks)

    def below(self, code: str, measured: float, limits: Below, marks: Sequence[Mark] = ()) -> None:
        if measured < limits.reject:
            self.reject(code, measured, limits.reject, marks)
        elif measured < limits.review:
            self.review(code, measured, limits.review, marks)

    def _add(self, code: str, severity: str, measured: float, limit: float, marks: Sequence[Mark]) -> None:
        finding = PhotoFinding.model_validate(
            {"code": code, "severity": severity, "measured": round(float(measured), 3), "limit": limit}
        )
        self.findings.append(finding.model_copy(update={"marks": tuple(marks[:10])}))

    @property
    def failed(self) -> bool:
        return any(finding.severity == "reject" for finding in self.findings)

    def settled(self) -> tuple[PhotoFinding, ...]:
        """Once per code, what fails before what is noted, then what is said first."""
        ordered = sorted(self.findings, key=lambda one: (one.severity != "reject", _ORDER.index(one.code)))
        first: dict[str, PhotoFinding] = {}
        for finding in ordered:
            first.setdefault(finding.code, finding)
        return tuple(first.values())

    def box(self, left: float, top: float, right: float, bottom: float) -> Mark:
        return self._mark("box", left, top, right, bottom)

    def line(self, x1: float, y1: float, x2: float, y2: float) -> Mark:
        return self._mark("line", x1, y1, x2, y2)

    def around(self, places: Points, grow: float = 1.0) -> Mark:
        """A box around points."""
        low, high = places[:, :2].min(axis=0), places[:, :2].max(axis=0)
        middle, half = (low + high) / 2, (high - low) / 2 * grow
        return self.box(*(float(edge) for edge in (*(middle - half), *(middle + half))))

    def _mark(self, shape: str, x1: float, y1: float, x2: float, y2: float) -> Mark:
        xs = [min(2.0, max(-1.0, x / self.width)) for x in (x1, x2)]
        ys = [min(2.0, max(-1.0, y / self.height)) for y in (y1, y2)]
        return Mark.model_validate({"shape": shape, "x1": xs[0], "y1": ys[0], "x2": xs[1], "y2": ys[1]})


@dataclass(frozen=True, eq=False)
class Subject:
    """The person on the picture, in the picture's pixels."""

    face: Face
    mesh: Mesh
    head: Head

    def head_box(self, notes: Notes) -> Mark:
        head = self.head
        corners = [head.on_picture(x, y) for x in (head.left, head.right) for y in (head.crown, head.chin)]
        return notes.around(np.array(corners, np.float32))

    def eyes_line(self, notes: Notes) -> Mark:
        right, left = self.mesh.points[33], self.mesh.points[263]
        return notes.line(float(right[0]), float(right[1]), float(left[0]), float(left[1]))


def judge_composition(notes: Notes, subject: Subject, misfits: Sequence[Misfit], limits: PortraitLimits) -> None:
    """Why the official frame fits nowhere on the picture."""
    head, box = subject.head, subject.head_box(notes)
    for misfit in misfits:
        edges = [_edge(notes, side) for side in misfit.sides]
        if misfit.code == "head_too_large":
            share = max(head.height / notes.height, head.width / notes.width)
            notes.reject(misfit.code, share, limits.frame.most_head, [box])
        elif misfit.code == "off_centre":
            off = (head.left + head.right) / 2 / notes.width - 0.5
            notes.reject(misfit.code, off, limits.frame.sideways, [box, *edges])
        else:
            notes.reject(misfit.code, len(misfit.sides), 0, [*edges, box])


def judge_room_above(notes: Notes, top: float, limits: PortraitLimits) -> None:
    """Is there as much room over the hair as is usual? Tall hair often leaves less, so it is only noted."""
    if top < limits.frame.usual_top:
        notes.review("cut_off", top, limits.frame.usual_top, [_edge(notes, "top")])


def _edge(notes: Notes, side: Side) -> Mark:
    width, height = notes.width, notes.height
    return {
        "left": notes.line(0, 0, 0, height),
        "right": notes.line(width, 0, width, height),
        "top": notes.line(0, 0, width, 0),
        "bottom": notes.line(0, height, width, height),
    }[side]


def judge_pose(notes: Notes, subject: Subject, limits: PortraitLimits) -> None:
    """Is the head upright, does it look ahead?"""
    head, pose = subject.head, limits.pose
    notes.above("tilted", abs(head.roll), pose.roll, [subject.eyes_line(notes)])
    face = [notes.around(subject.mesh.points[:468])]
    yaw, pitch = abs(head.yaw) / pose.yaw.reject, abs(head.pitch) / pose.pitch.reject
    if yaw >= pitch:
        notes.above("not_frontal", abs(head.yaw), pose.yaw, face)
    else:
        notes.above("not_frontal", abs(head.pitch), pose.pitch, face)


def judge_eyes(notes: Notes, subject: Subject, looks: Looks, limits: PortraitLimits) -> None:
    """Are the eyes open, is there glare over them?"""
    eyes = [notes.around(subject.mesh.points[list(eye)], 1.6) for eye in EYES]
    blink = sum(subject.mesh.blink) / 2
    if blink > limits.eyes.blink.review and looks.eye_contrast < limits.eyes.reject_contrast:
        notes.reject("eyes_closed", blink, limits.eyes.blink.review, eyes)
    else:
        notes.above("eyes_closed", blink, limits.eyes.blink, eyes)
    if looks.glare > limits.eyes.review_glare and looks.burnt < limits.light.burnt.review:
        notes.review("glasses_glare", looks.glare, limits.eyes.review_glare, eyes)


def judge_light(notes: Notes, subject: Subject, looks: Looks, limits: PortraitLimits) -> None:
    """Is the face lit, evenly, and in colour?"""
    light, face = limits.light, [notes.around(subject.mesh.points[:468])]
    if looks.brightest < light.reject_brightest:
        notes.reject("too_dark", looks.brightest, light.reject_brightest, face)
    notes.below("too_dark", looks.face_lightness, light.face_lightness, face)
    notes.above("too_bright", looks.burnt, light.burnt, face)
    notes.above("face_shadow", abs(looks.sides), light.sides, [_darker_half(notes, subject, looks)])
    if looks.colour < light.review_colour:
        notes.review("no_colour", looks.colour, light.review_colour, face)


def _darker_half(notes: Notes, subject: Subject, looks: Looks) -> Mark:
    points = subject.mesh.points[:468]
    left, right = float(points[:, 0].min()), float(points[:, 0].max())
    middle = float(points[[1, 4, 168], 0].mean())
    half = (left, middle) if looks.sides > 0 else (middle, right)
    return notes.box(half[0], float(points[:, 1].min()), half[1], float(points[:, 1].max()))


def judge_background(notes: Notes, background: Background, looks: Looks, frame: Frame, limits: PortraitLimits) -> None:
    """Is it white and even?"""
    most, whole = limits.background, [_on_picture(notes, frame, (0.0, 0.0, 1.0, 1.0))]
    notes.below("background_not_white", background.lightness, most.lightness, whole)
    notes.above("background_not_white", background.chroma, most.chroma, whole)
    if background.spread > most.reject_spread:
        notes.reject("background_uneven", background.spread, most.reject_spread, whole)
    notes.above("background_uneven", abs(background.tilt), most.tilt, whole)
    notes.above("background_uneven", background.fall, most.fall, whole)
    if background.shadow_at is not None:
        place = [_on_picture(notes, frame, background.shadow_at)]
        # Light hair without colour looks like a shadow; without colour on the picture nothing tells them apart.
        sure = background.shadow_on_one_side and looks.colour >= limits.light.review_colour
        if sure and background.shadow_depth >= most.reject_shadow_depth:
            notes.above("background_uneven", background.shadow, most.shadow, place)
        elif background.shadow > most.shadow.review:
            notes.review("background_uneven", background.shadow, most.shadow.review, place)
    if background.spread_low > most.review_spread_low:
        notes.review("background_uneven", background.spread_low, most.review_spread_low, whole)


def judge_colour_beside(notes: Notes, beside: tuple[float, float] | None, limits: PortraitLimits) -> None:
    """Is the background at least white, where the official frame fits nowhere?"""
    if beside is not None:
        whole = [notes.box(0, 0, notes.width, notes.height)]
        notes.below("background_not_white", beside[0], limits.background.lightness, whole)
        notes.above("background_not_white", beside[1], limits.background.chroma, whole)


def _on_picture(notes: Notes, frame: Frame, place: Place) -> Mark:
    """A place in the frame (shares) as a box on the picture."""
    left, top, right, bottom = place
    back = cv2.invertAffineTransform(frame.onto(1000, 1000))
    # `onto` scales by height alone; the frame's own width in those pixels follows from its ratio.
    wide = 1000 * frame.width / frame.height
    shift = (1000 - wide) / 2
    corners = [(x * wide + shift, y * 1000) for x in (left, right) for y in (top, bottom)]
    return notes.around(np.array(corners) @ back[:, :2].T + back[:, 2])


def judge_sharpness(
    notes: Notes, subject: Subject, looks: Looks, limits: PortraitLimits, quality: float | None, blocks: float
) -> None:
    """Is the face sharp; did compression spoil it? Without a quality the picture was reduced too much to see."""
    face, sharpness = [notes.around(subject.mesh.points[:468])], limits.sharpness
    notes.above("blurred", looks.blur, sharpness.blur, face)
    if quality is not None:
        notes.below("over_compressed", quality, sharpness.quality, face)
    notes.above("over_compressed", blocks, sharpness.blocks, face)
