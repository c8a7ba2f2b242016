"""What is in force in a month: spans, sums and readings, a few statements for everybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, exists, func, select

from layouts.completeness import MonthState, ProfileMonth, RegisterMonth
from layouts.known import RegisterKey, meter_key
from layouts.months import bounds
from layouts.points import LegalEntity
from storage.columns import epoch, instant
from storage.readings.day_sums import DaySums
from storage.readings.days import DAY_HOURS, Packed, days_between, energy_of, start_of
from storage.readings.versions import merged
from storage.session import Part, Session
from storage.tables.points import METER
from storage.tables.values import READING, SERIES, VALUE

_Owner = tuple[int, str]
"""Point and channel."""

_Register = tuple[int, str, str]
"""Meter, channel and zone."""


class _Stretch(NamedTuple):
    """Intervals of a series without a gap, commercial ones or others, as `_islands` tells them."""

    series_id: int
    not_commercial: bool
    first: int
    end: int
    values_: int
    total: int
    billed: int
    flagged: int


class Months(Part):
    """The month's state of entities, for those who ask what is missing."""

    def __init__(self, session: Session, day_sums: DaySums) -> None:
        super().__init__(session)
        self._day_sums = day_sums

    def state(self, month: date, entities: Sequence[LegalEntity]) -> MonthState:
        """What is in force in a month for the points and meters of these entities.

        Args:
            month: Any day of it; its bounds are Moscow midnights.
            entities: As stored, with the ids of their points and meters.
        """
        start, end = (epoch(moment) for moment in bounds(month))
        meters, series = _meters(entities), self._series(entities)
        read = self._each(
            meters,
            lambda ids: (
                select(METER.c.id.label("meter_id"))
                .where(METER.c.id.in_(ids))
                .where(exists().where(READING.c.meter_id == METER.c.id))
            ),
        )
        return MonthState(
            month=month.replace(day=1),
            profiles=self._profiles_in(series, start, end),
            registers=self._registers_in(meters, start, end),
            ever=frozenset((row.point_id, row.channel) for row in series),
            read=frozenset(row.meter_id for row in read),
        )

    def ever(self, month: date, entities: Sequence[LegalEntity]) -> MonthState:
        """Which profiles and registers ever had a value, as a month's state without values.

        Args:
            month: Any day of it.
            entities: As stored, with the ids of their points and meters.
        """
        registers = READING.c.meter_id, READING.c.channel, READING.c.zone
        found = self._each(
            _meters(entities),
            lambda ids: select(*registers).where(READING.c.meter_id.in_(ids)).distinct(),
        )
        return MonthState(
            month=month.replace(day=1),
            registers={tuple(row): RegisterMonth() for row in found},
            ever=frozenset((row.point_id, row.channel) for row in self._series(entities)),
            read=frozenset(row.meter_id for row in found),
        )

    def _series(self, entities: Sequence[LegalEntity]) -> list[Any]:
        points = [point.id for e in entities for point in e.points if point.id is not None]
        return self._each(points, lambda ids: select(SERIES).where(SERIES.c.point_id.in_(ids)))

    def _profiles_in(
        self, series: Sequence[Any], start: int, end: int
    ) -> dict[_Owner, ProfileMonth]:
        """Whole days as their sums tell them.

        Values are read only from the first to the last other day of a series.
        """
        owners: dict[int, _Owner] = {row.id: (row.point_id, row.channel) for row in series}
        days = days_between(start, end)
        # Days of months when Moscow was not at UTC+3 are not those of the sums.
        is_kept = (start_of(days[0]), start_of(days[-1] + 1)) == (start, end)
        sums = self._day_sums.of(list(owners), days[0], days[-1] + 1) if is_kept else {}
        parts: dict[_Owner, list[Any]] = defaultdict(list)
        read: dict[tuple[int, int], list[int]] = defaultdict(list)
        for row in series:
            rows = sums.get(row.id, {})
            others = _others(row, rows, days)
            first, last = (others[0], others[-1]) if others else (days[-1] + 1, days[-1])
            for part in (range(days[0], first), range(last + 1, days[-1] + 1)):
                if part:
                    parts[owners[row.id]].append(_whole(row, [rows[day] for day in part], part))
            if others:
                stretch = max(start, start_of(first)), min(end, start_of(last + 1))
                read[stretch].append(row.id)
        for (first, last), ids in read.items():
            for island in self._each(ids, lambda some: _islands(some, first, last)):  # noqa: B023
                parts[owners[island.series_id]].append(island)
        return {owner: _profile(rows) for owner, rows in sorted(parts.items()) if rows}

    def _registers_in(
        self, meters: Sequence[int], start: int, end: int
    ) -> dict[_Register, RegisterMonth]:
        inside: dict[_Register, list[tuple[int, Decimal]]] = defaultdict(list)
        for row in self._each(meters, lambda ids: read_in(ids, start, end)):
            inside[row.meter_id, row.channel, row.zone].append((row.instant, row.value))
        before = {
            (row.meter_id, row.channel, row.zone): (row.instant, row.value)
            for row in self._each(meters, lambda ids: read_last(ids, start))
        }
        return {
            key: RegisterMonth(tuple(sorted(inside.get(key, ()))), before.get(key))
            for key in sorted(inside.keys() | before.keys())
        }

    def last_readings(self, entity: LegalEntity) -> dict[RegisterKey, tuple[Decimal, datetime]]:
        """The last reading in force of each register, and its instant."""
        meters = {
            meter.id: meter_key(point, meter)
            for point in entity.points
            for meter in point.meters
            if meter.id is not None
        }
        return {
            (meters[row.meter_id], row.channel, row.zone): (row.value, instant(row.instant))
            for row in self._each(list(meters), lambda ids: read_last(ids, None))
        }


