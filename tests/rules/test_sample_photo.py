"""样本: the photo beside which candidates see their own is what the rule asks for, and plainly nobody's."""

from io import BytesIO

from PIL import Image

from deploy.specimens.sample_photo import FILE, sample_photo
from shared.contracts.rules import PhotoRule


def test_the_sample_that_the_page_shows_has_the_official_size_and_weight() -> None:
    rule = PhotoRule()

    with Image.open(FILE) as picture:
        picture.load()

        assert (picture.format, picture.size) == ("JPEG", (rule.width_px, rule.height_px))
    assert FILE.stat().st_size < rule.max_bytes


def test_the_sample_is_white_behind_the_head_and_says_specimen_in_red_below() -> None:
    with Image.open(BytesIO(sample_photo())) as picture:
        corner, foot = picture.convert("RGB").getpixel((5, 5)), picture.convert("RGB").getpixel((5, picture.height - 8))

    assert min(corner) >= 250  # type: ignore[type-var, arg-type]
    red, green, blue = foot  # type: ignore[misc]
    assert red > 120 > 80 > max(green, blue)


def test_the_sample_follows_another_size() -> None:
    rule = PhotoRule(width_mm=35, height_mm=49, width_px=413, height_px=579, max_bytes=40_000)

    drawn = sample_photo(rule)

    with Image.open(BytesIO(drawn)) as picture:
        assert picture.size == (413, 579)
    assert len(drawn) < 40_000
