"""What is exported: applications through a cursor of the database, the dashboard's tables, the audit trail by pages."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.review import tables
from services.review.domain import NEVER, Staff, State
from services.review.exporting import Line, Sheet
from services.review.opening import person_of
from services.review.queries.audit import AuditFilters, audit_page
from services.review.queries.export_words import Language, heading, headings, value
from services.review.queries.people import in_a_list
from services.review.queries.progress import BEIJING
from services.review.shapes import AuditLine, Progress
from shared import clock
from shared.contracts.rules import Text
from shared.database import Sessions
from shared.errors import Invalid, NotFound
from shared.security.sealing import KeyRing

APPLICATION_COLUMNS = (
    "application_no", "name", "id_number", "region", "site", "year", "category", "education", "route", "state",
    "round", "returns", "submitted_at", "due_at", "opinion",
)  # fmt: skip
AUDIT_COLUMNS = (
    "seq", "at", "act", "outcome", "who", "staff_id", "role", "application_no", "region", "site", "address", "device",
    "detail",
)  # fmt: skip
FIGURE_COLUMNS = ("figures_of", "label", "label_2", "figure", "count")

_LABELS = 2
# Rows that are opened and written at once: 20 ms of CPU, in a thread.
_CHUNK = 500
_PAGE = 1000
_REVIEWS = tables.reviews.c


@dataclass(frozen=True)
class ApplicationFilters:
    """What is exported; None narrows nothing."""

    state: State | None = None
    region: str | None = None
    site: str | None = None
    category: str | None = None
    education: str | None = None

    def given(self) -> dict[str, str]:
        """Those that narrow something."""
        return {name: str(of) for name, of in asdict(self).items() if of is not None}


def may_export(staff: Staff, filters: ApplicationFilters) -> None:
    """Refuse those who only read the trail, and another region or site than one's own.

    Raises:
        Forbidden: an auditor (`role-act`).
        Invalid: a site of the nation, and no region (`region-missing`).
        NotFound: `region-not-found`, `site-not-found`.
    """
    staff.must_have_lists()
    if staff.region is not None and filters.region not in (None, staff.region):
        raise NotFound("region-not-found", "只能导出本考区，请核对考区代码。", "You export your own region only.")
    if staff.site is not None and filters.site not in (None, staff.site):
        raise NotFound("site-not-found", "只能导出本考点，请核对考点代码。", "You export your own site only.")
    if filters.site is not None:
        staff.region_asked_for(filters.region)  # another region may have a site of the same code


async def count_of(session: AsyncSession, staff: Staff, filters: ApplicationFilters, at_most: int) -> int:
    """How many there are, counted up to `at_most`."""
    some = select(_REVIEWS.application_no).where(_within(staff, filters)).limit(at_most).subquery()
    return int(await session.scalar(select(func.count()).select_from(some)) or 0)


async def application_lines(
    sessions: Sessions, key_ring: KeyRing, staff: Staff, filters: ApplicationFilters, language: Language
) -> AsyncGenerator[Sequence[Line], None]:
    """By region, year and number. An opinion is the region's own until it has taken effect."""
    query = (
        select(
            _REVIEWS.application_no,
            _REVIEWS.region,
            _REVIEWS.site,
            _REVIEWS.year,
            _REVIEWS.category,
            _REVIEWS.education,
            _REVIEWS.route,
            _REVIEWS.state,
            _REVIEWS.round,
            _REVIEWS.returns,
            _REVIEWS.submitted_at,
            _REVIEWS.due_at,
            _REVIEWS.opinion,
            _REVIEWS.published_at,
            tables.applications.c.sealed,
        )
        .select_from(tables.reviews)
        .outerjoin(tables.applications, tables.applications.c.application_no == _REVIEWS.application_no)
        .where(_within(staff, filters))
        .order_by(_REVIEWS.region, _REVIEWS.year, _REVIEWS.application_no)
    )
    now = clock.now()
    async with sessions() as session:
        rows = await session.stream(query.execution_options(yield_per=_CHUNK))
        async for chunk in rows.partitions(_CHUNK):
            yield await asyncio.to_thread(_application_lines, chunk, key_ring, staff, now, language)


def _within(staff: Staff, filters: ApplicationFilters) -> ColumnElement[bool]:
    wanted = {
        _REVIEWS.region: staff.region or filters.region,
        _REVIEWS.site: staff.site or filters.site,
        _REVIEWS.state: filters.state,
        _REVIEWS.category: filters.category,
        _REVIEWS.education: filters.education,
    }
    return and_(True, *(column == of for column, of in wanted.items() if of is not None))


