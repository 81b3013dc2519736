"""`baoshen contracts export`: the events' schemas and the AsyncAPI document, as files that others go by."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from deploy.local.places import CHECKOUT

if TYPE_CHECKING:
    from deploy.contracts.compatibility import Change

FOLDER = CHECKOUT / "docs" / "events"
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def export(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a file is stale or a change breaks.")
    ] = False,
    rewrite: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC", help="Publish this topic anew although that breaks it; nobody may use it yet."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the files lie.")] = FOLDER,
) -> None:
    """把事件契约写成文件。Write JSON Schemas and asyncapi.yaml; a change that breaks a published event is refused."""
    # Only now: every service's consumers are read, which takes seconds, and `baoshen --help` has no need of it.
    from deploy.contracts.compatibility import changes
    from deploy.contracts.export import current_schemas, published_schemas, write_files

    try:
        published = published_schemas(folder)
    except ValueError as error:
        _refuse(f"{error}. Restore the file from the last commit and try again.")
    current = current_schemas()
    given_up = set(rewrite or ())
    unknown = sorted(given_up - published.keys() - current.keys())
    if unknown:
        _refuse(f"--rewrite: there is no topic {', '.join(unknown)}. Topics: {', '.join(sorted(current))}.")
    found = changes({topic: schema for topic, schema in published.items() if topic not in given_up}, current)
    breaking = [change for change in found if change.kind == "breaks"]
    _report(found)
    if breaking:
        _err.print(
            f"[red]✗[/red] {len(breaking)} 处改动不兼容，什么都没有写。Nothing was written. Undo what breaks, or tell "
            "it on a new topic (….v2) beside the old one; only a topic that nobody uses yet may be published anew: "
            "--rewrite TOPIC."
        )
        raise typer.Exit(1)
    if check:
        _check(folder)
        return
    try:
        written = write_files(folder)
    except OSError as error:
        _refuse(f"{folder} 无法写入。Can't write there ({error.strerror}); choose another folder with --folder.")
    for name in written:
        _err.print(f"  {name}")
    _err.print(f"[green]✓[/green] {len(written)} 个文件已更新 files brought up to date in {folder}")


def _check(folder: Path) -> None:
    from deploy.contracts.export import stale_files

    stale = stale_files(folder)
    for name in stale:
        _err.print(f"  {name}")
    if stale:
        _err.print(f"[red]✗[/red] {len(stale)} 个文件过期 stale files in {folder}; run: baoshen contracts export")
        raise typer.Exit(1)
    _err.print(f"[green]✓[/green] 契约文件是最新的 the files in {folder} are up to date")


def _report(found: "list[Change]") -> None:
    colours = {"breaks": "red", "widens": "yellow", "adds": "green"}
    for change in found:
        _err.print(f"[{colours[change.kind]}]{change.kind:6}[/] ", end="")
        _err.print(str(change), markup=False)
    if any(change.kind == "widens" for change in found):
        _err.print(
            "[yellow]![/yellow] 先升级所有消费者。Bring all consumers to this version before anybody uses the new room."
        )


def _refuse(message: str) -> NoReturn:
    _err.print(f"[red]✗[/red] {message}")
    raise typer.Exit(2)
