"""Values written in bulk: added, replaced with their history, carried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import sqlite

from layouts.terms import Change, Kind, Series
from storage.columns import epoch
from storage.faults import driver_faults
from storage.rows import KEYS, Rows
from storage.tables import (
    CARRIED,
    READING,
    READING_HISTORY,
    SERIES,
    SPAN,
    VALUE,
    VALUE_HISTORY,
)

_SeriesName = tuple[int, str, int]
"""Point, channel and step: what an interval series is known by."""

_COLUMNS = ("series_id", "start", "energy_wh", "not_commercial", "submission_id")
_Value = tuple[int, int, int | None, bool, int]
"""In the order of `_COLUMNS`."""

SERIES_AT = select(SERIES).where(SERIES.c.point_id.in_(KEYS))
_NEW_SERIES = SERIES.insert().returning(SERIES.c.id)
_CARRY_SPANS = SPAN.insert()
_CARRY_READINGS = CARRIED.insert()
_ADD_READINGS = READING.insert()
# As plain text, because thousands of tuples are bound much quicker than dicts.
_ADD_VALUES = str(VALUE.insert().compile(dialect=sqlite.dialect()))
_KEEP_OLD_VALUE = VALUE_HISTORY.insert().from_select(
    [
        "series_id",
        "start",
        "replaced_by",
        "energy_wh",
        "not_commercial",
        "submission_id",
        "replaced_at",
    ],
    select(
        VALUE.c.series_id,
        VALUE.c.start,
        bindparam("by", type_=VALUE.c.submission_id.type),
        VALUE.c.energy_wh,
        VALUE.c.not_commercial,
        VALUE.c.submission_id,
        bindparam("at", type_=VALUE_HISTORY.c.replaced_at.type),
    ).where(VALUE.c.series_id == bindparam("of"), VALUE.c.start == bindparam("from")),
)
_REPLACE_VALUE = (
    VALUE.update()
    .where(VALUE.c.series_id == bindparam("of"), VALUE.c.start == bindparam("from"))
    .values(
        energy_wh=bindparam("energy"),
        not_commercial=bindparam("flag"),
        submission_id=bindparam("by"),
    )
)
_ALL_AT_ONCE = (
    "unnest(%(series)s::integer[], %(starts)s::bigint[], %(energy)s::bigint[], "
    "%(flags)s::boolean[]) AS new (series_id, start, energy_wh, not_commercial)"
)
# Only our own text is put together here; values are parameters.
_KEEP_OLD_VALUES = f"""
INSERT INTO interval_history (series_id, start, replaced_by, energy_wh, not_commercial,
                              submission_id, replaced_at)
SELECT old.series_id, old.start, %(by)s, old.energy_wh, old.not_commercial,
       old.submission_id, %(at)s
