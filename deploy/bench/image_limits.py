"""How often the limits in force are wrong: false alarms and misses of each check over the labelled corpus.

`limits.toml` quotes these tables. A folder of sample files with a manifest can be measured beside the corpus.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from deploy.corpus import Sample, corpus
from deploy.corpus.papers import SPECIMENS, rng_for, specimen
from deploy.corpus.spoiling import filed, noisy, sized
from deploy.specimens import draw
from services.validation.decoding import look
from services.validation.domain import Check, Kind, Look, judge, rejected
from services.validation.png import PNG_MAGIC
from services.validation.quality.limits import in_force
from services.validation.quality.similar import distance
from shared.images.envelope import EnvelopeRefused, open_envelope

CODES = ("blank", "too_dark", "blurred", "low_contrast", "orientation")


@dataclass(frozen=True)
class ClassRow:
    """What became of the samples of one class."""

    of: str
    label: str
    code: str
    count: int
    accepted: int
    review: int
    rejected: int
    reasons: dict[str, int]  # of those that were not accepted


@dataclass(frozen=True)
class CheckRow:
    """One check: wrongly refused or doubted among the sound, let through among the bad."""

    code: str
    sound: int
    falsely_rejected: int
    falsely_reviewed: int
    bad: int
    rejected: int
    reviewed: int
    missed: int


@dataclass(frozen=True)
class DistanceRow:
    """Distances of fingerprints of pairs of pictures: least, median, most, and how many are near."""

    pairs: str
    count: int
    least: float
    median: float
    most: float
    near: int


@dataclass(frozen=True)
class SampleRow:
    """A sample file that was judged otherwise than its manifest says, or as it says."""

    file: str
    strictness: str
    expected: str
    verdict: str
    reason: str
    is_right: bool


@dataclass(frozen=True)
class Tables:
    """All that was measured."""

    checks: list[CheckRow] = field(default_factory=list)
    classes: list[ClassRow] = field(default_factory=list)
    distances: list[DistanceRow] = field(default_factory=list)
    samples: list[SampleRow] = field(default_factory=list)


def measure(per_class: int, seed: int, folder: Path | None = None) -> Tables:
    """Judge the corpus, and the files of a folder if there is one, by the limits in force.

    Args:
        per_class: samples of each class, a fifth of a second each; 0: the folder alone.
        seed: of the corpus.
        folder: has a `manifest.json` with `entries` that tell `file`, `expected`, `strictness` and `profile`.
    """
    samples = [] if folder is None else sample_rows(folder)
    if per_class == 0:
        return Tables(samples=samples)
    seen = [(each, _looked_at(each.body)) for each in corpus(per_class, seed)]
    return Tables(
        [_check_row(code, seen) for code in CODES],
        [_class_row(of, seen) for of in dict.fromkeys(each.of for each, _ in seen)],
        list(_distance_rows(max(2, per_class // 2), seed)),
        samples,
    )


def _looked_at(body: bytes, kind: Kind = "document") -> Look:
    declared = "image/png" if body.startswith(PNG_MAGIC) else "image/jpeg"
    return look(body, hashlib.sha256(body).hexdigest(), declared, kind)


def _class_row(of: str, looks: list[tuple[Sample, Look]]) -> ClassRow:
    mine = [(each, seen.check) for each, seen in looks if each.of == of]
    verdicts = Counter(check.verdict for _, check in mine)
    reasons = Counter(check.reason for _, check in mine if check.verdict != "accept")
    first = mine[0][0]
    return ClassRow(
        of,
        first.label,
        first.code,
        len(mine),
        verdicts["accept"],
        verdicts["review"],
        verdicts["reject"],
        dict(reasons),
    )


def _check_row(code: str, looks: list[tuple[Sample, Look]]) -> CheckRow:
    sound = [_severity(code, seen) for each, seen in looks if each.label == "sound"]
    bad = [_severity(code, seen) for each, seen in looks if each.label == "bad" and each.code == code]
    return CheckRow(
        code, len(sound), sound.count("reject"), sound.count("review"),
        len(bad), bad.count("reject"), bad.count("review"), bad.count(""),
    )  # fmt: skip


def _severity(code: str, seen: Look) -> str:
    return next((finding.severity for finding in seen.check.findings if finding.code == code), "")


def _distance_rows(count: int, seed: int) -> Iterable[DistanceRow]:
    """The same picture saved anew, the same template for other persons, and different papers."""
    first = {kind: _print_of(draw(kind, seed=seed)) for kind in SPECIMENS}
    again, others = [], []
    for number in range(count):
        kind = SPECIMENS[number % len(SPECIMENS)]
        rng = rng_for(kind, seed + number)
        picture = noisy(sized(specimen(kind, seed), int(rng.integers(700, 1700))), 2, rng)
        again.append(distance(first[kind], _print_of(filed(picture, int(rng.integers(35, 90))))))
        others.append(distance(first[kind], _print_of(draw(kind, seed=seed + 1 + number))))
    yield _distance_row("saved anew", again)
    yield _distance_row("same template, other person", others)
    yield _distance_row("other paper", [distance(one, other) for one, other in combinations(first.values(), 2)])


def _print_of(body: bytes) -> bytes:
    seen = _looked_at(body, "codec").fingerprint
    if seen is None:
        raise ValueError("a picture that was drawn can't be decoded")
    return seen


def _distance_row(pairs: str, apart: list[float]) -> DistanceRow:
    ordered = sorted(apart)
    near = sum(one <= in_force().near_duplicate.most_different for one in ordered)
    return DistanceRow(pairs, len(ordered), ordered[0], ordered[len(ordered) // 2], ordered[-1], near)


def sample_rows(folder: Path) -> list[SampleRow]:
    """The verdict on every file that a manifest names, door and look together."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [_sample_row(folder, entry) for entry in manifest["entries"] if (folder / entry["file"]).is_file()]


def _sample_row(folder: Path, entry: dict[str, Any]) -> SampleRow:
    check = judged((folder / entry["file"]).read_bytes(), entry["upload_name"], entry["profile"])
    allowed = {entry["expected"], entry.get("also_ok", {}).get("verdict", entry["expected"])}
    is_right = entry["strictness"] == "advisory" or check.verdict in allowed
    return SampleRow(entry["file"], entry["strictness"], entry["expected"], check.verdict, check.reason, is_right)


def judged(body: bytes, name: str, kind: Kind) -> Check:
    """The verdict of door and look together, on a file as a candidate sends it."""
    try:
        enveloped = open_envelope(body, name)
    except EnvelopeRefused as refused:
        return judge([rejected(refused.reason, refused.measured, refused.limit)], {})
    return _looked_at(enveloped.body, kind).check
