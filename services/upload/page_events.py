"""What open pages are told: one look into the database for all applications that are open in this process."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from uuid import UUID

import structlog
from sqlalchemy import text

from shared.database import Sessions
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

POLL_S = 0.2
CHECK_SESSIONS_S = 15.0
HEARTBEAT_S = 15.0
PER_SESSION = 4
MOST = 2000
# Who is further behind gets the newest only: the page reads itself anew anyway.
MOST_AT_ONCE = 20

# Rows are written under the application's lock, so that a higher `seq` never shows before a lower one.
_NEWS = text(
    """
    SELECT open.application_no, event.seq, event.kind
    FROM unnest(CAST(:numbers AS text[]), CAST(:after AS bigint[])) AS open(application_no, after)
    CROSS JOIN LATERAL (
        SELECT seq, kind FROM page_events
        WHERE application_no = open.application_no AND seq > open.after
        ORDER BY seq DESC LIMIT :most
    ) AS event
    ORDER BY open.application_no, event.seq
    """
)
_MISSED = text(
    """
    SELECT applications.page_seq, event.seq, event.kind
    FROM applications LEFT JOIN LATERAL (
        SELECT seq, kind FROM page_events
        WHERE application_no = applications.application_no AND seq > :after AND seq <= applications.page_seq
        ORDER BY seq DESC LIMIT :most
    ) AS event ON true
    WHERE applications.application_no = :no ORDER BY event.seq
    """
)

StillIn = Callable[[Collection[UUID]], Awaitable[set[UUID]]]
"""Which of these login sessions have not ended."""


@dataclass(frozen=True)
class PageEvent:
    """Something changed; the page reads itself anew."""

    seq: int
    kind: str


@dataclass(eq=False)
class Stream:
    """One open page.

    Attributes:
        at: the last seq that went out or waits here.
        ended: `session`: the login has ended, the page should not come back; `cut`: it may come back at once.
    """

    application_no: str
    session_id: UUID
    at: int
    ended: str | None = None
    _waiting: deque[PageEvent] = field(default_factory=lambda: deque(maxlen=MOST_AT_ONCE))
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, events: Sequence[PageEvent]) -> None:
        """Keep what is new; a client that does not read loses the oldest first."""
        fresh = [event for event in events if event.seq > self.at]
        if fresh:
            self._waiting.extend(fresh)
            self.at = fresh[-1].seq
            self._news.set()

    def end(self, why: str) -> None:
        """Let whoever waits go."""
        self.ended = self.ended or why
        self._news.set()

    async def next(self) -> PageEvent | None:
        """The next event; None: nothing for so long that a sign of life is due, or it has ended."""
        while not self._waiting and self.ended is None:
            self._news.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._news.wait()
            except TimeoutError:
                return None
        return self._waiting.popleft() if self._waiting else None


class PageEvents:
    """The streams of this process, and what feeds them. It looks only while somebody looks on.

    Args:
        sessions: upload's database.
        still_in: asked about the streams' login sessions, every 15 seconds.
    """

    def __init__(self, sessions: Sessions, still_in: StillIn) -> None:
        self._sessions = sessions
        self._still_in = still_in
        self._streams: set[Stream] = set()
        self._by_session: dict[UUID, list[Stream]] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def __aenter__(self) -> "PageEvents":
        self._stopping = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def stop(self) -> None:
        """The process is about to stop: let all go, so that they find another one."""
        self._stopping = True
        for stream in list(self._streams):
            stream.end("cut")

    async def open(self, application_no: str, session_id: UUID, after: int) -> Stream:
        """A stream from `after` on; close it.

        Raises:
            Unavailable: this process has as many as it can have, or stops.
        """
        if self._stopping or len(self._streams) >= MOST:
            raise _full()
        missed, newest = await self._missed(application_no, after)
        if self._stopping or len(self._streams) >= MOST:  # meanwhile
            raise _full()
        stream = Stream(application_no, session_id, min(after, newest))
        stream.take(missed)
        mine = self._by_session.setdefault(session_id, [])
        mine.append(stream)
        if len(mine) > PER_SESSION:
            mine[0].end("cut")
            self.close(mine[0])
        self._streams.add(stream)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._feed())
        return stream

    def close(self, stream: Stream) -> None:
        """Nobody reads it any more."""
        self._streams.discard(stream)
        mine = self._by_session.get(stream.session_id, [])
        if stream in mine:
            mine.remove(stream)
        if not mine:
            self._by_session.pop(stream.session_id, None)

    def __len__(self) -> int:
        return len(self._streams)

    async def _missed(self, application_no: str, after: int) -> tuple[list[PageEvent], int]:
        bound = {"no": application_no, "after": after, "most": MOST_AT_ONCE}
        async with self._sessions() as session:
            rows = (await session.execute(_MISSED, bound)).all()
        newest = rows[0].page_seq if rows else 0
        events = [PageEvent(row.seq, row.kind) for row in rows if row.seq is not None]
        if newest > after and (not events or events[0].seq != after + 1):
            # What is in between is gone, or more than anybody wants to hear.
            return [events[-1] if events else PageEvent(newest, "registration_changed")], newest
        return events, newest

    async def _feed(self) -> None:
        loop = asyncio.get_running_loop()
        next_check = loop.time() + CHECK_SESSIONS_S
        away = False
        while self._streams:
            try:
                if loop.time() >= next_check:
                    next_check = loop.time() + CHECK_SESSIONS_S
                    await self._check_sessions()
                await self._look()
                away = False
            except Exception as error:  # noqa: BLE001 the database comes back; until then the pages wait
                if not away:
                    log.warning("page_events.away", error=type(error).__name__)
                away = True
            await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        after: dict[str, int] = {}
        for stream in self._streams:
            after[stream.application_no] = min(stream.at, after.get(stream.application_no, stream.at))
        bound = {"numbers": list(after), "after": list(after.values()), "most": MOST_AT_ONCE}
        async with self._sessions() as session:
            rows = (await session.execute(_NEWS, bound)).all()
        if not rows:
            return
        news: dict[str, list[PageEvent]] = {}
        for row in rows:
            news.setdefault(row.application_no, []).append(PageEvent(row.seq, row.kind))
        for stream in self._streams:
            stream.take(news.get(stream.application_no, ()))

    async def _check_sessions(self) -> None:
        alive = await self._still_in({stream.session_id for stream in self._streams})
        for stream in list(self._streams):
            if stream.session_id not in alive:
                stream.end("session")


def _full() -> Unavailable:
    return Unavailable(
        "too-many-streams",
        "实时更新暂时繁忙，请稍后刷新页面。",
        "Too many pages are open on this server just now; the page still works when it is reloaded.",
        retry_after_s=10,
    )
