"""The look at an image's bytes: what is accepted, what is not, and that nothing breaks it."""

import random
import struct
import time
import tracemalloc
import zlib

import pytest
from PIL import Image

from services.validation.decoding import look
from services.validation.domain import LARGEST_BYTES, LEAST_SIDE_PX, MOST_PIXELS
from services.validation.png import PNG_MAGIC
from tests.validation.pictures import (
    UNCOMMON,
    a_grey_jpeg_sampled,
    a_header,
    a_jpeg,
    a_jpeg_that_claims,
    a_png,
    a_png_bomb,
    a_png_of,
    a_scene,
    damaged,
    looked,
    looked_at,
    saved,
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(a_jpeg(), id="JPEG"),
        pytest.param(saved(a_scene(), "JPEG", progressive=True), id="progressive"),
        pytest.param(saved(a_scene(), "JPEG", subsampling=0), id="4:4:4"),
        pytest.param(saved(a_scene(), "JPEG", restart_marker_blocks=4), id="restart markers"),
        pytest.param(saved(a_scene(), "JPEG", keep_rgb=True), id="RGB"),
        pytest.param(saved(a_scene().convert("L"), "JPEG"), id="grey"),
        pytest.param(saved(a_scene().convert("CMYK"), "JPEG"), id="CMYK"),
        pytest.param(
            saved(a_scene(), "MPO", save_all=True, append_images=[a_scene()]), id="MPO, of which the first counts"
        ),
        pytest.param(a_grey_jpeg_sampled(4, 2), id="4:1:0"),
        pytest.param(a_grey_jpeg_sampled(1, 4), id="1x4"),
        pytest.param(a_grey_jpeg_sampled(3, 1), id="3x1"),
        pytest.param(a_grey_jpeg_sampled(4, 2, colour=True), id="4:1:0 in colour"),
        pytest.param(a_png(), id="PNG"),
        pytest.param(saved(a_scene().convert("L"), "PNG"), id="grey PNG"),
        pytest.param(saved(a_scene().convert("LA"), "PNG"), id="grey with alpha"),
        pytest.param(saved(a_scene().convert("RGBA"), "PNG"), id="alpha"),
        pytest.param(saved(a_scene().convert("P"), "PNG"), id="palette"),
        pytest.param(saved(a_scene().convert("1"), "PNG"), id="one bit"),
        pytest.param(saved(Image.new("L", (LEAST_SIDE_PX, LEAST_SIDE_PX)), "PNG"), id="just large enough"),
        pytest.param(a_png_bomb(5000), id="exactly as many pixels as may be"),
    ],
)
def test_a_sound_image_is_accepted(body: bytes) -> None:
    check = looked_at(body)

    assert (check.verdict, check.reason, check.findings) == ("accept", "ok", ())


def test_the_size_in_pixels_is_told() -> None:
    assert looked_at(a_jpeg()).metrics == {"width_px": 320, "height_px": 240}
    assert looked_at(a_png()).metrics == {"width_px": 320, "height_px": 240}


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("body", [a_jpeg(), saved(a_scene(), "JPEG", progressive=True), a_png()])
def test_a_truncated_file_is_corrupt(body: bytes, share: float) -> None:
    assert looked_at(body[: int(len(body) * share)]).reason == "corrupt"


@pytest.mark.parametrize("missing", [1, 2, 10])
def test_a_few_missing_bytes_at_the_end_are_noticed(missing: int) -> None:
    assert looked_at(a_jpeg()[:-missing]).reason == "corrupt"
    assert looked_at(a_png()[:-missing]).reason == "corrupt"


def test_flipped_bits_in_a_jpeg_are_noticed() -> None:
    noticed = 0
    for seed in range(40):
        chance = random.Random(seed)
        body = bytearray(a_jpeg())
        for _ in range(20):
            body[chance.randrange(700, len(body) - 2)] ^= 1 << chance.randrange(8)
        noticed += looked_at(bytes(body)).reason == "corrupt"

    # A flip may by chance leave coded data that is legal all through; twenty of them hardly do.
    assert noticed >= 38


def test_any_flipped_byte_of_a_png_is_noticed() -> None:
    chance = random.Random(1)

    for at in [*range(len(PNG_MAGIC), 60), *(chance.randrange(60, len(a_png())) for _ in range(200))]:
        body = bytearray(a_png())
        body[at] ^= 1 << chance.randrange(8)
        assert looked_at(bytes(body)).reason == "corrupt", at


@pytest.mark.parametrize("sampling", [(2, 2), *UNCOMMON])
def test_damage_is_noticed_whatever_the_chroma_sampling(sampling: tuple[int, int]) -> None:
    broken = damaged(a_grey_jpeg_sampled(*sampling))

    assert {what: looked_at(body).reason for what, body in broken.items()} == dict.fromkeys(broken, "corrupt")


