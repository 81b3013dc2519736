"""The sealer: every line gets one place in one chain, and each head is told, signed."""

import asyncio
import base64
import secrets
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.review.use_cases import audit
from services.review.use_cases.sealing import Sealer
from shared.contracts.review import AuditSealed
from shared.security.audit_chain import BEGINNING, AuditKeys, AuditSigner, Head, chained
from tests.review.conftest import ReviewUnderTest

SIGNER = AuditSigner(base64.b64encode(secrets.token_bytes(32)).decode())


async def some_lines(review: ReviewUnderTest, count: int = 1) -> None:
    async with review.service.sessions.begin() as session:
        await audit.write(session, *(audit.line("opened", None, detail={"n": n, "更": "ä"}) for n in range(count)))


async def the_lines(review: ReviewUnderTest) -> Sequence[dict[str, Any]]:
    return await review.rows("SELECT * FROM audit ORDER BY seq")


def a_sealer(review: ReviewUnderTest, batch: int = 5000) -> Sealer:
    return Sealer(review.service.sessions, SIGNER, batch=batch)


async def test_lines_are_chained_in_order_and_the_head_is_told_with_a_signature(review: ReviewUnderTest) -> None:
    await some_lines(review, 3)

    await a_sealer(review).seal()

    lines = await the_lines(review)
    assert [line["seq"] for line in lines] == [1, 2, 3]
    assert [line["hash"] for line in lines] == chained(BEGINNING, lines)
    (told,) = await review.tells(AuditSealed)
    assert (told.batch_no, told.first_seq, told.last_seq, told.head) == (1, 1, 3, lines[-1]["hash"])
    assert told.previous_head == BEGINNING
    assert AuditKeys([SIGNER.public_key]).signed(Head(**told.model_dump()))
    (seal,) = await review.rows("SELECT * FROM audit_seals")
    assert Head(**seal) == Head(**told.model_dump())


async def test_the_next_batch_follows_the_one_before(review: ReviewUnderTest) -> None:
    for _ in range(2):
        await some_lines(review, 2)
        await a_sealer(review).seal()

    first, second = await review.tells(AuditSealed)

    assert (second.batch_no, second.first_seq, second.last_seq) == (2, 3, 4)
    assert (second.chain_id, second.previous_head) == (first.chain_id, first.head)


async def test_many_lines_are_sealed_in_batches(review: ReviewUnderTest) -> None:
    await some_lines(review, 7)

    await a_sealer(review, batch=3).seal()

    told = await review.tells(AuditSealed)
    assert [(head.first_seq, head.last_seq) for head in told] == [(1, 3), (4, 6), (7, 7)]
    lines = await the_lines(review)
    assert [line["hash"] for line in lines] == chained(BEGINNING, lines)


async def test_where_nothing_waits_nothing_is_told(review: ReviewUnderTest) -> None:
    await some_lines(review)
    await a_sealer(review).seal()
    await review.tells(AuditSealed)

    await a_sealer(review).seal()

    assert await review.tells(AuditSealed) == []


async def test_several_sealers_at_once_make_one_chain(review: ReviewUnderTest) -> None:
    await some_lines(review, 40)

    await asyncio.gather(*(a_sealer(review, batch=5).seal() for _ in range(4)))
    await a_sealer(review, batch=5).seal()

    lines = await the_lines(review)
    assert [line["seq"] for line in lines] == list(range(1, 41))
    assert [line["hash"] for line in lines] == chained(BEGINNING, lines)
    told = await review.tells(AuditSealed)
    assert [head.batch_no for head in told] == list(range(1, len(told) + 1))


async def test_a_line_that_commits_after_a_later_one_is_sealed_in_the_next_batch(review: ReviewUnderTest) -> None:
    async with review.service.sessions.begin() as slow:
        await audit.write(slow, audit.line("opened", None, detail={"which": "slow"}))
        await some_lines(review)
        await a_sealer(review).seal()

    await a_sealer(review).seal()

    lines = await the_lines(review)
    assert [line["detail"].get("which") for line in lines] == [None, "slow"]
    assert lines[0]["line_id"] > lines[1]["line_id"]
    assert [line["hash"] for line in lines] == chained(BEGINNING, lines)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE audit SET act = 'nothing'",
        "UPDATE audit SET detail = '{}'",
        "UPDATE audit SET staff_id = gen_random_uuid()",
        "UPDATE audit SET seq = seq + 1",
        "UPDATE audit SET seq = NULL, hash = NULL",
        "UPDATE audit SET hash = repeat('0', 64)",
        "DELETE FROM audit",
        "UPDATE audit_seals SET head = repeat('0', 64)",
        "DELETE FROM audit_seals",
    ],
)
async def test_the_database_refuses_to_change_what_was_sealed(review: ReviewUnderTest, damage: str) -> None:
    await some_lines(review)
    await a_sealer(review).seal()

    with pytest.raises(IntegrityError, match="only added"):
        await review.execute(damage)


async def test_a_line_that_is_not_sealed_yet_can_only_be_given_its_place(review: ReviewUnderTest) -> None:
    await some_lines(review)

    with pytest.raises(IntegrityError, match="only added"):
        await review.execute("UPDATE audit SET act = 'nothing', seq = 1, hash = 'h'")
    with pytest.raises(IntegrityError, match="only added"):
        await review.execute("UPDATE audit SET seq = 1")

    async with review.service.sessions() as session:
        assert await session.scalar(text("SELECT seq FROM audit")) is None


async def test_a_process_seals_by_itself(review: ReviewUnderTest) -> None:
    chores = {work.__qualname__: every_s for work, every_s in review.service._chores}

    assert chores["Sealer.seal"] <= 0.5
