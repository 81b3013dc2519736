"""What every body of the HTTP API stands on; the OpenAPI document is made from them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

# No control characters but line ends and tabs: PostgreSQL takes no NUL, and a terminal that shows a log obeys others.
PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=PRINTABLE)]


def _sane(at: datetime) -> datetime:
    if not 2000 <= at.year <= 2100:
        raise ValueError("give a time between the years 2000 and 2100")
    return at


Revision = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""As far as the column goes."""
Moment = Annotated[AwareDatetime, AfterValidator(_sane)]
"""A time with its offset, such as 2026-01-31T00:00:00+08:00; far ones would break the arithmetic behind."""


class Asked(BaseModel):
    """A request body: a field that we do not know is a mistake of the sender's."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)
