"""Told by the registration system (or `baoshen import registrations`)."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.event import ApplicationNo, Event, PackId, RegionCode, Sealed, SiteCode
from shared.contracts.facts import Facts


class RegistrationRecorded(Event):
    """The whole current facts of one application; a higher `registration_revision` replaces a lower one."""

    topic: ClassVar[str] = "registration.recorded.v1"
    compacted: ClassVar[bool] = True

    application_no: ApplicationNo
    registration_revision: Annotated[int, Field(ge=1, le=2_147_483_647)]  # seconds since 1970 fit until 2038
    region: RegionCode
    site: SiteCode
    year: Annotated[int, Field(ge=2000, le=2100)]
    pack_id: PackId
    facts: Facts
    sealed: Sealed  # Person
