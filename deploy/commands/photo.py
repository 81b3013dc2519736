"""`baoshen photo check`: check a portrait as the services do, and make the registration photo of it."""

import asyncio
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.commands.photo_keys import key_files
from deploy.commands.printing import err, json_line, out, plainly, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.contracts.rules import Pack, Text
    from shared.contracts.validation import PhotoFinding


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A portrait: jpg or png, at most 10 MB.")],
    application: Annotated[str, typer.Option(metavar="NO", help="The candidate's application number (报名编号).")],
    target: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the registration photo with its receipt there.")
    ] = None,
    pack: Annotated[str, typer.Option(metavar="ID", help="Whose official size: a pack in rules/.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """照片检测。Is this portrait fit to be a registration photo? What passes is cropped, scaled and signed.

    Exit code 0 if it judged, whatever the verdict. Age of the photo and beautification are not judged.
    """
    from pydantic import TypeAdapter, ValidationError

    from shared.contracts.event import ApplicationNo

    try:
        TypeAdapter(ApplicationNo).validate_python(application)
    except ValidationError:
        refuse(f"报名编号 {application!r} 不对。It is no application number: 4 to 32 digits and capital letters.")
    rules = _pack(pack)
    if not file.is_file():
        refuse(f"没有文件 {file}。There is no file {file}.")
    if target is not None and not target.absolute().parent.is_dir():
        refuse(f"没有文件夹 {target.absolute().parent}。There is no folder {target.absolute().parent}.")
    try:
        findings, picture, best = asyncio.run(_judged(file, rules))
    except OSError as error:
        refuse(f"无法读取 {file}。It can't be read ({error.strerror}).")
    written = None
    if picture is not None and target is not None:
        try:
            target.write_bytes(_signed(picture, application, rules))
        except OSError as error:
            refuse(f"无法写入 {target}。It can't be written ({error.strerror}).")
        written = str(target)
    said = [(finding, _words_for(finding.code, best)) for finding in findings]
    _say(file, said, passed=picture is not None, written=written, as_json=as_json)


def _pack(pack_id: str) -> "Pack":
    from deploy.intake.packs import RULES, read_pack

    path = RULES / f"{pack_id}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in RULES.glob("*.yaml")))
        refuse(f"没有规则包 {pack_id}。There is no pack {pack_id!r}. There are: {known}.")
    return read_pack(path).pack


async def _judged(file: Path, pack: "Pack") -> "tuple[tuple[PhotoFinding, ...], bytes | None, str]":
    """What is found, the photo where it passes, and the code of better words where the door refused it."""
    from shared.contracts.validation import PhotoFinding
    from shared.images.envelope import open_envelope
    from shared.images.limits import PORTRAIT, EnvelopeRefused

    with file.open("rb") as opened:
        body = opened.read(PORTRAIT.most_bytes + 1)
    try:
        passed = open_envelope(body, file.name, PORTRAIT)
    except EnvelopeRefused as refused:
        finding = PhotoFinding(code=refused.reason, severity="reject", measured=refused.measured, limit=refused.limit)
        return (finding,), None, refused.words
    # Only now: what the door refuses needs none of what takes a second to read.
    from services.validation.main import portrait_workers
    from services.validation.photos import judge_portrait

    async with portrait_workers() as workers:
        findings, picture = await judge_portrait(workers, passed.body, passed.content_type, pack.photo)
    return findings, picture, ""


def _words_for(code: str, best: str) -> "Text":
    from shared.contracts.findings import words_for
    from shared.contracts.photo_findings import PHOTO_CODES, photo_words_for

    if best == "unsupported_format_heic":
        return photo_words_for("heic")
    return words_for(best) if best and code not in PHOTO_CODES else photo_words_for(code)


def _signed(picture: bytes, application_no: str, pack: "Pack") -> bytes:
    from services.validation.photos import signed_photo
    from shared import clock
    from shared.security.photo_keys import PhotoKeysUnreadable, SigningKeys

    files = key_files()
    try:
        if files.make_first(clock.now().replace(microsecond=0)) is not None:
            err.print(f"已生成第一个签名密钥。The first key to sign with was made in {files.private}.")
        key = SigningKeys(files.private).current()
    except (PhotoKeysUnreadable, OSError) as problem:
        refuse(f"无法签名。It can't be signed: {problem}.")
    signed, _ = signed_photo(picture, application_no, f"{pack.id}@{pack.version}", pack.photo, key)
    return signed


def _say(
    file: Path, said: "Sequence[tuple[PhotoFinding, Text]]", *, passed: bool, written: str | None, as_json: bool
) -> None:
    if as_json:
        findings: list[dict[str, Any]] = [
            finding.model_dump(mode="json") | {"words": words.model_dump()} for finding, words in said
        ]
        verdict = "pass" if passed else "fail"
        json_line({"file": str(file), "verdict": verdict, "findings": findings, "out": written})
        return
    out.print(f"[green]✔ 通过 pass[/]  {plainly(file)}" if passed else f"[red]✘ 未通过 fail[/]  {plainly(file)}")
    for finding, words in said:
        mark = "[red]✘[/]" if finding.severity == "reject" else "[yellow]·[/]"
        out.print(f"{mark} {finding.code}{_figures(finding)}: {words.zh} {words.en}", highlight=False, soft_wrap=True)
    if written:
        body = Path(written).read_bytes()
        out.print(
            f"{plainly(written)}: {len(body):,} bytes, sha256 {hashlib.sha256(body).hexdigest()}",
            highlight=False,
            soft_wrap=True,
        )


def _figures(finding: "PhotoFinding") -> str:
    if finding.measured is None:
        return ""
    return (
        f" ({finding.measured:.3g})"
        if finding.limit is None
        else f" ({finding.measured:.3g}, limit {finding.limit:.3g})"
    )
