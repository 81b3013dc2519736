"""A stack of the fault tests' own: they kill its parts."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from deploy.local.stack import Stack
from deploy.local.throwaway import throwaway_stack
from deploy.reconcile.rules import reconcile
from deploy.reconcile.settling import read_settled
from deploy.reconcile.sources import Seen, read_everything
from tests.chaos.crowd import Crowd, gather_crowd

SETTLES_WITHIN_S = 120.0


@pytest_asyncio.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """Own Kafka, PostgreSQL, S3 and services."""
    async with throwaway_stack() as running:
        yield running


@pytest_asyncio.fixture
async def crowd_of(stack: Stack) -> AsyncIterator[Callable[[int], Awaitable[Crowd]]]:
    """`await crowd_of(5)`: five candidates, registered and logged in."""
    crowds = []

    async def gather(size: int) -> Crowd:
        crowds.append(await gather_crowd(stack.environment, size))
        return crowds[-1]

    yield gather
    for crowd in crowds:
        await crowd.close()


async def settled(stack: Stack, *, expected_dead: int = 0) -> Seen:
    """Wait until nothing is under way, then see that every rule of the reconciliation holds; returns what was seen."""
    until = time.monotonic() + SETTLES_WITHIN_S
    while True:
        try:
            seen = await read_settled(stack.environment, until - time.monotonic())
            break
        except Exception as error:  # noqa: BLE001 a part may still be coming back
            waiting = repr(error)
        assert time.monotonic() < until, f"not settled within {SETTLES_WITHIN_S:.0f} s: {waiting}"
        await asyncio.sleep(0.3)
    broken = [(each.rule, each.some()) for each in reconcile(seen, expected_dead=expected_dead) if not each.ok]
    assert broken == []
    return seen


async def every_accepted_image_is_there(stack: Stack, crowd: Crowd) -> None:
    """What the crowd was told is stored has its row."""
    seen = await read_everything(stack.environment)
    rows = {image["image_id"] for image in seen.rows["upload"]["images"]}
    assert crowd.book.accepted <= rows


async def dies(stack: Stack, name: str, within_s: float = 60.0) -> None:
    """Wait until a part has ended by itself: its failpoint was reached."""
    until = time.monotonic() + within_s
    while True:
        part = next(each for each in stack.status() if each.name == name)
        if part.state in {"died", "stopped", "failed", "killed"}:
            return
        assert time.monotonic() < until, f"{name} did not reach its failpoint ({part.state})"
        await asyncio.sleep(0.05)
