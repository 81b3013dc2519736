"""The candidate's whole journey at a desk, by the keyboard; the staff of the region work through their API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import expect

from deploy.demo.cast import Cast
from deploy.demo.papers import PAPERS
from deploy.demo.people import Candidate
from deploy.demo.scene import Scene, Staffed
from deploy.demo.steps import publishing, reviewing
from deploy.intake.telling import tell_all
from shared import clock
from shared.contracts.validation import Finding, MaterialChecked
from tests.browser.conftest import Visits
from tests.browser.pages import PATIENCE_MS, CandidateAtPage, paper

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@pytest_asyncio.fixture
async def scene(crew: Cast, environment: Mapping[str, str]) -> AsyncIterator[Scene]:
    """The region's staff, each at their own client, and one more of the candidate's."""
    async with AsyncExitStack() as stack:
        staff = await Staffed.enter(stack, environment)
        client = Candidate(environment["PUBLIC_ORIGIN"], crew.application_no, environment["CAPTCHA_TEST_ANSWER"])
        yield Scene(environment, crew, await stack.enter_async_context(client), staff)


async def test_the_whole_journey_at_a_desk(scene: Scene, visits: Visits) -> None:
    candidate = CandidateAtPage(await visits("desktop"))

    await activates_by_the_keyboard(candidate, scene)
    await hands_in_an_image_of_poor_quality_all_the_same(candidate, scene)
    await submits_by_the_keyboard(candidate, scene)
    await staff_return_what_the_candidate_sees_at_once(candidate, scene)
    await replaces_and_submits_again(candidate, scene)
    await reads_nothing_before_and_everything_after_the_publication(candidate, scene)


async def activates_by_the_keyboard(candidate: CandidateAtPage, scene: Scene) -> None:
    visitor, keyboard = candidate.visitor, candidate.visitor.page.keyboard
    await visitor.page.goto(visitor.origin)
    await visitor.tab_to("login")
    await keyboard.type(scene.cast.application_no)
    await visitor.tab_to("password")
    await keyboard.type(scene.cast.password)
    await keyboard.press("Enter")

    await expect(visitor.see("activation-form")).to_be_visible()
    await expect(visitor.see("captcha-image")).to_be_visible()
    await visitor.tab_to("captcha-listen")
    await keyboard.press("Enter")
    await expect(visitor.see("captcha-audio")).to_have_js_property("error", None)
    await visitor.is_presentable("candidate-activation-desktop")
    await visitor.tab_to("captcha-answer")
    await keyboard.type(scene.environment["CAPTCHA_TEST_ANSWER"])
    await visitor.picture("activation-desktop")
    await keyboard.press("Enter")

    await expect(visitor.see("next")).to_have_attribute("data-step", "upload")
    await visitor.is_presentable("candidate-home-desktop")
    await visitor.picture("home-desktop")
    await visitor.tab_to("next-go")
    await keyboard.press("Enter")
    await candidate.is_at("draft")


async def hands_in_an_image_of_poor_quality_all_the_same(candidate: CandidateAtPage, scene: Scene) -> None:
    visitor, see = candidate.visitor, candidate.see
    scene.required = await candidate.required_items()
    for code in scene.required:
        if code != "diploma":
            await candidate.choose(code, [paper(kind) for kind in PAPERS.get(code, ("trial_assessment",))])
    await visitor.tab_to("file-diploma")
    await see("file-diploma").set_input_files([paper("diploma")])
    image = candidate.item("diploma").get_by_test_id("image")
    await expect(image).to_have_attribute("data-status", "good", timeout=PATIENCE_MS)
    await visitor.picture("registration-desktop")

    await tell_all(
        scene.environment["KAFKA_BOOTSTRAP_SERVERS"],
        "baoshen/tests",
        [
            MaterialChecked(
                application_no=scene.cast.application_no,
                item="diploma",
                image_id=UUID(await image.get_attribute("data-image-id")),
                sha256=sha256(paper("diploma")["buffer"]).hexdigest(),
                check_no=99,
                verdict="reject",
                reason="blurred",
                findings=(Finding(code="blurred", severity="reject", measured=12.0, limit=60.0),),
                checked_at=clock.now(),
            )
        ],
    )
    await expect(image).to_have_attribute("data-status", "rejected", timeout=PATIENCE_MS)
    await expect(image).to_contain_text("模糊")
    await see("submit").click()
    await expect(see("missing")).to_contain_text("毕业证书")
    await visitor.page.keyboard.press("Escape")

    await see("hand-in-anyway").click()
    await expect(see("confirm-anyway")).to_be_visible()
    await visitor.is_presentable("candidate-quality")
    await visitor.picture("quality-desktop")
    await see("confirm-anyway").click()
    await expect(image).to_have_attribute("data-status", "confirmed")
    await visitor.page.reload()
    await expect(image).to_have_attribute("data-status", "confirmed")


async def submits_by_the_keyboard(candidate: CandidateAtPage, scene: Scene) -> None:
    visitor, keyboard = candidate.visitor, candidate.visitor.page.keyboard
    await visitor.tab_to("submit")
    await keyboard.press("Enter")
    await expect(visitor.see("confirm-submit")).to_be_visible()
    await visitor.is_presentable("candidate-submit")
    await visitor.tab_to("confirm-submit")
    await keyboard.press("Enter")

    await candidate.is_at("submitted")
    await expect(visitor.see("locked-notice")).to_have_text("上报完成，内容已锁定")
    await visitor.is_presentable("candidate-submitted-desktop")
    await visitor.picture("submitted-desktop")
    scene.round = 1


async def staff_return_what_the_candidate_sees_at_once(candidate: CandidateAtPage, scene: Scene) -> None:
    await candidate.visitor.tab_to("tab-home")
    await candidate.visitor.page.keyboard.press("Enter")
    await expect(candidate.see("next")).to_have_attribute("data-step", "wait")

    await scene.candidate.log_in(scene.cast.application_no, scene.cast.password)
    await reviewing.staff_log_in(scene)
    await reviewing.site_claims(scene)
    seen = await images_that_staff_see(scene, "diploma")
    assert [(each["confirmed"], each["reason"]) for each in seen] == [(True, "blurred")]
    scene.returned = ("diploma", seen[0]["image_id"])
    await reviewing.item_is_returned(scene)

    await expect(candidate.see("next")).to_have_attribute("data-step", "fix", timeout=PATIENCE_MS)
    await expect(candidate.see("home-message").first).to_contain_text("退回", timeout=PATIENCE_MS)
    await candidate.visitor.is_presentable("candidate-home-returned")
    await candidate.visitor.picture("home-returned-desktop")


async def replaces_and_submits_again(candidate: CandidateAtPage, scene: Scene) -> None:
    await candidate.see("next-go").click()
    await expect(candidate.see("feedback-item")).to_contain_text(reviewing.WORDS)
    await candidate.visitor.picture("returned-desktop")
    await candidate.remove_first("diploma")
    await candidate.choose("diploma", [paper("diploma", seed=2)])
    await candidate.submit()
    await reviewing.site_passes(scene)
    seen = await images_that_staff_see(scene, "diploma")
    assert sorted(each["current"] for each in seen) == [False, True]
    await reviewing.region_approves(scene)


async def reads_nothing_before_and_everything_after_the_publication(candidate: CandidateAtPage, scene: Scene) -> None:
    await publishing.opinion_is_hidden(scene)
    assert (await scene.candidate.page())["locked"]
    await expect(candidate.see("opinion")).to_have_count(0)
    await candidate.see("tab-home").click()
    await publishing.region_publishes()(scene)

    await expect(candidate.see("next")).to_have_attribute("data-step", "published", timeout=PATIENCE_MS)
    await candidate.see("next-go").click()
    await expect(candidate.see("opinion")).to_have_attribute("data-opinion", "approved")
    await candidate.visitor.is_presentable("candidate-published-desktop")
    await candidate.visitor.picture("published-desktop")


async def images_that_staff_see(scene: Scene, item: str) -> list[dict[str, Any]]:
    detail = (await scene.staff.site.get(scene.review_url)).json()
    items = {each["item"]: each for section in detail["sections"] for each in section["items"]}
    images: list[dict[str, Any]] = items[item]["images"]
    return images
