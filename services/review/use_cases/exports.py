"""Exports are on record: that one was begun, before its first byte, and how it ended."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.review.domain import Staff
from services.review.use_cases import audit
from shared import clock


@dataclass(frozen=True)
class Export:
    """One export by one person. Its line is made while the request is there: it knows from where it was asked."""

    line: dict[str, Any]


async def begin(session: AsyncSession, by: Staff, what: str, form: str, narrowed_to: dict[str, str]) -> Export:
    """Write down that somebody exports something.

    Args:
        session: it commits before the first byte is sent.
        by: who.
        what: which table, such as `applications`.
        form: csv or xlsx.
        narrowed_to: the filter; never personal data.
    """
    detail = {"export": what, "format": form, "filter": narrowed_to}
    made = audit.line("exported", by, region=narrowed_to.get("region"), site=narrowed_to.get("site"), detail=detail)
    await audit.write(session, made | {"detail": detail | {"step": "begun"}})
    return Export(made)


async def end(session: AsyncSession, export: Export, rows: int, *, complete: bool) -> None:
    """Write down how many rows were read; all of them, unless whoever downloads went away or something broke."""
    detail = export.line["detail"] | {"step": "ended" if complete else "cut_off", "rows": rows}
    await audit.write(session, export.line | {"at": clock.now(), "detail": detail})
