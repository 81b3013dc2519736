"""The main job by clicks: two tiers of staff and a candidate, each at a browser of their own."""

import re
from collections.abc import Awaitable, Callable, Mapping

import pytest
from playwright.async_api import Browser, expect

from deploy.demo.cast import Cast
from deploy.demo.story import PAPERS
from tests.browser.pages import PATIENCE_MS, CandidateAtPage, ReviewerAtConsole, Visitor, paper

pytestmark = [pytest.mark.browser, pytest.mark.stack]

Visits = Callable[[str], Awaitable[Visitor]]
BEIJING_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


async def test_one_application_goes_all_the_way_by_clicks(cast: Cast, visits: Visits) -> None:
    candidate = CandidateAtPage(await visits("phone"))
    site = ReviewerAtConsole(await visits("office"))
    region = ReviewerAtConsole(await visits("office"))

    await candidate_uploads_and_submits(candidate, cast)
    await site_returns_the_diploma(site, cast)
    await candidate_reads_the_feedback(candidate)
    await candidate_replaces_and_resubmits(candidate)
    await site_passes(site, cast)
    await region_approves_and_publishes(region, cast, candidate)
    await candidate_reads_the_opinion(candidate)


async def candidate_uploads_and_submits(candidate: CandidateAtPage, cast: Cast) -> None:
    visitor = candidate.visitor
    await visitor.log_in("/", cast.application_no, "not the password")
    await expect(candidate.see("problem")).to_be_visible()
    await visitor.is_presentable("candidate-login")
    await visitor.enter(cast.application_no, cast.password)
    await candidate.is_at("draft")
    await visitor.is_presentable("candidate-draft")

    await candidate.see("submit").click()
    required = await candidate.required_items()
    await expect(candidate.see("missing").get_by_role("listitem")).to_have_count(len(required))
    await visitor.is_presentable("candidate-missing")
    await visitor.page.keyboard.press("Escape")
    await expect(candidate.see("submit")).to_be_focused()

    for code in required:
        await candidate.choose(code, [paper(kind) for kind in PAPERS.get(code, ("trial_assessment",))])
    await expect(candidate.item("identity").get_by_test_id("full")).to_be_visible()
    await expect(candidate.see("file-identity")).to_have_count(0)
    await visitor.is_presentable("candidate-uploaded")

    await candidate.submit()
    await expect(candidate.see("locked-notice")).to_have_text("上报完成，内容已锁定")
    assert await candidate.see("remove").count() == 0
    await expect(candidate.see("timeline").locator("[data-kind=submitted]")).to_be_visible()
    await visitor.is_presentable("candidate-submitted")


async def site_returns_the_diploma(site: ReviewerAtConsole, cast: Cast) -> None:
    await site.visitor.log_in("/console/", cast.site_logins[0], cast.password)
    await site.claim(cast.application_no)
    await expect(site.see("candidate-name")).to_have_text(cast.person.name)
    await site.look_at_every_image()
    await site.see("rotate").click()
    await site.see("zoom-in").click()
    await site.accept_all_but("diploma")
    await site.mark_for_return("diploma", "unreadable", "（证书编号）")
    await site.visitor.is_presentable("console-review")

    await site.see("return-all").click()
    await site.visitor.is_presentable("console-return")
    await site.see("confirm-act").click()
    await expect(site.see("flash")).to_contain_text(cast.application_no)
    await site.see("tab-returned").click()
    await expect(site.see("row")).to_have_attribute("data-application", cast.application_no)
    await site.visitor.is_presentable("console-queue")


async def candidate_reads_the_feedback(candidate: CandidateAtPage) -> None:
    await candidate.is_at("returned")
    newest = candidate.see("feedback").first
    await expect(newest).to_contain_text("（证书编号）")
    await expect(newest).to_contain_text(BEIJING_TIME)
    unlocked = candidate.visitor.page.locator("[data-test^='item-'][data-locked=false]")
    await expect(unlocked).to_have_count(1)
    await expect(unlocked).to_have_attribute("data-test", "item-diploma")
    await candidate.visitor.is_presentable("candidate-returned")

    await expect(candidate.see("unread")).to_be_visible(timeout=PATIENCE_MS)
    await candidate.see("messages-link").click()
    await expect(candidate.see("message").first).to_contain_text("毕业证书")
    await candidate.visitor.is_presentable("candidate-messages")
    await expect(candidate.see("unread")).to_have_count(0, timeout=PATIENCE_MS)
    await candidate.visitor.page.go_back()


async def candidate_replaces_and_resubmits(candidate: CandidateAtPage) -> None:
    await candidate.see("submit").click()
    await expect(candidate.see("missing")).to_contain_text("毕业证书")
    await candidate.visitor.page.keyboard.press("Escape")
    await candidate.remove_first("diploma")
    await candidate.choose("diploma", [paper("diploma", seed=2)])
    await candidate.submit()


async def site_passes(site: ReviewerAtConsole, cast: Cast) -> None:
    await site.see("tab-waiting").click()
    await site.claim(cast.application_no)
    await expect(site.item("identity")).to_have_attribute("data-mark", "accept")
    await expect(site.item("diploma")).to_have_attribute("data-mark", "none")
    await site.look_at_every_image()
    await site.accept_all_but()
    await site.visitor.is_presentable("console-second-round")
    await site.act("pass")


