"""The live page: server-sent events that resume where they were cut off."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.upload.api.edge import AtEdge, Candidate, OwnApplication
from services.upload.page_events import PageEvents, Stream
from shared.problems import described

router = APIRouter(
    prefix="/applications/{application_no}", tags=["application"], responses=described(401, 404, 422, 503)
)

# A browser that lost the stream comes back after so many milliseconds.
_RETRY = "retry: 3000\n\n"
_ALIVE = ": alive\n\n"
_HIGHEST = 2**62


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def listen(
    application_no: OwnApplication,
    candidate: Candidate,
    edge: AtEdge,
    after: Annotated[int, Query(ge=0, le=_HIGHEST, description="The page's `seq`.")] = 0,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> StreamingResponse:
    """Told when the page has changed: read it again. `Last-Event-ID` wins over `after`.

    `event: end` says that the login session has ended, so that coming back is of no use.
    """
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        after = min(int(last_event_id), _HIGHEST)
    stream = await edge.page_events.open(application_no, candidate.session_id, after)
    return _EventStream(edge.page_events, stream)


class _EventStream(StreamingResponse):
    """Closes its stream also when the client went before the first line."""

    def __init__(self, page_events: PageEvents, stream: Stream) -> None:
        super().__init__(
            _lines(stream),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._page_events = page_events
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._page_events.close(self._stream)


async def _lines(stream: Stream) -> AsyncIterator[str]:
    yield _RETRY
    while True:
        event = await stream.next()
        if event is not None:
            yield f"id: {event.seq}\nevent: page\ndata: {json.dumps({'seq': event.seq, 'kind': event.kind})}\n\n"
        elif stream.ended is None:
            yield _ALIVE
        else:
            break
    if stream.ended == "session":
        yield "event: end\ndata: {}\n\n"
