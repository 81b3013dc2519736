"""Which items' images are read, region by region: papers that show the candidate's own name and number."""

from pathlib import Path

import pytest
import yaml

from deploy.intake.packs import RULES
from shared.contracts.rules import Pack

PACKS = sorted(RULES.glob("*.yaml"))
OWN_PAPERS = {
    "diploma",
    "junior_college_diploma",
    "degree",
    "foreign_degree_certification",
    "assistant_qualification",
    "assistant_practice_licence",
    "residency_certificate",
    "apprenticeship_certificate",
    "tcm_specialist_certificate",
    "tcm_specialist_licence",
    "village_doctor_certificate",
}
# The institution has no person's name; the supervisor's would never be the candidate's.
OTHERS_PAPERS = {"institution_licence", "supervisor_licence"}


def pack_in(file: Path) -> Pack:
    return Pack.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", PACKS, ids=lambda file: file.stem)
def test_the_identity_document_is_read_for_number_name_and_validity(file: Path) -> None:
    assert pack_in(file).items["identity"].reads == ("id_number", "name", "valid_until")


@pytest.mark.parametrize("file", PACKS, ids=lambda file: file.stem)
def test_diplomas_licences_and_certificates_are_read_and_nothing_else(file: Path) -> None:
    read = {code: rule.reads for code, rule in pack_in(file).items.items() if rule.reads and code != "identity"}

    assert {code for code, fields in read.items() if fields == ("name", "certificate_number")} == OWN_PAPERS & set(read)
    assert {code for code, fields in read.items() if fields == ("certificate_number",)} == OTHERS_PAPERS & set(read)
    assert set(read) == (OWN_PAPERS | OTHERS_PAPERS) & set(pack_in(file).items)


@pytest.mark.parametrize("file", PACKS, ids=lambda file: file.stem)
def test_the_registration_photo_is_of_the_official_size(file: Path) -> None:
    photo = pack_in(file).photo

    assert (photo.width_mm, photo.height_mm, photo.width_px, photo.height_px) == (33, 48, 390, 567)
    assert photo.max_bytes == 30_000
