"""The main job by clicks: two tiers of staff and a candidate, each at a browser of their own."""

import re
from collections.abc import Mapping

import pytest
from playwright.async_api import expect

from deploy.demo.cast import Cast
from deploy.demo.papers import PAPERS
from tests.browser.conftest import Visits
from tests.browser.pages import PATIENCE_MS, CandidateAtPage, ReviewerAtConsole, paper

pytestmark = [pytest.mark.browser, pytest.mark.stack]

BEIJING_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


async def test_one_application_goes_all_the_way_by_clicks(
    crew: Cast, visits: Visits, environment: Mapping[str, str]
) -> None:
    candidate = CandidateAtPage(await visits("phone"))
    site = ReviewerAtConsole(await visits("office"))
    region = ReviewerAtConsole(await visits("office"))
    admin = ReviewerAtConsole(await visits("office"))

    await candidate_activates_the_account(candidate, crew, environment["CAPTCHA_TEST_ANSWER"])
    await candidate_uploads_and_submits(candidate)
    await site_returns_the_diploma(site, crew)
    await candidate_reads_the_feedback(candidate)
    await candidate_replaces_and_resubmits(candidate)
    await site_passes(site, crew)
    await admin_sees_what_is_unfinished(admin, crew)
    await region_approves(region, crew, candidate)
    await admin_publishes(admin, crew)
    await candidate_reads_the_opinion(candidate)


async def candidate_activates_the_account(candidate: CandidateAtPage, cast: Cast, captcha: str) -> None:
    visitor = candidate.visitor
    await visitor.log_in("/", cast.application_no, "not the password")
    await expect(candidate.see("problem")).to_be_visible()
    await visitor.is_presentable("candidate-login")
    await visitor.enter(cast.application_no, cast.password)

    await expect(candidate.see("captcha-image")).to_have_js_property("complete", value=True)
    assert await candidate.see("captcha-image").evaluate("image => image.naturalWidth > 0")
    await visitor.is_presentable("candidate-activation")
    await visitor.picture("activation-phone")
    await candidate.see("captcha-answer").fill("not what it says")
    await candidate.see("activate").click()
    await expect(candidate.see("problem")).to_be_visible()
    await expect(candidate.see("captcha-answer")).to_have_value("")
    await candidate.see("captcha-answer").fill(captcha)
    await candidate.see("activate").click()

    await expect(candidate.see("next")).to_have_attribute("data-step", "upload")
    await expect(candidate.see("home")).to_contain_text(cast.person.name)
    await visitor.is_presentable("candidate-home")
    await visitor.picture("home-phone")
    await candidate.see("next-go").click()
    await candidate.is_at("draft")
    await visitor.is_presentable("candidate-draft")
    await visitor.picture("registration-phone")


async def candidate_uploads_and_submits(candidate: CandidateAtPage) -> None:
    visitor = candidate.visitor
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
    await visitor.picture("submitted-phone")


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
    await candidate.visitor.picture("returned-phone")

    await expect(candidate.see("unread")).to_be_visible(timeout=PATIENCE_MS)
    await candidate.see("messages-link").click()
    await expect(candidate.see("message").first).to_contain_text("毕业证书")
    await candidate.visitor.is_presentable("candidate-messages")
    await candidate.visitor.picture("messages-phone")
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


async def region_approves(region: ReviewerAtConsole, cast: Cast, candidate: CandidateAtPage) -> None:
    await region.visitor.log_in("/console/", cast.region_login, cast.password)
    await region.claim(cast.application_no)
    await region.look_at_every_image()
    await region.see("decide").click()
    await region.see("act-words").fill("材料齐全，符合报考条件。")
    await region.visitor.is_presentable("console-decide")
    await region.see("confirm-act").click()
    await expect(region.see("flash")).to_be_visible()
    await expect(candidate.see("opinion")).to_have_count(0)


async def admin_sees_what_is_unfinished(admin: ReviewerAtConsole, cast: Cast) -> None:
    await admin.visitor.log_in("/console/", cast.admin_login, cast.password)
    await admin.see("publish").click()
    await expect(admin.see("readiness")).to_have_attribute("data-ready", "false")
    await expect(admin.see("confirm-publish")).to_be_disabled()
    await admin.visitor.is_presentable("console-publish-refused")


async def admin_publishes(admin: ReviewerAtConsole, cast: Cast) -> None:
    await expect(admin.see("readiness")).to_have_attribute("data-ready", "true", timeout=PATIENCE_MS)
    await expect(admin.see("publish-year")).to_have_value(str(cast.pack.year))
    await admin.see("publish-count").fill("1")
    await admin.visitor.is_presentable("console-publish")
    await admin.see("confirm-publish").click()
    await expect(admin.see("published")).to_be_visible(timeout=PATIENCE_MS)
    await admin.visitor.is_presentable("console-published")


async def candidate_reads_the_opinion(candidate: CandidateAtPage) -> None:
    await candidate.is_at("published")
    await expect(candidate.see("opinion")).to_have_attribute("data-opinion", "approved")
    await expect(candidate.see("opinion-words")).to_have_text("材料齐全，符合报考条件。")
    await candidate.visitor.is_presentable("candidate-opinion")
    await candidate.visitor.picture("published-phone")
