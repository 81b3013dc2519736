"""What the routes stand on: who is asking, in which transaction, and whether it was asked before."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.accounts import member
from services.review.accounts.second_factor import SecondFactors
from services.review.domain import Role, Staff, no_such_application
from services.review.export_room import ExportRoom
from services.review.identity_provider import IdentityProvider
from services.review.lookup import Lookup
from services.review.packs import Shelf
from services.review.queries.progress import Boards
from services.review.use_cases import audit
from shared.contracts.event import ApplicationNo
from shared.contracts.review import Tier
from shared.database import Sessions
from shared.errors import Forbidden, NotFound
from shared.idempotency import Answer, fingerprint, once
from shared.security.attempts import Attempts
from shared.security.identity import IdentitySigner
from shared.security.sealing import KeyRing
from shared.security.sessions import SessionCookies, device_of
from shared.storage import Storage

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Edge:
    """Made once by `main.py`.

    Attributes:
        lease: how long a claim lasts without activity.
        undo: for how long an act may be undone, before it is told.
        publication_delay: from a publication to the moment its opinions show, where no other is asked for.
        shortest_publication_delay: the same, however soon it is asked for.
        boards: figures that were worked out a moment ago.
        exports: how many of them are under way.
    """

    sessions: Sessions
    storage: Storage
    cookies: SessionCookies
    signer: IdentitySigner
    key_ring: KeyRing
    lookup: Lookup
    attempts: Attempts
    second_factors: SecondFactors
    second_factor_required: bool
    provider: IdentityProvider | None
    shelf: Shelf
    lease: timedelta
    undo: timedelta
    publication_delay: timedelta
    shortest_publication_delay: timedelta
    # Logins that are being looked at count as failed meanwhile: with no more of them than this, a crowd that comes at
    # eight o'clock with right passwords is never refused.
    logins: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    boards: Boards = field(default_factory=Boards)
    exports: ExportRoom = field(default_factory=ExportRoom)

    @asynccontextmanager
    async def asked(self, request: Request) -> AsyncIterator[tuple[AsyncSession, Staff]]:
        """One transaction, and who is asking as the account says now. It commits before the answer leaves.

        What is refused to somebody is written down after it was rolled back.

        Raises:
            Forbidden: a write without the session's token, a closed account, or one that lacks its second factor.
            Unauthenticated: nobody is logged in.
        """
        asker: Staff | UUID | None = None
        try:
            async with self.sessions.begin() as session:
                logged_in = await self.cookies.find(session, request)
                asker = UUID(logged_in.subject)
                asker = await member(session, logged_in, required=self.second_factor_required)
                yield session, asker
        except (Forbidden, NotFound) as refusal:
            await self._write_down(request, asker, refusal)
            raise

    async def _write_down(self, request: Request, asker: Staff | UUID | None, refusal: Forbidden | NotFound) -> None:
        """A line about a refusal. Whatever becomes of it, the refusal is the answer."""
        route = request.scope.get("route")
        asked = audit.Asked(
            act=getattr(route, "name", "unknown"),
            route=f"{request.method} {getattr(route, 'path', 'unknown')}",
            application_no=request.path_params.get("application_no"),
        )
        try:
            async with self.sessions.begin() as session:
                await audit.refused(session, asker, asked, refusal)
        except Exception as error:  # noqa: BLE001 the one who asks must not learn of it
            log.error("audit.unwritten", error=type(error).__name__, code=refusal.code)  # noqa: TRY400 no values

    async def once(
        self,
        request: Request,
        key: str,
        body: BaseModel,
        work: Callable[[AsyncSession, Staff], Awaitable[BaseModel]],
        *,
        tier: Tier | None = None,
        roles: tuple[Role, ...] = (),
    ) -> JSONResponse:
        """An act of those who review: the same request again gets the saved answer.

        Args:
            request: the request.
            key: its Idempotency-Key.
            body: its body.
            work: what to do the first time; gives the answer.
            tier: whose act it is; looked at on every call, also on one that is repeated.
            roles: who of the tier may do it, where not all may; likewise.
        """
        async with self.asked(request) as (session, staff):
            staff.must_review()
            if tier is not None:
                staff.must_be_of(tier)
            if roles:
                staff.must_be_one_of(*roles)

            async def answer() -> Answer:
                return Answer(201, (await work(session, staff)).model_dump(mode="json"))

            saved = await once(session, f"staff:{staff.id}", key, fingerprint(request.url.path, body), answer)
        return saved.response()


async def _edge(request: Request) -> Edge:
    edge: Edge = request.app.state.edge
    # For the time of the request: each has a context of its own.
    audit.asked_from.set(audit.Asker(_address_of(request), device_of(request) or None))
    return edge


def _address_of(request: Request) -> str | None:
    """Where a request comes from, whole. The server takes X-Forwarded-For from the gateway only."""
    try:
        return str(ipaddress.ip_address(request.client.host)) if request.client else None
    except ValueError:
        return None


EdgeGiven = Annotated[Edge, Depends(_edge)]

_NUMBER = TypeAdapter[str](ApplicationNo)


async def _number(application_no: Annotated[str, Path()]) -> str:
    # What can't be a number is nobody's application either; it never reaches the database.
    try:
        return _NUMBER.validate_python(application_no)
    except ValidationError:
        raise no_such_application() from None


NumberGiven = Annotated[str, Depends(_number)]
