"""What `baoshen up` brings in: packs whose windows are open, and people who can do something at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.demo.stories import pack_names, story_of
from deploy.demo.windows import is_open, moved_to, with_everything_open
from deploy.demo_data import ACCOUNTS, LOGINS, REGISTRATIONS, InForce, to_publish
from deploy.intake.accounts import sort_accounts
from deploy.intake.packs import packs_in
from deploy.intake.registrations import Intake, Refused, id_number_fits
from deploy.intake.tables import read_rows
from shared.contracts.registration import RegistrationRecorded
from shared.contracts.rules import Pack, Window
from shared.security.sealing import KeyRing

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
REGIONS = ("neimenggu-2021", "hunan-2026", "province-2022", "liaoning-2022")


def packs() -> dict[str, Pack]:
    return {name: rules.pack for name, rules in packs_in().items()}


def in_force(*found: Pack) -> dict[str, InForce]:
    return {pack.id: InForce(pack.version, pack) for pack in found}


def with_upload_of(pack: Pack, length: timedelta) -> Pack:
    opens = datetime(2021, 3, 1, 9)  # noqa: DTZ001 local time, as packs have it
    window = Window(opens=opens, closes=opens + length)
    return pack.model_copy(update={"windows": pack.windows.model_copy(update={"upload": window})})


@pytest.mark.parametrize("name", REGIONS)
def test_moved_windows_keep_their_lengths_and_are_open_for_two_days(name: str) -> None:
    pack = packs()[name]

    moved = moved_to(pack, NOW)

    assert is_open(moved, NOW)
    assert moved.windows.upload is not None
    assert pack.windows.upload is not None
    assert abs(NOW - moved.windows.upload.opens_at - timedelta(days=2)) <= timedelta(hours=12)
    by = moved.windows.upload.opens - pack.windows.upload.opens
    for window in ("registration", "change", "review", "publishing", "payment"):
        was, now = getattr(pack.windows, window), getattr(moved.windows, window)
        assert (now.opens - was.opens, now.closes - was.closes) == (by, by)
    assert [each.due for each in moved.supplements] == [each.due + by for each in pack.supplements]


@pytest.mark.parametrize("length", [timedelta(days=3), timedelta(days=1), timedelta(hours=2)])
def test_a_short_window_is_open_too(length: timedelta) -> None:
    pack = with_upload_of(packs()["neimenggu-2021"], length)

    moved = moved_to(pack, NOW)

    assert is_open(moved, NOW)


@pytest.mark.parametrize("name", REGIONS)
def test_in_a_demo_everything_is_possible_at_once(name: str) -> None:
    windows = with_everything_open(packs()[name], NOW).windows

    for window in (windows.upload, windows.change, windows.review, windows.publishing):
        assert window is None or window.has(NOW)


def test_the_first_time_every_pack_is_published_as_it_is_and_then_with_windows_of_today() -> None:
    wanted = to_publish(packs().values(), {}, NOW, true_windows=False)

    assert wanted[::2] == list(packs().values())
    assert [pack.id for pack in wanted[1::2]] == list(packs())
    assert all(is_open(pack, NOW) for pack in wanted[1::2])
    assert [pack.version for pack in wanted[1::2]] == [pack.version + 1 for pack in packs().values()]


def test_a_second_time_nothing_is_published() -> None:
    first = to_publish(packs().values(), {}, NOW, true_windows=False)

    assert to_publish(packs().values(), in_force(*first), NOW + timedelta(days=3), true_windows=False) == []


def test_weeks_later_the_windows_are_moved_on_in_a_new_version() -> None:
    first = to_publish(packs().values(), {}, NOW, true_windows=False)
    later = NOW + timedelta(days=60)

    wanted = to_publish(packs().values(), in_force(*first), later, true_windows=False)

    assert [pack.version for pack in wanted] == [pack.version + 1 for pack in first[1::2]]
    assert all(is_open(pack, later) for pack in wanted)


def test_rules_that_changed_are_published_although_the_windows_are_open() -> None:
    first = to_publish(packs().values(), {}, NOW, true_windows=False)
    pack = packs()["hunan-2026"]
    other = not pack.second_reviewer_on_rejection
    changed = pack.model_copy(update={"second_reviewer_on_rejection": other, "version": 9})

    as_it_is, wanted = to_publish([changed], in_force(*first), NOW, true_windows=False)

    assert as_it_is == changed
    assert (wanted.version, wanted.second_reviewer_on_rejection) == (10, other)


def test_as_of_a_date_the_packs_keep_their_windows() -> None:
    moved = to_publish(packs().values(), {}, NOW, true_windows=False)

    wanted = to_publish(packs().values(), in_force(*moved), NOW, true_windows=True)
    again = to_publish(packs().values(), in_force(*wanted), NOW, true_windows=True)

    assert [pack.windows for pack in wanted] == [pack.windows for pack in packs().values()]
    assert [pack.version for pack in wanted] == [pack.version + 1 for pack in moved[1::2]]
    assert again == []


def test_a_version_that_another_release_wrote_is_followed_by_a_new_one() -> None:
    pack = packs()["neimenggu-2021"]

    [wanted] = to_publish([pack], {pack.id: InForce(7, None)}, NOW, true_windows=False)

    assert wanted.version == 8


def test_the_demo_registrations_fit_their_packs(master_keys: str, tmp_path: Path) -> None:
    keys = KeyRing(master_keys, tmp_path / "keys.json")

    taken = list(Intake(packs_in(), keys, revision=1).take(read_rows(REGISTRATIONS)))

    assert [each for each in taken if isinstance(each, Refused)] == []
    told = [each for each in taken if isinstance(each, RegistrationRecorded)]
    assert {each.pack_id for each in told} == set(REGIONS)
    for each in told:
        person = keys.open(each.sealed)
        assert id_number_fits(person.id_number)
        assert person.id_number.startswith("999999")
        assert person.phone.startswith("199000")


def test_every_demo_candidate_has_an_account_and_every_region_its_staff() -> None:
    rows = [row.cells for row in read_rows(LOGINS)]
    numbers = {row.cells["application_no"] for row in read_rows(REGISTRATIONS)}

    assert sort_accounts(read_rows(LOGINS)).refused == []
    assert {row["login"] for row in rows if row["kind"] == "candidate"} == numbers
    assert {row["login"] for row in rows if row["activated"] == "yes"} == {"2021150001"}
    for pack in (packs()[name] for name in REGIONS):
        staff = {(row["role"], row["site"]) for row in rows if row["region"] == pack.region.code}
        assert ("site_reviewer", pack.sites[0].code) in staff
        assert ("region_reviewer", "") in staff


def test_whom_the_screen_lists_can_log_in() -> None:
    passwords = {row.cells["login"]: row.cells["password"] for row in read_rows(LOGINS)}

    assert [each.login for each in ACCOUNTS if passwords.get(each.login) != each.password] == []


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_has_a_story_whose_steps_have_names_of_their_own(name: str) -> None:
    steps = story_of(name, {"PUBLIC_ORIGIN": "http://127.0.0.1:1", "SMS_GATEWAY_URL": "http://127.0.0.1:1"}).steps()

    assert len(steps) >= 29
    assert len(set(steps)) == len(steps)
