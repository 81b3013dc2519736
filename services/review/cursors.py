"""Where a page of a list ended, in a form that says nothing to others and is refused where it is not ours."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from shared.errors import Invalid

T = TypeVar("T")


def moment(written: str) -> datetime:
    """A part of a cursor that is a time.

    Raises:
        ValueError, OverflowError: it is none.
    """
    return datetime.fromisoformat(written).astimezone(UTC)


def number(written: str) -> str:
    """A part of a cursor that is an application's number.

    Raises:
        ValueError: it can't be one.
    """
    if not written.isalnum():
        raise ValueError("not an application number")
    return written


def line_id(written: str) -> int:
    """A part of a cursor that is the number of a row.

    Raises:
        ValueError: it can't be one.
    """
    found = int(written)
    if not 0 <= found < 2**63:
        raise ValueError("not a line")
    return found


def written(*parts: object) -> str:
    """The place in a list that these values of its order name."""
    texts = (part.isoformat() if isinstance(part, datetime) else str(part) for part in parts)
    return base64.urlsafe_b64encode("|".join(texts).encode()).decode()


def read(cursor: str, *kinds: Callable[[str], T]) -> tuple[T, ...]:
    """What `written` was given.

    Args:
        cursor: as the client sent it back.
        *kinds: makes each part of its text, or raises ValueError or OverflowError.

    Raises:
        Invalid: it is not one of ours (`cursor-invalid`).
    """
    try:
        texts = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split("|", len(kinds) - 1)
        return tuple(kind(text) for kind, text in zip(kinds, texts, strict=True))
    except (ValueError, OverflowError):
        raise not_ours() from None


def not_ours() -> Invalid:
    """A cursor of another list, or none at all."""
    return Invalid(
        "cursor-invalid",
        "翻页位置无效，请从第一页重新开始。",
        "This cursor is not one of ours. Begin again without one.",
    )
