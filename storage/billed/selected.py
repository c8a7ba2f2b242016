"""What billing asks the database: values and readings in force, now or at a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Select, Table, bindparam, case, func, select, text
from sqlalchemy import Integer as SqlInteger
from sqlalchemy import literal_column as literal

from layouts.findings import Code
from storage.billed.months import read_in, read_last
from storage.tables.letters import FINDING, SUBMISSION
from storage.tables.values import READING_HISTORY, SPAN, VALUE, VALUE_HISTORY

_DAY = 86400

# Values that an open suspicion covers, with its code.
SUSPECT_VALUES = text("""
SELECT DISTINCT v.series_id, v.start, o.code
FROM suspicion_open AS o
JOIN interval_value AS v ON v.series_id = o.series_id AND v.start >= o.start
    AND v.start < o."end" AND v.submission_id <= o.submission_id
WHERE v.series_id IN :keys AND v.start >= :first AND v.start < :last
""").bindparams(bindparam("keys", expanding=True))
SUSPECT_READINGS = text("""
SELECT DISTINCT v.meter_id, v.channel, v.zone, v.instant, o.code
FROM suspicion_open AS o
JOIN register_reading AS v ON v.meter_id = o.meter_id AND v.channel = o.channel
    AND v.zone = o.zone AND v.instant >= o.start AND v.instant <= o."end"
    AND (v.instant > o.start OR o.start = o."end") AND v.submission_id <= o.submission_id
WHERE v.meter_id IN :keys AND v.instant > :first AND v.instant <= :last
""").bindparams(bindparam("keys", expanding=True))
METERS_IN_FORCE = text("SELECT * FROM meter_in_force WHERE meter_id IN :keys ORDER BY begins")
METERS_IN_FORCE = METERS_IN_FORCE.bindparams(bindparam("keys", expanding=True))


IS_LATE = (
    select(FINDING.c.id)
    .where(FINDING.c.submission_id == SUBMISSION.c.id, FINDING.c.code == Code.LATE_SUBMISSION)
    .correlate(SUBMISSION)
    .exists()
)
# The first value of each Moscow day that a late document brought.
LATE_VALUES = text("""
SELECT v.series_id, min(v.start) AS start
FROM submission_span AS o
JOIN interval_value AS v ON v.series_id = o.series_id AND v.start >= o.start
    AND v.start < o."end" AND v.submission_id = o.submission_id
WHERE o.series_id IN :keys AND o."end" > :first AND o.start < :last
    AND v.start >= :first AND v.start < :last
    AND EXISTS (SELECT 1 FROM finding AS f
        WHERE f.submission_id = o.submission_id AND f.code = 'late-submission')
GROUP BY v.series_id, (v.start + 10800) / 86400
""").bindparams(bindparam("keys", expanding=True))

# What was in force at a moment: what is now and was then, or what was ended later, the
# first of what was ended later where it was ended more than once.
VALUES_AT = """
SELECT v.series_id, v.start, v.energy_wh, v.not_commercial, v.submission_id
FROM interval_value AS v JOIN submission AS d ON d.id = v.submission_id
WHERE v.series_id IN :keys AND v.start >= :first AND v.start < :last AND d.recorded_at <= :as_of
AND NOT EXISTS (SELECT 1 FROM interval_history AS h WHERE h.series_id = v.series_id
    AND h.start = v.start AND h.replaced_at > :as_of)
UNION ALL
SELECT h.series_id, h.start, h.energy_wh, h.not_commercial, h.submission_id
FROM interval_history AS h JOIN submission AS d ON d.id = h.submission_id
WHERE h.series_id IN :keys AND h.start >= :first AND h.start < :last AND d.recorded_at <= :as_of
AND h.replaced_at > :as_of AND NOT EXISTS (SELECT 1 FROM interval_history AS o
    WHERE o.series_id = h.series_id AND o.start = h.start AND o.replaced_at > :as_of
    AND (o.replaced_at < h.replaced_at
        OR o.replaced_at = h.replaced_at AND o.replaced_by < h.replaced_by))
"""
READINGS_AT = """
SELECT v.meter_id, v.channel, v.zone, v.instant, v.value, v.submission_id
FROM register_reading AS v JOIN submission AS d ON d.id = v.submission_id
WHERE v.meter_id IN :keys AND v.instant <= :last AND d.recorded_at <= :as_of
AND NOT EXISTS (SELECT 1 FROM register_history AS h WHERE h.meter_id = v.meter_id
    AND h.channel = v.channel AND h.zone = v.zone AND h.instant = v.instant
    AND h.replaced_at > :as_of)
