"""Columns as JSON shows them."""

import json
from datetime import datetime
from typing import Any


def parsed(value: object) -> list[dict[str, Any]]:
    """A JSONB list, whichever way the driver gives it."""
    found: list[dict[str, Any]] = json.loads(value) if isinstance(value, str) else value  # type: ignore[assignment]
    return found


def iso(at: datetime | None) -> str | None:
    """A time with its offset."""
    return None if at is None else at.isoformat()
