"""Which metering point and meter each series belongs to, by the register of points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from layouts.document import UNDATED, Series
from layouts.findings import Code, Finding, finding
from layouts.known import Assigned, MeterKey, meter_key
from layouts.months import midnight
from layouts.points import LegalEntity, Meter, MeteringPoint, PointRow
from layouts.rules.case import Case, about, epoch
from layouts.terms import CHANNELS, ZONES, Kind

_T = TypeVar("_T")
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


_Names = tuple[str | None, str | None, str | None, datetime]
"""Area, point and meter as the document names them, and the instant."""


class _Register:
    """An entity's points and meters by the names that a document may use."""

    def __init__(self, points: Iterable[MeteringPoint]) -> None:
        self.points: dict[str, list[MeteringPoint]] = defaultdict(list)
        self.meters: dict[str, list[tuple[MeteringPoint, Meter]]] = defaultdict(list)
        for point in points:
            self.points[point.code].append(point)
            for meter in point.meters:
                # A corrected number does not make letters with the old one unreadable.
                for number in {meter.number, *(row.number for row in meter.rows)}:
                    self.meters[number].append((point, meter))
        self._bare_points = _by_bare(self.points)
        self._bare_meters = _by_bare(self.meters)
        # Where readings of one meter and instant belong; a document has many of them.
        self.faultless: dict[_Names, tuple[MeteringPoint, Meter, MeterKey, int]] = {}

    def point_code(self, seen: str) -> str | None:
        """The one code that `seen` is, or was before it lost its leading zeros."""
        return seen if seen in self.points else _only(self._bare_points.get(seen))

    def meter_number(self, seen: str) -> str | None:
        """The one number that `seen` is, or was before it lost its leading zeros."""
        return seen if seen in self.meters else _only(self._bare_meters.get(seen))

    def in_area(self, code: str, area: str | None) -> MeteringPoint | None:
        """The point of this code that may stand in the document's area."""
        points = self.points[code]
        if area is None:
            return next((p for p in points if p.area is None), _only(points))
        named = [p for p in points if p.area == area]
        return _only(named) or _only([p for p in points if p.area is None])


def _by_bare(names: Iterable[str]) -> dict[str, list[str]]:
    bare: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name.startswith("0"):
            bare[name.lstrip("0")].append(name)
    return bare


def _only(items: list[_T] | None) -> _T | None:
    return items[0] if items and len(items) == 1 else None


def assign(
    every: Sequence[Series], entity: LegalEntity | None, zone: ZoneInfo
) -> tuple[Assigned, ...]:
    """Each series with its point and meter, or with the fault that keeps it from one.

    Offline, without a register of points, every series stands for itself.
    """
    if entity is None:
        return tuple(Assigned(series, series) for series in every)
    register = _Register((*entity.points, *entity.held_at_times))
    assigned = []
    for series in every:
        named = _whole_enterprise(series, entity.user_code)
        if series.kind is Kind.REGISTER:
            item = _reading(named, series, register, zone)
        else:
            item = _interval(named, series, register)
        assigned.append(item if _held(item, entity.user_code) else _anothers(item))
    return tuple(assigned)


def _held(item: Assigned, own: str) -> bool:
    """Whether the sender held the point for all that a series is about.

    A reading on the day of the change is the boundary of both holders, whatever its hour.
    """
    point, series = item.point, item.series
    if point is None or not point.rows or series.start == UNDATED:
        return True
    if series.kind is Kind.REGISTER:
        holders = {point.holder(series.start), point.holder(series.start - _DAY)}
        return bool({own, "", None} & holders)
    first, last = series.start, max(series.start, series.end - _MINUTE)
    among = (row.holder for row in point.rows if _within(row, first, last))
    return {holder or own for holder in (point.holder(first), *among)} == {own}


def _within(row: PointRow, first: datetime, last: datetime) -> bool:
    return row.valid_from is not None and first < midnight(row.valid_from) <= last


def _anothers(item: Assigned) -> Assigned:
    fault = about(item, Code.FOREIGN_POINT, "point", seen=item.original.point or item.series.point)
    return Assigned(item.series, item.original, faults=(*item.faults, fault))


def _whole_enterprise(series: Series, own: str) -> Series:
    """An interval series without a point belongs to the sender as a whole."""
    if series.point is None and series.kind is Kind.INTERVAL:
        return replace(series, point=own)
    return series


def _interval(series: Series, original: Series, register: _Register) -> Assigned:
    point, faults = _point(series, register)
    if point is None:
        return Assigned(series, original, faults=faults)
    return Assigned(_named(series, point, None), original, point, None, faults)


