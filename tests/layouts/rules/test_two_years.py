"""Two years of thirty points: clean data is silent, and the faults that happen are told."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

import pytest

from layouts.calendar import load_peak_hours
from layouts.document import Series
from layouts.findings import Finding
from tests.layouts.rules.loads import CALENDAR, DAY, Load, all_loads, midnight, months

PEAKS = load_peak_hours()
loads = cache(all_loads)

# Months before which there is enough on record.
LATER = months()[4:-1]


def sampled(load: Load) -> Iterator[date]:
    """A day of each month of a 52005, three of each of an 80020: the last ones and an early one.

    Every day of what a pump draws, which differs most from itself by chance.
    """
    for first in months()[:-1]:
        last = (first + 31 * DAY).replace(day=1) - DAY
        yield last
        if load.layout == "80020":
            every = load.name.startswith("pump house")
            more = range(1, last.day) if every else (1, last.day - 5)
            yield from (last - n * DAY for n in more)


@pytest.mark.parametrize("number", range(30))
def test_clean_data_is_silent_for_two_years(number):
    load = loads()[number]
    told = [(load.name, day, item) for day in sampled(load) for item in load.profile_findings(day)]
    for day in load.reading_days():
        told += [(load.name, day, item) for item in load.reading_findings(day)]
    assert told == []


def concerns(item: Finding, load: Load, first: date, end: date) -> bool:
    """Whether a finding is about a point and a span; a reading's span is its instant."""
    if item.point != load.point.code or item.start is None or item.end is None:
        return False
    return item.start <= midnight(end) and midnight(first) <= item.end


# A fault changes the energy of one channel from a day on and says how many days it took.
Fault = Callable[[Load, list[int], date, random.Random], int]


def put(load: Load, values: list[int], day: date, new: list[int]) -> int:
    values[load.index(day) : load.index(day) + len(new)] = new
    return len(new) // load.a_day


def unit_slip(load, values, day, chance):
    """The whole document in MWh, or in Wh taken for kWh."""
    count = (day + 31 * DAY).replace(day=1) - day if load.layout == "52005" else DAY
    factor = chance.choice((0.001, 1000))
    return put(load, values, day, [int(v * factor) for v in load.of("A+", day, day + count)])


