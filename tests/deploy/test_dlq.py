"""`baoshen dlq …`: real databases, a real router that buries what its handler can't take."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner, Result

from deploy import environment
from deploy.cli import app
from shared.contracts.upload import MaterialRemoved
from shared.database import Sessions, make_engine, make_sessions
from shared.messaging.inbox import first_time
from shared.messaging.kafka import Router, at_least_once_router
from shared.security.sealing import KeyRing
from tests.harness import raw_record, record_of

GROUP = "validation"
SECRET = b"Li Lei, 110101199001011234"


@dataclass
class Desk:
    """A group whose handler does not take images that are `refused`."""

    router: Router
    sessions: Sessions
    refused: set[UUID] = field(default_factory=set)
    taken: list[UUID] = field(default_factory=list)

    async def hears(self, *events: MaterialRemoved) -> None:
        await self.router.delivery.take(MaterialRemoved.topic, [record_of(event) for event in events])


@pytest_asyncio.fixture(scope="module")
async def databases(scratch_database: Callable[[str | None], Awaitable[str]]) -> dict[str, str]:
    """All four services' databases, as variables."""
    return {
        name: await scratch_database(service)
        for name, service in zip(environment.databases(), environment.SERVICES, strict=True)
    }


@pytest_asyncio.fixture
async def desk(databases: dict[str, str], key_ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """The group at work on its database; the commands find all four."""
    for name, url in databases.items():
        monkeypatch.setenv(name, url)
    monkeypatch.setattr("shared.messaging.delivery.SINGLE_PAUSES_S", (0.001,))
    engine = make_engine(databases[f"DATABASE_URL_{GROUP.upper()}"])
    sessions = make_sessions(engine)
    router = at_least_once_router(GROUP)
    found = Desk(router, sessions)

    @router.batch(MaterialRemoved)
    async def on_removed(events: list[MaterialRemoved], sessions: Sessions) -> None:
        if found.refused & {event.image_id for event in events}:
            raise RuntimeError("can't take it")
        async with sessions.begin() as session:
            found.taken += [event.image_id for event in await first_time(session, events)]

    router.provide(sessions=sessions, sealer=key_ring)
    async with sessions.begin() as session:
        for table in ("dead_letters", "parked_keys", "inbox", "outbox"):
            await session.execute(sql(f"TRUNCATE {table} RESTART IDENTITY"))
    yield found
    await engine.dispose()


@contextlib.asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    """What a running process does once a second."""

    async def replay() -> None:
        while True:
            await desk.router.delivery.replay_requested()
            await asyncio.sleep(0.1)

    task = asyncio.create_task(replay())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def run(*arguments: str, say: str | None = None) -> Result:
    """A command beside the test's own event loop."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["dlq", *arguments], input=say)


async def listed() -> list[dict[str, Any]]:
    result = await run("list", "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def removed(application_no: str = "2021110001") -> MaterialRemoved:
    return MaterialRemoved(application_no=application_no, item="diploma", image_id=uuid4())


def sql(text: str) -> Any:
    from sqlalchemy import text as clause

    return clause(text)


async def test_without_dead_letters_it_says_so(desk: Desk) -> None:
    result = await run("list")

    assert result.exit_code == 0
    assert "No dead letters" in result.stdout
    assert await listed() == []


async def test_a_dead_record_and_what_is_parked_behind_it_are_listed(desk: Desk) -> None:
    poison, behind, other = removed(), removed(), removed("2021110002")
    desk.refused = {poison.image_id}

    await desk.hears(poison)
    await desk.hears(behind, other)

    found = await listed()
    assert [(line["status"], line["key"], line["group"]) for line in found] == [
        ("dead", "2021110001", GROUP),
        ("parked", "2021110001", GROUP),
    ]
    table = (await run("list", "--group", GROUP)).stdout
    assert "material.removed.v1/0/" in table
    assert "RuntimeError" in table
    assert "can't take it" not in table


async def test_the_list_is_bounded_and_says_how_many_more_there_are(desk: Desk) -> None:
    poison = removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)
    await desk.hears(removed(), removed())

    result = await run("list", "--group", GROUP, "--limit", "1")

    assert "2 more" in result.stdout


async def test_one_record_is_shown_with_headers_and_body(desk: Desk) -> None:
    poison = removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)

    shown = await run("show", "1", "--group", GROUP)
    as_json = json.loads((await run("show", "1", "--group", GROUP, "--json")).stdout)

    assert str(poison.image_id) in shown.stdout
    assert str(poison.event_id) in shown.stdout
    assert as_json["body"]["image_id"] == str(poison.image_id)
    assert as_json["headers"]["ce_type"] == "material.removed.v1"


async def test_what_could_not_be_read_is_shown_sealed(desk: Desk) -> None:
    record = raw_record(MaterialRemoved.topic, b"2021110001", SECRET, (("ce_id", b"?"),), 77)
    await desk.router.delivery.take(MaterialRemoved.topic, [record])

    shown = await run("show", "1", "--group", GROUP)
    as_json = await run("show", "1", "--group", GROUP, "--json")

    assert "sealed by" in shown.stdout
    assert json.loads(as_json.stdout)["sealed_by"]
    for output in (shown.output, as_json.output):
        assert "Li Lei" not in output
        assert "110101199001011234" not in output


async def test_a_number_alone_is_enough_where_one_group_has_it(desk: Desk) -> None:
    poison = removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)

    assert (await run("show", "1")).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "999", "--group", GROUP),
        ("replay", "999", "--group", GROUP),
        ("discard", "999", "--group", GROUP, "--yes"),
        ("list", "--group", "archive"),
        ("show", "one"),
        ("show", "0"),
        ("list", "--limit", "0"),
        ("replay", "1", "--key", "2021110001"),
    ],
)
async def test_bad_input_is_refused_with_2(desk: Desk, arguments: tuple[str, ...]) -> None:
    result = await run(*arguments)

    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr != ""


async def test_replay_waits_until_the_service_has_taken_them_in_order(desk: Desk) -> None:
    poison, behind = removed(), removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)
    await desk.hears(behind)
    desk.refused = set()

    async with at_work(desk):
        result = await run("replay", "1", "--group", GROUP)

    assert result.exit_code == 0, result.output
    assert "2/2" in result.stderr
    assert desk.taken == [poison.image_id, behind.image_id]
    assert await listed() == []


async def test_after_a_replay_the_key_flows_again(desk: Desk) -> None:
    poison, later = removed(), removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)
    desk.refused = set()
    async with at_work(desk):
        await run("replay", "--key", "2021110001")
        await asyncio.sleep(0.3)  # the key is unparked just after its last record is gone

    await desk.hears(later)

    assert desk.taken == [poison.image_id, later.image_id]


async def test_a_record_that_fails_again_is_said_to_have_failed(desk: Desk) -> None:
    poison, behind = removed(), removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)
    await desk.hears(behind)

    async with at_work(desk):
        result = await run("replay", "--json")

    assert result.exit_code == 1
    outcomes = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["id"], each["outcome"]) for each in outcomes] == [(1, "failed"), (2, "parked")]
    assert "RuntimeError" in outcomes[0]["error"]


async def test_when_no_service_runs_the_request_stands(desk: Desk) -> None:
    poison = removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)
    desk.refused = set()

    result = await run("replay", "--group", GROUP, "--timeout", "0.5")

    assert result.exit_code == 1
    assert "stays asked for" in result.stderr
    await desk.router.delivery.replay_requested()
    assert desk.taken == [poison.image_id]


async def test_a_replay_that_is_cancelled_at_the_database_ends_and_leaves_its_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = desk.router.delivery
    asking = asyncio.Event()

    async def at_the_database(connection: AsyncConnection) -> int:
        asking.set()
        await connection.execute(sql("SELECT pg_sleep(60)"))
        return 1

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_replay_asked", at_the_database)
        replay = asyncio.create_task(delivery.replay_requested())
        await asking.wait()
        await asyncio.sleep(0.3)  # until the statement is on its way
        replay.cancel()
        with pytest.raises(asyncio.CancelledError):
            await replay

    async with desk.sessions() as session:
        held = await session.scalar(
            sql(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    assert held == 0


async def test_with_nothing_to_replay_all_is_well(desk: Desk) -> None:
    result = await run("replay", "--key", "2021119999")

    assert result.exit_code == 0
    assert "nothing to replay" in result.stderr


async def test_discarding_asks_first(desk: Desk) -> None:
    poison = removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)

    no = await run("discard", "1", "--group", GROUP, say="n\n")
    still_there = await listed()
    yes = await run("discard", "1", "--group", GROUP, say="y\n")

    assert (no.exit_code, len(still_there)) == (1, 1)
    assert (yes.exit_code, await listed()) == (0, [])


async def test_discarding_the_last_of_a_key_lets_it_flow_again(desk: Desk) -> None:
    poison, later = removed(), removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)

    await run("discard", "1", "--group", GROUP, "--yes")
    await desk.hears(later)

    assert desk.taken == [later.image_id]
    assert await listed() == []


async def test_what_is_parked_behind_a_discarded_record_waits_for_its_replay(desk: Desk) -> None:
    poison, behind = removed(), removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)
    await desk.hears(behind)

    result = await run("discard", "1", "--group", GROUP, "--yes")

    assert "baoshen dlq replay --group validation --key 2021110001" in result.stderr
    assert desk.taken == []
    async with at_work(desk):
        assert (await run("replay", "--key", "2021110001")).exit_code == 0
    assert desk.taken == [behind.image_id]


async def test_a_database_that_is_away_or_empty_is_said_in_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, scratch_database: Callable[[str | None], Awaitable[str]]
) -> None:
    monkeypatch.setenv("DATABASE_URL_REVIEW", "postgresql://nobody:secret@127.0.0.1:1/baoshen_review")
    away = await run("list")
    monkeypatch.setenv("DATABASE_URL_REVIEW", await scratch_database(None))
    empty = await run("list")

    assert (away.exit_code, empty.exit_code) == (1, 1)
    assert "DATABASE_URL_REVIEW" in away.stderr
    assert "secret" not in away.output
    assert "baoshen migrate review" in empty.stderr


async def test_the_installed_command_does_all_of_it(desk: Desk) -> None:
    poison = removed()
    desk.refused = {poison.image_id}
    await desk.hears(poison)
    desk.refused = set()

    async with at_work(desk):
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("baoshen"),
            *("dlq", "replay", "--json"),
            env=dict(os.environ),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()

    assert process.returncode == 0
    assert json.loads(output) == {"group": GROUP, "id": 1, "outcome": "replayed", "error": None}
