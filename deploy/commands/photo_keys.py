"""`baoshen photo keys …`: the keys that sign the receipts of checked photos."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from deploy import environment
from deploy.commands.printing import err, fail, json_line, out, refuse, wide
from deploy.local.places import home_folder

if TYPE_CHECKING:
    from shared.security.photo_keys import PhotoKey, PhotoKeyFiles

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per key on standard output.")]


def new(as_json: JsonOption = False) -> None:
    """生成新密钥。Make a key: it signs from now on. Older ones go on verifying until they are retired."""
    files = key_files()
    with _files_must_do():
        made = files.new(datetime.now(UTC))
    _show(made, files, as_json)
    if not as_json:
        err.print(f"✓ 已生成 {made.id}，此后的照片由它签名。Made; it signs from now on.", style="green", markup=False)
        err.print(f"请把公钥文件发给所有验证方。Give the public file to whoever verifies: {files.public}", markup=False)


def list_(as_json: JsonOption = False) -> None:
    """列出密钥。Every key: when it was made, when it was retired, and which one signs."""
    files = key_files()
    with _files_must_do():
        keys = files.all()
    if as_json:
        for key in keys:
            json_line(_as_json(key, files))
        return
    if not keys:
        out.print(f"没有密钥。There are no keys in {files.private}; make one: baoshen photo keys new", soft_wrap=True)
        return
    table = Table(box=box.SIMPLE_HEAD, title="照片检测的密钥 keys of the photo check", title_justify="left")
    for name in ("id", "created 生成", "retired 停用", "use 用途"):
        table.add_column(name, no_wrap=True)
    for key in keys:
        table.add_row(key.id, _said(key.created_at), _said(key.retired_at), _use(key))
    wide().print(table)


def retire(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Its id in the list.")], as_json: JsonOption = False
) -> None:
    """停用密钥。Trust a key no longer. Photos that it signed and that were not handed in must be checked again."""
    from shared.security.photo_keys import UnknownPhotoKey

    files = key_files()
    try:
        with _files_must_do():
            retired = files.retire(key_id, datetime.now(UTC))
            signs = any(key.signs for key in files.all())
    except UnknownPhotoKey:
        refuse(f"没有密钥 {key_id}。There is no key {key_id}; see: baoshen photo keys list")
    _show(retired, files, as_json)
    if not as_json:
        err.print(f"✓ {key_id} 已停用。Retired since {_said(retired.retired_at)}.", style="green", markup=False)
    if not signs:
        err.print(
            "现在没有可签名的密钥，照片检测无法通过。No key signs now, so no photo passes: baoshen photo keys new",
            style="yellow",
        )


def key_files() -> "PhotoKeyFiles":
    """The files that this process's environment names, else those of the stack, else those of the home folder."""
    from deploy.local.photo_keys import PRIVATE, PUBLIC, photo_key_files

    own = {name: os.environ[name] for name in (PRIVATE, PUBLIC) if os.environ.get(name)}
    # Never one of the caller's own with one of the stack's: they would be mixed.
    return photo_key_files(own or environment.load(), home_folder())


@contextmanager
def _files_must_do() -> Iterator[None]:
    from shared.security.photo_keys import PhotoKeysUnreadable

    try:
        yield
    except PhotoKeysUnreadable as problem:
        fail(f"密钥文件无法读取。{problem}.")
    except OSError as problem:
        fail(f"密钥文件无法写入。{problem.filename}: can't be written ({problem.strerror}).")


def _show(key: "PhotoKey", files: "PhotoKeyFiles", as_json: bool) -> None:
    if as_json:
        json_line(_as_json(key, files))
    else:
        out.print(key.id)


def _as_json(key: "PhotoKey", files: "PhotoKeyFiles") -> dict[str, object]:
    return {
        "id": key.id,
        "created_at": key.created_at.isoformat(),
        "retired_at": key.retired_at and key.retired_at.isoformat(),
        "signs": key.signs,
        "public_keys_file": str(files.public),
    }


def _said(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "—"


def _use(key: "PhotoKey") -> str:
    if key.retired_at:
        return "[red]retired 已停用[/red]"
    return "[green]signs 签名[/green]" if key.signs else "verifies 仅验证"
