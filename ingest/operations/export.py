"""Accepted values as CSV, XLSX, Parquet or JSON lines; written row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from ingest.operations.output import plain_cell, private_file
from ingest.operations.refused import Refused
from layouts.months import MOSCOW
from layouts.sequences import pieces
from storage.billed.billing import BillingRow

HISTORY_COLUMNS = (
    "place",
    "state",
    "replaced_at",
    "replaced_by",
    "replaced_by_letter",
    "replaced_who",
)
COLUMNS = tuple(name for name in BillingRow._fields if name not in {*HISTORY_COLUMNS, "placed"})
"""Of every file, in this order; docs/readings.md tells of each."""

_INSTANTS = frozenset({"start", "end", "received_at", "replaced_at"})
_EXACT = frozenset({"reading", "previous_reading", "ratio"})
_WHOLE = frozenset(
    {
        "step_minutes",
        "energy",
        "billed",
        "value_count",
        "not_commercial_count",
        "missing_count",
        "receipt",
        "letter",
        "replaced_by",
        "replaced_by_letter",
        "consumption",
        "completeness",
        "missing",
    }
)
_YES_NO = frozenset({"late"})
_FREE_TEXT = frozenset({"entity", "area", "point", "meter", "place", "replaced_who"})
"""Written by senders and operators: what spreadsheets could take for a formula."""

_SHEET_ROWS_MOST = 1_048_576
_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows under the names of their columns; instants are epoch seconds.

    Attributes:
        rows: Read once; each has a value for every name, in that order.
    """

    names: tuple[str, ...]
    rows: Iterable[Sequence[Any]]


class ExportError(Refused):
    """The file that was asked for cannot be made; its text says what to do."""


def columns(*, history: bool) -> tuple[str, ...]:
    """The names of the columns, in their order."""
    return (*COLUMNS, *HISTORY_COLUMNS) if history else COLUMNS


def readings_sheet(rows: Iterable[BillingRow], *, history: bool) -> Sheet:
    """Values as a sheet."""
    names = columns(history=history)
    return Sheet(names, (row[: len(names)] for row in rows))


def write_csv(sheet: Sheet, out: TextIO) -> None:
    """Write CSV with commas and a heading; no cell begins a formula."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(sheet.names)
    told = _Told(sheet.names)
    writer.writerows(told.in_csv(row) for row in sheet.rows)


def write_json(sheet: Sheet, write: Callable[[str], Any]) -> None:
    """Write one JSON object a line; numbers with decimals are texts, to stay exact."""
    told, encoded = _Told(sheet.names), json.JSONEncoder(ensure_ascii=False).encode
    for row in sheet.rows:
        write(encoded(dict(zip(sheet.names, told.texts(row), strict=True))))


def check_path(path: Path) -> None:
    """Refuse a name of which no kind of file can be made, before anything is read.

    Raises:
        ExportError: its ending, or a missing folder or library.
    """
    if path.suffix.lower() not in _WRITERS:
        raise ExportError(f"{path}: name a file that ends in {', '.join(_WRITERS)}")
    if not path.parent.is_dir():
        raise ExportError(f"{path.parent} is not a folder: make it first")
    if path.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise ExportError(
            "Parquet needs pyarrow, which is not installed: pip install 'meter-ingest[parquet]'"
        )


def write_file(sheet: Sheet, path: Path) -> None:
    """Write the file that the ending of its name asks for; private, whole, or not at all.

    Raises:
        ExportError: it cannot hold that much.
        OSError: it cannot be made, or a symbolic link stands there.
    """
    with private_file(path) as unfinished:
        _WRITERS[path.suffix.lower()](sheet, unfinished)


def _csv_file(sheet: Sheet, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        write_csv(sheet, out)


def _xlsx_file(told: Sheet, path: Path) -> None:
    # Late, like pyarrow below: most verbs do without it.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("readings")
    names = told.names
    sheet.append(names)
    sheet.freeze_panes = "A2"

    def cell(name: str, value: Any) -> Any:
        made = WriteOnlyCell(sheet, value=_local(value) if name in _INSTANTS else value)
        if isinstance(value, str):
            # A code may begin with the sign that begins a formula.
            made.data_type = "s"
        elif name in _INSTANTS:
            made.number_format = "yyyy-mm-dd hh:mm"
        return made

    try:
        for count, row in enumerate(told.rows, 1):
            if count >= _SHEET_ROWS_MOST:
                raise ExportError(
                    f"{_SHEET_ROWS_MOST} rows are the most that a sheet holds: write .csv or"
                    " .parquet, or ask for --entity or --grain day"
                )
            pairs = zip(names, row, strict=False)
            sheet.append([None if value is None else cell(name, value) for name, value in pairs])
    finally:
        sheet.close()
    book.save(path)


def _parquet_file(sheet: Sheet, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names = sheet.names
    schema = pa.schema([(name, _arrow_type(name, pa)) for name in names])
    with parquet.ParquetWriter(path, schema) as out:
        for piece in pieces(sheet.rows, _AT_ONCE):
            by_column = zip(schema, zip(*piece, strict=True), strict=False)
            arrays = [pa.array(_arrow_values(field.name, v), field.type) for field, v in by_column]
            out.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _arrow_type(name: str, pa: Any) -> Any:
    if name in _INSTANTS:
        return pa.timestamp("ms", tz="Europe/Moscow")
    if name in _EXACT:
        return pa.decimal128(24, 6)
    if name in _YES_NO:
        return pa.bool_()
    return pa.int64() if name in _WHOLE else pa.string()


def _arrow_values(name: str, values: Sequence[Any]) -> Sequence[Any]:
    if name in _INSTANTS:
        return [None if value is None else value * 1000 for value in values]
    return values


class _Told:
    """Rows as a text file has them: moments in ISO 8601, decimals without exponents."""

    def __init__(self, names: Sequence[str]) -> None:
        self._instants = [i for i, name in enumerate(names) if name in _INSTANTS]
        self._exact = [i for i, name in enumerate(names) if name in _EXACT]
        self._yes_no = [i for i, name in enumerate(names) if name in _YES_NO]
        self._free = [i for i, name in enumerate(names) if name in _FREE_TEXT]

    def texts(self, row: Sequence[Any]) -> list[Any]:
        """For JSON, where yes and no stay what they are."""
        told = list(row)
        for index in self._instants:
            told[index] = _iso(told[index])
        for index in self._exact:
            if told[index] is not None:
                told[index] = f"{told[index]:f}"
        return told

    def in_csv(self, row: Sequence[Any]) -> list[Any]:
        """For CSV."""
        told = self.texts(row)
        for index in self._yes_no:
            told[index] = None if told[index] is None else str(told[index]).lower()
        for index in self._free:
            if told[index]:
                told[index] = _plain(told[index])
        return told


_plain = lru_cache(maxsize=8192)(plain_cell)


@lru_cache(maxsize=8192)
def _iso(seconds: int | None) -> str | None:
    # Cached: a month has few moments, each of them millions of times.
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, MOSCOW).isoformat()


@lru_cache(maxsize=8192)
def _local(seconds: int) -> datetime:
    """Moscow time without its zone, which a workbook cannot tell."""
    return datetime.fromtimestamp(seconds, MOSCOW).replace(tzinfo=None)


_WRITERS: Mapping[str, Callable[..., None]] = {
    ".csv": _csv_file,
    ".xlsx": _xlsx_file,
    ".parquet": _parquet_file,
}
