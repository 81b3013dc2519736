"""Bodies that are no JSON of ours: each answer says what to do, and nothing breaks."""

import pytest

from tests.upload.conftest import Upload

BODIES = {
    "not UTF-8": b'{"login": "\xff", "password": "x"}',
    "nested without end": b"[" * 50_000,
    "an endless number": b'{"login": ' + b"9" * 5000 + b"}",
    "half a surrogate": b'{"login": "\\ud800", "password": "x"}',
    "half a surrogate as a name": b'{"login": "a", "password": "x", "\\ud800": 1}',
    "NUL": b'{"login": "a\\u0000", "password": "x"}',
    "a list": b"[]",
    "nothing": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_cannot_be_read_is_refused_with_what_to_do(upload: Upload, body: bytes) -> None:
    answer = await upload.client.post("/candidate/session", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in {"malformed-json", "malformed-request", "invalid-request"}
    assert "刷新" in answer.json()["detail"] or answer.json()["faults"]


async def test_a_body_without_end_is_refused_at_the_limit(upload: Upload) -> None:
    taken = 0

    async def endless():
        nonlocal taken
        while True:
            taken += 65_536
            yield b'{"login": "' + b"x" * 65_525

    answer = await upload.client.post("/candidate/session", content=endless())

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert taken < 1_000_000
