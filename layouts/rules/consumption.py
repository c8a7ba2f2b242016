"""Rules about register readings beside the ones before and after them.

A reading is compared with its neighbours in time, recorded ones and those of the
document alike, so that one that comes late must fit both. Enough history is one
neighbour: the first reading of a meter says nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from operator import itemgetter
from typing import NamedTuple

from layouts.exact import MICRO, decimal
from layouts.findings import Code, Finding
from layouts.known import Assigned, MeterKey, RegisterKey, meter_key
from layouts.months import following
from layouts.points import Meter, MeteringPoint
from layouts.rules.case import Case, about, epoch, instant, is_beside
from layouts.rules.registers import decimals, register_key
from layouts.terms import ACTIVE_CHANNELS, STEADY_CHANNELS, ZONES

_DAY = timedelta(days=1)

HISTORY_DAYS = 366
"""Days before a document's first reading by which a register's own level is judged."""

EXCHANGE_DAYS = 62
"""Days after an exchange in which its readings are asked for."""

_LEAST_SECONDS = 7 * 86400
"""A level is the mean of a week at least."""


class Reading(NamedTuple):
    """A value of one register; `item` is None when it was recorded before."""

    at: int
    value: Decimal
    item: Assigned | None


class Step(NamedTuple):
    """Two readings in a row, at least one of them the document's.

    Attributes:
        item: The document's; the later one when both are.
        meter: As it counts for this step.
        row: The register's readings as `Known` has them, those of the document among them.
        place: Of `after` in the row.
    """

    before: Reading
    after: Reading
    item: Assigned
    meter: Meter
    row: Sequence[tuple[int, int]]
    place: int

    @property
    def so_far(self) -> Sequence[tuple[int, int]]:
        """The register's readings through `before`."""
        return self.row[: self.place]

    @property
    def difference(self) -> Decimal:
        """How far the register went on between them."""
        return self.after.value - self.before.value

    @property
    def past_rollover(self) -> Decimal | None:
        """How far it went when it passed its last digit; None when that is not known."""
        if self.meter.digits is None:
            return None
        return self.difference + Decimal(10) ** self.meter.digits


def steps(case: Case) -> list[Step]:
    """Each two readings in a row of which the document brings one or both."""
    return case.once(_steps)


def _steps(case: Case) -> list[Step]:
    found: list[Step] = []
    brought: dict[RegisterKey, dict[int, Reading]] = defaultdict(dict)
    for item in case.registers:
        key = register_key(item)
        if key is None or (item.change is not None and item.change.stayed):
            continue
        at = epoch(item.series.start)
        brought[key][at] = Reading(at, item.series.reading, item)
    for key, mine in brought.items():
        row = list(case.known.registers.get(key, ()))
        for at, one in mine.items():
            place = bisect_left(row, at, key=_moment)
            is_known = place < len(row) and row[place][0] == at
            row[place : place + is_known] = [(at, int(one.value * MICRO))]
        places = [bisect_left(row, at, key=_moment) for at in mine]
        for place in sorted({*places, *(one + 1 for one in places)} - {0, len(row)}):
            two = row[place - 1 : place + 1]
            before, after = (mine.get(one[0]) or recorded(one) for one in two)
            own = after.item or before.item
            if own is not None and own.meter is not None:
                meter = own.meter.at(instant(after.at))
                found.append(Step(before, after, own, meter, row, place))
    return found


_moment = itemgetter(0)


def recorded(one: tuple[int, int]) -> Reading:
    """A reading on record."""
    return Reading(one[0], decimal(one[1]), None)


def between_readings(case: Case) -> Iterator[Finding]:
    """Registers that went back, rolled over, or went on faster than the point can draw.

    Source: rules.md of this service; the high/low and rollover checks of Oracle Utilities
    Meter Data Management.
    """
    for step in steps(case):
        limit = _most(step, case)
        if step.difference < 0:
            rolled = _is_rollover(step, limit, case)
            yield _told(step, Code.REGISTER_ROLLOVER if rolled else Code.READING_WENT_BACK, limit)
            continue
        is_active = step.item.series.channel in ACTIVE_CHANNELS
        if is_active and limit is not None and step.difference > limit:
            yield _told(step, Code.ABOVE_MAXIMUM_POWER, limit)


def _is_rollover(step: Step, limit: Decimal | None, case: Case) -> bool:
    """Whether passing its last digit explains a register that shows less than before.

    The permitted power must allow it, it may be half a turn at most, and either the
    register's own level allows it or it stood in the last tenth of its range: where the
    power is large against the digits, a reading a little too low would pass for nearly a
    whole turn, and be billed.
    """
    over = step.past_rollover
    if over is None or limit is None:
        return False
    whole = over - step.difference
    if over > limit or 2 * over > whole:
        return False
    usual = _usual_a_day(step.so_far, step.meter)
    seconds = step.after.at - step.before.at
    fits = usual is not None and over * 86400 <= case.parameters.high_factor * usual * seconds
    return fits or step.before.value * 10 >= whole * 9


