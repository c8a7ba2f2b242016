"""One number for billing: consumption of a point's channel and tariff zone in a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, bindparam, text

from layouts.consumed import consumed_wh
from layouts.exact import decimal
from layouts.months import bounds, following, month_at
from storage.billed.selected import (
    READINGS_AT,
    VALUES_AT,
    grouped,
    register_of,
    row_of_step,
)
from storage.columns import epoch, instant
from storage.records.billing import Number, Quality
from storage.records.registry import Steps
from storage.session import Part

_LATE = """
EXISTS (SELECT 1 FROM finding AS f
 WHERE f.submission_id = v.submission_id AND f.code = 'late-submission')
"""

_SERIES = "SELECT id FROM interval_series WHERE point_id IN :points"
# By the key of `point_row`: the view of rows in force would be worked out for every point.
_BEGINS = """
(SELECT max(p.begins) FROM point_row AS p WHERE p.point_id = s.point_id AND p.begins <= v.start)
"""
# Braces are filled in with our own text; what is asked for are parameters.
_PROFILES = """
SELECT s.point_id, s.channel, s.step_minutes, {begins} AS begins, count(*) AS value_count,
    sum(CASE WHEN v.not_commercial THEN 0 ELSE 1 END) AS billed_count,
    sum(CASE WHEN v.not_commercial THEN 0 ELSE v.energy_wh END) AS energy,
    max(v.submission_id) AS receipt, max(CASE WHEN {late} THEN 1 ELSE 0 END) AS late
FROM {values} AS v
JOIN interval_series AS s ON s.id = v.series_id
WHERE v.series_id IN :keys AND v.start >= :first AND v.start < :last
AND v.energy_wh IS NOT NULL
GROUP BY s.point_id, s.channel, s.step_minutes, 4
"""
_PROFILE_CODES = """
SELECT DISTINCT s.point_id, s.channel, {begins} AS begins, o.code
FROM suspicion_open AS o
JOIN interval_series AS s ON s.id = o.series_id
JOIN interval_value AS v ON v.series_id = o.series_id AND v.start >= o.start
    AND v.start < o."end" AND v.submission_id <= o.submission_id
WHERE o.series_id IN :keys AND v.start >= :first AND v.start < :last
"""
_METERS = "SELECT id, point_id, removed FROM meter WHERE point_id IN :points"
_METER_ROWS = "SELECT * FROM meter_in_force WHERE meter_id IN :keys ORDER BY meter_id, begins"
_POINT_ROWS = "SELECT * FROM point_in_force WHERE point_id IN :points ORDER BY point_id, begins"
_READINGS = """
SELECT v.meter_id, v.channel, v.zone, v.instant, v.value, v.submission_id,
    CASE WHEN {late} THEN 1 ELSE 0 END AS late
FROM {values} AS v
WHERE v.meter_id IN :keys AND v.instant > :first AND v.instant <= :last
"""
_READ_BEFORE = """
SELECT v.meter_id, v.channel, v.zone, v.instant, v.value
FROM {values} AS v JOIN (
    SELECT meter_id, channel, zone, max(instant) AS instant FROM {values} AS r
    WHERE meter_id IN :keys AND instant <= :first GROUP BY meter_id, channel, zone
) AS l ON l.meter_id = v.meter_id AND l.channel = v.channel AND l.zone = v.zone
    AND l.instant = v.instant
"""
_READING_CODES = """
SELECT DISTINCT v.meter_id, v.channel, v.zone, o.code
FROM suspicion_open AS o
JOIN register_reading AS v ON v.meter_id = o.meter_id AND v.channel = o.channel
    AND v.zone = o.zone AND v.instant >= o.start AND v.instant <= o."end"
    AND (v.instant > o.start OR o.start = o."end") AND v.submission_id <= o.submission_id
WHERE v.meter_id IN :keys AND v.instant > :first AND v.instant <= :last
"""
# The first and the last one by the index, series by series.
_SPAN = """
SELECT (SELECT min(v.start) FROM interval_value AS v WHERE v.series_id = s.id),
    (SELECT max(v.start) FROM interval_value AS v WHERE v.series_id = s.id)
FROM interval_series AS s WHERE s.point_id IN :points
UNION ALL
SELECT (SELECT min(r.instant) FROM register_reading AS r WHERE r.meter_id = m.id),
    (SELECT max(r.instant) FROM register_reading AS r WHERE r.meter_id = m.id)
