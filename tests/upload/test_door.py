"""The door as a sender sees it: each reason has its status and words that say what to do, and nothing is left."""

import hashlib
import io
from uuid import uuid4

import pytest
from httpx import Response
from PIL import Image

from services.upload.door import LARGEST_IMAGE
from shared.contracts.findings import words_for
from shared.contracts.upload import MaterialUploaded
from shared.storage import Storage
from tests.images.parts import (
    THE_END,
    a_header,
    a_jpeg,
    a_png,
    a_png_of,
    a_scene,
    chunk,
    exif,
    sample,
    samsungs_tail,
    saved,
    segment,
    some_pixels,
    with_chunks,
    with_segments,
)
from tests.upload.conftest import NUMBER, Upload

OF_FIVE_PARTS = segment(0xC0, b"\x08\x00\xf0\x01\x40\x05" + b"\x01\x11\x00" * 5)
REFUSED = {
    "empty": (b"", 422),
    "too_large_bytes": (a_jpeg() + bytes(LARGEST_IMAGE), 413),
    "unsupported_format": (sample("is_gif.jpg"), 415),
    "corrupt": (sample("trunc_60.jpg"), 422),
    "pixel_limit": (sample("huge_header.jpg"), 422),
    "too_small": (sample("pypng_basn0g08.png"), 422),
    "too_complex": (with_segments(segment(0xC4, bytes(17)) * 1001), 422),
    "animated": (saved(a_scene(), "PNG", save_all=True, append_images=[a_scene().rotate(9)]), 422),
    "trailing_data": (a_jpeg() + sample("is_zip.jpg"), 422),
    "active_content": (sample("poly_php_com.jpg"), 422),
    "metadata_excess": (sample("png_4000_text.png"), 422),
    "unsupported_colorspace": (with_segments(OF_FIVE_PARTS), 422),
}


async def left_nothing(upload: Upload) -> bool:
    return (await upload.item("diploma"))["images"] == [] and await upload.tells(MaterialUploaded) == []


def named(name: str) -> dict[str, bytes]:
    return {"Content-Disposition": f'attachment; filename="{name}"'.encode("latin-1")}