UNION ALL
SELECT h.meter_id, h.channel, h.zone, h.instant, h.value, h.submission_id
FROM register_history AS h JOIN submission AS d ON d.id = h.submission_id
WHERE h.meter_id IN :keys AND h.instant <= :last AND d.recorded_at <= :as_of
AND h.replaced_at > :as_of AND NOT EXISTS (SELECT 1 FROM register_history AS o
    WHERE o.meter_id = h.meter_id AND o.channel = h.channel AND o.zone = h.zone
    AND o.instant = h.instant AND o.replaced_at > :as_of
    AND (o.replaced_at < h.replaced_at
        OR o.replaced_at = h.replaced_at AND o.replaced_by < h.replaced_by))
"""
READ_THEN = (
    text(f"{READINGS_AT} ORDER BY instant")
    .bindparams(bindparam("keys", expanding=True))
    .columns(value=READING_HISTORY.c.value.type)
)


def _value_columns(table: Table) -> list[Column[Any]]:
    names = ("series_id", "start", "energy_wh", "not_commercial", "submission_id")
    return [table.c[name] for name in names]


def values(series: Sequence[int], start: int, end: int, then: int | None) -> Select[Any]:
    """Values in force, in their order; `then` in epoch seconds, None: now.

    Args:
        series: Their numbers.
        start: Epoch seconds, included.
        end: Epoch seconds, excluded.
        then: As known at that moment, in epoch seconds; None: now.
    """
    found = _in_force(series, start, end, then)
    return select(found).order_by(found.c.series_id, found.c.start)


def _in_force(series: Sequence[int], start: int, end: int, then: int | None) -> Any:
    """The values in force, now or at a moment."""
    if then is None:
        found = select(*_value_columns(VALUE)).where(
            VALUE.c.series_id.in_(series), VALUE.c.start >= start, VALUE.c.start < end
        )
        return found.subquery()
    keys: Any = bindparam("keys", list(series), expanding=True)
    moments = {"first": start, "last": end, "as_of": then}
    return text(VALUES_AT).bindparams(keys, **moments).columns(*_value_columns(VALUE)).subquery()


def replaced(series: Sequence[int], start: int, end: int) -> Select[Any]:
    """Values that were in force once."""
    was = VALUE_HISTORY
    return select(*_value_columns(was), was.c.replaced_by, was.c.replaced_at).where(
        was.c.series_id.in_(series), was.c.start >= start, was.c.start < end
    )


def spans(series: Sequence[int], start: int, end: int) -> Select[Any]:
    """What documents carried of these series."""
    return select(SPAN).where(SPAN.c.series_id.in_(series), SPAN.c.end > start, SPAN.c.start < end)


def sums(series: Sequence[int], start: int, end: int, length: int, then: int | None) -> Select[Any]:
    """Sums of values in force over stretches of one length; see `values`.

    Args:
        series: Their numbers.
        start: Epoch seconds, included.
        end: Epoch seconds, excluded.
        length: Of a stretch, in seconds.
        then: As known at that moment, in epoch seconds; None: now.
    """
    values = _in_force(series, start, end, then)
    # Written out: PostgreSQL holds two parameters for different, even equal ones.
    first, size = (literal(str(number), SqlInteger) for number in (start, length))
    bucket = ((values.c.start - first) // size).label("bucket")
    billed = case((values.c.not_commercial, 0), else_=values.c.energy_wh)
    return select(
        values.c.series_id,
        bucket,
        func.count(values.c.energy_wh).label("present"),
        func.coalesce(func.sum(values.c.energy_wh), 0).label("energy"),
        func.coalesce(func.sum(billed), 0).label("billed"),
        func.sum(case((values.c.not_commercial, 1), else_=0)).label("flagged"),
        func.max(values.c.submission_id).label("submission_id"),
    ).group_by(values.c.series_id, bucket)


def grouped(rows: Iterable[Any], column: str) -> Mapping[int, list[Any]]:
    """Rows by the number in one of their columns; an empty list for any other number."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, column)].append(row)
    return found


def register_of(row: Any) -> tuple[int, str, str]:
    """The register that a row is about: meter, channel and zone."""
    return row.meter_id, row.channel, row.zone


def row_of_step(rows: Sequence[Any], end: int) -> Any:
    """The row of the register of points that counts for a step of consumption; see `Meter.at`.

    Args:
        rows: A meter's or a point's, the oldest first.
        end: Of the step, in epoch seconds: the reading of the day on which a row begins
            still belongs to the one before.
    """
    begun = [row for row in rows if row.begins + _DAY <= end]
    return begun[-1] if begun else rows[0]


def read_within(start: int, end: int) -> Callable[[Sequence[int]], Select[Any]]:
    """Readings in `(start, end]`."""
    return lambda meters: read_in(meters, start, end)


def last_until(start: int) -> Callable[[Sequence[int]], Select[Any]]:
    """The last reading of each register until then."""
    return lambda meters: read_last(meters, start)


def was_read(start: int, end: int) -> Callable[[Sequence[int]], Select[Any]]:
    """Readings that were in force once."""
    was = READING_HISTORY
    return lambda meters: select(was).where(
        was.c.meter_id.in_(meters), was.c.instant > start, was.c.instant <= end
    )
