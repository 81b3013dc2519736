"""The candidate's inbox over HTTP. The gateway has asked upload who is asking; its signed answer is checked here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, ConfigDict

from services.notify import queries, use_cases
from services.notify.domain import About
from services.notify.queries import Place
from shared.database import Sessions
from shared.errors import Forbidden
from shared.problems import described
from shared.security.identity import HEADER, IdentityChecker

router = APIRouter(tags=["inbox"], responses=described(401, 403, 404, 422, 503))


@dataclass(frozen=True)
class Edge:
    """What the routes need; `main.py` puts it on the app."""

    sessions: Sessions
    identities: IdentityChecker


class Text(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(from_attributes=True)

    zh: str
    en: str


class NoticeOut(BaseModel):
    """One notice."""

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    about: About
    title: Text
    text: Text
    at: datetime
    read: bool


class InboxOut(BaseModel):
    """A page of notices, newest first; `next` is null on the last one."""

    items: list[NoticeOut]
    unread: int
    next: str | None


def _edge(request: Request) -> Edge:
    edge: Edge = request.app.state.edge
    return edge


TheEdge = Annotated[Edge, Depends(_edge)]


async def _application_no(edge: TheEdge, identity: Annotated[str | None, Header(alias=HEADER)] = None) -> str:
    who = edge.identities.check(identity)
    if who.kind != "candidate":
        raise Forbidden("candidates-only", "只有考生有收件箱。", "Only candidates have an inbox.")
    structlog.contextvars.bind_contextvars(application_no=who.subject)
    return who.subject


MyApplicationNo = Annotated[str, Depends(_application_no)]


@router.get("/inbox")
async def read_inbox(
    application_no: MyApplicationNo,
    edge: TheEdge,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
) -> InboxOut:
    """The candidate's notices, newest first."""
    after = Place.of(cursor) if cursor else None
    async with edge.sessions() as session:
        page = await queries.inbox(session, application_no, after=after, limit=limit)
    return InboxOut(
        items=[NoticeOut.model_validate(each) for each in page.items],
        unread=page.unread,
        next=page.next.cursor() if page.next else None,
    )


@router.put("/inbox/{notice_id}/read", status_code=204)
async def read_notice(notice_id: UUID, application_no: MyApplicationNo, edge: TheEdge) -> None:
    """The candidate has read a notice; again changes nothing."""
    async with edge.sessions.begin() as session:
        await use_cases.read_notice(session, application_no, notice_id)
