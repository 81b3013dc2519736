"""When the reconciliation may look: what it waits for, on what it might have read. Needs no infrastructure."""

import pytest

from deploy.reconcile.rules import is_settled
from deploy.reconcile.sources import Seen


@pytest.fixture
def seen() -> Seen:
    """Everything has been told and heard."""
    rows = {service: {"outbox": [{"count": 0}]} for service in ("upload", "validation", "review", "notify")}
    rows["review"]["acts"] = [{"count": 0}]
    return Seen(rows=rows, lag={"upload": 0, "notify": 0})


def test_where_everything_was_told_and_heard_nothing_is_under_way(seen: Seen) -> None:
    assert is_settled(seen)


def test_a_row_in_an_outbox_is_under_way(seen: Seen) -> None:
    seen.rows["notify"]["outbox"][0]["count"] = 1

    assert not is_settled(seen)


def test_a_record_that_is_not_committed_is_under_way(seen: Seen) -> None:
    seen.lag["notify"] = 1

    assert not is_settled(seen)


def test_an_act_of_staff_that_can_still_be_undone_is_under_way(seen: Seen) -> None:
    seen.rows["review"]["acts"][0]["count"] = 1

    assert not is_settled(seen)
