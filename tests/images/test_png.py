"""PNGs at the door: the structure they must have, what is taken out of them, and that no pixel changes."""

import io
import random
import struct
import zlib
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from shared.images import png
from shared.images.envelope import PORTRAIT, EnvelopeRefused, open_envelope, orientation_of
from shared.images.icc import LARGEST
from shared.images.png import chunks
from tests.images.parts import (
    ORIENTATION,
    THE_END,
    a_header,
    a_png,
    a_png_of,
    a_scene,
    chunk,
    exif,
    pixels,
    samsungs_tail,
    saved,
    some_pixels,
    srgb,
    with_chunks,
)


def reason_for(body: bytes) -> str:
    with pytest.raises(EnvelopeRefused) as refused:
        open_envelope(body, None)
    return refused.value.reason


def stored(body: bytes) -> bytes:
    """What would be stored; it is checked that it is stored the same again."""
    opened = open_envelope(body, None)
    assert open_envelope(opened.body, None) == opened
    return opened.body


def a_profile_chunk(profile: bytes, name: bytes = b"i", more: bytes = b"") -> bytes:
    return chunk(b"iCCP", name + b"\x00\x00" + zlib.compress(profile) + more)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(a_png(), id="RGB"),
        pytest.param(saved(a_scene().convert("L"), "PNG"), id="grey"),
        pytest.param(saved(a_scene().convert("LA"), "PNG"), id="grey with alpha"),
        pytest.param(saved(a_scene().convert("RGBA"), "PNG"), id="alpha"),
        pytest.param(saved(a_scene().convert("P"), "PNG"), id="palette"),
        pytest.param(saved(a_scene().convert("P"), "PNG", transparency=3), id="transparent colour"),
        pytest.param(saved(a_scene().convert("L"), "PNG", transparency=3), id="transparent grey"),
        pytest.param(saved(a_scene().convert("1"), "PNG"), id="one bit"),
        pytest.param(saved(Image.new("I;16", (200, 200), 40_000), "PNG"), id="sixteen bits"),
        pytest.param(saved(a_scene(), "PNG", dpi=(300, 300)), id="resolution"),
        pytest.param(a_png_of(a_header(interlace=1), some_pixels(), THE_END), id="interlaced"),
    ],
)
def test_a_png_without_metadata_is_stored_byte_for_byte(body: bytes) -> None:
    assert stored(body) == body


def test_everything_but_the_picture_is_taken_out_and_every_pixel_stays() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "taken at home")
    texts.add_text("Author", "me myself", zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>Beijing</x:xmpmeta>")
    body = saved(a_scene(), "PNG", pnginfo=texts, exif=b"Exif\x00\x00" + exif(1))
    body = body[: -len(THE_END)] + chunk(b"tIME", bytes(7)) + chunk(b"prVt", b"private") + THE_END

    opened = open_envelope(body, None)

    assert opened.body == a_png()
    assert (opened.width, opened.height, opened.orientation, opened.content_type) == (320, 240, 1, "image/png")
    for trace in (b"home", b"Author", b"Beijing", b"eXIf", b"tIME", b"private"):
        assert trace in body
    assert (pixels(opened.body) == pixels(body)).all()


def test_what_tells_how_colours_and_sizes_are_meant_stays_in_its_order() -> None:
    meant = [
        chunk(b"gAMA", bytes(4)),
        chunk(b"cHRM", bytes(32)),
        chunk(b"sRGB", b"\x00"),
        chunk(b"sBIT", b"\x08\x08\x08"),
        chunk(b"bKGD", bytes(6)),
        chunk(b"tRNS", bytes(6)),
        chunk(b"pHYs", bytes(9)),
    ]
    body = with_chunks(*meant)

    assert stored(body) == body
    assert stored(with_chunks(*meant, *meant)) == body


@pytest.mark.parametrize("kind", [b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"tRNS", b"pHYs"])
def test_a_chunk_of_the_wrong_length_or_behind_the_pixels_is_dropped(kind: bytes) -> None:
    right = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"sBIT": 3, b"bKGD": 6, b"tRNS": 6, b"pHYs": 9}[kind]
    behind = a_png()[: -len(THE_END)] + chunk(kind, bytes(right)) + THE_END

    assert stored(with_chunks(chunk(kind, b"a note, hidden in a chunk that is no text"))) == a_png()
    assert stored(behind) == a_png()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_of_exif_the_orientation_alone_is_kept(orientation: int) -> None:
    body = saved(a_scene(), "PNG", exif=b"Exif\x00\x00" + exif(orientation))

    opened = open_envelope(body, None)

    assert opened.orientation == orientation_of(body) == orientation_of(opened.body) == orientation
    with Image.open(io.BytesIO(opened.body)) as picture:
        assert dict(picture.getexif()) == ({ORIENTATION: orientation} if orientation > 1 else {})
    assert stored(body) == opened.body


