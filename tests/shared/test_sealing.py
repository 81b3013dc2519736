"""The key ring: who lacks the key reads nothing, what was changed is noticed, and destroying a key erases."""

import base64
import json
import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from shared.contracts.event import Person, Sealed
from shared.security.sealing import KeyDestroyed, KeyRing, data_key_id, lookup_hash

PERSON = Person(name="测试甲", id_number="999999199001011236", phone="19900000001")


def a_master(name: str = "k1") -> str:
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


@pytest.fixture
def master() -> str:
    return a_master()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "data-keys.json"


@pytest.fixture
def ring(master: str, file: Path) -> KeyRing:
    return KeyRing(master, file)


def test_what_was_sealed_opens_and_shows_nothing_before(ring: KeyRing) -> None:
    sealed = ring.seal("15", 2021, PERSON)

    assert ring.open(sealed) == PERSON
    assert sealed.key_id == data_key_id("15", 2021)
    shown = sealed.model_dump_json() + base64.b64decode(sealed.ciphertext).decode("latin-1")
    for part in (PERSON.name, PERSON.id_number, PERSON.phone):
        assert part not in shown


def test_the_same_person_sealed_twice_looks_different(ring: KeyRing) -> None:
    one, other = ring.seal("15", 2021, PERSON), ring.seal("15", 2021, PERSON)

    assert one.nonce != other.nonce
    assert one.ciphertext != other.ciphertext


def test_every_changed_byte_is_noticed(ring: KeyRing) -> None:
    sealed = ring.seal("15", 2021, PERSON)
    for field in ("nonce", "ciphertext"):
        whole = base64.b64decode(getattr(sealed, field))
        for at in range(len(whole)):
            changed = bytearray(whole)
            changed[at] ^= 1
            tampered = sealed.model_copy(update={field: base64.b64encode(changed).decode()})
            with pytest.raises(ValueError, match="not intact"):
                ring.open(tampered)


@pytest.mark.parametrize("changed", [{"nonce": "AAAA"}, {"nonce": "no base64!"}, {"ciphertext": ""}])
def test_what_was_never_ours_is_an_error_that_quotes_nothing(ring: KeyRing, changed: dict[str, str]) -> None:
    sealed = ring.seal("15", 2021, PERSON).model_copy(update=changed)

    with pytest.raises(ValueError, match=r"[Nn]once|base64|intact|padding|bytes") as caught:
        ring.open(sealed)

    assert PERSON.name not in str(caught.value)


def test_data_of_one_region_does_not_pass_as_that_of_another(ring: KeyRing) -> None:
    ring.seal("43", 2021, PERSON)
    sealed = ring.seal("15", 2021, PERSON)

    with pytest.raises(ValueError, match="not intact"):
        ring.open(sealed.model_copy(update={"key_id": "43-2021"}))


def test_destroying_a_key_erases_what_it_sealed_and_nothing_else(ring: KeyRing) -> None:
    gone, kept = ring.seal("15", 2021, PERSON), ring.seal("15", 2022, PERSON)

    assert ring.destroy("15-2021") is True

    with pytest.raises(KeyDestroyed):
        ring.open(gone)
    assert ring.open(kept) == PERSON
    assert ring.destroy("15-2021") is False


def test_nothing_is_sealed_again_under_a_destroyed_key(ring: KeyRing, master: str, file: Path) -> None:
    ring.seal("15", 2021, PERSON)
    ring.destroy("15-2021")

    for each in (ring, KeyRing(master, file)):
        with pytest.raises(KeyDestroyed):
            each.seal("15", 2021, PERSON)


def test_another_process_notices_that_a_key_was_destroyed(ring: KeyRing, master: str, file: Path) -> None:
    sealed = ring.seal("15", 2021, PERSON)
    other = KeyRing(master, file)
    assert other.open(sealed) == PERSON

    ring.destroy("15-2021")

    with pytest.raises(KeyDestroyed):
        other.open(sealed)


def test_a_change_within_one_tick_of_the_file_systems_clock_is_noticed_too(
    ring: KeyRing, master: str, file: Path
) -> None:
    sealed = ring.seal("15", 2021, PERSON)
    other = KeyRing(master, file)
    assert other.open(sealed) == PERSON
    before = file.stat()

    ring.destroy("15-2021")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(KeyDestroyed):
        other.open(sealed)


