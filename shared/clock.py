"""The one clock for windows, deadlines and what people read.

`BAOSHEN_CLOCK_SHIFT_S` shifts it by so many seconds, the same in every process, so that a past year's story can be
played.
"""

import os
from datetime import UTC, datetime, timedelta

_SHIFT = timedelta(seconds=float(os.environ.get("BAOSHEN_CLOCK_SHIFT_S") or 0))


def now() -> datetime:
    """The present, UTC and aware."""
    return datetime.now(UTC) + _SHIFT


def real_now() -> datetime:
    """The machine's own time, never shifted: for codes and tokens that are made by others, who know of no shift."""
    return datetime.now(UTC)
