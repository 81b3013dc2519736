"""`baoshen demo`: the main job, step by step, through the public APIs."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from deploy import environment
from deploy.commands.printing import err, fail, json_line, refuse

if TYPE_CHECKING:
    from deploy.demo.story import Outcome, Story

NEEDED = (
    "PUBLIC_ORIGIN",
    "SMS_GATEWAY_URL",
    "KAFKA_BOOTSTRAP_SERVERS",
    "MASTER_KEYS",
    "DATA_KEYS_FILE",
    "DATABASE_URL_UPLOAD",
    "DATABASE_URL_REVIEW",
    "CAPTCHA_TEST_ANSWER",
    "PHOTO_PUBLIC_KEYS_FILE",
    "AUDIT_SIGNING_KEY",
)


def demo(
    pack: Annotated[
        str, typer.Option("--pack", metavar="PACK", help="Whose rules: the name of a file in rules/, without .yaml.")
    ] = "neimenggu-2021",
    story: Annotated[
        str,
        typer.Option(
            "--story",
            metavar="STORY",
            help="What staff do: pass, return, send-back, second-reviewer, disqualify, withdraw, publish, or all. "
            "Left out: the pack's own story, from the rules to the final opinion.",
        ),
    ] = "",
    start: Annotated[bool, typer.Option("--start", help="Start a stack for the demo alone, on free ports.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per step on standard output.")] = False,
) -> None:
    """Play a pack's story against the running stack, and see that every step is true.

    Exit code 0 only if all of them were, the final opinion included; 1 otherwise.
    """
    # What draws specimens and starts a stack is not in the production image: it is imported only where it is used.
    from deploy.demo.decisions import story_names
    from deploy.demo.stories import pack_names
    from deploy.intake.tables import BadFile
    from deploy.local.errors import StackError

    if pack not in pack_names():
        refuse(f"没有规则包 {pack}。There is no pack {pack!r}. There are: {', '.join(pack_names())}.")
    if story and story not in story_names():
        refuse(f"没有故事 {story}。There is no story {story!r}. There are: {', '.join(story_names())}.")
    try:
        if start:
            play = _with_own_stack(pack, story, as_json)
        else:
            play = _play(pack, story, environment.load(*NEEDED), as_json)
        all_true = asyncio.run(play)
    except BadFile as error:
        refuse(str(error))
    except StackError as error:
        fail(str(error))
    raise typer.Exit(0 if all_true else 1)


async def _with_own_stack(pack: str, story: str, as_json: bool) -> bool:
    from deploy.local.stack import ALL
    from deploy.local.throwaway import throwaway_stack

    err.print("starting a stack of its own …")
    async with throwaway_stack(services=ALL) as stack:
        return await _play(pack, story, stack.environment, as_json)


async def _play(pack: str, story: str, env: Mapping[str, str], as_json: bool) -> bool:
    from deploy.demo.decisions import stories_of
    from deploy.demo.stories import story_of

    if not story:
        return await _play_one(story_of(pack, env), "", as_json)
    for name, each in stories_of(story, pack, env):
        if not await _play_one(each, f"{name}/", as_json):
            return False
    return True


async def _play_one(story: "Story", prefix: str, as_json: bool) -> bool:
    outcomes: list[Outcome] = []
    async for outcome in story.play():
        outcomes.append(outcome)
        if as_json:
            json_line({"step": prefix + outcome.step, "ok": outcome.ok, "ms": outcome.ms})
        mark = "[green]✔[/]" if outcome.ok else "[red]✘[/]"
        err.print(f"{mark} {prefix + outcome.step:52} {outcome.ms:8.0f} ms  {escape(outcome.said)}")
    return len(outcomes) == len(story.steps()) and all(outcome.ok for outcome in outcomes)
