"""Profile and registers of one point side by side, whichever of the two arrives second.

Enough: two readings in a row of the only meter that was at the point between
them, and intervals with values over the whole of that time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from layouts.exact import decimal
from layouts.findings import Code, Finding
from layouts.known import Assigned, MeterKey, RecordedIntervals, SeriesKey, meter_key
from layouts.points import Meter, MeteringPoint
from layouts.rules.assign import was_there
from layouts.rules.case import Case, about, epoch, instant
from layouts.rules.intervals import recorded
from layouts.rules.registers import decimals, register_key
from layouts.rules.versions import starts_of
from layouts.terms import Kind, quantity_of

LONGEST_SECONDS = 63 * 86400
"""Readings further apart are not compared: two months and a day."""


class Span(NamedTuple):
    """The consumption between two readings in a row, as registers tell it.

    Attributes:
        energy: In Wh or varh, multiplied by the ratio.
        doubt: What two last digits of each zone are worth, in the same unit.
        item: A series of the document that touches the span.
    """

    key: SeriesKey
    start: int
    end: int
    energy: Decimal
    doubt: Decimal
    item: Assigned


def profile_against_registers(case: Case) -> Iterator[Finding]:
    """A profile whose sum is not what the registers went on by in the same time.

    Source: the validation manuals of California and of the IESO (Ontario).
    """
    if not (case.known.profiles or (case.known.registers and case.intervals)):
        return
    share = case.parameters.profile_register_share
    for span in _spans(case):
        profile = _profile(span, case)
        if profile is None:
            continue
        difference = abs(profile - span.energy)
        if difference > max(share * abs(span.energy), span.doubt):
            yield about(
                span.item,
                Code.PROFILE_REGISTER_MISMATCH,
                start=instant(span.start),
                end=instant(span.end),
                profile=profile,
                registers=span.energy.to_integral_value(),
                unit=quantity_of(span.key[2]).interval_unit,
            )


def _spans(case: Case) -> Iterator[Span]:
    """Every span between two readings that the document touches, once."""
    held, zone = case.held, case.zone
    told: set[tuple[SeriesKey, int, int]] = set()
    readings = _readings(case)
    rows: dict[tuple[MeterKey, str], list[_Total]] = {}
    for item in held:
        point = item.point
        if point is None:
            continue
        key = item.owner
        for meter in point.meters:
            owner = (meter_key(point, meter), item.series.channel)
            if owner not in rows:
                rows[owner] = _totals(meter, readings.get(owner, {}))
            for (start, before), (end, after) in pairwise(rows[owner]):
                span = (key, start, end)
                if span in told or not _touches(item, meter, start, end):
                    continue
                energy = _energy(meter.at(instant(end)), after[0] - before[0])
                if energy is not None and _alone(meter, point, start, end, zone):
                    told.add(span)
                    doubt = 2000 * meter.at(instant(end)).ratio * max(before[1], after[1])
                    yield Span(*span, energy, doubt, item)


_Readings = Mapping[int, Mapping[str, Decimal]]
"""By instant: the value of each zone."""

_Total = tuple[int, tuple[Decimal, Decimal]]
"""Instant, the meter's total at it, and the worth of the last digits in that."""


def _readings(case: Case) -> Mapping[tuple[MeterKey, str], _Readings]:
    """By meter and channel, recorded ones and those of the document alike."""
    found: dict[tuple[MeterKey, str], dict[int, dict[str, Decimal]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for (meter, channel, zone), values in case.known.registers.items():
        for at, value in values:
            found[meter, channel][at][zone] = decimal(value)
    for item in case.held:
        register = register_key(item)
        stays = item.change is not None and item.change.stayed
        if register is not None and not stays:
            meter, channel, zone = register
            found[meter, channel][epoch(item.series.start)][zone] = item.series.reading
    return found


def _totals(meter: Meter, readings: _Readings) -> list[_Total]:
    """The meter's total by instant, with the worth of the last digits in it."""
    totals = []
    stated = set(meter.zones) - {"T0"}
    for at, zones in sorted(readings.items()):
        if "T0" in zones:
            totals.append((at, (zones["T0"], _digit(meter, [zones["T0"]]))))
        elif stated and set(zones) >= stated:
            values = [zones[zone] for zone in sorted(stated)]
            total = sum(values, Decimal(0))
            totals.append((at, (total, len(values) * _digit(meter, values))))
    return totals


def _digit(meter: Meter, values: list[Decimal]) -> Decimal:
    places = meter.decimals
    if places is None:
        places = max(decimals(value) for value in values)
    return Decimal(1).scaleb(-places)


def _touches(item: Assigned, meter: Meter, start: int, end: int) -> bool:
    """Whether a series has a part in a span, and the span is short enough to tell."""
    if end - start > LONGEST_SECONDS:
        return False
    first, last = epoch(item.series.start), epoch(item.series.end)
    if item.series.kind is Kind.REGISTER:
        return item.meter is meter and first in {start, end}
    return first < end and start < last


def _energy(meter: Meter, difference: Decimal) -> Decimal | None:
    """A difference of registers in Wh; None when it went back and no digits explain it."""
    if difference < 0:
        if meter.digits is None:
            return None
        difference += Decimal(10) ** meter.digits
    return difference * meter.ratio * 1000


def _alone(meter: Meter, point: MeteringPoint, start: int, end: int, zone: ZoneInfo) -> bool:
    """Whether it was the only meter at the point through the whole of a span."""
    first, last = instant(start), instant(end)
    if not (was_there(meter, first, zone) and was_there(meter, last, zone)):
        return False
    days = first.astimezone(zone).date(), last.astimezone(zone).date()
    return not any(
        (other.installed or date.min) < days[1] and days[0] < (other.removed or date.max)
        for other in point.meters
        if other is not meter
    )


def _profile(span: Span, case: Case) -> int | None:
    """The profile's sum over a span once the document is recorded; None with gaps."""
    # Other registers may have been read within the span: then it is in several pieces.
    pieces = [
        piece
        for piece in case.known.profiles.get(span.key, ())
        if span.start <= piece.start and piece.end <= span.end
    ]
    energy, seconds = sum(p.energy for p in pieces), sum(p.seconds for p in pieces)
    for item in case.intervals:
        if item.owner == span.key:
            more, longer = _brought(item, span, recorded(item, case))
            energy, seconds = energy + more, seconds + longer
    return energy if seconds == span.end - span.start else None


def _brought(item: Assigned, span: Span, known: RecordedIntervals | None) -> tuple[int, int]:
    """By how much a document changes the sum over a span, and the time it covers."""
    change, step = item.change, item.series.step_minutes * 60
    if change is None:
        return 0, 0
    starts, values = starts_of(item.series), item.series.values
    in_force: dict[int, int | None] = {}
    if known is not None and change.replaced:
        in_force = dict(zip(known.starts, known.values, strict=True))
    energy = seconds = 0
    for index in (*change.added, *change.replaced):
        at, value = starts[index], values[index]
        if not (span.start <= at and at + step <= span.end):
            continue
        before = in_force.get(at)
        energy += int(value or 0) - (before or 0)
        seconds += step * ((value is not None) - (before is not None))
    for at, end, value in change.displaced:
        if value is not None and span.start <= at and end <= span.end:
            energy, seconds = energy - value, seconds - (end - at)
    return energy, seconds
