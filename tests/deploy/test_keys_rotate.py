"""`baoshen keys rotate`: new keys, and every sealed row of the four databases under the newest."""

import asyncio
import base64
import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import MetaData, text
from typer.testing import CliRunner, Result

import services.notify.tables
import services.review.tables
import services.upload.tables
import services.validation.tables
from deploy import environment, resealing
from deploy.cli import app
from shared.contracts.event import CodeToSend, Person, Sealed
from shared.database import make_engine, make_sessions
from shared.security.sealing import DEAD_LETTERS_KEY, KeyRing

PERSON = Person(name="测试甲", id_number="999999199001011236", phone="19900000001")
METADATA: dict[str, MetaData] = {
    "upload": services.upload.tables.metadata,
    "validation": services.validation.tables.metadata,
    "review": services.review.tables.metadata,
    "notify": services.notify.tables.metadata,
}


class Keys:
    """A key file, the master keys that it goes with, and four databases."""

    def __init__(self, file: Path, databases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = file
        self.databases = databases
        self._monkeypatch = monkeypatch
        self.masters = ""
        self.has_masters("k1:" + base64.b64encode(secrets.token_bytes(32)).decode())

    def has_masters(self, masters: str) -> None:
        self.masters = masters
        self._monkeypatch.setenv("MASTER_KEYS", masters)

    def new_master(self, name: str = "k2") -> str:
        """Puts one first; returns what was there before."""
        before = self.masters
        self.has_masters(f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()},{before}")
        return before

    @property
    def ring(self) -> KeyRing:
        """As a process that began just now has it."""
        return KeyRing(self.masters, self.file)

    async def execute(self, service: str, statement: str, **values: Any) -> list[dict[str, Any]]:
        engine = make_engine(self.databases[f"DATABASE_URL_{service.upper()}"], pool_size=1)
        async with make_sessions(engine).begin() as session:
            result = await session.execute(text(statement), values)
            rows = [dict(row) for row in result.mappings()] if statement.startswith("SELECT") else []
        await engine.dispose()
        return rows


@pytest_asyncio.fixture(scope="module")
async def databases(scratch_database: Callable[[str | None], Awaitable[str]]) -> dict[str, str]:
    return {
        name: await scratch_database(service)
        for name, service in zip(environment.databases(), environment.SERVICES, strict=True)
    }


@pytest_asyncio.fixture
async def keys(databases: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keys:
    """Empty databases; the command finds them."""
    for name, url in databases.items():
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("DATA_KEYS_FILE", str(tmp_path / "data-keys.json"))
    found = Keys(tmp_path / "data-keys.json", databases, monkeypatch)
    for service, metadata in METADATA.items():
        await found.execute(service, "TRUNCATE " + ", ".join(f'"{name}"' for name in metadata.tables))
    return found


async def run(*arguments: str) -> Result:
    """The command beside the test's own event loop."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["keys", "rotate", *arguments])


async def rotated(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = await run("--json", *arguments)
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


async def registered(keys: Keys, service: str = "review", *numbers: str, region: str = "15") -> None:
    """Applications of which nothing but the sealed person matters."""
    ring = keys.ring
    for number in numbers or ("1",):
        await keys.execute(
            service,
            "INSERT INTO applications (application_no, sealed) VALUES (:no, CAST(:sealed AS jsonb))",
            no=number,
            sealed=ring.seal(region, 2021, PERSON).model_dump_json(),
        )


async def key_ids(keys: Keys, service: str = "review") -> dict[str, str]:
    rows = await keys.execute(service, "SELECT application_no, sealed ->> 'key_id' AS key_id FROM applications")
    return {row["application_no"]: row["key_id"] for row in rows}


def wrapped_by(keys: Keys) -> dict[str, str]:
    return {key_id: entry["by"] for key_id, entry in json.loads(keys.file.read_text()).items()}


async def test_every_data_key_is_wrapped_by_the_first_master_key_and_the_old_one_can_go(keys: Keys) -> None:
    sealed = [keys.ring.seal("15", year, PERSON) for year in (2021, 2022)]
    dead = keys.ring.seal_bytes(b"body")
    keys.new_master()

    said = await rotated()

    assert said == {"rewrapped": 3, "versions": {}, "resealed": {}, "damaged": 0}
    assert set(wrapped_by(keys).values()) == {"k2"}
    keys.has_masters(keys.masters.split(",")[0])
    assert [keys.ring.open(each) for each in sealed] == [PERSON, PERSON]
    assert keys.ring.open_bytes(*dead) == b"body"
    assert (await rotated())["rewrapped"] == 0


async def test_a_running_process_goes_on_with_the_file_as_it_is_now(keys: Keys) -> None:
    keys.new_master()
    running = keys.ring
    sealed = running.seal("15", 2021, PERSON)

    await rotated("--data")

    assert running.open(sealed) == PERSON
    assert running.seal("15", 2021, PERSON).key_id == "15-2021-2"


async def test_new_data_keys_seal_and_every_row_is_sealed_anew(keys: Keys) -> None:
    await registered(keys, "review", "1", "2")
    await registered(keys, "review", "3", region="43")

    said = await rotated("--data")

    assert said["versions"] == {"15-2021": "15-2021-2", "43-2021": "43-2021-2"}
    assert said["resealed"]["review.applications.sealed"] == 3
    assert await key_ids(keys) == {"1": "15-2021-2", "2": "15-2021-2", "3": "43-2021-2"}
    rows = await keys.execute("review", "SELECT sealed FROM applications")
    assert {keys.ring.open(sealed_of(row["sealed"])) for row in rows} == {PERSON}


async def test_one_region_and_year_leaves_the_others_alone(keys: Keys) -> None:
    await registered(keys, "review", "1")
    await registered(keys, "review", "2", region="43")

    said = await rotated("--data", "--region", "43", "--year", "2021")

    assert said["versions"] == {"43-2021": "43-2021-2"}
    assert await key_ids(keys) == {"1": "15-2021", "2": "43-2021-2"}


async def test_every_kind_of_sealed_row_is_sealed_anew(keys: Keys) -> None:
    ring = keys.ring
    person = ring.seal("15", 2021, PERSON).model_dump_json()
    code = ring.seal("15", 2021, CodeToSend(phone="19900000001", code="123456")).model_dump_json()
    body_key, body = ring.seal_bytes(b"{broken")
    image, code_id, staff_id = uuid4(), uuid4(), uuid4()
    await keys.execute(
        "upload",
        "INSERT INTO applications (application_no, region, site, year, pack_id, registration_revision, facts, sealed) "
        "VALUES ('1', '15', '1501', 2021, 'p', 1, '{}', CAST(:sealed AS jsonb))",
        sealed=person,
    )
    await keys.execute(
        "upload",
        "INSERT INTO contacts (application_no, contact_revision, sealed, registered_hash, changed_at) "
        "VALUES ('1', 1, CAST(:sealed AS jsonb), '', now())",
        sealed=person,
    )
    await keys.execute(
        "upload",
        "INSERT INTO phone_codes (code_id, application_no, phone_hash, code_hash, sealed, requested_at, expires_at) "
        "VALUES (:id, '1', '', '', CAST(:sealed AS jsonb), now(), now())",
        id=code_id,
        sealed=code,
    )
    await keys.execute(
        "review",
        "INSERT INTO readings (image_id, about, application_no, read_no, wanted, sealed, copies, read_at) "
        "VALUES (:id, 'reading', '1', 1, '[]', CAST(:sealed AS jsonb), '[]', now())",
        id=image,
        sealed=person,
    )
    await keys.execute(
        "review",
        "INSERT INTO staff (id, login, display_name, role, totp_key_id, totp_sealed) "
        "VALUES (:id, 'a', 'a', 'auditor', :key_id, :sealed)",
        id=staff_id,
        key_id=body_key,
        sealed=body,
    )
    await keys.execute(
        "review",
        "INSERT INTO enrolments (staff_id, key_id, sealed, begun_at) VALUES (:id, :key_id, :sealed, now())",
        id=staff_id,
        key_id=body_key,
        sealed=body,
    )
    await keys.execute(
        "notify",
        "INSERT INTO applications (application_no, sealed, contact, contact_over) "
        "VALUES ('1', CAST(:sealed AS jsonb), CAST(:sealed AS jsonb), CAST(:sealed AS jsonb))",
        sealed=person,
    )
    await keys.execute(
        "notify",
        "INSERT INTO codes (code_id, application_no, sealed, expires_at) "
        "VALUES (:id, '1', CAST(:sealed AS jsonb), now())",
        id=code_id,
        sealed=code,
    )
    await registered(keys, "review", "1")
    for service in METADATA:
        await keys.execute(
            service,
            'INSERT INTO dead_letters (consumer_group, status, topic, partition, "offset", headers, body, '
            "body_sealed_by, error) VALUES (:group, 'dead', 't', 0, 0, '{}', :body, :key_id, 'e')",
            group=service,
            body=body,
            key_id=body_key,
        )

    said = await rotated("--data")

    assert said["versions"] == {"15-2021": "15-2021-2", DEAD_LETTERS_KEY: f"{DEAD_LETTERS_KEY}-2"}
    assert said["resealed"] == {str(place): 1 for place in resealing.PLACES}
    (sent,) = await keys.execute("notify", "SELECT sealed FROM codes")
    assert keys.ring.open_as(sealed_of(sent["sealed"]), CodeToSend).code == "123456"
    (row,) = await keys.execute("review", "SELECT totp_key_id, totp_sealed FROM staff")
    assert keys.ring.open_bytes(row["totp_key_id"], row["totp_sealed"]) == b"{broken"
    (letter,) = await keys.execute("validation", "SELECT body, body_sealed_by FROM dead_letters")
    assert keys.ring.open_bytes(letter["body_sealed_by"], letter["body"]) == b"{broken"


def test_no_sealed_column_of_any_service_is_forgotten() -> None:
    known = {(place.service, place.table, place.column) for place in resealing.PLACES}

    found = {
        (service, table.name, column.name)
        for service, metadata in METADATA.items()
        for table in metadata.tables.values()
        for column in table.columns
        if column.name in {"sealed", "contact", "contact_over"} or column.name.endswith("_sealed")
    }

    assert found <= known
    assert known - found == {(service, "dead_letters", "body") for service in METADATA}


async def test_long_tables_go_window_by_window_and_keys_of_two_columns_too(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing.reseal, "__kwdefaults__", {"window": 3})
    await registered(keys, "review", *(str(n) for n in range(10)))
    sealed = keys.ring.seal("15", 2021, PERSON).model_dump_json()
    for n in range(4):
        for about in ("copies", "reading"):
            await keys.execute(
                "review",
                "INSERT INTO readings (image_id, about, application_no, read_no, wanted, sealed, copies, read_at) "
                "VALUES (:id, :about, '1', 1, '[]', CAST(:sealed AS jsonb), '[]', now())",
                id=UUID(int=n),
                about=about,
                sealed=sealed,
            )

    said = await rotated("--data")

    assert (said["resealed"]["review.applications.sealed"], said["resealed"]["review.readings.sealed"]) == (10, 8)
    assert set((await key_ids(keys)).values()) == {"15-2021-2"}


async def test_a_run_that_was_stopped_goes_on_without_a_further_key(keys: Keys) -> None:
    await registered(keys, "review", "1", "2", "3")
    keys.ring.add_versions(["15-2021"])
    done = keys.ring.reseal(sealed_of((await keys.execute("review", "SELECT sealed FROM applications"))[0]["sealed"]))
    assert done is not None
    await keys.execute(
        "review",
        "UPDATE applications SET sealed = CAST(:sealed AS jsonb) WHERE application_no = '1'",
        sealed=done.model_dump_json(),
    )

    said = await rotated("--data", "--resume")
    again = await rotated("--data", "--resume")

    assert said["versions"] == {}
    assert said["resealed"]["review.applications.sealed"] == 2
    assert sum(again["resealed"].values()) == 0
    assert set((await key_ids(keys)).values()) == {"15-2021-2"}


async def test_what_topics_hold_under_the_old_key_still_opens(keys: Keys) -> None:
    told = keys.ring.seal("15", 2021, PERSON)

    await rotated("--data")
    await rotated("--data")

    assert keys.ring.open(told) == PERSON
    assert keys.ring.seal("15", 2021, PERSON).key_id == "15-2021-3"


async def test_an_erased_region_and_year_stays_erased(keys: Keys) -> None:
    await registered(keys, "review", "1")
    await registered(keys, "review", "2", region="43")
    keys.ring.destroy("15-2021")

    said = await rotated("--data")

    assert said["versions"] == {"43-2021": "43-2021-2"}
    assert await key_ids(keys) == {"1": "15-2021", "2": "43-2021-2"}


async def test_a_damaged_row_is_counted_and_left_as_it_was(keys: Keys) -> None:
    await registered(keys, "review", "1", "2")
    await keys.execute(
        "review",
        "UPDATE applications SET sealed = jsonb_set(sealed, '{nonce}', '\"AAAAAAAAAAAAAAAA\"') "
        "WHERE application_no = '1'",
    )

    said = await rotated("--data", code=1)

    assert (said["damaged"], said["resealed"]["review.applications.sealed"]) == (1, 1)
    assert await key_ids(keys) == {"1": "15-2021", "2": "15-2021-2"}


async def test_words_say_what_was_done_and_name_nobody(keys: Keys) -> None:
    await registered(keys, "review", "1")

    result = await run("--data")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert "15-2021 → 15-2021-2" in result.stderr
    assert "review.applications.sealed: 1" in result.stderr
    assert PERSON.name not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--region", "15"),
        ("--region", "15", "--year", "2021"),
        ("--data", "--year", "2021"),
        ("--resume",),
        ("--data", "--region", "77", "--year", "2021"),
    ],
)
async def test_what_makes_no_sense_is_refused(keys: Keys, arguments: tuple[str, ...]) -> None:
    keys.ring.seal("15", 2021, PERSON)

    result = await run(*arguments)

    assert result.exit_code == 2
    assert list(wrapped_by(keys)) == ["15-2021"]


async def test_without_the_old_master_key_nothing_is_changed(keys: Keys) -> None:
    keys.ring.seal("15", 2021, PERSON)
    before = keys.file.read_text()
    keys.has_masters("k9:" + base64.b64encode(secrets.token_bytes(32)).decode())

    result = await run()

    assert result.exit_code == 2
    assert "k1" in result.stderr
    assert keys.file.read_text() == before


async def test_without_a_key_file_there_is_nothing_to_rotate(keys: Keys) -> None:
    result = await run()

    assert result.exit_code == 2
    assert "DATA_KEYS_FILE" in result.stderr


async def test_a_database_that_is_away_is_said_and_can_be_gone_on_with(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.ring.seal("15", 2021, PERSON)
    monkeypatch.setenv("DATABASE_URL_REVIEW", "postgresql://nobody@127.0.0.1:1/none")

    result = await run("--data")

    assert result.exit_code == 1
    assert "--resume" in result.stderr


def sealed_of(found: Any) -> Sealed:
    return Sealed.model_validate(found if isinstance(found, dict) else json.loads(found))
