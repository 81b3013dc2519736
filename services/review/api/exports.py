"""Tables to take away: CSV and XLSX, streamed, each export on record."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.review import exporting
from services.review.api.audit import FiltersGiven
from services.review.api.edge import Edge, EdgeGiven
from services.review.api.progress import RegionWanted, SiteWanted, YearWanted
from services.review.domain import State
from services.review.exporting import MEDIA_TYPES, MOST_XLSX_ROWS, Format, Line
from services.review.queries import exports as queries
from services.review.queries.export_words import Language, heading, headings
from services.review.queries.exports import ApplicationFilters
from services.review.queries.progress import BEIJING, scope_of
from services.review.use_cases import exports
from shared import clock
from shared.errors import Unavailable

router = APIRouter(prefix="/exports", tags=["exports"])

Code = Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$")]
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type.partition(";")[0]: {} for media_type in MEDIA_TYPES.values()}}
}
_WORKBOOK: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPES["xlsx"]: {}}}}


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
    async with edge.asked(request) as (session, staff):
        queries.may_export(staff, filters)
        _must_have_room(edge)
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
    return await _sent(edge, export, table, lines)


@router.get("/audit.{form}", response_class=StreamingResponse, responses=_FILES)
async def export_audit(
    form: Format, request: Request, edge: EdgeGiven, filters: FiltersGiven, lang: Language = "zh"
) -> StreamingResponse:
    """The audit trail, newest first, as the list shows it."""
    narrowed_to = {name: str(of) for name, of in vars(filters).items() if of is not None}
    async with edge.asked(request) as (session, staff):
        staff.must_be_one_of("auditor")
        _must_have_room(edge)
        lines = queries.audit_lines(edge.sessions, staff, filters)
        first = await anext(lines, None)
        if first is None:
            raise queries.nothing_to_export(
                "没有符合筛选条件的审计记录：请放宽人员、操作、报名编号或时间条件后再导出。",
                "No line of the trail fits the filter. Widen person, act, application or time, then export again.",
            )
        export = await exports.begin(session, staff, "audit", form, narrowed_to)
    table = _Table("audit", form, heading("audit", lang), headings(queries.AUDIT_COLUMNS, lang))
    return await _sent(edge, export, table, _with_first(first, lines))


@router.get("/progress.xlsx", response_class=StreamingResponse, responses=_WORKBOOK)
async def export_progress(
    request: Request,
    edge: EdgeGiven,
    year: YearWanted = None,
    site: SiteWanted = None,
    region: RegionWanted = None,
    lang: Language = "zh",
) -> StreamingResponse:
    """The dashboard's tables, a sheet each."""
    async with edge.asked(request) as (session, staff):
        scope = await scope_of(session, staff, region=region, site=site, year=year)
        _must_have_room(edge)
    progress = await edge.boards.of(edge.sessions, scope, staff)
    sheets = queries.sheets_of(progress, lang)
    async with edge.asked(request) as (session, staff):
        if progress.applications == 0:
            raise queries.nothing_to_export(
                "该年度没有报名：请选择其他年度或考点后再导出。",
                "There is no application of that year. Choose another year or site, then export again.",
            )
        narrowed_to = {"region": scope.region, "year": str(scope.year)} | ({"site": scope.site} if scope.site else {})
        export = await exports.begin(session, staff, "progress", "xlsx", narrowed_to)
    async with edge.exports:
        file = await asyncio.to_thread(exporting.workbook_of, sheets)
    rows = _Counted()
    rows.rows = sum(len(sheet.lines) for sheet in sheets)
    return _Download(edge, export, ("progress", "xlsx"), exporting.blocks_of(file), rows)


@dataclass(frozen=True)
class _Table:
    """What a file is called, and what stands above its columns."""

    name: str
    form: Format
    sheet: str
    header: Line


class _Counted:
    """How many rows went by."""

    def __init__(self) -> None:
        self.rows = 0

    async def of(
        self, chunks: AsyncGenerator[Sequence[Line], None], most: int | None
    ) -> AsyncGenerator[Sequence[Line], None]:
        async with aclosing(chunks):
            async for chunk in chunks:
                self.rows += len(chunk)
                if most is not None and self.rows > most:
                    raise queries.too_many_for_xlsx(most)
                yield chunk


def _must_have_room(edge: Edge) -> None:
    if edge.exports.locked():
        raise Unavailable(
            "exports-busy",
            "正在导出的人较多，请半分钟后再试。",
            "Several exports are under way. Try again in half a minute.",
            retry_after_s=30,
        )


async def _with_first(
    first: Sequence[Line], others: AsyncGenerator[Sequence[Line], None]
) -> AsyncGenerator[Sequence[Line], None]:
    async with aclosing(others):
        yield first
        async for chunk in others:
            yield chunk


async def _sent(
    edge: Edge, export: exports.Export, table: _Table, chunks: AsyncGenerator[Sequence[Line], None]
) -> StreamingResponse:
    counted = _Counted()
    if table.form == "csv":
        body = _while_there_is_room(edge, exporting.csv_of(table.header, counted.of(chunks, None)))
        return _Download(edge, export, (table.name, table.form), body, counted)
    try:
        async with edge.exports:
            file = await exporting.xlsx_of(table.sheet, table.header, counted.of(chunks, MOST_XLSX_ROWS))
    except BaseException:
        await _ended(edge, export, counted, complete=False)
        raise
    return _Download(edge, export, (table.name, table.form), exporting.blocks_of(file), counted)


async def _while_there_is_room(edge: Edge, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with edge.exports, aclosing(body):
        async for block in body:
            yield block


class _Download(StreamingResponse):
    """Closes what it reads from, and goes on record, however it ends: Starlette leaves both to chance."""

    def __init__(
        self,
        edge: Edge,
        export: exports.Export,
        called: tuple[str, Format],
        body: AsyncGenerator[bytes, None],
        counted: _Counted,
    ) -> None:
        name, form = called
        stamp = clock.now().astimezone(BEIJING).strftime("%Y%m%d-%H%M%S")
        headers = {
            "Content-Disposition": f'attachment; filename="{name}-{stamp}.{form}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        }
        self._edge, self._export, self._counted = edge, export, counted
        self._blocks = self._all_of(body)
        self._complete = False
        super().__init__(self._blocks, media_type=MEDIA_TYPES[form], headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._blocks.aclose()
                await _ended(self._edge, self._export, self._counted, complete=self._complete)

    async def _all_of(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async with aclosing(body):
            async for block in body:
                yield block
        self._complete = True


async def _ended(edge: Edge, export: exports.Export, counted: _Counted, *, complete: bool) -> None:
    async with edge.sessions.begin() as session:
        await exports.end(session, export, counted.rows, complete=complete)
