"""The audit chain's format: what was sealed once must be checked by the same rules for ever."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.review import AuditSealed
from shared.security.audit_chain import BEGINNING, LINE_FIELDS, AuditKeys, AuditSigner, Head, chained, line_hash
from tests.contracts.goldens import goldens

SIGNER = AuditSigner(base64.b64encode(bytes(range(32))).decode())
AT = datetime(2021, 3, 1, 1, 0, 0, 400_000, tzinfo=UTC)
LINE: dict[str, Any] = {
    "seq": 1,
    "line_id": 7,
    "at": AT,
    "act": "claimed",
    "outcome": "done",
    "staff_id": UUID(int=1),
    "role": "site_reviewer",
    "application_no": "15012021000001",
    "region": "15",
    "site": "1501",
    "address": "127.0.0.1",
    "device": "Chrome · Windows",
    "detail": {"round": 1, "items": ["diploma"], "note": "更"},
}


def a_head(**more: Any) -> Head:
    values: dict[str, Any] = {
        "first_seq": 1,
        "last_seq": 1,
        "previous_head": BEGINNING,
        "head": "a" * 64,
        "sealed_at": AT,
    }
    return SIGNER.sign(UUID(int=2), 1, **(values | more))


def test_a_line_s_hash_is_what_it_was_when_the_format_was_made() -> None:
    # Worked out by hand from docs/audit.md; where this differs, every chain that there is breaks.
    assert line_hash(BEGINNING, LINE) == "d4a9769822ca777e3bd475241226b94a49e6416e232edd29ef6060074cb2153f"


@pytest.mark.parametrize("name", LINE_FIELDS)
def test_every_column_counts(name: str) -> None:
    assert line_hash(BEGINNING, LINE | {name: None}) != line_hash(BEGINNING, LINE)


def test_the_same_moment_and_the_same_detail_written_otherwise_are_the_same() -> None:
    elsewhere = LINE["at"].astimezone(timezone(timedelta(hours=8)))
    turned = dict(reversed(LINE["detail"].items()))

    assert line_hash(BEGINNING, LINE | {"at": elsewhere, "detail": turned}) == line_hash(BEGINNING, LINE)


def test_each_line_builds_on_the_one_before() -> None:
    first, second = chained(BEGINNING, [LINE, LINE | {"seq": 2}])

    assert second == line_hash(first, LINE | {"seq": 2})
    assert second != line_hash(BEGINNING, LINE | {"seq": 2})


def test_a_signature_fits_its_own_head_under_a_known_key_only() -> None:
    head = a_head()
    keys = AuditKeys([SIGNER.public_key])

    assert keys.signed(head)
    assert not AuditKeys([]).signed(head)
    for change in ({"head": "b" * 64}, {"batch_no": 2}, {"last_seq": 2}, {"signature": "?"}, {"chain_id": UUID(int=3)}):
        assert not keys.signed(replace(head, **change))


@pytest.mark.parametrize("name", ["first_batch", "one_line"])
def test_heads_that_were_told_once_are_still_taken_as_signed(name: str) -> None:
    golden = next(each for each in goldens() if str(each) == f"audit.sealed.v1/{name}")

    told = AuditSealed.model_validate(golden.body)

    assert AuditKeys([SIGNER.public_key]).signed(Head(**told.model_dump()))


def test_a_key_is_named_by_its_public_half() -> None:
    assert a_head().key_id == "56475aa75463474c"


@pytest.mark.parametrize("wrong", ["", "AAAA", "no base64"])
def test_a_seed_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|base64|padding|character"):
        AuditSigner(wrong)