def _point(series: Series, register: _Register) -> tuple[MeteringPoint | None, tuple[Finding, ...]]:
    seen = series.point or ""
    code = register.point_code(seen)
    point = register.in_area(code, series.area) if code is not None else None
    bare = Assigned(series, series)
    if point is None:
        return None, (about(bare, Code.UNKNOWN_POINT, "point", seen=seen),)
    if code != seen:
        lost = about(bare, Code.LEADING_ZEROS_LOST, "point", seen=seen, point=code, expected=code)
        return point, (lost,)
    return point, ()


def _reading(series: Series, original: Series, register: _Register, zone: ZoneInfo) -> Assigned:
    names = (series.area, series.point, series.meter, series.start)
    if (known := register.faultless.get(names)) is not None:
        point, meter, owner, at = known
        key = (owner, series.channel, series.zone or "T0", at)
        return Assigned(_named(series, point, meter), original, point, meter, (), key)
    stated: MeteringPoint | None = None
    faults: tuple[Finding, ...] = ()
    if series.point is not None:
        stated, faults = _point(series, register)
        if stated is None:
            # Which meter is meant may be plain all the same, and what it cannot show.
            found, _, _ = _meter(series, None, register, zone)
            return Assigned(series, original, meter=found, faults=faults)
    found, where, more = _meter(series, stated, register, zone)
    faults = (*faults, *more)
    if found is None or where is None:
        return Assigned(series, original, stated, faults=faults)
    owner, at = meter_key(where, found), epoch(series.start)
    if not faults:
        register.faultless[names] = (where, found, owner, at)
    key = (owner, series.channel, series.zone or "T0", at)
    return Assigned(_named(series, where, found), original, where, found, faults, key)


def _meter(
    series: Series,
    point: MeteringPoint | None,
    register: _Register,
    zone: ZoneInfo,
) -> tuple[Meter | None, MeteringPoint | None, tuple[Finding, ...]]:
    """The meter that was at the point when it was read, and where that is."""
    seen = series.meter or ""
    bare = Assigned(series, series)
    number = register.meter_number(seen)
    if number is None:
        return None, None, (about(bare, Code.UNKNOWN_METER, "meter", seen=seen),)
    lost: tuple[Finding, ...] = ()
    if number != seen:
        about_zeros = {"seen": seen, "meter": number, "expected": number}
        lost = (about(bare, Code.LEADING_ZEROS_LOST, "meter", **about_zeros),)
    everywhere = register.meters[number]
    here = [(p, m) for p, m in everywhere if point is None or p is point]
    is_undated = series.start == UNDATED
    then = [(p, m) for p, m in here if is_undated or was_there(m, series.start, zone)]
    if len(then) == 1:
        return then[0][1], then[0][0], lost
    if len(then) > 1:
        if is_undated:
            return None, None, lost
        return None, None, (about(bare, Code.MISSING_FIELD, "point", seen=seen, field="point"),)
    return None, None, (_not_at_point(bare, here or everywhere, seen),)


def _not_at_point(bare: Assigned, known: list[tuple[MeteringPoint, Meter]], seen: str) -> Finding:
    point, meter = known[-1]
    dates = {"installed": meter.installed, "removed": meter.removed}
    told = {name: day.isoformat() for name, day in dates.items() if day is not None}
    return about(bare, Code.METER_NOT_AT_POINT, "meter", seen=seen, expected=point.code, **told)


