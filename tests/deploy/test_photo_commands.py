"""`baoshen photo keys …` and `baoshen photo verify`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy import environment
from deploy.cli import app
from deploy.local.errors import StackError
from deploy.local.moment import shift_to
from deploy.local.photo_keys import PRIVATE, PUBLIC, keep_photo_keys
from deploy.local.places import CHECKOUT
from deploy.local.stack import Stack
from deploy.local.throwaway import own_environment
from shared.security.photo_keys import PublicKeys, SigningKeys

VECTORS = CHECKOUT / "tests" / "data" / "photo-receipt"
KEYS = ("--keys", str(VECTORS / "keys.public.json"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, in which no stack runs."""
    for name in (PRIVATE, PUBLIC, "BAOSHEN_CLOCK_SHIFT_S"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BAOSHEN_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock shows a day on which the vectors' photos are good, whatever the day of the test."""
    monkeypatch.setenv("BAOSHEN_CLOCK_SHIFT_S", shift_to(datetime(2026, 12, 1, tzinfo=UTC)))


def photo(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["photo", *arguments])


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_key_is_made_listed_and_retired(home: Path) -> None:
    first = photo("keys", "new").stdout.strip()
    second = photo("keys", "new").stdout.strip()

    listed = photo("keys", "list").stdout
    retired = photo("keys", "retire", first)

    assert first in listed
    assert second in listed
    assert "signs 签名" in listed
    assert retired.exit_code == 0
    assert "已停用" in retired.stderr
    assert SigningKeys(home / "photo-keys.json").current().id == second
    assert (old := PublicKeys(home / "photo-keys.public.json").get(first)) is not None
    assert old.retired_at is not None


def test_with_json_every_key_is_an_object(home: Path) -> None:
    made = lines(photo("keys", "new", "--json"))
    photo("keys", "new")

    listed = lines(photo("keys", "list", "--json"))
    retired = lines(photo("keys", "retire", str(made[0]["id"]), "--json"))

    assert [key["signs"] for key in (*made, *listed, *retired)] == [True, False, True, False]
    assert listed[0]["id"] == retired[0]["id"] == made[0]["id"]
    assert listed[0]["retired_at"] is None
    assert retired[0]["retired_at"] is not None
    assert made[0]["public_keys_file"] == str(home / "photo-keys.public.json")


def test_retiring_the_last_key_says_that_none_signs_now() -> None:
    only = photo("keys", "new").stdout.strip()

    retired = photo("keys", "retire", only)

    assert retired.exit_code == 0
    assert "baoshen photo keys new" in retired.stderr


def test_a_key_that_is_not_there_is_bad_use() -> None:
    photo("keys", "new")

    refused = photo("keys", "retire", "p20200101-0000")

    assert refused.exit_code == 2
    assert "baoshen photo keys list" in refused.stderr


def test_without_any_key_the_list_says_how_to_make_one() -> None:
    listed = photo("keys", "list")

    assert listed.exit_code == 0
    assert "baoshen photo keys new" in listed.stdout


def test_damaged_files_are_left_alone(home: Path) -> None:
    (home / "photo-keys.json").write_text("{")

    for command in (("keys", "new"), ("keys", "list"), ("keys", "retire", "p20200101-0000")):
        failed = photo(*command)
        assert failed.exit_code == 1
        assert "photo-keys.json" in failed.stderr

    assert (home / "photo-keys.json").read_text() == "{"


def test_the_environment_says_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PRIVATE, str(tmp_path / "a" / "mine.json"))
    monkeypatch.setenv(PUBLIC, str(tmp_path / "b" / "ours.json"))

    made = photo("keys", "new").stdout.strip()

    assert SigningKeys(tmp_path / "a" / "mine.json").current().id == made
    assert PublicKeys(tmp_path / "b" / "ours.json").get(made)


