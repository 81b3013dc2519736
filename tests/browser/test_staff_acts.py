"""What staff do now and then at the console: undo, reject, look twice, send back, compare, prove who they are."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Request, expect

from deploy.demo.cast import Cast
from deploy.demo.people import Candidate, Staff
from deploy.demo.scene import eventually
from deploy.specimens import draw_portrait
from tests.browser.conftest import Visits
from tests.browser.crowds import Crowd
from tests.browser.pages import PATIENCE_MS, CandidateAtPage, ReviewerAtConsole

pytestmark = [pytest.mark.browser, pytest.mark.stack]

SCRIPT = "<img src=x onerror=\"alert('img')\"><script>alert('script')</script>"
REJECTED = "毕业证书与学籍信息不一致，不符合报考条件。"
DISAGREED = "证书编号已在学信网核实，一致。"
SENT_BACK = "请考点核对原件后再通过。"
IMAGE = re.compile(r"/reviews/(\d+)/.*(images/|photo)")
# What the console fetches of an application before it is opened.
IMAGES_OF = """
async number => {
  const review = await (await fetch(`/reviews/${number}`)).json()
  const items = review.sections.flatMap(section => section.items)
  return items.flatMap(item => item.images.filter(image => image.current)).map(image => location.origin + image.url)
}
"""


@pytest_asyncio.fixture(scope="module")
async def crowd(environment: Mapping[str, str]) -> Crowd:
    """Three applications at one site, one for each of the first tests."""
    return await Crowd.hands_in(environment, 3, second_reviewer_on_rejection=True)


async def logged_in(visits: Visits, crowd: Crowd, login: str) -> ReviewerAtConsole:
    reviewer = ReviewerAtConsole(await visits("office"))
    await reviewer.visitor.log_in("/console/", login, crowd.cast.password)
    return reviewer


def row(reviewer: ReviewerAtConsole, number: str) -> Locator:
    """The application's line in the list that is open."""
    return reviewer.visitor.page.locator(f"[data-test=row][data-application='{number}']")


async def is_open(reviewer: ReviewerAtConsole, number: str) -> None:
    """Wait until this application is on the screen, and claimed."""
    await expect(reviewer.see("review")).to_have_attribute("data-application", number, timeout=PATIENCE_MS)
    await expect(reviewer.see("lease")).to_be_visible(timeout=PATIENCE_MS)


async def takes(reviewer: ReviewerAtConsole, number: str) -> None:
    """Open an application of the list and claim it, by keys."""
    press = reviewer.visitor.page.keyboard.press
    await reviewer.finds(row(reviewer, number))
    await row(reviewer, number).locator("th a").focus()
    await press("Enter")
    await expect(reviewer.see("review")).to_have_attribute("data-application", number, timeout=PATIENCE_MS)
    await press("c")
    await expect(reviewer.see("lease")).to_be_visible()


async def says(reviewer: ReviewerAtConsole, key: str, words: str, name: str) -> None:
    """Open the dialog that the key stands for, write into it, confirm; whoever is there has no mouse."""
    keyboard = reviewer.visitor.page.keyboard
    await keyboard.press(key)
    await expect(reviewer.see("act-words" if words else "confirm-act")).to_be_focused()
    await reviewer.visitor.is_presentable(name)
    await keyboard.insert_text(words)
    await keyboard.press("Control+Enter")
    await expect(reviewer.see("act-form")).to_have_count(0)


async def accepts_everything(reviewer: ReviewerAtConsole) -> None:
    """Accept item after item, by one and the same key."""
    accept = reviewer.see("accept")
    await expect(accept.first).to_be_visible()
    for left in reversed(range(await accept.count())):
        await reviewer.visitor.page.keyboard.press("a")
        await expect(accept).to_have_count(left)


async def is_done_with(reviewer: ReviewerAtConsole, number: str) -> None:
    """Wait until the application is off the screen; from the next one, if it is there, back to the list."""
    await expect(reviewer.visitor.page.locator(f"[data-test=review][data-application='{number}']")).to_have_count(0)
    await reviewer.visitor.page.keyboard.press("q")
    await expect(reviewer.see("refresh")).to_be_visible()


