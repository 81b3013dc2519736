"""`baoshen audit verify`: whether the audit trail is as it was sealed."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from deploy import environment
from deploy.commands.printing import err, json_line, refuse

if TYPE_CHECKING:
    from deploy.audit_check import Verdict
    from shared.security.audit_chain import AuditKeys

SIGNING_KEY = "AUDIT_SIGNING_KEY"
PUBLIC_KEYS = "AUDIT_PUBLIC_KEYS"


def verify(
    without_topic: Annotated[
        bool, typer.Option("--without-topic", help="Do not compare with Kafka: a cut end stays unnoticed.")
    ] = False,
    from_batch: Annotated[
        int, typer.Option(min=1, metavar="N", help="The first batch that is still there; older ones were archived.")
    ] = 1,
    known_chain: Annotated[
        list[UUID] | None, typer.Option(metavar="ID", help="A chain on the topic that is known to have ended.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, max=3600, help="Seconds that reading the topic may take.")] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """核验审计链。Recompute the audit chain; compare hashes, seals, signatures, and the heads told on the topic.

    Exit code 0 if it holds, 1 if a line or seal was changed, added or cut off, 2 if it can't be looked at. Lines of the
    last second are not sealed yet: they are counted as unproven.
    """
    needed = () if without_topic else ("KAFKA_BOOTSTRAP_SERVERS",)
    env = environment.load(*environment.databases("review"), *needed)
    keys = _keys(env)
    verdict = _look(env, keys, None if without_topic else (set(known_chain or ()), timeout), from_batch)
    if as_json:
        json_line(_as_json(verdict))
    _say(verdict, without_topic)
    raise typer.Exit(0 if verdict.holds else 1)


def _keys(env: dict[str, str]) -> "AuditKeys":
    from shared.security.audit_chain import AuditKeys, AuditSigner

    if SIGNING_KEY not in env and PUBLIC_KEYS not in env:
        raise environment.EnvironmentIncomplete(
            f"没有设置 {PUBLIC_KEYS} 或 {SIGNING_KEY}。Set {PUBLIC_KEYS} (base64 of 32 bytes, separated by commas) or "
            f"{SIGNING_KEY}, or start a stack in this checkout (make up)."
        )
    try:
        public = [base64.b64decode(key.strip(), validate=True) for key in env.get(PUBLIC_KEYS, "").split(",") if key]
        if SIGNING_KEY in env:
            public.append(AuditSigner(env[SIGNING_KEY]).public_key)
        return AuditKeys(public)
    except ValueError:
        refuse(f"密钥不正确。{PUBLIC_KEYS} and {SIGNING_KEY} want base64 of 32 bytes.")


def _look(env: dict[str, str], keys: "AuditKeys", topic: tuple[set[UUID], float] | None, from_batch: int) -> "Verdict":
    import logging

    from aiokafka.errors import KafkaError
    from sqlalchemy.exc import SQLAlchemyError

    from deploy.audit_check import Told, read_told
    from deploy.audit_check import verify as look

    # The client's own log repeats, at length, what is said here in one sentence.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    read: Callable[[], Awaitable[Told]] | None = None
    if topic is not None:
        known, within = topic

        async def read() -> Told:
            try:
                return await read_told(env["KAFKA_BOOTSTRAP_SERVERS"], Told(keys, known), within_s=within)
            except (KafkaError, OSError, TimeoutError) as error:
                raise _TopicAway(type(error).__name__) from error

    try:
        return asyncio.run(look(environment.database_of("review", env), keys, read, from_batch=from_batch))
    except _TopicAway as problem:
        refuse(
            f"Kafka 没有回答（{problem}）。Kafka does not answer at {env['KAFKA_BOOTSTRAP_SERVERS']}; "
            "--without-topic looks at the database alone, --timeout waits longer."
        )
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        refuse(f"数据库没有回答（{type(error).__name__}）。Review's database does not answer, or was not migrated.")


class _TopicAway(Exception):
    """The topic can't be read."""


def _say(verdict: "Verdict", without_topic: bool) -> None:
    for problem in verdict.problems:
        where = f"seq {problem.seq}" if problem.seq is not None else f"batch {problem.batch_no}"
        err.print(f"✗ {problem.kind}, {where}: {problem.words}", style="red", markup=False)
    if verdict.found > len(verdict.problems):
        err.print(f"… {verdict.found - len(verdict.problems)} more")
    if without_topic:
        err.print("未与主题比对。Not compared with the topic: a cut end stays unnoticed.", style="yellow")
    colour, said = (
        ("green", "✓ 审计链完整 the chain holds") if verdict.holds else ("red", "✗ 审计链不完整 it does not hold")
    )
    err.print(
        f"{said}: {verdict.sealed} lines in {verdict.batches} batches, {verdict.heads_in_topic} heads on the topic, "
        f"{verdict.unproven} lines not sealed yet (unproven)",
        style=colour,
        markup=False,
    )


def _as_json(verdict: "Verdict") -> dict[str, object]:
    return {
        "holds": verdict.holds,
        "lines": verdict.lines,
        "sealed": verdict.sealed,
        "unproven": verdict.unproven,
        "batches": verdict.batches,
        "heads_in_topic": verdict.heads_in_topic,
        "problems": [
            {"kind": each.kind, "words": each.words}
            | ({"seq": each.seq} if each.seq is not None else {"batch_no": each.batch_no})
            for each in verdict.problems
        ],
    }