@pytest.mark.parametrize("packed", [False, True])
def test_an_orientation_in_a_text_is_kept_where_there_is_no_exif(packed: bool) -> None:
    hexadecimal = PngImagePlugin.PngInfo()
    raw = (b"Exif\x00\x00" + exif(6)).hex()
    hexadecimal.add_text("Raw profile type exif", f"\nexif\n{len(raw) // 2:8}\n{raw[:72]}\n{raw[72:]}\n", zip=packed)
    xmp = PngImagePlugin.PngInfo()
    xmp.add_itxt("XML:com.adobe.xmp", "<tiff:Orientation>8</tiff:Orientation>", zip=packed)

    bodies = [saved(a_scene(), "PNG", pnginfo=info) for info in (hexadecimal, xmp)]
    beside = saved(a_scene(), "PNG", pnginfo=xmp, exif=b"Exif\x00\x00" + exif(3))

    assert [open_envelope(body, None).orientation for body in (*bodies, beside)] == [6, 8, 3]
    assert b"tiff" not in stored(bodies[1])


@pytest.mark.parametrize("text", [b"", b"\nexif\n", b"\nexif\n9\nnot hexadecimal", b"\nexif\n9\n4d4d"])
def test_a_text_that_is_no_exif_means_upright(text: bytes) -> None:
    assert stored(with_chunks(chunk(b"tEXt", b"Raw profile type exif\x00" + text))) == a_png()


def test_a_profile_is_kept_whole_or_not_at_all() -> None:
    kept = with_chunks(a_profile_chunk(srgb()))
    grey = saved(a_scene().convert("L"), "PNG")

    assert stored(kept) == kept
    assert stored(with_chunks(a_profile_chunk(srgb(), name=b"Zhang San's display"))) == kept
    assert stored(with_chunks(a_profile_chunk(srgb(), more=b"hidden"))) == a_png()
    assert stored(with_chunks(a_profile_chunk(srgb()[:-1]))) == a_png()
    size = LARGEST - 11  # unpacked, with zlib's own bytes around it, it fills all that is looked at
    large = zlib.compress(size.to_bytes(4) + srgb()[4:] + bytes(size - len(srgb())), 0)
    assert len(large) == LARGEST
    assert b"iCCP" in stored(with_chunks(chunk(b"iCCP", b"i\x00\x00" + large)))
    assert stored(with_chunks(chunk(b"iCCP", b"i\x00\x00" + large + b"hidden"))) == a_png()
    assert stored(with_chunks(chunk(b"iCCP", b"name\x00\x00no zlib stream"))) == a_png()
    assert stored(with_chunks(chunk(b"iCCP", b"name without an end"))) == a_png()
    assert stored(with_chunks(a_profile_chunk(srgb()), body=grey)) == grey


def test_a_large_profile_is_dropped_and_what_is_none_is_a_bomb() -> None:
    printers = (500_000).to_bytes(4) + srgb()[4:] + random.Random(1).randbytes(500_000 - len(srgb()))

    assert stored(with_chunks(a_profile_chunk(printers[:180_000]))) == a_png()
    assert reason_for(with_chunks(a_profile_chunk(bytes(1_000_000)))) == "corrupt"


def test_texts_that_inflate_without_end_are_an_excess() -> None:
    bomb = zlib.compress(bytes(20_000_000), 9)
    half = zlib.compress(bytes(70_000), 9)

    assert reason_for(with_chunks(chunk(b"zTXt", b"a\x00\x00" + bomb))) == "metadata_excess"
    assert reason_for(with_chunks(chunk(b"iTXt", b"a\x00\x01\x00\x00\x00" + bomb))) == "metadata_excess"
    assert reason_for(with_chunks(*[chunk(b"zTXt", b"a\x00\x00" + half)] * 2)) == "metadata_excess"
    assert stored(with_chunks(chunk(b"zTXt", b"a\x00\x00" + half))) == a_png()


def count_inflated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the door's inflaters give from now on, in bytes; where one breaks, all that it might have given."""
    inflated: list[int] = []
    make = zlib.decompressobj

    class Counted:
        def __init__(self) -> None:
            self.inflater = make()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inflater, name)

        def decompress(self, packed: bytes, most: int) -> bytes:
            try:
                given = self.inflater.decompress(packed, most)
            except zlib.error:
                inflated.append(most)
                raise
            inflated.append(len(given))
            return given

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    return inflated


def broken_behind(data: bytes) -> bytes:
    """A zlib stream that gives `data` and breaks then."""
    packer = zlib.compressobj(9)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 8


