"""The titles of a table: texts above it that are neither facts nor labels nor numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from layouts.document import cell_name
from layouts.findings import Place
from parsers.fields import Number, read_number
from parsers.grid import Cell, Sheet
from parsers.sheets.table import Table
from parsers.sheets.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Title:
    """A text above a table.

    Attributes:
        is_own: Whether it is this table's for certain: it stands in none other, none
            stands between them, and none beside the table stands below it.
    """

    place: Place
    text: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class Titles:
    """Finds the titles of a sheet's tables."""

    sheet: Sheet
    tables: Sequence[Table]
    words: Vocabulary
    states_fact: Callable[[int], bool]

    def above(self, table: Table) -> Iterator[Title]:
        """The titles of a table, the nearest first; the name of its sheet is the last."""
        first = self._first_page(table)
        beside = [t for t in self.tables if t.top <= table.bottom and table.top <= t.bottom]
        is_near = True
        for row in sorted((row for row in self.sheet.rows if row < table.bottom), reverse=True):
            cells = {
                column: cell
                for column, cell in self.sheet.rows[row].items()
                if not self._goes_on_above(table, row, column)
            }
            within = {c: v for c, v in cells.items() if self._is_over(table, row, c)}
            labelled = [t for t in self.tables if t.top <= row <= t.bottom]
            if self.states_fact(row) or (labelled and len(within or cells) > 1):
                continue
            # A title right above the labels has been taken for the first row of them.
            is_near = is_near and (bool(labelled) or not self._is_of_labels(row))
            is_near = is_near and not any(row < t.bottom < first.top for t in self.tables)
            # A line between the rows of another table is of these, and perhaps of no more.
            is_near = is_near and not any(t.bottom < row < t.end <= first.top for t in self.tables)
            if any(isinstance(read_number(cell), Number) for cell in cells.values()):
                continue
            is_own = is_near and (len(beside) == 1 or bool(within))
            yield from self._told(row, within or cells, is_own=is_own)
        yield Title(Place(sheet=self.sheet.name), self.sheet.name, is_own=True)

    def _told(self, row: int, cells: dict[int, Cell], *, is_own: bool) -> Iterator[Title]:
        for column, cell in cells.items():
            if isinstance(cell, str):
                place = Place(sheet=self.sheet.name, cell=cell_name(row, column))
                yield Title(place, cell, is_own)

    def _is_over(self, table: Table, row: int, column: int) -> bool:
        """Whether a cell, merged or not, stands over a column of a table."""
        merged = next((m for m in self.sheet.merged if (m.top, m.left) == (row, column)), None)
        right = merged.right if merged is not None else column
        return column <= table.right and table.left <= right

    def _goes_on_above(self, table: Table, row: int, column: int) -> bool:
        """Whether a cell goes on with the channels or zones of a table further up."""
        upper = (t for t in self.tables if t.bottom < row < table.bottom)
        signs = {t.columns.get(role) for t in upper for role in ("channel", "zone")}
        return column in signs and column in self.sheet.rows.get(row - 1, {})

    def _is_of_labels(self, row: int) -> bool:
        """Whether a row is the labels of a table that could not be read."""
        texts = [cell for cell in self.sheet.rows[row].values() if isinstance(cell, str)]
        meanings = map(self.words.known, texts)
        # «Активная энергия» is a title as well as a label.
        return sum(m.is_label and m.role not in (None, "channel") for m in meanings) > 1

    def _first_page(self, table: Table) -> Table:
        """The table that goes on in this one, whose labels are repeated on each printed page."""
        rows = self.sheet.rows
        for other in sorted(self.tables, key=lambda one: one.top, reverse=True):
            follows = other.bottom < table.top == other.end and table.top - 1 in rows
            if follows and rows.get(other.bottom) == rows.get(table.bottom):
                table = other
        return table