async def region_approves_and_publishes(region: ReviewerAtConsole, cast: Cast, candidate: CandidateAtPage) -> None:
    await region.visitor.log_in("/console/", cast.region_login, cast.password)
    await region.claim(cast.application_no)
    await region.look_at_every_image()
    await region.see("publish").click()
    await region.see("confirm-publish").click()
    await expect(region.see("problem")).to_be_visible()
    await region.visitor.is_presentable("console-publish-refused")
    await region.visitor.page.keyboard.press("Escape")

    await region.see("decide").click()
    await region.see("outcome-approved").check()
    await region.see("act-words").fill("材料齐全，符合报考条件。")
    await region.visitor.is_presentable("console-decide")
    await region.see("confirm-act").click()
    await expect(region.see("flash")).to_be_visible()
    await expect(candidate.see("opinion")).to_have_count(0)

    await region.see("publish").click()
    await expect(region.see("publish-year")).to_have_value(str(cast.pack.year))
    await region.see("confirm-publish").click()
    await expect(region.see("published")).to_be_visible()


async def candidate_reads_the_opinion(candidate: CandidateAtPage) -> None:
    await candidate.is_at("published")
    await expect(candidate.see("opinion")).to_have_attribute("data-opinion", "approved")
    await expect(candidate.see("opinion-words")).to_have_text("材料齐全，符合报考条件。")
    await candidate.visitor.is_presentable("candidate-opinion")


async def test_a_session_that_ends_in_the_middle_of_the_work_loses_nothing(cast: Cast, visits: Visits) -> None:
    visitor = await visits("phone")
    candidate = CandidateAtPage(visitor)
    await visitor.log_in("/", cast.application_no, cast.password)
    await candidate.is_at("draft")

    await visitor.page.context.clear_cookies()
    await candidate.see("file-diploma").set_input_files([paper("diploma")])
    await expect(candidate.see("log-in-again")).to_be_visible()
    await visitor.is_presentable("candidate-log-in-again")
    await visitor.enter(cast.application_no, cast.password)

    await expect(candidate.see("log-in-again")).to_have_count(0)
    uploaded = candidate.item("diploma").get_by_test_id("image")
    await expect(uploaded).to_have_attribute("data-status", "good", timeout=PATIENCE_MS)


async def test_a_file_that_is_refused_says_why_and_leaves_the_others_alone(cast: Cast, visits: Visits) -> None:
    visitor = await visits("phone")
    candidate = CandidateAtPage(visitor)
    await visitor.log_in("/", cast.application_no, cast.password)
    await candidate.is_at("draft")

    large = paper("diploma") | {"name": "大图.jpg", "buffer": b"\xff\xd8\xff" + bytes(300_000)}
    text = paper("diploma") | {"name": "说明.jpg", "buffer": b"this is no image"}
    await candidate.see("file-diploma").set_input_files([large, text, paper("diploma")])

    failed = candidate.item("diploma").locator("[data-test=upload][data-state=failed]")
    await expect(failed).to_have_count(2, timeout=PATIENCE_MS)
    await expect(failed.nth(0)).to_contain_text("200 KB")
    await expect(failed.nth(1)).to_contain_text("jpg")
    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(1)
    await visitor.is_presentable("candidate-refused-files")
    await failed.first.get_by_test_id("dismiss").click()
    await expect(failed).to_have_count(1)


async def test_the_pages_speak_english_to_those_who_ask(cast: Cast, visits: Visits) -> None:
    visitor = await visits("office")
    await visitor.page.goto(visitor.origin)
    await visitor.see("language").click()
    await visitor.enter(cast.application_no, cast.password)

    await expect(visitor.see("submit")).to_have_text("Submit")
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    await visitor.page.reload()
    await expect(visitor.see("submit")).to_have_text("Submit")
    await visitor.is_presentable("candidate-english")


async def test_the_pages_are_readable_in_the_dark(cast: Cast, browser: Browser, environment: Mapping[str, str]) -> None:
    async with Visitor(browser, environment["PUBLIC_ORIGIN"], "phone", dark=True) as candidate:
        await candidate.log_in("/", cast.application_no, cast.password)
        await CandidateAtPage(candidate).is_at("draft")
        await candidate.is_presentable("candidate-dark")
    async with Visitor(browser, environment["PUBLIC_ORIGIN"], "office", dark=True) as reviewer:
        await reviewer.log_in("/console/", cast.site_logins[0], cast.password)
        await expect(reviewer.see("empty")).to_be_visible()
        await reviewer.is_presentable("console-dark")


async def test_a_retry_after_a_lost_connection_uploads_once(cast: Cast, visits: Visits) -> None:
    visitor = await visits("phone")
    candidate = CandidateAtPage(visitor)
    await visitor.log_in("/", cast.application_no, cast.password)
    await candidate.is_at("draft")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url) if request.method == "PUT" else None)

    await visitor.page.route("**/images/*", lambda route: route.abort())
    await candidate.see("file-diploma").set_input_files([paper("diploma")])
    await expect(candidate.see("retry")).to_be_visible()
    await visitor.page.unroute("**/images/*")
    await candidate.see("retry").click()

    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(1, timeout=PATIENCE_MS)
    assert len(asked) == 2
    assert asked[0] == asked[1]
    visitor.troubles = [trouble for trouble in visitor.troubles if "ERR_FAILED" not in trouble]
