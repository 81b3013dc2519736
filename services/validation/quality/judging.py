"""From measures to findings. Quality is refused only beyond the sure limits, and told as `review` between."""

from collections.abc import Iterator
from typing import Literal

from services.validation.quality import measures
from services.validation.quality.limits import Above, Below, Blank, Limits
from services.validation.quality.orientation import Turn, turn_of
from services.validation.quality.people import person_in, stands_upright
from services.validation.quality.picture import Picture
from shared.contracts.validation import Finding, Severity

QualityKind = Literal["document", "portrait"]


def findings_on(
    picture: Picture, kind: QualityKind, stricter: frozenset[str], limits: Limits, metrics: dict[str, float]
) -> list[Finding]:
    """What is wrong with what the picture shows, the cause before what follows from it.

    Args:
        picture: what was decoded.
        kind: a `portrait` is judged by the limits for people whether a face is found or not.
        stricter: codes of which `review` is `reject`.
        limits: those in force.
        metrics: what is measured is added to it.
    """
    found = list(_find(picture, kind, limits, metrics))
    return [
        finding.model_copy(update={"severity": "reject"})
        if finding.code in stricter and finding.severity == "review"
        else finding
        for finding in found
    ]


def _find(picture: Picture, kind: QualityKind, limits: Limits, metrics: dict[str, float]) -> Iterator[Finding]:
    ranges = measures.local_range(picture.coarse)
    metrics["structure"] = round(measures.structure(ranges), 4)
    metrics["relief"] = round(measures.relief(picture.coarse), 2)
    metrics["contrast"] = measures.contrast(ranges)
    metrics["brightness"] = measures.brightness(picture.coarse)
    if blank := _blank(limits.blank, metrics):
        yield blank
        if blank.severity == "reject":
            return  # of nothing, nothing else can be said
    metrics["blur"] = round(measures.blur_score(picture.grey), 4)
    dark = _below("too_dark", metrics["brightness"], limits.too_dark)
    blurred = _blurred(picture, kind, limits, metrics)
    if dark:
        yield dark
    if blurred:
        yield blurred
    # Darkness and blur leave little contrast, and the model nothing to go by: then they are what to say.
    if dark is None and blurred is None and (low := _below("low_contrast", metrics["contrast"], limits.low_contrast)):
        yield low
    if not any(found is not None and found.severity == "reject" for found in (dark, blurred)):
        yield from _turned(picture, limits, metrics)


def _blank(limits: Blank, metrics: dict[str, float]) -> Finding | None:
    """Nothing stands out, and what there is beside it is a smooth fall of light, or too weak to be anything."""
    if metrics["relief"] >= limits.relief and metrics["contrast"] >= limits.contrast:
        return None
    return _below("blank", metrics["structure"], limits.structure)


def _below(code: str, measured: float, limits: Below) -> Finding | None:
    severity: Severity
    if measured < limits.reject:
        severity, limit = "reject", limits.reject
    elif measured < limits.review:
        severity, limit = "review", limits.review
    else:
        return None
    return Finding(code=code, severity=severity, measured=measured, limit=limit)


def _above(code: str, measured: float, limits: Above) -> Finding | None:
    severity: Severity
    if measured > limits.reject:
        severity, limit = "reject", limits.reject
    elif measured > limits.review:
        severity, limit = "review", limits.review
    else:
        return None
    return Finding(code=code, severity=severity, measured=measured, limit=limit)


def _blurred(picture: Picture, kind: QualityKind, limits: Limits, metrics: dict[str, float]) -> Finding | None:
    complaint = _above("blurred", metrics["blur"], limits.blurred.document)
    if complaint is None:
        return None
    person = person_in(picture, limits.people)
    if person is not None:
        metrics["face_blur"] = round(person.blur, 4)
        # Walls and clothes are soft, and a face may be of few pixels: a picture is as sharp as the sharper of both.
        return _above("blurred", min(metrics["blur"], metrics["face_blur"]), limits.blurred.people)
    return complaint if kind == "document" else _above("blurred", metrics["blur"], limits.blurred.people)


def _turned(picture: Picture, limits: Limits, metrics: dict[str, float]) -> Iterator[Finding]:
    turn = turn_of(picture.coarse, limits.orientation.upright_at_once)
    metrics["turned_degrees"], metrics["turned_sure"] = turn.degrees, round(turn.sure, 3)
    severity = _severity_of(turn, limits)
    if severity is not None and not stands_upright(picture, limits.people):
        yield Finding(code="orientation", severity=severity, measured=turn.degrees, limit=0)


def _severity_of(turn: Turn, limits: Limits) -> Severity | None:
    if turn.degrees == 0 or turn.sure < limits.orientation.review:
        return None
    return "reject" if turn.sure >= limits.orientation.reject else "review"
