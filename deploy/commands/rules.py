"""`baoshen rules …`: rule packs, checked, explained and published."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import environment
from deploy.commands.printing import err, fail, json_line, kafka_must_answer, refuse

if TYPE_CHECKING:
    from shared.contracts.rules import Pack

JsonOption = Annotated[bool, typer.Option("--json", help="Only JSON lines on standard output.")]


def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Packs; without any, all of rules/.")] = None,
    as_json: JsonOption = False,
) -> None:
    """检查规则包。Every problem of the packs with its line and what to do; exit code 2 if there is any."""
    from deploy.intake.packs import RULES
    from deploy.rules_check.checking import check_packs

    found = check_packs(files or sorted(RULES.glob("*.yaml")))
    if not found:
        refuse(f"there is no pack in {RULES}")
    for checked in found:
        for problem in checked.problems:
            if as_json:
                json_line(
                    {
                        "file": problem.file,
                        "line": problem.line,
                        "column": problem.column,
                        "severity": "warning" if problem.warning else "error",
                        "what": problem.what,
                        "todo": problem.todo,
                    }
                )
            else:
                sys.stdout.write(f"{problem}\n")
        if checked.rules is not None and not as_json:
            pack = checked.rules.pack
            sys.stdout.write(f"{checked.file}: ok ({pack.id} version {pack.version}, {len(pack.items)} items)\n")
    problems = sum(len(checked.errors) for checked in found)
    sys.stdout.flush()
    if problems:
        refuse(f"{problems} problem{'s' if problems > 1 else ''} in {len([c for c in found if c.errors])} of {len(found)} packs")  # fmt: skip # noqa: E501


def explain(
    pack: Annotated[str, typer.Argument(help="A pack's id, such as neimenggu-2021, or a YAML file.")],
    facts: Annotated[str, typer.Argument(help="A JSON file with the candidate's facts; - reads standard input.")],
) -> None:
    """某考生的清单。Which items a candidate with these facts must hand in, and why, as JSON."""
    from deploy.intake.facts import BadFacts, contradictions, read_facts
    from deploy.intake.packs import pack_named, read_pack
    from deploy.intake.tables import BadFile
    from services.upload.checklist import BadCondition
    from services.upload.checklist import explain as explained

    try:
        rules = read_pack(pack_named(pack))
    except BadFile as error:
        refuse(str(error))
    try:
        known = read_facts(_content(facts))
    except BadFacts as error:
        refuse("\n✗ ".join(f"{facts}: {fault}" for fault in error.faults))
    for words in contradictions(known, rules.pack.year):
        err.print(f"! {words}", style="yellow", markup=False)
    try:
        answer = explained(rules.checklist(known))
    except BadCondition as error:
        refuse(f"{pack}: {error}")
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")


def _content(facts: str) -> bytes:
    from deploy.intake.facts import LARGEST

    todo = "give a JSON file with the candidate's facts, or - to read them from standard input"
    if facts == "-":
        return sys.stdin.buffer.read(LARGEST + 1)
    if not facts.strip():
        refuse(f"no facts are named; {todo}")
    try:
        with Path(facts).open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        refuse(f"{facts}: can't be read ({error.strerror}); {todo}")


def schema(
    write: Annotated[bool, typer.Option("--write", help="Write docs/rules/pack.schema.json instead.")] = False,
) -> None:
    """规则包的 JSON Schema。For editors, which complete and check packs with it."""
    from deploy.rules_check.schema import SCHEMA, schema_text

    if not write:
        sys.stdout.write(schema_text())
        return
    try:
        SCHEMA.parent.mkdir(parents=True, exist_ok=True)
        SCHEMA.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        fail(f"{SCHEMA}: can't be written ({error.strerror})")
    err.print(f"{SCHEMA} written")


def publish(file: Annotated[Path, typer.Argument(help="A pack, such as rules/neimenggu-2021.yaml.")]) -> None:
    """Check a pack and tell it on rules.published.v1. A change needs a higher `version` in the file."""
    from deploy.rules_check.checking import check_pack

    checked = check_pack(file)
    for warning in checked.warnings:
        err.print(str(warning), style="yellow", markup=False)
    if checked.rules is None:
        refuse("\n✗ ".join(str(problem) for problem in checked.errors))
    env = environment.load("KAFKA_BOOTSTRAP_SERVERS")
    pack = checked.rules.pack
    with kafka_must_answer(env["KAFKA_BOOTSTRAP_SERVERS"]):
        is_another = asyncio.run(_tell(env["KAFKA_BOOTSTRAP_SERVERS"], pack))
    if is_another:
        refuse(
            f"{file}: {pack.id} version {pack.version} is published already with other contents (a running demo "
            f"moves the windows, for example), and stays as it is: raise `version`, to more than {is_another}"
        )
    err.print(f"{pack.id} version {pack.version} published")


async def _tell(bootstrap: str, pack: "Pack") -> int | None:
    """None: told. Otherwise this version is another pack already; the number is that of the newest version."""
    from pydantic import ValidationError

    from deploy.intake.telling import tell_all
    from deploy.topic_records import records_of
    from shared.contracts.rules import RulesPublished

    event = RulesPublished(pack=pack)
    versions: dict[int, bytes] = {}
    async for record in records_of(bootstrap, [event.topic]):
        name, _, version = (record.key or b"").decode(errors="replace").rpartition("@")
        if name == pack.id and version.isdecimal() and record.value is not None:
            # Services keep the first that they hear of a version.
            versions.setdefault(int(version), record.value)
    there = versions.get(pack.version)
    if there is not None:
        try:
            same = RulesPublished.model_validate_json(there).pack == pack
        except ValidationError:  # another release wrote it
            same = False
        if not same:
            return max(versions)
    await tell_all(bootstrap, "baoshen/rules", [event])
    return None
