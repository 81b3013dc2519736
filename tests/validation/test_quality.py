"""What is seen on a picture: bad ones are refused for what is wrong with them, good ones are left alone."""

from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from deploy.corpus import Sample, papers, spoiling
from deploy.corpus import sample as drawn
from deploy.specimens import draw, spoil
from services.validation.quality import measures
from services.validation.quality.picture import Picture
from shared.contracts.findings import QUALITY
from tests.validation.pictures import looked, sample, saved


@cache
def a_card() -> Image.Image:
    return sample("id_front.jpg")


@cache
def somebody() -> Image.Image:
    return papers.holding(papers.rng_for("holding", 1), 1)


def told(picture: Image.Image, kind: str = "JPEG", **options: object) -> tuple[str, str]:
    check = looked(saved(picture, kind, **options)).check
    return check.verdict, check.reason


# Specimens and plain papers: a false complaint costs a candidate or a reviewer time.


@pytest.mark.parametrize(
    "kind",
    [
        "identity_front",
        "identity_back",
        "identity_holding",
        "diploma",
        "trial_assessment",
        "education_record",
        "portrait",
    ],
)
@pytest.mark.parametrize("seed", [2, 5])
def test_a_sound_specimen_has_no_finding(kind: str, seed: int) -> None:
    check = looked(draw(kind, seed=seed)).check

    assert (check.verdict, check.findings) == ("accept", ())


@pytest.mark.parametrize("number", range(7))
def test_a_plain_paper_has_no_finding(number: int) -> None:
    plain = drawn("plain paper", number)

    assert looked(plain.body).check.findings == (), plain.base


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda card: card.convert("1"), id="one bit"),
        pytest.param(lambda card: card.convert("L").resize((700, 442)), id="grey"),
        pytest.param(lambda card: card.resize((700, 442)).quantize(16), id="sixteen colours"),
        pytest.param(lambda card: card.resize((300, 189)), id="small"),
        pytest.param(lambda card: card.rotate(4, expand=True, fillcolor=(90, 90, 90)).resize((500, 330)), id="tilted"),
        pytest.param(lambda card: _pasted(card.resize((500, 316)), (900, 1270), "white"), id="on a white sheet"),
        pytest.param(lambda card: _pasted(card.resize((500, 316)), (500, 1080), "black"), id="a telephone's screen"),
        pytest.param(lambda card: card.point(lambda value: value // 2).resize((480, 303)), id="half the light"),
    ],
)
def test_a_sound_picture_of_another_make_has_no_finding(change) -> None:
    assert looked(saved(change(a_card()), "PNG")).check.findings == ()


def _pasted(card: Image.Image, size: tuple[int, int], colour: str) -> Image.Image:
    page = Image.new("RGB", size, colour)
    page.paste(card, ((size[0] - card.width) // 2, size[1] // 3))
    return page


# Blank.


@pytest.mark.parametrize("number", range(10))
def test_a_blank_is_refused_as_blank(number: int) -> None:
    blank = drawn("blank", number)

    check = looked(blank.body).check

    assert (check.verdict, check.reason, len(check.findings)) == ("reject", "blank", 1), blank.base


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (900, 700), "red"),
        Image.new("L", (900, 700), 255),
        Image.linear_gradient("L").resize((900, 700)),
        Image.radial_gradient("L").resize((900, 700)),
    ],
)
def test_one_colour_and_a_gradient_are_blank(picture: Image.Image) -> None:
    assert told(picture) == ("reject", "blank")


def test_a_page_with_one_line_is_for_people_to_judge() -> None:
    page = drawn("one line", 1)

    check = looked(page.body).check

    assert (check.verdict, check.reason) == ("review", "blank")


# Dark, pale, blurred.


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (0.06, ("reject", "too_dark")),
        (0.2, ("reject", "too_dark")),
        (0.3, ("review", "too_dark")),
        (0.5, ("accept", "ok")),
    ],
)
def test_a_dark_picture_is_told_to_be_dark_and_not_blank_or_pale(factor: float, expected: tuple[str, str]) -> None:
    assert told(spoiling.darkened(a_card(), factor)) == expected


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (0.05, ("reject", "low_contrast")),
        (0.15, ("reject", "low_contrast")),
        (0.27, ("review", "low_contrast")),
        (0.5, ("accept", "ok")),
    ],
)
@pytest.mark.parametrize("towards", [120, 255])
def test_a_washed_out_picture_is_told_to_be_pale(factor: float, towards: int, expected: tuple[str, str]) -> None:
    assert told(spoiling.washed_out(a_card(), factor, towards)) == expected


@pytest.mark.parametrize(
    ("sigma", "expected"),
    [
        (0.8, ("accept", "ok")),
        (1.7, ("review", "blurred")),
        (3, ("reject", "blurred")),
        (8, ("reject", "blurred")),
        (30, ("reject", "blurred")),
    ],
)
def test_print_is_blurred_when_it_can_hardly_be_read(sigma: float, expected: tuple[str, str]) -> None:
    assert told(spoiling.blurred(a_card(), sigma)) == expected


