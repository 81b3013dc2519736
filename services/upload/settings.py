"""Upload's environment."""

from pydantic import Field
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
