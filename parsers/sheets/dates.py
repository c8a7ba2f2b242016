"""Dates whose day and month may have changed places: told with both, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import starmap

from layouts.findings import Code
from parsers.fields import Fault, month_number, read_moment, read_number
from parsers.grid import Cell, Sheet
from parsers.sheets.table import Table
from parsers.sheets.titles import Titles
from parsers.sheets.vocabulary import Vocabulary

Month = tuple[int, int]
"""Year, 0 where it is not named, and month."""

_OF_MONTH = re.compile(r"\s*(\d{1,2})(?:\.(\d{1,2})\.?|[ -]([а-яё]{3,8})\.?)\s*", re.IGNORECASE)
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})[/-](\d{1,2})[/-](?:\d{4}|\d{2})(?!\d)")


@dataclass(slots=True)
class Dates:
    """Reads the dates of a sheet in the light of what stands beside them."""

    sheet: Sheet
    words: Vocabulary
    titles: Titles
    _orders: dict[tuple[int, int], bool] = field(default_factory=dict)

    def alone(self, cell: Cell, table: Table | None) -> datetime | Fault:
        """The moment in one cell above a table."""
        moment = read_moment(cell, self.sheet.epoch)
        if isinstance(moment, Fault) or swapped(moment) is None:
            return moment
        month = None if table is None else self._month_above(table)
        return settled(moment, is_month_first=month_first([cell], self.sheet.epoch, month))

    def in_column(
        self, cell: Cell, table: Table, column: int, stated: date | None = None
    ) -> datetime | Fault:
        """The moment in one cell of a table's column.

        Args:
            cell: The one that is read.
            table: The one that it stands in.
            column: Number of the column.
            stated: A day of the month that the header block states.
        """
        moment = read_moment(cell, self.sheet.epoch)
        if isinstance(moment, Fault) or swapped(moment) is None:
            return moment
        key = (table.bottom, column)
        if key not in self._orders:
            rows = (row for row in self.sheet.rows if table.bottom < row < table.end)
            cells = [cell for row in rows if is_moment_like(cell := self.sheet.cell(row, column))]
            month = (stated.year, stated.month) if stated else self._month_above(table)
            self._orders[key] = month_first(cells, self.sheet.epoch, month)
        return settled(moment, is_month_first=self._orders[key])

    def in_label(self, day: date, table: Table) -> datetime | Fault:
        """The midnight of the day that a column's label names."""
        texts = [label.text for label in table.labels.values()]
        moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local, as written
        return settled(moment, is_month_first=month_first(texts, self.sheet.epoch))

    def _month_above(self, table: Table) -> Month | None:
        """The month that the nearest title of a table names."""
        meanings = (self.words.meaning(title.text) for title in self.titles.above(table))
        return next((meaning.month for meaning in meanings if meaning.month), None)


def settled(moment: datetime | Fault, *, is_month_first: bool) -> datetime | Fault:
    """The moment, or the fault that it may as well be the day of another month."""
    other = None if isinstance(moment, Fault) else swapped(moment)
    if isinstance(moment, Fault) or other is None or not is_month_first:
        return moment
    return Fault(Code.INVALID_DATE, either=f"{moment:%d.%m.%Y}, {other:%d.%m.%Y}")


def is_moment_like(cell: Cell) -> bool:
    """Whether a cell may be a date in whatever order, and is no phone number in a text."""
    return not isinstance(cell, str) or _OF_NUMBERS.fullmatch(cell) is not None


_OF_NUMBERS = re.compile(r"(?:на\s)?[\s\d.,:/'-]+(?:г(?:ода?)?\.?)?\s*", re.IGNORECASE)


def swapped(day: date) -> date | None:
    """The date with day and month exchanged; None where that is none, or the same."""
    if day.day > 12 or day.day == day.month:
        return None
    return date(day.year, day.day, day.month)


def month_first(cells: Sequence[Cell], epoch: datetime, month: Month | None = None) -> bool:
    """Whether what stands beside a date, or in it, says that its month was written first.

    Dots are the Russian order and say nothing; a date cell says nothing by itself, but
    programs make such cells of texts in the wrong order.

    Args:
        cells: The dates of one column, or one date.
        epoch: Of the workbook.
        month: The one that a title or the header block names.
    """
    pairs = [pair for cell in cells for pair in _pairs(cell)]
    firsts, seconds = {first for first, _ in pairs}, {second for _, second in pairs}
    if any(first > 12 for first in firsts):
        return False
    if any(second > 12 for second in seconds):
        return True
    if month is not None:
        days = [found for cell in cells if (found := _day(cell, epoch)) is not None]
        unfit = [day for day in days if not _is_of(day, month)]
        others = [swapped(day) for day in unfit]
        return bool(unfit) and all(other and _is_of(other, month) for other in others)
    if not pairs or 1 in firsts:
        return False
    # Readings are of the first of a month; the days of one month follow each other.
    return seconds == {1} or (len(firsts) == 1 and len(seconds) > 1)


def _pairs(cell: Cell) -> Iterator[tuple[int, int]]:
    """First and second number of each date with strokes or hyphens in a text."""
    if isinstance(cell, str):
        yield from starmap(lambda a, b: (int(a), int(b)), _SLASHED.findall(cell))


def _day(cell: Cell, epoch: datetime) -> date | None:
    moment = read_moment(cell, epoch)
    return None if isinstance(moment, Fault) else moment.date()


def _is_of(day: date, month: Month) -> bool:
    """Whether a day lies in a month; the first one after it closes it."""
    year, number = month
    closes = day.day == 1 and (day.year if day.month > 1 else day.year - 1, day.month - 1 or 12)
    own = (day.year, day.month)
    return any(of and of[1] == number and year in (0, of[0]) for of in (own, closes))


def day_of_month(cell: Cell, month: date | None) -> datetime | None:
    """A day that is only numbered, or has no year, in the month of the header block."""
    both = _OF_MONTH.fullmatch(cell) if isinstance(cell, str) else None
    of = (int(both[2]) if both[2] else month_number(both[3])) if both else None
    if both and month is not None and of == month.month:
        cell = both[1]
    number = read_number(cell)
    if month is None or isinstance(number, Fault) or number.value != int(number.value):
        return None
    if not 1 <= number.value <= 31:
        return None
    try:
        day = month.replace(day=int(number.value))
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
