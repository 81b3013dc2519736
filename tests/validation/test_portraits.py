"""The photo check on portraits: what is sound passes, what is wrong is named first."""

import cv2
import numpy as np
import pytest

from services.validation.portraits.limits import PortraitLimits, portrait_limits
from shared.contracts.photo_findings import PHOTO_CODES, photo_words_for
from shared.contracts.rules import PhotoRule
from tests.validation.portraits import (
    WHITE,
    Pixels,
    codes,
    eyes_shut,
    figure,
    first_code,
    half_lit,
    jpeg,
    judged,
    leaned,
    looking_aside,
    on,
    on_white,
    shadow_on_wall,
)


@pytest.mark.parametrize(
    "how",
    [
        {"width": 390, "height": 567, "scale": 2.15, "crown": 0.085},
        {"width": 900, "height": 1200, "scale": 3.2},
        {"width": 1600, "height": 1200, "scale": 3.0},
        {"width": 3000, "height": 4000, "scale": 5.5, "crown": 0.3},
        {"width": 1500, "height": 2000, "scale": 3.0, "across": 0.35},
    ],
    ids=["official", "ordinary", "landscape", "from afar", "beside the middle"],
)
def test_a_good_portrait_passes_whatever_its_size(how: dict[str, float]) -> None:
    portrait = judged(on_white(**how))

    assert (portrait.verdict, codes(portrait)) == ("pass", [])
    assert (portrait.width, portrait.height) == (how["width"], how["height"])


def _fading(*ends: int, down: bool = False) -> np.ndarray:
    return np.linspace(*ends, 1200 if down else 900)[:, None, None] if down else np.linspace(*ends, 900)[None, :, None]


@pytest.mark.parametrize(
    "background",
    [255, 245, 235, (243, 250, 253), _fading(255, 245), _fading(255, 243, down=True)],
    ids=["255", "245", "235", "warm", "fades a little", "fades down a little"],
)
def test_near_white_is_white(background: object) -> None:
    assert judged(on(background)).verdict == "pass"


def test_grain_and_a_faint_soft_shadow_do_not_matter() -> None:
    grainy = np.random.default_rng(1).normal(246, 4, (1200, 900, 1))

    assert judged(on(np.clip(grainy, 0, 255))).verdict == "pass"
    assert judged(shadow_on_wall(0.05, 60, 40, 40)).verdict == "pass"


def test_dark_skin_in_good_light_passes() -> None:
    person, share = figure()
    darker = 255 * (person / 255.0) ** 2.2
    picture = np.clip(darker * share + 255 * (1 - share), 0, 255).astype(np.uint8)

    assert judged(picture).verdict == "pass"


def test_a_slight_tilt_is_set_right() -> None:
    portrait = judged(leaned(on_white(), 3))
    again = judged(portrait.picture or b"")

    assert abs(portrait.metrics["roll"]) > 4.5
    assert abs(again.metrics["roll"]) < 2


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_picture_is_not_upright(turns: int) -> None:
    portrait = judged(np.ascontiguousarray(np.rot90(on_white(), turns)))

    assert codes(portrait) == ["not_upright"]
    assert portrait.findings[0].measured == (360 - 90 * turns) % 360


@pytest.mark.parametrize("degrees", [-18, 13])
def test_a_tilted_head_is_told(degrees: float) -> None:
    assert first_code(judged(leaned(on_white(), degrees))) == "tilted"


@pytest.mark.parametrize("degrees", [-28, 28])
def test_looking_aside_is_not_frontal(degrees: float) -> None:
    portrait = judged(looking_aside(degrees))

    assert first_code(portrait) == "not_frontal"
    assert portrait.metrics["yaw"] * degrees > 0


def test_shut_eyes_are_told_and_boxed() -> None:
    portrait = judged(eyes_shut(on_white()))

    assert portrait.verdict == "fail"
    assert first_code(portrait) == "eyes_closed"
    assert [mark.shape for mark in portrait.findings[0].marks] == ["box", "box"]


