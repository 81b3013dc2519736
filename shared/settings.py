"""The part of the environment that all services read alike; each service adds its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from shared.storage import Storage

Role = Literal["api", "consumers", "relay"]


class ServiceSettings(BaseSettings):
    """Typed and complete: what has no default must be set."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    kafka_bootstrap_servers: str
    master_keys: str = Field(repr=False)
    data_keys_file: Path
    host: str = "127.0.0.1"
    roles: str = "api,consumers,relay"
    log_level: str = "INFO"
    log_format: Literal["json", "console"] = "json"

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: str) -> str:
        unknown = set(roles.split(",")) - {"api", "consumers", "relay"}
        if unknown:
            raise ValueError(f"ROLES knows api, consumers and relay, not {', '.join(sorted(unknown))}")
        return roles

    def has(self, role: Role) -> bool:
        """True when this process plays the role."""
        return role in self.roles.split(",")


class StoreSettings(BaseSettings):
    """The object store, for services that read or write images."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    s3_endpoint_url: str | None = None
    s3_access_key: str = Field(repr=False)
    s3_secret_key: str = Field(repr=False)
    s3_bucket: str
    s3_region: str = "us-east-1"

    def storage(self) -> "Storage":
        """The bucket, to be opened."""
        from shared.storage import Storage  # half a second of imports, which notify need not wait for

        return Storage(
            endpoint_url=self.s3_endpoint_url,
            access_key=self.s3_access_key,
            secret_key=self.s3_secret_key,
            bucket=self.s3_bucket,
            region=self.s3_region,
        )
