"""Feedback and timeline, newest first."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.upload import tables
from services.upload.checklist import Checklist, text_of
from services.upload.domain import Application
from services.upload.queries.times import iso
from services.upload.rows import parsed

_TIMELINE_WORDS = {
    "registered": ("报名信息已同步", "Registration received"),
    "submitted": ("上报完成，内容已锁定", "Submitted; everything is locked"),
    "resubmitted": ("修改后再次提交，内容已锁定", "Submitted again; everything is locked"),
    "returned": ("审核退回，请按反馈修改", "Returned: see the feedback"),
    "reopened": ("图片未通过检查，请更换后再次提交", "An image failed its check: replace it and submit again"),
    "published": ("终审意见已公布", "The final opinion is published"),
    "withdrawn": ("报名已撤回，截止前可重新提交", "Withdrawn; it may be submitted again until the deadline"),
    "lapsed": ("未在截止时间前提交，报名已失效", "Not submitted in time: the application has lapsed"),
    "deadline_near": ("提交截止时间临近", "The deadline for submitting is near"),
    "registration_changed": ("报名信息有变更，材料清单已重新核定", "Your registration changed; the checklist follows"),
    "change_too_late": (
        "报名信息有变更，但已过变更时间，已提交的内容不变",
        "Your registration changed too late: what you submitted stays as it is",
    ),
    "rules_changed": ("考区调整了材料要求", "The region changed its rules"),
    "phone_changed": ("联系电话已更换", "Your phone number was changed"),
    "photo_registered": ("报名照片已登记", "Your registration photo was accepted"),
}


async def feedback(session: AsyncSession, of: Application, checklist: Checklist, now: datetime) -> list[dict[str, Any]]:
    """Every return, with what of it can still be changed."""
    rows = await session.execute(
        select(tables.feedback)
        .where(tables.feedback.c.application_no == of.application_no)
        .order_by(tables.feedback.c.at.desc())
        .limit(100)
    )
    items = checklist.items
    return [
        {
            "feedback_id": str(row.feedback_id),
            "at": iso(row.at),
            "round": row.round,
            "tier": row.tier,
            "items": [
                {
                    "item": item["item"],
                    "title": text_of(items[item["item"]].rule.title)
                    if item["item"] in items
                    else {"zh": item["item"], "en": item["item"]},
                    "reason_code": item["reason_code"],
                    "words": item["words"],
                    "image_ids": item["image_ids"],
                    "open": of.may_change(item["item"], checklist, now),
                }
                for item in parsed(row.items)
            ],
        }
        for row in rows
    ]


async def timeline(session: AsyncSession, application_no: str, now: datetime) -> list[dict[str, Any]]:
    """What happened, in words."""
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
            "at": iso(row.at),
            "kind": row.kind,
            "text": dict(zip(("zh", "en"), _TIMELINE_WORDS[row.kind], strict=True)),
            "details": parsed(row.details),
        }
        for row in rows
    ]
