"""What stands beside an application's items: marks, notices, records of false material, and who did what when."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.domain import Staff
from services.review.queries.history import LINES, asked_for, page_of
from services.review.shapes import FalseMaterialShown, History, MarkShown, NoticeShown, WhyReplaced

# More than that nobody reads at once; of the lines, the rest is read page by page.
MOST = {"lines": 200, "returns": 200, "notices": 50, "records": 100}
# One statement for all of it: each is a handful of rows by the application's number, and a round trip costs more.
_BESIDE = """
    SELECT 'mark' AS part, to_jsonb(m) AS found FROM marks AS m WHERE m.application_no = :number AND m.tier = :tier
    UNION ALL (
        SELECT 'notice', to_jsonb(n) FROM notices AS n
        WHERE n.application_no = :number ORDER BY n.delivered_at DESC LIMIT :notices
    )
    UNION ALL (
        SELECT 'record', to_jsonb(f) || jsonb_build_object('by', s.display_name)
        FROM false_materials AS f JOIN staff AS s ON s.id = f.recorded_by
        WHERE f.application_no = :number AND (CAST(:with_opinions AS bool) OR f.tier = 'site')
        ORDER BY f.recorded_at LIMIT :records
    )
    UNION ALL (
{lines}    )
    UNION ALL (
        SELECT 'given_back', to_jsonb(h) FROM history AS h
        WHERE h.application_no = :number AND h.act IN ('returned', 'reopened', 'undone', 'act_void')
        ORDER BY h.id DESC LIMIT :returns
    )
"""
_ALL = text(_BESIDE.format(lines=LINES)).columns(part=Text, found=JSONB)


@dataclass(frozen=True)
class GivenBack:
    """What the candidate was told about an item in a round."""

    round: int
    why: WhyReplaced


@dataclass(frozen=True)
class Beside:
    """Of one application. `given_back` by item, oldest first; `notices` newest first."""

    marks: Mapping[str, MarkShown] = field(default_factory=dict)
    notices: list[NoticeShown] = field(default_factory=list)
    records: list[FalseMaterialShown] = field(default_factory=list)
    history: History = field(default_factory=lambda: History(items=[], next=None))
    given_back: Mapping[str, Sequence[GivenBack]] = field(default_factory=dict)


async def beside(session: AsyncSession, staff: Staff, application_no: str, *, with_opinions: bool) -> Beside:
    """All of it.

    Args:
        session: the transaction.
        staff: whose tier's marks.
        application_no: which application; this person may see it.
        with_opinions: whether this person may know what the region decided, or would decide.
    """
    lines = asked_for(application_no, with_opinions=with_opinions, limit=MOST["lines"])
    parts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in await session.execute(_ALL, {**MOST, **lines, "tier": staff.tier}):
        parts[row.part].append(row.found)
    return Beside(
        marks={each["item"]: _mark(each) for each in parts["mark"]},
        notices=sorted(map(_notice, parts["notice"]), key=lambda each: each.at, reverse=True),
        records=sorted(map(_record, parts["record"]), key=lambda each: each.at),
        history=page_of(parts["line"], MOST["lines"]),
        given_back=_given_back(sorted(parts["given_back"], key=lambda each: each["id"])),
    )


def _given_back(lines: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[GivenBack]]:
    taken_back = {each["detail"].get("act_id") for each in lines if each["act"] in ("undone", "act_void")} - {None}
    by_item: defaultdict[str, list[GivenBack]] = defaultdict(list)
    for each in lines:
        if each["detail"].get("act_id") in taken_back:
            continue
        tier: Literal["site", "region", "system"] = each["tier"] or "system"
        for item in each["detail"].get("items", ()):
            why = WhyReplaced(tier=tier, words=item.get("words", ""), at=_time(each["at"]))
            by_item[item["item"]].append(GivenBack(each["round"], why))
    return by_item


def _mark(found: Mapping[str, Any]) -> MarkShown:
    return MarkShown(
        mark=found["mark"],
        reason_code=found["reason_code"],
        words=found["words"],
        image_ids=found["image_ids"],
        same_images_allowed=found["same_images_allowed"],
    )


def _notice(found: Mapping[str, Any]) -> NoticeShown:
    return NoticeShown(
        at=_time(found["delivered_at"]),
        about=found["about"],
        channel=found["channel"],
        outcome=found["outcome"],
        round=found["round"],
    )


def _record(found: Mapping[str, Any]) -> FalseMaterialShown:
    return FalseMaterialShown(
        record_id=found["record_id"],
        item=found["item"],
        image_ids=found["image_ids"],
        words=found["words"],
        tier=found["tier"],
        by=found["by"],
        at=_time(found["recorded_at"]),
    )


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written)
