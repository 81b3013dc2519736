"""An export on its way to whoever asked for it: on record when it ends, and ended when nobody takes it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import anyio
import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from services.review.api.edge import Edge
from services.review.export_room import Permit
from services.review.exporting import MEDIA_TYPES, Format, Line
from services.review.queries.exports import too_many_for_xlsx
from services.review.queries.progress import BEIJING
from services.review.use_cases import exports
from shared import clock

log = structlog.get_logger(__name__)

# A block is some 64 KB: half a minute for one is slower than any line that people work on. Until then a reader that
# stopped keeps a connection to the database, and a place that others wait for.
STALLED_AFTER_S = 30.0


class Counted:
    """How many rows went by."""

    def __init__(self) -> None:
        self.rows = 0

    async def of(
        self, chunks: AsyncGenerator[Sequence[Line], None], most: int | None = None
    ) -> AsyncGenerator[Sequence[Line], None]:
        """The same chunks, counted; more than `most` rows are refused."""
        async with aclosing(chunks):
            async for chunk in chunks:
                self.rows += len(chunk)
                if most is not None and self.rows > most:
                    raise too_many_for_xlsx(most)
                yield chunk


class _Stalled(Exception):
    """Whoever downloads takes nothing any more. No OSError, which Starlette would take for a closed connection."""


class Download(StreamingResponse):
    """Closes what it reads from, gives its room back and goes on record, however it ends: Starlette leaves all three.

    Args:
        edge: what it stands on.
        export: that it was begun.
        permit: its room, which it gives back.
        called: the file's name without an ending, and its format.
        body: what is sent.
        counted: the rows that went into it.
    """

    def __init__(
        self,
        edge: Edge,
        export: exports.Export,
        permit: Permit,
        called: tuple[str, Format],
        body: AsyncGenerator[bytes, None],
        counted: Counted,
    ) -> None:
        name, form = called
        stamp = clock.now().astimezone(BEIJING).strftime("%Y%m%d-%H%M%S")
        headers = {
            "Content-Disposition": f'attachment; filename="{name}-{stamp}.{form}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        }
        self._edge, self._export, self._permit, self._counted = edge, export, permit, counted
        self._blocks = self._all_of(body)
        self._complete = False
        super().__init__(self._blocks, media_type=MEDIA_TYPES[form], headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(STALLED_AFTER_S):
                    await send(message)
            except TimeoutError:
                raise _Stalled from None

        try:
            await super().__call__(scope, receive, send_in_time)
        except _Stalled:
            # Left incomplete: the server closes the connection, so that nobody takes half a table for a whole one.
            log.info("export.stalled", after_s=STALLED_AFTER_S)
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await self._blocks.aclose()
                    await ended(self._edge, self._export, self._counted, complete=self._complete)
                finally:
                    self._permit.give_back()

    async def _all_of(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async with aclosing(body):
            async for block in body:
                yield block
        self._complete = True


async def ended(edge: Edge, export: exports.Export, counted: Counted, *, complete: bool) -> None:
    """Put on record how an export ended."""
    async with edge.sessions.begin() as session:
        await exports.end(session, export, counted.rows, complete=complete)
