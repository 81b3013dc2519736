"""How much of a candidate's data shows where nobody has claimed the application."""

UNKNOWN = "—"
"""Stands for data that was erased, or has not arrived yet."""


def mask_name(name: str) -> str:
    """The family name only: 张**."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def mask_id_number(number: str) -> str:
    """Region and last four, 150***********1234; of shorter ones, such as passports, less."""
    shown = (3, 4) if len(number) >= 15 else (1, 2)
    return _mask(number, *shown)


def mask_phone(phone: str) -> str:
    """138****5678."""
    return _mask(phone, 3, 4)


def _mask(value: str, head: int, tail: int) -> str:
    if len(value) <= head + tail:
        return "*" * len(value)
    return value[:head] + "*" * (len(value) - head - tail) + value[-tail:]
