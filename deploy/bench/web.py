"""How soon a candidate on a slow phone sees the page, and how much script that takes.

A real Chromium with a throttled line and processor opens the page of a stack of its own, with an empty cache each time.
The rival is the bare document of the same visit: what arrives before any script of ours has run.
"""

import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.async_api import Browser, ViewportSize, async_playwright

from deploy.local.errors import StackError
from deploy.local.throwaway import throwaway_stack

# Lighthouse's "slow 4G" phone: 1.6 Mbit/s, 150 ms there and back, a processor four times slower.
_LINE = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
_SLOWER = 4
_PHONE = ViewportSize(width=390, height=844)
# Seen at the frame after the one that it stands in: style sheets hold that one back.
_UNTIL_SEEN = """
(what) => new Promise((done) => {
  const seen = () => requestAnimationFrame(() => done(performance.now()))
  const look = () => requestAnimationFrame(() => document.querySelector(what) ? seen() : look())
  look()
})
"""
_HEADING, _FORM = "main h1", "main form"
_DOCUMENT = "() => performance.getEntriesByType('navigation')[0].responseEnd"


@dataclass
class Result:
    """One figure per visit.

    Attributes:
        heading_ms: until the first heading of the page is seen.
        form_ms: until the login can be filled in.
        document_ms: until the bare document had arrived.
        script_bytes: of scripts as they came over the line (compressed), until the form was there.
    """

    heading_ms: list[float] = field(default_factory=list)
    form_ms: list[float] = field(default_factory=list)
    document_ms: list[float] = field(default_factory=list)
    script_bytes: list[int] = field(default_factory=list)

    def line(self) -> dict[str, float]:
        """What the command prints last: medians, and the largest sum of scripts."""
        heading, document = statistics.median(self.heading_ms), statistics.median(self.document_ms)
        return {
            "ratio": round(heading / document, 2),
            "first_heading_ms": round(heading),
            "form_ms": round(statistics.median(self.form_ms)),
            "document_ms": round(document),
            "script_kb": round(max(self.script_bytes) / 1024, 1),
        }


async def measure(*, visits: int, on_visit: Callable[[int, float, float], None]) -> Result:
    """Visit the start page so often, after one visit that does not count.

    Raises:
        StackError: no Chromium, or no stack.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise StackError("no Chromium: install Debian's package chromium")
    result = Result()
    async with throwaway_stack(services=("upload",), web=True) as stack, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for number in range(visits + 1):
            heading, form, document, script = await _visit(browser, stack.environment["PUBLIC_ORIGIN"])
            on_visit(number, heading, document)
            if number:
                result.heading_ms.append(heading)
                result.form_ms.append(form)
                result.document_ms.append(document)
                result.script_bytes.append(script)
        await browser.close()
    return result


async def _visit(browser: Browser, origin: str) -> tuple[float, float, float, int]:
    context = await browser.new_context(viewport=_PHONE, is_mobile=True, has_touch=True, device_scale_factor=3)
    page = await context.new_page()
    cdp = await context.new_cdp_session(page)
    await cdp.send("Network.enable")
    await cdp.send("Network.emulateNetworkConditions", _LINE)
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
    scripts: dict[str, int] = {}
    kinds: dict[str, str] = {}
    cdp.on("Network.responseReceived", lambda said: kinds.update({said["requestId"]: said["type"]}))
    cdp.on("Network.loadingFinished", lambda said: scripts.update({said["requestId"]: said["encodedDataLength"]}))
    await page.goto(f"{origin}/", wait_until="commit")
    heading: float = await page.evaluate(_UNTIL_SEEN, _HEADING)
    form: float = await page.evaluate(_UNTIL_SEEN, _FORM)
    document: float = await page.evaluate(_DOCUMENT)
    script = sum(int(size) for request, size in scripts.items() if kinds.get(request) == "Script")
    await context.close()
    return heading, form, document, script