def test_processes_that_begin_together_make_one_key(master: str, file: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from shared.contracts.event import Person; "
        "from shared.security.sealing import KeyRing; ring = KeyRing(sys.argv[1], Path(sys.argv[2])); "
        "sys.stdin.read(1); "
        "print(ring.seal('15', 2021, Person(name='n', id_number='i', phone='p')).model_dump_json())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, master, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]

    told = [process.communicate("x", timeout=60)[0] for process in processes]

    ring = KeyRing(master, file)
    assert [ring.open(Sealed.model_validate_json(line)).name for line in told] == ["n"] * 4
    assert list(json.loads(file.read_text())) == ["15-2021"]


def test_the_file_holds_wrapped_keys_for_its_owner_only(ring: KeyRing, file: Path) -> None:
    sealed = ring.seal("15", 2021, PERSON)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(InvalidTag):
        KeyRing(a_master(), file).open(sealed)


def test_a_new_master_key_wraps_new_data_keys_and_the_old_one_still_opens(
    ring: KeyRing, master: str, file: Path
) -> None:
    old = ring.seal("15", 2021, PERSON)
    rotated = KeyRing(f"{a_master('k2')},{master}", file)

    new = rotated.seal("15", 2022, PERSON)

    assert (rotated.open(old), rotated.open(new)) == (PERSON, PERSON)
    assert {key: entry["by"] for key, entry in json.loads(file.read_text()).items()} == {
        "15-2021": "k1",
        "15-2022": "k2",
    }
    with pytest.raises(ValueError, match="wrapped by master key k2"):
        KeyRing(master, file).open(old)


@pytest.mark.parametrize("wrong", ["", "k1", "k1:", "k1:AAAA", "k1:no base64", ":" + "A" * 43 + "="])
def test_a_master_key_that_is_none_is_refused_at_the_start(wrong: str, file: Path) -> None:
    with pytest.raises(ValueError, match=r"MASTER_KEYS|base64"):
        KeyRing(wrong, file)


def test_bodies_of_any_content_are_sealed_under_a_key_of_their_own(ring: KeyRing) -> None:
    body = b"\xff\x00" + PERSON.name.encode()

    key_id, sealed = ring.seal_bytes(body)

    assert key_id == "dead-letters"
    assert PERSON.name.encode() not in sealed
    assert ring.open_bytes(key_id, sealed) == body
    ring.destroy(key_id)
    with pytest.raises(KeyDestroyed):
        ring.open_bytes(key_id, sealed)


def test_a_new_version_seals_and_the_older_one_still_opens(ring: KeyRing, master: str, file: Path) -> None:
    old = ring.seal("15", 2021, PERSON)
    other = KeyRing(master, file)

    made = ring.add_versions(["15-2021", "43-2021"])

    new = other.seal("15", 2021, PERSON)
    assert made == {"15-2021": "15-2021-2"}
    assert new.key_id == "15-2021-2"
    assert (ring.open(old), ring.open(new)) == (PERSON, PERSON)
    assert ring.data_keys() == ["15-2021"]
    assert ring.older_versions(["15-2021"]) == ["15-2021"]


def test_what_lies_under_an_older_version_is_sealed_anew_once(ring: KeyRing) -> None:
    old, body = ring.seal("15", 2021, PERSON), ring.seal_bytes(b"body")
    ring.add_versions(["15-2021", "dead-letters"])

    new, new_body = ring.reseal(old), ring.reseal_bytes(*body)

    assert new is not None
    assert new_body is not None
    assert (new.key_id, ring.open(new)) == ("15-2021-2", PERSON)
    assert (new_body[0], ring.open_bytes(*new_body)) == ("dead-letters-2", b"body")
    assert (ring.reseal(new), ring.reseal_bytes(*new_body)) == (None, None)


def test_what_is_not_intact_is_not_sealed_anew(ring: KeyRing) -> None:
    sealed, (key_id, body) = ring.seal("15", 2021, PERSON), ring.seal_bytes(b"body")
    ring.add_versions(["15-2021", "dead-letters"])

    with pytest.raises(ValueError, match="not intact"):
        ring.reseal(sealed.model_copy(update={"nonce": "AAAAAAAAAAAAAAAA"}))
    with pytest.raises(ValueError, match="not intact"):
        ring.reseal_bytes(key_id, body[:-1] + b"?")


def test_destroying_a_key_destroys_all_its_versions(ring: KeyRing, master: str, file: Path) -> None:
    first = ring.seal("15", 2021, PERSON)
    ring.add_versions(["15-2021"])
    second, kept = ring.seal("15", 2021, PERSON), ring.seal("15", 2022, PERSON)

    assert ring.destroy("15-2021") is True

    for each in (ring, KeyRing(master, file)):
        for sealed in (first, second):
            with pytest.raises(KeyDestroyed):
                each.open(sealed)
        with pytest.raises(KeyDestroyed):
            each.seal("15", 2021, PERSON)
        assert each.open(kept) == PERSON
    assert ring.add_versions(["15-2021"]) == {}
    assert ring.destroy("15-2021") is False


def test_of_a_region_nothing_is_destroyed_by_its_code_alone(ring: KeyRing) -> None:
    sealed = ring.seal("15", 2021, PERSON)

    assert ring.destroy("15") is False

    assert ring.open(sealed) == PERSON


def test_wrapping_anew_changes_the_master_key_and_nothing_else(ring: KeyRing, master: str, file: Path) -> None:
    sealed, gone = ring.seal("15", 2021, PERSON), ring.seal("15", 2020, PERSON)
    ring.destroy("15-2020")
    fresh = a_master("k2")

    assert KeyRing(f"{fresh},{master}", file).rewrap() == 1

    only_new = KeyRing(fresh, file)
    assert only_new.open(sealed) == PERSON
    with pytest.raises(KeyDestroyed):
        only_new.open(gone)
    assert only_new.rewrap() == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_wrapping_anew_without_the_old_master_key_changes_nothing(ring: KeyRing, file: Path) -> None:
    ring.seal("15", 2021, PERSON)
    before = file.read_text()

    with pytest.raises(ValueError, match="wrapped by master key k1"):
        KeyRing(a_master("k2"), file).rewrap()

    assert file.read_text() == before


def test_a_number_is_found_by_its_keyed_hash_only() -> None:
    key, other = secrets.token_bytes(32), secrets.token_bytes(32)

    assert lookup_hash(key, " 99999919900101123x ") == lookup_hash(key, "99999919900101123X")
    assert lookup_hash(key, "999999199001011236") != lookup_hash(other, "999999199001011236")
    assert lookup_hash(key, "999999199001011236") != lookup_hash(key, "999999199001011237")
