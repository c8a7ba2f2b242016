"""A sheet's grid while its cells are read one by one, and what it may cost."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from parsers.grid import EPOCH_1900, Cell, Merged, Rows, Sheet, Spot, StruckCell
from parsers.number_formats import NumberFormat, Shape, typed


class TooCostlyError(Exception):
    """A workbook has more of something than any form has; its text is the limit."""


MOST_CELLS = 45_000
"""A workbook with more filled cells than this is `too-costly`."""

MOST_SIGNS = 1_000_000
"""XML tags in all its parts beyond which a workbook is `too-costly`; each reading counts."""

MOST_ELEMENTS = 20_000
"""Rows, styles, merged ranges and the like together, beyond which it is `too-costly`."""

MOST_LETTERS = 1_250_000
"""So is one whose filled cells have more signs of text: 250 a row of the most readings."""

MOST_WORDS = 100_000
"""Signs of the different texts that forms are asked for, beyond which it is `too-costly`."""

MOST_ROWS = 12_000
"""Filled rows beyond which it is `too-costly`: one of a form has three cells and more."""

MOST_LONE = 5_000
"""Rows of one filled cell beyond which it is `too-costly`: a list of words beside a form."""

MOST_WIDE = 2_000
"""Filled cells of a row beyond which it is `too-costly`: a month has 1,488 half-hours."""

MOST_MERGED = 10_000
"""Merged ranges beyond which it is `too-costly`."""

MOST_RECORDS = 150_000
"""Records beyond which a binary workbook is `too-costly`."""

MOST_SHEETS = 200
"""Sheets beyond which it is `too-costly`."""

MOST_COVERED = 100_000
"""Cells below merged ones, beyond which it is `too-costly`."""

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


@dataclass(slots=True)
class Spent:
    """What was read of a workbook, all its sheets together.

    Each count raises `TooCostlyError` when it is more than any form has.
    """

    cells: int = 0
    letters: int = 0
    words: int = 0
    rows: int = 0
    lone: int = 0
    texts: int = 0
    merged: int = 0
    covered: int = 0
    sheets: int = 0
    records: int = 0
    signs: int = 0
    elements: int = 0

    @property
    def share(self) -> float:
        """How much of what one workbook may cost was spent; 1 is all of it."""
        return sum(
            (
                self.cells / MOST_CELLS,
                self.letters / MOST_LETTERS,
                self.words / MOST_WORDS,
                self.texts / MOST_CELLS,
                self.merged / MOST_MERGED,
                self.covered / MOST_COVERED,
                self.records / MOST_RECORDS,
                self.signs / MOST_SIGNS,
                self.elements / MOST_ELEMENTS,
            )
        )

    def sign(self, count: int) -> None:
        """Count XML tags."""
        self.signs += count
        _bound(self.signs, MOST_SIGNS)

    def element(self) -> None:
        """Count an element that is looked at."""
        self.elements += 1
        _bound(self.elements, MOST_ELEMENTS)

    def sheet(self) -> None:
        """Count a sheet."""
        self.sheets += 1
        _bound(self.sheets, MOST_SHEETS)

    def record(self) -> None:
        """Count a record of a binary workbook."""
        self.records += 1
        _bound(self.records, MOST_RECORDS)

    def cell(self, count: int = 1) -> None:
        """Count filled cells."""
        self.cells += count
        _bound(self.cells, MOST_CELLS)

    def letter(self, count: int) -> None:
        """Count the signs of a text in a cell."""
        self.letters += count
        _bound(self.letters, MOST_LETTERS)

    def word(self, count: int) -> None:
        """Count the signs of a text that may be a label."""
        self.words += count
        _bound(self.words, MOST_WORDS)

    def row(self, before: int, after: int) -> None:
        """Count a row that has more filled cells than before, when it was empty or had one."""
        self.rows += before == 0
        self.lone += (after == 1) - (before == 1)
        _bound(self.rows, MOST_ROWS)
        _bound(self.lone, MOST_LONE)

    def text(self) -> None:
        """Count a text that cells share."""
        self.texts += 1
        _bound(self.texts, MOST_CELLS)

    def merge(self) -> None:
        """Count a merged range."""
        self.merged += 1
        _bound(self.merged, MOST_MERGED)

    def cover(self, count: int) -> None:
        """Count the cells below a merged one, and the range itself."""
        self.covered += count + 1
        _bound(self.covered, MOST_COVERED)


def _bound(count: int, most: int) -> None:
    if count > most:
        raise TooCostlyError(str(most))


@dataclass(slots=True)
class SheetDraft:
    """A sheet while its cells are read one by one.

    Attributes:
        hidden_columns: First and last column of each hidden range.
        struck: Cells whose text is struck through.
        veiled: Cells that are formatted to show nothing.
    """

    name: str
    spent: Spent
    epoch: datetime = EPOCH_1900
    is_visible: bool = True
    rows: Rows = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    formulas: set[Spot] = field(default_factory=set)
    percents: set[Spot] = field(default_factory=set)
    struck: set[Spot] = field(default_factory=set)
    veiled: set[Spot] = field(default_factory=set)

    def put(self, row: int, column: int, cell: Cell) -> None:
        """Fill one cell; an empty text fills nothing.

        Raises:
            TooCostlyError: the workbook has too many cells, or one that no
                workbook can have.
        """
        if cell is None or cell == "":
            return
        if not (0 < row <= LAST_ROW and 0 < column <= LAST_COLUMN):
            raise TooCostlyError(f"{LAST_ROW} x {LAST_COLUMN}")
        self.spent.cell()
        if isinstance(cell, str):
            self.spent.letter(len(cell))
        cells = self.rows.setdefault(row, {})
        before = len(cells)
        cells[column] = cell
        if before < 2:
            self.spent.row(before, len(cells))
        if len(cells) > MOST_WIDE:
            raise TooCostlyError(str(MOST_WIDE))

    def fill(self, row: int, cells: Mapping[int, Cell]) -> None:
        """As `put`, of several cells of one row, none of them empty.

        Raises:
            TooCostlyError: as `put`.
        """
        if not cells:
            return
        if not (0 < row <= LAST_ROW and min(cells) > 0 and max(cells) <= LAST_COLUMN):
            raise TooCostlyError(f"{LAST_ROW} x {LAST_COLUMN}")
        self.spent.cell(len(cells))
        self.spent.letter(sum(len(cell) for cell in cells.values() if isinstance(cell, str)))
        held = self.rows.setdefault(row, {})
        before = len(held)
        held |= cells
        if before < 2:
            self.spent.row(before, len(held))
        if len(held) > MOST_WIDE:
            raise TooCostlyError(str(MOST_WIDE))

    def typed(self, at: Spot, value: float, form: NumberFormat) -> Cell:
        """A cell's number as its format shows it; that it is a percentage, or not seen, is kept."""
        if form.shape is Shape.PERCENT:
            self.percents.add(at)
        elif form.shape is Shape.UNSEEN:
            self.veiled.add(at)
        return typed(value, form, self.epoch)

    def merge(self, merged: Merged) -> None:
        """Take in a merged range.

        Raises:
            TooCostlyError: the workbook has too many of them.
        """
        self.spent.merge()
        self.merged.append(merged)

    def sheet(self) -> Sheet:
        """The sheet with all that was put, parted by what its sender sees."""
        self._strike()
        rows = {row: dict(sorted(cells.items())) for row, cells in sorted(self.rows.items())}
        heads = dict(self._heads(rows))
        hides = self.hidden_rows or self.hidden_columns or heads or self.veiled
        seen, unseen = self._parted(rows, heads) if hides else (rows, {})
        return Sheet(
            name=self.name,
            rows=seen,
            unseen=unseen,
            is_visible=self.is_visible,
            merged=tuple(self.merged),
            heads=heads,
            formulas=frozenset(self.formulas),
            percents=frozenset(self.percents),
            epoch=self.epoch,
        )

    def _strike(self) -> None:
        """Mark what is struck through; a whole row of it is not there for its sender."""
        for row in {row for row, _ in self.struck}:
            cells = self.rows.get(row, {})
            if all((row, column) in self.struck for column in cells):
                self.hidden_rows.add(row)
                continue
            for column, cell in cells.items():
                if (row, column) in self.struck:
                    cells[column] = StruckCell(cell)

    def _heads(self, rows: Rows) -> Iterator[tuple[Spot, Spot]]:
        """Cells of merged ranges, with the first one of theirs; in filled rows only."""
        if not self.merged:
            return
        numbers = list(rows)
        last = max((column for cells in rows.values() for column in cells), default=0)
        for merged in self.merged:
            first, end = bisect_left(numbers, merged.top), bisect_right(numbers, merged.bottom)
            columns = range(merged.left, min(merged.right, last) + 1)
            self.spent.cover((end - first) * len(columns))
            for row in numbers[first:end]:
                for column in columns:
                    yield (row, column), (merged.top, merged.left)

    def _parted(self, rows: Rows, heads: Mapping[Spot, Spot]) -> tuple[Rows, Rows]:
        seen: Rows = {}
        unseen: Rows = {}
        hidden = _Ranges(self.hidden_columns)
        for row, cells in rows.items():
            for column, cell in cells.items():
                is_covered = heads.get((row, column), (row, column)) != (row, column)
                is_hidden = row in self.hidden_rows or column in hidden
                gone = is_hidden or is_covered or (row, column) in self.veiled
                (unseen if gone else seen).setdefault(row, {})[column] = cell
        return seen, unseen


class _Ranges:
    """Whole numbers in any of many ranges, whose ends belong to them."""

    def __init__(self, ranges: Sequence[tuple[int, int]]) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in sorted(ranges):
            if self._lasts and first <= self._lasts[-1]:
                self._lasts[-1] = max(last, self._lasts[-1])
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]
