"""The pages as their users work with them: by clicks, on the attributes that are kept stable for tests."""

import asyncio
import os
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, FilePayload, Locator, Page, Request, expect

from deploy.demo.cast import Cast
from deploy.local.places import CHECKOUT
from deploy.specimens import draw, file_name, invented_person, media_type

# What the page does by itself, and what Kafka, the services and the other side have to do first.
SOON_MS = 15_000
PATIENCE_MS = 30_000
_DEVICES = {
    "phone": {"width": 390, "height": 844},
    "narrow": {"width": 320, "height": 568},
    "desktop": {"width": 1280, "height": 800},
    "office": {"width": 1366, "height": 768},
}
_BY_TOUCH = {"phone", "narrow"}
_PICTURE_COLOURS = 128
_PICTURE_BYTES = 80_000
# A refusal is a part of the work: the browser's own line about it is no trouble.
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
# The browser's own lines about a network that is not there.
NO_NETWORK = re.compile(r"ERR_(INTERNET_DISCONNECTED|FAILED|NETWORK_CHANGED)")


@lru_cache(maxsize=64)
def _drawn(kind: str, seed: int) -> bytes:
    return draw(kind, person=invented_person(seed), seed=seed)


def paper(kind: str, seed: int = 1) -> FilePayload:
    """A specimen as a file to choose."""
    return {"name": file_name(kind), "mimeType": media_type(kind), "buffer": _drawn(kind, seed)}


@lru_cache(maxsize=1)
def _axe() -> str:
    file = CHECKOUT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    return file.read_text(encoding="utf-8")


def _light(shot: bytes) -> bytes:
    """A screenshot with few colours, and smaller where photos in it are too heavy still."""
    with Image.open(BytesIO(shot)) as opened:
        picture = opened.convert("RGB")
    for share in (1, 0.75, 0.5):
        size = round(picture.width * share), round(picture.height * share)
        file = BytesIO()
        smaller = picture if share == 1 else picture.resize(size, Image.Resampling.LANCZOS)
        smaller.quantize(_PICTURE_COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if file.tell() <= _PICTURE_BYTES:
            break
    return file.getvalue()


class Visitor:
    """Somebody at a browser.

    Args:
        browser: the program.
        origin: the system's.
        device: `phone`, `narrow` (as wide as the narrowest phones), `desktop` or `office`.
        dark: the system's colours are dark.
        pictures: where `picture` writes.

    Attributes:
        page: the browser's first tab.
        troubles: errors of scripts, broken content-security rules, requests that left the origin; in any tab.
    """

    page: Page
    context: BrowserContext

    def __init__(
        self, browser: Browser, origin: str, device: str, *, dark: bool = False, pictures: Path | None = None
    ) -> None:
        self.origin = origin
        self.troubles: list[str] = []
        self._browser = browser
        self._device = device
        self._dark = dark
        self._pictures = pictures
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        size = _DEVICES[self._device]
        by_touch = self._device in _BY_TOUCH
        self.context = await self._browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            is_mobile=by_touch,
            has_touch=by_touch,
            device_scale_factor=2 if self._device == "phone" else 1,
            locale="zh-CN",
            color_scheme="dark" if self._dark else "light",
            # The pages show Beijing time wherever the reader is.
            timezone_id="America/New_York",
        )
        self._stack.push_async_callback(self.context.close)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.troubles.append(f"script error: {error.error}"))
        self.context.on("request", self._on_request)
        self.page = await self.context.new_page()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _REFUSED.search(message.text):
            self.troubles.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "blob:", "data:")):
            self.troubles.append(f"left the origin: {request.url}")

    def forgive_the_network(self) -> None:
        """The browser's own lines about a network that was taken away are no trouble."""
        self.troubles = [trouble for trouble in self.troubles if not NO_NETWORK.search(trouble)]

    async def come_in(self, path: str, cast: Cast) -> None:
        """Open the address as the cast's candidate, who has logged in before; the form has tests of its own."""
        answer = await self.context.request.post(
            f"{self.origin}/candidate/session",
            data={"login": cast.application_no, "password": cast.password},
            headers={"Origin": self.origin},
        )
        assert answer.status == 201, await answer.text()
        await self.page.goto(self.origin + path)

    async def open_tab(self, path: str) -> Page:
        """A further tab of the same browser."""
        page = await self.context.new_page()
        await page.goto(self.origin + path)
        return page

    def see(self, name: str) -> Locator:
        """What carries this `data-test` name."""
        return self.page.get_by_test_id(name)

    async def tab_to(self, name: str) -> None:
        """Press the tab key until the focus is there; whoever can't use a mouse gets no further otherwise."""
        for _ in range(150):
            if await self.page.evaluate("document.activeElement?.dataset.test") == name:
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"the tab key never gets to {name}")

    async def items(self, which: str) -> list[str]:
        """Codes of the items on the page that fit the selector, in order."""
        found = self.page.locator(f"[data-test^=item-]{which}")
        names: list[str] = await found.evaluate_all("items => items.map(item => item.dataset.test)")
        return [name.removeprefix("item-") for name in names]

    async def log_in(self, path: str, login: str, password: str) -> None:
        """Open the address and log in."""
        await self.page.goto(self.origin + path)
        await self.enter(login, password)

    async def enter(self, login: str, password: str) -> None:
        """Fill in the login form that is on the page."""
        await self.see("login").fill(login)
        await self.see("password").fill(password)
        await self.see("log-in").click()

    async def picture(self, name: str) -> None:
        """A picture for the documents, of few colours so that it weighs little."""
        if self._pictures is None:
            return
        shot = await self.page.screenshot(animations="disabled", caret="hide")
        (self._pictures / f"{name}.png").write_bytes(await asyncio.to_thread(_light, shot))

    async def is_presentable(self, name: str) -> None:
        """Nothing stands out over the right edge, axe finds nothing; a screenshot, where somebody asked for them."""
        over = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{name}: {over} px too wide"
        # Evaluated, not added as a script: the page's content-security policy allows no such script.
        await self.page.evaluate(f"window.axe || (() => {{ {_axe()} }})()")
        found = await self.page.evaluate("axe.run({ resultTypes: ['violations'] })")
        wrong = [(each["id"], [node["html"][:160] for node in each["nodes"]]) for each in found["violations"]]
        assert wrong == [], f"{name} is not accessible: {wrong}"
        if folder := os.environ.get("SCREENSHOTS"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=self._device in _BY_TOUCH)


