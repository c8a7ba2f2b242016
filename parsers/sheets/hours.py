"""Rows whose cells are counted up: the 24 hours above a table's columns, and columns' numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from parsers.fields import read_hour, shown
from parsers.grid import Cell


def numbering(cells: Mapping[int, Cell], unseen: Mapping[int, Cell]) -> set[int]:
    """The columns that a row numbers, hidden ones counted or not: 1, 2, 3, ...

    All of the row but one stray cell at its end, which is no reading of meter 2.
    """
    if len(cells) + len(unseen) < _FEWEST:
        return set()
    for row in (cells, dict(sorted({**unseen, **cells}.items()))):
        counted = takewhile(
            lambda pair: shown(pair[1][1]) == str(pair[0]), enumerate(row.items(), 1)
        )
        columns = {column for _, (column, _) in counted}
        if len(columns) >= _FEWEST and len(columns) >= len(row) - 1:
            return columns
    return set()


_FEWEST = 3
"""Columns that are numbered, at least."""


def hour_columns(cells: Mapping[int, Cell]) -> dict[int, int]:
    """Columns of the 24 hours with the hour each one starts at; {} for none.

    Single hours that run from 1 to 24 (or to 0) name the end of theirs. What may be read
    in two ways is none: 0 to 24, half-hours, the days of a month, two sets of hours.
    """
    if len(cells) < 24:
        return {}
    found = {column: hours for column, cell in cells.items() if (hours := read_hour(cell))}
    spans = {column: first for column, (first, second) in found.items() if second is not None}
    if set(spans.values()) == set(range(24)) and len(spans) == 24:
        return spans
    singles = {column: first for column, (first, second) in found.items() if second is None}
    orders = (list(range(24)), list(range(1, 25)), [*range(1, 24), 0])
    fits = [columns for order in orders for columns in _in_order(singles, order)]
    if len(fits) != 1 or _goes_on(cells, fits[0]):
        return {}
    return {column: hour for hour, column in enumerate(fits[0])}


def _in_order(singles: Mapping[int, int], order: Sequence[int]) -> Iterator[list[int]]:
    """Each run of columns whose hours are exactly these."""
    columns, hours, wanted = list(singles), list(singles.values()), list(order)
    for start in range(len(columns) - len(order) + 1):
        end = start + len(order)
        if hours[start] == wanted[0] and hours[start:end] == wanted:
            yield columns[start:end]


def _goes_on(cells: Mapping[int, Cell], columns: Sequence[int]) -> bool:
    """Whether what looks like hours has more between them, or behind the last one."""
    within = range(columns[0], columns[-1] + 2)
    others = (cell for at, cell in cells.items() if at in within and at not in columns)
    return any(not isinstance(cell, str) or cell[:1].isdigit() for cell in others)
