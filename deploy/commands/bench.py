"""`baoshen bench …`: measurements, each against a bare rival in the same run, on a stack of its own."""

import logging
import os
import statistics
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from deploy.commands.printing import err, fail, json_line, out

if TYPE_CHECKING:
    from deploy.bench.flow import Result

BAR = 0.9


def flow(
    events: Annotated[int, typer.Option(min=1000, max=1_000_000, help="Events that each run hears.")] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Runs of each, after one that does not count.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Only the last line, on standard output.")] = False,
) -> None:
    """消息吞吐。Events per second through inbox, state and outbox: our router against a bare aiokafka loop.

    Both do the same SQL on the same records, in turns of a quarter of a second. The last line is JSON; `ratio` is of
    the medians.
    """
    # What starts a stack is not in the production image: it is imported only where it is used.
    import asyncio

    import uvicorn

    from deploy.bench.flow import measure
    from deploy.local.errors import StackError

    report_load()
    err.print(f"starting a stack of its own; {rounds} rounds of {events} events each …")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        # The loop that the services run on.
        with asyncio.Runner(loop_factory=uvicorn.Config(app="").get_loop_factory()) as runner:
            result = runner.run(measure(events=events, rounds=rounds, on_round=_report))
    except StackError as error:
        fail(str(error))
    if not as_json:
        _print(result)
    json_line(result.line())


def report_load() -> None:
    """Say so where the machine has been busy for the last minute: more than half of what it can do."""
    load = os.getloadavg()[0]
    if load > (os.cpu_count() or 1) / 2:
        err.print(f"这台机器正忙（负载 {load:.1f}）。The machine is busy (load {load:.1f}): the figures will vary.")


def _report(number: int, ours: float, bare: float) -> None:
    which = f"round {number}" if number else "warm-up"
    err.print(f"{which:8} ours {ours:8,.0f}/s   bare {bare:8,.0f}/s   {ours / bare:.2f}")
    sys.stderr.flush()


def _print(result: "Result") -> None:
    table = Table(box=box.SIMPLE_HEAD, title="消息吞吐 events per second", title_justify="left", show_footer=True)
    line = result.line()
    table.add_column("轮次 round", "中位数 median")
    table.add_column("ours", f"{line['events_per_s']:,}", justify="right")
    table.add_column("bare aiokafka", f"{line['bare_events_per_s']:,}", justify="right")
    reached = "green" if line["ratio"] >= BAR else "yellow"
    table.add_column("ratio", f"[{reached}]{line['ratio']:.2f}[/] (≥ {BAR})", justify="right")
    for number, (ours, bare) in enumerate(zip(result.ours, result.bare, strict=True), 1):
        ours_median, bare_median = statistics.median(ours), statistics.median(bare)
        table.add_row(str(number), f"{ours_median:,.0f}", f"{bare_median:,.0f}", f"{ours_median / bare_median:.2f}")
    out.print(table)


def web(
    visits: Annotated[int, typer.Option(min=1, max=100, help="Visits, after one that does not count.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Only the last line, on standard output.")] = False,
) -> None:
    """网页首屏。Time to the candidate page's first heading on a throttled phone, and its script in KB (compressed).

    `ratio` is of the medians: the heading against the bare document of the same visits. Bars: 1,000 ms and 40 KB.
    """
    import asyncio

    from deploy.bench.web import measure
    from deploy.local.errors import StackError

    err.print(f"starting a stack of its own; {visits} visits …")
    try:
        result = asyncio.run(measure(visits=visits, on_visit=_report_visit))
    except StackError as error:
        fail(str(error))
    line = result.line()
    if not as_json:
        table = Table(box=box.SIMPLE_HEAD, title="网页首屏 first load on a slow phone", title_justify="left")
        for heading in ("", "median", "bar"):
            table.add_column(heading, justify="left" if not heading else "right")
        table.add_row("first heading", f"{line['first_heading_ms']} ms", "1000 ms")
        table.add_row("login can be filled in", f"{line['form_ms']} ms", "")
        table.add_row("bare document", f"{line['document_ms']} ms", "")
        table.add_row("script, compressed", f"{line['script_kb']} KB", "40 KB")
        out.print(table)
    json_line(line)


def _report_visit(number: int, heading: float, document: float) -> None:
    which = f"visit {number}" if number else "warm-up"
    err.print(f"{which:8} heading {heading:6,.0f} ms   bare document {document:6,.0f} ms")


def rules(
    candidates: Annotated[int, typer.Option(min=200, max=1_000_000, help="Candidates, for each pack.")] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="Only the last line, on standard output.")] = False,
) -> None:
    """规则求值。Time to explain one candidate's checklist, as JSON, in every pack; the rival only evaluates bare CEL.

    `ratio` is bare CEL's time by ours, of the medians. Bar: 1,000 µs a candidate.
    """
    from deploy.bench.rules import BAR_US, measure

    report_load()
    result = measure(candidates)
    if not as_json:
        table = Table(box=box.SIMPLE_HEAD, title="规则求值 µs per candidate", title_justify="left")
        table.add_column("规则包 pack")
        for heading in ("median", "p99", "max", "bare CEL", "ratio"):
            table.add_column(heading, justify="right")
        for each in result.lines():
            reached = "green" if each["us_per_candidate"] < BAR_US else "yellow"
            table.add_row(
                each["pack"],
                f"[{reached}]{each['us_per_candidate']:,}[/] (< {BAR_US:,})",
                *(f"{each[name]:,}" for name in ("p99_us", "max_us", "bare_us")),
                f"{each['ratio']:.2f}",
            )
        out.print(table)
    json_line(result.line())
