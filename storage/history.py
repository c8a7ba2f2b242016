"""What the weeks before a document, and the other kind of readings, say of its points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from operator import add
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    String,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    values,
)

from layouts.rules.intervals import owner_of
from layouts.rules.profile import may_go_on
from layouts.terms import (
    CHANNELS,
    ZONES,
    Assigned,
    MeterKey,
    ProfileSum,
    RegisterKey,
    Series,
    SeriesHistory,
    SeriesKey,
)
from storage.columns import decimal, epoch
from storage.day_sums import COMMERCIAL, DaySums
from storage.days import DAY_HOURS, HOUR, SHIFT, Weeks, hour_of
from storage.in_force import InForce
from storage.prepared import Prepared, among
from storage.session import Part, Session
from storage.tables import METER, READING, SERIES, VALUE

_DAYS = 28
_WEEK_HOURS = 168
_FROM_THURSDAY = 72
"""The epoch began on a Thursday: so many hours later hour 0 of the week is Monday's."""

_Owner = tuple[int, str]
"""Point and channel."""

_FIRST: BindParameter[int] = bindparam("first")
_LAST: BindParameter[int] = bindparam("last")
_DAY_BEFORE = Prepared(
    select(VALUE.c.series_id, VALUE.c.energy_wh)
    .where(COMMERCIAL)
    .order_by(VALUE.c.series_id, VALUE.c.start)
)
_SUM_INSIDE = Prepared(
    select(VALUE.c.series_id, func.sum(VALUE.c.energy_wh), func.count())
    .join_from(VALUE, SERIES, SERIES.c.id == VALUE.c.series_id)
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
# Literals, for which PostgreSQL makes its plan once.
_KINDS = (
    values(column("channel", String), column("zone", String), literal_binds=True)
    .data([(channel, zone) for channel in CHANNELS for zone in ZONES])
    .cte("kinds")
)


def _next(what: Any, beyond: ColumnElement[bool], order: Any) -> Any:
    """A column of the register's next reading beyond some instant."""
    return (
        select(what)
        .where(
            READING.c.meter_id == METER.c.id,
            READING.c.channel == _KINDS.c.channel,
            READING.c.zone == _KINDS.c.zone,
            beyond,
        )
        .order_by(order)
        .limit(literal_column("1"))
        .scalar_subquery()
    )


_EARLIER = READING.c.instant < _FIRST, READING.c.instant.desc()
_LATER = READING.c.instant > _LAST, READING.c.instant
# The last reading of each register before `first`, and its first one after `last`: each is
# looked up by its key, and all that a meter ever showed is not walked through.
_NEIGHBOURS = Prepared(
    select(
        METER.c.id,
        _KINDS.c.channel,
        _KINDS.c.zone,
        _next(READING.c.instant, *_EARLIER).label("low"),
        _next(READING.c.value, *_EARLIER).label("low_value"),
        _next(READING.c.instant, *_LATER).label("high"),
        _next(READING.c.value, *_LATER).label("high_value"),
    )
    .join_from(METER, _KINDS, true())
    .where(among(METER.c.id))
)


class History(Part):
    """Sums over what is in force; few statements, however long the history."""

    def __init__(self, session: Session, in_force: InForce, days: DaySums) -> None:
        super().__init__(session)
        self._in_force = in_force
        self._days = days

    def before(self, items: Iterable[Assigned], zone: ZoneInfo) -> dict[SeriesKey, SeriesHistory]:
        """By (area, point, channel) as registered; series without any are left out."""
        by_day: dict[datetime, list[Assigned]] = defaultdict(list)
        for item in items:
            if item.point is not None:
                by_day[_midnight(item.series.start, zone)].append(item)
        history: dict[SeriesKey, SeriesHistory] = {}
        for midnight, group in by_day.items():
            history |= self._before_day(midnight, group)
        return history

    def _before_day(
        self, midnight: datetime, group: Sequence[Assigned]
    ) -> dict[SeriesKey, SeriesHistory]:
        """The history up to a local midnight of each series that has one."""
        items: dict[_Owner, list[Assigned]] = defaultdict(list)
        for item in group:
            items[_owner(item)].append(item)
        series = self._series_of(set(items))
        stretches = [_Stretch(*stretch) for stretch in _stretches(midnight)]
        first, last = stretches[0].first, stretches[-1].last
        rows = self._days.of(sorted(series), first // DAY_HOURS, -(-last // DAY_HOURS))
        past: dict[_Owner, _Past] = {}
        for number, days in rows.items():
            owner, step = series[number]
            past.setdefault(owner, _Past()).add(Weeks(days, first, last, step), step, stretches)
        asked = {
            owner
            for owner, one in past.items()
            if any(one.asks_for_day_before(item.series) for item in items[owner])
        }
        days_before = self._day_before(midnight, series, asked)
        return {
            owner_of(items[owner][0]): one.history(midnight.weekday(), days_before.get(owner, ()))
            for owner, one in past.items()
            if one.is_known
        }

    def _day_before(
        self,
        midnight: datetime,
        series: Mapping[int, tuple[_Owner, int]],
        asked: Collection[_Owner],
    ) -> dict[_Owner, tuple[int, ...]]:
        """The values of the local day before, of those that have it in whole."""
        start, end = epoch(midnight - timedelta(days=1)), epoch(midnight)
        wanted = [number for number, (owner, _) in series.items() if owner in asked]
        found: dict[int, list[int]] = defaultdict(list)
        for keys in self._pieces(wanted):
            given = {"keys": keys, "first": start, "last": end}
            for number, energy in _DAY_BEFORE.tuples(self._driver, given):
                found[number].append(energy)
        days: dict[_Owner, tuple[int, ...]] = {}
        for number, energies in found.items():
            owner, step = series[number]
            if len(energies) * step * 60 == end - start:
                days[owner] = tuple(energies)
        return days

    def _series_of(self, owners: set[_Owner]) -> dict[int, tuple[_Owner, int]]:
        """Owner and step of every series of these points and channels."""
        rows = self._in_force.series_at({point for point, _ in owners})
        return {
            row.id: ((row.point_id, row.channel), row.step_minutes)
            for row in rows
            if (row.point_id, row.channel) in owners
        }

    def registers(
        self, meters: Mapping[int, MeterKey], first: int, last: int
    ) -> dict[RegisterKey, list[tuple[int, Decimal]]]:
        """Readings of each register from the last before `first` to the first after `last`.

        Args:
            meters: By their ids.
            first: In epoch seconds.
            last: The same.
        """
        registers: dict[RegisterKey, list[tuple[int, Decimal]]] = defaultdict(list)
        for keys in self._pieces(list(meters)):
            given = {"keys": keys, "first": first, "last": last}
            for meter, channel, zone, *found in _NEIGHBOURS.tuples(self._driver, given):
                for instant, value in (found[:2], found[2:]):
                    if instant is not None:
                        key = meters[meter], channel, zone
                        registers[key].append((instant, decimal(value)))
        for row in self._in_force.readings_in(list(meters), first, last):
            registers[meters[row.meter_id], row.channel, row.zone].append((row.instant, row.value))
        return {key: sorted(readings) for key, readings in registers.items()}

    def profiles(
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


class _Stretch(NamedTuple):
    """Hours of one offset from UTC, by their numbers; `offset` is in hours of UTC+3."""

    first: int
    last: int
    offset: int


class _Past:
    """One point's and channel's history while it is being put together."""

    def __init__(self) -> None:
        self._parts: list[tuple[Weeks, int]] = []
        self._stretches: Sequence[_Stretch] = ()

    def add(self, weeks: Weeks, step_minutes: int, stretches: Sequence[_Stretch]) -> None:
        """Take in a series of one step; most owners have one."""
        self._parts.append((weeks, step_minutes))
        self._stretches = stretches

    @property
    def _is_plain(self) -> bool:
        """Whether these are whole weeks, without a changeover in them."""
        (first, *more) = self._stretches
        return not more and first.last - first.first == _DAYS * DAY_HOURS

    @property
    def is_known(self) -> bool:
        """Whether there is any value at all."""
        return any(weeks.is_known for weeks, _ in self._parts)

    def asks_for_day_before(self, series: Series) -> bool:
        """Whether a rule would compare the values of the day before, one by one."""
        return not self._is_plain or any(
            may_go_on(series, weeks.energy[-DAY_HOURS:])
            for weeks, step in self._parts
            if step == series.step_minutes
        )

    def history(self, weekday: int, day_before: Sequence[int]) -> SeriesHistory:
        """As the rules see it; `weekday` is that of the midnight it ends with."""
        sums = _Slots(self._slots("energy", weekday)), _Slots(self._slots("whole", weekday))
        return SeriesHistory(
            *sums,
            max(weeks.highest * 60 // step for weeks, step in self._parts),
            day_before,
            sum(sum(weeks.energy) for weeks, _ in self._parts),
            sum(weeks.whole.count(1) for weeks, _ in self._parts),
        )

    def _slots(self, name: str, weekday: int) -> Callable[[], list[int]]:
        """What adds up the hours of the same kind: Monday's first hour comes first."""

        def add_up() -> list[int]:
            total = [0] * _WEEK_HOURS
            for weeks, _ in self._parts:
                hours = getattr(weeks, name)
                if self._is_plain:
                    total = list(map(add, total, _by_week(hours, weekday)))
                else:
                    self._put_each(hours, total)
            return total

        return add_up

    def _put_each(self, hours: Sequence[int], total: list[int]) -> None:
        """The same around a changeover, where weeks are not all alike."""
        begin = self._stretches[0].first
        for stretch in self._stretches:
            for number in range(stretch.first, stretch.last):
                slot = (number + stretch.offset + _FROM_THURSDAY) % _WEEK_HOURS
                total[slot] += hours[number - begin]


def _by_week(hours: Sequence[int], weekday: int) -> list[int]:
    """Hours of whole weeks added up, turned so that they begin on Monday."""
    weeks = [hours[at : at + _WEEK_HOURS] for at in range(0, len(hours), _WEEK_HOURS)]
    sums = [sum(same) for same in zip(*weeks, strict=True)]
    turn = weekday * DAY_HOURS
    return sums[-turn:] + sums[:-turn] if turn else sums


class _Slots(Sequence[int]):
    """The 168 sums of a history, added up when a rule asks for the first of them."""

    def __init__(self, add_up: Callable[[], list[int]]) -> None:
        self._add_up = add_up

    @cached_property
    def _sums(self) -> list[int]:
        return self._add_up()

    def __getitem__(self, index: Any) -> Any:
        return self._sums[index]

    def __len__(self) -> int:
        return _WEEK_HOURS

    def __iter__(self) -> Iterator[int]:
        return iter(self._sums)

    def __eq__(self, other: object) -> bool:
        return self._sums == other

    __hash__ = None  # type: ignore[assignment]


def _owner(item: Assigned) -> _Owner:
    return (item.point.id or 0) if item.point else 0, item.series.channel


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    """The local midnight at or before a moment."""
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _stretches(midnight: datetime) -> Iterator[tuple[int, int, int]]:
    """The days before a local midnight, as [first, last) hours of one offset each.

    One stretch, except around the changeovers of the years before 2014.
    """
    # Aware arithmetic within one zone counts in local days.
    days = [midnight - timedelta(days=back) for back in range(_DAYS, -1, -1)]
    offsets = [int((day.utcoffset() or timedelta()).total_seconds()) for day in days]
    start = 0
    for index in range(1, len(days)):
        if index == _DAYS or offsets[index] != offsets[start]:
            hours = hour_of(epoch(days[start])), hour_of(epoch(days[index]))
            yield *hours, (offsets[start] - SHIFT) // HOUR
            start = index
