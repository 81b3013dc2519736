"""Which way up a picture is."""

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from PIL import Image

from deploy.corpus import papers, spoiling
from deploy.corpus import sample as drawn
from services.validation.quality.limits import in_force
from services.validation.quality.orientation import Turn, turn_of
from services.validation.quality.people import stands_upright
from services.validation.quality.picture import Picture
from tests.validation.pictures import looked, sample, saved


@cache
def a_paper(name: str) -> Image.Image:
    if name.endswith(".jpg"):
        return sample(name)
    maker = {**papers.PAPERS, **papers.PLAIN_PAPERS, **papers.PEOPLE}[name]
    return maker(papers.rng_for(name, 4), 4).convert("RGB")


def turn_seen(picture: Image.Image) -> Turn:
    return turn_of(_picture(picture).coarse, in_force().orientation.upright_at_once)


def _picture(picture: Image.Image) -> Picture:
    return Picture(np.ascontiguousarray(np.asarray(picture.convert("RGB"))[..., ::-1]))


PAPERS = ["id_front.jpg", "diploma", "letter", "form", "bilevel", "screen", "half_the_frame", "head"]


@pytest.mark.parametrize("name", PAPERS)
def test_an_upright_picture_is_seen_to_be_upright(name: str) -> None:
    assert turn_seen(a_paper(name)).degrees == 0


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("name", PAPERS)
def test_a_turned_picture_is_refused_with_the_degrees_that_it_lies_turned(name: str, degrees: int) -> None:
    turned = spoiling.turned(a_paper(name), degrees)

    check = looked(saved(spoiling.sized(turned, 1000), "JPEG", quality=70)).check

    assert (check.verdict, check.reason) == ("reject", "orientation")
    assert (check.findings[0].measured, check.findings[0].limit) == (degrees, 0)


def test_the_sample_that_stands_on_its_head_is_refused_for_it() -> None:
    turn = turn_seen(sample("upside_down.jpg"))

    assert turn.degrees == 180
    assert turn.sure > in_force().orientation.reject


def test_of_a_picture_without_an_up_nothing_is_said() -> None:
    tiles = np.indices((700, 1000)).sum(0) // 7 % 2 * 255
    stones = np.random.default_rng(1).integers(0, 2, (35, 50)).repeat(20, 0).repeat(20, 1) * 255

    for pattern in (tiles, stones):
        check = looked(saved(Image.fromarray(pattern.astype(np.uint8)), "PNG")).check
        assert "orientation" not in {finding.code for finding in check.findings}


def test_a_face_tells_up_from_down_where_the_face_is_large_enough() -> None:
    person, limits = a_paper("head"), in_force().people

    assert stands_upright(_picture(person), limits)
    assert not stands_upright(_picture(spoiling.turned(person, 180)), limits)
    assert not stands_upright(_picture(spoiling.turned(person, 90)), limits)
    assert not stands_upright(_picture(a_paper("form")), limits)


def test_what_is_too_dark_or_blurred_to_read_is_told_that_and_not_that_it_is_turned() -> None:
    dark = drawn("dark (.1 to .24)", 2)

    check = looked(dark.body).check

    assert [finding.code for finding in check.findings] == ["too_dark"]
    assert "turned_degrees" not in check.metrics


def test_the_runtime_is_told_to_stay_silent_before_it_is_imported() -> None:
    script = (
        "import builtins, os, sys\n"
        "seen = []\n"
        "plain = builtins.__import__\n"
        "def spy(name, *rest, **more):\n"
        "    if name.startswith('onnxruntime') and not seen:\n"
        "        seen.append(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "    return plain(name, *rest, **more)\n"
        "builtins.__import__ = spy\n"
        "import services.validation.decoding\n"
        "print(seen[0])\n"
    )
    silent = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=silent)

    assert done.stdout.strip() == "1", done.stderr
