"""Damaged and hostile files at the door: always an answer, always the same one, and soon."""

import random
import struct
import time

import pytest

from shared.images.envelope import Enveloped, EnvelopeRefused, open_envelope, orientation_of
from shared.images.limits import PORTRAIT
from tests.images.parts import (
    PNG_MAGIC,
    THE_END,
    a_header,
    a_jpeg,
    a_png,
    a_scene,
    chunk,
    exif,
    mend_checksums,
    sample,
    samsungs_tail,
    saved,
    segment,
    some_pixels,
    srgb,
    with_chunks,
    with_segments,
)

REASONS = {
    "ok",
    "empty",
    "unsupported_format",
    "corrupt",
    "pixel_limit",
    "too_small",
    "too_complex",
    "animated",
    "trailing_data",
    "active_content",
    "metadata_excess",
    "unsupported_colorspace",
}
RICH_JPEG = with_segments(
    segment(0xE1, b"Exif\x00\x00" + exif(6)),
    segment(0xE2, b"MPF\x00MM\x00*"),
    segment(0xFE, b"a comment"),
    body=saved(a_scene(), "JPEG", progressive=True, icc_profile=srgb()),
)
RICH_PNG = with_chunks(
    chunk(b"tEXt", b"Comment\x00none"),
    chunk(b"zTXt", b"Comment\x00\x00" + bytes(20)),
    chunk(b"gAMA", bytes(4)),
    body=saved(a_scene(), "PNG", icc_profile=srgb(), exif=b"Exif\x00\x00" + exif(3)),
)
SOUND = [a_jpeg(), RICH_JPEG, RICH_JPEG + samsungs_tail(), a_png(), RICH_PNG, saved(a_scene().convert("P"), "PNG")]


def judged(body: bytes) -> tuple[str, Enveloped | None]:
    try:
        return "ok", open_envelope(body, None)
    except EnvelopeRefused as refused:
        return refused.reason, None


def check_answer(body: bytes) -> str:
    """Whatever the file is: one of our reasons, the same twice, and what is stored is stable and no longer."""
    reason, opened = judged(body)
    assert reason in REASONS
    assert judged(body) == (reason, opened)
    assert 1 <= orientation_of(body) <= 8
    if opened:
        assert len(opened.body) <= len(body)
        assert judged(opened.body) == ("ok", opened)
        assert orientation_of(opened.body) == opened.orientation
    return reason


@pytest.mark.parametrize(
    "body",
    [*SOUND[:2], *SOUND[3:], sample("mixed.JpG"), sample("yuv444_restart.jpg"), sample("go_221212.jpeg")],
)
def test_a_file_that_is_cut_anywhere_is_corrupt(body: bytes) -> None:
    reasons = {check_answer(body[:length]) for length in range(8, len(body), 200)}

    assert reasons == {"corrupt"}


def test_a_file_of_a_few_bytes_is_no_image() -> None:
    for body in SOUND:
        assert {check_answer(body[:length]) for length in range(1, 3)} == {"unsupported_format"}
        assert check_answer(body[: len(PNG_MAGIC)]) == "corrupt"


@pytest.mark.parametrize("body", SOUND)
def test_any_byte_of_a_header_may_be_anything(body: bytes) -> None:
    reasons = set()
    for at in range(min(len(body), 800)):
        for byte in (0x00, 0xFF, body[at] ^ 0x01):
            reasons.add(check_answer(body[:at] + bytes([byte]) + body[at + 1 :]))

    assert {"corrupt", "unsupported_format"} <= reasons


@pytest.mark.parametrize("length", [0, 1, 2, 3, 16, 0x7FFF, 0xFFFE, 0xFFFF])
def test_any_length_of_a_segment_may_lie(length: int) -> None:
    at = 2
    answers = []
    while RICH_JPEG[at + 1] != 0xDA:
        answers.append(check_answer(RICH_JPEG[: at + 2] + struct.pack(">H", length) + RICH_JPEG[at + 4 :]))
        at += 2 + struct.unpack_from(">H", RICH_JPEG, at + 2)[0]
    answers.append(check_answer(RICH_JPEG[: at + 2] + struct.pack(">H", length) + RICH_JPEG[at + 4 :]))

    assert len(answers) > 8
    assert "ok" not in answers if length < 2 else "corrupt" in answers


@pytest.mark.parametrize("length", [0, 1, 11, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF4, 0xFFFFFFFF])
def test_any_length_of_a_chunk_may_lie(length: int) -> None:
    at = len(PNG_MAGIC)
    while at < len(RICH_PNG) - len(THE_END):
        lying = RICH_PNG[:at] + struct.pack(">I", length) + RICH_PNG[at + 4 :]
        assert check_answer(lying) == "corrupt"
        at += 12 + struct.unpack_from(">I", RICH_PNG, at)[0]


def test_damage_of_any_kind_has_an_answer() -> None:
    reasons = set()
    for seed in range(1500):
        chance = random.Random(seed)
        body = bytearray(SOUND[seed % len(SOUND)])
        for _ in range(chance.randrange(1, 12)):
            _damage(body, chance)
        if body.startswith(PNG_MAGIC) and seed % 3:
            mend_checksums(body)
        reasons.add(check_answer(bytes(body[:204_800])))

    assert {"ok", "corrupt", "trailing_data"} <= reasons


def _damage(body: bytearray, chance: random.Random) -> None:
    at = chance.randrange(min(len(body), chance.choice((60, 700, 4000, 1 << 20))))
    match chance.randrange(5):
        case 0:
            body[at] ^= 1 << chance.randrange(8)
        case 1:
            body[at : at + 2] = struct.pack(">H", chance.choice((0, 1, 2, 3, 0xFFFF, chance.randrange(65_536))))
        case 2:
            del body[at : at + chance.choice((1, 4, 100))]
        case 3:
            other = chance.choice(SOUND)
            begin = chance.randrange(len(other))
            body[at:at] = other[begin : begin + chance.choice((4, 40, 400))]
        case _:
            body[at:at] = body[at : at + chance.choice((2, 20, 600))] * chance.choice((1, 5))


def _filled(part: bytes, end: bytes, head: bytes) -> bytes:
    return head + part * ((204_800 - len(head) - len(end)) // len(part)) + end


JPEG_HEAD, JPEG_REST = a_jpeg()[:2], a_jpeg()[2:]
SCAN = a_jpeg()[a_jpeg().index(b"\xff\xda") :][:14]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_filled(b"\xff", JPEG_REST, JPEG_HEAD), id="fill bytes"),
        pytest.param(_filled(b"\xff", b"", JPEG_HEAD), id="fill bytes to the end"),
        pytest.param(_filled(segment(0xFE, b""), JPEG_REST, JPEG_HEAD), id="comments"),
        pytest.param(_filled(segment(0xC4, bytes(17)), JPEG_REST, JPEG_HEAD), id="tables"),
        pytest.param(_filled(segment(0xC4, bytes(17) * 3800), JPEG_REST, JPEG_HEAD), id="long tables"),
        pytest.param(_filled(segment(0xFE, b"<" * 65_000), JPEG_REST, JPEG_HEAD), id="brackets"),
        pytest.param(_filled(segment(0xFE, b"<?=" + b" " * 65_000), JPEG_REST, JPEG_HEAD), id="spaces"),
        pytest.param(_filled(segment(0xFE, b"<%@" * 21_000), JPEG_REST, JPEG_HEAD), id="half of code"),
        pytest.param(_filled(SCAN + b"\x01", b"\xff\xd9", a_jpeg()[:623]), id="scans"),
        pytest.param(_filled(SCAN + b"\xff" * 900, b"\xff\xd9", a_jpeg()[:623]), id="scans of fill bytes"),
        pytest.param(_filled(b"\xff\xd9", b"", a_jpeg()), id="ends"),
        pytest.param(_filled(b"\x00\xff", b"x", a_jpeg()), id="padding and one byte"),
        pytest.param(_filled(chunk(b"IDAT", b""), THE_END, PNG_MAGIC + a_header()), id="empty pixels"),
        pytest.param(_filled(chunk(b"tEXt", b"a\x00"), THE_END, PNG_MAGIC + a_header()), id="texts"),
        pytest.param(_filled(THE_END, b"", PNG_MAGIC + a_header() + some_pixels()), id="PNG's ends"),
    ],
)
def test_a_file_that_is_made_to_keep_the_door_busy_does_not(body: bytes) -> None:
    started = time.process_time()
    check_answer(body)
    took = time.process_time() - started

    # Up to five looks of at most 5 ms; what grows with the square of the size would take minutes.
    assert took < 0.5


def test_a_portrait_of_ten_megabytes_does_not_keep_it_busy_either() -> None:
    coded = a_jpeg()[a_jpeg().index(b"\xff\xda") + 14 : -2]
    body = a_jpeg()[:-2] + coded * ((PORTRAIT.most_bytes - len(a_jpeg())) // len(coded)) + b"\xff\xd9"

    started = time.process_time()
    opened = open_envelope(body, None, PORTRAIT)
    took = time.process_time() - started

    assert opened.body == body
    assert took < 1
