"""The way back from an identity provider in a real browser, whose rules for SameSite cookies no other client has."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi.responses import HTMLResponse
from playwright.async_api import Browser, async_playwright

from services.review.main import build
from services.review.settings import Settings
from tests.review.conftest import ReviewUnderTest
from tests.review.provider import SUBJECT, a_provider

pytestmark = pytest.mark.browser

_CONSOLE = """<!doctype html><title>…</title><p id="who"></p><script>
fetch('/staff/session').then(async (answer) => {
  document.getElementById('who').textContent = answer.ok ? (await answer.json()).display_name : answer.status
})
</script>"""


@pytest_asyncio.fixture
async def chromium() -> AsyncIterator[Browser]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium: install Debian's package chromium, or name one in CHROMIUM")
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield found
        await found.close()


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_after_the_way_back_the_browser_is_logged_in_although_its_cookie_is_strict(
    review: ReviewUnderTest, review_settings: Settings, chromium: Browser
) -> None:
    port = a_free_port()
    origin = f"http://127.0.0.1:{port}"
    with a_provider() as provider:  # at localhost: another site than ours
        settings = review_settings.model_copy(
            update={"public_origin": origin, "staff_oidc_issuer": provider.issuer, "staff_oidc_client_id": "baoshen"}
        )
        await review.execute(
            "UPDATE staff SET oidc_issuer = :issuer, oidc_subject = :subject WHERE login = 'site'",
            issuer=provider.issuer,
            subject=SUBJECT,
        )
        service = build(settings)
        service.app.get("/console/", response_class=HTMLResponse)(lambda: _CONSOLE)
        server = service.server(port)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 uvicorn has no event for it
            await asyncio.sleep(0.02)
        page = await chromium.new_page()

        await page.goto(f"{provider.issuer}/")
        await page.evaluate("url => { location.href = url }", f"{origin}/staff/oidc/login")
        await page.wait_for_url("**/oauth2/authorize?**")
        await page.fill("input[name=sub]", SUBJECT)
        await page.press("input[name=sub]", "Enter")
        await page.wait_for_url(f"{origin}/console/")
        await page.wait_for_function("document.getElementById('who').textContent !== ''")

        who = await page.text_content("#who")
        cookies = {cookie["name"]: cookie for cookie in await page.context.cookies(origin)}
        await page.close()
        server.should_exit = True
        await serving
    assert who == "审核员 site"
    assert cookies["baoshen_staff"]["sameSite"] == "Strict"
    assert "baoshen_oidc" not in cookies
