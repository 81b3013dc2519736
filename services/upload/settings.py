"""Upload's environment."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, StoreSettings


class Settings(ServiceSettings, StoreSettings):
    """What upload must be told, and what it may be told."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    database_url: str = Field(validation_alias="DATABASE_URL_UPLOAD", repr=False)
    port: int = Field(default=8101, validation_alias="UPLOAD_PORT")
    public_origin: str
    lookup_key: str = Field(repr=False)  # base64, 32 bytes
    identity_key: str = Field(validation_alias="UPLOAD_IDENTITY_KEY", repr=False)
    session_idle_minutes: int = 120
    session_longest_hours: int = 12
    # A removed image that was never handed in can be brought back for so long; then its object goes.
    removed_objects_kept_hours: int = 24
    # How often deadlines are looked at: warnings, and what was not submitted in time.
    deadline_job_every_s: float = Field(default=300, gt=0)
    # The registration system's account API (docs/accounts.md); empty: the accounts that were imported.
    accounts_url: str = ""
    accounts_token: str = Field(default="", repr=False)
    # Fits every captcha: development stacks only, so that the demo and the tests get past one.
    captcha_test_answer: str = Field(default="", repr=False)
    captchas_per_minute: int = Field(default=60, ge=1)  # of one address; a school's candidates share one
    # So many may fail within 15 minutes before a captcha is asked for.
    failed_logins: int = Field(default=5, ge=1)
    failed_logins_per_address: int = Field(default=50, ge=1)

    # The public keys of photo receipts (docs/photo-receipt.md); unset: registration photos are answered 503.
    photo_public_keys_file: Path | None = None

    @field_validator("photo_public_keys_file", mode="before")
    @classmethod
    def _none_if_empty(cls, path: object) -> object:
        return None if path == "" else path

    @field_validator("accounts_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url and not url.startswith(("https://", "http://")):
            raise ValueError("ACCOUNTS_URL is an http(s) address, or empty")
        return url
