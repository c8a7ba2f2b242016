"""A year of invented history: what should be told is told, and nothing else fires."""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from layouts.findings import Code
from layouts.rules.calendar import load_calendar
from layouts.terms import Context, ProfileSum, SeriesHistory
from tests.layouts.rules.build import (
    INN,
    codes,
    daily,
    date,
    epoch,
    judged,
    known,
    meter,
    moscow,
    point,
    profile,
    reading,
    readings,
    register,
)

FIRST = date(2025, 12, 1)
DAYS = 396
CALENDAR = load_calendar()
KEYS = {
    "11": register("11", point="P2"),
    "22": register("22", point="P2", installed=date(2026, 6, 15)),
}


def midnight(day):
    return moscow(day.year, day.month, day.day)


def shift(day, hour, chance):
    """A works of one shift: nearly nothing on days off."""
    base = 400 if CALENDAR.is_working(day) and 7 <= hour < 18 else 60
    return int(base * chance.uniform(0.9, 1.1)) * 1000


def plant(day, hour, chance):
    """A plant that never stops."""
    return int(900 * chance.uniform(0.92, 1.08)) * 1000


def lamps(day, hour, chance):
    """Street lighting: the nights of summer are short."""
    dusk = 16 + abs(day.timetuple().tm_yday - 355) % 190 // 38
    return int(150 * chance.uniform(0.98, 1.02)) * 1000 if hour >= dusk or hour < 6 else 0


def shop(day, hour, chance):
    """A shop: open every day, busier before the evening."""
    return int((40 + 60 * (9 <= hour < 21) + hour) * chance.uniform(0.85, 1.15)) * 1000


@dataclass
class Load:
    """One point with the days that were recorded so far."""

    code: str
    shape: object
    days: list = field(default_factory=list)

    def bring(self, day):
        """Forty-eight half-hours of a day; the same for each run of the tests."""
        chance = random.Random(f"{self.code}{day}")
        return [self.shape(day, half // 2, chance) for half in range(48)]

    def history(self, number):
        """What the 28 days before the day of this number amount to."""
        sums, counts = [0] * 168, [0] * 168
        recorded = [(n, self.days[n]) for n in range(max(0, number - 28), number)]
        recorded = [(n, values) for n, values in recorded if values is not None]
        for n, values in recorded:
            at = (FIRST + timedelta(days=n)).weekday() * 24
            for hour in range(24):
                sums[at + hour] += values[2 * hour] + values[2 * hour + 1]
                counts[at + hour] += 1
        highest = max((max(values) for _, values in recorded), default=0)
        before = self.days[number - 1] if number else None
        return SeriesHistory(sums, counts, 2 * highest, before or ())


LOADS = {"P1": shift, "P2": plant, "P3": lamps, "P4": shop}
# What happens in that year, by point and day: the values that arrive, and what is told.
EVENTS = {
    ("P1", date(2026, 3, 18)): (lambda values: [v * 1000 for v in values], Code.UNIT_SUSPECT),
    ("P1", date(2026, 5, 20)): (lambda values: [0] * 48, Code.ALL_ZERO),
    ("P1", date(2026, 8, 12)): (lambda values: [v // 10 for v in values], Code.HIGH_LOW),
    ("P2", date(2026, 2, 10)): (lambda values: [900_000] * 48, Code.FLAT_PROFILE),
    ("P4", date(2026, 9, 2)): (lambda values: [*values[:-1], 5_000_000], Code.SPIKE),
    ("P2", date(2026, 10, 7)): (None, Code.REPEATED_DAY),
    # A day that never came: the days after it have less history, and no false alarm.
    ("P3", date(2026, 6, 6)): ("gap", None),
}


def test_a_year_of_daily_profiles_tells_its_events_and_nothing_else():
    loads = [Load(code, shape) for code, shape in LOADS.items()]
    told = []
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        for load in loads:
            values = load.bring(day)
            change, _ = EVENTS.get((load.code, day), (lambda same: same, None))
            if change == "gap":
                load.days.append(None)
                continue
            values = change(values) if change else list(load.days[-1])
            told += [(load.code, day, code) for code in codes(arrive(load, number, values))]
            load.days.append(values if change and change(values) == values else load.bring(day))
    assert told == sorted(
        ((code, day, event) for (code, day), (_, event) in EVENTS.items() if event),
        key=lambda item: (item[1], item[0]),
    )


def arrive(load, number, values):
    start = midnight(FIRST + timedelta(days=number))
    key = (INN, load.code, "A+")
    end = start + timedelta(days=1)
    context = known(
        point(load.code), at=end + timedelta(hours=9), history={key: load.history(number)}
    )
    about = {"period_start": start, "period_end": end, "created": end + timedelta(hours=8)}
    return judged(daily(profile(values, load.code, start=start), **about), context)


def test_a_year_of_registers_rolls_over_once_and_agrees_with_its_profile():
    load, total, told, rows = Load("P2", plant), Decimal("98000.00"), [], {}
    changed = date(2026, 6, 15)
    old = meter("11", removed=changed, ratio=Decimal(400))
    new = meter("22", installed=changed, ratio=Decimal(400))
    place = point("P2", old, new, max_power_kw=Decimal(4000))
    number, sums, since = "11", 0, FIRST
    for day in (FIRST + timedelta(days=n) for n in range(DAYS)):
        if day.day == 1 or day == changed:
            numbers = [number] if day != changed else ["11", "22"]
            for name in numbers:
                total = Decimal(0) if name == "22" and day == changed else total
                context = beside(place, rows, (since, day, sums), day)
                document = readings(reading(f"{total:.2f}", name, "P2", at=midnight(day)))
                checked = judged(replace_created(document, day), context)
                told += [(day, code) for code in codes(checked)]
                rows.setdefault(KEYS[name], []).append((epoch(midnight(day)), total))
            number, since, sums = numbers[-1], day, 0
        energy = sum(load.bring(day))
        sums += energy
        total = (total + Decimal(energy) / 400_000) % 100000
    assert told == [(date(2026, 1, 1), Code.REGISTER_ROLLOVER)]
    assert len(rows[KEYS["11"]]) == 8
    assert len(rows[KEYS["22"]]) == 7


def beside(place, rows, span, day) -> Context:
    since, until, energy = span
    start, end = epoch(midnight(since)), epoch(midnight(until))
    sums = [ProfileSum(start, end, energy, end - start)] if end > start else []
    return known(
        place,
        at=midnight(day) + timedelta(hours=10),
        registers={key: tuple(values) for key, values in rows.items()},
        profiles={(INN, "P2", "A+"): sums},
    )


def replace_created(document, day):
    header = replace(document.header, created=midnight(day) + timedelta(hours=9))
    return replace(document, header=header)
