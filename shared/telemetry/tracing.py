"""OpenTelemetry across HTTP and topics. Trace ids are always there (for logs); spans leave if there is an endpoint."""

import os
import re
from collections.abc import Sequence

from aiokafka import ConsumerRecord
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import TraceFlags

# Version 00 of W3C Trace Context; a later one would only add to its end.
_TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
# What a span keeps at most, by OpenTelemetry's own default.
MOST_LINKS = 128

tracer = trace.get_tracer("baoshen")
_recorded = False


def start(service: str) -> None:
    """Make spans; send them to `OTEL_EXPORTER_OTLP_ENDPOINT` if that is set (each export gives up after 5 s)."""
    global _recorded
    _recorded = wanted = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
    # Where nobody wants spans none is recorded: they are only ids then, for logs and for the next hop.
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"baoshen-{service}"}), sampler=ALWAYS_ON if wanted else ALWAYS_OFF
    )
    if wanted:
        # Only here: few want spans, and every process would read a tenth more for it.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=5)))
    trace.set_tracer_provider(provider)


def stop() -> None:
    """Send what is still waiting."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def causes_of(records: Sequence[ConsumerRecord]) -> tuple[Context | None, list[trace.Link]]:
    """What a batch's span hangs on: the one trace that told all its records, so that hops nest; else a link to each."""
    told_by = {value: None for record in records for name, value in record.headers if name == "traceparent" and value}
    one_trace = len({value[: len("00-") + 32] for value in told_by}) == 1
    if not one_trace and not _recorded:
        return None, []
    # Read by hand: the propagator takes 10 µs a record.
    spans = [span for span in map(_span_of, list(told_by)[:MOST_LINKS]) if span is not None]
    if one_trace and spans:
        return trace.set_span_in_context(trace.NonRecordingSpan(spans[0])), []
    return None, [trace.Link(span) for span in spans]


def _span_of(traceparent: bytes) -> trace.SpanContext | None:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    trace_id, span_id, flags = match.groups()
    span = trace.SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return span if span.is_valid else None
