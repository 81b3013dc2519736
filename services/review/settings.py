"""Review's environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, StoreSettings


class Settings(ServiceSettings, StoreSettings):
    """What review must be told, and what it may be told."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    database_url: str = Field(validation_alias="DATABASE_URL_REVIEW", repr=False)
    port: int = Field(default=8103, validation_alias="REVIEW_PORT")
    public_origin: str
    identity_key: str = Field(validation_alias="REVIEW_IDENTITY_KEY", repr=False)
    session_idle_minutes: int = Field(default=60, ge=1)
    session_longest_hours: int = Field(default=12, ge=1)
    claim_lease_s: int = Field(default=900, ge=1)
    # Between a publication and the moment its opinions show, so that all of a region can learn at once.
    publication_delay_s: int = Field(default=0, ge=0)