def test_nobody_on_it_is_no_face() -> None:
    assert codes(judged(np.full((800, 600, 3), 240, np.uint8))) == ["no_face"]


def test_a_black_picture_is_too_dark_before_anything_else() -> None:
    assert codes(judged(np.full((800, 600, 3), 9, np.uint8))) == ["too_dark"]


def test_two_people_are_several_faces_and_both_are_boxed() -> None:
    picture = np.full((1200, 1800, 3), 255, np.uint8)
    picture[:, :900], picture[:, 900:] = on_white(), on_white(scale=2.2)

    portrait = judged(picture)

    assert first_code(portrait) == "several_faces"
    assert len(portrait.findings[0].marks) == 2


def test_a_small_second_face_counts_too() -> None:
    picture = on_white(crown=0.25)
    picture[10:290, 10:220] = cv2.resize(on_white(), (210, 280), interpolation=cv2.INTER_AREA)

    assert first_code(judged(picture)) == "several_faces"


@pytest.mark.parametrize(
    ("cut", "side"),
    [
        (np.s_[230:, :], (0.0, 0.0, 1.0, 0.0)),
        (np.s_[112:, :], (0.0, 0.0, 1.0, 0.0)),
        (np.s_[:640, :], (0.0, 1.0, 1.0, 1.0)),
        (np.s_[:, :570], (1.0, 0.0, 1.0, 1.0)),
        (np.s_[:, 340:], (0.0, 0.0, 0.0, 1.0)),
    ],
    ids=["forehead", "no room above", "chin", "right cheek", "left cheek"],
)
def test_a_cut_head_is_cut_off_at_that_side(cut: tuple[slice, slice], side: tuple[float, ...]) -> None:
    portrait = judged(np.ascontiguousarray(on_white()[cut]))

    assert first_code(portrait) == "cut_off"
    marks = [(mark.x1, mark.y1, mark.x2, mark.y2) for mark in portrait.findings[0].marks if mark.shape == "line"]
    assert side in marks


def test_too_near_is_too_large() -> None:
    assert first_code(judged(np.ascontiguousarray(on_white()[85:660, 235:665]))) == "head_too_large"


def test_an_official_picture_with_a_head_too_large_or_small_or_beside_the_middle_is_told() -> None:
    size = {"width": 390, "height": 567}

    large = judged(on_white(**size, scale=2.95, crown=0.05))
    small = judged(on_white(**size, scale=1.5, crown=0.15))
    beside = judged(on_white(**size, scale=2.15, crown=0.085, across=0.33))

    assert [first_code(portrait) for portrait in (large, small, beside)] == [
        "head_too_large",
        "head_too_small",
        "off_centre",
    ]


def test_a_thumbnail_has_too_few_pixels() -> None:
    assert first_code(judged(cv2.resize(on_white(), (180, 240), interpolation=cv2.INTER_AREA))) == "too_few_pixels"


@pytest.mark.parametrize("background", [205, 128, (219, 142, 67), (250, 230, 205), (40, 40, 200), (190, 220, 240)])
def test_another_colour_is_not_white(background: object) -> None:
    assert first_code(judged(on(background))) == "background_not_white"


@pytest.mark.parametrize("background", [_fading(255, 205), _fading(205, 255), _fading(255, 180, down=True)])
def test_a_background_that_fades_is_uneven(background: object) -> None:
    portrait = judged(on(background))

    assert portrait.verdict == "fail"
    assert "background_uneven" in codes(portrait)


@pytest.mark.parametrize(("depth", "dx"), [(0.3, 70), (0.45, -90), (0.2, 110)])
def test_a_shadow_on_the_wall_is_told_where_it_is(depth: float, dx: int) -> None:
    portrait = judged(shadow_on_wall(depth, dx, 40, 5))

    assert first_code(portrait) == "background_uneven"
    (mark,) = portrait.findings[0].marks
    assert (mark.x1 + mark.x2 > 1) == (dx > 0)


def test_a_half_lit_face_is_told_and_the_dark_half_boxed() -> None:
    portrait = judged(half_lit(0.4))

    assert (portrait.verdict, first_code(portrait)) == ("fail", "face_shadow")
    (mark,) = portrait.findings[0].marks
    assert mark.x1 > 0.45


