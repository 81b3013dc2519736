"""Papers read from their pictures, as cameras and scanners give them: turned, mirrored, squeezed, stamped."""

import io
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from deploy.specimens import Person, draw, invented_person
from deploy.specimens.paper import font
from services.validation.reading import reader
from services.validation.reading.engine import MOST_LINES, engine
from services.validation.reading.reader import Read, read
from shared.contracts.rules import ReadableField
from shared.contracts.validation import Box
from tests.validation.pictures import a_png_bomb, saved

ALL: tuple[ReadableField, ...] = ("id_number", "name", "valid_until", "certificate_number")
SEED = 4


def person() -> Person:
    return invented_person(SEED)


@cache
def specimen(kind: str) -> bytes:
    return draw(kind, seed=SEED)


@cache
def picture(kind: str) -> Image.Image:
    return Image.open(io.BytesIO(specimen(kind))).convert("RGB")


def as_jpeg(image: Image.Image, quality: int = 85, **more: object) -> bytes:
    return saved(image, "JPEG", quality=quality, **more)


def values(found: Read) -> dict[str, str]:
    return {text.field: text.value for text in found.texts}


def boxes(found: Read) -> dict[str, Box]:
    return {text.field: text.box for text in found.texts}


def read_jpeg(body: bytes, *wanted: ReadableField) -> Read:
    return read(body, "image/jpeg", wanted or ALL)


@cache
def as_it_came(kind: str) -> Read:
    """The reading of a specimen that nothing was done to."""
    return read(specimen(kind), "image/jpeg", tuple(expected(kind)))  # type: ignore[arg-type]


def expected(kind: str) -> dict[str, str]:
    """What each paper of this person says, written down from the specimens' drawing code."""
    who, year = person(), person().birth.year
    own = {"id_number": who.id_number, "name": who.name}
    return {
        "identity_front": own,
        "identity_back": {"valid_until": f"{year + 46}-03-18"},
        "identity_holding": own,
        "diploma": {"name": who.name, "certificate_number": f"99999{year + 23}050000041"},
        "degree": {"name": who.name, "certificate_number": f"99999420{year + 23}00043"},
        "assistant_qualification": own | {"certificate_number": f"{year + 25}99999004{who.birth:%Y%m%d}"},
        "institution_licence": {"certificate_number": "99999-9004-A1001", "valid_until": f"{year + 39}-05-31"},
        "student_card": {"name": who.name, "valid_until": f"{year + 27}-07-31"},
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "identity_front",
        "identity_back",
        "identity_holding",
        "diploma",
        "degree",
        "assistant_qualification",
        "institution_licence",
        "student_card",
    ],
)
def test_a_paper_is_read(kind: str) -> None:
    found = as_it_came(kind)

    assert values(found) == expected(kind)
    assert found.mirrored is False
    assert all(text.check_digit is (True if text.field == "id_number" else None) for text in found.texts)


def squeezed(image: Image.Image) -> bytes:
    """Seen a little from the side, out of focus by a thousandth of the long side, and hardly any bytes."""
    width, height = image.size
    corners = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    moved = corners + np.array(((30, 20), (-25, 35), (-20, -30), (35, -25)), np.float32)
    seen = cv2.warpPerspective(
        np.asarray(image), cv2.getPerspectiveTransform(corners, moved), image.size, borderMode=cv2.BORDER_REPLICATE
    )
    blur = ImageFilter.GaussianBlur(max(image.size) / 1000)
    return as_jpeg(Image.fromarray(seen).filter(blur), quality=50)


@pytest.mark.parametrize("kind", ["identity_front", "diploma"])
def test_a_poor_picture_of_a_paper_is_read(kind: str) -> None:
    found = read(squeezed(picture(kind)), "image/jpeg", tuple(expected(kind)))  # type: ignore[arg-type]

    assert values(found) == expected(kind)


def test_nothing_is_found_on_a_side_that_does_not_show_it() -> None:
    assert values(read_jpeg(specimen("identity_back"))) == expected("identity_back")


def test_a_place_is_that_of_the_value_on_the_picture() -> None:
    front = picture("identity_front")
    box = boxes(as_it_came("identity_front"))["id_number"]
    left, top = box.left * front.width, box.top * front.height
    covered = front.copy()

    covered.paste(
        (230, 230, 230), (round(left), round(top), round(box.right * front.width), round(box.bottom * front.height))
    )

    assert values(read_jpeg(as_jpeg(covered), "id_number", "name")) == {"name": person().name}


TURNS = {
    "a quarter to the left": Image.Transpose.ROTATE_90,
    "upside down": Image.Transpose.ROTATE_180,
    "a quarter to the right": Image.Transpose.ROTATE_270,
    "mirrored": Image.Transpose.FLIP_LEFT_RIGHT,
    "mirrored and turned": Image.Transpose.TRANSPOSE,
}


