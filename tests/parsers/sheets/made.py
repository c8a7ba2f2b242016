"""Sheets of a test, row by row, with the forms that read them; no file is written."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from layouts.layout import load
from parsers.grid import Cell, Sheet
from parsers.sheets.book import forms_of
from parsers.sheets.view import Form

Grid = Sequence[Sequence[Cell]]


@cache
def forms() -> dict[str, Form]:
    """The form of each layout, by its number."""
    return {form.layout.number: form for form in forms_of(load())}


def sheet(rows: Grid, **more: Any) -> Sheet:
    """A sheet of these cells; an empty text is an empty cell."""
    cells = {
        row: {column: cell for column, cell in enumerate(values, 1) if cell != ""}
        for row, values in enumerate(rows, 1)
    }
    return Sheet("Лист1", {row: filled for row, filled in cells.items() if filled}, **more)