@pytest.mark.parametrize("light", [0.5, 0.3])
def test_too_little_light_is_too_dark_first(light: float) -> None:
    assert first_code(judged((on_white() * light).astype(np.uint8))) == "too_dark"


def test_too_much_light_is_too_bright() -> None:
    assert first_code(judged(np.clip(on_white() * 1.9, 0, 255).astype(np.uint8))) == "too_bright"


@pytest.mark.parametrize("sigma", [2, 3])
def test_a_blurred_official_picture_is_blurred(sigma: float) -> None:
    sharp = on_white(width=390, height=567, scale=2.15, crown=0.085)

    assert first_code(judged(cv2.GaussianBlur(sharp, (0, 0), sigma))) == "blurred"


@pytest.mark.parametrize("sigma", [3, 5])
def test_a_large_blurred_picture_is_blurred(sigma: float) -> None:
    assert first_code(judged(cv2.GaussianBlur(on_white(), (0, 0), sigma))) == "blurred"


@pytest.mark.parametrize("quality", [8, 20])
def test_compression_that_shows_is_told(quality: int) -> None:
    picture = on_white(width=390, height=567, scale=2.15, crown=0.085)

    assert "over_compressed" in codes(judged(jpeg(picture, quality)))


def test_compression_is_told_after_saving_again_at_a_better_quality() -> None:
    picture = on_white(width=390, height=567, scale=2.15, crown=0.085)
    squeezed = cv2.imdecode(np.frombuffer(jpeg(picture, 10), np.uint8), cv2.IMREAD_COLOR)

    assert "over_compressed" in codes(judged(jpeg(np.asarray(squeezed, np.uint8), 95)))


def test_a_black_and_white_picture_is_noted() -> None:
    grey = cv2.cvtColor(cv2.cvtColor(on_white(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)

    portrait = judged(np.asarray(grey, np.uint8))

    assert (portrait.verdict, codes(portrait)) == ("pass", ["no_colour"])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    picture = cv2.GaussianBlur(leaned(on((219, 142, 67)), 13), (0, 0), 5)

    assert {"blurred", "tilted", "background_not_white"} <= set(codes(judged(np.asarray(picture, np.uint8))))


def test_the_same_picture_is_judged_the_same_again() -> None:
    body = jpeg(shadow_on_wall(0.3, 70, 40, 5))

    assert judged(body) == judged(body)


def test_every_code_that_was_ever_seen_here_has_its_own_words() -> None:
    faulty: list[Pixels] = [
        on(128),
        leaned(on_white(), 13),
        shadow_on_wall(0.3, 70, 40, 5),
        cv2.resize(on_white(), (180, 240)).astype(np.uint8),
        np.full((800, 600, 3), WHITE, np.uint8),
    ]

    seen = {code for picture in faulty for code in codes(judged(picture))}

    assert len(seen) >= 5
    assert seen <= PHOTO_CODES


def test_words_say_what_to_do_in_both_languages() -> None:
    for code in PHOTO_CODES:
        words = photo_words_for(code)

        assert words.zh.endswith(("。", "）。"))
        assert words.en is not None
        assert words.en.endswith((".", ")."))
    assert photo_words_for("never_heard_of").zh.startswith("照片未通过检查")


def test_an_unknown_limit_is_refused() -> None:
    known = portrait_limits().model_dump()
    known["pose"]["yew"] = 3

    with pytest.raises(ValueError, match="yew"):
        PortraitLimits.model_validate(known)


def test_another_official_size_is_kept_too() -> None:
    rule = PhotoRule(width_mm=35, height_mm=45, width_px=413, height_px=531, max_bytes=40_000)

    portrait = judged(on_white(), rule)

    picture = cv2.imdecode(np.frombuffer(portrait.picture or b"", np.uint8), cv2.IMREAD_COLOR)
    assert portrait.verdict == "pass"
    assert picture is not None
    assert picture.shape == (531, 413, 3)