class CandidateAtPage:
    """A candidate on the application page."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.see = visitor.see

    def item(self, code: str) -> Locator:
        """An item of the checklist."""
        return self.see(f"item-{code}")

    async def required_items(self) -> list[str]:
        """Codes of the items with a star, in order."""
        await expect(self.see("application")).to_be_visible()
        return await self.visitor.items("[data-required=true]")

    async def choose(self, code: str, files: Sequence[FilePayload]) -> None:
        """Choose files under an item and wait until each is uploaded and found good."""
        images = self.item(code).get_by_test_id("image")
        before = await images.count()
        await self.see(f"file-{code}").set_input_files(list(files))
        await expect(images).to_have_count(before + len(files), timeout=PATIENCE_MS)
        done = self.item(code).locator("[data-test=image]:is([data-status=good], [data-status=review])")
        await expect(done).to_have_count(before + len(files), timeout=PATIENCE_MS)

    async def remove_first(self, code: str) -> None:
        """Take off the item's first image with the minus button; it goes at once, and can be brought back."""
        images = self.item(code).get_by_test_id("image")
        before = await images.count()
        await images.first.get_by_test_id("remove").click()
        await expect(images).to_have_count(before - 1)
        await expect(self.item(code).get_by_test_id("undo")).to_be_visible()

    async def activate(self, cast: Cast, captcha_answer: str) -> None:
        """The first login: number, password, and what the captcha says."""
        await self.visitor.enter(cast.application_no, cast.password)
        await self.see("captcha-answer").fill(captcha_answer)
        await self.see("activate").click()

    async def to_checklist(self) -> None:
        """Go there by the tabs."""
        await self.see("tab-registration").click()
        await expect(self.see("application")).to_be_visible()

    async def is_at(self, state: str) -> None:
        """Wait until the page shows this state, by itself."""
        await expect(self.see("state")).to_have_attribute("data-state", state, timeout=PATIENCE_MS)

    async def submit(self) -> None:
        """Hand in, and confirm it."""
        await self.see("submit").click()
        await self.see("confirm-submit").click()
        await self.is_at("submitted")


class ReviewerAtConsole:
    """A member of staff at the console."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.see = visitor.see

    def item(self, code: str) -> Locator:
        """An item of the open application."""
        return self.see(f"item-{code}")

    async def claim(self, application_no: str) -> None:
        """Wait until the application is in the queue, then claim the next: the region has no other."""
        row = self.visitor.page.locator(f"[data-test=row][data-application='{application_no}']")
        await self.finds(row)
        await self.see("claim-next").click()
        await expect(self.see("lease")).to_be_visible()

    async def finds(self, row: Locator) -> None:
        """Read the queue anew until the row is there: each time the list is empty for a moment."""
        for _ in range(30):
            await self.see("refresh").click()
            try:
                await expect(row).to_be_visible(timeout=1_500)
            except AssertionError:
                continue
            return
        raise AssertionError(f"{await self.see('row').count()} applications are in the list, and not the one wanted")

    async def look_at_every_image(self) -> None:
        """Go through the images with the button; each one really shows."""
        while True:
            await expect(self.see("viewed")).to_have_js_property("complete", value=True)
            assert await self.see("viewed").evaluate("image => image.naturalWidth > 0")
            if await self.see("next-image").is_disabled():
                return
            await self.see("next-image").click()

    async def accept_all_but(self, *codes: str) -> None:
        """Accept what is handed in and not marked yet."""
        for code in await self.visitor.items("[data-mark=none]"):
            accept = self.item(code).get_by_test_id("accept")
            if code not in codes and await accept.is_visible():
                await accept.click()
                await expect(self.item(code)).to_have_attribute("data-mark", "accept")

    async def mark_for_return(self, code: str, reason: str, more_words: str) -> None:
        """Mark an item to be returned, with the reason's words and some of one's own."""
        await self.item(code).get_by_test_id("return").click()
        await self.see("reason").select_option(reason)
        words = await self.see("words").input_value()
        assert words, "the reason brought no words"
        await self.see("words").fill(words + more_words)
        await self.see("save-mark").click()
        await expect(self.item(code)).to_have_attribute("data-mark", "return")

    async def act(self, button: str) -> None:
        """Press a button for the application as a whole and confirm; the queue says that it is done."""
        await self.see(button).click()
        await self.see("confirm-act").click()
        await expect(self.see("flash")).to_be_visible()
