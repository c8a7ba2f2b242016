"""Rules about register readings: what a meter of that kind can show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from layouts.findings import Code, Finding
from layouts.known import Assigned, RecordedReading, RegisterKey
from layouts.rules.case import Case, about, epoch


def register_key(item: Assigned) -> RegisterKey | None:
    """The register that a reading is of; None offline, and for an unknown meter."""
    return None if item.key is None else item.key[:3]


def recorded_reading(item: Assigned, case: Case) -> RecordedReading | None:
    """The reading in force of the same register and instant."""
    return None if item.key is None else case.known.readings.get(item.key)


def negative_reading(case: Case) -> Iterator[Finding]:
    """A counter never shows less than nothing.

    Source: a Moscow retailer's contract annex on anomalous consumption.
    """
    for item in case.registers:
        if item.series.reading < 0:
            yield about(item, Code.NEGATIVE_VALUE, seen=str(item.series.reading))


def too_many_decimals(case: Case) -> Iterator[Finding]:
    """More places after the point than the meter has; zeros at the end do not count.

    Source: decided here, from the meter's decimals in the register of points.
    """
    for item in case.registers:
        limit = item.meter.decimals if item.meter else None
        if limit is not None and decimals(item.series.reading) > limit:
            yield about(item, Code.TOO_MANY_DECIMALS, seen=str(item.series.reading), limit=limit)


def too_many_digits(case: Case) -> Iterator[Finding]:
    """More places before the point than the meter has.

    Source: decided here, from the meter's digits in the register of points.
    """
    for item in case.registers:
        limit = item.meter.digits if item.meter else None
        reading = item.series.reading
        if limit is not None and reading > 0 and reading.adjusted() >= limit:
            yield about(item, Code.TOO_MANY_DIGITS, seen=str(item.series.reading), limit=limit)


def decimals(value: Decimal) -> int:
    """Places after the decimal point without zeros at the end."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or exponent >= 0:
        return 0
    places = -exponent
    for digit in reversed(digits):
        if digit or not places:
            break
        places -= 1
    return places if any(digits) else 0


MOST_TOLD = 100
"""Different values of one register and instant that are told: each refuses the same reading."""


def duplicate_reading(case: Case) -> Iterator[Finding]:
    """Two different values for one register and instant; the same one twice is one.

    Source: decided here.
    """
    first: dict[tuple[object, ...], Assigned] = {}
    told: Counter[tuple[object, ...]] = Counter()
    for item in case.registers:
        if item.series.is_unread:
            continue
        key = _place_key(item)
        known = first.setdefault(key, item)
        if known.series.reading == item.series.reading:
            continue
        if key not in told:
            yield _differs(known, item)
        told[key] += 1
        if told[key] < MOST_TOLD:
            yield _differs(item, known)


def _differs(item: Assigned, other: Assigned) -> Finding:
    place = other.series.place(0)
    return about(
        item,
        Code.DUPLICATE_READING,
        seen=str(item.series.reading),
        expected=other.series.reading,
        **{name: at for name, at in (("other", place.cell), ("line", place.line)) if at},
    )


def without_repeats(held: tuple[Assigned, ...]) -> tuple[Assigned, ...]:
    """The series held, each register reading only once."""
    kept: dict[object, Assigned] = {}
    for index, item in enumerate(held):
        kept.setdefault(_place_key(item) if item.series.zone else index, item)
    return tuple(kept.values())


def _place_key(item: Assigned) -> tuple[object, ...]:
    """What tells a reading from the others of its document, registered or not."""
    series = item.series
    zone, at = series.zone or "T0", epoch(series.start)
    return series.area, series.point, series.meter, series.channel, zone, at


def read_elsewhere(case: Case) -> Iterator[Finding]:
    """A reading that another layout has already brought.

    Source: decided here.
    """
    for item in case.registers:
        known = None if item.series.is_unread else recorded_reading(item, case)
        if known is not None and known.layout != case.layout.number:
            yield about(item, Code.OVERLAP, layout=known.layout)
