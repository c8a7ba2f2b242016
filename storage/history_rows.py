"""What the weeks before a document, and the other kind of readings, say of its points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    Integer,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
)

from layouts.rules.case import Assigned
from layouts.rules.intervals import owner_of
from layouts.terms import MeterKey, ProfileSum, RegisterKey, SeriesHistory, SeriesKey
from storage.columns import epoch
from storage.prepared import Prepared, among
from storage.rows import Rows
from storage.tables import READING, SERIES, VALUE
from storage.value_rows import SERIES_AT

_DAYS = 28
_HOUR = 3600
_WEEK_HOURS = 168
_FROM_THURSDAY = 72 * _HOUR
"""The epoch began on a Thursday: so much later hour 0 of the week is Monday's."""

_Owner = tuple[int, str]
"""Point and channel."""

_FIRST: BindParameter[int] = bindparam("first")
_LAST: BindParameter[int] = bindparam("last")
_COMMERCIAL = and_(
    among(VALUE.c.series_id),
    VALUE.c.start >= _FIRST,
    VALUE.c.start < _LAST,
    VALUE.c.energy_wh.is_not(None),
    ~VALUE.c.not_commercial,
)
_DAY = Prepared(
    select(VALUE.c.series_id, VALUE.c.energy_wh)
    .where(_COMMERCIAL)
    .order_by(VALUE.c.series_id, VALUE.c.start)
)
_SUM_INSIDE = Prepared(
    select(VALUE.c.series_id, func.sum(VALUE.c.energy_wh), func.count())
    .join_from(VALUE, SERIES)
    .where(
        among(VALUE.c.series_id),
        VALUE.c.start >= _FIRST,
        VALUE.c.start + SERIES.c.step_minutes * 60 <= _LAST,
        # Says nothing new, but bounds what is read.
        VALUE.c.start < _LAST,
        VALUE.c.energy_wh.is_not(None),
    )
    .group_by(VALUE.c.series_id)
)
_REGISTER = (READING.c.meter_id, READING.c.channel, READING.c.zone)
# The last instant of each register before `first`, and its first one after `last`.
_NEIGHBOURS = Prepared(
    select(
        *_REGISTER,
        func.max(case((READING.c.instant < _FIRST, READING.c.instant))).label("low"),
        func.min(case((READING.c.instant > _LAST, READING.c.instant))).label("high"),
    )
    .where(among(READING.c.meter_id))
    .group_by(*_REGISTER)
)
_READINGS = Prepared(
    select(READING).where(among(READING.c.meter_id), READING.c.instant.between(_FIRST, _LAST))
)


class HistoryRows(Rows):
    """Sums over what is in force; few statements, however long the history."""

    def _history(self, items: Iterable[Assigned], zone: ZoneInfo) -> dict[SeriesKey, SeriesHistory]:
        """By (area, point, channel) as registered; series without any are left out."""
        by_day: dict[datetime, list[Assigned]] = defaultdict(list)
        for item in items:
            if item.point is not None:
                by_day[_midnight(item.series.start, zone)].append(item)
        history: dict[SeriesKey, SeriesHistory] = {}
        for midnight, group in by_day.items():
            found = self._before(midnight, {_owner(item) for item in group})
            history |= {
                owner_of(item): found[_owner(item)] for item in group if _owner(item) in found
            }
        return history

    def _before(self, midnight: datetime, owners: set[_Owner]) -> dict[_Owner, SeriesHistory]:
        """The history up to a local midnight of each point and channel that has one."""
        series = self._series_of(owners)
        sums: dict[_Owner, _Sums] = defaultdict(_Sums)
        for start, end, offset in _stretches(midnight):
            rows = self._each(list(series), _by_hour(offset), first=start, last=end)
            for number, hour, values, dates, energy, highest in rows:
                owner, step = series[number]
                sums[owner].add(hour, step, values, dates, int(energy), highest)
        days = self._day_before(midnight, series) if sums else {}
        return {owner: one.history(days.get(owner, ())) for owner, one in sums.items()}

    def _day_before(
        self, midnight: datetime, series: Mapping[int, tuple[_Owner, int]]
    ) -> dict[_Owner, tuple[int, ...]]:
        start, end = epoch(midnight - timedelta(days=1)), epoch(midnight)
        rows = self._each(list(series), _DAY, first=start, last=end)
        found: dict[int, list[int]] = defaultdict(list)
        for number, energy in rows:
            found[number].append(energy)
        days: dict[_Owner, tuple[int, ...]] = {}
        for number, values in found.items():
            owner, step = series[number]
            if len(values) * step * 60 == end - start:
                days[owner] = tuple(values)
        return days

    def _series_of(self, owners: set[_Owner]) -> dict[int, tuple[_Owner, int]]:
        """Owner and step of every series of these points and channels."""
        points = sorted({point for point, _ in owners})
        rows = self._each(points, SERIES_AT)
        return {
            row.id: ((row.point_id, row.channel), row.step_minutes)
            for row in rows
            if (row.point_id, row.channel) in owners
        }

    def _registers(
        self, meters: Mapping[int, MeterKey], first: int, last: int
    ) -> dict[RegisterKey, list[tuple[int, Decimal]]]:
        """Readings of each register from the last before `first` to the first after `last`.

        Args:
            meters: By their ids.
            first: In epoch seconds.
            last: The same.
        """
        around = {
            tuple(row[:3]): (row.low or first, row.high or last)
            for row in self._each(list(meters), _NEIGHBOURS, first=first, last=last)
        }
        if not around:
            return {}
        lowest = min(low for low, _ in around.values())
        highest = max(high for _, high in around.values())
        rows = self._each(list(meters), _READINGS, first=lowest, last=highest)
        registers: dict[RegisterKey, list[tuple[int, Decimal]]] = defaultdict(list)
        for row in rows:
            low, high = around[row.meter_id, row.channel, row.zone]
            if low <= row.instant <= high:
                key = meters[row.meter_id], row.channel, row.zone
                registers[key].append((row.instant, row.value))
        return {key: sorted(readings) for key, readings in registers.items()}

    def _profiles(
        self,
        wanted: Mapping[SeriesKey, Sequence[tuple[int, int]]],
        items: Iterable[Assigned],
    ) -> dict[SeriesKey, tuple[ProfileSum, ...]]:
        """The energy in force over each wanted span."""
        owners = {owner_of(item): _owner(item) for item in items if item.point is not None}
        keys = {owners[key]: key for key in wanted}
        series = self._series_of(set(keys))
        by_span: dict[tuple[int, int], set[_Owner]] = defaultdict(set)
        for key, spans in wanted.items():
            for span in spans:
                by_span[span].add(owners[key])
        found: dict[SeriesKey, list[ProfileSum]] = defaultdict(list)
        for (start, end), asking in sorted(by_span.items()):
            sums = self._sums(start, end, {n: s for n, s in series.items() if s[0] in asking})
            for owner, (energy, seconds) in sums.items():
                found[keys[owner]].append(ProfileSum(start, end, energy, seconds))
        return {key: tuple(sums) for key, sums in found.items()}

    def _sums(
        self, start: int, end: int, series: Mapping[int, tuple[_Owner, int]]
    ) -> dict[_Owner, tuple[int, int]]:
        rows = self._each(list(series), _SUM_INSIDE, first=start, last=end)
        sums: dict[_Owner, tuple[int, int]] = {}
        for number, energy, count in rows:
            owner, step = series[number]
            before = sums.get(owner, (0, 0))
            sums[owner] = before[0] + int(energy), before[1] + count * step * 60
        return sums


