"""`baoshen images check`: judge image files as the services do, door and look, with no stack running."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from deploy.commands.printing import json_line, out, plainly, refuse, wide

if TYPE_CHECKING:
    from services.validation.domain import Check
    from services.validation.workers import Workers

MOST_FILES = 100_000


class Kind(StrEnum):
    """What the files are images of."""

    document = "document"
    portrait = "portrait"
    codec = "codec"


@dataclass(frozen=True)
class _Judged:
    file: str
    check: "Check"
    ms: float
    stored_sha256: str | None
    words: str = ""  # the code whose words fit better than the reason's


def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Image files, or folders of them.")],
    kind: Annotated[
        Kind, typer.Option(help="codec: integrity and safety only; portrait: people are less sharp than papers.")
    ] = Kind.document,
    stored: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write what would be stored there, metadata stripped.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per file on standard output.")] = False,
) -> None:
    """检查图片。What upload and validation say of image files: accept, review or reject, and why.

    The same code as the services, in worker processes with the same limits. Exit code 0 if it judged them all.
    """
    files = _files(paths)
    if stored is not None:
        try:
            stored.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            refuse(f"{stored} 无法写入。It can't be written to ({error.strerror}); give --stored another folder.")
    _limits_must_be_good()
    judged = asyncio.run(_judge_all(files, kind, stored, as_json=as_json))
    if not as_json:
        _print(judged)


def _limits_must_be_good() -> None:
    from services.validation.quality.limits import BadLimits, in_force

    try:
        in_force()
    except BadLimits as problem:
        refuse(f"阈值文件有误。The file of limits is wrong: {problem}")


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if each.is_file())
        elif path.is_file():
            found.append(path)
        else:
            refuse(f"没有文件 {path}。There is no file {path}. Give paths of image files, or of folders with images.")
        if len(found) > MOST_FILES:
            refuse(f"文件太多。More than {MOST_FILES} files: check them folder by folder.")
    for each in found:
        if not os.access(each, os.R_OK):
            refuse(f"无法读取 {each}。It can't be read: check its permissions.")
    if not found:
        refuse("没有图片。There is no file in there. Give paths of image files, or of folders with images.")
    return found


async def _judge_all(files: Sequence[Path], kind: Kind, stored: Path | None, *, as_json: bool) -> list[_Judged]:
    # OpenCV and its company take a second: `baoshen --help` has no need of them.
    from services.validation.main import look_workers

    judged: list[_Judged] = []
    names: set[str] = set()
    count = max(min(os.cpu_count() or 1, len(files)), 1)
    async with look_workers(count) as workers:
        await workers.ready()
        for start in range(0, len(files), count):
            some = files[start : start + count]
            done = await asyncio.gather(*(_judge(path, kind, workers) for path in some))
            for path, (each, body) in zip(some, done, strict=True):
                if stored is not None and body is not None:
                    (stored / _free_name(path.name, names)).write_bytes(body)
                judged.append(each)
                if as_json:
                    json_line(_line(each))
    return judged


async def _judge(path: Path, kind: Kind, workers: "Workers") -> tuple[_Judged, bytes | None]:
    from services.validation.domain import judge, rejected
    from services.validation.pictures import look_at, look_of
    from services.validation.use_cases.suspects import TOO_COMPLEX
    from shared.images.envelope import open_envelope
    from shared.images.limits import MATERIAL, EnvelopeRefused

    began = time.perf_counter()
    with path.open("rb") as file:
        body = file.read(MATERIAL.most_bytes + 1)
    try:
        opened = open_envelope(body, path.name)
    except EnvelopeRefused as refused:
        check = judge([rejected(refused.reason, refused.measured, refused.limit)], {})
        return _Judged(str(path), check, _ms(began), None, refused.words), None
    sha256 = _sha256(opened.body)
    done = await workers.run(look_at(opened.body, sha256, opened.content_type, kind=kind.value))
    look = TOO_COMPLEX if done is None else look_of(done)
    return _Judged(str(path), look.check, _ms(began), sha256), opened.body


def _sha256(body: bytes) -> str:
    import hashlib

    return hashlib.sha256(body).hexdigest()


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


def _free_name(name: str, taken: set[str]) -> str:
    stem, suffix = Path(name).stem, Path(name).suffix
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{stem}-{number}{suffix}"
    taken.add(free)
    return free


def _line(judged: _Judged) -> dict[str, Any]:
    from shared.contracts.findings import words_for

    return {
        "file": judged.file,
        "verdict": judged.check.verdict,
        "reason": judged.check.reason,
        "findings": [
            finding.model_dump(mode="json") | {"words": words_for(judged.words or finding.code).model_dump()}
            for finding in judged.check.findings
        ],
        "ms": judged.ms,
        "stored_sha256": judged.stored_sha256,
    }


def _print(judged: Sequence[_Judged]) -> None:
    from shared.contracts.findings import words_for

    table = Table(box=box.SIMPLE_HEAD, title="图片检查 images", title_justify="left")
    for heading in ("file", "verdict", "reason", "measured", "limit", "ms"):
        table.add_column(heading, justify="right" if heading in {"measured", "limit", "ms"} else "left")
    colours = {"accept": "green", "review": "yellow", "reject": "red"}
    for each in judged:
        gravest = each.check.findings[0] if each.check.findings else None
        measured, limit = (gravest.measured, gravest.limit) if gravest else (None, None)
        table.add_row(
            plainly(each.file),
            f"[{colours[each.check.verdict]}]{each.check.verdict}[/]",
            each.check.reason,
            *("" if value is None else f"{value:,.4g}" for value in (measured, limit)),
            f"{each.ms:,.0f}",
        )
    wide().print(table)
    said = ((finding.code, each.words or finding.code) for each in judged for finding in each.check.findings)
    for code, best in dict.fromkeys(said):
        words = words_for(best)
        out.print(f"{code}: {words.zh} {words.en}", highlight=False, soft_wrap=True)
