"""Structured logs: JSON lines with application number, event id and trace id, and no personal data."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from opentelemetry import trace

MASK = "***"
# These fields never leave the process, whatever they hold.
SECRET_FIELDS = frozenset(
    {
        "name", "person", "candidate_name", "id_number", "id_no", "phone", "mobile", "password", "token", "cookie",
        "authorization", "csrf", "csrf_token", "secret", "sealed", "body", "words", "login",
    }
)  # fmt: skip
# Ours to read and never personal; an application number may look like a telephone number.
OPEN_FIELDS = frozenset({"application_no", "event_id", "trace_id", "timestamp", "event", "level", "parking_key"})
_ID_NUMBER = re.compile(r"(?<!\d)\d{6}(?:18|19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx](?![\dA-Za-z])")
_OLD_ID_NUMBER = re.compile(r"(?<!\d)[1-9]\d{5}\d{2}[01]\d[0-3]\d{4}(?!\d)")
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d{9}(?!\d)")
_TOKEN = re.compile(r"\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*|(?i:bearer\s+)[\w.~+/=-]{8,}")

Line = MutableMapping[str, Any]


def _clean(text: str) -> str:
    for pattern in (_TOKEN, _ID_NUMBER, _OLD_ID_NUMBER, _PHONE):
        text = pattern.sub(MASK, text)
    return text


def _masked(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict) and depth < 4:
        return {
            _clean(str(key)): MASK if str(key).lower() in SECRET_FIELDS else _masked(entry, depth + 1)
            for key, entry in value.items()
        }
    if isinstance(value, list | tuple | set) and depth < 4:
        return [_masked(entry, depth + 1) for entry in list(value)[:50]]
    if isinstance(value, int | float | bool) or value is None:
        return value if len(str(value)) < 11 else _clean(str(value))
    return _clean(str(value))


def mask_personal_data(_logger: object, _method: str, line: Line) -> Line:
    """Replace personal data by `***`: secret fields whole, ID numbers, phones and tokens wherever they stand."""
    for field, value in line.items():
        if field.lower() in SECRET_FIELDS:
            line[field] = MASK
        elif field not in OPEN_FIELDS:
            line[field] = _masked(value)
        elif field == "event":
            line[field] = _clean(str(value))
    return line


def add_ids(_logger: object, _method: str, line: Line) -> Line:
    """Every line has the three ids, null where there is none."""
    span = trace.get_current_span().get_span_context()
    line.setdefault("application_no", None)
    line.setdefault("event_id", None)
    line.setdefault("trace_id", format(span.trace_id, "032x") if span.is_valid else None)
    return line


def configure(service: str, *, level: str = "INFO", console: bool = False, stream: TextIO | None = None) -> None:
    """Log to standard output: JSON lines, or coloured text for a person (`console`). Libraries' logs too.

    Args:
        service: who logs; on every line.
        level: what is less than this is not written.
        console: for a person's eyes.
        stream: elsewhere, where standard output is the answer.
    """
    stream = stream or sys.stdout

    def add_service(_logger: object, _method: str, line: Line) -> Line:
        line["service"] = service
        return line

    renderer: Any = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        add_ids,
        structlog.processors.format_exc_info,
        mask_personal_data,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
