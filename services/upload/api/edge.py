"""What the routes work with, and whose request it is."""

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends, Path, Request

from services.upload.accounts import Accounts
from services.upload.arriving import Arriving
from services.upload.captchas import Captchas
from services.upload.contacts import Contacts
from services.upload.packs import Shelf
from services.upload.page_events import PageEvents
from services.upload.rows import no_such_application
from shared.contracts.event import ApplicationNo
from shared.database import Sessions
from shared.errors import NotFound
from shared.security.attempts import Attempts
from shared.security.identity import IdentitySigner
from shared.security.photo_keys import PublicKeys
from shared.security.sessions import LoggedIn, SessionCookies
from shared.storage import Storage


@dataclass(frozen=True)
class Edge:
    """Built once by `main.py`; the routes find it on the app.

    Attributes:
        photo_keys: whose receipts are trusted; None: registration photos can't be taken.
    """

    sessions: Sessions
    storage: Storage
    shelf: Shelf
    contacts: Contacts
    cookies: SessionCookies
    accounts: Accounts
    attempts: Attempts
    captchas: Captchas
    page_events: PageEvents
    signer: IdentitySigner
    captchas_per_minute: int
    photo_keys: PublicKeys | None
    arriving: Arriving


def _edge(request: Request) -> Edge:
    edge: Edge = request.app.state.edge
    return edge


AtEdge = Annotated[Edge, Depends(_edge)]


async def _logged_in(request: Request, edge: AtEdge) -> LoggedIn:
    async with edge.sessions.begin() as session:
        return await edge.cookies.find(session, request)


Candidate = Annotated[LoggedIn, Depends(_logged_in)]


async def _own_application(candidate: Candidate, application_no: Annotated[str, Path(max_length=64)]) -> str:
    # Another candidate's application does not exist, whatever its state.
    if candidate.subject != application_no:
        raise no_such_application()
    structlog.contextvars.bind_contextvars(application_no=application_no)
    return application_no


OwnApplication = Annotated[ApplicationNo, Depends(_own_application)]


def no_such_image() -> NotFound:
    """An image that is not there for this candidate."""
    return NotFound("image-not-found", "没有找到这张图片，请刷新页面。", "There is no such image. Reload the page.")
