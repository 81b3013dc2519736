"""Events on the wire: CloudEvents for others, and nothing raised whatever arrives."""

import json
import random
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent

from shared.contracts import EVENTS
from shared.contracts.upload import MaterialUploaded
from shared.messaging.envelope import Received, Undecodable, body_of, decode, headers_of, wire_headers
from tests.harness import raw_record, record_of


def an_upload(**changed: object) -> MaterialUploaded:
    facts = {
        "application_no": "2021110001",
        "region": "15",
        "item": "diploma",
        "image_id": uuid4(),
        "object_key": "15/2021/x",
        "sha256": "0" * 64,
        "size": 1000,
        "content_type": "image/jpeg",
    }
    return MaterialUploaded.model_validate(facts | changed)


def a_record(event: MaterialUploaded, value: bytes | None = None, **changed: bytes | None):
    headers = dict(wire_headers(headers_of(event, "baoshen/upload"))) | changed
    pairs = tuple((name, header) for name, header in headers.items() if header is not None)
    return raw_record(event.topic, event.key.encode(), body_of(event) if value is None else value, pairs)


def test_the_official_sdk_reads_what_we_tell() -> None:
    event = an_upload()

    read = from_binary_event(
        KafkaMessage(dict(wire_headers(headers_of(event, "baoshen/upload"))), event.key.encode(), body_of(event))
    )

    assert read.get_specversion() == "1.0"
    assert read.get_id() == str(event.event_id)
    assert read.get_type() == "material.uploaded.v1"
    assert read.get_source() == "baoshen/upload"
    assert read.get_subject() == "2021110001"
    assert read.get_time() == event.occurred_at
    assert read.get_datacontenttype() == "application/json"
    assert MaterialUploaded.model_validate(read.get_data()).image_id == event.image_id


@pytest.mark.parametrize("kind", EVENTS)
def test_the_type_is_the_topic_and_the_topic_has_a_version(kind: type) -> None:
    assert kind.topic.rsplit(".", 1)[-1].startswith("v")
    assert kind.topic.count(".") == 2


def test_we_read_what_the_official_sdk_tells() -> None:
    upload = an_upload()
    told = to_binary_event(
        CloudEvent(
            {
                "id": str(uuid4()),
                "type": MaterialUploaded.topic,
                "source": "somebody/else",
                "specversion": "1.0",
                "time": datetime(2026, 11, 21, 8, 0, tzinfo=timezone(timedelta(hours=8))),
                "datacontenttype": "application/json",
            },
            upload.model_dump(mode="json"),
        )
    )

    read = decode(
        raw_record(MaterialUploaded.topic, upload.key.encode(), told.value, tuple(told.headers.items())),
        MaterialUploaded,
    )

    assert isinstance(read, Received)
    assert read.event.occurred_at == datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
    assert read.event.event_id == UUID(dict(told.headers)["ce_id"].decode())


def test_an_event_comes_back_as_it_was_told() -> None:
    event = an_upload()

    read = decode(record_of(event), MaterialUploaded)

    assert isinstance(read, Received)
    assert read.event == event
    assert (read.event.event_id, read.event.occurred_at) == (event.event_id, event.occurred_at)


def test_id_and_time_are_headers_and_a_body_that_has_them_is_not_believed() -> None:
    event = an_upload()
    assert b"event_id" not in body_of(event)
    assert b"occurred_at" not in body_of(event)
    lying = body_of(event)[:-1] + b', "event_id": "%s", "occurred_at": "1999-01-01T00:00:00Z"}' % str(uuid4()).encode()

    read = decode(a_record(event, lying), MaterialUploaded)

    assert isinstance(read, Received)
    assert (read.event.event_id, read.event.occurred_at) == (event.event_id, event.occurred_at)


def test_a_time_without_zone_is_read_as_utc() -> None:
    read = decode(a_record(an_upload(), ce_time=b"2026-11-21T08:00:00"), MaterialUploaded)

    assert isinstance(read, Received)
    assert read.event.occurred_at == datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def test_a_field_that_is_not_known_yet_is_ignored() -> None:
    event = an_upload()

    read = decode(a_record(event, body_of(event)[:-1] + b', "taken_with": "phone"}'), MaterialUploaded)

    assert isinstance(read, Received)
    assert read.event == event


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"ce_id": None}, "header ce_id"),
        ({"ce_id": b"not-a-uuid"}, "header ce_id"),
        ({"ce_id": b"\xff\xfe"}, "header ce_id"),
        ({"ce_time": None}, "header ce_time"),
        ({"ce_time": b"yesterday"}, "header ce_time"),
        ({"ce_type": None}, "header ce_type is not"),
        ({"ce_type": b"material.uploaded.v2"}, "header ce_type is not"),
        ({"ce_type": b"\xff"}, "header ce_type is not"),
        ({"value": b""}, "body: json_invalid"),
        ({"value": b"\xff\xfe\x00"}, "body: json_invalid"),
        ({"value": b"null"}, "body: dict_type"),
        ({"value": b"[]"}, "body: dict_type"),
        ({"value": b'"text"'}, "body: dict_type"),
        ({"value": b"{}"}, "application_no: missing"),
        ({"value": b'{"a":' * 10_000}, "body: json_invalid"),
    ],
)
def test_what_is_no_event_says_which_part_is_wrong(changed: dict[str, bytes | None], why: str) -> None:
    read = decode(a_record(an_upload(), **changed), MaterialUploaded)

    assert isinstance(read, Undecodable)
    assert read.why.startswith(why)


@pytest.mark.parametrize("key", [None, b"", b"2021110002", b"\xff"])
def test_a_record_under_another_key_is_no_event(key: bytes | None) -> None:
    record = a_record(an_upload())
    record.key = key

    read = decode(record, MaterialUploaded)

    assert isinstance(read, Undecodable)


def test_why_names_fields_and_never_what_stood_in_their_place() -> None:
    from shared.contracts.validation import MaterialChecked

    canary = "张三110101199003070000"
    body = json.dumps(
        {"application_no": canary, "item": canary, "metrics": {canary: canary}, "verdict": canary}, ensure_ascii=False
    ).encode()
    headers = tuple((name, canary.encode()) for name in ("ce_id", "ce_time", "ce_source"))

    read = decode(
        raw_record(MaterialChecked.topic, b"x", body, (*headers, ("ce_type", MaterialChecked.topic.encode()))),
        MaterialChecked,
    )

    assert isinstance(read, Undecodable)
    assert canary not in read.why
    assert "110101" not in read.why
    assert "application_no" in read.why


def test_whatever_bytes_arrive_nothing_is_raised() -> None:
    whole = record_of(an_upload())
    for seed in range(500):
        chance = random.Random(seed)
        value = bytearray(whole.value)
        for _ in range(chance.randrange(1, 8)):
            value[chance.randrange(len(value))] = chance.randrange(256)
        headers = tuple(
            (name, chance.randbytes(len(header)) if chance.random() < 0.1 else header) for name, header in whole.headers
        )

        read = decode(raw_record(whole.topic, whole.key, bytes(value), headers), MaterialUploaded)

        assert isinstance(read, Received | Undecodable)
