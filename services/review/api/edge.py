"""What the routes stand on: who is asking, in which transaction, and whether it was asked before."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.review.accounts import member
from services.review.domain import Staff, no_such_application
from services.review.packs import Shelf
from shared.contracts.event import ApplicationNo
from shared.contracts.review import Tier
from shared.database import Sessions
from shared.idempotency import Answer, fingerprint, once
from shared.security.identity import IdentitySigner
from shared.security.sealing import KeyRing
from shared.security.sessions import SessionCookies
from shared.storage import Storage


@dataclass(frozen=True)
class Edge:
    """Made once by `main.py`.

    Attributes:
        lease: how long a claim lasts without activity.
        publication_delay: from a publication to the moment its opinions show.
    """

    sessions: Sessions
    storage: Storage
    cookies: SessionCookies
    signer: IdentitySigner
    key_ring: KeyRing
    shelf: Shelf
    lease: timedelta
    publication_delay: timedelta

    @asynccontextmanager
    async def asked(self, request: Request) -> AsyncIterator[tuple[AsyncSession, Staff]]:
        """One transaction, and who is asking as the account says now. It commits before the answer leaves.

        Raises:
            Forbidden: a write without the session's token, or a closed account.
            Unauthenticated: nobody is logged in.
        """
        async with self.sessions.begin() as session:
            logged_in = await self.cookies.find(session, request)
            yield session, await member(session, logged_in.subject)

    async def once(
        self,
        request: Request,
        key: str,
        body: BaseModel,
        work: Callable[[AsyncSession, Staff], Awaitable[BaseModel]],
        *,
        tier: Tier | None = None,
    ) -> JSONResponse:
        """A POST: the same request again gets the saved answer.

        Args:
            request: the request.
            key: its Idempotency-Key.
            body: its body.
            work: what to do the first time; gives the answer.
            tier: whose act it is; looked at on every call, also on one that is repeated.
        """
        async with self.asked(request) as (session, staff):
            if tier is not None:
                staff.must_be_of(tier)

            async def answer() -> Answer:
                return Answer(201, (await work(session, staff)).model_dump(mode="json"))

            saved = await once(session, f"staff:{staff.id}", key, fingerprint(request.url.path, body), answer)
        return saved.response()


async def _edge(request: Request) -> Edge:
    edge: Edge = request.app.state.edge
    return edge


EdgeGiven = Annotated[Edge, Depends(_edge)]

_NUMBER = TypeAdapter[str](ApplicationNo)


async def _number(application_no: Annotated[str, Path()]) -> str:
    # What can't be a number is nobody's application either; it never reaches the database.
    try:
        return _NUMBER.validate_python(application_no)
    except ValidationError:
        raise no_such_application() from None


NumberGiven = Annotated[str, Depends(_number)]
