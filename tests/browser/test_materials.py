"""The checklist by hand: files that must be mended, dropped or pasted ones, undo, a network that goes, two tabs."""

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import FilePayload, JSHandle, Page, expect

from deploy.demo.cast import Cast
from tests.browser.conftest import Visits
from tests.browser.pages import PATIENCE_MS, CandidateAtPage, paper

pytestmark = [pytest.mark.browser, pytest.mark.stack]

LARGEST_BYTES = 204_800
ORIENTATION = 0x0112
# Of the picture itself, not of the file: what people see.
PIXELS = """async (image) => {
  await image.decode()
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: image.naturalWidth, height: image.naturalHeight })
  canvas.getContext('2d').drawImage(image, 0, 0)
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data))
  return [canvas.width, canvas.height, ...hash].join(' ')
}"""


async def at_checklist(cast: Cast, visits: Visits, device: str) -> CandidateAtPage:
    candidate = CandidateAtPage(await visits(device))
    await candidate.visitor.come_in("/registration", cast)
    await candidate.is_at("draft")
    return candidate


def as_the_camera_gives_it(orientation: int | None = None) -> FilePayload:
    """A photo of several megabytes, its direction noted in EXIF only."""
    with Image.open(BytesIO(paper("diploma")["buffer"])) as small:
        large = small.convert("RGB").resize((2880, 2150))
    if orientation == 6:
        large = large.transpose(Image.Transpose.ROTATE_90)
    noise = np.random.default_rng(1).integers(-6, 7, (large.height, large.width, 1))
    pixels = (np.asarray(large).astype(np.int16) + noise).clip(0, 255).astype(np.uint8)
    file, exif = BytesIO(), Image.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    Image.fromarray(pixels).save(file, "JPEG", quality=93, exif=exif)
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


async def handed_over(page: Page, file: FilePayload) -> JSHandle:
    """The file as a drag or the clipboard carries it."""
    return await page.evaluate_handle(
        """([name, type, bytes]) => {
          const carried = new DataTransfer()
          carried.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }))
          return carried
        }""",
        [file["name"], file["mimeType"], base64.b64encode(file["buffer"]).decode()],
    )


async def bytes_of_the_only_image(page: Page, origin: str, application_no: str) -> bytes:
    """What the service kept."""
    application = await (await page.context.request.get(f"{origin}/applications/{application_no}")).json()
    images = [image for part in application["sections"] for item in part["items"] for image in item["images"]]
    assert len(images) == 1
    return await (await page.context.request.get(origin + images[0]["url"])).body()


async def test_a_photo_that_is_too_large_and_turned_is_stored_as_the_candidate_saw_it(
    cast: Cast, visits: Visits
) -> None:
    candidate = await at_checklist(cast, visits, "phone")
    see, page = candidate.see, candidate.visitor.page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)

    await see("file-diploma").set_input_files([as_the_camera_gives_it(6)])
    await expect(see("fix-accept")).to_be_enabled()
    await candidate.visitor.is_presentable("candidate-fix")
    await candidate.visitor.picture("fix-dialog-phone")
    await see("turn-right").click()
    await see("turn-left").click()
    await expect(see("fix-accept")).to_be_enabled()
    shown = await see("fixed-image").evaluate(PIXELS)
    assert sent == []
    await see("fix-accept").click()

    image = candidate.item("diploma").get_by_test_id("image")
    await expect(image).to_have_attribute("data-status", re.compile("good|review"), timeout=PATIENCE_MS)
    stored = await bytes_of_the_only_image(page, candidate.visitor.origin, cast.application_no)
    assert len(sent) == 1
    assert shown == await page.evaluate(f"src => ({PIXELS})(Object.assign(new Image(), {{ src }}))", sent[0])
    with Image.open(BytesIO(stored)) as picture:
        assert picture.getexif().get(ORIENTATION, 1) == 1
        assert picture.width > picture.height
    assert len(stored) <= LARGEST_BYTES


async def test_a_photo_that_was_not_mended_is_not_sent_and_waits_on_the_page(cast: Cast, visits: Visits) -> None:
    candidate = await at_checklist(cast, visits, "desktop")
    see = candidate.see

    await see("file-diploma").set_input_files([as_the_camera_gives_it(), paper("diploma")])
    await expect(see("fix")).to_be_visible()
    await candidate.visitor.page.keyboard.press("Escape")

    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(1, timeout=PATIENCE_MS)
    await expect(candidate.item("diploma").locator("[data-test=upload][data-state=unfit]")).to_be_visible()
    await expect(see("submit")).to_be_disabled()
    await see("show-to-mend").click()
    await expect(see("fix")).to_be_visible()
    await see("fix-discard").click()
    await expect(candidate.item("diploma").get_by_test_id("upload")).to_have_count(0)


async def test_what_was_removed_comes_back_by_the_keyboard(cast: Cast, visits: Visits) -> None:
    candidate = await at_checklist(cast, visits, "desktop")
    await candidate.choose("diploma", [paper("diploma")])

    await candidate.remove_first("diploma")
    await expect(candidate.see("undo")).to_be_focused()
    await candidate.visitor.is_presentable("candidate-undo")
    await candidate.visitor.page.keyboard.press("Enter")

    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(1)
    await expect(candidate.see("undo-bar")).to_have_count(0)