def _most(step: Step, case: Case) -> Decimal | None:
    """How far the register may go on in that time, before the ratio, in kWh or kvarh."""
    point = step.item.point
    power = point.at(instant(step.after.at)).max_power_kw if point else None
    if power is None:
        return None
    seconds = step.after.at - step.before.at
    energy = power * case.parameters.register_power_factor * seconds / 3600
    return energy / step.meter.ratio


def went_on(before: Reading, after: Reading, meter: Meter) -> Decimal | None:
    """How far a register went on, a passed last digit counted; None when that is not known."""
    difference = after.value - before.value
    if difference >= 0:
        return difference
    return None if meter.digits is None else difference + Decimal(10) ** meter.digits


def _usual_a_day(row: Sequence[tuple[int, int]], meter: Meter) -> Decimal | None:
    """What a register went on by a day; None with fewer than two steps or less than a week."""
    if len(row) < 3 or row[-1][0] - row[0][0] < _LEAST_SECONDS:
        return None
    went = row[-1][1] - row[0][1]
    for (_, before), (_, after) in pairwise(row):
        if after < before:
            # As `went_on` has it: a whole turn more, or else the step does not count.
            went += before - after if meter.digits is None else 10**meter.digits * MICRO
    return decimal(went) * 86400 / (row[-1][0] - row[0][0])


def high_low(case: Case) -> Iterator[Finding]:
    """Registers that went on far more, or far less, than they have in the last year.

    Judged is the mean of a day over at least a week. Enough: two steps before that. What
    the register has done before is in line; one that rests is told as `no-consumption`.
    What is given back is as the weather is, and is not asked.

    Source: Oracle Utilities Meter Data Management, high/low check on scalar consumption.
    """
    for step in steps(case):
        if step.after.item is not step.item or step.difference <= 0:
            continue
        if step.item.series.channel not in STEADY_CHANNELS:
            continue
        row = step.so_far
        before = row[: bisect_right(row, step.after.at - _LEAST_SECONDS, key=_moment)]
        usual = _usual_a_day(before, step.meter)
        if not usual:
            continue
        went = went_on(recorded(before[-1]), step.after, step.meter)
        days = Decimal(step.after.at - before[-1][0]) / 86400
        if went is None or _is_in_line(went / days, usual, before, step, case):
            continue
        seen, expected = f"{went:.2f}", f"{usual * days:.2f}"
        yield about(step.item, Code.REGISTER_HIGH_LOW, seen=seen, expected=expected)


def _is_in_line(
    a_day: Decimal, usual: Decimal, row: Sequence[tuple[int, int]], step: Step, case: Case
) -> bool:
    low, high = case.parameters.low_factor, case.parameters.high_factor
    if low * usual <= a_day <= high * usual:
        return True
    # A pump of the summer months does each year what no mean of a year is like.
    levels = [
        went * 86400 / (after.at - before.at)
        for before, after in pairwise(map(recorded, row))
        if (went := went_on(before, after, step.meter)) is not None
    ]
    return min(levels) <= a_day <= max(levels)


def _told(step: Step, code: Code, limit: Decimal | None) -> Finding:
    other = step.before if step.after.item is step.item else step.after
    told: dict[str, object] = {"other": other.value, "other_at": instant(other.at).isoformat()}
    if limit is not None:
        told["limit"] = f"{limit:.2f}"
    return about(step.item, code, seen=str(step.item.series.reading), **told)


def zone_sum(case: Case) -> Iterator[Finding]:
    """Tariff zones whose sum is not the total of the same instant.

    Displays cut off what follows their last digit, so that each zone may hide up to one
    of it. Judged is what is in force after the document: a zone that came earlier, or
    comes alone, is put beside the others on record.

    Source: the validation manuals of California and of the IESO (Ontario).
    """
    for (meter, channel, start), mine in case.once(_by_instant).items():
        zones = _in_force(meter, channel, epoch(start), case)
        zones |= {z: i.series.reading for z, i in mine.items() if not _stays(i)}
        item = mine.get("T0") or next(iter(mine.values()))
        if any(is_beside(series, item) for series in case.parsed.spoilt):
            continue
        total, parts = zones.get("T0"), [v for zone, v in zones.items() if zone != "T0"]
        if total is None or not _is_complete(zones, item.meter) or all(map(_stays, mine.values())):
            continue
        found = sum(parts, Decimal(0))
        if abs(found - total) > len(parts) * last_digit([*parts, total], item.meter):
            yield about(item, Code.ZONE_SUM_MISMATCH, seen=str(found), expected=total)


def _in_force(meter: MeterKey, channel: str, at: int, case: Case) -> dict[str, Decimal]:
    """The readings on record of one meter, channel and instant, by zone."""
    found = {}
    for zone in ZONES:
        row = case.known.registers.get((meter, channel, zone), ())
        index = bisect_left(row, at, key=_moment)
        if index < len(row) and row[index][0] == at:
            found[zone] = decimal(row[index][1])
    return found


def _stays(item: Assigned) -> bool:
    """Whether a newer document has the reading already."""
    return item.change is not None and bool(item.change.stayed)


