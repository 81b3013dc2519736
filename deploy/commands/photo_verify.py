"""`baoshen photo verify FILE`: whether a registration photo's receipt is ours, unchanged and still good."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from deploy import environment
from deploy.commands.photo_keys import key_files
from deploy.commands.printing import err, json_line, out, refuse
from deploy.local.errors import BadSetting

if TYPE_CHECKING:
    from shared.images.receipt import Receipt

LARGEST = 10_000_000
"""No checked photo is anywhere near so large."""


def verify(
    file: Annotated[Path, typer.Argument(help="The photo, as it was handed in.")],
    application: Annotated[
        str | None, typer.Option(metavar="NO", help="Must be this candidate's application number.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="PUBLICFILE", help="Public keys; without it, those of this system.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """验证照片的检测凭证。Verify a checked photo with public keys only. Exit code 0: valid, 1: refused, 2: bad use."""
    from deploy.local.moment import now_in
    from shared.contracts.photo_receipts import receipt_words_for
    from shared.images import receipt
    from shared.security.photo_keys import PhotoKeysUnreadable, PublicKeys

    if application is not None and not re.fullmatch(r"[0-9A-Z]{4,32}", application):
        refuse(
            f"--application {application!r} 不是报名编号。An application number is 4 to 32 digits or capital letters."
        )
    content = _content(file)
    try:
        found = receipt.verify(
            content,
            PublicKeys(keys or key_files().public),
            application_no=application,
            now=now_in(environment.load()),
        )
    except receipt.ReceiptRefused as refused:
        words = receipt_words_for(refused.reason)
        if as_json:
            json_line({"file": str(file), "valid": False, "reason": refused.reason, "words": words.model_dump()})
        err.print(f"✗ {file}: {refused.reason}\n  {words.zh}\n  {words.en}", style="red", markup=False)
        raise typer.Exit(1) from None
    except PhotoKeysUnreadable as problem:
        refuse(f"公钥文件无法读取。{problem}.")
    except BadSetting as problem:
        refuse(str(problem))
    if as_json:
        json_line({"file": str(file), "valid": True, **_as_json(found)})
        return
    _show(file, found)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as problem:
        refuse(f"{file} 无法读取。It can't be read ({problem.strerror}).")
    if len(content) > LARGEST:
        refuse(f"{file} 超过 10 MB，不是报名照片。It is over 10 MB, which no registration photo is.")
    return content


def _as_json(receipt: "Receipt") -> dict[str, object]:
    return {
        "application_no": receipt.application_no,
        "issued_at": receipt.issued_at.isoformat(),
        "expires_at": receipt.expires_at.isoformat(),
        "key_id": receipt.key_id,
        "nonce": receipt.nonce,
        "pack": receipt.pack,
        "sha256": receipt.sha256,
    }


def _show(file: Path, receipt: "Receipt") -> None:
    out.print("[green]✓[/green] 凭证有效。The receipt is valid:", Text(str(file)), soft_wrap=True)
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column()
    facts.add_column(overflow="fold")
    for name, value in _as_json(receipt).items():
        facts.add_row(Text(f"  {name}", style="cyan"), Text(str(value)))
    out.print(facts)
