"""The first sheet of a workbook as lines of texts: for a child, as the workbook may be hostile."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from ingest.letters.terms import Line
from ingest.reading.wire import TEXT_MOST
from layouts.findings import Code, Finding, finding


def first_sheet(content: bytes) -> list[Line] | Finding:
    """The filled rows of an .xlsx's first sheet; a finding when it cannot be read."""
    # Late, as few workbooks are read so.
    from openpyxl import load_workbook

    from ingest.replies.marked import UNREADABLE

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # What a sheet says of its own extent would be filled up with empty cells.
        sheet.reset_dimensions()
        return list(_lines(sheet.iter_rows(values_only=True)))
    except UNREADABLE:
        return finding(Code.UNREADABLE_DOCUMENT)


def _lines(rows: Iterator[Sequence[object]]) -> Iterator[Line]:
    for number, row in enumerate(rows, 1):
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            del cells[-1]
        if cells:
            yield number, cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        # A code that became a number, or a number with the digits that it shows.
        return format(Decimal(format(value, ".15g")), "f")
    text = str(value).strip()
    if len(text) > TEXT_MOST:
        raise ValueError("a cell of more than any answer may hold")
    return text
