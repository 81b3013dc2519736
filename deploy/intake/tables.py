"""Reading a CSV, XLSX or JSON file as rows with their line numbers."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

LARGEST_FILE = 512 * 1024 * 1024


class BadFile(Exception):
    """The file as a whole can't be read; the text says what to do."""


@dataclass(frozen=True)
class Row:
    """One row: `line` is where a person finds it in the file (of JSON: the entry's number)."""

    line: int
    cells: dict[str, Any]


def read_rows(file: Path) -> Iterator[Row]:
    """Rows of a file with a header line (CSV, XLSX) or of a JSON array of objects.

    Raises:
        BadFile: no such file, another kind, or not what its name says.
    """
    if not file.is_file():
        raise BadFile(f"{file}: there is no such file")
    if file.stat().st_size > LARGEST_FILE:
        raise BadFile(f"{file}: over 512 MB; split it")
    readers = {".csv": _csv, ".xlsx": _xlsx, ".json": _json}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise BadFile(f"{file}: only .csv, .xlsx and .json are read")
    yield from reader(file)


def _csv(file: Path) -> Iterator[Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            for cells in reader:
                if None in cells:
                    raise BadFile(f"{file}, line {reader.line_num}: more cells than the header has")
                yield Row(reader.line_num, {key.strip(): (value or "").strip() for key, value in cells.items()})
    except UnicodeDecodeError:
        raise BadFile(f"{file}: not UTF-8; save it as CSV UTF-8") from None
    except csv.Error as error:
        raise BadFile(f"{file}: not a CSV file ({error})") from None


def _xlsx(file: Path) -> Iterator[Row]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError):
        raise BadFile(f"{file}: not an Excel workbook (.xlsx)") from None
    try:
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(values_only=True)
        header = [str(cell).strip() if cell is not None else "" for cell in next(rows, ())]
        if not any(header):
            raise BadFile(f"{file}: the first sheet has no header line")
        for line, values in enumerate(rows, start=2):
            if any(value is not None for value in values):
                yield Row(line, {name: _text(value) for name, value in zip(header, values, strict=False) if name})
    finally:
        book.close()


def _text(value: Any) -> str:  # noqa: ANN401 a cell holds anything
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value.date()) if hasattr(value, "date") else str(value).strip()


def _json(file: Path) -> Iterator[Row]:
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise BadFile(f"{file}: not JSON ({error})") from None
    if not isinstance(entries, list):
        raise BadFile(f"{file}: a JSON array of objects is wanted")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise BadFile(f"{file}, entry {number}: an object is wanted")
        facts = entry.pop("facts", {})
        yield Row(number, entry | (facts if isinstance(facts, dict) else {}))