def _by_instant(case: Case) -> dict[tuple[MeterKey, str, datetime], dict[str, Assigned]]:
    """The document's readings by meter, channel and instant, then by zone."""
    found: dict[tuple[MeterKey, str, datetime], dict[str, Assigned]] = defaultdict(dict)
    for item in case.registers:
        if (register := register_key(item)) is not None:
            meter, channel, zone = register
            found[meter, channel, item.series.start][zone] = item
    return found


def _is_complete(zones: Collection[str], meter: Meter | None) -> bool:
    """Whether every zone of a meter is there; two at least when they are not stated."""
    parts = set(zones) - {"T0"}
    stated = set(meter.zones if meter else ()) - {"T0"}
    return parts >= stated if stated else len(parts) >= 2


def last_digit(values: Sequence[Decimal], meter: Meter | None) -> Decimal:
    """The unit of a register's last digit; by the values when it is not registered."""
    stated = meter.decimals if meter else None
    if stated is None:
        stated = max(map(decimals, values))
    return Decimal(1).scaleb(-stated)


def no_consumption(case: Case) -> Iterator[Finding]:
    """A meter whose active energy in total is what it was; zones alone may rest.

    Source: the list of validation rules of Oracle Utilities Meter Data Management.
    """
    rested: dict[tuple[MeterKey, datetime], dict[str, bool]] = defaultdict(dict)
    for step in steps(case):
        register = register_key(step.item)
        if register is not None and register[1] == "A+" and step.after.item is step.item:
            meter, _, zone = register
            rested[meter, step.item.series.start][zone] = step.difference == 0
    for (meter, channel, start), zones in case.once(_by_instant).items():
        known = rested.get((meter, start), {})
        if channel == "A+" and _rests(known, zones):
            item = zones.get("T0") or next(iter(zones.values()))
            yield about(item, Code.NO_CONSUMPTION, zone="T0", seen=str(item.series.reading))


def _rests(known: dict[str, bool], zones: dict[str, Assigned]) -> bool:
    """Whether the total is unchanged, or without a total every one of the zones."""
    if "T0" in zones:
        return known.get("T0", False)
    meter = next(iter(zones.values())).meter
    stated = set(meter.zones) if meter else set()
    return set(zones) >= stated and all(known.get(zone, False) for zone in zones)


def replacement_incomplete(case: Case) -> Iterator[Finding]:
    """An exchange of meters or transformers that lacks a reading of its day.

    A new meter needs its first reading and the old one its last. Told when the readings
    of a later day are there, or the month's are overdue; before that both may still come.

    Source: decided here; without it the month's consumption cannot be told.
    """
    told: set[tuple[object, ...]] = set()
    for item in case.registers:
        if item.point is None or item.meter is None:
            continue
        for which, meter, day in _exchanges(item, item.point, item.meter, case):
            key = meter_key(item.point, meter)
            names = (key, which, day)
            if names in told or _was_read_on(day, key, case):
                continue
            told.add(names)
            yield about(
                item,
                Code.REPLACEMENT_INCOMPLETE,
                channel=None,
                zone=None,
                missing=which,
                other=meter.number,
                day=day.isoformat(),
            )


def _exchanges(
    item: Assigned, point: MeteringPoint, meter: Meter, case: Case
) -> Iterator[tuple[str, Meter, date]]:
    """The readings that exchanges ask for beside this one: which, of which meter, when."""
    at = item.series.start.astimezone(case.zone)
    begins = [row.valid_from for row in meter.rows if row.valid_from is not None]
    for day, (before, after) in zip(begins, pairwise(meter.rows), strict=False):
        if before.ratio != after.ratio and _is_due(day, at, case):
            yield "boundary", meter, day
    for other in point.meters:
        new = other.installed
        if new is None or not _is_due(new, at, case):
            continue
        gone = [(m, m.removed) for m in point.meters if m.removed and abs(m.removed - new) <= _DAY]
        if gone and meter in (other, *(old for old, _ in gone)):
            yield "first", other, new
            yield from (("last", old, removed) for old, removed in gone)


def _is_due(day: date, at: datetime, case: Case) -> bool:
    """Whether the readings of an exchange should be there beside a reading of an instant."""
    if abs((at.date() - day).days) > EXCHANGE_DAYS:
        return False
    later = at > datetime.combine(day + _DAY, time(), case.zone)
    month = following(day).replace(day=case.parameters.register_deadline_day)
    due = datetime.combine(month + _DAY, time(), case.zone)
    return later or (case.received_at is not None and case.received_at >= due)


def _was_read_on(day: date, meter: MeterKey, case: Case) -> bool:
    """Whether a meter was read on a day, both its midnights included."""
    first = epoch(datetime.combine(day, time(), case.zone))
    last = epoch(datetime.combine(day + _DAY, time(), case.zone))
    recorded = (
        at for (of, _, _), row in case.known.registers.items() if of == meter for at, _ in row
    )
    brought = (item.key[3] for item in case.registers if item.key and item.key[0] == meter)
    return any(first <= at <= last for at in chain(recorded, brought))
