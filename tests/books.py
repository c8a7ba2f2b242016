"""Workbooks as tests need them: rows in, the bytes of an .xlsx out."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from openpyxl import Workbook

Grid = Sequence[Sequence[Any]]


def workbook(*grids: Grid, change: Callable[[Workbook], None] | None = None) -> bytes:
    """An .xlsx with a sheet for each grid, `Лист1` and so on, changed before it is saved."""
    book = Workbook()
    book.remove(book.active)
    for number, grid in enumerate(grids, 1):
        sheet = book.create_sheet(f"Лист{number}")
        for row in grid:
            sheet.append(row)
    if change:
        change(book)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()