@asynccontextmanager
async def untold(environment: Mapping[str, str], number: str) -> AsyncIterator[None]:
    """What is done with the application is not told for an hour: it can be undone however slow the machine is."""
    name = f"untold_{number}"
    connection = await asyncpg.connect(environment["DATABASE_URL_REVIEW"])
    try:
        await connection.execute(
            f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN NEW.due_at := NEW.due_at + interval '1 hour'; RETURN NEW; END $$;
            CREATE TRIGGER {name} BEFORE INSERT ON acts FOR EACH ROW
                WHEN (NEW.application_no = '{number}') EXECUTE FUNCTION {name}();
            """
        )
        yield
        await connection.execute(f"DROP FUNCTION {name} CASCADE")
    finally:
        await connection.close()


async def test_an_undone_return_is_back_with_its_marks_and_the_next_application_was_there_already(
    crowd: Crowd, visits: Visits, environment: Mapping[str, str]
) -> None:
    site = await logged_in(visits, crowd, crowd.cast.site_logins[0])
    page, number = site.visitor.page, crowd.casts[0].application_no
    dialogs: list[str] = []
    asked: list[str] = []
    fetched: set[str] = set()

    def note(request: Request) -> None:
        asked.extend([request.url] if IMAGE.search(request.url) else [])

    page.on("request", note)
    page.on("requestfinished", lambda request: fetched.add(request.url))
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    async def ahead() -> str | None:
        others = {found[1] for url in asked if (found := IMAGE.search(url))} - {number}
        for other in others:
            wanted = await page.evaluate(IMAGES_OF, other)
            return other if wanted and fetched.issuperset(wanted) else None
        return None

    await site.finds(row(site, number))
    await row(site, number).get_by_test_id("claim").click()
    await is_open(site, number)
    await site.accept_all_but("diploma")
    await site.mark_for_return("diploma", "unreadable", SCRIPT)
    accepted = await site.visitor.items("[data-mark=accept]")
    await expect(site.item("diploma")).to_contain_text(SCRIPT)
    for key, form in (("m", "false-form"), ("o", "ask-form")):
        await page.keyboard.press(key)
        await expect(site.see(form)).to_be_visible()
        await site.visitor.is_presentable(f"console-acts-{form}")
        await page.keyboard.press("Escape")
        await expect(site.see(form)).to_have_count(0)
    following = await eventually(ahead, "the next application's images", every_s=0.5, within_s=60)
    asked.clear()

    # The page's clock stands still, so that it goes on offering to undo for as long as the test needs.
    await page.clock.set_fixed_time(datetime.now(UTC))
    async with untold(environment, number):
        await page.keyboard.press("t")
        await expect(site.see("act-form")).to_contain_text(SCRIPT)
        await page.keyboard.press("Control+Enter")
        await is_open(site, following)
        await expect(site.see("viewed")).to_be_visible()
        assert [url for url in asked if f"/{following}/" in url] == []
        await site.see("undo").click()
        await is_open(site, number)

    await expect(site.item("diploma")).to_have_attribute("data-mark", "return")
    await expect(site.item("diploma")).to_contain_text(SCRIPT)
    assert await site.visitor.items("[data-mark=accept]") == accepted
    await says(site, "t", "", "console-acts-return")
    await is_open(site, following)
    await page.keyboard.press("l")
    await is_done_with(site, following)
    await site.see("tab-returned").click()
    await site.finds(row(site, number))
    await row(site, number).locator("th a").click()
    await expect(site.see("history")).to_contain_text(SCRIPT)
    await site.visitor.is_presentable("console-acts-history")

    candidate = CandidateAtPage(await visits("desktop"))
    candidate.visitor.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await candidate.visitor.come_in("/registration", crowd.casts[0])
    await candidate.is_at("returned")
    await expect(candidate.see("feedback").first).to_contain_text(SCRIPT)
    await expect(candidate.item("diploma")).to_contain_text(SCRIPT)
    assert dialogs == []


async def test_a_rejection_that_the_second_reviewer_disagrees_with_is_sent_back_and_agreed_to_later_without_a_mouse(
    crowd: Crowd, visits: Visits, environment: Mapping[str, str]
) -> None:
    cast = crowd.casts[1]
    number = cast.application_no
    site = await logged_in(visits, crowd, crowd.cast.site_logins[0])
    await takes(site, number)
    await accepts_everything(site)
    await says(site, "p", "", "console-acts-pass")
    await is_done_with(site, number)

    region = await logged_in(visits, crowd, crowd.cast.region_login)
    await takes(region, number)
    await says(region, "d", REJECTED, "console-acts-reject")
    await is_done_with(region, number)
    second = await logged_in(visits, crowd, crowd.cast.second_login)
    await goes_to(second, "second_look")
    await takes(second, number)
    await expect(second.see("proposed")).to_contain_text(REJECTED)
    await says(second, "b", DISAGREED, "console-acts-disagree")
    await is_done_with(second, number)

    await takes(region, number)
    await expect(region.see("proposed")).to_have_count(0)
    await expect(region.see("history")).to_contain_text(DISAGREED)
    await says(region, "s", SENT_BACK, "console-acts-send-back")
    await is_done_with(region, number)
    await goes_to(site, "sent_back")
    await takes(site, number)
    await expect(site.see("history")).to_contain_text(SENT_BACK)
    await site.visitor.is_presentable("console-acts-sent-back")

    await crowd.site_passes(cast)
    await is_rejected(environment, crowd, cast)
    await takes(second, number)
    await says(second, "y", "", "console-acts-agree")
    await is_done_with(second, number)
    await goes_to(second, "decided")
    await second.finds(row(second, number))


async def goes_to(reviewer: ReviewerAtConsole, list_name: str) -> None:
    """To another list, by the arrow keys of the tabs."""
    page = reviewer.visitor.page
    await page.locator("[role=tab][aria-selected=true]").focus()
    tab = reviewer.see(f"tab-{list_name}")
    for _ in range(await page.locator("[role=tab]").count()):
        if await tab.get_attribute("aria-selected") == "true":
            break
        await page.keyboard.press("ArrowRight")
    await expect(tab).to_be_focused()


async def is_rejected(environment: Mapping[str, str], crowd: Crowd, cast: Cast) -> None:
    """The region proposes to reject, through its own API."""
    url = f"/reviews/{cast.application_no}"
    async with Staff(environment["PUBLIC_ORIGIN"]) as region:
        await claims(region, crowd, crowd.cast.region_login, cast)
        decided = await region.post(f"{url}/decisions", {"outcome": "rejected", "words": REJECTED})
        assert decided.status_code == 201, decided.text


async def claims(staff: Staff, crowd: Crowd, login: str, cast: Cast) -> None:
    """Log in at the API, and wait until the application can be claimed."""
    await staff.log_in(login, crowd.cast.password)

    async def has_it() -> bool:
        return (await staff.claim(cast.application_no)).is_success

    await eventually(has_it, "the claim", within_s=60)


async def test_an_image_is_zoomed_turned_and_compared_with_the_one_before_and_the_registration_photo(
    crowd: Crowd, visits: Visits, environment: Mapping[str, str]
) -> None:
    cast = crowd.casts[2]
    await is_returned(environment, crowd, cast)
    await registers_a_photo(crowd, cast)
    await crowd.submits(cast, replacing=("identity",))
    site = await logged_in(visits, crowd, crowd.cast.site_logins[0])
    press = site.visitor.page.keyboard.press
    await site.see("tab-resubmitted").click()
    await takes(site, cast.application_no)
    await expect(site.item("identity")).to_have_attribute("data-chosen", "true")
    viewed, beside = site.see("viewed"), site.see("compared-image")
    sheet = viewed.locator("..")

    await shows(viewed)
    await press("0")
    as_it_fits = str(await sheet.get_attribute("style"))
    width = await width_of(viewed)
    await site.see("zoom-in").click()
    await expect(sheet).not_to_have_attribute("style", as_it_fits)
    assert await width_of(viewed) > width
    await site.see("fit").click()
    await expect(sheet).to_have_attribute("style", as_it_fits)
    await press("r")
    await expect(sheet).to_have_attribute("style", re.compile(r"rotate\(90deg\)"))
    for _ in range(3):
        await press("r")
    await expect(sheet).to_have_attribute("style", as_it_fits)

    await press("v")
    await shows(beside)
    assert await beside.get_attribute("src") != await viewed.get_attribute("src")
    await expect(site.see("compared-with")).to_contain_text("第 1 轮")
    await site.visitor.is_presentable("console-acts-compare-previous")
    await press("f")
    await expect(site.see("compared-with")).to_contain_text("报名照")
    await shows(beside)
    await site.visitor.is_presentable("console-acts-compare-photo")
    await press("f")
    await expect(site.see("compared-with")).to_have_count(0)


async def shows(image: Locator) -> None:
    """The picture itself is there, not only its frame."""
    await expect(image).to_be_visible()
    await expect(image).to_have_js_property("complete", value=True)
    assert await image.evaluate("image => image.naturalWidth > 0")
    # Its stage has been measured when the next frame comes.
    await image.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def width_of(image: Locator) -> float:
    width: float = await image.evaluate("image => image.getBoundingClientRect().width")
    return width


async def is_returned(environment: Mapping[str, str], crowd: Crowd, cast: Cast) -> None:
    """The site returns the identity papers, through its own API."""
    url = f"/reviews/{cast.application_no}"
    async with Staff(environment["PUBLIC_ORIGIN"]) as site:
        await claims(site, crowd, crowd.cast.site_logins[0], cast)
        mark = {"mark": "return", "reason_code": "unreadable", "words": "看不清，请重新拍摄。"}
        marked = await site.put(f"{url}/items/identity/mark", mark)
        assert marked.status_code == 200, marked.text
        returned = await site.post(f"{url}/returns")
        assert returned.status_code == 201, returned.text


async def registers_a_photo(crowd: Crowd, cast: Cast) -> None:
    """The candidate has a portrait checked, and hands in the photo that is made of it."""
    url = f"/applications/{cast.application_no}/photo-checks/{(photo_id := uuid4())}"
    async with crowd.candidate(cast) as candidate:
        await candidate.log_in(cast.application_no, cast.password)

        async def may_change_it() -> bool:
            return bool((await candidate.page())["state"] == "returned")

        # Until then everything is locked, and a return may still be undone.
        await eventually(may_change_it, "the return", within_s=60)
        portrait = await asyncio.to_thread(draw_portrait)
        sent = await candidate.check_photo(portrait, "recent,unaltered", photo_id=photo_id)
        assert sent.status_code == 201, sent.text
        check = await eventually(lambda: checked(candidate, url), "the photo check", within_s=60)
        registered = await candidate.register_photo((await candidate.get(check["photo"]["url"])).content)
        assert registered.status_code == 201, registered.text


async def checked(candidate: Candidate, url: str) -> dict[str, Any] | None:
    found: dict[str, Any] = (await candidate.get(url)).json()
    return None if found["status"] == "checking" else found


async def test_a_second_factor_is_set_up_and_asked_for_and_the_members_are_listed(
    crowd: Crowd, visits: Visits, environment: Mapping[str, str]
) -> None:
    login = crowd.cast.admin_login
    admin = await logged_in(visits, crowd, login)
    visitor = admin.visitor
    await admin.see("who").click()
    await expect(admin.see("account")).to_be_visible()
    await visitor.is_presentable("console-account")

    await admin.see("second-factor-begin").click()
    await expect(admin.see("second-factor-code")).to_be_focused()
    await expect(admin.see("qr")).to_have_js_property("complete", value=True)
    assert await admin.see("qr").evaluate("image => image.naturalWidth > 0")
    app = pyotp.TOTP((await admin.see("secret").inner_text()).replace(" ", ""))
    await visitor.is_presentable("console-account-qr")
    await admin.see("second-factor-code").fill(app.now())
    await admin.see("second-factor-confirm").click()
    await expect(admin.see("recovery-code").first).to_be_visible()
    assert len(set(await admin.see("recovery-code").all_inner_texts())) >= 8
    await visitor.is_presentable("console-account-codes")
    await admin.see("codes-kept").click()
    await expect(admin.see("renew-codes")).to_be_visible()

    # A code is good once: this spares waiting half a minute for the next one.
    connection = await asyncpg.connect(environment["DATABASE_URL_REVIEW"])
    try:
        await connection.execute("UPDATE staff SET totp_last_step = NULL WHERE login = $1", login)
    finally:
        await connection.close()
    await admin.see("log-out").click()
    await visitor.enter(login, crowd.cast.password)
    await expect(admin.see("second-factor-code")).to_be_focused()
    await expect(admin.see("who")).to_have_count(0)
    await visitor.is_presentable("console-login-code")
    await admin.see("second-factor-code").fill(app.now())
    await admin.see("log-in").click()

    await admin.see("nav-members").click()
    mine = visitor.page.locator(f"[data-test=member][data-login='{login}']")
    await expect(mine).to_be_visible()
    await expect(mine.get_by_test_id("change-member")).to_have_count(0)
    await expect(admin.see("member")).to_have_count(6)
    await visitor.is_presentable("console-members")
    await admin.see("new-member").click()
    await expect(admin.see("member-dialog")).to_be_visible()
    await visitor.is_presentable("console-members-new")
