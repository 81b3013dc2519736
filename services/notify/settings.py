"""What notify reads from the environment."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Typed and complete: what has no default must be set."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    database_url: str = Field(validation_alias="DATABASE_URL_NOTIFY", repr=False)
    port: int = Field(default=8104, validation_alias="NOTIFY_PORT")
    upload_identity_public_key: str
    sms_gateway_url: str
