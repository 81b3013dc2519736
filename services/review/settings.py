"""Review's environment."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, StoreSettings

SHORTEST_PUBLICATION_DELAY_S = 300
# For trying out: whoever names an earlier time has it, as long as the services hear of it before.
_SHORTEST_TRYING_OUT_S = 5


class Settings(ServiceSettings, StoreSettings):
    """What review must be told, and what it may be told."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    database_url: str = Field(validation_alias="DATABASE_URL_REVIEW", repr=False)
    port: int = Field(default=8103, validation_alias="REVIEW_PORT")
    public_origin: str
    identity_key: str = Field(validation_alias="REVIEW_IDENTITY_KEY", repr=False)
    audit_signing_key: str = Field(repr=False)  # base64, the 32-byte seed of an Ed25519 key
    # As upload's: of the keyed hashes of what is looked up (ID numbers, logins that failed, recovery codes).
    lookup_key: str = Field(repr=False)  # base64, 32 bytes
    # `offered`: who has no second factor logs in with the password alone; for stacks to try out.
    staff_second_factor: Literal["required", "offered"] = "required"
    # For each login and address; a login from everywhere is only stopped by ten addresses that fail together.
    failed_staff_logins: int = Field(default=5, ge=1)
    failed_staff_logins_anywhere: int = Field(default=50, ge=1)
    failed_staff_logins_per_address: int = Field(default=30, ge=1)
    # An identity provider (OpenID Connect); without an issuer there is none.
    staff_oidc_issuer: str = ""
    staff_oidc_client_id: str = ""
    staff_oidc_client_secret: str = Field(default="", repr=False)
    staff_oidc_name: str = "单位统一登录"
    session_idle_minutes: int = Field(default=60, ge=1)
    session_longest_hours: int = Field(default=12, ge=1)
    claim_lease_s: int = Field(default=900, ge=1)
    # So long an act may be undone, and nobody is told of it; 0 tells at once.
    undo_s: int = Field(default=10, ge=0, le=60)
    # Between a publication and the moment its opinions show, so that all of a region learn at once.
    publication_delay_s: int = Field(default=300, ge=0)
    # True on stacks for trying out: what would be too short, or too open, for an exam is allowed there.
    development: bool = Field(default=False, validation_alias="BAOSHEN_DEVELOPMENT")

    @field_validator("development", mode="before")
    @classmethod
    def _false_if_empty(cls, given: object) -> object:
        return False if given == "" else given

    @field_validator("staff_oidc_issuer")
    @classmethod
    def _https(cls, issuer: str) -> str:
        # Over plain http anybody on the way could put in keys of their own.
        if issuer and not re.match(r"https://|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/|$)", issuer):
            raise ValueError("STAFF_OIDC_ISSUER begins with https://")
        return issuer

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.staff_oidc_issuer and not self.staff_oidc_client_id:
            raise ValueError("STAFF_OIDC_ISSUER is set, so STAFF_OIDC_CLIENT_ID must be too")
        return self

    @property
    def shortest_publication_delay_s(self) -> int:
        """From a publication to the moment its opinions show, at least: an earlier moment is not to be had."""
        return min(self.publication_delay_s, _SHORTEST_TRYING_OUT_S) if self.development else self.publication_delay_s

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if self.publication_delay_s < SHORTEST_PUBLICATION_DELAY_S and not self.development:
            raise ValueError(
                f"PUBLICATION_DELAY_S is {SHORTEST_PUBLICATION_DELAY_S} at least: within that time every service hears "
                "of a publication, so that nobody learns before the others. For trying out set BAOSHEN_DEVELOPMENT=1"
            )
        return self