def test_a_tail_of_zeros_as_a_broken_upload_leaves_it_is_corrupt() -> None:
    body = a_jpeg()

    assert looked_at(body[: len(body) // 2] + bytes(len(body) - len(body) // 2)).reason == "corrupt"


def test_a_png_whose_chunks_are_sound_and_whose_pixels_are_not_is_corrupt() -> None:
    rows = zlib.compress(bytes((1 + 3 * 120) * 120))
    half = zlib.compress(bytes((1 + 3 * 120) * 60))
    end = (b"IEND", b"")

    sound = a_png_of(a_header(120, 120), (b"IDAT", rows), end)
    half_the_rows = a_png_of(a_header(120, 120), (b"IDAT", half), end)
    no_pixels = a_png_of(a_header(120, 120), end)
    broken_stream = a_png_of(a_header(120, 120), (b"IDAT", rows[:20] + b"\xff" * 20 + rows[40:]), end)
    no_end = a_png_of(a_header(120, 120), (b"IDAT", rows))
    two_headers = a_png_of(a_header(120, 120), a_header(4000, 4000), (b"IDAT", rows), end)
    headless = a_png_of((b"IDAT", rows), a_header(120, 120), end)

    assert looked_at(sound).verdict == "accept"
    for body in (half_the_rows, no_pixels, broken_stream, no_end, two_headers, headless):
        assert looked_at(body).reason == "corrupt"


@pytest.mark.parametrize(("width", "height"), [(100, 100), (123, 101), (101, 257)])
def test_an_interlaced_png_is_accepted_with_all_its_rows_only(width: int, height: int) -> None:
    # Adam7: which of the seven passes each pixel of a tile of eight by eight is in.
    tile = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"]
    size = 0
    for number in "1234567":
        rows = [sum(tile[y % 8][x % 8] == number for x in range(width)) for y in range(height)]
        size += sum(1 + 3 * pixels for pixels in rows if pixels)
    kind, header = a_header(width, height)
    interlaced = (kind, header[:-1] + b"\x01")

    whole = a_png_of(interlaced, (b"IDAT", zlib.compress(bytes(size))), (b"IEND", b""))
    one_byte_less = a_png_of(interlaced, (b"IDAT", zlib.compress(bytes(size - 1))), (b"IEND", b""))

    assert looked_at(whole).reason == "ok"
    assert looked_at(one_byte_less).reason == "corrupt"


def test_pixels_in_many_small_chunks_are_whole() -> None:
    rows = zlib.compress(bytes((1 + 3 * 2000) * 1500), 9)
    pieces = [(b"IDAT", rows[at : at + 7]) for at in range(0, len(rows), 7)]

    assert looked_at(a_png_of(a_header(2000, 1500), *pieces, (b"IEND", b""))).reason == "ok"


def test_bytes_that_are_not_the_uploaded_ones_are_corrupt() -> None:
    seen = look(a_jpeg(), "0" * 64, "image/jpeg")

    assert (seen.check.verdict, seen.check.reason) == ("reject", "corrupt")
    assert seen.fingerprint is None


def test_nothing_at_all_is_empty() -> None:
    assert looked_at(b"").reason == "empty"


def test_one_byte_over_the_limit_is_too_large() -> None:
    padded = a_jpeg() + bytes(LARGEST_BYTES - len(a_jpeg()))

    assert looked_at(padded).verdict == "accept"
    check = looked_at(padded + b"\x00")
    assert (check.reason, check.findings[0].measured, check.findings[0].limit) == ("too_large_bytes", 204_801, 204_800)


@pytest.mark.parametrize(
    "body",
    [
        *(saved(a_scene(160, 120), kind) for kind in ("GIF", "WEBP", "TIFF", "BMP")),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"GIF89a" + a_jpeg(),
        b"\x00" * 1000,
    ],
)
def test_other_formats_are_refused_whatever_they_are_called(body: bytes) -> None:
    assert looked_at(body, "image/jpeg").reason == "unsupported_format"
    assert looked_at(body, "image/png").reason == "unsupported_format"


def test_content_that_is_not_what_was_declared_is_refused() -> None:
    assert looked_at(a_jpeg(), "image/png").reason == "extension_mismatch"
    assert looked_at(a_png(), "image/jpeg").reason == "extension_mismatch"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(a_jpeg_that_claims(65_500, 65_500), id="JPEG that claims 65500²"),
        pytest.param(a_jpeg_that_claims(5_001, 5_000), id="JPEG just above"),
        pytest.param(a_png_bomb(39_000), id="39000² in 190 KB"),
        pytest.param(a_png_bomb(12_000), id="12000², of which Pillow only warns"),
        pytest.param(a_png_bomb(5_001), id="PNG just above"),
    ],
)
def test_more_pixels_than_may_be_are_refused_before_they_are_decoded(body: bytes) -> None:
    started = time.process_time()
    check = looked_at(body)
    took = time.process_time() - started

    assert check.reason == "pixel_limit"
    assert check.findings[0].limit == MOST_PIXELS
    assert check.findings[0].measured > MOST_PIXELS
    assert took < 0.1


