"""What a candidate's region and registration make of the page: no uploads, an on-site review, a change."""

from collections.abc import Mapping
from datetime import date

import pytest
from playwright.async_api import expect

from deploy.demo.cast import Cast, register
from deploy.demo.papers import papers_for
from deploy.demo.people import Candidate
from shared.contracts.facts import Facts
from tests.browser.conftest import People, Visits
from tests.browser.pages import PATIENCE_MS, CandidateAtPage, paper

pytestmark = [pytest.mark.browser, pytest.mark.stack]


async def test_serving_military_of_liaoning_hand_in_data_only(somebody: People, visits: Visits) -> None:
    cast = await somebody(Facts(military="serving", id_document="military_card"), pack="liaoning-2022")
    visitor = await visits("phone")
    candidate = CandidateAtPage(visitor)
    await visitor.come_in("/", cast)
    await expect(candidate.see("next")).to_have_attribute("data-step", "submit")
    await expect(candidate.see("home-onsite")).to_be_visible()
    await visitor.is_presentable("candidate-home-data-only")
    await candidate.see("next-go").click()

    await candidate.is_at("draft")
    await expect(candidate.see("route")).to_have_attribute("data-route", "onsite")
    await expect(candidate.see("no-uploads")).to_contain_text("军")
    await expect(visitor.page.locator("input[type=file]")).to_have_count(0)
    assert await candidate.required_items() == []
    await expect(candidate.see("registration")).to_contain_text(cast.person.name)
    await expect(candidate.see("bring-list").get_by_role("listitem").first).to_be_visible()
    await visitor.is_presentable("candidate-data-only")
    await visitor.picture("dataonly-phone")

    await candidate.submit()
    await expect(candidate.see("locked-notice")).to_be_visible()


async def test_candidates_who_must_come_are_told_where_when_and_with_what(somebody: People, visits: Visits) -> None:
    cast = await somebody(
        Facts(fresh_graduate=True, entered_on=date(2016, 9, 1), graduated_on=date(2021, 7, 1)), pack="province-2022"
    )
    visitor = await visits("phone")
    candidate = CandidateAtPage(visitor)
    await visitor.come_in("/", cast)
    await candidate.see("home-onsite").get_by_role("link").click()

    onsite = candidate.see("onsite")
    await expect(onsite).to_be_visible()
    await expect(candidate.see("route")).to_have_attribute("data-route", "both")
    site = cast.pack.sites[0]
    for said in (site.name, site.address, site.hours):
        if said is not None:
            await expect(onsite).to_contain_text(said.zh)
    lines = candidate.see("bring-list").get_by_role("listitem")
    assert await lines.count() >= 3
    await visitor.is_presentable("candidate-onsite")
    await onsite.evaluate("panel => panel.scrollIntoView({ block: 'start' })")
    await visitor.picture("onsite-phone")

    await visitor.page.emulate_media(media="print")
    await expect(onsite).to_be_visible()
    await expect(candidate.see("submit")).to_be_hidden()
    await expect(candidate.see("timeline")).to_be_hidden()
    await expect(candidate.see("tabs")).to_be_hidden()


async def test_a_changed_registration_reopens_what_was_handed_in_and_says_why(
    somebody: People, visits: Visits, environment: Mapping[str, str]
) -> None:
    cast = await somebody()
    await hand_in(cast, environment)
    visitor = await visits("desktop")
    candidate = CandidateAtPage(visitor)
    await visitor.come_in("/registration", cast)
    await candidate.is_at("submitted")
    await expect(candidate.item("junior_college_diploma")).to_have_count(0)

    facts = cast.facts.model_copy(update={"upgraded_from_junior_college": True, "upgrade_entered_on": date(2015, 9, 1)})
    await register(environment, cast, revision=2, facts=facts)
    await expect(candidate.see("change")).to_be_visible(timeout=PATIENCE_MS)
    await expect(candidate.see("change")).to_contain_text("专科")
    new = candidate.item("junior_college_diploma")
    await expect(new).to_have_attribute("data-required", "true")
    await expect(new).to_have_attribute("data-locked", "false")
    await expect(new.get_by_test_id("reason")).to_contain_text("专")
    await visitor.is_presentable("candidate-changed")
    await visitor.picture("changed-desktop")

    await candidate.see("submit").click()
    await expect(candidate.see("missing").get_by_role("listitem")).to_have_count(1)
    await visitor.page.keyboard.press("Escape")
    await candidate.choose("junior_college_diploma", [paper("junior_college_diploma")])
    await candidate.submit()
    await expect(candidate.see("change")).to_have_count(0)


async def test_a_candidate_withdraws_is_told_what_follows_and_submits_again(
    cast: Cast, visits: Visits, environment: Mapping[str, str]
) -> None:
    await hand_in(cast, environment)
    visitor = await visits("phone")
    candidate = CandidateAtPage(visitor)
    await visitor.come_in("/registration", cast)
    await candidate.is_at("submitted")

    await candidate.see("withdraw").click()
    await expect(candidate.see("confirm-withdraw")).to_be_visible()
    await visitor.is_presentable("candidate-withdraw")
    await candidate.see("confirm-withdraw").click()
    await candidate.is_at("withdrawn")
    await expect(candidate.see("deadline")).to_be_visible()
    await visitor.is_presentable("candidate-withdrawn")

    await candidate.submit()
    await expect(candidate.see("timeline").locator("[data-kind=withdrawn]")).to_have_count(1)
    await expect(candidate.see("timeline").locator("[data-kind$=submitted]")).to_have_count(2)


async def hand_in(cast: Cast, environment: Mapping[str, str]) -> None:
    """Everything that is required, and the submission, through the API."""
    async with Candidate(environment["PUBLIC_ORIGIN"], cast.application_no) as candidate:
        await candidate.log_in(cast.application_no, cast.password)
        for code, item in (await candidate.items()).items():
            for kind, seed in papers_for(code, item["min"]) if item["required"] else ():
                assert (await candidate.upload(code, paper(kind, seed)["buffer"])).status_code == 201
        assert (await candidate.submit()).status_code == 201