async def test_images_are_dropped_on_an_item_and_pasted_into_it(cast: Cast, visits: Visits) -> None:
    candidate = await at_checklist(cast, visits, "desktop")
    card = candidate.item("diploma")
    file = await handed_over(candidate.visitor.page, paper("diploma"))

    await card.dispatch_event("dragenter", {"dataTransfer": file})
    await expect(card).to_have_class(re.compile("dropping"))
    await card.dispatch_event("drop", {"dataTransfer": file})
    await expect(card.get_by_test_id("image")).to_have_count(1, timeout=PATIENCE_MS)
    await card.evaluate(
        "(card, clipboardData) => card.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))",
        file,
    )

    await expect(card.get_by_test_id("image")).to_have_count(2, timeout=PATIENCE_MS)


async def test_an_example_is_a_picture_with_words(cast: Cast, visits: Visits) -> None:
    candidate = await at_checklist(cast, visits, "phone")

    await candidate.item("identity").get_by_test_id("example").click()
    dialog = candidate.see("example-dialog")
    await expect(dialog.locator("img")).to_have_js_property("complete", value=True)

    assert await dialog.locator("img").evaluate("image => image.naturalWidth > 0")
    await candidate.visitor.is_presentable("candidate-example")
    await candidate.visitor.page.keyboard.press("Escape")
    await expect(candidate.item("identity").get_by_test_id("example")).to_be_focused()


async def test_a_file_that_is_refused_says_why_and_leaves_the_others_alone(cast: Cast, visits: Visits) -> None:
    candidate = await at_checklist(cast, visits, "phone")
    large = paper("diploma") | {"name": "大图.jpg", "buffer": b"\xff\xd8\xff" + bytes(300_000)}
    text = paper("diploma") | {"name": "说明.jpg", "buffer": b"this is no image"}

    await candidate.see("file-diploma").set_input_files([large, text, paper("diploma")])

    failed = candidate.item("diploma").locator("[data-test=upload][data-state=failed]")
    await expect(failed).to_have_count(2, timeout=PATIENCE_MS)
    await expect(failed.nth(0)).to_contain_text("200 KB")
    await expect(failed.nth(1)).to_contain_text("jpg")
    await expect(candidate.item("diploma").get_by_test_id("image")).to_have_count(1)
    await candidate.visitor.is_presentable("candidate-refused-files")
    await failed.first.get_by_test_id("dismiss").click()
    await expect(failed).to_have_count(1)


async def test_a_fixed_count_that_is_reached_takes_no_more_until_one_goes(cast: Cast, visits: Visits) -> None:
    candidate = await at_checklist(cast, visits, "phone")
    card = candidate.item("identity")
    files = [paper("identity_front", seed) for seed in range(4)]

    await candidate.see("file-identity").set_input_files(files)
    await expect(card.get_by_test_id("image")).to_have_count(3, timeout=PATIENCE_MS)
    await expect(card.get_by_test_id("notice")).to_contain_text("1 张没有上传")
    await expect(candidate.see("file-identity")).to_have_count(0)
    await card.get_by_test_id("image").first.get_by_test_id("remove").click()

    await expect(candidate.see("file-identity")).to_have_count(1)


def on_its_side() -> FilePayload:
    """A diploma as it comes out of a scanner that it was fed into sideways."""
    file = BytesIO()
    with Image.open(BytesIO(paper("diploma")["buffer"])) as picture:
        lying = picture.convert("RGB").transpose(Image.Transpose.ROTATE_90)
    lying.save(file, "JPEG", quality=50)
    assert file.tell() <= LARGEST_BYTES
    return {"name": "scan.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


async def test_a_stored_image_that_lies_on_its_side_is_turned_upright_in_the_viewer(cast: Cast, visits: Visits) -> None:
    candidate = await at_checklist(cast, visits, "desktop")
    await candidate.see("file-diploma").set_input_files([on_its_side()])
    image = candidate.item("diploma").get_by_test_id("image")
    await expect(image).to_have_attribute("data-status", "rejected", timeout=PATIENCE_MS)
    await expect(image).to_contain_text("方向")
    before = await image.get_attribute("data-image-id")

    await image.locator("button.view").click()
    await expect(candidate.see("turn")).to_be_visible()
    await candidate.visitor.is_presentable("candidate-viewer")
    await candidate.see("turn").click()
    await expect(candidate.see("fix")).to_be_visible()
    await expect(candidate.see("fix-accept")).to_be_disabled()
    await candidate.see("turn-right").click()
    await candidate.see("fix-accept").click()

    await expect(image).not_to_have_attribute("data-image-id", before or "", timeout=PATIENCE_MS)
    await expect(image).to_have_attribute("data-status", re.compile("good|review"), timeout=PATIENCE_MS)
    await expect(image).to_have_count(1)
    stored = await bytes_of_the_only_image(candidate.visitor.page, candidate.visitor.origin, cast.application_no)
    with Image.open(BytesIO(stored)) as picture:
        assert picture.width > picture.height