def stuck(load, values, day, chance):
    at = chance.randrange(load.a_day // 3, load.a_day // 2)
    value = values[load.index(day) + at]
    return put(load, values, day, values[load.index(day) :][:at] + [value] * (2 * load.a_day - at))


def copied_day(load, values, day, chance):
    """One of the days of five weeks before."""
    back = chance.randrange(1, 36) * DAY
    return put(load, values, day, load.of("A+", day - back, day - back + DAY))


def copied_week(load, values, day, chance):
    return put(load, values, day, load.of("A+", day - 7 * DAY, day))


def dropped_peak(load, values, day, chance):
    """Ten days on which a third to two thirds of the peak hours are not told."""
    share = chance.uniform(0.35, 0.65)
    for at in (day + n * DAY for n in range(10)):
        for index in range(load.a_day):
            if index * load.step // 60 in PEAKS.of(at):
                values[load.index(at) + index] = int(values[load.index(at) + index] * share)
    return 10


def one_spike(load, values, day, chance):
    usual = max(load.of("A+", day - 28 * DAY, day))
    at = load.index(day) + chance.randrange(load.a_day)
    values[at] = usual * chance.randrange(12, 40)
    return 1


def wrong_sign(load, values, day, chance):
    return put(load, values, day, [-v for v in load.of("A+", day, day + DAY)])


def ratio_twice(load, values, day, chance):
    return put(load, values, day, [20 * v for v in load.of("A+", day, day + DAY)])


def wrong_month(load, values, day, chance):
    """The hours of the month before, sent anew."""
    before = (day - DAY).replace(day=1)
    count = min((day + 31 * DAY).replace(day=1) - day, day - before)
    return put(load, values, day, load.of("A+", before, before + count))


PROFILE_FAULTS = [
    unit_slip, stuck, copied_day, copied_week, dropped_peak, one_spike, wrong_sign,
    ratio_twice, wrong_month,
]  # fmt: skip
SWITCHED = ("lighting", "solar", "pump house")


def suited(fault: Fault, load: Load) -> bool:
    """Whether a fault can be seen at a point at all."""
    if fault is copied_day and load.name.startswith("lighting"):
        # A short night has fewer hours than the rule asks for.
        return False
    if fault in (dropped_peak, stuck):
        return not load.name.startswith(SWITCHED)
    return True


@pytest.mark.parametrize("number", range(27))
def test_a_fault_of_a_profile_is_told(number):
    fault, chance = PROFILE_FAULTS[number % len(PROFILE_FAULTS)], random.Random(number)
    clean = chance.choice([each for each in loads() if suited(fault, each)])
    load, day = clean.copy(), chance.choice(LATER)
    if fault not in (unit_slip, wrong_month):
        day += chance.randrange(8, 15) * DAY
        while not (CALENDAR.is_working(day) and CALENDAR.is_ordinary(day)):
            day += DAY
    days = fault(load, load.energy["A+"], day, chance)
    judged = [day + n * DAY for n in range(days)] if load.layout == "80020" else [day]
    end = day + days * DAY

    def told(of: Load) -> list[Finding]:
        found = [item for at in judged for item in of.profile_findings(at)]
        return [item for item in found if concerns(item, load, day, end)]

    assert told(clean) == []
    assert told(load), (fault.__name__, load.name, day)


def of_another(items: list[Series], load: Load, day: date, chance: random.Random) -> list[Series]:
    """What another point's meter shows."""
    others = [o for o in loads() if o.point.meters[0].zones == load.point.meters[0].zones]
    other = chance.choice([o for o in others if o is not load])
    shown = {(i.channel, i.zone): i.values for i in other.read_on(day)}
    return [replace(i, values=shown.get((i.channel, i.zone), i.values)) for i in items]


def of_another_unit(items, load, day, chance):
    factor = chance.choice((Decimal(1000), Decimal("0.001")))
    return [replace(i, values=[(factor * i.reading).quantize(i.reading)]) for i in items]


def stuck_register(items, load, day, chance):
    before = months()[months().index(day) - 1]
    shown = {(i.channel, i.zone): i.values for i in load.read_on(before)}
    return [replace(i, values=shown[i.channel, i.zone]) for i in items]


def minus(items, load, day, chance):
    return [replace(i, values=[-i.reading]) for i in items]


def times_ratio(items, load, day, chance):
    return [replace(i, values=[i.reading * 20]) for i in items]


def transposed(items, load, day, chance):
    """Two unlike digits that change places, as far to the left as there are any."""
    item = items[0]
    text = str(item.reading)
    whole = text.index(".")
    unlike = [n for n in range(whole - 1) if text[n] != text[n + 1]]
    at = chance.choice(unlike[:2])
    text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return [replace(item, values=[Decimal(text)]), *items[1:]]


def zones_swapped(items, load, day, chance):
    names = {"T1": "T2", "T2": "T1"}
    return [replace(i, zone=names.get(i.zone or "", i.zone)) for i in items]


def next_month(items, load, day, chance):
    """The readings of a month later."""
    later = months()[months().index(day) + 1]
    shown = {(i.channel, i.zone): i.values for i in load.read_on(later)}
    return [replace(i, values=shown[i.channel, i.zone]) for i in items]


REGISTER_FAULTS = [
    of_another, of_another_unit, stuck_register, minus, times_ratio, transposed, zones_swapped,
    next_month,
]  # fmt: skip


@pytest.mark.parametrize("number", range(24))
def test_a_fault_of_registers_is_told(number):
    fault, chance = REGISTER_FAULTS[number % len(REGISTER_FAULTS)], random.Random(number)
    plain = [each for each in loads() if not each.is_changed]
    if fault is zones_swapped:
        plain = [each for each in plain if each.point.meters[0].zones]
    load, day = chance.choice(plain), chance.choice(LATER)

    def told(mend: Callable[[list[Series]], list[Series]]) -> list[Finding]:
        found = load.reading_findings(day, mend)
        return [item for item in found if concerns(item, load, day, day)]

    assert told(list) == []
    assert told(lambda items: fault(items, load, day, chance)), (fault.__name__, load.name, day)