def where(box: Box, turn: Image.Transpose) -> tuple[float, float, float, float]:
    """The same place once the picture was turned."""
    moved = {
        Image.Transpose.ROTATE_90: lambda x, y: (y, 1 - x),
        Image.Transpose.ROTATE_180: lambda x, y: (1 - x, 1 - y),
        Image.Transpose.ROTATE_270: lambda x, y: (1 - y, x),
        Image.Transpose.FLIP_LEFT_RIGHT: lambda x, y: (1 - x, y),
        Image.Transpose.TRANSPOSE: lambda x, y: (y, x),
    }[turn]
    (x1, y1), (x2, y2) = moved(box.left, box.top), moved(box.right, box.bottom)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS.keys())
def test_a_paper_is_read_whatever_way_it_lies_and_its_places_are_those_on_the_picture(turn: Image.Transpose) -> None:
    upright = boxes(as_it_came("identity_front"))

    found = read_jpeg(as_jpeg(picture("identity_front").transpose(turn)), "id_number", "name")

    assert values(found) == expected("identity_front")
    assert found.mirrored is (turn in {TURNS[how] for how in TURNS if "mirrored" in how})
    for field, box in boxes(found).items():
        assert (box.left, box.top, box.right, box.bottom) == pytest.approx(where(upright[field], turn), abs=0.02)


def test_a_picture_is_turned_as_its_tag_says_before_anything_else() -> None:
    tag = Image.Exif()
    tag[0x112] = 6
    lying = picture("identity_back").transpose(Image.Transpose.ROTATE_90)

    found = read_jpeg(as_jpeg(lying, exif=tag), "valid_until")

    assert values(found) == expected("identity_back")
    box, same = boxes(found)["valid_until"], boxes(as_it_came("identity_back"))["valid_until"]
    assert (box.left, box.top) == pytest.approx((same.left, same.top), abs=0.01)


@cache
def a_sheet(ink: tuple[int, int, int] = (20, 20, 20)) -> Image.Image:
    sheet = Image.new("RGB", (1200, 800), (250, 249, 245))
    pen = ImageDraw.Draw(sheet)
    for row, text in enumerate(("住院医师规范化培训", "合格证书", "姓名：何样宁", "证书编号：9999920220001")):
        pen.text((120, 120 + row * 130), text, ink, font("sans", 52))
    return sheet


def test_what_stands_under_a_seal_is_read() -> None:
    sheet = a_sheet().copy()
    pen = ImageDraw.Draw(sheet)
    for radius in range(20, 190, 14):
        pen.ellipse((520 - radius, 530 - radius, 520 + radius, 530 + radius), outline=(214, 30, 40), width=6)
    stamped = Image.fromarray(np.minimum(np.asarray(sheet), np.asarray(a_sheet())))

    assert values(read_jpeg(as_jpeg(stamped), "name", "certificate_number")) == {
        "name": "何样宁",
        "certificate_number": "9999920220001",
    }


def test_what_is_printed_in_red_is_read() -> None:
    printed = a_sheet((232, 40, 48))

    assert values(read_jpeg(as_jpeg(printed), "name", "certificate_number")) == {
        "name": "何样宁",
        "certificate_number": "9999920220001",
    }


def test_a_png_is_read_on_white_where_it_is_transparent() -> None:
    ink = ImageOps.invert(a_sheet().convert("L"))
    clear = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    clear.putalpha(ink)

    found = read(saved(clear, "PNG"), "image/png", ("name",))

    assert values(found) == {"name": "何样宁"}


def test_a_picture_without_text_says_nothing_not_even_whether_it_is_mirrored() -> None:
    blank = Image.new("RGB", (900, 600), (240, 240, 238))

    assert read_jpeg(as_jpeg(blank)) == Read((), None)
    assert read_jpeg(specimen("portrait")).texts == ()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "image/jpeg"),
        (b"no picture", "image/png"),
        (specimen("identity_back")[:9_000], "image/jpeg"),
        (specimen("identity_back"), "image/png"),
        (a_png_bomb(6_000), "image/png"),
    ],
    ids=["empty", "text", "cut off", "of another type", "more pixels than any paper has"],
)
def test_what_is_no_picture_is_not_read(body: bytes, kind: str) -> None:
    assert read(body, kind, ALL) == Read((), None)


def test_only_what_is_wanted_is_read() -> None:
    found = read(as_jpeg(a_sheet()), "image/jpeg", ("name",))

    assert [text.field for text in found.texts] == ["name"]


def test_a_page_of_tiny_print_is_read_within_bounds() -> None:
    page = np.full((1900, 1900, 3), 255, np.uint8)
    for row in range(90):
        for column in range(7):
            cv2.putText(page, f"no {row} of {column}", (20 + column * 268, 24 + row * 21), 0, 0.6, (0, 0, 0), 1)

    assert 0 < len(engine().find(page)) <= MOST_LINES


def test_there_is_one_recogniser_in_a_process() -> None:
    assert engine() is engine()
    assert reader.engine is engine
