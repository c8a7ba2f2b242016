"""Thousands of interval values in one go, as each database takes them quickest.

Values that follow one another are handed over as a column: to SQLite as one JSON array
a series, in half the time of a row each; to PostgreSQL as COPY's own text. What is
replaced goes row by row to SQLite, and as arrays to PostgreSQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from storage.prepared import Driver

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


_COLUMNS = "series_id, start, energy_wh, not_commercial, submission_id"
_HISTORY = "series_id, start, replaced_by, energy_wh, not_commercial, submission_id, replaced_at"
_ARRAYS = (
    "unnest(%(series)s::integer[], %(starts)s::bigint[], %(energy)s::bigint[], "
    "%(flags)s::boolean[]) AS new (series_id, start, energy_wh, not_commercial)"
)

# Only our own text is put together here; values are parameters.
# ruff: noqa: S608
_ADD_EACH = f"INSERT INTO interval_value ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)"
_ADD_RUN = f"""
INSERT INTO interval_value ({_COLUMNS}) SELECT ?, ? + key * ?, value, 0, ? FROM json_each(?)
"""
_KEEP_EACH = f"""
INSERT INTO interval_history ({_HISTORY})
SELECT series_id, start, ?, energy_wh, not_commercial, submission_id, ?
FROM interval_value WHERE series_id = ? AND start = ?
"""
_REPLACE_EACH = """
UPDATE interval_value SET energy_wh = ?, not_commercial = ?, submission_id = ?
WHERE series_id = ? AND start = ?
"""
_ADD_ALL = f"COPY interval_value ({_COLUMNS}) FROM STDIN"
_KEEP_ALL = f"""
INSERT INTO interval_history ({_HISTORY})
SELECT old.series_id, old.start, %(by)s, old.energy_wh, old.not_commercial,
       old.submission_id, %(at)s
FROM interval_value AS old JOIN {_ARRAYS} USING (series_id, start)
"""
_REPLACE_ALL = f"""
UPDATE interval_value AS old
SET energy_wh = new.energy_wh, not_commercial = new.not_commercial, submission_id = %(by)s
FROM {_ARRAYS}
WHERE old.series_id = new.series_id AND old.start = new.start
"""


_DAYS = "series_id, day, energy_wh, highest_wh, counts"
_PUT_DAYS = """
ON CONFLICT (series_id, day) DO UPDATE
SET energy_wh = excluded.energy_wh, highest_wh = excluded.highest_wh, counts = excluded.counts
"""
_PUT_EACH_DAY = f"INSERT INTO interval_day ({_DAYS}) VALUES (?, ?, ?, ?, ?) {_PUT_DAYS}"
_PUT_ALL_DAYS = f"""
INSERT INTO interval_day ({_DAYS})
SELECT * FROM unnest(%s::integer[], %s::integer[], %s::bytea[], %s::bytea[], %s::bytea[])
{_PUT_DAYS}
"""


def put_days(driver: Driver, rows: Sequence[tuple[int, int, bytes, bytes, bytes]]) -> None:
    """Write sums of days, over those that are there."""
    if rows and driver.is_postgresql:
        driver.execute(_PUT_ALL_DAYS, [list(column) for column in zip(*rows, strict=True)])
    else:
        driver.execute_each(_PUT_EACH_DAY, rows)


def add_values(driver: Driver, runs: Sequence[Run], rows: Sequence[Value] = ()) -> None:
    """Write values where none are in force yet; `rows` are those that make no run."""
    if driver.is_postgresql:
        if runs or rows:
            driver.copy(_ADD_ALL, "".join(_copied(runs, rows)))
        return
    driver.execute_each(_ADD_RUN, [(*run[:3], run.submission, _JSON(run.energy)) for run in runs])
    driver.execute_each(_ADD_EACH, rows)


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


def replace_values(driver: Driver, rows: Sequence[Value], by: int, at: int) -> None:
    """Write values over the ones in force, which become history.

    Args:
        driver: In its transaction.
        rows: The new values; each has one in force.
        by: The submission that replaces.
        at: When, in epoch seconds.
    """
    if not driver.is_postgresql:
        driver.execute_each(_KEEP_EACH, [(by, at, row[0], row[1]) for row in rows])
        driver.execute_each(_REPLACE_EACH, [(*row[2:], row[0], row[1]) for row in rows])
        return
    series, starts, energy, flags, _ = (list(column) for column in zip(*rows, strict=True))
    arguments = {"series": series, "starts": starts, "energy": energy, "flags": flags}
    driver.execute(_KEEP_ALL, arguments | {"by": by, "at": at})
    driver.execute(_REPLACE_ALL, arguments | {"by": by})