FROM interval_value AS old JOIN {_ALL_AT_ONCE} USING (series_id, start)
"""  # noqa: S608
_REPLACE_VALUES = f"""
UPDATE interval_value AS old
SET energy_wh = new.energy_wh, not_commercial = new.not_commercial, submission_id = %(by)s
FROM {_ALL_AT_ONCE}
WHERE old.series_id = new.series_id AND old.start = new.start
"""  # noqa: S608

_KEY = (READING.c.meter_id, READING.c.channel, READING.c.zone, READING.c.instant)
_KEEP_OLD_READING = READING_HISTORY.insert().from_select(
    [
        "meter_id",
        "channel",
        "zone",
        "instant",
        "replaced_by",
        "value",
        "submission_id",
        "replaced_at",
    ],
    select(
        *_KEY,
        bindparam("by", type_=READING.c.submission_id.type),
        READING.c.value,
        READING.c.submission_id,
        bindparam("at", type_=READING_HISTORY.c.replaced_at.type),
    ).where(*(column == bindparam(f"of_{column.name}") for column in _KEY)),
)
_REPLACE_READING = (
    READING.update()
    .where(*(column == bindparam(f"of_{column.name}") for column in _KEY))
    .values(value=bindparam("new"), submission_id=bindparam("by"))
)


class ValueRows(Rows):
    """Applies what a document changes; nothing else is touched."""

    def _apply(self, changes: Sequence[Change], submission: int, now: datetime) -> None:
        intervals = [c for c in changes if c.series.kind is Kind.INTERVAL]
        if intervals:
            self._apply_intervals(intervals, submission, now)
        registers = [c for c in changes if c.series.kind is Kind.REGISTER]
        if registers:
            self._apply_readings(registers, submission, now)

    def _apply_intervals(self, changes: Sequence[Change], submission: int, now: datetime) -> None:
        numbers = self._series_numbers({_name(change) for change in changes})
        added: list[_Value] = []
        replaced: list[_Value] = []
        spans: list[dict[str, int]] = []
        for change in changes:
            number = numbers[_name(change)]
            added += _values(change.series, change.added, number, submission)
            replaced += _values(change.series, change.replaced, number, submission)
            spans += (
                {"series_id": number, "start": start, "end": end, "submission_id": submission}
                for start, end in spans_of(change.series)
            )
        self._connection.execute(_CARRY_SPANS, spans)
        if added:
            self._add(added)
        if replaced:
            self._replace(replaced, submission, now)

    def _series_numbers(self, names: set[_SeriesName]) -> dict[_SeriesName, int]:
        """The number of each series; made for those met for the first time."""
        points = sorted({point for point, _, _ in names})
        known = {
            (row.point_id, row.channel, row.step_minutes): row.id
            for row in self._each(points, SERIES_AT)
        }
        for point, channel, step in sorted(names - known.keys()):
            new = {"point_id": point, "channel": channel, "step_minutes": step}
            known[point, channel, step] = self._connection.scalars(_NEW_SERIES, [new]).one()
        return known

    def _add(self, rows: Sequence[_Value]) -> None:
        if self._on_postgresql:
            self._copy(rows)
        else:
            self._connection.exec_driver_sql(_ADD_VALUES, list(rows))

    def _copy(self, rows: Iterable[_Value]) -> None:
        driver: Any = self._connection.connection.driver_connection
        columns = ", ".join(_COLUMNS)
        statement = f"COPY interval_value ({columns}) FROM STDIN"
        with driver_faults(), driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def _replace(self, rows: Sequence[_Value], submission: int, now: datetime) -> None:
        if self._on_postgresql:
            self._replace_at_once(rows, submission, now)
            return
        keys = [{"of": r[0], "from": r[1], "by": submission} for r in rows]
        self._connection.execute(_KEEP_OLD_VALUE, [{**key, "at": now} for key in keys])
        self._connection.execute(
            _REPLACE_VALUE,
            [
                {**key, "energy": row[2], "flag": row[3]}
                for key, row in zip(keys, rows, strict=True)
            ],
        )

    def _replace_at_once(self, rows: Sequence[_Value], submission: int, now: datetime) -> None:
        series, starts, energy, flags, _ = (list(column) for column in zip(*rows, strict=True))
        arguments = {"series": series, "starts": starts, "energy": energy, "flags": flags}
        by = {"by": submission, "at": epoch(now)}
        self._connection.exec_driver_sql(_KEEP_OLD_VALUES, arguments | by)
        self._connection.exec_driver_sql(_REPLACE_VALUES, arguments | by)

    def _apply_readings(self, changes: Sequence[Change], submission: int, now: datetime) -> None:
        # A document may say the same reading twice; once is enough.
        once = {tuple(_key(change).values()): change for change in reversed(changes)}
        keys = [_key(change) for change in once.values()]
        by = {"submission_id": submission}
        self._connection.execute(_CARRY_READINGS, [{**key, **by} for key in keys])
        added = [
            {**_key(change), **by, "value": change.series.reading}
            for change in once.values()
            if change.added
        ]
        if added:
            self._connection.execute(_ADD_READINGS, added)
        replaced = [change for change in once.values() if change.replaced]
        if replaced:
            self._replace_readings(replaced, submission, now)

    def _replace_readings(self, changes: Sequence[Change], submission: int, now: datetime) -> None:
        which = [
            {f"of_{name}": value for name, value in _key(change).items()} | {"by": submission}
            for change in changes
        ]
        self._connection.execute(_KEEP_OLD_READING, [{**key, "at": now} for key in which])
        self._connection.execute(
            _REPLACE_READING,
            [
                {**key, "new": change.series.reading}
                for key, change in zip(which, changes, strict=True)
            ],
        )


def spans_of(series: Series) -> list[tuple[int, int]]:
    """What an interval series covers: one span, or more where it has gaps."""
    if series.spans is None:
        return [(epoch(series.start), epoch(series.end))] if series.values else []
    joined: list[tuple[int, int]] = []
    for start, end in sorted(series.spans):
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _values(
    series: Series, indexes: Iterable[int], number: int, submission: int
) -> Iterator[_Value]:
    values: Sequence[Any] = series.values
    flagged = series.not_commercial
    first, step = epoch(series.start), series.step_minutes * 60
    spans = series.spans
    for index in indexes:
        start = first + step * index if spans is None else spans[index][0]
        yield number, start, values[index], index in flagged, submission


def _name(change: Change) -> _SeriesName:
    if change.point is None or change.point.id is None:
        raise ValueError("an interval series can only be kept for a registered point")
    return change.point.id, change.series.channel, change.series.step_minutes


def _key(change: Change) -> dict[str, Any]:
    if change.meter is None or change.meter.id is None:
        raise ValueError("a register reading can only be kept for a registered meter")
    return {
        "meter_id": change.meter.id,
        "channel": change.series.channel,
        "zone": change.series.zone or "T0",
        "instant": epoch(change.series.start),
    }
