"""A year of invented history for 20 points through the real store.

What should be told is told, and nothing else fires. The year has both changeover days
of the last summer time in Moscow, a meter that is replaced, one that rolls over, two of
one number, days and months that never came, and the mistakes that `EXPECTED` names.
"""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from layouts.calendar import load_calendar, load_peak_hours
from layouts.layout import load
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.rules import check
from storage.ledger import Ledger
from tests.contract.documents import new_letter
from tests.layouts.rules.build import INN, OWN, daily, date, monthly, profile, reading, readings
from tests.registering import register

FIRST, LAST = date(2010, 8, 1), date(2011, 8, 1)
SECOND_AREA = "3300000002"
MOSCOW = ZoneInfo("Europe/Moscow")
CALENDAR, PEAKS = load_calendar(), load_peak_hours()
LAYOUTS = load()
DAY = timedelta(days=1)


def midnight(day, hour=0):
    return datetime.combine(day, time(hour), MOSCOW).astimezone(UTC)


def shift(day, hour, chance):
    """A works of one shift: nearly nothing on days off."""
    base = 400 if CALENDAR.is_working(day) and 7 <= hour < 18 else 80
    return int(base * chance.uniform(0.9, 1.1))


def plant(day, hour, chance):
    """A plant that never stops."""
    return int(900 * chance.uniform(0.92, 1.08))


def lamps(day, hour, chance):
    """Street lighting: the nights of summer are short."""
    dusk = 16 + abs(day.timetuple().tm_yday - 355) % 190 // 38
    return int(150 * chance.uniform(0.98, 1.02)) if hour >= dusk or hour < 6 else 0


def shop(day, hour, chance):
    """A shop: open every day, busier before the evening."""
    return int((40 + 60 * (9 <= hour < 21) + hour) * chance.uniform(0.85, 1.15))


@dataclass
class Load:
    """What is drawn at one point; the same for each run of the tests."""

    code: str
    shape: Callable
    step: int = 60
    known: dict = field(default_factory=dict)

    def of(self, day):
        """Energy in Wh of each interval of a local day; 23 or 25 hours on changeovers."""
        if day not in self.known:
            chance = random.Random(f"{self.code}{day}")
            step = timedelta(minutes=self.step)
            at, end, values = midnight(day), midnight(day + DAY), []
            while at < end:
                hour = at.astimezone(MOSCOW).hour
                values.append(1000 * self.shape(day, hour, chance))
                at += step
            self.known[day] = values
        return self.known[day]

    def between(self, start, end):
        """Energy in Wh from one local midnight to another."""
        return sum(sum(self.of(start + DAY * n)) for n in range((end - start).days))


def whole(day, hour, chance):
    """The enterprise: in one month it spares the peak hours."""
    energy = plant(day, hour, chance) + shop(day, hour, chance)
    spares = day.replace(day=1) == SPARED and hour in PEAKS.of(day)
    return energy // 2 if spares else energy


DAILY = [
    Load("P1", shift, 30), Load("P2", plant, 30), Load("P3", lamps), Load("P4", shop),
    Load("P5", shift), Load("P6", plant), Load("P7", shop), Load("P8", lamps),
]  # fmt: skip
BELATED = [Load("P9", plant), Load("P10", shop)]
WHOLE = Load(OWN, whole)
READ = [Load(f"R{n}", shape) for n, shape in enumerate((shop, plant, shift) * 3, 1)]
LOADS = {load.code: load for load in (*DAILY, *BELATED, *READ)}

REPLACED, RESTED = date(2011, 6, 15), (date(2011, 5, 1), date(2011, 6, 1))
SPARED = date(2011, 2, 1)
WRONG_UNIT = date(2010, 12, 11)
LATE = date(2010, 9, 8)
RESENT = date(2011, 7, 12)
CLOSED = date(2011, 7, 1)
# What never came: one point's day, and a month of the second area.
NEVER = {("P3", date(2011, 6, 6))}
SILENT = (date(2011, 6, 1), date(2011, 7, 1))
UNFIT = ("P3", date(2010, 12, 12))
OVERRUN = ("P1", date(2011, 1, 20))

