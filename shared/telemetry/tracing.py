"""OpenTelemetry across HTTP and topics. Trace ids are always there (for logs); spans leave if there is an endpoint."""

import os
from collections.abc import Sequence

from aiokafka import ConsumerRecord
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from shared.messaging.envelope import text_headers

tracer = trace.get_tracer("baoshen")


def start(service: str) -> None:
    """Make spans; send them to `OTEL_EXPORTER_OTLP_ENDPOINT` if that is set (each export gives up after 5 s)."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"baoshen-{service}"}))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=5)))
    trace.set_tracer_provider(provider)


def stop() -> None:
    """Send what is still waiting."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def causes_of(records: Sequence[ConsumerRecord]) -> tuple[Context | None, list[trace.Link]]:
    """What a batch's span hangs on: the one trace that told all its records, so that hops nest; else a link to each."""
    contexts = []
    for record in records:
        if any(name == "traceparent" for name, _ in record.headers):
            context = extract(text_headers(record.headers))
            contexts.append((context, trace.get_current_span(context).get_span_context()))
    traces = {span.trace_id for _, span in contexts}
    if len(traces) == 1:
        return contexts[0][0], []
    return None, [trace.Link(span) for _, span in contexts if span.is_valid]
