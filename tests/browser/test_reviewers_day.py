"""A reviewer's day at the console: what hundreds of applications a day ask of it, by keys as much as by clicks."""

import re
from collections.abc import Mapping

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Visits
from tests.browser.crowds import Crowd
from tests.browser.pages import PATIENCE_MS, ReviewerAtConsole

pytestmark = [pytest.mark.browser, pytest.mark.stack]

CLAIMS = re.compile(r"/reviews/(claims|[^/]+/claim)$")


@pytest_asyncio.fixture(scope="module")
async def crowd(environment: Mapping[str, str]) -> Crowd:
    """Six applications at one site."""
    return await Crowd.hands_in(environment, 6)


async def logged_in(visits: Visits, crowd: Crowd, login: str) -> ReviewerAtConsole:
    reviewer = ReviewerAtConsole(await visits("office"))
    await reviewer.visitor.log_in("/console/", login, crowd.cast.password)
    return reviewer


async def opened(reviewer: ReviewerAtConsole) -> str:
    """Which application is on the screen."""
    await expect(reviewer.see("lease")).to_be_visible(timeout=PATIENCE_MS)
    return str(await reviewer.see("review").get_attribute("data-application"))


async def test_two_items_are_returned_without_a_mouse_and_the_next_application_is_there(
    crowd: Crowd, visits: Visits
) -> None:
    site = await logged_in(visits, crowd, crowd.cast.site_logins[0])
    press = site.visitor.page.keyboard.press
    await site.finds(site.see("row").nth(5))
    await site.visitor.is_presentable("console-day-queue")
    await site.visitor.picture("console-queue")

    await press("n")
    first = await opened(site)
    await site.visitor.is_presentable("console-day-open")
    for code in ("identity", "diploma"):
        await site.item(code).get_by_test_id("choose-item").focus()
        await press("Enter")
        await press("x")
        await expect(site.see("reason")).to_be_focused()
        await press("1")
        await expect(site.see("words")).not_to_have_value("")
        await press("Control+Enter")
        await expect(site.item(code)).to_have_attribute("data-mark", "return")
    await site.visitor.picture("console-review")
    await press("?")
    await expect(site.see("keys")).to_be_visible()
    await site.visitor.is_presentable("console-day-keys")
    await press("Escape")
    await press("t")
    await expect(site.see("confirm-act")).to_be_visible()
    await press("Control+Enter")

    await expect(site.see("undo-bar")).to_be_visible()
    await expect(site.see("review")).not_to_have_attribute("data-application", first, timeout=PATIENCE_MS)
    assert await opened(site) != first
    await site.visitor.is_presentable("console-day-next")

    returned = next(cast for cast in crowd.casts if cast.application_no == first)
    await crowd.submits(returned, replacing=("identity", "diploma"))
    await site.visitor.page.keyboard.press("q")
    await site.see("tab-resubmitted").click()
    await site.finds(site.see("row").nth(0))
    row = site.visitor.page.locator(f"[data-test=row][data-application='{first}']")
    await row.get_by_test_id("claim").click()
    assert await opened(site) == first
    for code in ("identity", "diploma"):
        await expect(site.item(code)).to_have_attribute("data-changed", "true")
        await expect(site.item(code)).to_have_attribute("data-mark", "none")
    await site.visitor.is_presentable("console-day-resubmitted")
    await site.visitor.picture("console-resubmitted")


async def test_of_two_reviewers_who_open_one_application_one_has_it_and_the_other_is_told(
    crowd: Crowd, visits: Visits
) -> None:
    first = await logged_in(visits, crowd, crowd.cast.site_logins[0])
    second = await logged_in(visits, crowd, crowd.cast.site_logins[1])
    await first.see("claim").first.click()
    number = await opened(first)

    await second.visitor.page.goto(f"{second.visitor.origin}/console/applications/{number}")
    await expect(second.see("held-by-other")).to_be_visible()
    await expect(second.see("lease")).to_have_count(0)
    await expect(second.see("pass")).to_have_count(0)
    await second.visitor.is_presentable("console-day-held-by-other")
    await second.visitor.page.keyboard.press("q")
    await second.see("claim-next").click()

    assert await opened(second) != number