def test_a_jpeg_that_claims_twice_its_height_is_corrupt() -> None:
    assert looked_at(a_jpeg_that_claims(320, 480)).reason == "corrupt"


def test_a_jpeg_without_height_is_corrupt() -> None:
    assert looked_at(a_jpeg_that_claims(320, 0)).reason == "corrupt"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_side_below_the_least_is_too_small(kind: str) -> None:
    check = looked_at(saved(Image.new("RGB", (LEAST_SIDE_PX - 1, 500)), kind))

    assert (check.reason, check.findings[0].measured, check.findings[0].limit) == ("too_small", 99, 100)


def test_an_animated_png_is_refused() -> None:
    frames = [a_scene().rotate(turn) for turn in (10, 20)]

    check = looked_at(saved(a_scene(), "PNG", save_all=True, append_images=frames))

    assert (check.reason, check.findings[0].measured) == ("animated", 3)


def test_sixteen_bit_grey_is_refused() -> None:
    body = saved(Image.new("I;16", (200, 200), 40_000), "PNG")

    assert looked_at(body).reason == "unsupported_colorspace"


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt"])
def test_a_chunk_that_inflates_to_a_hundred_megabytes_costs_nothing(kind: bytes) -> None:
    packer = zlib.compressobj(6)
    flood = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    rows = zlib.compress(bytes((1 + 3 * 120) * 120))
    body = a_png_of(a_header(120, 120), (kind, b"x\x00\x00" + flood), (b"IDAT", rows), (b"IEND", b""))

    started = time.process_time()
    check = looked_at(body)

    assert check.reason in {"ok", "corrupt"}
    assert time.process_time() - started < 1


def test_pixels_that_inflate_to_far_more_than_the_picture_are_not_inflated_to_the_end() -> None:
    packer = zlib.compressobj(6)
    flood = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    body = a_png_of(a_header(120, 120), (b"IDAT", flood), (b"IEND", b""))

    tracemalloc.start()
    looked_at(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 20_000_000


def test_bytes_behind_the_pixels_in_their_own_chunks_are_refused() -> None:
    size = (1 + 3 * 120) * 120
    end = (b"IEND", b"")
    stream = zlib.compress(bytes(size))

    behind_the_stream = a_png_of(a_header(120, 120), (b"IDAT", stream + b"PK\x03\x04"), end)
    in_a_chunk_of_their_own = a_png_of(a_header(120, 120), (b"IDAT", stream), (b"IDAT", b"PK\x03\x04"), end)
    behind_the_last_row = a_png_of(a_header(120, 120), (b"IDAT", zlib.compress(bytes(size + 4))), end)
    without_its_checksum = a_png_of(a_header(120, 120), (b"IDAT", stream[:-4]), end)

    assert [
        looked_at(body).reason
        for body in (behind_the_stream, in_a_chunk_of_their_own, behind_the_last_row, without_its_checksum)
    ] == ["trailing_data", "trailing_data", "trailing_data", "corrupt"]
    assert looked_at(behind_the_stream).findings[0].measured == 4


def test_a_codec_look_tells_the_size_and_nothing_of_what_is_seen() -> None:
    black = saved(Image.new("L", (400, 300)), "PNG")

    assert looked(black, kind="codec").check.metrics == {"width_px": 400, "height_px": 300}
    assert looked(black, kind="codec").check.verdict == "accept"
    assert looked(black, kind="document").check.reason == "blank"


def test_damaged_files_are_findings_never_errors_and_judged_alike_each_time() -> None:
    sound = [a_jpeg(), saved(a_scene(), "JPEG", progressive=True), a_png(), saved(a_scene().convert("P"), "PNG")]
    reasons = set()
    for seed in range(400):
        chance = random.Random(seed)
        body = bytearray(sound[seed % len(sound)])
        for _ in range(chance.randrange(1, 30)):
            at = chance.randrange(len(body))
            body[at : at + chance.choice((0, 1, 1, 4))] = chance.randbytes(chance.choice((0, 1, 1, 4)))
        if sound[seed % len(sound)].startswith(PNG_MAGIC):
            _mend_checksums(body)  # so that the damage reaches the decoder

        first, second = looked_at(bytes(body)), looked_at(bytes(body))

        assert first == second
        reasons.add(first.reason)
    assert reasons >= {"corrupt", "ok"}


def _mend_checksums(body: bytearray) -> None:
    at = len(PNG_MAGIC)
    while at + 12 <= len(body):
        length = struct.unpack_from(">I", body, at)[0]
        end = at + 12 + length
        if end > len(body):
            return
        struct.pack_into(">I", body, end - 4, zlib.crc32(body[at + 4 : end - 4]))
        at = end
