"""`baoshen specimens DIR`: draw the specimen images into a folder, with a manifest of what is there."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.table import Table

MANIFEST = "manifest.json"
_TOOL = "baoshen specimens"
_FAULTY_KIND = "diploma"


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    kind: str
    item: str | None
    media_type: str
    content: bytes
    fault: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def entry(self) -> dict[str, Any]:
        """The line about this file, in the manifest and with `--json`."""
        entry = {"file": self.name, "kind": self.kind, "item": self.item, "media_type": self.media_type}
        return entry | {"bytes": len(self.content), "sha256": self.sha256, "fault": self.fault}


def specimens(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to draw into; made if it is missing.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another invented person; same seed, same files.")] = 1,
    faulty: Annotated[
        bool, typer.Option("--faulty", help=f"Also the {_FAULTY_KIND} blurred, dark, turned, cut off, …")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per file on stdout.")] = False,
) -> None:
    """画一套演示用的材料图片（样本）。Draw realistic specimen papers of an invented person, all marked 样本."""
    if directory.exists() and not directory.is_dir():
        _refuse(f"{directory} 不是文件夹。It is a file; give a folder, which is made if it does not exist.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with Console(stderr=True).status("正在绘制 drawing …"):
            drawn, person = _draw_all(seed, faulty=faulty)
        earlier = _vouched(directory)
        foreign = _foreign(directory, drawn, earlier)
        if foreign:
            named = ", ".join(foreign[:5]) + (" …" if len(foreign) > 5 else "")
            _refuse(
                f"{directory} 里已有别的文件：{named}。They were not written by this command, or changed since; "
                "move them away or choose another folder. Nothing was written."
            )
        for file in drawn:
            _write(directory / file.name, file.content)
        # The manifest goes last: a run that was cut short leaves files that the same seed may write again.
        _write(directory / MANIFEST, _manifest(seed, person, drawn, earlier or {}))
    except ModuleNotFoundError as missing:
        _refuse(f"缺少绘图组件。The package {missing.name}, which draws, is not installed; run: uv sync --group local")
    except OSError as error:
        _refuse(f"{directory} 无法写入。Cannot write there ({error.strerror}); choose a folder that you may write to.")
    _report(directory, drawn, str(person["name"]), as_json=as_json)


def _draw_all(seed: int, *, faulty: bool) -> tuple[list[_File], dict[str, Any]]:
    # Only here: the service image has neither NumPy nor the fonts, and must still start the command line.
    from deploy import specimens as drawing

    person = drawing.invented_person(seed)
    # Drawing is Pillow and NumPy, which let go of the interpreter lock: two cores halve the 7 s.
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
        images = list(threads.map(lambda kind: drawing.draw(kind, person=person, seed=seed), drawing.KINDS))
        drawn = [
            _File(drawing.file_name(kind), kind, drawing.ITEMS[kind], drawing.media_type(kind), image)
            for kind, image in zip(drawing.KINDS, images, strict=True)
        ]
        if faulty:
            good = next(file for file in drawn if file.kind == _FAULTY_KIND)
            spoiled = threads.map(lambda fault: drawing.spoil(good.content, fault, seed), drawing.FAULTS)
            for fault, image in zip(drawing.FAULTS, spoiled, strict=True):
                media_type = "image/webp" if fault == "wrong_type" else good.media_type
                drawn.append(_File(f"{_FAULTY_KIND}_{fault}.jpg", good.kind, good.item, media_type, image, fault))
    return drawn, asdict(person) | {"birth": person.birth.isoformat()}


def _vouched(directory: Path) -> dict[str, str] | None:
    """What the folder's manifest says we wrote, as name and SHA-256; None if the manifest is not ours."""
    manifest = directory / MANIFEST
    if not os.path.lexists(manifest):
        return {}
    try:
        told = json.loads(manifest.read_bytes())
        if told["tool"] != _TOOL:
            return None
        return {str(entry["file"]): str(entry["sha256"]) for entry in [*told["specimens"], *told["earlier"]]}
    except (ValueError, KeyError, TypeError, IsADirectoryError):
        return None


def _foreign(directory: Path, drawn: list[_File], vouched: dict[str, str] | None) -> list[str]:
    """Names we would overwrite although they are not, or no longer, what we wrote."""
    foreign = [MANIFEST] if vouched is None else []
    for file in drawn:
        path = directory / file.name
        if not os.path.lexists(path):
            continue
        present = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if present is None or present not in ((vouched or {}).get(file.name), file.sha256):
            foreign.append(file.name)
    return foreign


def _manifest(seed: int, person: dict[str, Any], drawn: list[_File], earlier: dict[str, str]) -> bytes:
    written = {file.name for file in drawn}
    left = [{"file": name, "sha256": sha256} for name, sha256 in earlier.items() if name not in written]
    told = {"tool": _TOOL, "seed": seed, "person": person, "specimens": [file.entry() for file in drawn]}
    return (json.dumps(told | {"earlier": left}, ensure_ascii=False, indent=2) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: whoever reads the folder meanwhile never sees half an image."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".specimen-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _report(directory: Path, drawn: list[_File], name: str, *, as_json: bool) -> None:
    if as_json:
        for file in drawn:
            typer.echo(json.dumps(file.entry(), ensure_ascii=False))
        return
    table = Table(
        title=f"样本 specimens · {name}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("文件 file", no_wrap=True)
    table.add_column("材料项 item", no_wrap=True)
    table.add_column("KB", justify="right")
    table.add_column("sha256")
    for file in drawn:
        table.add_row(file.name, file.item or "—", f"{len(file.content) / 1024:.1f}", file.sha256[:8])
    console = Console()
    console.print(table)
    console.print(f"{len(drawn)} 个文件 files → {directory}", highlight=False, soft_wrap=True)


def _refuse(message: str) -> NoReturn:
    Console(stderr=True).print(f"[red]✗[/red] {message}", highlight=False, soft_wrap=True)
    raise typer.Exit(2)
