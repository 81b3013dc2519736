"""The sample files through door and look together: the verdict that their manifest asks for, and the same each time."""

import json

import pytest

from deploy.bench.image_limits import judged, sample_rows
from shared.images.envelope import open_envelope
from tests.validation.pictures import SAMPLES

ENTRIES = json.loads((SAMPLES / "manifest.json").read_text(encoding="utf-8"))["entries"]


def test_the_manifest_speaks_of_every_file() -> None:
    there = {file.name for file in SAMPLES.iterdir() if file.suffix.lower() in {".jpg", ".jpeg", ".png"}}

    assert there == {entry["file"] for entry in ENTRIES}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_a_sample_gets_the_verdict_that_its_manifest_asks_for_each_time(entry: dict) -> None:
    body = (SAMPLES / entry["file"]).read_bytes()

    first, second = (judged(body, entry["upload_name"], entry["profile"]) for _ in range(2))

    assert first == second
    if entry["strictness"] == "quality":
        assert (first.verdict, first.reason) == (entry["expected"], entry["reason"])
    elif entry["strictness"] != "advisory":
        assert (first.verdict, first.reason) in {
            (entry["expected"], entry["reason"]),
            (entry.get("also_ok", {}).get("verdict"), entry.get("also_ok", {}).get("reason", "ok")),
        }


def test_a_sound_sample_has_no_finding_of_quality_at_all() -> None:
    sound = [entry for entry in ENTRIES if entry["expected"] == "accept" and entry["profile"] == "document"]

    assert {entry["file"] for entry in sound} >= {"id_front.jpg"}
    for entry in sound:
        check = judged((SAMPLES / entry["file"]).read_bytes(), entry["upload_name"], "document")
        assert check.findings == () or entry["strictness"] == "advisory", entry["file"]


def test_what_may_not_be_kept_is_not_kept() -> None:
    hiding = [entry for entry in ENTRIES if "stored_must_not_contain" in entry.get("post", {})]

    assert hiding
    for entry in hiding:
        body = (SAMPLES / entry["file"]).read_bytes()
        if judged(body, entry["upload_name"], entry["profile"]).verdict == "accept":
            for word in entry["post"]["stored_must_not_contain"]:
                assert word.encode() not in open_envelope(body, entry["upload_name"]).body


def test_the_bench_finds_every_sample_judged_right() -> None:
    rows = sample_rows(SAMPLES)

    assert len(rows) == len(ENTRIES)
    assert [row for row in rows if not row.is_right] == []
