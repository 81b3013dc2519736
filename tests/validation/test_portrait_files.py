"""The photo check on files: what is opened, what is refused, and the photo that comes out."""

import io
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from services.validation.portraits.checking import check_portrait
from services.validation.portraits.opening import Refused, open_picture
from shared.contracts.rules import PhotoRule
from shared.images.limits import PORTRAIT
from tests.validation.pictures import UNCOMMON, a_grey_jpeg_sampled, a_header, a_png_of, damaged
from tests.validation.portraits import RULE, codes, figure, jpeg, judged, on, on_white


def _saved(image: Image.Image, kind: str, **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def _image() -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(on_white()[:, :, ::-1]))


def _transparent() -> Image.Image:
    person, share = figure()
    return Image.fromarray(np.dstack((person[:, :, ::-1], (share * 255).astype(np.uint8))))


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize(
    "body",
    [
        lambda: _saved(_image(), "JPEG", quality=90, progressive=True),
        lambda: _saved(_image(), "JPEG", quality=90, subsampling="4:4:4"),
        lambda: _saved(_image(), "PNG"),
        lambda: _saved(_transparent(), "PNG"),
        lambda: _saved(_image().quantize(250), "PNG"),
        lambda: _saved(_image().convert("CMYK"), "JPEG", quality=92),
        lambda: _saved(_image().transpose(Image.Transpose.ROTATE_90), "JPEG", quality=92, exif=_exif(6)),
    ],
    ids=["progressive", "4:4:4", "png", "transparent png", "png of few colours", "cmyk", "turned by its exif"],
)
def test_whatever_holds_a_good_portrait_passes(body: Callable[[], bytes]) -> None:
    portrait = judged(body())

    assert (portrait.verdict, portrait.width, portrait.height) == ("pass", 900, 1200)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_set_upright(orientation: int) -> None:
    stored = _image().resize((240, 320))
    body = _saved(stored, "JPEG", quality=95, exif=_exif(orientation))
    with Image.open(io.BytesIO(body)) as opened:
        expected = np.asarray(_upright(opened, orientation))

    picture = open_picture(body, "image/jpeg", 2000)

    assert picture.bgr.shape == expected.shape
    assert float(np.abs(picture.bgr[:, :, ::-1].astype(int) - expected).mean()) < 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turns = [None, *(Image.Transpose(value) for value in (0, 3, 1, 5, 4, 6, 2))]
    turn = turns[orientation - 1]
    return image.convert("RGB") if turn is None else image.convert("RGB").transpose(turn)


def test_colour_below_transparency_is_not_seen() -> None:
    hidden = Image.new("RGBA", (300, 400), (0, 0, 255, 0))

    picture = open_picture(_saved(hidden, "PNG"), "image/png", 2000)

    assert int(picture.bgr.min()) == 255


def _png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def _jpeg_claiming(width: int, height: int) -> bytes:
    body = bytearray(jpeg(on_white(width=300, height=400, scale=1.0)))
    frame = body.index(b"\xff\xc0")
    body[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(body)


def _animated() -> bytes:
    frames = [Image.new("RGB", (300, 400), (grey, grey, grey)) for grey in (0, 128, 255)]
    return _saved(frames[0], "PNG", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda: b"", "empty"),
        (lambda: b"\xff\xd8\xff" + b"\0" * PORTRAIT.most_bytes, "too_large_bytes"),
        (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200, "heic"),
        (lambda: b"GIF89a" + b"\0" * 200, "unsupported_format"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format"),
        (lambda: b"\xff\xd8\xff", "corrupt"),
        (lambda: b"\x89PNG\r\n\x1a\n\0\0", "corrupt"),
        (lambda: _saved(_image(), "JPEG")[:-2000], "corrupt"),
        (lambda: _saved(_image(), "PNG")[:-2000], "corrupt"),
        (lambda: _jpeg_claiming(65_000, 65_000), "pixel_limit"),
        (lambda: _jpeg_claiming(300, 0), "corrupt"),
        (lambda: _png_claiming(50_000, 50_000), "pixel_limit"),
        (lambda: _png_claiming(7_000, 7_000), "pixel_limit"),
        (lambda: _png_claiming(900, 1200), "corrupt"),
        (lambda: _animated(), "animated"),
        (lambda: _saved(Image.new("RGB", (60, 80)), "JPEG"), "too_few_pixels"),
    ],
    ids=[
        "empty", "over 10 MB", "heic", "gif", "svg", "jpeg of three bytes", "png of ten bytes", "jpeg cut short",
        "png cut short", "jpeg of 65000", "jpeg of no height", "png of 50000", "png of 7000", "png without its rows",
        "animated", "tiny",
    ],
)  # fmt: skip
def test_what_is_no_portrait_is_refused_with_the_reason(body: Callable[[], bytes], code: str) -> None:
    portrait = judged(body())

    assert (portrait.verdict, codes(portrait), portrait.picture) == ("fail", [code], None)


