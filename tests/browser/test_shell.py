"""What stands around the checklist: the tabs, the ways in, the candidate's own data; on any screen, in any light."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import Route, expect

from deploy.demo.cast import Cast
from deploy.demo.people import Candidate
from tests.browser.conftest import People, Visits
from tests.browser.pages import PATIENCE_MS, CandidateAtPage, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.stack]

PAGES = {
    "home": "/",
    "registration": "/registration",
    "photo": "/photo",
    "scores": "/scores",
    "tests": "/tests",
    "payments": "/payments",
    "profile": "/profile",
    "messages": "/messages",
}
MARKS = {"home": "home", "registration": "application", "tests": "page-online_tests"}
BEIJING = ZoneInfo("Asia/Shanghai")
CHINESE = re.compile(r"[\u4e00-\u9fff]")

# The top of what has the focus (of an item its heading), and what lies over it.
COVERED = """() => {
  const has = document.activeElement
  if (has === document.body) return null
  const shown = has.closest('label') ?? has.querySelector(':scope > header > h4') ?? has
  const { left, top, width, height } = shown.getBoundingClientRect()
  const over = document.elementFromPoint(left + Math.min(width, 40) / 2, top + Math.min(height, 40) / 2)
  return over && (shown.contains(over) || over.contains(shown)) ? null : `${shown.outerHTML} at ${top}`
}"""


async def is_open(visitor: Visitor, page: str) -> None:
    """The page stands there as a whole."""
    if page == "messages":
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    else:
        await expect(visitor.see(MARKS.get(page, f"page-{page}"))).to_be_visible()
    if page == "profile":
        await expect(visitor.see("session").first).to_be_visible()


async def test_the_tabs_lead_everywhere_and_the_browser_leads_back(cast: Cast, visits: Visits) -> None:
    visitor = await visits("phone")
    await visitor.come_in("/no-such-page", cast)
    await is_open(visitor, "home")

    for name, path in PAGES.items():
        await visitor.see("messages-link" if name == "messages" else f"tab-{name}").click()
        await is_open(visitor, name)
        assert visitor.page.url == visitor.origin + path
        here = visitor.page.locator("[aria-current=page]")
        await expect(here).to_have_count(1)
        await expect(here).to_be_in_viewport()
    await visitor.page.go_back()
    await is_open(visitor, "profile")
    await visitor.page.reload()
    await is_open(visitor, "profile")


async def test_the_keyboard_gets_everywhere(cast: Cast, visits: Visits) -> None:
    visitor = await visits("desktop")
    await visitor.come_in("/", cast)
    await is_open(visitor, "home")

    await visitor.page.keyboard.press("Tab")
    await visitor.page.keyboard.press("Enter")
    assert await visitor.page.evaluate("document.activeElement.id") == "content"
    for name in ("payments", "profile"):
        await visitor.page.evaluate("document.activeElement.blur()")
        await visitor.tab_to(f"tab-{name}")
        await visitor.page.keyboard.press("Enter")
        await is_open(visitor, name)
    await visitor.tab_to("end-all")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.see("confirm-end-all")).to_be_visible()
    await visitor.is_presentable("candidate-end-all")
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.see("end-all")).to_be_focused()


async def test_what_has_the_focus_is_never_behind_the_tabs_or_the_submit_bar(cast: Cast, visits: Visits) -> None:
    visitor = await visits("phone")
    candidate = CandidateAtPage(visitor)
    await visitor.come_in("/registration", cast)
    await candidate.see("submit").click()
    await candidate.see("missing").get_by_role("link").last.click()
    await expect(candidate.item("registration_notice")).to_be_focused()
    await expect(candidate.item("registration_notice").locator("h4")).to_be_in_viewport(ratio=1)
    # The page glides there.
    await visitor.page.wait_for_function(f"({COVERED})() === null")

    await visitor.page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    for key in ("Tab", "Shift+Tab"):
        for _ in range(30):
            await visitor.page.keyboard.press(key)
            assert await visitor.page.evaluate(COVERED) is None


@pytest.mark.parametrize("device", ["desktop", "phone", "narrow"])
async def test_every_page_is_presentable(device: str, cast: Cast, visits: Visits) -> None:
    visitor = await visits(device)
    await visitor.page.goto(visitor.origin)
    await expect(visitor.see("login-form")).to_be_visible()
    await visitor.is_presentable(f"{device}-login")
    if device != "narrow":
        await visitor.picture(f"login-{device}")
    await visitor.come_in("/", cast)
    for name in PAGES:
        await visitor.see("messages-link" if name == "messages" else f"tab-{name}").click()
        await is_open(visitor, name)
        await visitor.is_presentable(f"{device}-{name}")
        if name == "profile" and device != "narrow":
            await visitor.picture(f"profile-{device}")


async def test_every_page_is_readable_in_the_dark(cast: Cast, visits: Visits) -> None:
    visitor = await visits("phone", dark=True)
    await visitor.page.goto(visitor.origin)
    await expect(visitor.see("login-form")).to_be_visible()
    await visitor.is_presentable("dark-login")
    await visitor.come_in("/", cast)
    for name in PAGES:
        await visitor.see("messages-link" if name == "messages" else f"tab-{name}").click()
        await is_open(visitor, name)
        await visitor.is_presentable(f"dark-{name}")
        if name in {"home", "registration"}:
            await visitor.picture(f"dark-{name}-phone")


async def test_the_console_is_readable_in_the_dark(crew: Cast, visits: Visits) -> None:
    visitor = await visits("office", dark=True)
    await visitor.log_in("/console/", crew.site_logins[0], crew.password)
    await expect(visitor.see("empty")).to_be_visible()
    await visitor.is_presentable("console-dark")


async def test_light_and_dark_are_the_candidates_choice_too(cast: Cast, visits: Visits) -> None:
    visitor = await visits("desktop")
    await visitor.come_in("/profile", cast)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = await visitor.page.evaluate(ground)

    await visitor.see("appearance-dark").check()
    dark = await visitor.page.evaluate(ground)
    assert dark != light
    await visitor.page.reload()
    await expect(visitor.see("appearance-dark")).to_be_checked()
    assert await visitor.page.evaluate(ground) == dark
    await visitor.is_presentable("candidate-chosen-dark")
    await visitor.picture("dark-profile-desktop")


async def test_every_page_speaks_english_to_those_who_ask(cast: Cast, visits: Visits) -> None:
    visitor = await visits("desktop")
    await visitor.page.goto(visitor.origin)
    await visitor.see("language").click()
    await expect(visitor.page.get_by_role("heading", level=1)).not_to_have_text(CHINESE)
    await visitor.is_presentable("english-login")
    await visitor.enter(cast.application_no, cast.password)

    await is_open(visitor, "home")
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    await visitor.page.reload()
    for name in PAGES:
        await visitor.see("messages-link" if name == "messages" else f"tab-{name}").click()
        await is_open(visitor, name)
        # Names stay as they are, and the other language is called by its own name.
        shown = await visitor.page.locator("body").inner_text()
        left = [line for line in shown.replace(cast.person.name, "").splitlines() if CHINESE.search(line)]
        assert [line for line in left if "中文" not in line] == [], name
        if name in {"home", "registration"}:
            await visitor.is_presentable(f"english-{name}")
            await visitor.picture(f"english-{name}-desktop")


async def test_after_failures_the_login_asks_for_a_captcha(
    somebody: People, visits: Visits, environment: Mapping[str, str]
) -> None:
    cast = await somebody()
    visitor = await visits("phone")
    async with Candidate(visitor.origin, cast.application_no) as guesser:
        for _ in range(5):
            await guesser.log_in(cast.application_no, "not the password")

    await visitor.log_in("/", cast.application_no, cast.password)
    await expect(visitor.see("captcha-image")).to_have_js_property("complete", value=True)
    await visitor.is_presentable("candidate-login-captcha")
    first = await visitor.see("captcha-image").get_attribute("src")
    await visitor.see("captcha-new").click()
    await expect(visitor.see("captcha-image")).not_to_have_attribute("src", first or "")
    await visitor.see("captcha-answer").fill("not what it says")
    await visitor.page.route("**/candidate/captchas", slowly)
    await visitor.see("log-in").click()
    await expect(visitor.see("problem")).to_be_visible()
    # Quicker than the next captcha comes.
    await visitor.see("captcha-answer").fill(environment["CAPTCHA_TEST_ANSWER"])
    await visitor.see("log-in").click()

    await is_open(visitor, "home")


async def test_the_home_page_and_the_checklist_say_what_is_open_and_until_when(cast: Cast, visits: Visits) -> None:
    visitor = await visits("desktop")
    await visitor.come_in("/", cast)
    await is_open(visitor, "home")
    page = await what_the_service_says(visitor, cast)

    windows = visitor.see("windows").locator("li")
    await expect(windows).to_have_count(len(page["windows"]))
    for name, window in page["windows"].items():
        shown = visitor.page.locator(f"[data-window={name}]")
        if window["open"]:
            await expect(shown).to_have_attribute("data-stage", "open")
        await expect(shown).to_contain_text(in_beijing(window["closes_at"]))
    await expect(visitor.see("deadline").locator("time")).to_have_attribute("datetime", page["deadline"]["at"])
    await expect(visitor.see("deadline")).to_contain_text(in_beijing(page["deadline"]["at"]))

    await visitor.see("tab-registration").click()
    await expect(visitor.see("deadline").locator("time")).to_have_attribute("datetime", page["deadline"]["at"])


async def test_a_new_phone_number_is_proven_with_a_code(
    cast: Cast, visits: Visits, environment: Mapping[str, str]
) -> None:
    visitor = await visits("phone")
    await visitor.come_in("/profile", cast)
    await expect(visitor.see("phone-now")).to_contain_text(cast.person.phone[-4:])
    await visitor.see("change-phone").click()
    number = f"198{cast.application_no[-8:]}"
    await visitor.see("new-phone").fill(number)
    await visitor.see("get-code").click()

    await expect(visitor.see("sms-code")).to_be_focused()
    await visitor.is_presentable("candidate-phone-code")
    await visitor.see("sms-code").fill("000000")
    await visitor.see("confirm-phone").click()
    await expect(visitor.see("problem")).to_be_visible()
    await visitor.see("sms-code").fill(await code_sent_to(number, environment))
    await visitor.see("confirm-phone").click()

    await expect(visitor.see("phone-changed")).to_be_visible()
    await expect(visitor.see("phone-now")).to_contain_text(number[-4:])
    await visitor.page.reload()
    await expect(visitor.see("phone-now")).to_contain_text(number[-4:])


async def test_one_session_or_all_of_them_are_ended_from_the_list(cast: Cast, visits: Visits) -> None:
    visitor = await visits("desktop")
    await visitor.come_in("/profile", cast)
    other = await visits("phone")
    await other.come_in("/", cast)
    await is_open(other, "home")
    await visitor.page.reload()
    sessions = visitor.see("session")
    await expect(sessions.nth(1)).to_be_visible()
    before = await sessions.count()
    await expect(visitor.page.locator("[data-test=session][data-current=true]")).to_have_count(1)

    await visitor.see("end-session").first.click()
    await expect(sessions).to_have_count(before - 1)
    await visitor.see("end-all").click()
    await visitor.see("confirm-end-all").click()
    await expect(visitor.see("login-form")).to_be_visible()
    await other.see("tab-profile").click()
    await expect(other.see("log-in-again")).to_be_visible(timeout=PATIENCE_MS)
    await visitor.page.go_back()
    await expect(visitor.see("login-form")).to_be_visible()
    assert cast.person.name not in await visitor.page.locator("body").inner_text()


async def slowly(route: Route) -> None:
    await asyncio.sleep(1)
    await route.continue_()


async def what_the_service_says(visitor: Visitor, cast: Cast) -> dict[str, Any]:
    answer = await visitor.context.request.get(f"{visitor.origin}/applications/{cast.application_no}")
    said: dict[str, Any] = await answer.json()
    return said


def in_beijing(moment: str) -> str:
    """To the minute, as the pages write it."""
    return datetime.fromisoformat(moment).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


async def code_sent_to(phone: str, environment: Mapping[str, str]) -> str:
    """Wait for the SMS at the provider and read the six digits."""
    async with httpx.AsyncClient(base_url=environment["SMS_GATEWAY_URL"], timeout=10, trust_env=False) as provider:
        for _ in range(300):
            found = (await provider.get("/messages", params={"to": phone, "limit": 1})).json()["messages"]
            if found:
                digits = re.search(r"(?<!\d)\d{6}(?!\d)", found[0]["text"])
                assert digits is not None
                return digits.group()
            await asyncio.sleep(0.1)
    raise AssertionError("no code came")
