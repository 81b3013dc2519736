"""`baoshen audit verify`: whatever somebody does to the trail behind the system's back shows."""

import asyncio
import base64
import json
import secrets
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy import text
from typer.testing import CliRunner, Result

from deploy.audit_check import Told, verify
from deploy.cli import app
from services.review.use_cases import audit
from shared import clock
from shared.contracts.review import AuditSealed
from shared.database import make_engine, make_sessions
from shared.security.audit_chain import AuditKeys, AuditSigner, Head, chained
from tests.builders.audit import SEED, SIGNER, Chain, rows_of


@pytest_asyncio.fixture(scope="module")
async def database(scratch_database: Callable[[str | None], Awaitable[str]]) -> str:
    return await scratch_database("review")


@pytest_asyncio.fixture
async def chain(database: str, kafka: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chain]:
    """Empty, with a topic of its own; the command finds both."""
    topic = f"test.audit.{uuid4().hex[:12]}.v1"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 3, 1)])
    monkeypatch.setenv("DATABASE_URL_REVIEW", database)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("AUDIT_SIGNING_KEY", SEED)
    monkeypatch.setattr(AuditSealed, "topic", topic)
    engine = make_engine(database)
    sessions = make_sessions(engine)
    async with sessions.begin() as session:
        await session.execute(text("TRUNCATE audit, audit_seals, outbox RESTART IDENTITY"))
    yield Chain(sessions, kafka, topic)
    await engine.dispose()
    await admin.delete_topics([topic])
    await admin.close()


