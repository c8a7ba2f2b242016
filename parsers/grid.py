"""A workbook's sheets as grids of cells, the same for every format of file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


Cell = str | int | float | bool | datetime | date | time | timedelta | Uncounted | ErrorCell | None
"""What a place of a document can hold; an XML text is a str or None.

A workbook's number is an int where it is whole, else a float, of which 15
significant digits count. Its date is a datetime, its time of day a time, and
24 hours or more a timedelta.
"""

Rows = dict[int, dict[int, Cell]]
"""Row numbers to column numbers to filled cells, all from 1 and ascending."""

EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no zones
EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Merged:
    """A range of cells shown as one; all but the first hold nothing."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet's filled cells.

    Attributes:
        rows: What the sender sees.
        unseen: What stands in hidden or filtered-out rows and in hidden columns.
        is_visible: Whether the sheet itself is shown; of a hidden one, `rows`
            and `unseen` are as if it were.
        filtered: Rows of `unseen` that a filter has put out of sight.
        merged: Its merged ranges, from the top.
        formulas: Cells whose value is the result of a formula.
        formats: Number formats, as .xlsx writes them, of cells that hold a
            number and are not `General`; of dates, too.
        epoch: The day that its date serials count from.
    """

    name: str
    rows: Rows
    unseen: Rows = field(default_factory=dict)
    is_visible: bool = True
    filtered: frozenset[int] = frozenset()
    merged: tuple[Merged, ...] = ()
    formulas: frozenset[tuple[int, int]] = frozenset()
    formats: Mapping[tuple[int, int], str] = field(default_factory=dict)
    epoch: datetime = EPOCH_1900
    _heads: dict[tuple[int, int], tuple[int, int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        # A title merged over whole columns covers only rows that hold something.
        for merged in self.merged:
            head = (merged.top, merged.left)
            for place in self._covered(merged):
                self._heads.setdefault(place, head)

    def _covered(self, merged: Merged) -> Iterator[tuple[int, int]]:
        last_row = max(max(self.rows, default=0), max(self.unseen, default=0))
        for row in range(merged.top, min(merged.bottom, last_row) + 1):
            for column in range(merged.left, min(merged.right, merged.left + _WIDEST) + 1):
                yield row, column

    def cell(self, row: int, column: int) -> Cell:
        """What the sender sees written in one cell itself."""
        return self.rows.get(row, {}).get(column)

    def spread(self, row: int, column: int) -> Cell:
        """As `cell`; of a merged range, its value in each of its cells."""
        return self.cell(*self.head(row, column))

    def head(self, row: int, column: int) -> tuple[int, int]:
        """The first cell of the merged range over a cell; else the cell itself."""
        return self._heads.get((row, column), (row, column))

    def key(self, row: int, column: int) -> Cell:
        """As `spread`, but only for a range that begins in this column."""
        top, left = self.head(row, column)
        return self.cell(top if left == column else row, column)


_WIDEST = 500
