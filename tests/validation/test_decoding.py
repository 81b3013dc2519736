"""What the look decodes: the picture as people see it, its fingerprint, and at what cost."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.validation import decoding, png
from services.validation.quality.similar import distance
from tests.validation.pictures import (
    UNCOMMON,
    a_grey_jpeg_sampled,
    a_header,
    a_jpeg,
    a_png_bomb,
    a_png_of,
    a_scene,
    looked,
    sample,
    saved,
)


def test_a_fingerprint_has_256_bits_and_there_is_none_of_what_was_not_decoded() -> None:
    card = sample("id_front.jpg")

    one, smaller, another = (
        looked(saved(picture, "JPEG", quality=quality), kind="codec").fingerprint
        for picture, quality in ((card, 90), (card.resize((700, 442)), 40), (sample("mixed.JpG"), 90))
    )

    assert one is not None
    assert len(one) == 32
    assert distance(one, smaller) < 0.03
    assert distance(one, another) > 0.2
    assert looked(a_jpeg()[:3000]).fingerprint is None
    assert looked(a_png_bomb(6000)).fingerprint is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("orientation", "undo"), [(3, 180), (6, 90), (8, 270)])
def test_a_picture_is_judged_as_its_orientation_shows_it(kind: str, orientation: int, undo: int) -> None:
    page = sample("id_front.jpg").resize((707, 446))
    exif = Image.Exif()
    exif[0x0112] = orientation
    as_stored = page.rotate(undo, expand=True).quantize(64).convert("RGB" if kind == "JPEG" else "P")

    shown_upright = looked(saved(as_stored, kind, exif=exif.tobytes()))
    shown_as_stored = looked(saved(as_stored, kind))

    assert shown_upright.check.verdict == "accept"
    assert shown_as_stored.check.reason == "orientation"
    assert distance(shown_upright.fingerprint, looked(saved(page, "JPEG")).fingerprint) < 0.06


def test_a_mirrored_orientation_is_undone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 5
    page = sample("id_front.jpg")

    transposed = looked(saved(page.transpose(Image.Transpose.TRANSPOSE), "JPEG", exif=exif.tobytes()))

    assert transposed.check.verdict == "accept"
    assert distance(transposed.fingerprint, looked(saved(page, "JPEG")).fingerprint) < 0.03


def test_what_is_transparent_is_judged_as_the_white_that_people_see() -> None:
    hidden = sample("id_front.jpg").resize((500, 316)).convert("RGBA")
    hidden.putalpha(0)

    assert looked(saved(hidden, "PNG")).check.reason == "blank"


@pytest.mark.parametrize(("width", "height"), [(300, 200), (3300, 210), (102, 3002), (3002, 108)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "1"])
def test_a_png_is_decoded_as_pillow_does_it_whatever_its_size(mode: str, width: int, height: int) -> None:
    picture = a_scene(width, height)
    picture.putalpha(Image.linear_gradient("L").resize((width, height)))
    picture = picture.convert(mode)

    decoded = png.decode(saved(picture, "PNG"))

    expected = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA")).convert("RGB")
    expected = expected.resize((decoded.shape[1], decoded.shape[0]), Image.Resampling.BOX)
    difference = np.abs(np.asarray(expected, np.int16)[..., ::-1] - decoded)
    assert difference.mean() < 2
    assert decoded.shape[1] / decoded.shape[0] == pytest.approx(width / height, rel=0.05)
    assert max(decoded.shape) == (max(width, height) if max(width, height) <= 3000 else max(width, height) // 2)


@pytest.mark.parametrize("has_marker", [True, False], ids=["with Adobe's marker", "without"])
def test_the_colours_of_a_cmyk_jpeg_are_those_that_pillow_and_browsers_show(has_marker: bool) -> None:
    body = saved(a_scene().convert("CMYK"), "JPEG", quality=95)
    if not has_marker:
        assert body[2:4] == b"\xff\xee"
        body = body[:2] + body[4 + int.from_bytes(body[4:6]) :]

    pixels = decoding._decode_jpeg(body, {})

    assert np.abs(_as_pillow_shows(body) - pixels).mean() < 3


@pytest.mark.parametrize("sampling", UNCOMMON)
def test_an_uncommon_chroma_sampling_is_decoded_as_pillow_does_it(sampling: tuple[int, int]) -> None:
    body = a_grey_jpeg_sampled(*sampling, colour=True)

    pixels = decoding._decode_jpeg(body, {})

    assert pixels.shape == (128, 160, 3)
    assert int(pixels[..., 0].max()) > 200
    assert np.abs(_as_pillow_shows(body) - pixels).mean() < 3


def test_a_large_jpeg_of_an_uncommon_sampling_is_scaled_down_by_the_decoder() -> None:
    pixels = decoding._decode_jpeg(a_grey_jpeg_sampled(4, 2, 3200, 3200), {})

    assert pixels.shape == (1600, 1600, 3)


def _as_pillow_shows(body: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(body)) as opened:
        return np.asarray(opened.convert("RGB"), np.int16)[..., ::-1]


_MEASURED = """
import pathlib, resource, sys, time
from tests.validation.pictures import a_jpeg, looked
looked(a_jpeg())  # loads the models
body = pathlib.Path(sys.argv[1]).read_bytes()
pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
status = lambda name: int(next(l for l in open("/proc/self/status") if l.startswith(name)).split()[1]) // 1024
before, began = status("VmRSS"), time.process_time()
looked(body)
print(status("VmHWM") - before, time.process_time() - began)
"""


def _a_large_png(depth: int, colour: int, channels: int, interlace: int) -> bytes:
    kind, header = a_header(5000, 5000, depth, colour)
    rows = png._inflated_size(png.Header._make(struct.unpack(">IIBBBBB", header[:-1] + bytes([interlace]))))
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(min(1 << 20, rows - at))) for at in range(0, rows, 1 << 20)) + packer.flush()
    return a_png_of((kind, header[:-1] + bytes([interlace])), (b"IDAT", data), (b"IEND", b""))


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda: _a_large_png(8, 6, 4, 0), id="RGBA"),
        pytest.param(lambda: _a_large_png(16, 6, 8, 1), id="RGBA of 16 bits, interlaced"),
        pytest.param(lambda: _a_large_png(8, 0, 1, 1), id="grey, interlaced"),
        pytest.param(
            lambda: saved(Image.new("CMYK", (4990, 5000), (9, 90, 200, 20)), "JPEG", quality=1, progressive=True),
            id="CMYK, progressive",
        ),
        pytest.param(
            lambda: saved(
                Image.new("RGB", (4990, 5000), (9, 90, 200)), "JPEG", quality=1, progressive=True, subsampling=0
            ),
            id="4:4:4, progressive",
        ),
    ],
)
def test_the_largest_files_take_two_seconds_and_300_megabytes_at_most(
    body: Callable[[], bytes], tmp_path: Path
) -> None:
    file = tmp_path / "large"
    file.write_bytes(body())

    done = subprocess.run([sys.executable, "-c", _MEASURED, str(file)], capture_output=True, text=True, timeout=100)

    assert done.returncode == 0, done.stderr
    megabytes, seconds = map(float, done.stdout.split())
    assert megabytes < 300
    assert seconds < 2
