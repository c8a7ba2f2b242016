"""A workbook's sheets as grids of cells, the same for every format of file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A cell with a formula that was never calculated; `formula` begins with `=`."""

    formula: str


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """A cell that holds an error of its workbook program, such as `#N/A` or `#DIV/0!`."""

    text: str


@dataclass(frozen=True, slots=True)
class StruckCell:
    """A cell whose text is struck through, in part or whole: nobody's value."""

    cell: Cell


Cell = (
    str | int | float | bool | datetime | date | time | timedelta
    | Uncounted | ErrorCell | StruckCell | None
)  # fmt: skip
"""What a place of a document can hold; an XML text is a str or None.

A workbook's number is an int where it is whole, else a float, of which 15
significant digits count. Its date is a datetime, its time of day a time, and
24 hours or more a timedelta.
"""

Spot = tuple[int, int]
"""The row and the column of a cell, both from 1."""

Rows = dict[int, dict[int, Cell]]
"""Row numbers to column numbers to filled cells, all from 1 and ascending."""

EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no zones
EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Merged:
    """A range of cells shown as one, with what its first cell holds."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet's filled cells.

    Attributes:
        rows: What the sender sees.
        unseen: What stands in hidden or filtered-out rows, in hidden columns, below
            merged cells and in cells that are formatted to show nothing.
        is_visible: Whether the sheet itself is shown; of a hidden one, `rows`
            and `unseen` are as if it were.
        merged: Its merged ranges, from the top.
        heads: Cells of merged ranges, to the first cell of theirs; only in rows
            that hold something.
        formulas: Cells whose value is the result of a formula.
        percents: Cells whose number is shown as a percentage.
        epoch: The day that its date serials count from.
    """

    name: str
    rows: Rows
    unseen: Rows = field(default_factory=dict)
    is_visible: bool = True
    merged: tuple[Merged, ...] = ()
    heads: Mapping[Spot, Spot] = field(default_factory=dict)
    formulas: frozenset[Spot] = frozenset()
    percents: frozenset[Spot] = frozenset()
    epoch: datetime = EPOCH_1900

    def cell(self, row: int, column: int) -> Cell:
        """What the sender sees written in one cell itself."""
        return self.rows.get(row, {}).get(column)

    def spread(self, row: int, column: int) -> Cell:
        """As `cell`; of a merged range, its value in each of its cells."""
        top, left = self.head(row, column)
        seen = self.cell(top, left)
        # A merged cell shows its value also where its own first row is hidden.
        return seen if (top, left) == (row, column) else seen or self.unseen.get(top, {}).get(left)

    def head(self, row: int, column: int) -> Spot:
        """The first cell of the merged range over a cell; else the cell itself."""
        return self.heads.get((row, column), (row, column))

    def key(self, row: int, column: int) -> Cell:
        """As `spread`, but only for a range that begins in this column."""
        is_below = self.head(row, column)[1] == column
        return self.spread(row, column) if is_below else self.cell(row, column)
