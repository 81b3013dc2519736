"""Validation's environment."""

import os
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.validation.domain import CHECKS, PHOTOS, READING
from shared.settings import ServiceSettings, StoreSettings


class Settings(ServiceSettings, StoreSettings):
    """What validation must be told, and what it may be told."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    database_url: str = Field(validation_alias="DATABASE_URL_VALIDATION", repr=False)
    port: int = Field(default=8102, validation_alias="VALIDATION_PORT")
    # The consumer groups that this process plays. Reading is slow: in a process of its own nobody waits for it.
    groups: str = Field(default=f"{CHECKS},{PHOTOS}", validation_alias="VALIDATION_GROUPS")
    # Processes that look at images (and one that stands by). One for each core keeps both busy.
    workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1), validation_alias="VALIDATION_WORKERS", ge=1, le=64
    )
    readers: int = Field(default=1, validation_alias="VALIDATION_READERS", ge=1, le=16)  # 300 to 450 MB each
    # The private keys that sign photo receipts; needed where `validation-photos` is played.
    photo_keys_file: Path | None = Field(default=None, validation_alias="PHOTO_KEYS_FILE")

    @field_validator("groups")
    @classmethod
    def _known(cls, groups: str) -> str:
        unknown = set(groups.split(",")) - {CHECKS, PHOTOS, READING}
        if unknown:
            raise ValueError(
                f"VALIDATION_GROUPS knows {CHECKS}, {PHOTOS} and {READING}, not {', '.join(sorted(unknown))}"
            )
        return groups

    def plays(self, group: str) -> bool:
        """True when this process hears what the group hears."""
        return group in self.groups.split(",")