async def put_form(upload: Upload, name: bytes, body: bytes) -> Response:
    """As a browser sends a form, but with any bytes as the file's name."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
    form = head + body + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return await upload.put("diploma", form, **headers)


@pytest.mark.parametrize("code", REFUSED)
async def test_each_reason_has_its_status_and_words_that_say_what_to_do(upload: Upload, code: str) -> None:
    body, status = REFUSED[code]

    answers = [await upload.put("diploma", body) for _ in range(2)]

    for answer in answers:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code)
        assert (problem["detail"], problem["detail_en"]) == (words_for(code).zh, words_for(code).en)
    assert words_for(code) != words_for("a code that nobody knows")
    assert await left_nothing(upload)


async def test_a_number_beyond_its_limit_is_told(upload: Upload) -> None:
    huge = (await upload.put("diploma", sample("huge_header.jpg"))).json()
    long = (await upload.put("diploma", REFUSED["too_large_bytes"][0])).json()
    broken = (await upload.put("diploma", sample("trunc_60.jpg"))).json()

    assert (huge["measured"], huge["limit"]) == (65_500 * 65_500, 25_000_000)
    assert long["max_bytes"] == LARGEST_IMAGE
    assert not {"measured", "limit"} & set(broken)


async def test_a_heic_photo_is_told_how_to_convert_it(upload: Upload) -> None:
    answer = await upload.put("diploma", sample("is_heic.jpg"), **named("IMG_0001.HEIC"))

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_format")
    assert "兼容性最佳" in answer.json()["detail"]
    assert "Most Compatible" in answer.json()["detail_en"]


async def test_what_is_stored_shown_and_told_is_the_picture_alone(upload: Upload, storage: Storage) -> None:
    sent = with_segments(segment(0xE1, b"Exif\x00\x00" + exif(6)), segment(0xFE, b"taken at home")) + samsungs_tail()

    answer = await upload.put("diploma", sent, **named("upper.JPEG"))

    assert answer.status_code == 201
    [told] = await upload.tells(MaterialUploaded)
    kept = await storage.get(told.object_key)
    assert told.sha256 == answer.json()["sha256"] == hashlib.sha256(kept).hexdigest()
    assert told.size == answer.json()["size"] == len(kept) < len(sent)
    assert (await upload.client.get(answer.json()["url"])).content == kept
    for trace in (b"home", b"description", b"SEFT"):
        assert trace in sent
        assert trace not in kept
    with Image.open(io.BytesIO(kept)) as picture:
        assert dict(picture.getexif()) == {0x0112: 6}


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(with_segments(segment(0xFE, b"taken at home")) + samsungs_tail(), id="JPEG"),
        pytest.param(with_chunks(chunk(b"tEXt", b"Comment\x00taken at home")) + bytes(100), id="PNG"),
    ],
)
async def test_a_retry_with_the_original_bytes_is_known_and_with_the_stored_ones_too(
    upload: Upload, sent: bytes
) -> None:
    image_id = uuid4()

    first = await upload.put("diploma", sent, image_id)
    again = await upload.put("diploma", sent, image_id)
    stored = (await upload.client.get(first.json()["url"])).content
    downloaded = await upload.put("diploma", stored, image_id)
    other = await upload.put("diploma", a_png_of(a_header(), some_pixels(), THE_END), image_id)

    assert [answer.status_code for answer in (first, again, downloaded, other)] == [201, 200, 200, 422]
    assert first.json() == again.json() == downloaded.json()
    assert other.json()["code"] == "image-id-reused"
    assert len(await upload.tells(MaterialUploaded)) == 1


async def test_a_jpeg_whose_metadata_made_it_reach_the_cap_is_taken_as_the_cap_counts_what_is_sent(
    upload: Upload,
) -> None:
    full = with_segments(*[segment(0xED, bytes(60_000))] * 3)
    room = LARGEST_IMAGE - len(full)

    just = await upload.put("diploma", full + bytes(room))
    over = await upload.put("diploma", full + bytes(room + 1))

    assert (just.status_code, just.json()["size"]) == (201, len(a_jpeg()))
    assert over.status_code == 413


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd.jpg",
        "a" * 300 + ".jpg",
        "=cmd|'/c calc'!A0.jpg",
        "photo.JPG",
    ],
)
async def test_a_name_that_is_odd_but_honest_is_taken_under_a_key_of_our_own(upload: Upload, name: str) -> None:
    raw, form = await upload.put("diploma", a_jpeg(), **named(name)), await put_form(upload, name.encode(), a_jpeg())

    assert (raw.status_code, form.status_code) == (201, 201)
    for told in await upload.tells(MaterialUploaded):
        assert told.object_key.startswith(f"{NUMBER}/{told.image_id}/")
        assert name not in told.object_key


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("filename*=UTF-8''a.jpg%00.php", 422, "bad_filename"),
        ("filename*=UTF-8''a.php%00.jpg", 422, "bad_filename"),
        ('filename="photo"', 415, "extension_mismatch"),
        ('filename="a.jpg.php"', 415, "extension_mismatch"),
        ('filename="a.png"', 415, "extension_mismatch"),
    ],
)
async def test_a_name_that_misleads_is_refused(upload: Upload, name: str, status: int, code: str) -> None:
    answer = await upload.put("diploma", a_jpeg(), **{"Content-Disposition": f"attachment; {name}"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"] == words_for(code).zh
    assert await left_nothing(upload)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        (b"a.jpg%00.php", 422, "bad_filename"),
        (b"a.jpg\x00.php", 422, "bad_filename"),
        (b"a\r\nX-Evil: 1.jpg", 400, "one-file-please"),
        (b"a%0D%0AX-Evil: 1.jpg", 201, None),
        (b"\xff.jpg", 400, "malformed-form"),
    ],
)
async def test_a_form_may_call_its_file_anything_and_sets_no_header(
    upload: Upload, name: bytes, status: int, code: str | None
) -> None:
    answer = await put_form(upload, name, a_jpeg())

    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert "x-evil" not in answer.headers


async def test_line_breaks_in_a_name_set_no_header(upload: Upload) -> None:
    disposition = {"Content-Disposition": "attachment; filename*=UTF-8''a%0D%0AX-Evil%3A%201.jpg"}

    answer = await upload.put("diploma", a_png(), **disposition)
    taken = await upload.put("diploma", a_jpeg(), **disposition)

    assert (answer.status_code, taken.status_code) == (415, 201)
    assert "x-evil" not in {*answer.headers, *taken.headers}
    assert "Evil" not in answer.text