def was_there(meter: Meter, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a meter was installed at `moment`: both days included, with both midnights."""
    local = moment.astimezone(zone)
    last = (local - timedelta(microseconds=1)).date()
    return (meter.installed or date.min) <= local.date() and last <= (meter.removed or date.max)


def _named(series: Series, point: MeteringPoint, meter: Meter | None) -> Series:
    """The series with its names as they are registered; itself when they are already."""
    area = series.area if series.area is not None else point.area
    number = meter.number if meter is not None else None
    if (series.area, series.point, series.meter) == (area, point.code, number):
        return series
    return replace(series, area=area, point=point.code, meter=number)


def objects_known(case: Case) -> Iterator[Finding]:
    """Points and meters that are unknown, another's, or not where they are said to be.

    Each is told once, at its first place, and not for every channel.

    Source: the practice of EDI (APERAK), which refuses the one transaction that is wrong.
    """
    told = set()
    foreign = case.known.foreign - {point.code for point in case.points or ()}
    for item in case.held:
        for fault in item.faults:
            names = (fault.code, fault.area, fault.point, fault.meter, fault.seen, fault.start)
            if names not in told:
                told.add(names)
                code = Code.FOREIGN_POINT if _is_foreign(fault, foreign) else fault.code
                yield replace(fault, code=code, channel=None, zone=None)


def _is_foreign(fault: Finding, foreign: frozenset[str]) -> bool:
    """Whether an unknown point or meter is another's: then only operators may know."""
    named_alone = fault.code is Code.UNKNOWN_METER and fault.point is None
    return (fault.code is Code.UNKNOWN_POINT or named_alone) and fault.seen in foreign


def unassigned(items: Iterable[Assigned]) -> tuple[str, ...]:
    """Codes and numbers in the document that are not this entity's."""
    lost = (item.original for item in items if item.point is None)
    return tuple(sorted({name for series in lost for name in (series.point, series.meter) if name}))


def channels_known(case: Case) -> Iterator[Finding]:
    """Channels and tariff zones that the point or the meter does not have.

    Source: the practice of EDI (APERAK), which refuses the one transaction that is wrong.
    """
    for item in case.held:
        series = item.series
        owner = item.meter if series.kind is Kind.REGISTER else item.point
        allowed = (owner.channels if owner else ()) or CHANNELS
        if series.channel not in allowed:
            yield about(
                item,
                Code.UNKNOWN_CHANNEL,
                "channel",
                seen=series.channel,
                expected=" ".join(allowed),
                zone=None,
            )
        elif series.zone is not None and series.zone not in _zones(item.meter):
            yield about(
                item,
                Code.UNKNOWN_CHANNEL,
                "zone",
                seen=series.zone,
                expected=" ".join(_zones(item.meter)),
            )


def _zones(meter: Meter | None) -> tuple[str, ...]:
    """A total is always welcome, whatever zones a meter counts in."""
    if meter is None or not meter.zones:
        return ZONES
    return meter.zones if "T0" in meter.zones else ("T0", *meter.zones)


def zones_missing(case: Case) -> Iterator[Finding]:
    """Tariff zones of a meter that the document leaves out.

    Source: decided here; without a zone its energy cannot be billed.
    """
    seen: dict[tuple[str | None, str | None, str, datetime], set[str]] = defaultdict(set)
    first: dict[tuple[str | None, str | None, str, datetime], Assigned] = {}
    for item in case.held:
        if item.meter is None or not item.meter.zones or item.series.start == UNDATED:
            continue
        if item.series.channel not in (item.meter.channels or CHANNELS):
            continue
        key = (item.series.point, item.series.meter, item.series.channel, item.series.start)
        seen[key].add(item.series.zone or "T0")
        first.setdefault(key, item)
    for key, item in first.items():
        missing = [z for z in item.meter.zones if z not in seen[key]] if item.meter else []
        if missing and not any(_is_of_unknown_zone(f, key[1]) for f in case.parsed.findings):
            yield about(item, Code.ZONES_MISSING, zone=None, missing=" ".join(missing))


def _is_of_unknown_zone(found: Finding, meter: str | None) -> bool:
    """Whether a reading of a meter is told as wrong without the zone that it is of."""
    return found.is_error and found.meter == meter and found.zone is None


def points_missing(case: Case) -> Iterator[Finding]:
    """Points that the layout expects in such a document and that are not in it.

    Source: decided here; the layout says what it expects.
    """
    if case.layout.expects == "none":
        return
    named = {code for _, code in case.parsed.points} | {i.original.point for i in case.held}
    named |= {item.series.point for item in case.held}
    # One that is named with a meter alone, and was not there then, is not missing.
    alone = {item.series.meter for item in case.held if item.series.point is None}
    for point in _expected(case):
        if point.code not in named and not any(m.number in alone for m in point.meters):
            yield finding(Code.POINT_MISSING, area=point.area, point=point.code)


def _expected(case: Case) -> Iterator[MeteringPoint]:
    """Points with a meter then, or the points of the areas that the document is about."""
    known = case.points or ()
    if case.layout.expects == "entity":
        moment = max(item.series.start for item in case.held)
        for point in known:
            if any(was_there(meter, moment, case.zone) for meter in point.meters):
                yield point
        return
    areas = {item.point.area if item.point else item.series.area for item in case.held}
    # The point of the whole enterprise stands for 52005 alone and is in no area.
    own = case.entity.user_code if case.entity else None
    yield from (point for point in known if point.area in areas and point.code != own)
