"""What happens elsewhere while a page is open: in another tab, on the way to the service, in the session."""

import re
from collections.abc import Mapping

import pytest
from playwright.async_api import Page, Request, Route, expect

from deploy.demo.cast import Cast
from deploy.demo.people import Candidate
from tests.browser.conftest import Visits
from tests.browser.pages import PATIENCE_MS, CandidateAtPage, paper

pytestmark = [pytest.mark.browser, pytest.mark.stack]

APPLICATION = re.compile(r"/applications/\d+$")
IMAGES = "**/images/*"
# Sooner than any page would ask by itself while it is told.
AT_ONCE_MS = 8_000


async def test_tabs_of_one_browser_agree_at_once_and_only_one_of_them_is_told(cast: Cast, visits: Visits) -> None:
    visitor = await visits("desktop")
    streams: list[Page] = []

    def count(request: Request) -> None:
        if "/events?" in request.url:
            streams.append(request.frame.page)

    visitor.context.on("request", count)
    await visitor.come_in("/registration", cast)
    candidate = CandidateAtPage(visitor)
    await candidate.is_at("draft")
    other = await visitor.open_tab("/registration")
    there = other.get_by_test_id("item-diploma").get_by_test_id("image")
    await expect(other.get_by_test_id("item-diploma")).to_be_visible()
    await other.evaluate("window.sameAsBefore = true")

    await candidate.choose("diploma", [paper("diploma")])
    await expect(there).to_have_count(1, timeout=AT_ONCE_MS)
    await there.get_by_test_id("remove").click()
    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(0, timeout=AT_ONCE_MS)
    assert len(streams) == 1
    assert await other.evaluate("window.sameAsBefore")

    listens = visitor.page if streams == [visitor.page] else other
    goes_on = other if listens is visitor.page else visitor.page
    await listens.close()
    await goes_on.get_by_test_id("file-diploma").set_input_files([paper("diploma", seed=2)])
    await expect(goes_on.get_by_test_id("item-diploma").locator("[data-status=good]")).to_have_count(
        1, timeout=PATIENCE_MS
    )
    assert [stream is goes_on for stream in streams[1:]] == [True]


async def test_two_tabs_that_remove_the_same_image_have_one_result(cast: Cast, visits: Visits) -> None:
    visitor = await visits("desktop")
    await visitor.come_in("/registration", cast)
    first = CandidateAtPage(visitor)
    await first.choose("diploma", [paper("diploma"), paper("diploma", seed=2)])
    other = await visitor.open_tab("/registration")
    there = other.get_by_test_id("item-diploma").get_by_test_id("image")
    await expect(there).to_have_count(2)
    # Its own reading is held up, so that it still shows what is gone.
    await other.route(APPLICATION, lambda route: route.abort())

    await first.remove_first("diploma")
    await expect(there).to_have_count(2)
    await there.first.get_by_test_id("remove").click()

    await expect(there).to_have_count(1)
    await expect(other.get_by_test_id("item-diploma").get_by_test_id("problem")).to_have_count(0)
    await other.unroute(APPLICATION)
    await expect(first.item("diploma").get_by_test_id("image")).to_have_count(1)
    visitor.forgive_the_network()


async def test_an_upload_to_what_another_tab_has_just_handed_in_is_refused_with_words_and_the_page_follows(
    cast: Cast, visits: Visits
) -> None:
    visitor = await visits("desktop")
    await visitor.come_in("/registration", cast)
    first = CandidateAtPage(visitor)
    for code in await first.required_items():
        papers = [paper("trial_assessment", seed) for seed in range(3 if code == "identity" else 1)]
        await first.choose(code, papers)
    other = await visitor.open_tab("/registration")
    card = other.get_by_test_id("item-diploma")
    await expect(card.get_by_test_id("image")).to_have_count(1)
    await other.route(APPLICATION, lambda route: route.abort())
    await first.submit()
    await expect(other.get_by_test_id("state")).to_have_attribute("data-state", "draft")

    async with other.expect_response(lambda answer: answer.request.method == "PUT") as answered:
        await other.get_by_test_id("file-diploma").set_input_files([paper("diploma", seed=2)])
        # Only the upload tells this tab that it is behind.
        await other.unroute(APPLICATION)

    assert (await answered.value).status == 409
    await expect(card.locator("[data-test=upload][data-state=failed]")).to_contain_text("锁定")
    await expect(other.get_by_test_id("state")).to_have_attribute("data-state", "submitted", timeout=AT_ONCE_MS)
    await expect(card).to_have_attribute("data-locked", "true")
    await expect(card.get_by_test_id("image")).to_have_count(1)
    visitor.forgive_the_network()


