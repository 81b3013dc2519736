"""`baoshen bench images`: how fast images are looked at, and how often the limits in force are wrong."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from deploy.commands.bench import report_load
from deploy.commands.printing import err, fail, json_line, out, refuse

if TYPE_CHECKING:
    from deploy.bench.image_limits import Tables

PER_CLASS = 12
_WORDS = {"check", "class", "label", "reasons", "pairs", "file", "strictness", "expected", "verdict", "reason"}
BAR, CHECK_BAR, DOOR_BAR_US = 0.85, 7.0, 1000


def images(
    count: Annotated[int, typer.Option("--images", min=64, max=100_000, help="Images in each round.")] = 480,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds of each, after one that does not count.")] = 5,
    limits: Annotated[
        int | None,
        typer.Option(
            min=0, max=1000, help="Pictures of each class of the corpus; 0, and --json, leave the tables out."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the corpus.")] = 1,
    samples: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Sample files with a manifest.json, judged beside the corpus.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the last line, on standard output.")] = False,
) -> None:
    """图片检查速度。Images per second through the running service, against a bare process pool doing the same checks.

    It also draws a corpus of labelled pictures and says how often each check is wrong at the limits in force. The last
    line is JSON; `ratio` is the median of the rounds'.
    """
    # What starts a stack is not in the production image: it is imported only where it is used.
    from deploy.bench.image_limits import measure as measure_limits
    from deploy.bench.images import measure
    from deploy.local.errors import StackError

    if samples is not None and not (samples / "manifest.json").is_file():
        refuse(
            f"没有 {samples}/manifest.json。There is no manifest.json in {samples}. "
            "Give --samples a folder of sample files with one."
        )
    report_load()
    per_class = limits if limits is not None else 0 if as_json else PER_CLASS
    if per_class or samples is not None:
        err.print(f"drawing and judging {per_class} pictures of each class …")
        _print_limits(measure_limits(per_class, seed, samples), err if as_json else out)
    err.print(f"starting a stack of its own; {rounds} rounds of {count} images each …")
    try:
        result = asyncio.run(measure(images=count, rounds=rounds, on_round=_report))
    except StackError as error:
        fail(str(error))
    line = result.line()
    if not as_json:
        table = Table(box=box.SIMPLE_HEAD, title="图片检查 looking at images", title_justify="left")
        for heading in ("", "median", "bar"):
            table.add_column(heading, justify="left" if not heading else "right")
        table.add_row("door, CPU", f"{line['door_us']:,} µs", f"≤ {DOOR_BAR_US:,} µs")
        table.add_row("strict whole decode", f"{line['decode_ms']} ms", "")
        table.add_row("look", f"{line['check_ms']} ms", "")
        table.add_row("look ÷ decode", f"{line['ratio_check_to_decode']}", f"≤ {CHECK_BAR:.0f}")
        table.add_row("service", f"{line['images_per_s']}/s", "")
        table.add_row("bare process pool", f"{line['bare_images_per_s']}/s", "")
        table.add_row("ratio", f"{line['ratio']}", f"≥ {BAR}")
        calm, among = result.p95_ms()
        table.add_row("uploaded to checked, p95", f"{calm} ms", "")
        table.add_row("… among bombs", f"{among} ms = {among / calm:.2f} ×", "≤ 2 ×")
        out.print(table)
    json_line(line)


def _report(number: int, ours: float, bare: float) -> None:
    which = f"round {number}" if number else "warm-up"
    err.print(f"{which:8} service {ours:7.1f}/s   bare pool {bare:7.1f}/s   {ours / bare:.2f}")


def _print_limits(tables: "Tables", console: Console) -> None:
    table = _table(
        "误判率 how often a check is wrong", "check", "sound", "rejected", "review", "bad", "caught", "missed"
    )
    for each in tables.checks:
        table.add_row(
            each.code,
            *(str(each.sound), str(each.falsely_rejected), str(each.falsely_reviewed)),
            *(str(each.bad), str(each.rejected + each.reviewed), str(each.missed)),
        )
    console.print(table)
    table = _table("各类图片 classes of the corpus", "class", "label", "count", "accept", "review", "reject", "reasons")
    for of in tables.classes:
        reasons = ", ".join(f"{code} {count}" for code, count in of.reasons.items())
        counts = (str(of.count), str(of.accepted), str(of.review), str(of.rejected))
        table.add_row(of.of, of.label, *counts, reasons)
    console.print(table)
    table = _table("指纹距离 distances of fingerprints", "pairs", "count", "least", "median", "most", "near")
    for pair in tables.distances:
        table.add_row(
            pair.pairs, str(pair.count), *(f"{x:.3f}" for x in (pair.least, pair.median, pair.most)), str(pair.near)
        )
    console.print(table)
    if tables.samples:
        table = _table("样本文件 sample files judged otherwise", "file", "strictness", "expected", "verdict", "reason")
        for sample in tables.samples:
            if not sample.is_right:
                table.add_row(sample.file, sample.strictness, sample.expected, sample.verdict, sample.reason)
        console.print(table)
        wrong = sum(not sample.is_right for sample in tables.samples)
        console.print(f"{len(tables.samples)} files, {wrong} judged otherwise than the manifest says")


def _table(title: str, *headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in _WORDS else "right")
    return table
