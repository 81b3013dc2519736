"""A real Chromium against the whole system, and a cast of a region of their own for each test."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from deploy.demo.cast import Cast, make_cast, open_accounts, publish_rules, register
from deploy.demo.people import Candidate
from shared.contracts.facts import Facts
from tests.browser.pages import Visitor

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Where the system is: the run's own, or that of the file that `BAOSHEN_ENVIRONMENT` names."""
    if file := os.environ.get("BAOSHEN_ENVIRONMENT"):
        given: dict[str, str] = json.loads(Path(file).read_text(encoding="utf-8"))
        return given
    started: Mapping[str, str] = request.getfixturevalue("system").environment
    return started


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        message = "no Chromium: install Debian's package chromium, or name one in CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    async with async_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        chromium = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture
async def cast(environment: Mapping[str, str]) -> Cast:
    """A candidate who can log in, and the staff of a region that has nobody else."""
    players = make_cast("neimenggu-2021", Facts())
    await publish_rules(environment, players)
    await register(environment, players)
    await open_accounts(environment, players)
    until = time.monotonic() + 30
    async with Candidate(environment["PUBLIC_ORIGIN"], players.application_no) as candidate:
        while True:
            if (await candidate.log_in(players.application_no, players.password)).status_code == 201:
                page = await candidate.get(f"/applications/{players.application_no}")
                if page.status_code == 200:
                    return players
            assert time.monotonic() < until, "the registration did not arrive within half a minute"
            await asyncio.sleep(0.1)


@pytest_asyncio.fixture
async def visits(
    browser: Browser, environment: Mapping[str, str]
) -> AsyncIterator[Callable[[str], Awaitable[Visitor]]]:
    """`await visits("phone")` or `"office"`: somebody with a browser of their own. At the end nothing has broken."""
    visitors: list[Visitor] = []
    async with AsyncExitStack() as stack:

        async def visit(device: str) -> Visitor:
            visitors.append(await stack.enter_async_context(Visitor(browser, environment["PUBLIC_ORIGIN"], device)))
            return visitors[-1]

        yield visit
        assert [trouble for visitor in visitors for trouble in visitor.troubles] == []
