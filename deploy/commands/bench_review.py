"""`baoshen bench review`: reviewers at work, lists at two sizes, and a publication."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from deploy.commands.bench import report_load
from deploy.commands.printing import err, fail, json_line, out, refuse

RATIO, PUBLISHED_S = 1.5, 60


def review(
    many: Annotated[
        int, typer.Option("--applications", min=200, max=5_000_000, help="Applications in the large database.")
    ] = 1_000_000,
    few: Annotated[int, typer.Option(min=200, max=100_000, help="Applications in the small one.")] = 1_000,
    reviewers: Annotated[int, typer.Option(min=2, max=200, help="Reviewers who work at once.")] = 50,
    decisions: Annotated[int, typer.Option(min=2, max=20_000, help="What they do together.")] = 1_500,
    published: Annotated[int, typer.Option(min=1, max=1_000_000, help="Opinions that are published.")] = 100_000,
    as_json: Annotated[bool, typer.Option("--json", help="Only the last line, on standard output.")] = False,
) -> None:
    """审核性能。Decisions per second of many reviewers at once, lists at two sizes side by side, and a publication.

    The last line is JSON: `queue_ratio` is the median time of a page among many applications by that among few.
    """
    if decisions > many // 5:
        refuse(f"--decisions is {many // 5} at most among {many} applications: more do not wait for each tier.")
    # What starts a stack is not in the production image: it is imported only where it is used.
    import asyncio

    from deploy.bench.review import BenchFailed, Sizes, measure
    from deploy.local.errors import StackError

    report_load()
    err.print("starting a stack of its own …")
    sizes = Sizes(few=few, many=many, reviewers=reviewers, decisions=decisions, published=published)
    try:
        result = asyncio.run(measure(sizes, err.print))
    except (StackError, BenchFailed) as error:
        fail(str(error))
    except TimeoutError:
        fail("五分钟内没有完成，机器太忙。It did not end within five minutes: the machine is too busy, or too small.")
    line = result.line()
    if not as_json:
        table = Table(box=box.SIMPLE_HEAD, title="审核 staff at work", title_justify="left")
        for heading in ("", "measured", "bar"):
            table.add_column(heading, justify="left" if not heading else "right")
        table.add_row(f"decisions of {reviewers} reviewers", f"{line['decisions_per_s']:,}/s", "")
        table.add_row("an act, p99", f"{line['p99_ms']:,} ms", "")
        table.add_row(f"a page among {few:,}", f"{line['queue_ms_1k']} ms", "")
        table.add_row(f"a page among {many:,}", f"{line['queue_ms_1m']} ms", "")
        table.add_row("ratio", f"{line['queue_ratio']}", f"≤ {RATIO}")
        table.add_row(f"publishing {published:,}", f"{line['publish_100k_s']} s", f"< {PUBLISHED_S} s")
        out.print(table)
    json_line(line)