def test_a_shaken_picture_is_blurred() -> None:
    rng = np.random.default_rng(1)

    assert told(spoiling.shaken(a_card(), 2, rng)) == ("accept", "ok")
    assert told(spoiling.shaken(a_card(), 18, rng)) == ("reject", "blurred")


def test_noise_does_not_make_a_blurred_picture_sharp() -> None:
    rng = np.random.default_rng(1)

    for picture in (a_card(), somebody()):
        noisy = spoiling.noisy(spoiling.blurred(picture, 6), 7, rng)
        assert looked(saved(noisy, "JPEG", quality=60)).check.reason == "blurred"


def test_people_may_be_softer_than_print() -> None:
    soft = spoiling.blurred(somebody(), 1.2)

    seen = looked(saved(soft, "JPEG", quality=80))

    assert seen.check.metrics["blur"] > 0.45  # print would be refused
    assert seen.check.findings == ()


def test_a_blurred_card_is_no_picture_of_a_person_for_the_photograph_on_it() -> None:
    card = spoil(draw("identity_front", seed=3), "blurred")

    check = looked(card).check

    assert (check.verdict, check.reason) == ("reject", "blurred")
    assert "face_blur" not in check.metrics


def test_a_portrait_is_judged_as_a_person_even_where_no_face_is_found() -> None:
    soft = saved(spoiling.blurred(a_card(), 2.4), "JPEG")

    assert looked(soft, kind="document").check.verdict == "reject"
    assert looked(soft, kind="portrait").check.verdict == "accept"


@pytest.mark.parametrize("fault", ["blurred", "dark", "turned", "blank"])
@pytest.mark.parametrize("kind", ["identity_front", "first_registration_proof", "identity_holding", "education_record"])
def test_what_candidates_send_by_mistake_is_refused_for_it(kind: str, fault: str) -> None:
    spoiled = spoil(draw(kind, seed=1), fault, 2)

    check = looked(spoiled).check

    assert (check.verdict, check.reason) == ("reject", {"dark": "too_dark", "turned": "orientation"}.get(fault, fault))


# What follows from a finding.


def test_a_pack_can_make_the_doubtful_a_refusal() -> None:
    doubtful = saved(spoiling.blurred(a_card(), 1.7), "JPEG")

    lenient, other, strict = (
        looked(doubtful, stricter=frozenset(codes)).check for codes in ((), ("too_dark",), ("blurred", "too_dark"))
    )

    assert (lenient.verdict, other.verdict, strict.verdict) == ("review", "review", "reject")
    assert strict.findings[0].measured == lenient.findings[0].measured


def test_a_finding_of_quality_tells_what_was_measured_and_the_limit_it_crossed() -> None:
    [dark] = looked(saved(spoiling.darkened(a_card(), 0.2), "JPEG")).check.findings
    [soft] = looked(saved(spoiling.blurred(a_card(), 1.7), "JPEG")).check.findings

    assert dark.measured < dark.limit
    assert soft.measured > soft.limit
    assert {dark.code, soft.code} <= QUALITY


@pytest.mark.parametrize(
    "of", ["blank", "dark (.1 to .24)", "washed out (.08 to .18)", "badly blurred (sigma 5 to 16)", "turned"]
)
def test_nothing_that_is_seen_matters_to_a_codec_look(of: str) -> None:
    bad: Sample = drawn(of, 3)

    check = looked(bad.body, kind="codec").check

    assert (check.verdict, check.findings) == ("accept", ())


# The measures.


def grey_of(picture: Image.Image) -> np.ndarray:
    return Picture(np.asarray(picture.convert("L"))).grey


def test_the_blur_score_rises_with_blur_whichever_way_the_picture_moved() -> None:
    scores = [measures.blur_score(grey_of(spoiling.blurred(a_card(), sigma))) for sigma in (0.3, 1, 1.5, 2, 3, 5)]

    assert scores == sorted(scores)
    assert scores[0] < 0.25
    assert scores[-1] > 0.7


def test_a_picture_without_edges_has_the_worst_score_and_a_ruled_line_is_sharp() -> None:
    flat = Image.new("L", (600, 400), 200)
    ruled = flat.copy()
    ImageDraw.Draw(ruled).line((0, 200, 600, 200), fill=0, width=3)

    assert measures.blur_score(grey_of(flat)) == 1.0
    assert measures.blur_score(grey_of(ruled)) < 0.1


def test_a_picture_smaller_than_what_is_measured_is_not_scaled_up() -> None:
    assert grey_of(a_card().resize((300, 189))).shape == (189, 300)
    assert max(grey_of(a_card().resize((2000, 1262))).shape) == 1000
