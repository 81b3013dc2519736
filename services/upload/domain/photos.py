"""The photo check and the registration photo: what is declared, how often it may be asked, what is kept how long."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import Invalid, TooManyRequests

RECENT = "recent"
"""Taken within the last six months."""
UNALTERED = "unaltered"
"""Not beautified, nor changed by any editor."""
_DECLARATIONS = (RECENT, UNALTERED)

AN_HOUR = timedelta(hours=1)
PER_HOUR = 20
UNCHECKED_AT_ONCE = 5

# A portrait is nobody's evidence: once the verdict is there, the picture is kept no longer than it takes to look at it.
PICTURE_KEPT = timedelta(hours=1)
UNANSWERED_KEPT = timedelta(hours=24)
REPLACED_KEPT = timedelta(hours=24)


class PhotoStatus(StrEnum):
    """Where a photo check stands."""

    CHECKING = "checking"
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"
    """The receipt is too old to be handed in, or the check never came to an answer."""


def declared_in(words: str) -> list[str]:
    """What of the declaration is in a list with commas; words that mean nothing here are left out."""
    given = {word.strip() for word in words.split(",")}
    return [word for word in _DECLARATIONS if word in given]


def is_complete(declared: Iterable[str]) -> bool:
    """Was everything declared that a photo needs?"""
    return set(_DECLARATIONS) <= set(declared)


def declaration_missing() -> Invalid:
    """What no program can see must be declared by the candidate."""
    return Invalid(
        "declaration-missing",
        "请先声明：照片为6个月内拍摄，且未经美颜、修图处理。",
        "Declare first that the photo was taken within six months and was not beautified or edited: "
        "send `declared=recent,unaltered`.",
    )


def check_may_ask(requested: Iterable[datetime], unchecked: int, now: datetime) -> None:
    """Refuse a further photo check where there were many.

    Args:
        requested: when each one of the last hour was asked for.
        unchecked: how many wait for an answer.
        now: the time.

    Raises:
        TooManyRequests: 20 in the last hour, or five unchecked.
    """
    if unchecked >= UNCHECKED_AT_ONCE:
        raise too_many_waiting()
    times = sorted(requested)
    if len(times) >= PER_HOUR:
        wait = times[-PER_HOUR] + AN_HOUR - now
        minutes = max(1, math.ceil(wait / timedelta(minutes=1)))
        raise TooManyRequests(
            "too-many-photo-checks",
            f"每小时最多检测 {PER_HOUR} 张照片，请约 {minutes} 分钟后再试。",
            f"At most {PER_HOUR} photos are checked in an hour. Come back in about {minutes} minutes.",
            retry_after_s=max(1, math.ceil(wait.total_seconds())),
        )


def too_many_waiting() -> TooManyRequests:
    """Five of the candidate's are on their way or waiting."""
    return TooManyRequests(
        "photo-checks-waiting",
        "已有多张照片正在检测，请等待结果后再提交。",
        f"{UNCHECKED_AT_ONCE} photos are being checked. Wait for their results before you send another.",
        retry_after_s=5,
    )


def receipt_used() -> Invalid:
    """A receipt is accepted once."""
    return Invalid(
        "receipt_used",
        "这张照片的检测凭证已经使用过。如需更换报名照片，请重新进行照片检测。",
        "This photo's receipt was used already. To replace the registration photo, do the photo check again.",
    )
