"""The one clock for windows, deadlines and what people read. `BAOSHEN_AS_OF` shifts it, to play a past year's story."""

import os
from datetime import UTC, datetime, timedelta


def _shift() -> timedelta:
    as_of = os.environ.get("BAOSHEN_AS_OF")
    if not as_of:
        return timedelta()
    start = datetime.fromisoformat(as_of)
    if start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    return start - datetime.now(UTC)


_SHIFT = _shift()


def now() -> datetime:
    """The present, UTC and aware."""
    return datetime.now(UTC) + _SHIFT
