"""Sessions, second factors, and the accounts of a region."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from services.review.domain import Role
from services.review.shapes.base import PRINTABLE, Asked, Told
from shared.contracts.event import SiteCode

LoginName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._@-]{1,64}$", strip_whitespace=True)]
Password = Annotated[str, StringConstraints(min_length=8, max_length=256)]
DisplayName = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=PRINTABLE)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE)]
"""Who somebody is to the identity provider (its `sub`)."""


class Login(Asked):
    """Who wants in. `code`: of the second factor, where the account has one; `recovery_code` stands in for it, once."""

    login: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE, strip_whitespace=True)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None
    recovery_code: Annotated[str, StringConstraints(min_length=8, max_length=40, pattern=PRINTABLE)] | None = None


class Session(Told):
    """Who is logged in, and the token that writes must carry.

    `second_factor`: the account has one. `must_enrol`: it needs one, and nothing else is allowed before.
    """

    staff_id: UUID
    display_name: str
    role: Role
    region: str | None
    site: str | None
    csrf_token: str
    second_factor: bool
    must_enrol: bool


class IdentityProvider(Told):
    """Another way in: the button's name."""

    name: str


class LoginOptions(Told):
    """The ways in that there are; `oidc` is null where no identity provider is set up."""

    local: bool
    oidc: IdentityProvider | None


class Begin(Asked):
    """Nothing to say."""


class SecondFactorBegun(Told):
    """A new secret for an authenticator app: by hand, as a link, and as a QR code (SVG)."""

    secret: str
    uri: str
    qr_svg: str


class Code(Asked):
    """What the authenticator app shows."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class RecoveryCodes(Told):
    """Each stands in for one code; they are shown this once."""

    recovery_codes: list[str]


class Member(Told):
    """An account, as the region's administrator sees it."""

    staff_id: UUID
    login: str
    display_name: str
    role: Role
    site: str | None
    active: bool
    second_factor: bool
    last_seen_at: datetime | None


class Members(Told):
    """One page of accounts, by login."""

    items: list[Member]
    next: str | None


class NewMember(Asked):
    """An account to open; the person changes nothing of it but the second factor.

    `oidc_subject`: who the person is to the identity provider; with it alone, nobody logs in with a password.
    """

    login: LoginName
    password: Password | None = None
    oidc_subject: Subject | None = None
    display_name: DisplayName
    role: Role
    site: SiteCode | None = None


class MemberChange(Asked):
    """What is given is changed; it counts from the person's next call on."""

    role: Role | None = None
    site: SiteCode | None = None
    active: bool | None = None
    password: Password | None = None
    reset_second_factor: bool = False
