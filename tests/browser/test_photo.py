"""The registration photo: checked, marked, registered; and what keeps a file from being checked."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import FileChooser, FilePayload, Locator, Route, expect

from deploy.demo.cast import Cast
from deploy.demo.people import Candidate
from deploy.demo.scene import eventually
from tests.browser.conftest import Visits
from tests.browser.pages import PATIENCE_MS, Visitor
from tests.browser.portraits import heic, portrait

pytestmark = [pytest.mark.browser, pytest.mark.stack]

SENDING = "**/photo-checks/*?declared*"
SMALLEST_REFUSED = 30_000
# Of each mark on the photo: its number, and its box in shares of the photo's box.
PLACES = """marked => {
  const whole = marked.querySelector('img').getBoundingClientRect()
  return [...marked.querySelectorAll('[data-test=mark]')].map((mark) => {
    const { left, top, right, bottom } = mark.querySelector('.stroke').getBoundingClientRect()
    const x = (at) => (at - whole.left) / whole.width, y = (at) => (at - whole.top) / whole.height
    return [Number(mark.dataset.number), x(left), y(top), x(right), y(bottom)]
  })
}"""
# The middles of the numbers on the photo, in pixels, and the photo's box.
NUMBERS = """marked => {
  const whole = marked.querySelector('img').getBoundingClientRect()
  return [...marked.querySelectorAll('span.number')].map((number) => {
    const { left, top, right, bottom } = number.getBoundingClientRect()
    const across = left >= whole.left - 1 && right <= whole.right + 1
    const down = top >= whole.top - 1 && bottom <= whole.bottom + 1
    return [(left + right) / 2, (top + bottom) / 2, across && down]
  })
}"""


async def at_photo(cast: Cast, visits: Visits, device: str, *, dark: bool = False) -> Visitor:
    visitor = await visits(device, dark=dark)
    await visitor.come_in("/photo", cast)
    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", "choosing")
    return visitor


async def declares(visitor: Visitor) -> None:
    for what in ("recent", "unaltered"):
        await visitor.see("photo-stage").get_by_test_id(f"declare-{what}").check()


async def has_checked(visitor: Visitor, file: FilePayload, *, ends: str) -> None:
    """Declare, choose, and wait until it is judged."""
    await declares(visitor)
    await visitor.see("photo-file").set_input_files([file])
    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", ends, timeout=PATIENCE_MS)


async def all_findings(visitor: Visitor) -> list[tuple[str, str]]:
    """Code and severity, in their order on the page."""
    found: list[tuple[str, str]] = await visitor.see("finding").evaluate_all(
        "all => all.map(({ dataset }) => [dataset.code, dataset.severity])"
    )
    return [(code, severity) for code, severity in found]


async def has_loaded(image: Locator) -> None:
    await expect(image).to_have_js_property("complete", value=True)
    assert await image.evaluate("image => image.naturalWidth > 0")


async def bytes_at(visitor: Visitor, path: str) -> bytes:
    answer = await visitor.context.request.get(visitor.origin + path)
    assert answer.status == 200, await answer.text()
    return await answer.body()


async def the_application(visitor: Visitor, cast: Cast) -> dict[str, Any]:
    answer = await visitor.context.request.get(f"{visitor.origin}/applications/{cast.application_no}")
    said: dict[str, Any] = await answer.json()
    return said


@pytest.mark.parametrize("device", ["phone", "desktop"])
async def test_a_good_portrait_becomes_the_registration_photo_byte_for_byte(
    device: str, cast: Cast, visits: Visits
) -> None:
    visitor = await visits(device)
    await visitor.come_in("/", cast)
    await visitor.see("home-photo").get_by_role("link").click()
    await expect(visitor.see("photo-now")).to_have_attribute("data-there", "false")
    await visitor.is_presentable(f"{device}-photo-start")
    await visitor.picture(f"photo-{device}")

    await has_checked(visitor, portrait(), ends="passed")
    await has_loaded(visitor.see("made-photo"))
    await has_loaded(visitor.see("sample").last)
    await expect(visitor.see("not-judged")).to_be_visible()
    await visitor.is_presentable(f"{device}-photo-passed")
    await visitor.see("photo-stage").evaluate("stage => stage.scrollIntoView()")
    await visitor.picture(f"photo-passed-{device}")
    async with visitor.page.expect_download() as started:
        await visitor.see("download-photo").click()
    kept = (await (await started.value).path()).read_bytes()
    await visitor.see("use-photo").click()

    await expect(visitor.see("in-use")).to_be_focused()
    await expect(visitor.see("photo-now")).to_have_attribute("data-there", "true")
    registered = (await the_application(visitor, cast))["registration_photo"]
    assert await bytes_at(visitor, registered["url"]) == kept
    assert len(kept) == registered["size"] < SMALLEST_REFUSED
    await visitor.page.reload()
    await has_loaded(visitor.see("registered-photo"))
    await visitor.see("tab-home").click()
    await expect(visitor.see("home-photo")).to_contain_text("已登记")


@pytest.mark.parametrize("device", ["phone", "desktop"])
async def test_a_faulty_portrait_shows_where_the_faults_are_and_says_what_to_do(
    device: str, cast: Cast, visits: Visits
) -> None:
    visitor = await at_photo(cast, visits, device)

    await has_checked(visitor, portrait(faulty=True), ends="failed")

    await expect(visitor.page.locator("#photo-stage")).to_be_focused()
    await expect(visitor.see("announcement")).to_contain_text("未通过")
    findings = await all_findings(visitor)
    severities = [severity for _, severity in findings]
    assert {"blurred", "background_not_white"} <= {code for code, _ in findings}
    assert severities[0] == "reject"
    assert severities == sorted(severities, key=["reject", "review", "info"].index)
    for finding in await visitor.see("finding").all():
        await expect(finding.locator("p")).to_have_text(re.compile(r"[\u4e00-\u9fff]{4}"))
    await is_marked_legibly(visitor, len(findings))
    await visitor.is_presentable(f"{device}-photo-failed")
    await visitor.see("photo-stage").evaluate("stage => stage.scrollIntoView()")
    await visitor.picture(f"photo-failed-{device}")


async def is_marked_legibly(visitor: Visitor, findings: int) -> None:
    """Each finding has a mark; no number lies outside the photo or on another."""
    await expect(visitor.see("mark").first).to_be_attached()
    places = await visitor.see("marked").evaluate(PLACES)
    assert {number for number, *_ in places} == set(range(1, findings + 1))
    for _, left, top, right, bottom in places:
        assert min(left, top) >= 0
        assert max(right, bottom) <= 1
    numbers = await visitor.see("marked").evaluate(NUMBERS)
    assert all(inside for _, _, inside in numbers)
    for at, (x, y, _) in enumerate(numbers):
        assert all(abs(x - other[0]) + abs(y - other[1]) > 20 for other in numbers[:at])


async def test_a_photo_that_passes_with_a_hint_says_it_and_may_be_used(cast: Cast, visits: Visits) -> None:
    visitor = await at_photo(cast, visits, "desktop")

    await has_checked(visitor, portrait(tilt=11), ends="passed")

    assert await all_findings(visitor) == [("tilted", "review")]
    await is_marked_legibly(visitor, 1)
    await visitor.is_presentable("desktop-photo-hint")
    await visitor.see("use-photo").click()
    await expect(visitor.see("in-use")).to_be_visible()


async def test_one_finding_is_looked_at_alone_by_the_keyboard_and_an_earlier_check_is_opened_again(
    cast: Cast, visits: Visits
) -> None:
    visitor = await at_photo(cast, visits, "desktop")
    await has_checked(visitor, portrait(faulty=True), ends="failed")
    findings = await all_findings(visitor)

    first = visitor.see("finding").first.get_by_role("button")
    await first.focus()
    await visitor.page.keyboard.press("Enter")
    await expect(first).to_have_attribute("aria-pressed", "true")
    marks = visitor.see("mark")
    for mark in await marks.all():
        faint = "faint" in (await mark.get_attribute("class") or "")
        assert faint == (await mark.get_attribute("data-number") != "1")

    await visitor.page.reload()
    await expect(visitor.see("earlier")).to_have_count(1)
    await visitor.see("open-earlier").click()
    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", "failed")
    await has_loaded(visitor.see("marked").locator("img"))
    assert await all_findings(visitor) == findings
    await visitor.see("another").click()
    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", "choosing")
    await expect(visitor.see("declare-recent")).not_to_be_checked()


async def test_a_photo_that_exif_turns_is_marked_where_it_is_seen(cast: Cast, visits: Visits) -> None:
    visitor = await at_photo(cast, visits, "desktop")
    await has_checked(visitor, portrait(faulty=True), ends="failed")
    await expect(visitor.see("mark").first).to_be_attached()
    upright = await visitor.see("marked").evaluate(PLACES)
    await visitor.see("another").click()

    await has_checked(visitor, portrait(faulty=True, turned_by_exif=True), ends="failed")
    await expect(visitor.see("mark").first).to_be_attached()
    turned = await visitor.see("marked").evaluate(PLACES)

    assert await visitor.see("marked").locator("img").evaluate("image => image.naturalHeight > image.naturalWidth")
    assert [number for number, *_ in turned] == [number for number, *_ in upright]
    # The two JPEGs differ by what their blocks lost.
    for mark, same in zip(turned, upright, strict=True):
        assert mark[1:] == pytest.approx(same[1:], abs=0.03)


async def test_what_cant_be_checked_is_told_before_anything_is_sent(cast: Cast, visits: Visits) -> None:
    visitor = await at_photo(cast, visits, "phone")
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    await declares(visitor)
    large = portrait(name="大图.jpg")
    large["buffer"] += bytes(10_500_000)
    text = portrait(name="说明.jpg") | {"buffer": b"this is no image at all"}
    empty = portrait(name="空.jpg") | {"buffer": b""}

    for file, code, words in (
        (heic(), "heic", "兼容性最佳"),
        (large, "large", "超过 10 MB"),
        (text, "format", "jpg"),
        (empty, "empty", "空"),
    ):
        await visitor.see("photo-file").set_input_files([file])
        await expect(visitor.see("photo-refused")).to_have_attribute("data-code", code)
        await expect(visitor.see("photo-refused")).to_contain_text(words)
        await expect(visitor.see("photo-refused")).to_contain_text(file["name"])
    await visitor.is_presentable("phone-photo-refused")

    # What was declared of the file before holds for the next one too: the candidate goes on at once.
    await visitor.see("photo-file").set_input_files([portrait()])
    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", "passed", timeout=PATIENCE_MS)
    assert len(sent) == 1


async def test_nothing_is_chosen_before_both_things_are_declared(cast: Cast, visits: Visits) -> None:
    visitor = await at_photo(cast, visits, "desktop")
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    # Listened to from the start: the browser may show a chooser before `expect_file_chooser` has it told to us.
    opened: list[FileChooser] = []
    visitor.page.on("filechooser", lambda chooser: opened.append(chooser))

    async def is_opened() -> bool:
        return bool(opened)

    await visitor.tab_to("photo-file")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.see("declare-first")).to_be_visible()
    await expect(visitor.see("declare-recent")).to_be_focused()
    await visitor.page.keyboard.press("Space")
    await visitor.see("photo-file").set_input_files([portrait()])
    await expect(visitor.see("declare-unaltered")).to_be_focused()
    assert sent == []
    await visitor.page.keyboard.press("Space")
    await expect(visitor.see("declare-first")).to_have_count(0)
    assert opened == []
    await visitor.tab_to("photo-file")
    await visitor.page.keyboard.press("Enter")
    await eventually(is_opened, "the choice of files")
    await opened[0].set_files([portrait()])

    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", "passed", timeout=PATIENCE_MS)
    assert len(sent) == 1
    assert sent[0].endswith("?declared=recent,unaltered")


async def test_a_network_that_goes_when_the_photo_is_sent_has_it_checked_once(cast: Cast, visits: Visits) -> None:
    visitor = await at_photo(cast, visits, "phone")
    asked: list[str] = []

    async def take_it_and_cut_the_line(route: Route) -> None:
        asked.append(route.request.url)
        assert (await route.fetch()).status in {200, 201}
        await visitor.context.set_offline(True)
        await route.abort("internetdisconnected")

    await visitor.page.route(SENDING, take_it_and_cut_the_line)
    await declares(visitor)
    await visitor.see("photo-file").set_input_files([portrait()])
    await expect(visitor.see("photo-waits")).to_contain_text("网络")
    await visitor.is_presentable("phone-photo-offline")
    await visitor.page.unroute(SENDING)
    visitor.page.on("request", lambda request: asked.append(request.url) if request.method == "PUT" else None)
    await visitor.context.set_offline(False)

    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", "passed", timeout=PATIENCE_MS)
    await expect(visitor.see("earlier")).to_have_count(1)
    assert len(asked) == 2
    assert asked[0] == asked[1]
    visitor.forgive_the_network()


async def test_a_session_that_ends_when_the_photo_is_sent_loses_nothing(
    cast: Cast, visits: Visits, environment: Mapping[str, str]
) -> None:
    visitor = await at_photo(cast, visits, "phone")

    async def log_out_everywhere_first(route: Route) -> None:
        async with Candidate(environment["PUBLIC_ORIGIN"], cast.application_no) as elsewhere:
            await elsewhere.log_in(cast.application_no, cast.password)
            assert (await elsewhere.delete("/candidate/sessions")).status_code == 204
        await route.continue_()

    await visitor.page.route(SENDING, log_out_everywhere_first, times=1)
    await declares(visitor)
    await visitor.see("photo-file").set_input_files([portrait()])
    await expect(visitor.see("log-in-again")).to_be_visible()
    await visitor.enter(cast.application_no, cast.password)

    await expect(visitor.see("log-in-again")).to_have_count(0)
    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", "passed", timeout=PATIENCE_MS)


async def test_a_check_goes_on_while_another_tab_of_the_page_is_looked_at(cast: Cast, visits: Visits) -> None:
    visitor = await at_photo(cast, visits, "desktop")

    await declares(visitor)
    await visitor.see("photo-file").set_input_files([portrait()])
    await visitor.see("tab-home").click()
    await expect(visitor.see("home")).to_be_visible()
    await visitor.see("tab-photo").click()

    await expect(visitor.see("photo-stage")).to_have_attribute("data-stage", "passed", timeout=PATIENCE_MS)


async def test_a_photo_that_was_kept_as_a_file_is_registered_and_a_changed_one_is_refused(
    cast: Cast, visits: Visits
) -> None:
    visitor = await at_photo(cast, visits, "desktop")
    await has_checked(visitor, portrait(), ends="passed")
    kept = await bytes_at(visitor, await visitor.see("made-photo").get_attribute("src") or "")
    changed = kept[:-40] + bytes([kept[-40] ^ 1]) + kept[-39:]
    await visitor.page.reload()

    for body, code in (
        (portrait()["buffer"], "byFileLarge"),
        (heic()["buffer"], "byFileFormat"),
        (changed, "photo_changed"),
    ):
        file: FilePayload = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": body}
        await visitor.see("checked-file").set_input_files([file])
        await expect(visitor.see("checked-file-refused")).to_have_attribute("data-code", code)
    await visitor.is_presentable("desktop-photo-by-file-refused")
    assert (await the_application(visitor, cast))["registration_photo"] is None
    await visitor.see("checked-file").set_input_files([{"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": kept}])

    await expect(visitor.see("checked-file-taken")).to_be_visible()
    await expect(visitor.see("checked-file-refused")).to_have_count(0)
    await has_loaded(visitor.see("registered-photo"))
    registered = (await the_application(visitor, cast))["registration_photo"]
    assert await bytes_at(visitor, registered["url"]) == kept


@pytest.mark.parametrize(("device", "dark"), [("narrow", False), ("phone", True)])
async def test_marks_and_photo_are_presentable_on_the_narrowest_phone_and_in_the_dark(
    device: str, dark: bool, cast: Cast, visits: Visits
) -> None:
    visitor = await at_photo(cast, visits, device, dark=dark)
    name = "dark-photo" if dark else "narrow-photo"

    await has_checked(visitor, portrait(faulty=True), ends="failed")
    await is_marked_legibly(visitor, len(await all_findings(visitor)))
    await visitor.is_presentable(f"{name}-failed")
    if dark:
        await visitor.see("photo-stage").evaluate("stage => stage.scrollIntoView()")
        await visitor.picture("dark-photo-failed-phone")
    await visitor.see("another").click()
    await has_checked(visitor, portrait(), ends="passed")
    await visitor.is_presentable(f"{name}-passed")
