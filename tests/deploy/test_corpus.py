"""The labelled corpus and what is measured on it."""

import io

import pytest
from PIL import Image

from deploy.bench.image_limits import CODES, measure
from deploy.corpus import CLASSES, sample
from services.validation.domain import LARGEST_BYTES
from shared.contracts.findings import QUALITY
from tests.validation.pictures import SAMPLES


@pytest.mark.parametrize("of", CLASSES)
def test_a_sample_is_a_whole_picture_that_may_be_uploaded_and_its_label_fits_its_code(of: str) -> None:
    one = sample(of, 3)

    with Image.open(io.BytesIO(one.body), formats=("JPEG", "PNG")) as opened:
        opened.load()
        assert min(opened.size) > 300
    assert len(one.body) <= LARGEST_BYTES
    assert (one.label == "sound") is (one.code == "")
    assert one.code in {"", *QUALITY}


def test_the_same_seed_draws_the_same_bytes_and_another_seed_others() -> None:
    of = "soft (sigma 1.2 to 2)"

    assert sample(of, 5).body == sample(of, 5).body
    assert sample(of, 5).body != sample(of, 17).body


def test_an_unknown_class_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="no class 'crumpled'; there are paper"):
        sample("crumpled", 1)


@pytest.mark.timeout(280)
def test_a_small_measurement_finds_no_false_alarm_and_hardly_a_miss() -> None:
    tables = measure(2, 4)

    assert [row.code for row in tables.checks] == list(CODES)
    assert [row.of for row in tables.classes] == list(CLASSES)
    for row in tables.checks:
        assert (row.falsely_rejected, row.falsely_reviewed) == (0, 0), row
        assert row.rejected + row.reviewed + row.missed == row.bad > 0
    assert sum(row.missed for row in tables.checks) <= 2
    for row in tables.classes:
        assert row.accepted + row.review + row.rejected == row.count == 2
    saved_anew, _, other_paper = tables.distances
    assert saved_anew.most < other_paper.least
    assert tables.samples == []


def test_a_folder_of_samples_can_be_measured_without_the_corpus() -> None:
    tables = measure(0, 1, SAMPLES)

    assert tables.checks == tables.classes == tables.distances == []
    assert len(tables.samples) == 47
    assert all(row.is_right for row in tables.samples)
