"""The frame of every service's HTTP side: problems, logs, metrics, traces, body limits, health."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.propagate import extract
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problems import broken, speak_problems
from shared.telemetry import metrics
from shared.telemetry.tracing import tracer

log = structlog.get_logger(__name__)

# Forms and JSON; images have a limit of their own, checked while they stream in.
LARGEST_BODY = 256 * 1024
_QUIET = frozenset({"/live", "/ready", "/metrics"})

Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else what is wrong."""


class RequestFrame:
    """Around every request: a span, a log line, a metric, and an answer even when the code breaks."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        answered = False

        async def watched(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], True
            await send(message)

        # The trace's id and nothing else: what a sender puts into baggage and tracestate would travel on to topics.
        carrier = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"}
        # Until the route is known the span has the method only: a raw path may hold anything.
        with (
            # A route binds the number once it knows that it is the asker's: until then it may be anything.
            structlog.contextvars.bound_contextvars(application_no=None),
            tracer.start_as_current_span(scope["method"], context=extract(carrier), kind=trace.SpanKind.SERVER) as span,
        ):
            try:
                await self._app(scope, receive, watched)
            except Exception as error:  # noqa: BLE001 the last place that can still answer
                response = broken(error)
                status = response.status_code
                if not answered:
                    await response(scope, receive, send)
            route = getattr(scope.get("route"), "path", "(none)")
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            seconds = time.perf_counter() - started
            metrics.REQUESTS.labels(self._service, scope["method"], route, str(status)).observe(seconds)
            log.info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
            )


class BodyLimit:
    """Refuses a body that is longer than anything we take, while it streams in."""

    def __init__(self, app: ASGIApp, largest: Callable[[Scope], int]) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest, taken = self._largest(scope), 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > largest:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self._app(scope, counted, send)


def make_app(
    service: str,
    description: str,
    *,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    live: Check,
    ready: Check,
    largest_body: Callable[[Scope], int] = lambda _scope: LARGEST_BODY,
) -> FastAPI:
    """A FastAPI app with the frame around it.

    Args:
        service: its name.
        description: for the OpenAPI document.
        lifespan: starts and stops what the service runs.
        live: says what is so wrong that the process should be started anew.
        ready: says what is missing before requests can be served.
        largest_body: bytes that a request may have, by its scope.
    """
    app = FastAPI(
        title=f"Baoshen {service}",
        description=description,
        version="1",
        lifespan=lifespan,
        docs_url=None,  # the page would load scripts from another origin
        redoc_url=None,
        # Its own spans hold raw addresses, its logs what exceptions quote; `RequestFrame` makes ours.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    speak_problems(app)
    app.add_middleware(BodyLimit, largest=largest_body)
    app.add_middleware(RequestFrame, service=service)

    @app.get("/live", include_in_schema=False)
    async def is_live() -> Response:
        return _health(await live())

    @app.get("/ready", include_in_schema=False)
    async def is_ready() -> Response:
        return _health(await ready())

    @app.get("/metrics", include_in_schema=False)
    async def read_metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def _health(wrong: str | None) -> Response:
    if wrong is None:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "wrong", "why": wrong}, HTTPStatus.SERVICE_UNAVAILABLE)