def test_texts_that_break_count_as_what_they_inflated_to(monkeypatch: pytest.MonkeyPatch) -> None:
    one = chunk(b"zTXt", b"a\x00\x00" + broken_behind(bytes(130_000)))
    tiny = chunk(b"zTXt", b"a\x00\x00" + b"no zlib stream")
    inflated = count_inflated(monkeypatch)

    assert reason_for(with_chunks(*[one] * 200)) == "metadata_excess"
    assert stored(with_chunks(tiny)) == a_png()
    assert reason_for(with_chunks(*[tiny] * 200)) == "metadata_excess"
    assert sum(inflated) < 3 * 140_000


def test_of_many_unsound_profiles_one_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    unsound = [a_profile_chunk(bytes(60_000)), chunk(b"iCCP", b"a\x00\x00" + broken_behind(bytes(60_000)))]
    inflated = count_inflated(monkeypatch)

    for profile in unsound:
        assert stored(with_chunks(*[profile] * 200)) == a_png()
    assert sum(inflated) < 2 * 70_000


def test_blocks_that_hold_nothing_are_not_walked_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zlib takes 15 ms for 200 KB of them, and nothing comes out."""
    packer = zlib.compressobj(9)
    empty = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH) * 10_000
    taken: list[int] = []
    inflate = png._inflated

    def counted(packed: bytes, most: int) -> tuple[bytes, int, bool]:
        taken.append(len(packed))
        return inflate(packed, most)

    monkeypatch.setattr(png, "_inflated", counted)

    assert stored(with_chunks(*[chunk(b"zTXt", b"a\x00\x00" + empty)] * 3)) == a_png()
    assert 0 < sum(taken) <= 20_000


def test_thousands_of_chunks_are_refused() -> None:
    pieces = zlib.compress(random.Random(1).randbytes((1 + 3 * 200) * 200), 0)
    small = [chunk(b"IDAT", pieces[at : at + 90]) for at in range(0, len(pieces), 90)]

    assert reason_for(with_chunks(chunk(b"tEXt", b"a\x00b") * 201)) == "metadata_excess"
    assert stored(with_chunks(chunk(b"tEXt", b"a\x00b") * 200)) == a_png()
    assert reason_for(a_png_of(a_header(), *small, THE_END)) == "too_complex"
    assert stored(a_png_of(a_header(), *small[:1000], THE_END))


def test_an_animated_png_is_refused() -> None:
    frames = [a_scene().rotate(turn) for turn in (10, 20)]

    assert reason_for(saved(a_scene(), "PNG", save_all=True, append_images=frames)) == "animated"


@pytest.mark.parametrize(
    "text",
    [
        chunk(b"tEXt", b"Comment\x00<?php eval($_POST[1]);"),
        chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(b"<script>alert(1)</script>")),
        chunk(b"iTXt", b"Comment\x00\x01\x00\x00\x00" + zlib.compress(b"<HTML>")),
        chunk(b"iTXt", b"Comment\x00\x00\x00\x00\x00javascript:alert(1)"),
        chunk(b"prVt", b"#!/bin/sh"),
        chunk(b"eXIf", b"<svg/onload=alert(1)>"),
    ],
)
def test_code_in_metadata_is_refused(text: bytes) -> None:
    assert reason_for(with_chunks(text)) == "active_content"
    assert reason_for(a_png()[: -len(THE_END)] + text + THE_END) == "active_content"


def test_code_in_a_palette_is_refused_and_in_pixels_not_looked_for() -> None:
    palette = b"<?php system($_GET[0]);?>".ljust(27, b" ")
    pixel = chunk(b"IDAT", zlib.compress(b"<script>" * 100, 0))

    assert reason_for(with_chunks(chunk(b"PLTE", palette))) == "active_content"
    assert b"<script>" in stored(a_png_of(a_header(), pixel, THE_END))


@pytest.mark.parametrize("tail", [b"\x00" * 5000, b"\xff" * 7, b"\r\n", samsungs_tail()])
def test_padding_and_what_phones_append_is_cut_off(tail: bytes) -> None:
    assert stored(a_png() + tail) == a_png()


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (b"PK\x03\x04" + bytes(100), "trailing_data"),
        (a_png()[5000:], "trailing_data"),  # as screenshots that were cut kept the rest of the uncut one
        (b"<html>", "active_content"),
    ],
)
def test_anything_else_behind_the_end_is_refused(tail: bytes, reason: str) -> None:
    assert reason_for(a_png() + tail) == reason


def broken_at(at: int) -> bytes:
    body = bytearray(a_png())
    body[at] ^= 1
    return bytes(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(a_png()[:8], id="signature only"),
        pytest.param(a_png()[:33], id="header only"),
        pytest.param(a_png()[:-1], id="cut end"),
        pytest.param(a_png()[:-12], id="no end"),
        pytest.param(broken_at(20), id="checksum of the header"),
        pytest.param(broken_at(3000), id="checksum of the pixels"),
        pytest.param(broken_at(len(a_png()) - 1), id="checksum of the end"),
        pytest.param(a_png_of(some_pixels(), THE_END), id="no header"),
        pytest.param(a_png_of(chunk(b"gAMA", bytes(4)), a_header(), some_pixels(), THE_END), id="header second"),
        pytest.param(a_png_of(a_header(), a_header(), some_pixels(), THE_END), id="two headers"),
        pytest.param(a_png_of(a_header(), THE_END), id="no pixels"),
        pytest.param(a_png_of(a_header(), some_pixels(), chunk(b"IEND", b"x")), id="bytes in the end"),
        pytest.param(
            a_png_of(a_header(), some_pixels(), chunk(b"tEXt", b"a\x00"), some_pixels(), THE_END), id="pixels apart"
        ),
        pytest.param(a_png_of(a_header(), chunk(b"CgBI", bytes(4)), some_pixels(), THE_END), id="unknown and critical"),
        pytest.param(a_png_of(a_header(), chunk(b"a\x00b!", b""), some_pixels(), THE_END), id="no name"),
        pytest.param(a_png_of(a_header(colour=3), some_pixels(), THE_END), id="no palette"),
        pytest.param(a_png_of(a_header(), chunk(b"PLTE", bytes(4)), some_pixels(), THE_END), id="broken palette"),
        pytest.param(a_png_of(a_header(), chunk(b"PLTE", bytes(900)), some_pixels(), THE_END), id="large palette"),
        pytest.param(a_png_of(a_header(), *[chunk(b"PLTE", bytes(3))] * 2, some_pixels(), THE_END), id="two palettes"),
        pytest.param(a_png_of(a_header(), some_pixels(), chunk(b"PLTE", bytes(3)), THE_END), id="palette last"),
        pytest.param(a_png_of(a_header(width=0), some_pixels(), THE_END), id="no width"),
        pytest.param(a_png_of(a_header(height=0), some_pixels(), THE_END), id="no height"),
        pytest.param(a_png_of(a_header(height=1 << 31), some_pixels(), THE_END), id="more than PNG knows"),
        pytest.param(a_png_of(a_header(colour=5), some_pixels(), THE_END), id="unknown colours"),
        pytest.param(a_png_of(a_header(depth=4), some_pixels(), THE_END), id="depth that RGB has not"),
        pytest.param(a_png_of(a_header(interlace=2), some_pixels(), THE_END), id="unknown interlace"),
        pytest.param(a_png_of(chunk(b"IHDR", bytes(12)), some_pixels(), THE_END), id="short header"),
        pytest.param(a_png()[:33] + struct.pack(">I", 0xFFFFFFFF) + a_png()[37:], id="endless chunk"),
    ],
)
def test_a_broken_structure_is_corrupt(body: bytes) -> None:
    assert reason_for(body) == "corrupt"


def test_a_size_that_no_picture_should_have_is_refused() -> None:
    assert reason_for(a_png_of(a_header(39_000, 39_000, 1, 0), some_pixels(), THE_END)) == "pixel_limit"
    assert reason_for(a_png_of(a_header(5001, 5000), some_pixels(), THE_END)) == "pixel_limit"
    assert reason_for(a_png_of(a_header(99, 500), some_pixels(), THE_END)) == "too_small"
    assert open_envelope(a_png_of(a_header(5000, 5000), some_pixels(), THE_END), None).width == 5000
    assert open_envelope(a_png_of(a_header(99, 500), some_pixels(), THE_END), None, PORTRAIT).width == 99


def test_a_palette_that_grey_has_no_use_for_is_dropped_and_a_transparency_of_no_colour() -> None:
    grey = saved(a_scene().convert("L"), "PNG")
    palette = saved(a_scene().convert("P"), "PNG")
    head, rest = palette[: palette.index(b"IDAT") - 4], palette[palette.index(b"IDAT") - 4 :]

    assert stored(with_chunks(chunk(b"PLTE", b"secret"), body=grey)) == grey
    assert stored(head + chunk(b"tRNS", bytes(257)) + rest) == palette
    assert stored(with_chunks(chunk(b"tRNS", bytes(3)), body=palette)) == palette
    assert stored(head + chunk(b"tRNS", bytes(3)) + rest) == head + chunk(b"tRNS", bytes(3)) + rest


def test_the_walk_tells_where_each_chunk_is() -> None:
    body = with_chunks(chunk(b"tEXt", b"a\x00b"))

    walked = list(chunks(body))

    assert [each.kind for each in walked][:2] == [b"IHDR", b"tEXt"]
    assert (walked[0].start, walked[1].start, walked[1].payload, walked[-1].end) == (8, 33, b"a\x00b", len(body))
    assert all(before.end == after.start for before, after in pairwise(walked))