class _Sums:
    """One series' history while it is being added up."""

    def __init__(self) -> None:
        self._hours_wh = [0] * _WEEK_HOURS
        self._hours_n = [0] * _WEEK_HOURS
        self._highest_w = 0

    def add(
        self, hour: int, step_minutes: int, values: int, dates: int, energy: int, highest: int
    ) -> None:
        """The hours of one kind: so many values in each of them, on so many dates."""
        self._highest_w = max(self._highest_w, highest * 60 // step_minutes)
        if values * step_minutes == 60:
            self._hours_wh[hour] += energy
            self._hours_n[hour] += dates

    def history(self, day_before: Sequence[int]) -> SeriesHistory:
        """As the rules see it."""
        return SeriesHistory(self._hours_wh, self._hours_n, self._highest_w, day_before)


def _owner(item: Assigned) -> _Owner:
    return (item.point.id or 0) if item.point else 0, item.series.channel


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    """The local midnight at or before a moment."""
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _stretches(midnight: datetime) -> Iterator[tuple[int, int, int]]:
    """The days before a local midnight, as [start, end) of one offset from UTC each.

    One stretch, except around the changeovers of the years before 2014.
    """
    # Aware arithmetic within one zone counts in local days.
    days = [midnight - timedelta(days=back) for back in range(_DAYS, -1, -1)]
    offsets = [int((day.utcoffset() or timedelta()).total_seconds()) for day in days]
    start = 0
    for index in range(1, len(days)):
        if index == _DAYS or offsets[index] != offsets[start]:
            yield epoch(days[start]), epoch(days[index]), offsets[start]
            start = index


@cache
def _by_hour(offset: int) -> Prepared:
    """Sums by hour of the local week, apart by how many values the hours have."""
    # Written out: PostgreSQL holds two parameters for different, even equal ones.
    shift, seconds, week = (
        literal_column(str(number), Integer)
        for number in (offset + _FROM_THURSDAY, _HOUR, _WEEK_HOURS)
    )
    hour = (VALUE.c.start + shift) // seconds
    hours = (
        select(
            VALUE.c.series_id,
            hour.label("hour"),
            func.count().label("values"),
            func.sum(VALUE.c.energy_wh).label("energy"),
            func.max(VALUE.c.energy_wh).label("highest"),
        )
        .where(_COMMERCIAL)
        .group_by(VALUE.c.series_id, hour)
        .subquery()
    )
    kind = (hours.c.series_id, hours.c.hour % week, hours.c["values"])
    return Prepared(
        select(*kind, func.count(), func.sum(hours.c.energy), func.max(hours.c.highest)).group_by(
            *kind
        )
    )
