"""The sample files at the door: what each of them is told, and what of it would be stored."""

import time

import pytest

from shared.images.envelope import EnvelopeRefused, open_envelope
from tests.images.parts import SAMPLES, a_png, pixels, sample

TAKEN = [
    "black.png",
    "blur_heavy.jpg",
    "exif_thumb_differs.jpg",
    "go_221212.jpeg",
    "go_invalid-zlib.png",  # its chunks are sound; that its pixels are not is for validation to see
    "go_progressive_truncated.jpeg",
    "hopper_orientation_2.jpg",
    "id_front.jpg",
    "jpeg_ff00_header.jpg",
    "junk_jpeg_header.jpg",
    "mixed.JpG",
    "near_blank_noise.jpg",
    "size_200000.jpg",
    "upside_down.jpg",
    "yuv444_restart.jpg",
]
REFUSED = {
    "bomb_iccp_100mb.png": "corrupt",
    "crash_j2k.jpg": "unsupported_format",
    "empty.jpg": "empty",
    "go_invalid-trunc.png": "corrupt",
    "hole_zero_tail.jpg": "corrupt",
    "huge_header.jpg": "pixel_limit",
    "icc-after-SOF.jpg": "too_small",
    "is_gif.jpg": "unsupported_format",
    "is_heic.jpg": "unsupported_format",
    "is_html.jpg": "unsupported_format",
    "is_jp2.jpg": "unsupported_format",
    "is_svg.png": "unsupported_format",
    "is_webp.jpg": "unsupported_format",
    "is_zip.jpg": "unsupported_format",
    "jp2_16bit.jpg": "unsupported_format",
    "jpg_named.png": "extension_mismatch",
    "magic_only.png": "corrupt",
    "oom_tif.jpg": "unsupported_format",
    "png_4000_text.png": "metadata_excess",
    "png_crc_ihdr.png": "corrupt",
    "pngsuite_basn0g01.png": "too_small",
    "pngsuite_ftbbn3p08.png": "too_small",
    "poly_gif_head.jpg": "unsupported_format",
    "poly_html_com.jpg": "active_content",
    "poly_php_com.jpg": "active_content",
    "pypng_basn0g08.png": "too_small",
    "scan_bitflips.jpg": "corrupt",
    "timeout_fli.jpg": "unsupported_format",
    "trunc_60.jpg": "corrupt",
    "trunc_95.jpg": "corrupt",
    "x_bw_deflate_tiff.png": "unsupported_format",
    "zero_height.jpg": "corrupt",
}


def test_every_sample_is_spoken_of_here() -> None:
    there = {file.name for file in SAMPLES.iterdir() if file.suffix.lower() in {".jpg", ".jpeg", ".png"}}

    assert there == {*TAKEN, *REFUSED}


@pytest.mark.parametrize("name", TAKEN)
def test_a_sample_that_is_taken_keeps_its_pixels_and_comes_out_of_a_second_envelope_unchanged(name: str) -> None:
    body = sample(name)

    opened = open_envelope(body, name)

    assert open_envelope(body, name) == opened
    assert open_envelope(opened.body, name) == opened
    assert len(opened.body) <= len(body)
    if name != "go_invalid-zlib.png":
        assert (pixels(opened.body) == pixels(body)).all()
        assert pixels(opened.body).shape[:2] == (opened.height, opened.width)


@pytest.mark.parametrize("name", REFUSED)
def test_a_sample_that_is_refused_is_told_why_each_time(name: str) -> None:
    for _ in range(2):
        with pytest.raises(EnvelopeRefused) as refused:
            open_envelope(sample(name), name)

        assert refused.value.reason == REFUSED[name]


def test_numbers_beyond_a_limit_are_told() -> None:
    with pytest.raises(EnvelopeRefused) as huge:
        open_envelope(sample("huge_header.jpg"), None)
    with pytest.raises(EnvelopeRefused) as small:
        open_envelope(sample("pypng_basn0g08.png"), None)
    with pytest.raises(EnvelopeRefused) as long:
        open_envelope(sample("mixed.JpG") + bytes(204_801 - 59_274), None)

    assert (huge.value.measured, huge.value.limit) == (65_500 * 65_500, 25_000_000)
    assert (small.value.measured, small.value.limit) == (32, 100)
    assert (long.value.reason, long.value.measured, long.value.limit) == ("too_large_bytes", 204_801, 204_800)


def test_a_thumbnail_that_shows_another_picture_is_not_stored() -> None:
    body = sample("exif_thumb_differs.jpg")

    stored = open_envelope(body, None).body

    assert b"SECRET-THUMB-7F3A" in body
    assert b"SECRET-THUMB-7F3A" not in stored
    assert b"Exif" not in stored


def test_the_orientation_of_a_sample_is_kept_and_told() -> None:
    opened = open_envelope(sample("hopper_orientation_2.jpg"), None)

    assert opened.orientation == 2
    assert opened.body.count(b"Exif\x00\x00") == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("photo.JPEG", None),
        ("photo.JpG", None),
        ("../../../../etc/passwd.jpg", None),
        ("C:\\Users\\me\\a.jpg", None),
        ("a" * 300 + ".jpg", None),
        ("a\r\nX-Evil: 1.jpg", None),
        ("=cmd|'/c calc'!A0.jpg", None),
        ("毕业证.jpg", None),
        ("a.jpg\x00.php", "bad_filename"),
        ("a.php\x00.jpg", "bad_filename"),
        ("a.jpg%00.php", "bad_filename"),
        ("photo", "extension_mismatch"),
        ("", "extension_mismatch"),
        (".jpg", "extension_mismatch"),
        ("photo.png", "extension_mismatch"),
        ("photo.jpg.php", "extension_mismatch"),
        ("photo.jpg/evil", "extension_mismatch"),
    ],
)
def test_a_name_needs_an_extension_that_tells_the_truth(name: str, told: str | None) -> None:
    body = sample("mixed.JpG")

    if told is None:
        assert open_envelope(body, name) == open_envelope(body, None)
    else:
        with pytest.raises(EnvelopeRefused) as refused:
            open_envelope(body, name)
        assert refused.value.reason == told


def test_a_heic_photo_is_told_how_to_convert_it() -> None:
    with pytest.raises(EnvelopeRefused) as heic:
        open_envelope(sample("is_heic.jpg"), "photo.heic")
    with pytest.raises(EnvelopeRefused) as gif:
        open_envelope(sample("is_gif.jpg"), "photo.gif")

    assert (heic.value.reason, heic.value.words) == ("unsupported_format", "unsupported_format_heic")
    assert (gif.value.reason, gif.value.words) == ("unsupported_format", "unsupported_format")


@pytest.mark.parametrize("body", [sample("size_200000.jpg"), a_png(), sample("bomb_iccp_100mb.png")])
def test_a_look_costs_next_to_nothing(body: bytes) -> None:
    started = time.process_time()
    for _ in range(20):
        try:
            open_envelope(body, None)
        except EnvelopeRefused:
            continue

    # Each takes 0.1 to 0.6 ms; a loop over every byte in Python would take 20 ms.
    assert time.process_time() - started < 0.4
