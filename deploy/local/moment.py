"""The stack's clock: the moment it starts at, and what time it is there now."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from deploy.local.errors import BadSetting

CLOCK_SHIFT = "BAOSHEN_CLOCK_SHIFT_S"
BEIJING = ZoneInfo("Asia/Shanghai")
_YEARS = range(2000, 2101)


def moment(words: str) -> datetime:
    """Read `2021-01-20` (noon in Beijing) or a date with a time (of Beijing, unless it has an offset of its own).

    Raises:
        BadSetting: it is neither; the text says what to give.
    """
    given = words.strip()
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise BadSetting(_advice(words)) from None
    if re.fullmatch(r"\d{4}-?\d\d-?\d\d", given):
        at = datetime.combine(at.date(), time(12))
    if at.tzinfo is None:
        at = at.replace(tzinfo=BEIJING)
    if at.year not in _YEARS:
        raise BadSetting(_advice(words))
    return at.astimezone(UTC)


def shift_to(at: datetime) -> str:
    """The value of `BAOSHEN_CLOCK_SHIFT_S` with which it is `at` now."""
    return f"{(at - datetime.now(UTC)).total_seconds():.0f}"


def shift_in(environment: Mapping[str, str]) -> timedelta:
    """By how much the clock of a stack is shifted.

    Raises:
        BadSetting: the variable is no number.
    """
    words = environment.get(CLOCK_SHIFT) or "0"
    try:
        return timedelta(seconds=float(words))
    except (ValueError, OverflowError):
        raise BadSetting(f"{CLOCK_SHIFT} is {words!r}. Give a number of seconds, or unset it.") from None


def now_in(environment: Mapping[str, str]) -> datetime:
    """What time it is in the stack, whatever the clock of this process says."""
    return datetime.now(UTC) + shift_in(environment)


def _advice(words: str) -> str:
    return (
        f"--as-of {words!r} 不是日期。It is no date between {_YEARS[0]} and {_YEARS[-1]}. "
        "Give YYYY-MM-DD (noon in Beijing), or YYYY-MM-DDTHH:MM with or without an offset such as +08:00."
    )
