"""Traces across HTTP and topics, sent to a small real OTLP server."""

import gzip
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# A process of its own: a tracer provider can be set only once in a process.
PROGRAM = """
import asyncio
import httpx
from contextlib import asynccontextmanager
from aiokafka import ConsumerRecord
from shared.messaging.envelope import headers_of, wire_headers
from shared.telemetry import tracing
from shared.web import make_app
from tests.builders.events import a_return

tracing.start("upload")

@asynccontextmanager
async def lifespan(app):
    yield

async def well():
    return None

app = make_app("upload", "", lifespan=lifespan, live=well, ready=well)
told = []

@app.get("/applications/{application_no}")
async def page(application_no: str):
    event = a_return(application_no=application_no)
    told.append(ConsumerRecord(event.topic, 0, 0, 0, 0, event.key.encode(), b"", None, 0, 0,
                               tuple(wire_headers(headers_of(event, "test")))))
    return {}

async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        await client.get("/applications/2021110001",
                         params={"who": "999999199001011238"},
                         headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                  "baggage": "who=999999199001011238", "tracestate": "who=999999199001011238"})
    parent, links = tracing.causes_of(told)
    with tracing.tracer.start_as_current_span("hear review.feedback.v1", context=parent, links=links):
        pass

asyncio.run(main())
tracing.stop()
"""


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    spans: list[tuple[str, str]] = []  # noqa: RUF012 one server per test
    sent: list[bytes] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.sent.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += [(span.name, span.trace_id.hex()) for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    Collector.spans.clear()
    Collector.sent.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_request_and_what_hears_its_event_are_one_trace(endpoint: str) -> None:
    environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}

    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, timeout=60, check=False)

    assert done.returncode == 0
    assert {trace_id for _, trace_id in Collector.spans} == {"0af7651916cd43dd8448eb211c80319c"}
    assert {"GET /applications/{application_no}", "hear review.feedback.v1"} <= {name for name, _ in Collector.spans}


def test_a_span_names_the_route_and_never_the_address_or_what_was_asked(endpoint: str) -> None:
    environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}

    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, timeout=60, check=True)

    sent = b"".join(Collector.sent)
    assert b"/applications/{application_no}" in sent
    assert b"2021110001" not in sent
    assert b"999999199001011238" not in sent
