"""When something may be done, and by when it must be: windows, deadlines and warnings, in words."""

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts.rules import Window, Windows
from shared.errors import Conflict

WindowName = Literal["upload", "change", "review"]
HoursLeft = Literal[72, 24, 2]
STAGES: tuple[HoursLeft, ...] = (2, 24, 72)
"""Hours before a deadline at which the candidate is warned, the nearest first."""

_BEFORE: dict[WindowName, tuple[str, str]] = {
    "upload": ("材料上传尚未开始，将于{at}开始，请届时再来。", "Uploading opens at {at}. Come back then."),
    "change": ("尚未到可以撤回的时间，将于{at}开始。", "Withdrawing is possible from {at} on."),
    "review": ("审核尚未开始，将于{at}开始。", "The review begins at {at}."),
}
_AFTER: dict[WindowName, tuple[str, str]] = {
    "upload": (
        "材料上传与提交已于{at}截止，不能再修改。如有疑问请联系考区。",
        "Uploading and submitting ended at {at}; nothing can be changed. Ask the region's office if in doubt.",
    ),
    "change": (
        "撤回与变更已于{at}截止。如有疑问请联系考区。",
        "Withdrawing and changing ended at {at}. Ask the region's office if in doubt.",
    ),
    "review": (
        "退回材料的修改与重新提交已于{at}截止。如有疑问请联系考区。",
        "Replacing what was returned ended at {at}. Ask the region's office if in doubt.",
    ),
}


def spoken(at: datetime, window: Window) -> tuple[str, str]:
    """A time as people of the window's zone read it, Chinese and English."""
    local = at.astimezone(ZoneInfo(window.time_zone))
    zone = "（北京时间）" if window.time_zone == "Asia/Shanghai" else f"（{window.time_zone}）"
    return (
        f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}{zone}",
        f"{local:%Y-%m-%d %H:%M} ({window.time_zone})",
    )


def closed(windows: Windows, name: WindowName, now: datetime) -> Conflict | None:
    """Why the window is closed, in words; None while it is open, and always where the pack has none.

    What was returned may be mended before the review's window opens: only its end counts.
    """
    window: Window | None = getattr(windows, name)
    if window is None:
        return None
    if now < window.opens_at and name != "review":
        words, at = _BEFORE[name], window.opens_at
    elif now >= window.closes_at:
        words, at = _AFTER[name], window.closes_at
    else:
        return None
    zh, en = spoken(at, window)
    return Conflict(
        "window-closed",
        words[0].format(at=zh),
        words[1].format(at=en),
        window=name,
        opens_at=window.opens_at.isoformat(),
        closes_at=window.closes_at.isoformat(),
    )


def stage_at(now: datetime, deadline: datetime) -> HoursLeft | None:
    """The warning that is due: the nearest stage that was reached; None while none is, and once it is too late."""
    if now >= deadline:
        return None
    return next((hours for hours in STAGES if deadline - now <= timedelta(hours=hours)), None)