def test_a_file_sent_as_heic_is_told_how_to_convert_it() -> None:
    portrait = check_portrait(b"\x01\x02 nothing known", "image/heic", RULE)

    assert codes(portrait) == ["heic"]


def test_flipped_bits_are_noticed() -> None:
    body = bytearray(_saved(_image(), "JPEG", quality=92))
    for at in range(len(body) // 3, len(body) - 100, 997):
        body[at] ^= 0x55

    assert codes(judged(bytes(body))) == ["corrupt"]


@pytest.mark.parametrize("sampling", UNCOMMON)
def test_damage_is_noticed_whatever_the_chroma_sampling(sampling: tuple[int, int]) -> None:
    sound = a_grey_jpeg_sampled(*sampling)

    assert open_picture(sound, "image/jpeg", 2000).bgr.shape == (128, 160, 3)
    for body in damaged(sound).values():
        with pytest.raises(Refused, match="corrupt"):
            open_picture(body, "image/jpeg", 2000)


def test_scans_repeated_over_a_large_picture_are_too_complex() -> None:
    body = _saved(_image().resize((3000, 4000)), "JPEG", quality=60, progressive=True)
    start = body.index(b"\xff\xda")
    scan = body[start : body.index(b"\xff", start + 14)]

    with pytest.raises(Refused, match="too_complex"):
        open_picture(body[:start] + scan * 80 + body[start:], "image/jpeg", 2000)


def test_bytes_hidden_in_the_pixels_chunks_of_a_png_are_refused() -> None:
    rows = bytes((1 + 3 * 120) * 120)
    hidden = b"<?php PAYLOAD ?>"

    behind_the_stream = a_png_of(a_header(120, 120), (b"IDAT", zlib.compress(rows) + hidden), (b"IEND", b""))
    behind_the_last_row = a_png_of(a_header(120, 120), (b"IDAT", zlib.compress(rows + hidden)), (b"IEND", b""))
    sound = a_png_of(a_header(120, 120), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))

    assert open_picture(sound, "image/png", 2000).bgr.shape == (120, 120, 3)
    for body in (behind_the_stream, behind_the_last_row):
        assert codes(judged(body)) == ["trailing_data"]


def test_a_large_picture_is_decoded_at_a_fraction() -> None:
    body = jpeg(on_white(width=3000, height=4000, scale=10))

    picture = open_picture(body, "image/jpeg", 2000)

    assert (picture.full_width, picture.full_height) == (3000, 4000)
    assert picture.bgr.shape[0] == 2000
    assert picture.reduced == 2


@pytest.mark.parametrize("noise", [0, 6], ids=["smooth", "grainy"])
def test_the_photo_has_the_official_size_and_leaves_room_for_its_receipt(noise: float) -> None:
    grain = np.random.default_rng(4).normal(0, max(noise, 0.01), (1200, 900, 3))
    picture = np.clip(on_white() + grain, 0, 255).astype(np.uint8)

    body = judged(picture, room=900).picture or b""

    assert 20_000 < len(body) < 30_000 - 900
    with Image.open(io.BytesIO(body)) as photo:
        assert (photo.format, photo.size, photo.mode) == ("JPEG", (390, 567), "RGB")
        assert photo.info["dpi"] == (300, 300)
        assert set(photo.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "dpi",
            "progressive",
            "progression",
        }


def test_the_head_stands_in_the_photo_as_the_standard_asks() -> None:
    portrait = judged(on_white(width=2000, height=2400, scale=4.5, across=0.4, crown=0.2))

    again = judged(portrait.picture or b"")

    assert again.verdict == "pass"
    assert 0.58 <= again.metrics["head_share"] <= 0.69
    assert again.metrics["enlarged"] == pytest.approx(1, abs=0.08)


def test_a_near_white_background_becomes_white_and_the_face_stays() -> None:
    before = judged(on((240, 243, 246)))
    photo = cv2.imdecode(np.frombuffer(before.picture or b"", np.uint8), cv2.IMREAD_COLOR)

    assert photo is not None
    assert int(np.median(photo[:30])) >= 254
    assert judged(before.picture or b"").metrics["face_lightness"] == pytest.approx(
        before.metrics["face_lightness"], abs=1.5
    )


def test_a_photo_that_fits_at_no_decent_quality_is_over_compressed() -> None:
    rule = PhotoRule(width_px=1200, height_px=1600, width_mm=36, height_mm=48, max_bytes=10_000)
    sharp = on_white(width=2400, height=3200, scale=9)

    portrait = judged(sharp, rule)

    assert (portrait.verdict, codes(portrait)) == ("fail", ["over_compressed"])


def test_nothing_of_the_file_but_its_picture_gets_into_the_photo() -> None:
    exif = _exif(1)
    exif[0x010E] = "SECRET-WORDS"
    body = _saved(_image(), "JPEG", quality=90, exif=exif, comment=b"SECRET-COMMENT") + b"SECRET-TAIL"

    photo = judged(body).picture or b""

    assert len(photo) > 10_000
    assert b"SECRET" not in photo
