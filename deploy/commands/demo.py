"""`baoshen demo`: the main job, step by step, through the public APIs."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.markup import escape

from deploy import environment
from deploy.commands.printing import err, fail, json_line

NEEDED = (
    "PUBLIC_ORIGIN",
    "SMS_GATEWAY_URL",
    "KAFKA_BOOTSTRAP_SERVERS",
    "MASTER_KEYS",
    "DATA_KEYS_FILE",
    "DATABASE_URL_UPLOAD",
    "DATABASE_URL_REVIEW",
)


def demo(
    start: Annotated[bool, typer.Option("--start", help="Start a stack for the demo alone, on free ports.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per step on standard output.")] = False,
) -> None:
    """Play the main job against the running stack, and see that every step is true.

    Exit code 0 only if all of them were, the final opinion included; 1 otherwise.
    """
    # What draws specimens and starts a stack is not in the production image: it is imported only where it is used.
    from deploy.local.errors import StackError

    try:
        all_true = asyncio.run(_with_own_stack(as_json) if start else _play(environment.load(*NEEDED), as_json))
    except StackError as error:
        fail(str(error))
    raise typer.Exit(0 if all_true else 1)


async def _with_own_stack(as_json: bool) -> bool:
    from deploy.local.throwaway import throwaway_stack

    err.print("starting a stack of its own …")
    async with throwaway_stack() as stack:
        return await _play(stack.environment, as_json)


async def _play(env: Mapping[str, str], as_json: bool) -> bool:
    from deploy.demo.cast import make_cast
    from deploy.demo.story import Outcome, Story
    from shared.contracts.facts import Facts

    cast = make_cast("neimenggu-2021", Facts())
    story = Story(env, cast)
    outcomes: list[Outcome] = []
    async for outcome in story.play():
        outcomes.append(outcome)
        if as_json:
            json_line({"step": outcome.step, "ok": outcome.ok, "ms": outcome.ms})
        mark = "[green]✔[/]" if outcome.ok else "[red]✘[/]"
        err.print(f"{mark} {outcome.step:36} {outcome.ms:8.0f} ms  {escape(outcome.said)}")
    return len(outcomes) == len(story.steps()) and all(outcome.ok for outcome in outcomes)
