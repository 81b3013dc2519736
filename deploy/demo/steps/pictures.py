"""What a look at the pictures finds: papers that can't be read, and the photo check from the portrait to the photo."""

import asyncio
import io
from pathlib import Path
from typing import Any
from uuid import uuid4

from PIL import Image

from deploy.demo.scene import Scene, answered, eventually, see
from deploy.specimens import draw_portrait, spoil
from shared import clock
from shared.images.receipt import verify
from shared.security.photo_keys import PublicKeys

DECLARED = "recent,unaltered"
# What was told before is read first; on a busy machine a paper takes seconds.
READING_PATIENCE_S = 180.0


async def bad_pictures_are_explained(scene: Scene) -> str:
    """A blurred, a dark and a turned paper: each is rejected within a moment, with what to do, and may be removed."""
    diploma = await asyncio.to_thread(scene.paper, "diploma", 1)
    wanted = {"blurred": "blurred", "dark": "too_dark", "turned": "orientation"}
    found = []
    for fault, code in wanted.items():
        image_id = uuid4()
        body = await asyncio.to_thread(spoil, diploma, fault)  # type: ignore[arg-type]  # a name of the three above
        answered(await scene.candidate.upload("diploma", body, image_id=image_id), 201)
        image = await _checked(scene, "diploma", str(image_id))
        see(image["status"] == "rejected", f"the {fault} paper is {image['status']}")
        first = image["findings"][0]
        see(first["code"] == code and first["words"]["zh"], f"the {fault} paper was found to be {first['code']}")
        see(image["may_confirm"], "it may not be handed in after a warning")
        url = f"{scene.page_url}/items/diploma/images/{image_id}"
        answered(await scene.candidate.delete(url), 204)
        found.append(first["code"])
    return ", ".join(found)


async def _checked(scene: Scene, item: str, image_id: str) -> dict[str, Any]:
    async def checked() -> dict[str, Any] | None:
        images = (await scene.candidate.items())[item]["images"]
        found: dict[str, Any] = next(image for image in images if image["image_id"] == image_id)
        return None if found["status"] == "checking" else found

    image: dict[str, Any] = await eventually(checked, "the check of the image")
    return image


async def photo_wants_a_declaration(scene: Scene) -> str:
    """What no machine can see (age of the photo, beautification) is asked, not guessed."""
    answered(await scene.candidate.check_photo(draw_portrait(), ""), 422, "declaration-missing")
    return "422 without the declaration"


async def faulty_photo_is_explained(scene: Scene) -> str:
    """A portrait upside down fails, with the fault named and marked on the picture."""
    with Image.open(io.BytesIO(draw_portrait())) as portrait:
        turned = io.BytesIO()
        portrait.transpose(Image.Transpose.ROTATE_180).save(turned, "JPEG", quality=95)
    check = await _photo_checked(scene, turned.getvalue())
    see(check["status"] == "failed", f"the turned portrait {check['status']}")
    codes = [finding["code"] for finding in check["findings"]]
    see("not_upright" in codes, f"found: {codes}")
    see(all(finding["words"]["zh"] for finding in check["findings"]), "a finding has no words")
    return ", ".join(codes)


async def photo_is_checked(scene: Scene) -> str:
    """A good portrait becomes a photo of the official size, under 30,000 bytes, with a receipt that verifies."""
    check = await _photo_checked(scene, await asyncio.to_thread(draw_portrait))
    see(check["status"] == "passed", f"the portrait {check['status']}: {[each['code'] for each in check['findings']]}")
    photo = check["photo"]
    scene.photo = answered(await scene.candidate.get(photo["url"]), 200).content
    rule = scene.cast.pack.photo
    see((photo["width"], photo["height"]) == (rule.width_px, rule.height_px), "it has not the official size")
    see(len(scene.photo) == photo["size"] < rule.max_bytes, f"it has {len(scene.photo)} bytes")
    keys = PublicKeys(Path(scene.environment["PHOTO_PUBLIC_KEYS_FILE"]))
    receipt = verify(scene.photo, keys, application_no=scene.cast.application_no, now=clock.now())
    return f"{len(scene.photo):,} bytes, receipt by {receipt.key_id}"


async def _photo_checked(scene: Scene, portrait: bytes) -> dict[str, Any]:
    photo_id = uuid4()
    url = f"{scene.page_url}/photo-checks/{photo_id}"
    answered(await scene.candidate.check_photo(portrait, DECLARED, photo_id=photo_id), 201)

    async def checked() -> dict[str, Any] | None:
        found: dict[str, Any] = answered(await scene.candidate.get(url), 200).json()
        return None if found["status"] == "checking" else found

    check: dict[str, Any] = await eventually(checked, "the photo check")
    return check


async def changed_photo_is_refused(scene: Scene) -> str:
    """One byte of the picture changed: the receipt says so."""
    changed = bytearray(scene.photo)
    changed[-1000] ^= 1
    answered(await scene.candidate.register_photo(bytes(changed)), 422, "photo_changed")
    return "photo_changed"


async def photo_is_registered(scene: Scene) -> str:
    """The photo is accepted, once, and kept byte for byte."""
    answered(await scene.candidate.register_photo(scene.photo), 201)
    answered(await scene.candidate.register_photo(scene.photo), 422, "receipt_used")
    kept = answered(await scene.candidate.get(f"{scene.page_url}/registration-photo"), 200).content
    see(kept == scene.photo, "it was changed on the way")
    return f"{len(kept):,} bytes, as checked"


async def staff_see_the_photo(scene: Scene) -> str:
    """The reviewer who holds the application sees the very photo."""
    shown = answered(await scene.staff.site.get(f"{scene.review_url}/registration-photo"), 200).content
    see(shown == scene.photo, "it is not the photo that was registered")
    return "beside the identity images"


async def staff_see_what_was_read(scene: Scene) -> str:
    """The number and the name on the card were read, and agree with the registration."""

    async def compared() -> dict[str, str] | None:
        detail = answered(await scene.staff.site.get(scene.review_url), 200).json()
        items = [item for section in detail["sections"] for item in section["items"] if item["item"] == "identity"]
        outcomes = {each["field"]: each["outcome"] for each in items[0]["compared"]}
        return outcomes if {"id_number", "name"} <= outcomes.keys() else None

    outcomes = await eventually(compared, "what was read from the identity card", within_s=READING_PATIENCE_S)
    see((outcomes["id_number"], outcomes["name"]) == ("match", "match"), f"compared: {outcomes}")
    return ", ".join(f"{field}: {outcome}" for field, outcome in sorted(outcomes.items()))


async def returned_image_is_refused(scene: Scene) -> str:
    """The very image that was returned is not taken again."""
    item, _ = scene.returned
    answered(await scene.upload(item, "diploma"), 422, "returned-image")
    return "the same bytes were refused"
