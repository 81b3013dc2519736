"""What the candidate's page reads."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.checklist import Checklist, ListedItem, text_of
from services.upload.domain import Application, Image, State
from services.upload.packs import Shelf
from services.upload.rows import application, images_of
from shared import clock
from shared.contracts.event import Person, Sealed
from shared.contracts.findings import words_for
from shared.contracts.rules import Site
from shared.security.masking import mask_id_number, mask_phone
from shared.security.sealing import KeyDestroyed, KeyRing

_TIMELINE_WORDS = {
    "registered": ("报名信息已同步", "Registration received"),
    "submitted": ("上报完成，内容已锁定", "Submitted; everything is locked"),
    "resubmitted": ("修改后再次提交，内容已锁定", "Submitted again; everything is locked"),
    "returned": ("审核退回，请按反馈修改", "Returned: see the feedback"),
    "reopened": ("图片未通过检查，请更换后再次提交", "An image failed its check: replace it and submit again"),
    "published": ("终审意见已公布", "The final opinion is published"),
}


async def page(session: AsyncSession, shelf: Shelf, keys: KeyRing, application_no: str) -> dict[str, Any]:
    """Everything that the candidate's page shows of one application."""
    of = await application(session, application_no)
    checklist = await shelf.checklist_for(session, of)
    images = await images_of(session, application_no)
    findings = await _findings(session, application_no)
    missing = of.missing(checklist, images)
    now = clock.now()
    return {
        "application_no": of.application_no,
        "exam": text_of(checklist.pack.exam),
        "region": {"code": of.region, "name": text_of(checklist.pack.region.name)},
        "site": {"code": of.site, "name": _site_name(checklist, of.site)},
        "year": of.year,
        "pack": {"id": checklist.pack.id, "version": checklist.pack.version},
        "candidate": _candidate(keys, of),
        "facts": of.facts,
        "state": "published" if of.opinion_at(now) else of.state.value,
        "round": of.round,
        "revision": of.revision,
        "locked": of.locked,
        "uploads": True,
        "submitted_at": _iso(of.submitted_at),
        "can_submit": of.state is not State.SUBMITTED and not missing,
        "missing": [
            {
                "item": each.item,
                "title": text_of(checklist.items[each.item].rule.title),
                "problem": each.problem,
                "need": each.need,
            }
            for each in (missing if of.state is not State.SUBMITTED else ())
        ],
        "sections": [
            {
                "title": text_of(section.title),
                "items": [_item(of, listed, images, findings) for listed in items],
            }
            for section, items in checklist.sections
        ],
        "feedback": await _feedback(session, of, checklist),
        "timeline": await _timeline(session, of.application_no, now),
        "opinion": _opinion(of, now),
    }


def _item(
    of: Application, listed: ListedItem, images: Sequence[Image], findings: Mapping[Any, list[dict[str, Any]]]
) -> dict[str, Any]:
    return {
        "item": listed.code,
        "title": text_of(listed.rule.title),
        "instruction": text_of(listed.rule.instruction),
        "channel": listed.rule.channel,
        "required": listed.required or listed.code in of.asked_items,
        "offered": listed.offered or listed.code in of.asked_items,
        "asked_for": listed.code in of.asked_items and not listed.required,
        "reason": text_of(listed.rule.reason) if listed.required else None,
        "min": listed.rule.min,
        "max": listed.rule.max,
        "locked": not of.is_open(listed.code),
        "images": [
            {
                "image_id": str(image.image_id),
                "status": image.status,
                "size": image.size,
                "content_type": image.content_type,
                "uploaded_at": _iso(image.uploaded_at),
                "findings": findings.get(image.image_id, []),
                "url": image_url(of.application_no, listed.code, image.image_id),
            }
            for image in images
            if image.item == listed.code
        ],
    }


def image_url(application_no: str, item: str, image_id: object) -> str:
    """Where the image is read, below the public origin."""
    return f"/applications/{application_no}/items/{item}/images/{image_id}"


async def _findings(session: AsyncSession, application_no: str) -> dict[Any, list[dict[str, Any]]]:
    rows = await session.execute(
        select(tables.images.c.image_id, tables.images.c.findings)
        .where(tables.images.c.application_no == application_no, tables.images.c.removed_at.is_(None))
        .limit(1000)
    )
    return {
        image_id: [finding | {"words": text_of(words_for(finding["code"]))} for finding in _parsed(findings)]
        for image_id, findings in rows
    }


async def _feedback(session: AsyncSession, of: Application, checklist: Checklist) -> list[dict[str, Any]]:
    rows = await session.execute(
        select(tables.feedback)
        .where(tables.feedback.c.application_no == of.application_no)
        .order_by(tables.feedback.c.at.desc())
        .limit(100)
    )
    return [
        {
            "feedback_id": str(row.feedback_id),
            "at": _iso(row.at),
            "round": row.round,
            "tier": row.tier,
            "items": [
                {
                    "item": item["item"],
                    "title": text_of(checklist.items[item["item"]].rule.title)
                    if item["item"] in checklist.items
                    else {"zh": item["item"], "en": item["item"]},
                    "reason_code": item["reason_code"],
                    "words": item["words"],
                    "image_ids": item["image_ids"],
                    "open": of.is_open(item["item"]),
                }
                for item in _parsed(row.items)
            ],
        }
        for row in rows
    ]


async def _timeline(session: AsyncSession, application_no: str, now: datetime) -> list[dict[str, Any]]:
    rows = await session.execute(
        select(tables.timeline)
        # A publication that is not effective yet must not show, not even as a line.
        .where(tables.timeline.c.application_no == application_no, tables.timeline.c.at <= now)
        .order_by(tables.timeline.c.seq.desc())
        .limit(200)
    )
    return [
        {
            "seq": row.seq,
            "at": _iso(row.at),
            "kind": row.kind,
            "text": dict(zip(("zh", "en"), _TIMELINE_WORDS[row.kind], strict=True)),
        }
        for row in rows
    ]


def _opinion(of: Application, now: datetime) -> dict[str, Any] | None:
    opinion = of.opinion_at(now)
    return None if opinion is None else {"opinion": opinion, "words": of.opinion_words, "at": _iso(of.effective_at)}


def _candidate(keys: KeyRing, of: Application) -> dict[str, str | None]:
    try:
        person: Person | None = keys.open(Sealed.model_validate(of.sealed))
    except KeyDestroyed:
        person = None
    return {
        "name": person.name if person else None,
        "id_number_masked": mask_id_number(person.id_number) if person else None,
        "phone_masked": mask_phone(person.phone) if person else None,
    }


def _site_name(checklist: Checklist, code: str) -> dict[str, str] | None:
    found: Site | None = next((site for site in checklist.pack.sites if site.code == code), None)
    return text_of(found.name) if found else {"zh": code, "en": code}


def _parsed(value: object) -> list[dict[str, Any]]:
    parsed: list[dict[str, Any]] = json.loads(value) if isinstance(value, str) else value  # type: ignore[assignment]
    return parsed


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