def _application_lines(
    rows: Sequence[Any], key_ring: KeyRing, staff: Staff, now: datetime, language: Language
) -> list[Line]:
    lines: list[Line] = []
    for row in rows:
        candidate = in_a_list(person_of(key_ring, row.sealed))
        shows = staff.sees_opinion(row.published_at, now)
        lines.append(
            (
                row.application_no,
                candidate.name,
                candidate.id_number,
                row.region,
                row.site,
                str(row.year),
                value(row.category, language),
                value(row.education, language),
                value(row.route, language),
                value(row.state.value, language),
                str(row.round),
                str(row.returns),
                _local(row.submitted_at),
                _local(row.due_at) if row.due_at < NEVER else "",
                value(row.opinion, language) if shows else "",
            )
        )
    return lines


async def audit_lines(sessions: Sessions, staff: Staff, filters: AuditFilters) -> AsyncGenerator[Sequence[Line], None]:
    """Newest first, page by page: no transaction is open while somebody slow downloads."""
    cursor: str | None = None
    while True:
        async with sessions.begin() as session:
            page = await audit_page(session, staff, filters, cursor, _PAGE)
        if page.items:
            yield [_audit_line(line) for line in page.items]
        cursor = page.next
        if cursor is None:
            return


def _audit_line(line: AuditLine) -> Line:
    return (
        "" if line.seq is None else str(line.seq),
        line.at.astimezone(UTC).isoformat(),
        line.act,
        line.outcome,
        line.by or "",
        "" if line.staff_id is None else str(line.staff_id),
        line.role or "",
        line.application_no or "",
        line.region or "",
        line.site or "",
        line.address or "",
        line.device or "",
        json.dumps(line.detail, ensure_ascii=False, sort_keys=True) if line.detail else "",
    )


def sheets_of(progress: Progress, language: Language) -> list[Sheet]:
    """The dashboard's tables."""

    def sheet(name: str, columns: Sequence[str], lines: Sequence[Sequence[object]], labels: int = 1) -> Sheet:
        texts = [[str(cell) for cell in line] for line in lines]
        return Sheet(heading(name, language), headings(columns, language), texts, labels)

    def said(text: Text | None, otherwise: str) -> str:
        return otherwise if text is None else getattr(text, language)

    return [
        sheet(
            "states",
            ("tier", "state", "count"),
            [
                (value(tier, language), value(state, language), count)
                for tier, states in sorted(progress.by_tier.items())
                for state, count in sorted(states.items())
            ],
            labels=2,
        ),
        sheet(
            "sites",
            ("site", "state", "count"),
            [
                (said(each.name, each.site), value(state, language), count)
                for each in progress.by_site
                for state, count in sorted(each.by_state.items())
            ],
            labels=2,
        ),
        sheet(
            "days",
            ("day", "submitted", "returned", "passed", "decided"),
            [(day.day.isoformat(), day.submitted, day.returned, day.passed, day.decided) for day in progress.by_day],
        ),
        sheet(
            "ageing",
            ("age", "at_site", "at_region"),
            [(each.bucket, each.site, each.region) for each in progress.ageing],
        ),
        sheet(
            "throughput",
            ("who", "site", "today", "last_7_days", "returned", "passed", "decided"),
            [
                (each.name, each.site or "", each.today, each.last_7_days, each.returned, each.passed, each.decided)
                for each in progress.throughput
            ],
            labels=2,
        ),
        sheet(
            "reasons",
            ("item", "reason", "count"),
            [
                (said(each.item_title, each.item), said(each.reason, each.reason_code), each.count)
                for each in progress.reasons
            ],
            labels=2,
        ),
        sheet(
            "overruled",
            ("finding", "accepted_in_spite", "returned"),
            [(each.code, each.accepted_in_spite, each.returned) for each in progress.overruled],
        ),
    ]


async def figure_lines(sheets: Sequence[Sheet]) -> AsyncGenerator[Sequence[Line], None]:
    """The same tables as one, for CSV: a line for each figure, with what it is of."""
    for sheet in sheets:
        names = sheet.header[sheet.labels :]
        yield [
            (sheet.name, *(*line[: sheet.labels], "", "")[:_LABELS], name, figure)
            for line in sheet.lines
            for name, figure in zip(names, line[sheet.labels :], strict=True)
        ]


def nothing_to_export(zh: str, en: str) -> NotFound:
    """A filter that matches nothing; the words say what to change."""
    return NotFound("nothing-to-export", zh, en)


def too_many_for_xlsx(most: int) -> Invalid:
    """A workbook of that size helps nobody."""
    return Invalid(
        "export-too-large",
        f"Excel 文件最多导出 {most} 行：请缩小筛选范围，或改为导出 CSV。",
        f"A workbook takes {most} rows at most. Narrow the filter, or export CSV.",
        most=most,
    )


def _local(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
