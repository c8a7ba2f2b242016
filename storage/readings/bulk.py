"""Thousands of interval values in one go, as each database takes them quickest.

Values that follow one another are handed over as a column: to SQLite as one JSON array
a series, in half the time of a row each; to PostgreSQL as COPY's own text. What is
replaced goes row by row to SQLite, and as arrays to PostgreSQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from storage.statements import Statements

Value = tuple[int, int, int | None, bool, int]
"""Series, start, energy, whether it is not commercial, submission."""


class Run(NamedTuple):
    """Commercial values of one series that follow one another.

    Attributes:
        series: Its number.
        start: Of the first interval, in epoch seconds.
        step: From one start to the next, in seconds.
        energy: In Wh or varh; None for an interval without a value.
        submission: That brings them.
    """

    series: int
    start: int
    step: int
    energy: Sequence[int | None]
    submission: int


def add_values(sql: Statements, runs: Sequence[Run], rows: Sequence[Value] = ()) -> None:
    """Write values where none are in force yet; `rows` are those that make no run."""
    if sql.is_postgresql:
        if runs or rows:
            sql.copy("add", "".join(_copied(runs, rows)))
        return
    sql.each("add_run", [(*run[:3], run.submission, _JSON(run.energy)) for run in runs])
    sql.each("add", rows)


_JSON = json.JSONEncoder(separators=(",", ":")).encode


def _copied(runs: Sequence[Run], rows: Sequence[Value]) -> Iterator[str]:
    """Values as COPY writes them."""
    for series, start, step, energy, submission in runs:
        starts = range(start, start + step * len(energy), step)
        for at, value in zip(starts, energy, strict=True):
            told = "\\N" if value is None else value
            yield f"{series}\t{at}\t{told}\tf\t{submission}\n"
    for series, at, value, flagged, submission in rows:
        told = "\\N" if value is None else value
        yield f"{series}\t{at}\t{told}\t{'t' if flagged else 'f'}\t{submission}\n"


def replace_values(sql: Statements, rows: Sequence[Value], by: int, at: int) -> None:
    """Write values over the ones in force, which become history.

    Args:
        sql: The statements of this matter.
        rows: The new values; each has one in force.
        by: The submission that replaces.
        at: When, in epoch seconds.
    """
    if not sql.is_postgresql:
        sql.each("keep_old", [(by, at, row[0], row[1]) for row in rows])
        sql.each("replace", [(*row[2:], row[0], row[1]) for row in rows])
        return
    series, starts, energy, flags, _ = (list(column) for column in zip(*rows, strict=True))
    sql.change("keep_old", series=series, starts=starts, by=by, at=at)
    sql.change("replace", series=series, starts=starts, energy=energy, flags=flags, by=by)
