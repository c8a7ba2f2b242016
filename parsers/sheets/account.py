"""Tracks which cells of a sheet were used; every other one becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from layouts.document import cell_name
from layouts.findings import Code, Finding, Place, Severity, finding
from parsers.fields import Number, is_blank, label, read_number, shown
from parsers.grid import Cell, ErrorCell, Sheet, StruckCell, Uncounted
from parsers.sheets.header import KEYS
from parsers.sheets.hours import numbering
from parsers.sheets.table import Label, Table
from parsers.sheets.vocabulary import HARMLESS, Vocabulary

At = tuple[int, int]
"""Row and column of a cell."""


class Account:
    """Which cells of a sheet have been used, and what is said of the others."""

    def __init__(self, sheet: Sheet, words: Vocabulary, tables: Sequence[Table]) -> None:
        self._sheet = sheet
        self._words = words
        self._tables = tables
        self._used: set[At] = set()
        self._last: dict[At, int] = {}

    def use(self, row: int, columns: Iterable[int]) -> None:
        """Note that cells of a row have been read or told."""
        self._used.update((row, column) for column in columns)

    def use_figures(self, row: int, columns: Iterable[int]) -> None:
        """As `use`, of cells whose errors nobody has told yet."""
        cells = self._sheet.rows.get(row, {})
        self.use(row, (c for c in columns if not isinstance(cells.get(c), ErrorCell | Uncounted)))

    def findings(self) -> Iterator[Finding]:
        """What is left over, a finding for each range of it."""
        left: dict[int, list[int]] = {}
        for row, cells in self._sheet.rows.items():
            note: Cell = None
            others = []
            for column, cell in cells.items():
                if is_note(cell):
                    note = cell
                elif (row, column) in self._used or isinstance(cell, StruckCell):
                    continue
                elif isinstance(cell, ErrorCell | Uncounted):
                    yield self._faulty(row, column, cell)
                elif not self._is_harmless(row, column, cell, note):
                    others.append(column)
            numbered = numbering(cells, self._sheet.unseen.get(row, {})) if others else ()
            for column in others:
                if column not in numbered:
                    left.setdefault(column, []).append(row)
        for block in self._blocks(left):
            yield self._left_over(block)

    def _blocks(self, left: Mapping[int, Sequence[int]]) -> Iterator[_Block]:
        """The ranges of cells; one where columns without labels are as high side by side."""
        going_on: dict[tuple[int, int], _Block] = {}
        for column, rows in sorted(left.items()):
            for top, bottom, count in _ranges(rows):
                block, label = going_on.get((top, bottom)), self._label(top, column)
                if block and block.right == column - 1 and block.label is label is None:
                    block.right, block.count = column, block.count + count
                    continue
                if block is not None:
                    yield block
                going_on[top, bottom] = _Block(top, bottom, column, column, count, label)
        yield from going_on.values()

    def _label(self, row: int, column: int) -> Label | None:
        table = next((t for t in self._tables if _holds(t, row, column)), None)
        return None if table is None else table.labels.get(column)

    def _faulty(self, row: int, column: int, cell: ErrorCell | Uncounted) -> Finding:
        """An error of the workbook where nothing is read: told, but it keeps nothing out.

        A line between the rows of a table might have named another channel for those below.
        """
        code = Code.INVALID_NUMBER if isinstance(cell, ErrorCell) else Code.FORMULA_WITHOUT_VALUE
        place = Place(sheet=self._sheet.name, cell=cell_name(row, column))
        severity = Severity.ERROR if self._is_line(row, column) else Severity.WARNING
        return finding(code, place, seen=shown(cell), severity=severity)

    def _is_line(self, row: int, column: int) -> bool:
        """Whether a cell stands alone in its row, above rows of its table that were read."""
        table = next((t for t in self._tables if _holds(t, row, column)), None)
        if table is None or len(self._sheet.rows[row]) > 1 or column in table.numbers():
            return False
        key = table.top, table.left
        if key not in self._last:
            rows = (used for used, _ in self._used if used < table.end)
            self._last[key] = max(rows, default=0)
        return table.bottom < row < self._last[key]

    def _is_harmless(self, row: int, column: int, cell: Cell, note: Cell) -> bool:
        """Whether a cell says by itself, or by the last text before it, that it is no reading."""
        table = next((t for t in self._tables if _holds(t, row, column)), None)
        if table is not None:
            above = table.labels.get(column)
            if above is not None and above.meaning.role == HARMLESS:
                return True
            said = self._words.known(note)
            if above is not None and not (said.known and said.role == HARMLESS):
                # The day of a signature may stand below the label of a key.
                is_signed = above.meaning.role in KEYS and note is not None
                return _is_date(cell) and (column in table.decided or is_signed)
        if _is_date(cell):
            # The day of a signature; no reading is a date.
            return table is None and note is not None
        nearest = self._sheet.cell(row - 1, column) if note is None else note
        return self._words.meaning(nearest).role == HARMLESS

    def _left_over(self, block: _Block) -> Finding:
        there, last = cell_name(block.top, block.left), cell_name(block.bottom, block.right)
        cells = there if last == there else f"{there}:{last}"
        first = self._sheet.cell(block.top, block.left)
        seen = shown(first) if block.label is None else block.label.text
        place = Place(sheet=self._sheet.name, cell=cells)
        return finding(Code.NOT_READ, place, seen=seen, count=block.count)


@dataclass(slots=True)
class _Block:
    """A range of cells, `count` of them filled, and the label above its column."""

    top: int
    bottom: int
    left: int
    right: int
    count: int
    label: Label | None


def is_note(cell: Cell) -> bool:
    """Whether a cell is a text that is more than a number, or nothing at all."""
    if isinstance(cell, str):
        return is_blank(cell) or not isinstance(read_number(cell), Number)
    return cell is None


def _is_date(cell: Cell) -> bool:
    return isinstance(cell, datetime | date | time | timedelta)


def _holds(table: Table, row: int, column: int) -> bool:
    return table.top <= row < table.end and table.left <= column <= table.right


def _ranges(rows: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(first row, last row, cells) of each range of a column."""
    first = last = rows[0]
    count = 1
    for row in rows[1:]:
        if row > last + 2:
            yield first, last, count
            first, count = row, 0
        last, count = row, count + 1
    yield first, last, count


def says_anything(sheet: Sheet, words: Vocabulary, is_fact: Callable[[str], bool]) -> bool:
    """Whether any cell of a sheet has a word of the form."""
    return any(
        words.meaning(cell).said or is_fact(label(cell))
        for cells in sheet.rows.values()
        for cell in cells.values()
        if isinstance(cell, str)
    )