FROM meter AS m WHERE m.point_id IN :points
"""
# Points whose consumption in a month another row of the register can change.
_STEPS = """
SELECT DISTINCT m.point_id AS id FROM register_reading AS v JOIN meter AS m ON m.id = v.meter_id
WHERE m.point_id IN :points AND v.instant > :first AND v.instant <= :last
AND v.value {differs} (SELECT b.value FROM register_reading AS b
    WHERE b.meter_id = v.meter_id AND b.channel = v.channel AND b.zone = v.zone
    AND b.instant < v.instant ORDER BY b.instant DESC LIMIT 1)
"""
_WITH_VALUES = """
SELECT m.point_id AS id FROM register_reading AS v JOIN meter AS m ON m.id = v.meter_id
WHERE m.point_id IN :points AND v.instant > :first AND v.instant <= :last
UNION
SELECT s.point_id FROM interval_series AS s WHERE s.point_id IN :points AND EXISTS (
    SELECT 1 FROM interval_value AS v
    WHERE v.series_id = s.id AND v.start >= :first AND v.start < :last)
"""
_AFFECTED = {
    Steps.BACKWARD: _STEPS.format(differs="<"),
    Steps.CONSUMING: _STEPS.format(differs="<>"),
    Steps.ALL: _WITH_VALUES,
}
_ALL_POINTS = "SELECT id FROM metering_point"
_POINTS_HELD = """
SELECT DISTINCT r.point_id AS id FROM point_row AS r
JOIN legal_entity AS e ON e.id = r.entity_id WHERE e.user_code = :entity
"""

_Key = tuple[str, int, str, str]
"""Holder, point, channel and zone."""


@dataclass(slots=True)
class _Sum:
    """A number while it is being put together."""

    row: Any
    source: str
    energy: int | None = None
    values: int = 0
    missing: int = 0
    not_commercial: int = 0
    codes: set[str] = field(default_factory=set)
    late: bool = False
    receipt: int | None = None

    def add(self, energy: int | None, receipt: int, *, late: bool, values: int = 1) -> None:
        """Take in values or a step of consumption.

        Args:
            energy: In Wh or varh.
            receipt: That they came with.
            late: Whether they came after the deadline.
            values: How many they are.
        """
        if energy is not None:
            self.energy = (self.energy or 0) + energy
        self.values += values
        self.late = self.late or late
        self.receipt = max(receipt, self.receipt or 0)


class Numbers(Part):
    """Worked out from what is in force, with the rows of the register in force at the time."""

    def of(
        self,
        month: date,
        *,
        entity: str | None = None,
        points: Iterable[int] | None = None,
        as_of: datetime | None = None,
        all_of: str | None = None,
    ) -> list[Number]:
        """The month's numbers, by holder, point, channel and zone.

        Args:
            month: Any day of it; a Moscow month.
            entity: Only of the legal entity with this user code.
            points: Only of these, by their ids.
            as_of: With the values that were in force then; their quality is today's.
            all_of: What `register` or `profile` tells, whether it counts for a point or not.
        """
        asked = self._asked(entity, points)
        numbers = [
            number
            for piece in self._pieces(asked)
            for number in _Month(self, _Rows(self, piece), month, as_of, all_of).numbers()
        ]
        if entity is not None:
            numbers = [number for number in numbers if number.entity == entity]
        return sorted(numbers, key=lambda n: n.key)

    def of_each(self, months: Sequence[date], point: int) -> dict[date, list[Number]]:
        """One point's numbers of some months; the register's rows are read once for all."""
        rows, first = _Rows(self, [point]), next(iter(self.months([point])), date.max)
        return {
            # Before its first value there is nothing, and it is not asked for month by month.
            month: sorted(_Month(self, rows, month).numbers(), key=lambda n: n.key)
            if month >= first
            else []
            for month in months
        }

    def months(self, points: Sequence[int]) -> list[date]:
        """First days of the months from the first value of some points to their last one."""
        moments = [
            moment
            for piece in self._pieces(points)
            for row in self.rows(_SPAN, points=piece)
            for moment in row
            if moment is not None
        ]
        if not moments:
            return []
        month, last = month_at(instant(min(moments))), month_at(instant(max(moments)))
        months = []
        while month <= last:
            months.append(month)
            month = following(month)
        return months

    def affected(self, month: date, points: Mapping[int, Steps]) -> list[int]:
        """Those of some points that have such steps in a month; few enough for one statement."""
        first, last = (epoch(moment) for moment in bounds(month))
        found = []
        for steps, statement in _AFFECTED.items():
            if asked := [point for point, theirs in points.items() if theirs is steps]:
                found += self.rows(statement, points=asked, first=first, last=last)
        return sorted(row.id for row in found)

    def _asked(self, entity: str | None, points: Iterable[int] | None) -> list[int]:
        if points is not None:
            return sorted(set(points))
        if entity is not None:
            return sorted(row.id for row in self.rows(_POINTS_HELD, entity=entity))
        return sorted(row.id for row in self.rows(_ALL_POINTS))

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Every row; a list among the values is an IN list."""
        lists = tuple(name for name, value in values.items() if isinstance(value, list))
        return list(self._connection.execute(_prepared(statement, lists), values))

    def of_keys(self, statement: str, keys: Sequence[int], **values: Any) -> list[Any]:
        """Every row about some keys, however many they are."""
        return [
            row
            for piece in self._pieces(keys)
            for row in self.rows(statement, keys=piece, **values)
        ]