def test_keys_of_ones_own_are_never_mixed_with_those_of_a_running_stack(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = {PRIVATE: str(home / "stack.json"), PUBLIC: str(home / "stack.public.json")}
    (home / environment.FILE_NAME).write_text(json.dumps(stack))
    of_the_stack = photo("keys", "new").stdout.strip()
    monkeypatch.setenv(PRIVATE, str(home / "own.json"))

    own = photo("keys", "new").stdout.strip()

    assert SigningKeys(home / "stack.json").current().id == of_the_stack
    assert PublicKeys(home / "stack.public.json").get(own) is None
    assert PublicKeys(home / "own.public.json").get(own)


@pytest.mark.usefixtures("december")
def test_a_valid_photo_is_verified_with_public_keys_alone() -> None:
    plain = photo("verify", str(VECTORS / "accepted.jpg"), *KEYS, "--application", "2026150001")
    told = photo("verify", str(VECTORS / "accepted.jpg"), *KEYS, "--json")

    assert plain.exit_code == told.exit_code == 0
    assert "p20261128-0001" in plain.stdout
    answer = lines(told)[0]
    assert (answer["valid"], answer["application_no"], answer["pack"]) == (True, "2026150001", "neimenggu-2021@3")
    assert answer["expires_at"] == "2026-12-28T00:00:00+00:00"


@pytest.mark.usefixtures("december")
@pytest.mark.parametrize(
    ("file", "reason", "words"),
    [
        ("changed.jpg", "photo_changed", "重新下载"),
        ("plain.jpg", "receipt_missing", "照片检测"),
        ("forged.jpg", "receipt_forged", "照片检测"),
        ("retired-key.jpg", "key_retired", "停用"),
        ("keys.public.json", "not_a_jpeg", "jpg"),
    ],
)
def test_a_refusal_names_the_reason_and_what_to_do(file: str, reason: str, words: str) -> None:
    refused = photo("verify", str(VECTORS / file), *KEYS, "--json")

    answer = lines(refused)[0]

    assert refused.exit_code == 1
    assert (answer["valid"], answer["reason"]) == (False, reason)
    assert words in refused.stderr
    assert reason in refused.stderr


@pytest.mark.usefixtures("december")
def test_another_candidates_photo_is_refused() -> None:
    refused = photo("verify", str(VECTORS / "accepted.jpg"), *KEYS, "--application", "2026150002")

    assert refused.exit_code == 1
    assert "other_candidate" in refused.stderr
    assert "2026150001" not in refused.stderr


def test_the_stacks_clock_decides_what_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAOSHEN_CLOCK_SHIFT_S", str(20 * 365 * 86_400))

    refused = photo("verify", str(VECTORS / "accepted.jpg"), *KEYS)

    assert refused.exit_code == 1
    assert "receipt_expired" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-file.jpg", *KEYS),
        (str(VECTORS), *KEYS),
        (str(VECTORS / "accepted.jpg"), "--keys", "no-such-keys.json"),
        (str(VECTORS / "accepted.jpg"), "--keys", str(VECTORS / "vectors.json")),
        (str(VECTORS / "accepted.jpg"),),
        (str(VECTORS / "accepted.jpg"), *KEYS, "--application", "not a number"),
        (),
    ],
    ids=["no file", "a folder", "no keys", "other keys", "no keys here", "no number", "nothing"],
)
def test_what_can_not_be_judged_is_bad_use(arguments: tuple[str, ...]) -> None:
    refused = photo("verify", *arguments)

    assert refused.exit_code == 2
    assert refused.stderr
    assert "Traceback" not in refused.output


def test_a_file_of_any_size_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "endless.jpg").open("wb") as file:
        file.truncate(10**12)

    refused = photo("verify", str(tmp_path / "endless.jpg"), *KEYS)

    assert refused.exit_code == 2
    assert "10 MB" in refused.stderr


def test_the_local_stack_makes_a_first_key_and_keeps_it(tmp_path: Path) -> None:
    own = own_environment()

    first = Stack(tmp_path, free_ports=True, web=False, environment=own)
    again = Stack(tmp_path, free_ports=True, web=False, environment=own)

    assert first.environment[PUBLIC] == again.environment[PUBLIC] == str(tmp_path / "photo-keys.public.json")
    assert PublicKeys(tmp_path / "photo-keys.public.json").get(SigningKeys(tmp_path / "photo-keys.json").current().id)


def test_only_validation_is_told_where_the_private_keys_lie(tmp_path: Path) -> None:
    stack = Stack(tmp_path, free_ports=True, web=False, environment=own_environment())
    services = ("upload", "validation", "validation-2", "review", "notify")

    told = [name for name in services if PRIVATE in stack._service(name).environment]

    assert PRIVATE not in stack.environment
    assert told == ["validation", "validation-2"]


def test_damaged_keys_stop_the_stack_before_it_starts(tmp_path: Path) -> None:
    (tmp_path / "photo-keys.json").write_text("{}")

    with pytest.raises(StackError, match=r"photo-keys\.json.*checked again"):
        keep_photo_keys({}, tmp_path)
