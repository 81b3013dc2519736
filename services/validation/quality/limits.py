"""The limits in force: `limits.toml`, or the file that VALIDATION_LIMITS_FILE names."""

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[float, Field(ge=0, le=255)]  # of grey, 0 is black
_SHIPPED = Path(__file__).with_name("limits.toml")
_VARIABLE = "VALIDATION_LIMITS_FILE"


class BadLimits(Exception):
    """The file can't be used; the message says what is wrong in it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Below(_Part):
    """What is below `reject` is refused, what is below `review` somebody looks at."""

    reject: float
    review: float

    @model_validator(mode="after")
    def _in_order(self) -> "Below":
        if self.reject > self.review:
            raise ValueError("reject must not be above review: less is worse here")
        return self


class Above(_Part):
    """What is above `reject` is refused, what is above `review` somebody looks at."""

    reject: float
    review: float

    @model_validator(mode="after")
    def _in_order(self) -> "Above":
        if self.reject < self.review:
            raise ValueError("reject must not be below review: more is worse here")
        return self


class Blank(_Part):
    """Structure below its limits on a picture whose relief or contrast is below its own."""

    structure: Below
    relief: Level
    contrast: Level


class Blurred(_Part):
    """Crete's score, by what the picture shows."""

    document: Above
    people: Above


class Orientation(_Part):
    """How sure the model must be: that a picture is upright at the first look, and that it is turned."""

    upright_at_once: Share
    review: Share
    reject: Share

    @model_validator(mode="after")
    def _in_order(self) -> "Orientation":
        if self.reject < self.review:
            raise ValueError("reject must not be below review: surer is worse here")
        return self


class People(_Part):
    """What makes a picture one of a person: a face of this score and height (share of the longer side)."""

    face_score: Share
    face_height: Share


class NearDuplicate(_Part):
    """The share of the fingerprint's bits that may differ between two pictures of the same thing."""

    most_different: Share


class Limits(_Part):
    """All limits."""

    blank: Blank
    too_dark: Below
    low_contrast: Below
    blurred: Blurred
    orientation: Orientation
    people: People
    near_duplicate: NearDuplicate


@cache
def load(path: Path | None = None) -> Limits:
    """The limits of a file; of the one that is shipped if None.

    Raises:
        BadLimits: the file is absent, is no TOML, lacks a limit, or has one that nobody knows.
    """
    file = path or _SHIPPED
    try:
        written: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return Limits.model_validate(written)
    except OSError as error:
        raise BadLimits(f"{file.name} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadLimits(f"{file.name} is no TOML: {error}") from error
    except ValidationError as error:
        raise BadLimits("\n".join([f"{file.name} can't be used:", *map(_told, error.errors())])) from error


def _told(problem: Any) -> str:  # noqa: ANN401 pydantic's ErrorDetails
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"  {place}: there is no such limit"
    if problem["type"] == "missing":
        return f"  {place}: is missing"
    return f"  {place}: {problem['msg']}"


def in_force() -> Limits:
    """The limits that this process judges by."""
    named = os.environ.get(_VARIABLE)
    return load(Path(named) if named else None)
