"""Times as JSON shows them."""

from datetime import datetime


def iso(at: datetime | None) -> str | None:
    """A time with its offset."""
    return None if at is None else at.isoformat()