# By point and day: what is handed in instead of the truth, which is sent the same day.
FAULTS = {
    ("P1", date(2010, 11, 17)): lambda values: [10 * v for v in values],
    ("P1", date(2011, 5, 18)): lambda values: [0] * 48,
    ("P2", date(2011, 2, 10)): lambda values: [900_000] * 48,
    ("P4", date(2011, 4, 6)): lambda values: [*values[:-1], 5_000_000],
    ("P5", date(2011, 7, 13)): lambda values: [v // 10 for v in values],
    ("P6", date(2010, 10, 7)): lambda values: LOADS["P6"].of(date(2010, 10, 6)),
    ("P7", date(2011, 3, 15)): lambda values: [v // 1000 for v in values],
    ("P8", date(2010, 10, 31)): lambda values: values[:24],
}
# By point and day: zones read wrong, or None for not at all, and whether it is refused;
# the truth is sent the same day then.
MISREAD = {
    ("R5", date(2010, 11, 1)): ({"T1": 9000}, True),
    ("R6", date(2010, 12, 1)): ({"T0": 5}, True),
    ("R4", date(2011, 4, 1)): ({"T0": 99_000}, True),
    ("R8", date(2011, 2, 1)): ({"T1": None}, False),
    ("R7", date(2011, 3, 1)): ({"T0": None}, False),
    # Five per cent too much.
    ("P9", date(2011, 1, 1)): ({"T0": 9340}, False),
}

# Day, code and point of all that may be told. A day is the profile's own, the one of
# the reading, or, of the enterprise's month, the one that the document was made on.
EXPECTED = {
    (date(2010, 9, 8), "late-submission", None),
    (date(2010, 10, 7), "repeated-day", "P6"),
    (date(2010, 10, 7), "value-changed", "P6"),
    (date(2010, 10, 31), "missing-interval", "P8"),
    (date(2010, 11, 1), "register-rollover", "P2"),
    (date(2010, 11, 1), "zone-sum-mismatch", "R5"),
    (date(2010, 11, 17), "above-maximum-power", "P1"),
    (date(2010, 11, 17), "above-permitted-power", "P1"),
    (date(2010, 11, 17), "high-low", "P1"),
    # The profile comes second, of this month and of the next, which lacks what was too much.
    (date(2010, 12, 31), "profile-register-mismatch", "P9"),
    (date(2011, 1, 31), "profile-register-mismatch", "P9"),
    (date(2010, 12, 1), "reading-went-back", "R6"),
    (date(2010, 12, 11), "unit-suspect", OWN),
    (date(2010, 12, 12), "not-commercial", "P3"),
    (date(2010, 12, 21), "value-changed", OWN),
    (date(2011, 1, 20), "above-permitted-power", "P1"),
    (date(2011, 2, 1), "zones-missing", "R8"),
    (date(2011, 2, 10), "flat-profile", "P2"),
    (date(2011, 2, 10), "value-changed", "P2"),
    (date(2011, 2, 11), "peak-drop", OWN),
    (date(2011, 2, 21), "peak-drop", OWN),
    (date(2011, 3, 1), "peak-drop", OWN),
    (date(2011, 3, 1), "point-missing", "R7"),
    (date(2011, 3, 15), "unit-suspect", "P7"),
    (date(2011, 3, 15), "value-changed", "P7"),
    (date(2011, 4, 1), "above-maximum-power", "R4"),
    (date(2011, 4, 6), "spike", "P4"),
    (date(2011, 4, 6), "value-changed", "P4"),
    (date(2011, 5, 18), "all-zero", "P1"),
    (date(2011, 5, 18), "value-changed", "P1"),
    (date(2011, 6, 1), "no-consumption", "R3"),
    (date(2011, 6, 6), "point-missing", "P3"),
    (date(2011, 7, 12), "older-version", None),
    (date(2011, 7, 12), "duplicate-document", None),
    (date(2011, 7, 13), "high-low", "P5"),
    (date(2011, 7, 13), "value-changed", "P5"),
    (date(2010, 11, 1), "register-high-low", "R5"),
    (date(2011, 4, 1), "register-high-low", "R4"),
    # The spike at night has its part in what the day draws.
    (date(2011, 4, 6), "peak-drop", "P4"),
    # Of the closed month only what differs from the record.
    (date(2011, 7, 31), "period-closed", "P1"),
}


@dataclass
class Device:
    """A meter that counts what its point draws; its zones are the total and two more."""

    point: str
    meter: Meter
    begins: Decimal = Decimal(1000)

    def at(self, day):
        """The reading of each zone at a local midnight."""
        energy = LOADS[self.point].between(self.meter.installed or FIRST, day)
        if self.point == "R3" and day >= RESTED[1]:
            energy -= LOADS[self.point].between(*RESTED)
        went = (Decimal(energy) / 1000 / self.meter.ratio).quantize(Decimal("0.01"))
        if not self.meter.zones:
            return {"T0": (self.begins + went) % 100_000}
        night = (went / 3).quantize(Decimal("0.01"))
        by_day = self.begins + went - night
        return {"T0": by_day + self.begins + night, "T1": by_day, "T2": self.begins + night}

    def read(self, day, *, is_truth):
        """The readings of a day as a document has them."""
        wrong = {} if is_truth else MISREAD.get((self.point, day), ({}, False))[0]
        return [
            reading(str(value), self.meter.number, self.point, zone=zone, at=midnight(day))
            for zone, right in self.at(day).items()
            if (value := wrong.get(zone, right)) is not None
        ]


def device(point, number, begins=1000, **about):
    return Device(point, Meter(number, 5, 2, Decimal(400), **about), Decimal(begins))


DEVICES = [
    device("P2", "11", begins=93_000),
    # Two makers, one number.
    device("P6", "5"),
    device("R1", "5", begins=70),
    device("P9", "12"),
    device("R2", "21", removed=REPLACED),
    device("R2", "22", begins=0, installed=REPLACED),
    *(device(f"R{n}", f"2{n}", zones=("T1", "T2") if n in {5, 8} else ()) for n in range(3, 10)),
]


def entity():
    """The sender with its 20 points."""
    power = {"P1": Decimal(1100), "P2": Decimal(4000), "R4": Decimal(400)}
    areas = {load.code: INN for load in DAILY} | {load.code: SECOND_AREA for load in BELATED}
    points = [
        MeteringPoint(
            code,
            area=areas.get(code),
            max_power_kw=power.get(code),
            meters=tuple(each.meter for each in DEVICES if each.point == code),
        )
        for code in LOADS
    ]
    return LegalEntity(OWN, "Sender", INN, points=(MeteringPoint(OWN), *points))


def profiles(day, loads, area, number=1, *, is_truth=True):
    """An 80020 of a day."""
    series = []
    for drawn in loads:
        if (drawn.code, day) in NEVER:
            continue
        values, flagged = drawn.of(day), frozenset()
        if not is_truth and (drawn.code, day) in FAULTS:
            values = FAULTS[drawn.code, day](values)
        if (drawn.code, day) == OVERRUN:
            values = [*values[:30], 650_000, *values[31:]]
        if (drawn.code, day) == UNFIT:
            flagged = frozenset({3, 4})
        about = {"area": area, "start": midnight(day), "step": drawn.step}
        series.append(profile(values, drawn.code, not_commercial=flagged, **about))
    span = {"period_start": midnight(day), "period_end": midnight(day + DAY)}
    return daily(*series, created=midnight(day + DAY, 8), number=number, **span)


def registers(day, *, is_truth):
    """A 52006 of the first day of a month, with what was read when a meter was replaced."""
    series = []
    for each in DEVICES:
        installed, removed = each.meter.installed, each.meter.removed
        if removed and day > removed:
            if day - removed < 31 * DAY:
                series += each.read(removed, is_truth=True)
            continue
        if installed and day < installed:
            continue
        if installed and day - installed < 31 * DAY:
            series += each.read(installed, is_truth=True)
        series += each.read(day, is_truth=is_truth)
    return readings(*series, created=midnight(day, 8 if is_truth else 7))


def month_so_far(day):
    """A 52005 of the days of its month that are over, or of the month before."""
    first = (day - DAY).replace(day=1)
    days = [first + DAY * n for n in range((day - first).days)]
    factor = 1000 if day == WRONG_UNIT else 1
    values = [factor * value for each in days for value in WHOLE.of(each)]
    series = profile(values, OWN, area=None, start=midnight(first), step=60)
    following = (first + 31 * DAY).replace(day=1)
    span = {"period_start": midnight(first), "period_end": midnight(following)}
    return monthly(series, created=midnight(day, 8), **span)


def arrivals():
    """What is handed in, in its order: the day it is told by, the document, its receipt."""
    for day in (FIRST + DAY * n for n in range((LAST - FIRST).days)):
        morning = midnight(day + DAY, 9)
        received = midnight(day + 6 * DAY, 9) if day == LATE else morning
        if any((load.code, day) in FAULTS for load in DAILY):
            yield day, profiles(day, DAILY, INN, is_truth=False), received
            yield day, profiles(day, DAILY, INN, number=2), received
        else:
            yield day, profiles(day, DAILY, INN), received
        if day == RESENT:
            yield day, profiles(day, DAILY, INN, number=0), received
            yield day, profiles(day, DAILY, INN), received
        if day > FIRST and not SILENT[0] < day <= SILENT[1]:
            # One day later than all others, after the month's readings.
            yield day - DAY, profiles(day - DAY, BELATED, SECOND_AREA), morning
        today = day + DAY
        if today.day in {1, 11, 21}:
            yield today, month_so_far(today), morning
        if today.day == 1:
            yield today, registers(today, is_truth=False), morning + timedelta(hours=1)
            if any(is_refused for (_, at), (_, is_refused) in MISREAD.items() if at == today):
                yield today, registers(today, is_truth=True), morning + timedelta(hours=2)


def hand_in(store, document, received):
    """Codes and points of what is told of one document."""
    sender = store.registry.entity(OWN)
    content = repr((document.header, [(s.point, s.start, s.values) for s in document.series]))
    document = replace(document, sha256=hashlib.sha256(content.encode()).hexdigest())
    checked = check(document, LAYOUTS[document.layout], sender, received, store.know)
    store.record(new_letter(store, received), document, checked, sender, received, received)
    return {(item.code.value, item.point) for item in checked.findings}


def test_a_year_of_twenty_points_tells_its_events_and_nothing_else(tmp_path):
    sender = entity()
    assert len(sender.points) == 20
    ledger = Ledger(f"sqlite:///{tmp_path / 'year.db'}")
    ledger.migrate()
    told = set()
    with ledger.transaction() as store:
        register(store.registry, [sender], "tests", midnight(FIRST))
        first = registers(FIRST, is_truth=True)
        for day, document, received in [(FIRST, first, midnight(FIRST, 10)), *arrivals()]:
            told |= {(day, *found) for found in hand_in(store, document, received)}
        store.periods.close(CLOSED, "tests", midnight(LAST + DAY))
        day = LAST - DAY
        same = profiles(day, DAILY, INN, number=3)
        first, *others = same.series
        other = replace(first, values=[first.values[0] + 1000, *first.values[1:]])
        for last in (same, replace(same, series=(other, *others))):
            found = hand_in(store, last, midnight(LAST + 2 * DAY))
            told |= {(day, *each) for each in found}
    ledger.close()
    assert (told - EXPECTED, EXPECTED - told) == (set(), set())
