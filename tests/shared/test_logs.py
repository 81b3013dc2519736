"""What leaves in the log: the three ids on every line, and no personal data wherever it stands."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog
from opentelemetry import trace

from shared.telemetry import logs

NAME, ID_NUMBER, OLD_ID, PHONE = "张三丰", "110101199003071234", "110101900307123", "13812345678"
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIyMDIxMTEwMDAxIn0.c2lnbmF0dXJl"
BEARER = "s3cr3t-token-of-somebody"
CANARIES = (NAME, ID_NUMBER, OLD_ID, PHONE, TOKEN, BEARER)


class Output(io.StringIO):
    """What the process wrote to standard output."""

    def lines(self) -> list[dict]:
        written = self.getvalue()
        assert not any(canary in written for canary in CANARIES), written
        return [json.loads(line) for line in written.splitlines()]


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[Output]:
    """Log as a service does, into memory."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = Output()
    monkeypatch.setattr(sys, "stdout", written)
    logs.configure("upload", level="DEBUG")
    yield written
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def log() -> structlog.stdlib.BoundLogger:
    return structlog.get_logger("test")


def test_every_line_has_the_three_ids_even_where_there_are_none(out: Output) -> None:
    log().info("service.started")
    logging.getLogger("some.library").warning("careful")

    for line in out.lines():
        assert {"application_no", "event_id", "trace_id", "service", "level", "timestamp", "event"} <= set(line)
        assert (line["application_no"], line["event_id"], line["trace_id"]) == (None, None, None)
        assert line["service"] == "upload"


def test_the_ids_that_there_are_are_on_the_line_unmasked(out: Output) -> None:
    span = trace.NonRecordingSpan(trace.SpanContext(0xA1B2, 0xC3D4, is_remote=False))
    # It looks like a telephone number, and is none.
    with (
        structlog.contextvars.bound_contextvars(
            application_no="13800000001", event_id="5b7c2f8e-1111-4444-8888-139987654321"
        ),
        trace.use_span(span),
    ):
        log().info("image.stored", size=180_000)

    [line] = out.lines()
    assert line["application_no"] == "13800000001"
    assert line["event_id"] == "5b7c2f8e-1111-4444-8888-139987654321"
    assert line["trace_id"] == "0" * 28 + "a1b2"
    assert line["size"] == 180_000


SHAPES: dict[str, Callable[[str], object]] = {
    "alone": lambda canary: canary,
    "in a sentence": lambda canary: f"what about {canary}, please?",
    "in Chinese": lambda canary: f"号码：{canary}。",
    "in a URL": lambda canary: f"/x?q={canary}&y=1",
    "deep inside": lambda canary: {"deep": [{"deeper": (canary, canary)}]},
    "in a set": lambda canary: {canary},
    "in an error": ValueError,
    "as bytes": lambda canary: canary.encode(),
    "as a key": lambda canary: {canary: 1},
}


@pytest.mark.parametrize("canary", [ID_NUMBER, OLD_ID, PHONE, TOKEN, f"Bearer {BEARER}", f"bearer {BEARER}"])
@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_and_tokens_are_masked_wherever_they_stand(out: Output, canary: str, shape: str) -> None:
    log().info("x", detail=SHAPES[shape](canary))

    [line] = out.lines()
    assert logs.MASK in json.dumps(line["detail"], ensure_ascii=False)


@pytest.mark.parametrize("canary", [ID_NUMBER, PHONE, TOKEN])
def test_the_event_itself_is_masked_too(out: Output, canary: str) -> None:
    log().info(f"what about {canary}?")

    [line] = out.lines()
    assert line["event"] == f"what about {logs.MASK}?"


@pytest.mark.parametrize("number", [int(PHONE), int(ID_NUMBER)])
def test_numbers_are_masked_as_numbers_too(out: Output, number: int) -> None:
    log().info("x", detail=number, listed=[number])

    [line] = out.lines()
    assert (line["detail"], line["listed"]) == (logs.MASK, [logs.MASK])


@pytest.mark.parametrize(
    "field",
    ["name", "candidate_name", "id_number", "phone", "password", "token", "cookie", "authorization", "csrf_token",
     "sealed", "body", "words", "login", "Name", "PASSWORD"],
)  # fmt: skip
def test_secret_fields_are_masked_whatever_they_hold(out: Output, field: str) -> None:
    log().info("x", **{field: NAME}, detail={field: NAME, "deep": {field: [NAME]}})

    [line] = out.lines()
    assert line[field] == logs.MASK
    assert line["detail"] == {field: logs.MASK, "deep": {field: logs.MASK}}


def test_an_exception_is_logged_without_what_its_message_quotes(out: Output) -> None:
    try:
        raise ValueError(f"no such candidate: {ID_NUMBER}, {PHONE}")  # noqa: TRY301
    except ValueError:
        log().exception("chore.failed")

    [line] = out.lines()
    assert "ValueError" in line["exception"]


def test_what_libraries_log_is_masked_too(out: Output) -> None:
    logging.getLogger("asyncpg").error("parameters: %s %r", PHONE, {"id": ID_NUMBER})
    try:
        raise RuntimeError(ID_NUMBER)  # noqa: TRY301
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("broke on %s", PHONE)

    assert [line["level"] for line in out.lines()] == ["error", "error"]


def test_a_line_stays_one_line_whatever_is_in_it(out: Output) -> None:
    log().info("x", detail='a\r\n{"event": "forged"}\x1b[31m')

    [line] = out.lines()
    assert line["event"] == "x"


def test_figures_that_are_no_personal_data_stay_readable(out: Output) -> None:
    log().info("x", ms=12.5, size=204_800, offset=1_234_567_890, ok=True, sha256="1" * 64, at="2026-11-21T08:00:00Z")

    [line] = out.lines()
    assert (line["ms"], line["size"], line["offset"], line["ok"]) == (12.5, 204_800, 1_234_567_890, True)
    assert line["sha256"] == "1" * 64
    assert line["at"] == "2026-11-21T08:00:00Z"
