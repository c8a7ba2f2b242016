"""What the weeks before a document, and the other kind of readings, say of its points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from json import loads
from operator import add, or_
from zoneinfo import ZoneInfo

from layouts.known import (
    Assigned,
    ProfileSum,
    RegisterKey,
    RegisterWindow,
    SeriesHistory,
    SeriesKey,
    SumsWanted,
)
from storage.columns import epoch
from storage.readings.day_sums import DaySums
from storage.readings.days import DAY_HOURS, Weeks, hour_of
from storage.readings.in_force import InForce
from storage.session import Part, Session

_Owner = tuple[int, str]
"""Point and channel."""


class History(Part):
    """Sums over what is in force; few statements, however long the history."""

    matter = "history"

    def __init__(self, session: Session, in_force: InForce, days: DaySums) -> None:
        super().__init__(session)
        self._in_force = in_force
        self._days = days

    def before(
        self, items: Iterable[Assigned], days: int, zone: ZoneInfo
    ) -> dict[SeriesKey, SeriesHistory]:
        """By (area, point, channel) as registered; series without any are left out."""
        by_day: dict[datetime, list[Assigned]] = defaultdict(list)
        for item in items:
            if item.point is not None:
                by_day[_midnight(item.series.start, zone)].append(item)
        history: dict[SeriesKey, SeriesHistory] = {}
        for midnight, group in by_day.items():
            # Aware arithmetic within one zone counts in local days.
            first = epoch(midnight - timedelta(days=days))
            history |= self._between(first, epoch(midnight), group)
        return history

    def _between(
        self, start: int, end: int, group: Iterable[Assigned]
    ) -> dict[SeriesKey, SeriesHistory]:
        """The hours between two local midnights of each series that has any."""
        keys = {_owner(item): item.owner for item in group}
        series = self._series_of(set(keys))
        first, last = hour_of(start), hour_of(end)
        rows = self._days.of(sorted(series), first // DAY_HOURS, -(-last // DAY_HOURS))
        found: dict[_Owner, SeriesHistory] = {}
        for number, days in rows.items():
            owner, step = series[number]
            weeks = Weeks(days, first, last, step)
            if weeks.is_known:
                highest_w = weeks.highest * 60 // step
                one = SeriesHistory(start, weeks.energy, weeks.whole, highest_w)
                found[owner] = _added(found[owner], one) if owner in found else one
        return {keys[owner]: one for owner, one in found.items()}

    def _series_of(self, owners: set[_Owner]) -> dict[int, tuple[_Owner, int]]:
        """Owner and step of every series of these points and channels."""
        rows = self._in_force.series_at({point for point, _ in owners})
        return {
            row.id: ((row.point_id, row.channel), row.step_minutes)
            for row in rows
            if (row.point_id, row.channel) in owners
        }

    def registers(self, wanted: RegisterWindow) -> dict[RegisterKey, list[tuple[int, int]]]:
        """Readings of each register from the last before the window to the first after it."""
        meters, window = wanted.meters, {"first": wanted.first, "last": wanted.last}
        registers: dict[RegisterKey, list[tuple[int, int]]] = {}
        for keys in self._pieces(list(meters)):
            rows = self._sql.tuples("readings_around", keys=keys, **window)
            # Two lists a register: a year of daily readings is 366 rows of each.
            found = [row[3] for row in rows]
            if not self._on_postgresql:
                found = loads(f"[{','.join(found)}]")
            for (meter, channel, zone, _), (instants, values) in zip(rows, found, strict=True):
                row = sorted(zip(instants, values, strict=True))
                registers[meters[meter], channel, zone] = row
        return registers

    def profiles(
        self,
        wanted: Mapping[SeriesKey, SumsWanted],
        registers: Mapping[RegisterKey, Sequence[tuple[int, int]]],
    ) -> dict[SeriesKey, tuple[ProfileSum, ...]]:
        """The energy in force between each two neighbouring readings."""
        owners = {key: (asked.point, key[2]) for key, asked in wanted.items()}
        keys = {owner: key for key, owner in owners.items()}
        series = self._series_of(set(keys))
        by_span: dict[tuple[int, int], set[_Owner]] = defaultdict(set)
        for key, asked in wanted.items():
            for span in _spans(asked, key[2], registers):
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
        sums: dict[_Owner, tuple[int, int]] = {}
        for keys in self._pieces(list(series)):
            rows = self._sql.tuples("sum_inside", keys=keys, first=start, last=end)
            for number, energy, count in rows:
                owner, step = series[number]
                before = sums.get(owner, (0, 0))
                sums[owner] = before[0] + int(energy), before[1] + count * step * 60
        return sums


def _added(one: SeriesHistory, other: SeriesHistory) -> SeriesHistory:
    """Two steps of one series: no interval is in both."""
    return SeriesHistory(
        one.start,
        list(map(add, one.energy, other.energy)),
        bytes(map(or_, one.whole, other.whole)),
        max(one.highest_w, other.highest_w),
    )


def _spans(
    asked: SumsWanted,
    channel: str,
    registers: Mapping[RegisterKey, Sequence[tuple[int, int]]],
) -> Iterator[tuple[int, int]]:
    """Each two neighbouring instants between which a sum is wanted."""
    instants = set(asked.instants)
    for (meter, of_channel, _), readings in registers.items():
        if of_channel == channel and meter in asked.meters:
            instants.update(at for at, _ in readings)
    for start, end in pairwise(sorted(instants)):
        if end - start <= asked.longest and start <= asked.last and asked.first <= end:
            yield start, end


def _owner(item: Assigned) -> _Owner:
    return (item.point.id or 0) if item.point else 0, item.series.channel


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    """The local midnight at or before a moment."""
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
