"""Tables to take away: CSV and XLSX, streamed, each export on record."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from services.review import exporting
from services.review.api.audit import FiltersGiven
from services.review.api.downloads import Counted, Download, ended
from services.review.api.edge import Edge, EdgeGiven
from services.review.api.progress import RegionWanted, SiteWanted, YearWanted
from services.review.domain import State
from services.review.export_room import Permit
from services.review.exporting import MEDIA_TYPES, MOST_XLSX_ROWS, Format, Line
from services.review.queries import exports as queries
from services.review.queries.export_words import Language, heading, headings
from services.review.queries.exports import ApplicationFilters
from services.review.queries.progress import scope_of
from services.review.use_cases import exports

router = APIRouter(prefix="/exports", tags=["exports"])

Code = Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$")]
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type.partition(";")[0]: {} for media_type in MEDIA_TYPES.values()}}
}


async def _filters(
    state: State | None = None,
    region: RegionWanted = None,
    site: SiteWanted = None,
    category: Code = None,
    education: Code = None,
) -> ApplicationFilters:
    return ApplicationFilters(state, region, site, category, education)


ApplicationFiltersGiven = Annotated[ApplicationFilters, Depends(_filters)]


@router.get("/applications.{form}", response_class=StreamingResponse, responses=_FILES)
async def export_applications(
    form: Format, request: Request, edge: EdgeGiven, filters: ApplicationFiltersGiven, lang: Language = "zh"
) -> StreamingResponse:
    """Applications of one's scope, names and ID numbers masked."""
    with edge.exports.permit() as permit:
        async with edge.asked(request) as (session, staff):
            queries.may_export(staff, filters)
            permit.take(staff.id)
            count = await queries.count_of(session, staff, filters, MOST_XLSX_ROWS + 1 if form == "xlsx" else 1)
            if count == 0:
                raise queries.nothing_to_export(
                    "没有符合筛选条件的报名：请放宽状态、考点、报考类别或学历条件后再导出。",
                    "No application fits the filter. Widen state, site, category or education, then export again.",
                )
            if form == "xlsx" and count > MOST_XLSX_ROWS:
                raise queries.too_many_for_xlsx(MOST_XLSX_ROWS)
            export = await exports.begin(session, staff, "applications", form, filters.given())
        lines = queries.application_lines(edge.sessions, edge.key_ring, staff, filters, lang)
        table = _Table("applications", form, heading("applications", lang), headings(queries.APPLICATION_COLUMNS, lang))
        return await _sent(edge, export, permit, table, lines)


@router.get("/audit.{form}", response_class=StreamingResponse, responses=_FILES)
async def export_audit(
    form: Format, request: Request, edge: EdgeGiven, filters: FiltersGiven, lang: Language = "zh"
) -> StreamingResponse:
    """The audit trail, newest first, as the list shows it."""
    narrowed_to = {name: str(of) for name, of in vars(filters).items() if of is not None}
    with edge.exports.permit() as permit:
        async with edge.asked(request) as (session, staff):
            staff.must_be_one_of("auditor")
            permit.take(staff.id)
            lines = queries.audit_lines(edge.sessions, staff, filters)
            first = await anext(lines, None)
            if first is None:
                raise queries.nothing_to_export(
                    "没有符合筛选条件的审计记录：请放宽人员、操作、报名编号或时间条件后再导出。",
                    "No line of the trail fits the filter. Widen person, act, application or time, then export again.",
                )
            export = await exports.begin(session, staff, "audit", form, narrowed_to)
        table = _Table("audit", form, heading("audit", lang), headings(queries.AUDIT_COLUMNS, lang))
        return await _sent(edge, export, permit, table, _with_first(first, lines))


@router.get("/progress.{form}", response_class=StreamingResponse, responses=_FILES)
async def export_progress(
    form: Format,
    request: Request,
    edge: EdgeGiven,
    year: YearWanted = None,
    site: SiteWanted = None,
    region: RegionWanted = None,
    lang: Language = "zh",
) -> StreamingResponse:
    """The dashboard's tables: a sheet each, or as CSV one table with a line for each figure."""
    with edge.exports.permit() as permit:
        async with edge.asked(request) as (session, staff):
            scope = await scope_of(session, staff, region=region, site=site, year=year)
            permit.take(staff.id)
        progress = await edge.boards.of(edge.sessions, scope, staff)
        sheets = queries.sheets_of(progress, lang)
        async with edge.asked(request) as (session, staff):
            if progress.applications == 0:
                raise queries.nothing_to_export(
                    "该年度没有报名：请选择其他年度或考点后再导出。",
                    "There is no application of that year. Choose another year or site, then export again.",
                )
            narrowed_to = {"region": scope.region, "year": str(scope.year)} | (
                {"site": scope.site} if scope.site else {}
            )
            export = await exports.begin(session, staff, "progress", form, narrowed_to)
        if form == "csv":
            table = _Table("progress", form, "", headings(queries.FIGURE_COLUMNS, lang))
            return await _sent(edge, export, permit, table, queries.figure_lines(sheets))
        file = await asyncio.to_thread(exporting.workbook_of, sheets)
        permit.has_read()
        rows = Counted()
        rows.rows = sum(len(sheet.lines) for sheet in sheets)
        return Download(edge, export, permit, ("progress", form), exporting.blocks_of(file), rows)


@dataclass(frozen=True)
class _Table:
    """What a file is called, and what stands above its columns."""

    name: str
    form: Format
    sheet: str
    header: Line


async def _with_first(
    first: Sequence[Line], others: AsyncGenerator[Sequence[Line], None]
) -> AsyncGenerator[Sequence[Line], None]:
    async with aclosing(others):
        yield first
        async for chunk in others:
            yield chunk


async def _sent(
    edge: Edge, export: exports.Export, permit: Permit, table: _Table, chunks: AsyncGenerator[Sequence[Line], None]
) -> Download:
    counted = Counted()
    called = (table.name, table.form)
    if table.form == "csv":
        body = exporting.csv_of(table.header, counted.of(chunks))
        return Download(edge, export, permit, called, body, counted)
    try:
        file = await exporting.xlsx_of(table.sheet, table.header, counted.of(chunks, MOST_XLSX_ROWS))
    except BaseException:
        await ended(edge, export, counted, complete=False)
        raise
    permit.has_read()
    return Download(edge, export, permit, called, exporting.blocks_of(file), counted)
