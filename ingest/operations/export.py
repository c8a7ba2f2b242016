"""Accepted values as CSV, XLSX, Parquet or JSON lines; written row by row."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from layouts.months import MOSCOW
from storage.billed.billing import BillingRow

HISTORY_COLUMNS = (
    "place",
    "state",
    "replaced_at",
    "replaced_by",
    "replaced_by_letter",
    "replaced_who",
)
COLUMNS = tuple(name for name in BillingRow._fields if name not in HISTORY_COLUMNS)
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
    }
)
_SHEET_ROWS_MOST = 1_048_576
_AT_ONCE = 50_000

Rows = Iterable[BillingRow]


class ExportError(ValueError):
    """The file that was asked for cannot be made; its text says what to do."""


def columns(*, history: bool) -> tuple[str, ...]:
    """The names of the columns, in their order."""
    return (*COLUMNS, *HISTORY_COLUMNS) if history else COLUMNS


def write_csv(rows: Rows, out: TextIO, *, history: bool) -> None:
    """Write CSV with commas and a heading."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns(history=history))
    writer.writerows(_texts(row, history=history) for row in rows)


def write_json(rows: Rows, write: Callable[[str], Any], *, history: bool) -> None:
    """Write one JSON object a line; numbers with decimals are texts, to stay exact."""
    names = columns(history=history)
    for row in rows:
        told = dict(zip(names, _texts(row, history=history), strict=True))
        write(json.dumps(told, ensure_ascii=False))


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


def write_file(rows: Rows, path: Path, *, history: bool) -> None:
    """Write the file that the ending of its name asks for; whole, or not at all.

    Raises:
        ExportError: it cannot hold that much.
    """
    write = _WRITERS[path.suffix.lower()]
    # Beside it, so that nobody ever takes half of a month for all of it.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(rows, unfinished, history=history)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _csv_file(rows: Rows, path: Path, *, history: bool) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        write_csv(rows, out, history=history)


def _xlsx_file(rows: Rows, path: Path, *, history: bool) -> None:
    # Late, like pyarrow below: most verbs do without it.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("readings")
    names = columns(history=history)
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
        for count, row in enumerate(rows, 1):
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


def _parquet_file(rows: Rows, path: Path, *, history: bool) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names = columns(history=history)
    schema = pa.schema([(name, _arrow_type(name, pa)) for name in names])
    with parquet.ParquetWriter(path, schema) as out:
        for piece in _pieces(rows):
            by_column = zip(schema, zip(*piece, strict=True), strict=False)
            arrays = [pa.array(_arrow_values(field.name, v), field.type) for field, v in by_column]
            out.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _arrow_type(name: str, pa: Any) -> Any:
    if name in _INSTANTS:
        return pa.timestamp("ms", tz="Europe/Moscow")
    if name in _EXACT:
        return pa.decimal128(24, 6)
    return pa.int64() if name in _WHOLE else pa.string()


def _arrow_values(name: str, values: Sequence[Any]) -> Sequence[Any]:
    if name in _INSTANTS:
        return [None if value is None else value * 1000 for value in values]
    return values


def _pieces(rows: Rows) -> Iterator[list[BillingRow]]:
    rest = iter(rows)
    while piece := list(islice(rest, _AT_ONCE)):
        yield piece


def _texts(row: BillingRow, *, history: bool) -> list[Any]:
    """The row as a text file has it: moments in ISO 8601, decimals without exponents."""
    told: list[Any] = list(row) if history else list(row[: len(COLUMNS)])
    for index in _TOLD_AS_INSTANTS if history else _INSTANTS_FIRST:
        told[index] = _iso(told[index])
    for index in _DECIMALS:
        if told[index] is not None:
            told[index] = f"{told[index]:f}"
    return told


_TOLD_AS_INSTANTS = tuple(i for i, name in enumerate(BillingRow._fields) if name in _INSTANTS)
_INSTANTS_FIRST = tuple(i for i in _TOLD_AS_INSTANTS if i < len(COLUMNS))
_DECIMALS = tuple(i for i, name in enumerate(BillingRow._fields) if name in _EXACT)


@lru_cache(maxsize=8192)
def _iso(seconds: int | None) -> str | None:
    # A month has few moments, each of them millions of times.
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
