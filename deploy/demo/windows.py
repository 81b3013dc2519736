"""A past year's windows, moved to where they are open now."""

from datetime import date, datetime, timedelta

from shared.contracts.rules import Pack, Window, Windows

_INTO = timedelta(days=2)
_DAY = timedelta(days=1)


def moved_to(pack: Pack, now: datetime) -> Pack:
    """The pack with every window moved by whole days, so that uploading opened two days ago.

    Of an upload window shorter than four days it is the middle. Days by which supplements are due move along.
    """
    lead = pack.windows.upload or pack.windows.registration
    if lead is None:
        return pack
    into = min(_INTO, (lead.closes_at - lead.opens_at) / 2)
    by = _DAY * round((now - into - lead.opens_at) / _DAY)
    if not _moved(lead, by).has(now):
        by = now - into - lead.opens_at  # shorter than a day: to the second
    supplements = tuple(each.model_copy(update={"due": each.due + by}) for each in pack.supplements)
    return pack.with_windows_moved(by).model_copy(update={"supplements": supplements})


def with_everything_open(pack: Pack, now: datetime) -> Pack:
    """The pack, moved, with changing, reviewing and publishing possible while uploading is: one story in a minute."""
    moved = moved_to(pack, now)
    upload = moved.windows.upload
    if upload is None:
        return moved
    opened = {
        name: _opened(window, upload, now)
        for name in ("change", "review", "publishing")
        if (window := getattr(moved.windows, name)) is not None
    }
    return moved.model_copy(update={"windows": moved.windows.model_copy(update=opened)})


def is_open(pack: Pack, now: datetime) -> bool:
    """Can candidates upload now?"""
    return pack.windows.upload is None or pack.windows.upload.has(now)


def same_but_for_windows(one: Pack, other: Pack) -> bool:
    """Are they the same rules, apart from version and dates?"""
    return _without_dates(one) == _without_dates(other)


def _opened(window: Window, upload: Window, now: datetime) -> Window:
    if window.has(now):
        return window
    closes = window.closes if window.closes_at > now else upload.closes
    return window.model_copy(update={"opens": upload.opens, "closes": closes})


def _moved(window: Window, by: timedelta) -> Window:
    return window.model_copy(update={"opens": window.opens + by, "closes": window.closes + by})


def _without_dates(pack: Pack) -> Pack:
    supplements = tuple(each.model_copy(update={"due": date.min}) for each in pack.supplements)
    return pack.model_copy(update={"version": 1, "windows": Windows(), "supplements": supplements})