@lru_cache(maxsize=64)
def _prepared(statement: str, lists: tuple[str, ...]) -> TextClause:
    """A statement in which some parameters are IN lists; a page asks the same of each month."""
    return text(statement).bindparams(*(bindparam(name, expanding=True) for name in lists))


class _Rows:
    """What the register has of some points, whatever the month."""

    def __init__(self, part: Numbers, points: list[int]) -> None:
        self.of_points = grouped(part.rows(_POINT_ROWS, points=points), "point_id")
        self.series = [row.id for row in part.rows(_SERIES, points=points)]
        self.meters = part.rows(_METERS, points=points)
        found = part.of_keys(_METER_ROWS, [meter.id for meter in self.meters])
        self.of_meters = grouped(found, "meter_id")


class _Month:
    """The numbers of some points in one month."""

    def __init__(
        self,
        part: Numbers,
        rows: _Rows,
        month: date,
        as_of: datetime | None = None,
        all_of: str | None = None,
    ) -> None:
        start, end = (epoch(moment) for moment in bounds(month))
        self._part, self._all_of = part, all_of
        self._span: dict[str, Any] = {"first": start, "last": end}
        self._values, self._readings = "interval_value", "register_reading"
        if as_of is not None:
            self._span["as_of"] = epoch(as_of)
            self._values, self._readings = f"({VALUES_AT})", f"({READINGS_AT})"
        self._rows, self._ratios = rows.of_points, rows.of_meters
        self._series, self._meters = rows.series, rows.meters
        # Where points never changed, each value need not ask for its row.
        begins = {row.begins for of_one in self._rows.values() for row in of_one}
        is_one = len(begins) == 1 and all(len(rows) == 1 for rows in self._rows.values())
        self._begins = str(begins.pop()) if is_one else _BEGINS
        self._with_meter = {meter.point_id for meter in self._meters}
        self._sums: dict[_Key, _Sum] = {}
        # Rows and channels that a source tells of which does not count for them.
        self._beside: set[tuple[int, int, str]] = set()

    def numbers(self) -> list[Number]:
        """All of them, in no order."""
        self._add_profiles()
        self._add_registers()
        self._add_what_lacks()
        return [_number(key, found) for key, found in self._sums.items()]

    def _ask(self, statement: str, values: str, keys: Sequence[int]) -> list[Any]:
        filled = statement.format(values=values, late=_LATE, begins=self._begins)
        used = {name: value for name, value in self._span.items() if f":{name}" in filled}
        return self._part.of_keys(filled, keys, **used)

    def _sum(self, row: Any, channel: str, zone: str) -> _Sum:
        key = row.user_code, row.point_id, channel, zone
        found = self._sums.setdefault(key, _Sum(row, self._source(row)))
        # A point may have had several rows in the month: it is called as it was last.
        found.row = max(found.row, row, key=lambda r: r.begins)
        return found

    def _source(self, row: Any) -> str:
        """What the point's number is made of."""
        if self._all_of is not None:
            return self._all_of
        if row.source in {"profile", "both"}:
            return "profile"
        has_meter = row.source == "register" or row.point_id in self._with_meter
        return "register" if has_meter else "profile"

    def _add_profiles(self) -> None:
        rows = self._by_beginning()
        covered: dict[tuple[int, int, str], int] = defaultdict(int)
        steps: dict[tuple[int, int, str], int] = {}
        for found in self._ask(_PROFILES, self._values, self._series):
            row = rows[found.point_id, found.begins]
            if self._source(row) != "profile":
                self._beside.add((found.point_id, found.begins, found.channel))
                continue
            total = self._sum(row, found.channel, "T0")
            energy = int(found.energy) if found.billed_count else None
            total.add(energy, found.receipt, late=bool(found.late), values=found.value_count)
            total.not_commercial += found.value_count - int(found.billed_count)
            span = found.point_id, found.begins, found.channel
            covered[span] += int(found.billed_count) * found.step_minutes * 60
            steps[span] = min(found.step_minutes, steps.get(span, found.step_minutes))
        for (point, begins, channel), seconds in covered.items():
            row = rows[point, begins]
            expected = min(row.ends, self._span["last"]) - max(row.begins, self._span["first"])
            missing = max(expected - seconds, 0) // (steps[point, begins, channel] * 60)
            self._sum(row, channel, "T0").missing += missing
        if covered:
            for found in self._ask(_PROFILE_CODES, self._values, self._series):
                if (found.point_id, found.begins, found.channel) in covered:
                    row = rows[found.point_id, found.begins]
                    self._sum(row, found.channel, "T0").codes.add(found.code)

    def _add_registers(self) -> None:
        meters = [meter.id for meter in self._meters]
        if not meters:
            return
        before = {
            register_of(row): (row.instant, decimal(row.value))
            for row in self._ask(_READ_BEFORE, self._readings, meters)
        }
        inside: dict[tuple[int, str, str], list[Any]] = defaultdict(list)
        for row in self._ask(_READINGS, self._readings, meters):
            inside[register_of(row)].append(row)
        codes: dict[tuple[int, str, str], set[str]] = defaultdict(set)
        for row in self._ask(_READING_CODES, self._readings, meters) if inside else ():
            codes[register_of(row)].add(row.code)
        points = {meter.id: meter.point_id for meter in self._meters}
        # Where zones are read, the total is their proof and no number of its own.
        zoned = {(meter, channel) for meter, channel, zone in inside if zone != "T0"}
        for register, readings in sorted(inside.items()):
            meter, channel, zone = register
            if zone == "T0" and (meter, channel) in zoned and self._all_of is None:
                continue
            last = before.get(register)
            for reading in sorted(readings, key=lambda r: r.instant):
                value = decimal(reading.value)
                row = row_of_step(self._rows[points[meter]], reading.instant)
                if self._source(row) == "register":
                    total = self._sum(row, channel, zone)
                    counted = row_of_step(self._ratios[meter], reading.instant)
                    energy = last and _consumed(last[1], value, counted)
                    total.add(energy, reading.submission_id, late=bool(reading.late))
                    total.codes |= codes[register]
                else:
                    self._beside.add((row.point_id, row.begins, channel))
                last = reading.instant, value
        self._add_unread(before, inside, points)

    def _add_unread(
        self,
        before: Mapping[tuple[int, str, str], Any],
        inside: Mapping[tuple[int, str, str], Any],
        points: Mapping[int, int],
    ) -> None:
        """Registers that were read before the month and not in it."""
        gone = {
            meter.id
            for meter in self._meters
            if meter.removed is not None and _removed_before(meter.removed, self._span["first"])
        }
        zoned = {(meter, channel) for meter, channel, zone in before if zone != "T0"}
        read = {(meter, channel) for meter, channel, _ in inside}
        read_by_zone = {(meter, channel) for meter, channel, zone in inside if zone != "T0"}
        for meter, channel, zone in sorted(before.keys() - inside.keys()):
            others = read_by_zone if zone == "T0" else read - read_by_zone
            if meter in gone or (meter, channel) in others:
                continue
            if zone == "T0" and (meter, channel) in zoned | read:
                continue
            row = row_of_step(self._rows[points[meter]], self._span["last"])
            if self._source(row) == "register":
                self._sum(row, channel, zone).missing += 1

    def _add_what_lacks(self) -> None:
        """Points of which only the source tells that does not count: one value is missing."""
        told = {(key[1], key[2], found.source) for key, found in self._sums.items()}
        rows = self._by_beginning()
        for point, begins, channel in sorted(self._beside):
            row = rows[point, begins]
            if (point, channel, self._source(row)) not in told:
                self._sum(row, channel, "T0").missing += 1
                told.add((point, channel, self._source(row)))

    def _by_beginning(self) -> dict[tuple[int, int], Any]:
        """The points' rows by point and first second."""
        return {(r.point_id, r.begins): r for rows in self._rows.values() for r in rows}


def _removed_before(removed: Any, start: int) -> bool:
    day = removed if isinstance(removed, date) else date.fromisoformat(removed)
    return epoch(bounds(day)[1]) <= start


def _consumed(before: Decimal, after: Decimal, row: Any) -> int | None:
    return consumed_wh(before, after, decimal(row.ratio), row.digits)


def _number(key: _Key, found: _Sum) -> Number:
    holder, point, channel, zone = key
    quality = Quality.SUSPECT if found.codes else Quality.VALID
    if found.energy is None and found.not_commercial:
        quality = Quality.NOT_COMMERCIAL
    return Number(
        entity=holder,
        area=found.row.area or None,
        point=found.row.code,
        point_id=point,
        channel=channel,
        zone=zone,
        source=found.source,
        energy=found.energy,
        quality=quality,
        codes=tuple(sorted(found.codes)),
        values=found.values,
        missing=found.missing,
        late=found.late,
        receipt=found.receipt,
    )
