"""The reconciliation's rules about photos, on what it might have read. Needs no infrastructure."""

from typing import Any

import pytest

from deploy.reconcile.rules import reconcile
from deploy.reconcile.sources import Rows, Seen

KEPT = "every portrait and every finished photo has its object, whole"
BYTES = "every registration photo lies there byte for byte"
ANSWERED = "every photo check has its answer"
_TABLES = {
    "upload": ("applications", "packs", "images", "feedback", "photo_checks", "registration_photos"),
    "validation": ("checks",),
    "review": ("reviews", "packs", "registrations"),
    "notify": ("notices", "packs", "registrations"),
}


@pytest.fixture
def seen() -> Seen:
    """One check that passed and whose picture is deleted already, and its photo, registered."""
    empty: Rows = [{"count": 0}]
    rows = {
        service: {name: [] for name in tables} | {"outbox": empty, "dead": []} for service, tables in _TABLES.items()
    }
    rows["review"]["acts"] = empty
    rows["upload"]["photo_checks"] = [a_check()]
    rows["upload"]["registration_photos"] = [{"application_no": "A001", "object_key": "registered", "sha256": "f00d"}]
    return Seen(rows=rows, objects={"finished": 7, "registered": 7}, photo_hashes={"registered": "f00d"})


def a_check(**changed: Any) -> dict[str, Any]:
    return {
        "photo_id": "p1",
        "status": "passed",
        "object_key": "sent",
        "size": 9,
        "source_deleted_at": "an hour later",
        "photo_key": "finished",
        "photo_size": 7,
        "photo_deleted_at": None,
    } | changed


def broken(seen: Seen) -> set[str]:
    return {finding.rule for finding in reconcile(seen) if not finding.ok}


def test_photos_that_are_where_they_should_be_are_counted_and_break_nothing(seen: Seen) -> None:
    counts = {finding.rule: finding.looked_at for finding in reconcile(seen)}

    assert broken(seen) == set()
    assert (counts[KEPT], counts[BYTES], counts[ANSWERED]) == (1, 1, 1)


@pytest.mark.parametrize(
    "check",
    [a_check(source_deleted_at=None), a_check(photo_key="elsewhere"), a_check(photo_size=8)],
    ids=["the picture", "the photo", "half of it"],
)
def test_an_object_that_is_missing_is_noticed(seen: Seen, check: dict[str, Any]) -> None:
    seen.rows["upload"]["photo_checks"] = [check]

    found = broken(seen)

    assert found == {KEPT}


def test_a_finished_photo_that_was_deleted_in_time_is_not_missed(seen: Seen) -> None:
    seen.objects.pop("finished")
    seen.rows["upload"]["photo_checks"] = [a_check(status="expired", photo_deleted_at="a month later")]

    assert broken(seen) == set()


@pytest.mark.parametrize("hashes", [{}, {"registered": "beef"}], ids=["gone", "changed"])
def test_a_registration_photo_that_is_gone_or_changed_is_noticed(seen: Seen, hashes: dict[str, str]) -> None:
    seen.photo_hashes = hashes

    found = broken(seen)

    assert found == {BYTES}


def test_a_check_without_an_answer_is_noticed(seen: Seen) -> None:
    seen.rows["upload"]["photo_checks"] = [a_check(status="checking", photo_key=None)]

    found = broken(seen)

    assert found == {ANSWERED}