async def test_a_network_that_goes_after_the_service_took_the_image_does_not_store_it_twice(
    cast: Cast, visits: Visits
) -> None:
    visitor = await visits("phone")
    await visitor.come_in("/registration", cast)
    candidate = CandidateAtPage(visitor)
    await candidate.is_at("draft")
    asked: list[str] = []

    async def take_it_and_cut_the_line(route: Route) -> None:
        asked.append(route.request.url)
        assert (await route.fetch()).status in {200, 201}
        await visitor.context.set_offline(True)
        await route.abort("internetdisconnected")

    await visitor.page.route(IMAGES, take_it_and_cut_the_line)
    await candidate.see("file-diploma").set_input_files([paper("diploma"), paper("diploma", seed=2)])
    waiting = candidate.item("diploma").locator("[data-test=upload][data-state=waiting]")
    await expect(waiting).to_have_count(2)
    await visitor.is_presentable("candidate-offline")
    await candidate.item("diploma").evaluate("card => card.scrollIntoView()")
    await visitor.picture("offline-phone")
    await visitor.page.unroute(IMAGES)
    visitor.page.on("request", lambda request: asked.append(request.url) if request.method == "PUT" else None)
    await visitor.context.set_offline(False)

    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(2, timeout=PATIENCE_MS)
    await expect(candidate.item("diploma").get_by_test_id("upload")).to_have_count(0)
    await visitor.page.reload()
    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(2)
    # A slow machine may need more than one try: each image goes to its one address all the same.
    assert len(set(asked)) == 2
    assert asked[0] in asked[1:]
    visitor.forgive_the_network()


async def test_an_upload_that_failed_goes_out_again_at_a_press(cast: Cast, visits: Visits) -> None:
    visitor = await visits("phone")
    await visitor.come_in("/registration", cast)
    candidate = CandidateAtPage(visitor)
    await candidate.is_at("draft")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url) if request.method == "PUT" else None)

    await visitor.page.route(IMAGES, lambda route: route.abort())
    await candidate.see("file-diploma").set_input_files([paper("diploma")])
    await expect(candidate.see("retry")).to_be_visible()
    await visitor.page.unroute(IMAGES)
    await candidate.see("retry").click()

    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(1, timeout=PATIENCE_MS)
    assert len(asked) == 2
    assert asked[0] == asked[1]
    visitor.forgive_the_network()


async def test_a_session_that_ends_in_the_middle_of_an_upload_loses_nothing(
    cast: Cast, visits: Visits, environment: Mapping[str, str]
) -> None:
    visitor = await visits("phone")
    await visitor.come_in("/registration", cast)
    candidate = CandidateAtPage(visitor)
    await candidate.is_at("draft")

    async def log_out_everywhere_first(route: Route) -> None:
        async with Candidate(environment["PUBLIC_ORIGIN"], cast.application_no) as elsewhere:
            await elsewhere.log_in(cast.application_no, cast.password)
            assert (await elsewhere.delete("/candidate/sessions")).status_code == 204
        await route.continue_()

    await visitor.page.route(IMAGES, log_out_everywhere_first, times=1)
    await candidate.see("file-diploma").set_input_files([paper("diploma"), paper("diploma", seed=2)])
    await candidate.see("file-degree").set_input_files([paper("degree")])
    await expect(candidate.see("log-in-again")).to_be_visible()
    await visitor.is_presentable("candidate-log-in-again")
    await visitor.picture("login-again-phone")
    await visitor.enter(cast.application_no, cast.password)

    await expect(candidate.see("log-in-again")).to_have_count(0)
    for code, count in (("diploma", 2), ("degree", 1)):
        stored = candidate.item(code).locator("[data-test=image][data-status=good]")
        await expect(stored).to_have_count(count, timeout=PATIENCE_MS)
        await expect(candidate.item(code).get_by_test_id("upload")).to_have_count(0)
