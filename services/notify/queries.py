"""Reads for the inbox."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify import texts, wording
from services.notify.domain import About, Content
from services.notify.names import NAMED, NAMES, NAMES_OF_APPLICATION, names_from
from services.notify.texts import Bilingual, Names
from shared import clock
from shared.errors import Invalid

_NAMES = text(f"SELECT {NAMES} FROM applications a {NAMES_OF_APPLICATION} WHERE a.application_no = :no").columns(
    **dict.fromkeys(NAMED, JSONB)
)
_VISIBLE = "application_no = :no AND (hidden_until IS NULL OR hidden_until <= :now)"
_PAGE = text(
    f"""
    SELECT notice_id, about, round, at, content, read_at IS NOT NULL AS read FROM notices
    WHERE {_VISIBLE} AND (CAST(:at AS timestamptz) IS NULL OR (at, notice_id) < (:at, CAST(:id AS uuid)))
    ORDER BY at DESC, notice_id DESC LIMIT :limit
    """
).columns(content=JSONB)
# A badge says "99+" at most.
_UNREAD = text(
    f"SELECT count(*) FROM (SELECT 1 FROM notices WHERE {_VISIBLE} AND read_at IS NULL LIMIT 1000) AS unread"
)


@dataclass(frozen=True)
class Place:
    """Where a page of the inbox ended."""

    at: datetime
    notice_id: UUID

    def cursor(self) -> str:
        """The place as clients carry it."""
        return base64.urlsafe_b64encode(f"{self.at.isoformat()} {self.notice_id}".encode()).decode()

    @classmethod
    def of(cls, cursor: str) -> "Place":
        """The place that a cursor names.

        Raises:
            Invalid: it is not one of ours.
        """
        try:
            at, notice_id = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii").split(" ")
            place = cls(datetime.fromisoformat(at), UUID(notice_id))
        except (ValueError, binascii.Error):
            raise _unknown_cursor() from None
        # Times at the calendar's ends, or without a zone, are none that we gave out.
        if place.at.tzinfo is None or not 2000 <= place.at.year < 2200:
            raise _unknown_cursor()
        return place


def _unknown_cursor() -> Invalid:
    return Invalid(
        "cursor-unknown", "翻页参数无效，请从第一页开始。", "The cursor is not one of ours: start without one."
    )


@dataclass(frozen=True)
class InboxNotice:
    """A notice as the candidate reads it."""

    notice_id: UUID
    about: About
    title: Bilingual
    text: Bilingual
    at: datetime
    read: bool


@dataclass(frozen=True)
class Inbox:
    """One page of an inbox, newest first; `next` is where the following one begins."""

    items: list[InboxNotice]
    unread: int
    next: Place | None


async def inbox(session: AsyncSession, application_no: str, *, after: Place | None, limit: int) -> Inbox:
    """A page of what the candidate may see by now."""
    mine = {"no": application_no, "now": clock.now()}
    rows = (
        await session.execute(
            _PAGE,
            mine | {"at": after and after.at, "id": after and after.notice_id, "limit": limit + 1},
        )
    ).all()
    names = await _names(session, application_no) if rows else Names()
    items = []
    for row in rows[:limit]:
        content = Content.model_validate(row.content)
        items.append(
            InboxNotice(
                notice_id=row.notice_id,
                about=row.about,
                title=texts.title(row.about, content),
                text=wording.text(row.about, row.round, row.at, content, names),
                at=row.at,
                read=row.read,
            )
        )
    more = Place(items[-1].at, items[-1].notice_id) if len(rows) > limit else None
    return Inbox(items, int(await session.scalar(_UNREAD, mine) or 0), more)


async def _names(session: AsyncSession, application_no: str) -> Names:
    row = (await session.execute(_NAMES, {"no": application_no})).mappings().first()
    return names_from(row) if row is not None else Names()
