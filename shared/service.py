"""One process of a service: HTTP side, consumers, relay and chores, started in order, stopped without loss."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from aiokafka.errors import KafkaError
from alembic.script import ScriptDirectory
from fastapi import FastAPI
from faststream.kafka import KafkaBroker
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from shared import database
from shared.messaging import inbox
from shared.messaging.dead_letters import BodySealer, count_waiting
from shared.messaging.delivery import REPLAY_POLL_S
from shared.messaging.kafka import Router, make_broker
from shared.messaging.lag import LagReader
from shared.messaging.relay import Relay
from shared.settings import ServiceSettings
from shared.telemetry import logs, metrics, tracing
from shared.web import LARGEST_BODY, make_app

log = structlog.get_logger(__name__)

Chore = Callable[[], Awaitable[None]]
_SERVICES = Path(__file__).resolve().parent.parent / "services"
GAUGE_EVERY_S = 15.0
# Records wait and nothing was taken for so long: the consumer hangs, start the process anew.
HANGS_AFTER_S = 300.0


class Service:
    """Builds nothing that is the service's own: `main.py` hands everything in.

    Args:
        name: the service's.
        settings: its settings.
        database_url: its database.
        routers: what it hears; resources are provided by `main.py` before `app()` is called.
        description: for the OpenAPI document.
        sealer: seals dead letters' bodies.
        largest_body: bytes a request may have.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        database_url: str,
        *,
        routers: Sequence[Router],
        description: str,
        sealer: BodySealer,
        largest_body: Callable[[Scope], int] = lambda _scope: LARGEST_BODY,
    ) -> None:
        logs.configure(name, level=settings.log_level, console=settings.log_format == "console")
        tracing.start(name)
        self.name = name
        self.settings = settings
        self.relay = Relay(database_url, settings.kafka_bootstrap_servers, name)
        self.engine = database.make_engine(database_url)
        self.sessions = database.make_sessions(self.engine, source=f"baoshen/{name}", on_told=self.relay.wake)
        self.sealer = sealer
        self.routers = routers
        self._chores: list[tuple[Chore, float]] = []
        self._open: list[AbstractAsyncContextManager[Any]] = []
        self._before_stopping: list[Callable[[], None]] = []
        self._stopping = asyncio.Event()
        self._consuming = False
        self._broker: KafkaBroker | None = None
        self._lag: dict[int, int] = {}  # by router
        self.app = make_app(
            name,
            description,
            lifespan=self._lifespan,
            live=self._what_hangs,
            ready=self._what_is_missing,
            largest_body=largest_body,
        )

    def provide(self, **resources: object) -> None:
        """Give the handlers their resources."""
        for router in self.routers:
            router.provide(sessions=self.sessions, sealer=self.sealer, **resources)

    def opens(self, resource: AbstractAsyncContextManager[Any]) -> None:
        """Open before, and close after, everything else that runs."""
        self._open.append(resource)

    def before_stopping(self, call: Callable[[], None]) -> None:
        """Call when the process is told to stop, while requests are still under way: endless ones must end then."""
        self._before_stopping.append(call)

    def chore(self, work: Chore, *, every_s: float) -> None:
        """Do `work` again and again in the process that has the consumers' role; a failure is logged and passes."""
        self._chores.append((work, every_s))

    def run(self, port: int) -> None:
        """Serve until SIGTERM or SIGINT; requests and batches under way are finished."""
        server = self.server(port)
        with contextlib.suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            sys.exit(3)

    def server(self, port: int) -> uvicorn.Server:
        """What `run` runs."""
        config = uvicorn.Config(
            self.app,
            host=self.settings.host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            # With what follows it fits into the eight seconds that one waits before one kills.
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=16 * 1024,
            lifespan="on",
        )
        return _Server(config, self._before_stopping)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.engine.dispose)
            stack.callback(tracing.stop)
            for resource in self._open:
                await stack.enter_async_context(resource)
            # The relay stops last: what finishing work tells still goes out.
            if self.settings.has("relay"):
                stack.push_async_callback(self._stop_relay, asyncio.create_task(self.relay.run()))
            tasks = []
            if self.settings.has("consumers"):
                self._broker = broker = make_broker(self.settings.kafka_bootstrap_servers, self.name, self.routers)
                stack.push_async_callback(self._stop_consuming, broker)
                tasks = [
                    asyncio.create_task(self._consume(broker)),
                    asyncio.create_task(self._repeat(self._replay, REPLAY_POLL_S)),
                    asyncio.create_task(self._repeat(self._forget, 3600)),
                    asyncio.create_task(self._gauge()),
                    *(asyncio.create_task(self._repeat(work, every)) for work, every in self._chores),
                ]
            log.info("service.started", roles=self.settings.roles)
            try:
                yield
            finally:
                self._stopping.set()
                for router in self.routers:
                    router.delivery.stop()
                await _finish(tasks)
        log.info("service.stopped")

    async def _stop_relay(self, task: asyncio.Task[None]) -> None:
        self.relay.stop()
        await _finish([task])

    async def _stop_consuming(self, broker: KafkaBroker) -> None:
        # Waits for the batches under way; what was taken but not begun is read again by the next process.
        with contextlib.suppress(KafkaError, TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(broker.stop(), 20)

    async def _consume(self, broker: KafkaBroker) -> None:
        """Begin to hear, as soon as the broker is there."""
        pause = 0.2
        while not self._stopping.is_set():
            try:
                await broker.start()
            except Exception as error:  # noqa: BLE001 whatever it is, a service that never hears again is worse
                log.warning("consumers.wait", error=type(error).__name__, retry_in_s=pause)
                with contextlib.suppress(Exception):
                    await broker.stop()
                await self._rest(pause)
                pause = min(pause * 2, 5.0)
            else:
                self._consuming = True
                log.info("consumers.started", topics=[e.topic for r in self.routers for e in r.heard])
                return

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _repeat(self, work: Chore, every_s: float) -> None:
        while not self._stopping.is_set():
            try:
                await work()
            except Exception as error:  # noqa: BLE001 a chore comes round again
                log.warning("chore.failed", chore=getattr(work, "__name__", "?"), error=type(error).__name__)
            await self._rest(every_s)

    async def _replay(self) -> None:
        for router in self.routers:
            await router.delivery.replay_requested()

    async def _forget(self) -> None:
        while not self._stopping.is_set():
            async with self.sessions.begin() as session:
                if await inbox.forget_old(session) < 10_000:
                    return

    async def _gauge(self) -> None:
        while not self._stopping.is_set():
            try:
                async with LagReader(self.settings.kafka_bootstrap_servers) as reader:
                    while not self._stopping.is_set():
                        await self._read_gauges(reader)
                        await self._rest(GAUGE_EVERY_S)
            except Exception as error:  # noqa: BLE001 a gauge that stands still would say for ever what once was
                log.warning("gauges.unread", error=type(error).__name__)
                self._lag.clear()
                await self._rest(GAUGE_EVERY_S)

    async def _read_gauges(self, reader: LagReader) -> None:
        ages: dict[str, tuple[bool, float]] = {}
        for router, mine in zip(self.routers, self._assigned(), strict=True):
            behind: dict[str, int] = {}
            lags = await reader.read(router.group, [event.topic for event in router.heard])
            for lag in lags:
                behind[lag.topic] = behind.get(lag.topic, 0) + lag.behind
            for topic, count in behind.items():
                metrics.LAG.labels(router.group, topic).set(count)
            # What waits for another consumer of the group says nothing about this one.
            waits = self._lag[id(router)] = sum(lag.behind for lag in lags if (lag.topic, lag.partition) in mine)
            # Of two consumers of a group in this process the one that has work and does not take it counts.
            since = (waits > 0, time.monotonic() - router.delivery.last_batch_at)
            ages[router.group] = max(since, ages.get(router.group, since))
        for group, (_, age) in ages.items():
            metrics.LAST_POLL_AGE.labels(group).set(age)
        async with self.sessions() as session:
            waiting = await count_waiting(session)
        for router in self.routers:
            metrics.DEAD_WAITING.labels(router.group).set(waiting.get(router.group, 0))

    def _assigned(self) -> list[set[tuple[str, int]]]:
        """The partitions that each router's consumer hears, by topic and number."""
        # One subscriber for each router, in their order (`make_broker`).
        subscribers = list(self._broker.subscribers) if self._broker else []
        consumers = [getattr(each, "consumer", None) for each in subscribers]
        consumers += [None] * (len(self.routers) - len(consumers))
        return [
            {(at.topic, at.partition) for at in each.assignment()} if each is not None else set() for each in consumers
        ]

    async def _what_hangs(self) -> str | None:
        for router in self.routers:
            age = time.monotonic() - router.delivery.last_batch_at
            if self._lag.get(id(router), 0) > 0 and age > HANGS_AFTER_S:
                return f"{router.group} has records waiting and took none for {int(age)} s"
        return None

    async def _what_is_missing(self) -> str | None:
        if self.settings.has("consumers") and not self._consuming:
            return "the consumers have not started: Kafka does not answer"
        try:
            async with asyncio.timeout(3):
                async with self.engine.connect() as connection:
                    found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            return f"the database does not answer ({type(error).__name__}); has `baoshen migrate` been run?"
        wanted = ScriptDirectory(str(_SERVICES / self.name / "migrations")).get_current_head()
        return None if found == wanted else f"the database is at migration {found}, the code wants {wanted}"


class _Server(uvicorn.Server):
    """Says that it stops before it waits for the requests under way."""

    def __init__(self, config: uvicorn.Config, before_stopping: Sequence[Callable[[], None]]) -> None:
        super().__init__(config)
        self._before_stopping = before_stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for call in self._before_stopping:
            call()
        await super().shutdown(sockets)


async def _finish(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Let tasks come to their end, ten seconds at most."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=10)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
