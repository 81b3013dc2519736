"""Tables as files: CSV as it is read, XLSX by way of a temporary file. Neither is ever whole in memory."""

import asyncio
import csv
import io
import re
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import IO, Literal

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

Format = Literal["csv", "xlsx"]
Line = Sequence[str]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# 100,000 rows of 15 cells take 10 s of CPU; the gateway waits for 60 s, and a whole nation goes as CSV.
MOST_XLSX_ROWS = 100_000

_BOM = "\ufeff"
_BLOCK = 64 * 1024
_LONGEST_CELL = 32_767  # Excel's own limit
# Also behind quotes and blanks, and in full width: spreadsheets take those for formulas, too.
_FORMULA = re.compile(r"^[\s\"'\u201c\u201d\u2018\u2019]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.search(cell) else cell


@dataclass(frozen=True)
class Sheet:
    """A table of a workbook, in one piece: for what is small.

    Attributes:
        labels: so many columns say what the figures beside them are of.
    """

    name: str
    header: Line
    lines: Sequence[Line]
    labels: int = 1


async def csv_of(header: Line, chunks: AsyncGenerator[Sequence[Line], None]) -> AsyncGenerator[bytes, None]:
    """RFC 4180 in UTF-8, with the mark by which Excel knows it."""
    async with aclosing(chunks):
        yield (_BOM + _as_csv([header])).encode()
        async for chunk in chunks:
            yield _as_csv(chunk).encode()


async def xlsx_of(name: str, header: Line, chunks: AsyncGenerator[Sequence[Line], None]) -> IO[bytes]:
    """A workbook with one sheet, in a temporary file that goes when it is closed. Every cell is text.

    Args:
        name: of the sheet.
        header: its first row.
        chunks: the rows; more than `MOST_XLSX_ROWS` are the caller's to refuse.
    """
    async with aclosing(chunks):
        with _Workbook() as workbook:
            sheet = workbook.sheet(name)
            sheet.write(header)
            async for chunk in chunks:
                await asyncio.to_thread(sheet.write_all, chunk)
            return await asyncio.to_thread(workbook.finished)


def workbook_of(sheets: Sequence[Sheet]) -> IO[bytes]:
    """A workbook of small tables. Blocking: call it in a thread."""
    with _Workbook() as workbook:
        for each in sheets:
            sheet = workbook.sheet(each.name)
            sheet.write(each.header)
            sheet.write_all(each.lines)
        return workbook.finished()


async def blocks_of(file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    """A file from its beginning, in blocks; it is closed in the end."""
    try:
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block
    finally:
        file.close()


def _as_csv(lines: Sequence[Line]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([defused(cell) for cell in line] for line in lines)
    return text.getvalue()


class _Sheet:
    def __init__(self, sheet: Worksheet) -> None:
        self._sheet = sheet
        self._next = 0

    def write(self, line: Line) -> None:
        for column, cell in enumerate(line):
            # Never `write`, which makes formulas, links and numbers of what looks like one.
            self._sheet.write_string(self._next, column, cell[:_LONGEST_CELL])
        self._next += 1

    def write_all(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self.write(line)


class _Workbook:
    """Rows go to the disk as they are written; what was begun and not finished is thrown away."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="export-")
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 whoever sends it closes it
        self._book = xlsxwriter.Workbook(self._file, {"constant_memory": True, "tmpdir": self._folder.name})
        self._done = False

    def __enter__(self) -> "_Workbook":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._done:
            for sheet in self._book.worksheets():
                sheet.row_data_fh.close()
            self._file.close()
        self._folder.cleanup()

    def sheet(self, name: str) -> _Sheet:
        return _Sheet(self._book.add_worksheet(name))

    def finished(self) -> IO[bytes]:
        self._book.close()
        self._file.seek(0)
        self._done = True
        return self._file