def _meters(entities: Sequence[LegalEntity]) -> list[int]:
    points = (point for entity in entities for point in entity.points)
    return [meter.id for point in points for meter in point.meters if meter.id is not None]


def _others(series: Any, rows: Mapping[int, Packed], days: Sequence[int]) -> list[int]:
    """The days of a series in which not every interval has a value that is fit for billing."""
    step = series.step_minutes
    if not step or 60 % step:
        return list(days)
    whole = bytes([60 // step]) * DAY_HOURS
    return [day for day in days if day not in rows or rows[day][2] != whole]


def _whole(series: Any, rows: Sequence[Packed], days: range) -> _Stretch:
    """Whole days of a series that follow one another."""
    total = energy_of(rows)
    values = len(days) * DAY_HOURS * 60 // series.step_minutes
    ends = start_of(days[0]), start_of(days[-1] + 1)
    return _Stretch(series.id, False, *ends, values, total, total, 0)


def _profile(rows: Sequence[Any]) -> ProfileMonth:
    # PostgreSQL sums integers to a decimal.
    return ProfileMonth(
        spans=tuple(merged((row.first, row.end) for row in rows if not row.not_commercial)),
        values=sum(row.values_ for row in rows),
        not_commercial=sum(int(row.flagged) for row in rows),
        total_wh=sum(int(row.total) for row in rows),
        billed_wh=sum(int(row.billed) for row in rows),
    )


def _islands(series: Sequence[int], start: int, end: int) -> Select[Any]:
    """Stretches of intervals without a gap, commercial ones apart, each with its sums."""
    step = SERIES.c.step_minutes * 60
    # Intervals that follow one another stay as far from their number as they were.
    number = func.row_number().over(
        partition_by=(VALUE.c.series_id, VALUE.c.not_commercial), order_by=VALUE.c.start
    )
    numbered = (
        select(
            VALUE.c.series_id,
            VALUE.c.start,
            VALUE.c.not_commercial,
            (VALUE.c.start + step).label("end"),
            VALUE.c.energy_wh,
            case((VALUE.c.not_commercial, 0), else_=VALUE.c.energy_wh).label("billed_wh"),
            case((VALUE.c.not_commercial, 1), else_=0).label("flag"),
            (VALUE.c.start - number * step).label("island"),
        )
        .join_from(VALUE, SERIES, SERIES.c.id == VALUE.c.series_id)
        .where(
            VALUE.c.series_id.in_(series),
            VALUE.c.start >= start,
            VALUE.c.start < end,
            VALUE.c.energy_wh.is_not(None),
        )
        .subquery()
    )
    return select(
        numbered.c.series_id,
        numbered.c.not_commercial,
        func.min(numbered.c.start).label("first"),
        func.max(numbered.c.end).label("end"),
        func.count().label("values_"),
        func.sum(numbered.c.energy_wh).label("total"),
        func.sum(numbered.c.billed_wh).label("billed"),
        func.sum(numbered.c.flag).label("flagged"),
    ).group_by(numbered.c.series_id, numbered.c.not_commercial, numbered.c.island)


def read_in(meters: Sequence[int], start: int, end: int) -> Select[Any]:
    """Readings in `(start, end]`."""
    return select(READING).where(
        READING.c.meter_id.in_(meters), READING.c.instant > start, READING.c.instant <= end
    )


def read_last(meters: Sequence[int], until: int | None) -> Select[Any]:
    """The last reading of each register, at an instant or before it."""
    key = (READING.c.meter_id, READING.c.channel, READING.c.zone)
    among = READING.c.meter_id.in_(meters)
    wanted: list[ColumnElement[bool]] = [among]
    if until is not None:
        wanted.append(READING.c.instant <= until)
    last = (
        select(*key, func.max(READING.c.instant).label("instant"))
        .where(*wanted)
        .group_by(*key)
        .subquery()
    )
    return (
        select(READING, METER.c.number)
        .join_from(READING, METER)
        .join(
            last,
            (last.c.meter_id == READING.c.meter_id)
            & (last.c.channel == READING.c.channel)
            & (last.c.zone == READING.c.zone)
            & (last.c.instant == READING.c.instant),
        )
        # Said of both, or PostgreSQL reads the readings of every meter.
        .where(among)
    )