async def test_words_that_were_typed_stay_when_the_claim_ends(
    crowd: Crowd, visits: Visits, environment: Mapping[str, str]
) -> None:
    site = await logged_in(visits, crowd, crowd.cast.site_logins[0])
    await site.see("claim-next").click()
    number = await opened(site)
    # No claim is asked for from here on: the one that looks ahead would find this very application, its claim ended.
    await site.visitor.context.route(CLAIMS, lambda route: route.abort())
    await site.item("diploma").get_by_test_id("return").click()
    await site.see("reason").select_option("unreadable")
    await site.see("words").fill("请重新拍摄：编号被反光遮住。")

    connection = await asyncpg.connect(environment["DATABASE_URL_REVIEW"])
    try:
        await connection.execute(
            "UPDATE reviews SET claimed_until = now() - interval '1 minute' WHERE application_no = $1", number
        )
    finally:
        await connection.close()
    await site.see("save-mark").click()
    await expect(site.see("lease-ended")).to_be_visible()
    await expect(site.see("words")).to_have_value("请重新拍摄：编号被反光遮住。")
    await site.visitor.is_presentable("console-day-lease-ended")
    await site.visitor.context.unroute(CLAIMS)

    await site.see("claim-again").click()
    await expect(site.see("lease")).to_be_visible()
    await site.see("save-mark").click()
    await expect(site.item("diploma")).to_have_attribute("data-mark", "return")
    await site.item("diploma").get_by_test_id("clear-mark").click()
    await site.see("release").click()
    await expect(site.see("claim-next")).to_be_visible()
    site.visitor.forgive_the_network()


async def test_the_blanks_of_a_reason_are_typed_over_without_a_mouse(crowd: Crowd, visits: Visits) -> None:
    site = await logged_in(visits, crowd, crowd.cast.site_logins[0])
    press, words = site.visitor.page.keyboard.press, site.see("words")
    selected = "words => words.value.slice(words.selectionStart, words.selectionEnd)"
    await site.see("claim-next").click()
    await opened(site)
    diploma = site.item("diploma")
    await diploma.get_by_test_id("choose-item").focus()
    await press("Enter")
    await press("x")
    await expect(site.see("reason")).to_be_focused()
    await expect(site.see("reason")).not_to_contain_text("{")

    incomplete = site.see("reason").locator("option[value=incomplete]")
    await expect(incomplete).to_contain_text("“毕业证书”不完整，请补拍第 … 页。")
    await press((await incomplete.inner_text()).strip()[0])
    await expect(words).to_be_focused()
    assert await words.evaluate(selected) == "{page}"
    await expect(site.see("blanks")).to_contain_text("页码")
    await site.visitor.is_presentable("console-day-blanks")
    await press("Control+Enter")
    await expect(words).to_be_focused()
    await expect(diploma).to_have_attribute("data-mark", "none")
    await site.visitor.page.keyboard.type("2")
    await expect(words).to_have_value("“毕业证书”不完整，请补拍第 2 页。")
    await expect(site.see("blanks")).to_have_count(0)

    await words.fill("请补拍第 {page} 页，并写明{which}。")
    await press("Control+Home")
    for typed, blank in (("3", "{page}"), ("印章", "{which}")):
        await press("Tab")
        assert await words.evaluate(selected) == blank
        await site.visitor.page.keyboard.insert_text(typed)
    await press("Tab")
    await expect(words).not_to_be_focused()
    await press("Control+Enter")
    await expect(diploma).to_have_attribute("data-mark", "return")
    await expect(diploma).to_contain_text("请补拍第 3 页，并写明印章。")
    await diploma.get_by_test_id("clear-mark").click()
    await site.see("release").click()
    await expect(site.see("claim-next")).to_be_visible()


async def test_the_region_passes_clean_ones_in_bulk_and_its_administrator_publishes(
    environment: Mapping[str, str], visits: Visits
) -> None:
    crowd = await Crowd.hands_in(environment, 3)
    await crowd.site_passes(*crowd.casts)
    region = await logged_in(visits, crowd, crowd.cast.region_login)
    await region.finds(region.see("row").nth(2))

    await region.see("choose-all").check()
    await region.visitor.is_presentable("console-day-bulk")
    await region.see("bulk").click()
    await region.see("bulk-go").click()
    await expect(region.see("bulk-line")).to_have_count(3, timeout=PATIENCE_MS)
    await region.visitor.is_presentable("console-day-bulk-done")
    await region.visitor.picture("console-bulk")
    await region.see("bulk-close").click()

    admin = await logged_in(visits, crowd, crowd.cast.admin_login)
    await admin.see("publish").click()
    await expect(admin.see("readiness")).to_have_attribute("data-ready", "true", timeout=PATIENCE_MS)
    await admin.see("publish-count").fill("3")
    await admin.visitor.picture("console-publish")
    await admin.see("confirm-publish").click()
    await expect(admin.see("published")).to_be_visible(timeout=PATIENCE_MS)
    await expect(admin.see("publication-row")).to_have_count(1)
    await admin.see("nav-progress").click()
    await expect(admin.see("by-state")).to_be_visible()
    await admin.visitor.is_presentable("console-day-progress")
    await admin.visitor.picture("console-progress")

    auditor = await logged_in(visits, crowd, crowd.cast.auditor_login)
    await expect(auditor.see("audit-line").first).to_be_visible()
    await auditor.visitor.is_presentable("console-day-audit")
    await auditor.visitor.picture("console-audit")
