"""What is asked of an image, and how findings become a verdict. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.contracts.validation import Finding, Verdict
from shared.images.limits import MATERIAL

# The consumer groups: images are looked at, portraits are checked, papers are read.
CHECKS, PHOTOS, READING = "validation", "validation-photos", "validation-reading"
# What the door let in is all that a look may meet: the two must not differ.
LARGEST_BYTES = MATERIAL.most_bytes
MOST_PIXELS = MATERIAL.most_pixels
LEAST_SIDE_PX = MATERIAL.least_side_px

Kind = Literal["document", "portrait", "codec"]
"""What an image is looked at as; `codec`: as a file only, whatever can be seen on it."""


@dataclass(frozen=True)
class Check:
    """What one look at one image found.

    Attributes:
        verdict: whether it can stay.
        reason: `ok`, or the code of the gravest finding.
        findings: everything noticed, the gravest first.
        metrics: what was measured on the way, such as `width_px`.
    """

    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """A look at one image.

    Attributes:
        check: what it found.
        fingerprint: 256 bits by which a picture that looks like another one is found; None where it was rejected
            before it was decoded.
    """

    check: Check
    fingerprint: bytes | None = None


GONE = Check("gone", "gone", (Finding(code="gone", severity="reject"),))
"""The object is not there any more: the image was removed before it was looked at."""

_GRAVITY = {"reject": 0, "review": 1, "info": 2}
_VERDICTS: dict[str, Verdict] = {"reject": "reject", "review": "review", "info": "accept"}


def judge(findings: Sequence[Finding], metrics: dict[str, float]) -> Check:
    """The gravest finding decides; among equals the one that was noticed first."""
    if not findings:
        return Check("accept", "ok", (), metrics)
    ordered = tuple(sorted(findings, key=lambda finding: _GRAVITY[finding.severity]))
    gravest = ordered[0]
    verdict = _VERDICTS[gravest.severity]
    return Check(verdict, "ok" if verdict == "accept" else gravest.code, ordered, metrics)


def rejected(code: str, measured: float | None = None, limit: float | None = None) -> Finding:
    """A finding that decides by itself."""
    return Finding(code=code, severity="reject", measured=measured, limit=limit)


class Refused(Exception):
    """A check failed after which no other can say anything."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding
