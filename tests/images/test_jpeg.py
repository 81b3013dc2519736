"""JPEGs at the door: the structure they must have, what is taken out of them, and that no pixel changes."""

import io
import struct
from itertools import pairwise

import pytest
import simplejpeg
from PIL import Image

from shared.images.envelope import PORTRAIT, EnvelopeRefused, open_envelope, orientation_of
from shared.images.jpeg import EOI, SOS, segments
from tests.images.parts import (
    ORIENTATION,
    a_jpeg,
    a_scene,
    exif,
    pixels,
    sample,
    samsungs_tail,
    saved,
    segment,
    srgb,
    with_segments,
)

EXIF = b"Exif\x00\x00"
XMP = b"http://ns.adobe.com/xap/1.0/\x00"


def reason_for(body: bytes) -> str:
    with pytest.raises(EnvelopeRefused) as refused:
        open_envelope(body, None)
    return refused.value.reason


def stored(body: bytes) -> bytes:
    """What would be stored; it is checked that it is stored the same again."""
    opened = open_envelope(body, None)
    assert open_envelope(opened.body, None) == opened
    return opened.body


def markers(body: bytes) -> list[int]:
    return [each.marker for each in segments(body)]


def at_marker(body: bytes, marker: int) -> int:
    return body.index(bytes([0xFF, marker]))


SCAN = at_marker(a_jpeg(), SOS)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(a_jpeg(), id="ordinary"),
        pytest.param(saved(a_scene(), "JPEG", progressive=True), id="progressive"),
        pytest.param(saved(a_scene(), "JPEG", subsampling=0), id="4:4:4"),
        pytest.param(saved(a_scene(), "JPEG", restart_marker_blocks=4), id="restart markers"),
        pytest.param(saved(a_scene(), "JPEG", keep_rgb=True), id="RGB without JFIF"),
        pytest.param(saved(a_scene().convert("L"), "JPEG"), id="grey"),
        pytest.param(saved(a_scene().convert("CMYK"), "JPEG"), id="CMYK with Adobe's segment"),
        pytest.param(saved(a_scene(), "JPEG", icc_profile=srgb()), id="sRGB profile"),
        pytest.param(saved(a_scene(), "JPEG", optimize=True, quality=30), id="optimised"),
    ],
)
def test_a_jpeg_without_metadata_is_stored_byte_for_byte(body: bytes) -> None:
    assert stored(body) == body


def test_everything_but_the_picture_is_taken_out_and_every_pixel_stays() -> None:
    thumbnail = b"JFIF\x00\x01\x02\x01\x00\x48\x00\x48\x08\x08" + b"THUMBNAIL-BYTES!" * 12
    jfxx = segment(0xE0, b"JFXX\x00\x10THUMBNAIL-BYTES!")
    noted = segment(0xFE, b"taken at home") + segment(0xED, b"Photoshop 3.0\x00Beijing") + segment(0xEB, b"JP\x00\x01x")
    body = a_jpeg()[:2] + segment(0xE0, thumbnail) + jfxx + segment(0xE1, EXIF + exif(1)) + noted + a_jpeg()[20:]

    opened = open_envelope(body, None)

    assert (opened.width, opened.height, opened.orientation) == (320, 240, 1)
    assert [marker for marker in markers(opened.body) if marker >= 0xE0] == [0xE0]
    assert opened.body[2:20] == segment(0xE0, thumbnail[:12] + b"\x00\x00")
    assert opened.body[20:] == a_jpeg()[20:]
    for trace in (b"THUMBNAIL", b"home", b"Beijing", b"Exif", b"description"):
        assert trace in body
        assert trace not in opened.body


@pytest.mark.parametrize("orientation", range(1, 9))
def test_of_exif_the_orientation_alone_is_kept(orientation: int) -> None:
    body = with_segments(segment(0xE1, EXIF + exif(orientation)))

    opened = open_envelope(body, None)

    assert opened.orientation == orientation_of(body) == orientation_of(opened.body) == orientation
    with Image.open(io.BytesIO(opened.body)) as picture:
        assert dict(picture.getexif()) == ({ORIENTATION: orientation} if orientation > 1 else {})
    assert (pixels(opened.body) == pixels(body)).all()
    assert stored(body) == opened.body


@pytest.mark.parametrize(
    "tiff",
    [
        b"",
        b"MM\x00*",
        b"XX\x00*" + bytes(40),
        b"MM\x00*\xff\xff\xff\xff" + bytes(40),
        b"MM\x00*\x00\x00\x00\x00" + bytes(40),
        exif(6)[:20],
        b"II*\x00\x08\x00\x00\x00\xff\xff" + bytes(40),
        struct.pack("<4sIHHHIHxxI", b"II*\x00", 8, 1, ORIENTATION, 3, 1, 9, 0),
        struct.pack("<4sIHHHIHxxI", b"II*\x00", 8, 1, ORIENTATION, 2, 1, 6, 0),
    ],
    ids=["none", "cut", "no TIFF", "far away", "in itself", "cut entry", "endless", "nine", "a letter"],
)
def test_exif_that_makes_no_sense_means_upright(tiff: bytes) -> None:
    body = with_segments(segment(0xE1, EXIF + tiff))

    assert (open_envelope(body, None).orientation, stored(body)) == (1, a_jpeg())
    assert orientation_of(body) == 1


def test_the_orientation_in_xmp_counts_where_there_is_no_exif() -> None:
    xmp = segment(0xE1, XMP + b'<rdf:Description tiff:Orientation="6" dc:creator="me"/>')

    alone = open_envelope(with_segments(xmp), None)
    beside = open_envelope(with_segments(segment(0xE1, EXIF + exif(3)), xmp), None)

    assert (alone.orientation, beside.orientation) == (6, 3)
    assert b"creator" not in alone.body


def test_nothing_that_is_no_picture_has_an_orientation() -> None:
    assert [orientation_of(body) for body in (b"", b"\xff\xd8", b"GIF89a", a_jpeg()[:30], a_jpeg())] == [1] * 5


def test_a_profile_is_kept_whole_or_not_at_all() -> None:
    head = b"ICC_PROFILE\x00"
    half = len(srgb()) // 2
    first, second = segment(0xE2, head + b"\x01\x02" + srgb()[:half]), segment(0xE2, head + b"\x02\x02" + srgb()[half:])
    whole = saved(a_scene(), "JPEG", quality=85, icc_profile=srgb())
    grey = saved(a_scene().convert("L"), "JPEG")

    assert stored(with_segments(second, first)) == stored(with_segments(first, second)) == whole
    assert stored(with_segments(first)) == a_jpeg()
    assert stored(with_segments(first, first, second)) == a_jpeg()
    assert stored(with_segments(segment(0xE2, head + b"\x01\x01" + srgb()[:-1]))) == a_jpeg()
    assert stored(with_segments(segment(0xE2, head + b"\x01\x01" + bytes(128)))) == a_jpeg()
    assert stored(with_segments(segment(0xE2, head + b"\x01\x01" + srgb()), body=grey)) == grey


def test_a_large_profile_is_dropped() -> None:
    large = (70_000).to_bytes(4) + srgb()[4:] + bytes(70_000 - len(srgb()))

    body = saved(a_scene(), "JPEG", quality=85, icc_profile=large)

    assert len(body) > 70_000
    assert stored(body) == a_jpeg()


def test_fill_bytes_are_dropped() -> None:
    dqt = at_marker(a_jpeg(), 0xDB)
    filled = a_jpeg()[:dqt] + b"\xff" * 1000 + a_jpeg()[dqt:-2] + b"\xff" * 1000 + a_jpeg()[-2:]

    assert stored(filled) == a_jpeg()


@pytest.mark.parametrize("junk", [b"hello", b"\xff\x00\x00\x02", b"\x00", bytes(60)])
def test_a_few_bytes_between_header_segments_are_passed_over_as_decoders_do(junk: bytes) -> None:
    assert stored(with_segments(junk)) == a_jpeg()


def test_many_bytes_between_header_segments_are_corrupt() -> None:
    assert reason_for(with_segments(bytes(65))) == "corrupt"
    assert reason_for(with_segments(b"x", segment(0xFE, b""), b"x")) == "corrupt"


def test_metadata_between_scans_is_dropped() -> None:
    body = saved(a_scene(), "JPEG", progressive=True)
    second = [each.start for each in segments(body) if each.marker == SOS][1]
    noted = body[:second] + segment(0xFE, b"secret") + segment(0xE1, EXIF + exif(6)) + body[second:]

    opened = open_envelope(noted, None)

    assert (opened.body, opened.orientation) == (body, 1)


def test_of_an_mpo_the_first_picture_is_kept() -> None:
    other = Image.effect_mandelbrot((320, 240), (-1, -1, 1, 1), 30).convert("RGB")
    body = saved(a_scene(), "MPO", save_all=True, append_images=[other], quality=85)

    opened = open_envelope(body, None)

    assert body.count(b"MPF\x00") == 1
    assert b"MPF\x00" not in opened.body
    assert markers(opened.body)[-1] == EOI
    assert opened.body.endswith(b"\xff\xd9")
    assert (pixels(opened.body) == pixels(a_jpeg())).all()


@pytest.mark.parametrize(
    "tail",
    [
        b"\x00" * 5000,
        b"\xff" * 7,
        b"\r\n",
        b"\xff\xd9",
        b"\x00\xff\xd9\n",
        samsungs_tail(),
        b"\x00" * 10 + samsungs_tail() + b"\x00\x00",
        b'vivo{"watermark":1}\x00\xff\xff\xff\xff\x1b*9HWfu\x84\x93\xa2\xb1',
        b'[{"name":"watermark.device"}]jxrs\x1e\x00\x00\x00',
    ],
)
def test_padding_and_what_phones_append_is_cut_off(tail: bytes) -> None:
    assert stored(a_jpeg() + tail) == a_jpeg()


def test_a_motion_photo_loses_its_film() -> None:
    xmp = segment(0xE1, XMP + b'<x GCamera:MotionPhoto="1" Container:Directory=""/>')
    film = b"\x00\x00\x00\x18ftypmp42" + bytes(1000)

    assert stored(with_segments(xmp) + film) == a_jpeg()
    assert reason_for(a_jpeg() + film) == "trailing_data"


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b"x", "trailing_data"),
        (b"PK\x03\x04" + bytes(100), "trailing_data"),
        (a_jpeg(), "trailing_data"),
        (b"\x00" * 100 + b"Rar!\x1a\x07\x00", "trailing_data"),
        (b"anything SEFT", "trailing_data"),
        (b"<?php system($_GET['c']);", "active_content"),
        (b"<HTML><body>", "active_content"),
        (b"\x00\x00#!/bin/sh\n", "active_content"),
        (b"%PDF-1.7\n", "active_content"),
        (b"<script>alert(1)</script>" + samsungs_tail(), "active_content"),
    ],
)
def test_anything_else_behind_the_end_is_refused(tail: bytes, reason: str) -> None:
    assert reason_for(a_jpeg() + tail) == reason


@pytest.mark.parametrize("marker", [0xFE, 0xE0, 0xE1, 0xE2, 0xED, 0xEE])
@pytest.mark.parametrize(
    "code",
    [
        b"<?php eval($_POST[1]);",
        b"<?= `$_GET[0]`",
        b"GIF89a <SCRIPT src=x>",
        b"--><html>",
        b"<svg onload=alert(1)>",
        b"<!DOCTYPE html>",
        b"JavaScript:alert(1)",
        b"#!/bin/sh",
        b"__HALT_COMPILER();",
    ],
)
def test_code_in_metadata_is_refused(marker: int, code: bytes) -> None:
    assert reason_for(with_segments(segment(marker, code))) == "active_content"
    assert reason_for(a_jpeg()[:SCAN] + segment(marker, code) + a_jpeg()[SCAN:]) == "active_content"


@pytest.mark.parametrize(
    "honest",
    [
        b'<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN">',  # Photoshop on a Mac
        b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta><rdf:RDF/></x:xmpmeta>',
        "a < b, 5 > 3; 《毕业证》 #!/".encode(),
        b"Description: the svg was exported",
    ],
)
def test_ordinary_metadata_is_no_code(honest: bytes) -> None:
    assert stored(with_segments(segment(0xFE, honest), segment(0xE1, XMP + honest))) == a_jpeg()


def test_code_in_coded_pixels_is_not_looked_for() -> None:
    coded = a_jpeg()[:-1000] + b"<script>" + a_jpeg()[-992:]

    assert stored(coded) == coded


def test_code_in_a_table_is_refused() -> None:
    table = segment(0xDB, b"\x03" + b"<?php system($_GET[0]);".ljust(64, b"\x01"))

    assert reason_for(with_segments(table)) == "active_content"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xff\xd8\xff", id="three bytes"),
        pytest.param(b"\xff\xd8\xff\xd9", id="only the end"),
        pytest.param(a_jpeg()[:SCAN] + b"\xff\xd9", id="no scan"),
        pytest.param(a_jpeg()[:20] + a_jpeg()[SCAN:], id="scan before frame"),
        pytest.param(a_jpeg()[: SCAN + 14] + b"\xff\xd9", id="nothing coded"),
        pytest.param(a_jpeg()[: SCAN + 14] + b"\xff" * 9 + b"\xd9", id="only fill bytes coded"),
        pytest.param(a_jpeg()[:-2], id="no end"),
        pytest.param(a_jpeg()[:-1], id="half an end"),
        pytest.param(a_jpeg()[:-2000] + bytes(2000), id="zeros as a broken upload leaves them"),
        pytest.param(with_segments(b"\xff\xfe\x00\x01"), id="length 1"),
        pytest.param(with_segments(b"\xff\xfe\xff\xff"), id="length beyond the tables"),
        pytest.param(a_jpeg()[:SCAN] + b"\xff\xfe\xff", id="cut length"),
        pytest.param(with_segments(b"\xff\xd0"), id="restart in the header"),
        pytest.param(with_segments(b"\xff\xd8"), id="second start"),
        pytest.param(with_segments(b"\xff\x01"), id="TEM"),
        pytest.param(with_segments(segment(0x02, b"")), id="reserved"),
        pytest.param(with_segments(segment(0xDC, b"\x00\xf0")), id="DNL"),
        pytest.param(a_jpeg()[:-2] + segment(0xDC, b"\x00\xf0") + b"\xff\xd9", id="DNL behind the scan"),
        pytest.param(with_segments(segment(0xC0, struct.pack(">BHHB3B", 8, 240, 320, 1, 1, 0x11, 0))), id="two frames"),
        pytest.param(with_segments(segment(0xDB, bytes(64))), id="short table"),
        pytest.param(with_segments(segment(0xDB, b"")), id="no table"),
        pytest.param(with_segments(segment(0xC4, b"\x00" + b"\xff" * 16)), id="endless Huffman table"),
        pytest.param(with_segments(segment(0xC4, b"\x00" + bytes(16) + b"hidden")), id="bytes behind a Huffman table"),
        pytest.param(with_segments(segment(0xDD, b"\x00\x04\x00")), id="long restart interval"),
        pytest.param(a_jpeg().replace(b"\xff\xda\x00\x0c\x03\x01", b"\xff\xda\x00\x0c\x03\x09"), id="unknown part"),
    ],
)
def test_a_broken_structure_is_corrupt(body: bytes) -> None:
    assert reason_for(body) == "corrupt"


def with_size(width: int, height: int) -> bytes:
    frame = at_marker(a_jpeg(), 0xC0)
    return a_jpeg()[: frame + 5] + struct.pack(">HH", height, width) + a_jpeg()[frame + 9 :]


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [(0, 240, "corrupt"), (320, 0, "corrupt"), (5001, 5000, "pixel_limit"), (99, 500, "too_small")],
)
def test_a_size_that_no_picture_should_have_is_refused(width: int, height: int, reason: str) -> None:
    assert reason_for(with_size(width, height)) == reason


def test_a_portrait_may_be_larger_and_smaller() -> None:
    for width, height in ((7000, 8000), (40, 30)):
        assert open_envelope(with_size(width, height), None, PORTRAIT).width == width
    with pytest.raises(EnvelopeRefused, match="pixel_limit"):
        open_envelope(with_size(7000, 9000), None, PORTRAIT)


@pytest.mark.parametrize(
    ("at", "byte", "reason"),
    [
        (1, 0xC3, "unsupported_format"),  # lossless
        (1, 0xC9, "unsupported_format"),  # arithmetic
        (1, 0xF7, "unsupported_format"),  # JPEG-LS
        (1, 0xC8, "corrupt"),  # reserved
        (4, 12, "unsupported_format"),  # bits
        (4, 0, "unsupported_format"),
        (9, 2, "corrupt"),  # parts: the length says three
        (11, 0x00, "corrupt"),  # sampling
        (11, 0x51, "corrupt"),
    ],
)
def test_a_frame_that_browsers_cannot_show_is_refused(at: int, byte: int, reason: str) -> None:
    frame = at_marker(a_jpeg(), 0xC0)
    body = bytearray(a_jpeg())
    body[frame + at] = byte

    assert reason_for(bytes(body)) == reason


def test_a_picture_of_two_or_five_colours_is_refused() -> None:
    frame = at_marker(a_jpeg(), 0xC0)
    for parts in (2, 5):
        header = struct.pack(">BHHB", 8, 240, 320, parts) + bytes([1, 0x11, 0]) * parts

        assert reason_for(a_jpeg()[:frame] + segment(0xC0, header) + a_jpeg()[frame + 19 :]) == "unsupported_colorspace"


def test_too_many_scans_for_the_picture_are_too_complex() -> None:
    scan = a_jpeg()[SCAN : SCAN + 14] + b"\x01"
    large, small = with_size(5000, 5000), with_size(320, 240)

    assert reason_for(large[:SCAN] + scan * 41 + b"\xff\xd9") == "too_complex"
    assert reason_for(small[:SCAN] + scan * 201 + b"\xff\xd9") == "too_complex"
    assert stored(large[:SCAN] + scan * 40 + b"\xff\xd9")


def test_thousands_of_tables_are_too_complex_and_of_comments_an_excess() -> None:
    assert reason_for(with_segments(segment(0xC4, bytes(17)) * 1001)) == "too_complex"
    assert reason_for(with_segments(segment(0xFE, b"") * 500)) == "metadata_excess"
    assert stored(with_segments(segment(0xFE, b"") * 499)) == a_jpeg()


def test_the_walk_tells_where_each_segment_is() -> None:
    body = with_segments(b"\xff\xff", segment(0xFE, b"a comment"))

    walked = list(segments(body))

    comment = next(each for each in walked if each.marker == 0xFE)
    assert (comment.start, comment.end, comment.payload) == (20, 20 + 2 + 13, b"a comment")
    assert body[comment.start : comment.end] == b"\xff\xff\xff\xfe\x00\x0ba comment"
    assert (walked[0].start, walked[-1].marker, walked[-1].end) == (2, EOI, len(body))
    for before, after in pairwise(walked):
        assert before.end == after.start or before.marker == SOS


@pytest.mark.parametrize("name", ["junk_jpeg_header.jpg", "jpeg_ff00_header.jpg", "exif_thumb_differs.jpg"])
def test_what_is_stored_is_whole_in_the_eyes_of_the_strictest_decoder(name: str) -> None:
    decoded = simplejpeg.decode_jpeg(open_envelope(sample(name), None).body, strict=True)

    assert (decoded == pixels(sample(name))).all()