async def run(*arguments: str) -> Result:
    """The command beside the test's own event loop."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["audit", "verify", *arguments])


async def verdict(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = await run("--json", *arguments)
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["holds"] is (code == 0)
    return found


def kinds(found: dict[str, Any]) -> list[tuple[str, int]]:
    return [(each["kind"], each.get("seq", each.get("batch_no"))) for each in found["problems"]]


async def test_a_chain_that_nobody_touched_holds(chain: Chain) -> None:
    await chain.grows(3, 1, 4)

    found = await verdict()

    assert found == {
        "holds": True, "lines": 8, "sealed": 8, "unproven": 0, "batches": 3, "heads_in_topic": 3, "problems": [],
    }  # fmt: skip


async def test_an_empty_trail_holds(chain: Chain) -> None:
    found = await verdict()

    assert (found["lines"], found["batches"]) == (0, 0)


async def test_lines_that_are_not_sealed_yet_are_unproven_and_no_fault(chain: Chain) -> None:
    await chain.grows(2)
    async with chain.sessions.begin() as session:
        await audit.write(session, audit.line("opened", None), audit.line("opened", None))

    found = await verdict()

    assert (found["lines"], found["sealed"], found["unproven"]) == (4, 2, 2)


async def test_heads_that_wait_to_be_told_are_no_fault(chain: Chain) -> None:
    await chain.grows(2, 2)
    await chain.grows(2, told=False)

    found = await verdict()

    assert (found["batches"], found["heads_in_topic"]) == (3, 2)


async def test_a_head_that_was_on_its_way_while_the_topic_was_read_is_no_fault(chain: Chain, database: str) -> None:
    await chain.grows(2)
    keys = AuditKeys([SIGNER.public_key])
    heads = [Head(**row) for row in await chain_seals(chain)]
    looks: list[int] = []

    async def read() -> Told:
        told = Told(keys)
        for head in heads[: len(looks)]:
            told.add(head)
        looks.append(1)
        return told

    found = await verify(database, keys, read)

    assert found.holds
    assert len(looks) == 2


async def chain_seals(chain: Chain) -> list[dict[str, Any]]:
    async with chain.sessions() as session:
        return [dict(row) for row in (await session.execute(text("SELECT * FROM audit_seals"))).mappings()]


async def test_a_head_told_twice_is_one_head(chain: Chain) -> None:
    await chain.grows(2, told=False)
    async with chain.sessions() as session:
        body = bytes(await session.scalar(text("SELECT body FROM outbox")))

    await chain.relays()
    await chain.tells(body)

    assert (await verdict())["heads_in_topic"] == 1


@pytest.mark.parametrize(
    "change",
    [
        "act = 'released'",
        "detail = '{\"n\": 7}'",
        "at = at - interval '1 hour'",
        "staff_id = gen_random_uuid()",
        "address = '10.0.0.1'",
        "application_no = '1'",
        "outcome = 'refused'",
        "line_id = line_id + 1000000",
    ],
)
async def test_a_changed_line_is_found(chain: Chain, change: str) -> None:
    await chain.grows(3, 3)

    await chain.damaged("ALTER TABLE audit ALTER line_id DROP IDENTITY", f"UPDATE audit SET {change} WHERE seq = 2")

    found = await verdict(code=1)
    await chain.damaged("ALTER TABLE audit ALTER line_id ADD GENERATED ALWAYS AS IDENTITY")
    assert kinds(found) == [("line_changed", 2)]


async def test_a_changed_hash_is_found_once(chain: Chain) -> None:
    await chain.grows(3, 3)

    await chain.damaged("UPDATE audit SET hash = repeat('a', 64) WHERE seq IN (2, 3)")

    assert kinds(await verdict(code=1)) == [("line_changed", 2), ("line_changed", 3)]


@pytest.mark.parametrize("gone", [1, 2, 3, 4, 6])
async def test_a_missing_line_is_found(chain: Chain, gone: int) -> None:
    await chain.grows(3, 3)

    await chain.damaged("DELETE FROM audit WHERE seq = :seq", seq=gone)

    assert kinds(await verdict(code=1)) == [("line_missing", gone)]


async def test_a_line_that_was_taken_out_with_the_rest_moved_up_is_found(chain: Chain) -> None:
    await chain.grows(3, 3)

    await chain.damaged(
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET seq = -seq WHERE seq > 2",
        "UPDATE audit SET seq = -seq - 1 WHERE seq < 0",
    )

    assert ("line_changed", 2) in kinds(await verdict(code=1))


@pytest.mark.parametrize("place", ["7, repeat('a', 64)", "0, 'a'", "-3, NULL"])
async def test_a_line_that_was_put_in_is_found(chain: Chain, place: str) -> None:
    await chain.grows(3, 3)

    await chain.damaged(
        f"INSERT INTO audit (at, act, outcome, detail, seq, hash) VALUES (now(), 'x', 'done', '{{}}', {place})"
    )

    assert [each for each, _ in kinds(await verdict(code=1))] == ["line_inserted"]


async def test_a_line_put_between_others_is_found(chain: Chain) -> None:
    await chain.grows(3, 3)

    await chain.damaged(
        "UPDATE audit SET seq = -seq WHERE seq > 1",
        "UPDATE audit SET seq = -seq + 1 WHERE seq < 0",
        "INSERT INTO audit (at, act, outcome, detail, seq, hash) VALUES (now(), 'x', 'done', '{}', 2, repeat('a', 64))",
    )

    assert ("line_changed", 2) in kinds(await verdict(code=1))


async def test_an_end_that_was_cut_off_is_found_by_the_topic_alone(chain: Chain) -> None:
    await chain.grows(3, 3, 3)

    await chain.damaged("DELETE FROM audit WHERE seq > 3", "DELETE FROM audit_seals WHERE batch_no > 1")

    assert kinds(await verdict(code=1)) == [("cut_off", 2)]
    assert (await verdict("--without-topic"))["heads_in_topic"] == 0


async def test_lines_cut_off_under_seals_that_are_left_are_found(chain: Chain) -> None:
    await chain.grows(3, 3)

    await chain.damaged("DELETE FROM audit WHERE seq > 2")

    assert kinds(await verdict("--without-topic", code=1)) == [("line_missing", 3), ("line_missing", 4)]


async def test_a_trail_that_was_emptied_and_begun_anew_is_found(chain: Chain) -> None:
    await chain.grows(3)
    ((old,),) = [seal.values() for seal in await _some(chain, "SELECT chain_id FROM audit_seals")]

    await chain.damaged("TRUNCATE audit, audit_seals")
    emptied = await verdict(code=1)
    await chain.grows(1)
    anew = await verdict(code=1)

    assert [each for each, _ in kinds(emptied)] == ["other_chain"]
    assert [each for each, _ in kinds(anew)] == ["other_chain"]
    # Once somebody has said that it ended with their knowledge, the new one holds.
    assert (await verdict("--known-chain", str(old)))["batches"] == 1


async def _some(chain: Chain, statement: str) -> list[dict[str, Any]]:
    async with chain.sessions() as session:
        return [dict(row) for row in (await session.execute(text(statement))).mappings()]


async def test_a_past_chained_anew_without_the_key_is_found(chain: Chain) -> None:
    await chain.grows(3, 3)
    await chain.damaged("UPDATE audit SET act = 'released' WHERE seq = 2")

    await chain.rechained(AuditSigner(base64.b64encode(secrets.token_bytes(32)).decode()))

    found = kinds(await verdict("--without-topic", code=1))
    assert found == [("signature_wrong", 1), ("signature_wrong", 2)]


async def test_a_past_chained_anew_under_the_key_s_name_is_found(chain: Chain) -> None:
    await chain.grows(3)
    await chain.damaged("UPDATE audit SET act = 'released' WHERE seq = 2")
    await chain.rechained(AuditSigner(base64.b64encode(secrets.token_bytes(32)).decode()))

    await chain.damaged("UPDATE audit_seals SET key_id = :key_id", key_id=SIGNER.key_id)

    assert kinds(await verdict("--without-topic", code=1)) == [("signature_wrong", 1)]


async def test_even_with_the_key_a_past_chained_anew_is_found_by_the_topic(chain: Chain) -> None:
    await chain.grows(3, 3)
    await chain.damaged("UPDATE audit SET act = 'released' WHERE seq = 2")

    await chain.rechained(SIGNER)

    assert kinds(await verdict(code=1)) == [("head_differs", 1), ("head_differs", 2)]
    assert (await verdict("--without-topic"))["batches"] == 2


async def test_lines_chained_anew_under_the_old_seals_are_found(chain: Chain) -> None:
    await chain.grows(2, 2)
    await chain.damaged("UPDATE audit SET act = 'released' WHERE seq = 2")
    async with chain.sessions() as session:
        lines = await rows_of(session, "SELECT * FROM audit ORDER BY seq")
    for line, made in zip(lines, chained("0" * 64, lines), strict=True):
        await chain.damaged("UPDATE audit SET hash = :hash WHERE seq = :seq", hash=made, seq=line["seq"])

    found = kinds(await verdict("--without-topic", code=1))

    assert found == [("head_differs", 1), ("head_differs", 2)]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("head = repeat('a', 64)", "head_differs"),
        ("last_seq = last_seq - 1", "signature_wrong"),
        ("first_seq = first_seq + 1", "seal_changed"),
        ("previous_head = repeat('a', 64)", "seal_changed"),
        ("chain_id = gen_random_uuid()", "seal_changed"),
        ("sealed_at = sealed_at - interval '1 day'", "signature_wrong"),
        ("signature = 'nonsense'", "signature_wrong"),
        ("key_id = repeat('0', 16)", "signature_wrong"),
    ],
)
async def test_a_changed_seal_is_found(chain: Chain, change: str, kind: str) -> None:
    await chain.grows(3, 3, 3)

    await chain.damaged(f"UPDATE audit_seals SET {change} WHERE batch_no = 2")

    assert kind in [each for each, _ in kinds(await verdict("--without-topic", code=1))]
    assert "head_differs" in [each for each, _ in kinds(await verdict(code=1))] or "chain_id" in change


async def test_a_missing_seal_is_found_and_its_lines_are_not_blamed(chain: Chain) -> None:
    await chain.grows(3, 3, 3)

    await chain.damaged("DELETE FROM audit_seals WHERE batch_no = 2")

    assert kinds(await verdict(code=1)) == [("seal_missing", 2)]


async def test_a_head_that_was_never_told_is_found(chain: Chain) -> None:
    await chain.grows(3)
    await chain.grows(3, told=False)

    await chain.damaged("DELETE FROM outbox")

    assert kinds(await verdict(code=1)) == [("head_not_told", 2)]


async def test_heads_on_the_topic_that_nobody_signed_are_found(chain: Chain) -> None:
    await chain.grows(3)
    invented = AuditSealed(
        chain_id=uuid4(), batch_no=10**12, first_seq=1, last_seq=1, previous_head="0" * 64, head="a" * 64,
        sealed_at=clock.now(), key_id=SIGNER.key_id, signature="A" * 86 + "==",
    )  # fmt: skip

    await chain.tells(invented.model_dump_json().encode(), b"{}")

    assert sorted(kinds(await verdict(code=1))) == [("signature_wrong", 0), ("signature_wrong", 10**12)]


async def test_another_head_of_a_batch_on_the_topic_is_found(chain: Chain) -> None:
    await chain.grows(3)
    (seal,) = await chain_seals(chain)
    other = SIGNER.sign(
        seal["chain_id"], 1, first_seq=1, last_seq=3, previous_head="0" * 64, head="a" * 64,
        sealed_at=seal["sealed_at"] + timedelta(seconds=1),
    )  # fmt: skip

    await chain.tells(AuditSealed(**vars(other)).model_dump_json().encode())

    assert kinds(await verdict(code=1)) == [("head_differs", 1)]


async def test_what_was_archived_is_left_out_on_demand(chain: Chain) -> None:
    await chain.grows(3, 3, 3)

    await chain.damaged("DELETE FROM audit WHERE seq <= 3")

    assert kinds(await verdict(code=1)) == [("line_missing", 1)]
    assert (await verdict("--from-batch", "2"))["sealed"] == 6
    assert kinds(await verdict("--from-batch", "9", code=1))[0] == ("seal_missing", 9)


async def test_heads_of_an_older_key_are_checked_with_its_public_half(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await chain.grows(3)
    monkeypatch.setenv("AUDIT_SIGNING_KEY", base64.b64encode(secrets.token_bytes(32)).decode())

    without = await verdict(code=1)
    monkeypatch.setenv("AUDIT_PUBLIC_KEYS", base64.b64encode(SIGNER.public_key).decode())

    assert [kind for kind, _ in kinds(without)] == ["signature_wrong", "signature_wrong", "head_not_told"]
    assert (await verdict())["batches"] == 1


async def test_words_say_what_is_wrong_where_no_json_is_wanted(chain: Chain) -> None:
    await chain.grows(3)
    held = await run()
    await chain.damaged("UPDATE audit SET act = 'released' WHERE seq = 2")

    broken = await run()

    assert (held.exit_code, broken.exit_code) == (0, 1)
    assert (held.stdout, broken.stdout) == ("", "")
    assert "the chain holds: 3 lines" in held.stderr
    assert "line_changed, seq 2" in broken.stderr


async def test_many_problems_are_counted_and_some_are_listed(chain: Chain) -> None:
    await chain.grows(300)

    await chain.damaged("UPDATE audit SET hash = 'a'")

    found = await verdict(code=1)
    assert 100 <= len(found["problems"]) < 300


async def test_a_long_trail_is_looked_at_piece_by_piece(chain: Chain, database: str) -> None:
    await chain.grows(12_000, told=False)
    keys = AuditKeys([SIGNER.public_key])
    await verify(database, keys, None, chunk=100)

    tracemalloc.start()
    found = await verify(database, keys, None, chunk=100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (found.holds, found.sealed) == (True, 12_000)
    assert peak < 4_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"),
        ("DATABASE_URL_REVIEW", "postgresql://nobody@127.0.0.1:1/none"),
        ("AUDIT_SIGNING_KEY", "no key"),
        ("AUDIT_PUBLIC_KEYS", "AAAA"),
    ],
)
async def test_what_can_t_be_looked_at_is_said_with_exit_code_2(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    result = await run("--json")

    assert result.exit_code == 2, result.output
    assert result.stdout == ""


def test_a_head_says_the_same_however_it_came() -> None:
    head = SIGNER.sign(
        UUID(int=1), 1, first_seq=1, last_seq=2, previous_head="0" * 64, head="a" * 64, sealed_at=clock.now()
    )

    again = Head(**AuditSealed.model_validate_json(AuditSealed(**vars(head)).model_dump_json()).model_dump())

    assert again.digest == head.digest
