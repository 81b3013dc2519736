"""A real Chromium against the whole system, and candidates to be: in a region that all share, or one of their own."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from deploy.demo.cast import Cast, make_cast, open_accounts, publish_rules, register
from deploy.demo.people import Candidate
from deploy.intake.accounts import Sorted, write_accounts
from deploy.local.places import CHECKOUT
from services.upload.accounts import CandidateAccount
from shared.contracts.facts import Facts
from shared.security.passwords import hash_now
from tests.browser.pages import SOON_MS, Visitor

SCREENS = CHECKOUT / "docs" / "screens"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

People = Callable[..., Awaitable[Cast]]
Visits = Callable[..., Awaitable[Visitor]]


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
        expect.set_options(timeout=SOON_MS)
        chromium = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures for the documents go: into the documents only with `BAOSHEN_SCREENS=1`."""
    if os.environ.get("BAOSHEN_SCREENS") != "1":
        return tmp_path_factory.mktemp("screens")
    SCREENS.mkdir(exist_ok=True)
    return SCREENS


@pytest_asyncio.fixture(scope="session")
async def somebody(environment: Mapping[str, str]) -> People:
    """`await somebody(facts, pack="hunan-2026")`: a new candidate who can log in, in the tests' region of that pack."""
    regions: dict[str, Cast] = {}

    async def arrives(
        facts: Facts | None = None, *, pack: str = "neimenggu-2021", activated: bool = True, seed: int | None = None
    ) -> Cast:
        facts = facts or Facts()
        if pack not in regions:
            regions[pack] = make_cast(pack, facts)
            await publish_rules(environment, regions[pack])
        cast = replace(regions[pack].with_another(facts, seed), activated=activated)
        account = CandidateAccount(cast.application_no, hash_now(cast.password), activated=activated)
        databases = environment["DATABASE_URL_UPLOAD"], environment["DATABASE_URL_REVIEW"]
        await write_accounts(Sorted([account], [], []), *databases)
        await register(environment, cast)
        await _is_there(environment, cast)
        return cast

    return arrives


@pytest_asyncio.fixture
async def cast(somebody: People) -> Cast:
    """A candidate who can log in, one of many in their region."""
    return await somebody()


@pytest_asyncio.fixture
async def crew(environment: Mapping[str, str]) -> Cast:
    """A candidate who has yet to activate the account, and the staff of a region that has nobody else."""
    players = make_cast("neimenggu-2021", Facts())
    await publish_rules(environment, players)
    await register(environment, players)
    await open_accounts(environment, players)
    await _is_there(environment, players)
    return players


async def _is_there(environment: Mapping[str, str], cast: Cast) -> None:
    """Wait until the registration has arrived: before that the account has nothing to log in to."""
    until = time.monotonic() + 30
    wanted = ("", 201) if cast.activated else ("activation-needed", 403)
    async with Candidate(environment["PUBLIC_ORIGIN"], cast.application_no) as candidate:
        while True:
            answer = await candidate.log_in(cast.application_no, cast.password)
            if (answer.json().get("code", ""), answer.status_code) == wanted:
                return
            assert time.monotonic() < until, f"the registration did not arrive within half a minute: {answer.text}"
            await asyncio.sleep(0.1)


@pytest_asyncio.fixture
async def visits(browser: Browser, environment: Mapping[str, str], pictures: Path) -> AsyncIterator[Visits]:
    """`await visits("phone")`: somebody with a browser of their own. At the end nothing has broken."""
    visitors: list[Visitor] = []
    async with AsyncExitStack() as stack:

        async def visit(device: str, *, dark: bool = False) -> Visitor:
            visitor = Visitor(browser, environment["PUBLIC_ORIGIN"], device, dark=dark, pictures=pictures)
            visitors.append(await stack.enter_async_context(visitor))
            return visitor

        yield visit
        assert [trouble for visitor in visitors for trouble in visitor.troubles] == []
