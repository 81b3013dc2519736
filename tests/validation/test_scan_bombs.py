"""Progressive JPEGs that make a decoder walk over the same pixels thousands of times."""

import time

import pytest
from PIL import Image

from services.validation.domain import LARGEST_BYTES
from tests.validation.pictures import a_scene, looked_at, saved


def a_scan_bomb(side: int, scans: int = 1_000_000, mode: str = "L") -> bytes:
    """A JPEG whose last scan stands in it again and again, up to the size that is taken."""
    body = saved(Image.new(mode, (side, side), 128), "JPEG", progressive=True, quality=5)
    last = body[body.rindex(b"\xff\xda") : -2]
    return body[:-2] + last * min(scans, (LARGEST_BYTES - len(body)) // len(last)) + b"\xff\xd9"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("side", "mode"), [(4990, "L"), (4000, "RGB"), (1000, "L")])
def test_endless_scans_are_refused_before_they_are_decoded(side: int, mode: str) -> None:
    body = a_scan_bomb(side, mode=mode)
    started = time.process_time()

    check = looked_at(body)

    assert (check.verdict, check.reason) == ("reject", "too_complex")
    assert time.process_time() - started < 0.5


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("side", "scans"), [(4990, 30), (1000, 900)])
def test_what_is_just_not_refused_for_its_scans_is_done_in_two_seconds(side: int, scans: int) -> None:
    body = a_scan_bomb(side, scans)
    started = time.process_time()

    looked_at(body)

    assert time.process_time() - started < 2


def test_as_many_scans_as_an_encoder_really_makes_are_accepted() -> None:
    body = saved(a_scene(3000, 2000), "JPEG", progressive=True, quality=20)

    assert body.count(b"\xff\xda") == 10
    assert looked_at(body).verdict == "accept"
