"""The checklist as the page shows it: sections, items, images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.checklist import Checklist, ListedItem, text_of
from services.upload.domain import Application, Image, ImageStatus, only_quality, takes_images
from services.upload.packs import Shelf
from services.upload.queries.times import iso
from services.upload.rows import parsed
from shared.contracts.findings import words_for
from shared.contracts.rules import ItemRule

_RETIRED = {"zh": "不再需要的材料", "en": "No longer asked for"}
_WHAT_TO_DO = {
    "zh": "材料清单已调整，该项不再收取；已上传的图片仍为您保留，不随报名提交，可自行删除。",
    "en": "The checklist has changed: this is not taken any more. Your images are kept, but not handed in; "
    "you may remove them.",
}


@dataclass(frozen=True)
class Shown:
    """What the items of one page are made from."""

    of: Application
    checklist: Checklist
    images: Sequence[Image]
    findings: Mapping[UUID, list[dict[str, Any]]]
    now: datetime

    def images_of(self, item: str) -> list[Image]:
        """An item's images, oldest first."""
        return [image for image in self.images if image.item == item]


def image_url(application_no: str, item: str, image_id: object) -> str:
    """Where the image is read, below the public origin."""
    return f"/applications/{application_no}/items/{item}/images/{image_id}"


async def findings_of(session: AsyncSession, application_no: str) -> dict[UUID, list[dict[str, Any]]]:
    """What the checks found, by image."""
    rows = await session.execute(
        select(tables.images.c.image_id, tables.images.c.findings)
        .where(tables.images.c.application_no == application_no, tables.images.c.removed_at.is_(None))
        .limit(1000)
    )
    return {image_id: parsed(findings) for image_id, findings in rows}


async def sections(session: AsyncSession, shelf: Shelf, shown: Shown) -> list[dict[str, Any]]:
    """Every section with its items; last, what is no longer on the checklist but has images."""
    listed = [
        {"title": text_of(section.title), "items": [_item(shown, item) for item in items]}
        for section, items in shown.checklist.sections
    ]
    gone = list(dict.fromkeys(i.item for i in shown.images if i.item not in shown.checklist.items))
    if gone:
        rules = await _rules_of_old(session, shelf, shown, gone)
        listed.append({"title": _RETIRED, "items": [_retired(shown, code, rules.get(code)) for code in gone]})
    return listed


async def _rules_of_old(session: AsyncSession, shelf: Shelf, shown: Shown, codes: Sequence[str]) -> dict[str, ItemRule]:
    """The items as the newest older version had them."""
    found: dict[str, ItemRule] = {}
    pack_id = shown.of.pack_id
    for version in reversed((await shelf.versions(session)).get(pack_id, [])):
        wanted = [code for code in codes if code not in found]
        if not wanted:
            break
        pack = (await shelf.rules(session, pack_id, version)).pack
        found |= {code: pack.items[code] for code in wanted if code in pack.items}
    return found


def _item(shown: Shown, listed: ListedItem) -> dict[str, Any]:
    of, code = shown.of, listed.code
    # Without uploads nothing is asked for, whoever asked.
    asked = code in of.asked_items and shown.checklist.uploads
    open_now = of.may_change(code, shown.checklist, shown.now)
    images = shown.images_of(code)
    return {
        "item": code,
        "title": text_of(listed.rule.title),
        "instruction": text_of(listed.rule.instruction),
        "channel": listed.rule.channel,
        "required": listed.required or asked,
        "offered": listed.offered or asked,
        "asked_for": asked and not listed.required,
        "reason": text_of(listed.reason) if listed.required else None,
        "min": listed.min,
        "max": listed.max,
        "example": None if listed.rule.example is None else f"/examples/{listed.rule.example}.jpg",
        "locked": not open_now,
        "retired": bool(images) and not takes_images(code, shown.checklist),
        "images": [_image(shown, image, may_change=open_now) for image in images],
    }


def _retired(shown: Shown, code: str, rule: ItemRule | None) -> dict[str, Any]:
    images = shown.images_of(code)
    refusal = shown.of.closed(shown.checklist, shown.now)
    return {
        "item": code,
        "title": text_of(rule.title) if rule is not None else {"zh": code, "en": code},
        "instruction": _WHAT_TO_DO,
        "channel": "upload",
        "required": False,
        "offered": False,
        "asked_for": False,
        "reason": None,
        "min": 1,
        "max": len(images),
        "example": None,
        "locked": refusal is not None or not shown.of.is_open(code),
        "retired": True,
        "images": [_image(shown, image, may_change=False) for image in images],
    }


def _image(shown: Shown, image: Image, *, may_change: bool) -> dict[str, Any]:
    findings = shown.findings.get(image.image_id, [])
    return {
        "image_id": str(image.image_id),
        "status": image.status,
        "may_confirm": may_change and image.status == ImageStatus.REJECTED and only_quality(findings),
        "size": image.size,
        "content_type": image.content_type,
        "uploaded_at": iso(image.uploaded_at),
        "findings": [finding | {"words": text_of(words_for(finding["code"]))} for finding in findings],
        "url": image_url(shown.of.application_no, image.item, image.image_id),
    }
