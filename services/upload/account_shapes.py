"""What the account API takes and gives."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.upload.shapes import Asked, Login

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class CaptchaMade(BaseModel):
    """A captcha: look at the picture or listen, and answer within ten minutes. One try."""

    captcha_id: UUID
    image_url: str
    audio_url: str
    expires_at: datetime


class CaptchaAnswer(Asked):
    """What a person read or heard."""

    captcha_id: UUID
    answer: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_PRINTABLE)]


class CandidateLogin(Login):
    """A login; with a captcha after too many failures."""

    captcha: CaptchaAnswer | None = None


class Activation(Login):
    """The first login."""

    captcha: CaptchaAnswer


class SessionShown(BaseModel):
    """A session in its owner's list; `device` is a browser and a system, or empty."""

    session_id: UUID
    device: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


class SessionsShown(BaseModel):
    """The sessions that have not ended, the one used last first."""

    items: list[SessionShown]


class NewPhone(Asked):
    """A mainland mobile number."""

    phone: Annotated[str, StringConstraints(pattern=r"^1[3-9][0-9]{9}$")]


class CodeSent(BaseModel):
    """A code is on its way by SMS."""

    code_id: UUID
    expires_at: datetime
    retry_after_s: Annotated[int, Field(description="When another may be asked for.")]


class CodeEntered(Asked):
    """The six digits that came by SMS."""

    code_id: UUID
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class PhoneChanged(BaseModel):
    """The phone that counts from now on."""

    phone_masked: str
