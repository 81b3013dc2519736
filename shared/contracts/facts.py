"""The vocabulary of an applicant's facts. Names and values are fixed; packs' conditions read them."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Facts(BaseModel):
    """What a registration says of the applicant, personal data left out.

    A fact that is left out has the value of a graduated mainland bachelor at a medical institution.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    level: Literal["physician", "assistant"] = "physician"
    upgrading: bool = False
    category: Literal["clinical", "dental", "public_health", "tcm", "integrated", "ethnic", "rural_general"] = (
        "clinical"
    )
    education: Literal[
        "graduate", "bachelor", "junior_college", "secondary", "apprenticeship", "special_skill", "tcm_specialist"
    ] = "bachelor"
    education_form: Literal["full_time", "adult"] = "full_time"
    entered_on: date | None = date(2012, 9, 1)
    graduated_on: date | None = date(2017, 7, 1)
    student_status: Literal["graduated", "finishing_this_year"] = "graduated"
    fresh_graduate: bool = False
    upgraded_from_junior_college: bool = False
    upgrade_entered_on: date | None = None
    education_record_available: bool = True
    diploma_lost: bool = False
    other_category_diplomas: bool = False
    degree_origin: Literal["mainland", "hmt", "foreign"] = "mainland"
    nationality: Literal["mainland", "hmt", "foreign"] = "mainland"
    id_document: Literal["id_card", "temporary_id", "military_card", "police_card", "hmt_permit", "passport"] = (
        "id_card"
    )
    military: Literal["none", "serving", "civilian_staff"] = "none"
    institution: Literal["tertiary_a", "cdc", "medical", "other"] = "medical"
    institutions_count: int = Field(default=1, ge=1, le=20)
    institution_has_category: bool = True
    registration_changed: bool = False
    registration_years_short: bool = False
    licence_lacks_first_registration: bool = False
    extra_exam: Literal["none", "emergency", "paediatrics"] = "none"
    has_residency_certificate: bool = False
    has_village_doctor_certificate: bool = False
    rural_major: bool = False
    western_studying_tcm: bool = False
    apprenticeship_province: str | None = None
    review_passed_years: tuple[int, ...] = ()
    first_application_within_3y: bool = False
    carried_over_skill_pass: bool = False
