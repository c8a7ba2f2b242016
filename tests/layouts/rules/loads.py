"""Thirty invented points of different shapes, with two years of what they drew.

What a point drew is the same in each run of the tests. Its profile, its registers and what
is on record beside a document all come from the one list of energy per interval.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from layouts.calendar import load_calendar
from layouts.document import Series
from layouts.findings import Finding
from layouts.known import ProfileSum, meter_key
from layouts.points import Meter, MeteringPoint, MeterRow, PointRow
from layouts.rules.profile import REPEAT_DAYS
from tests.layouts.rules.build import (
    INN,
    MOSCOW,
    OWN,
    daily,
    epoch,
    judged,
    known,
    monthly,
    past,
    profile,
    reading,
    readings,
)

FIRST, LAST = date(2024, 11, 1), date(2026, 11, 1)
CHANGED = date(2025, 9, 15)
"""Day on which meters and transformers are exchanged and a point changes hands."""

OTHER = "200000005678"
DAY = timedelta(days=1)
CALENDAR = load_calendar()
Shape = Callable[[date, int, random.Random], float]


def midnight(day: date, hour: int = 0) -> datetime:
    return datetime.combine(day, time(hour), MOSCOW).astimezone(UTC)


def months() -> list[date]:
    """The first days of the two years' months and of the one after them."""
    firsts = [FIRST]
    while firsts[-1] < LAST:
        firsts.append((firsts[-1] + 31 * DAY).replace(day=1))
    return firsts


def summer(day: date) -> float:
    """0 at the winter solstice, 1 at that of summer."""
    return (1 - math.cos((day.timetuple().tm_yday + 10) * 2 * math.pi / 365)) / 2


def is_light(day: date, hour: int) -> bool:
    """Whether the sun is up over Moscow: from 9 to 16 in winter, from 4 to 21 in summer."""
    return 9 - 5 * summer(day) <= hour < 16 + 5 * summer(day)


def plant(day, hour, chance):
    return 0.9


def bakery(day, hour, chance):
    return 1 if hour >= 22 or hour < 8 else 0.25


def school(day, hour, chance):
    busy = 0.4 if day.month in {6, 7, 8} else 1
    return busy * (1 if CALENDAR.is_working(day) and 7 <= hour < 16 else 0.15)


def shop(day, hour, chance):
    return 1 if 9 <= hour < 21 else 0.3


def farm(day, hour, chance):
    return (1 if hour in {5, 6, 7, 17, 18, 19} else 0.4) * (1.3 - 0.5 * summer(day))


def clinic(day, hour, chance):
    if day.weekday() == 5:
        return 0.5 if 8 <= hour < 14 else 0.25
    return 1 if CALENDAR.is_working(day) and 8 <= hour < 18 else 0.25


def lighting(day, hour, chance):
    return 0 if is_light(day, hour) else 1


def office(day, hour, chance):
    return 1 if CALENDAR.is_working(day) and 8 <= hour < 19 else 0.1


def solar(day, hour, chance):
    """A shop with a roof of its own: what the sun gives need not be drawn."""
    return max(0.05, shop(day, hour, chance) - 0.6 * sun(day, hour, chance))


def sun(day, hour, chance):
    """What a roof gives back: as much as the season and the clouds allow."""
    if not is_light(day, hour):
        return 0
    clouds = random.Random(day.toordinal()).uniform(0.1, 1)
    return clouds * (0.1 + 0.9 * summer(day)) * max(0.02, math.sin((hour - 3) * math.pi / 18))


def pump(day, hour, chance):
    """A pump that switches itself: more often in the morning and in the evening."""
    return chance.choice((0, 1, 1) if 6 <= hour < 10 or 18 <= hour < 22 else (0, 0, 0.5, 1))


def saturdays(day, hour, chance):
    return 1 if day.weekday() < 6 and 10 <= hour < 20 else 0.2


@dataclass(frozen=True)
class Load:
    """One point: hourly in a 52005, or by half-hours in an 80020, and its registers.

    Attributes:
        shapes: By channel, as a share of `size` in kW.
        energy: By channel, in Wh or varh of each interval from the first midnight on.
    """

    name: str
    layout: str
    size: int
    shapes: dict[str, Shape]
    point: MeteringPoint
    energy: dict[str, list[int]] = field(default_factory=dict, repr=False)

    @property
    def step(self) -> int:
        return 60 if self.layout == "52005" else 30

    @property
    def a_day(self) -> int:
        return 24 * 60 // self.step

    def index(self, day: date) -> int:
        """Of the first interval of a day."""
        return (day - FIRST).days * self.a_day

    def of(self, channel: str, first: date, end: date) -> list[int]:
        return self.energy[channel][self.index(first) : self.index(end)]

    def copy(self) -> Load:
        """The same with lists of its own, for a fault."""
        return replace(self, energy={c: list(values) for c, values in self.energy.items()})

    @cached_property
    def _counted(self) -> dict[tuple[str, str], list[int]]:
        """By channel and zone: energy from the first midnight up to each day's."""
        found: dict[tuple[str, str], list[int]] = {}
        for channel in self.energy:
            total, night = [0], [0]
            for n in range((LAST - FIRST).days):
                values = self.energy[channel][n * self.a_day : (n + 1) * self.a_day]
                hour = self.a_day // 24
                total.append(total[-1] + sum(values))
                night.append(night[-1] + sum(values[: 7 * hour]) + sum(values[23 * hour :]))
            day = [t - n for t, n in zip(total, night, strict=True)]
            found |= {(channel, "T0"): total, (channel, "T1"): day, (channel, "T2"): night}
        return found

    def counted(self, channel: str, zone: str, first: date, end: date) -> int:
        row = self._counted[channel, zone]
        return row[(end - FIRST).days] - row[(first - FIRST).days]

    def on_display(self, meter: Meter, channel: str, zone: str, day: date) -> Decimal:
        """What a meter shows at a midnight: digits behind its last one are cut off."""
        begin = meter.installed or FIRST
        rows = meter.rows or (MeterRow(None, meter.number, meter.ratio),)
        starts = [row.valid_from or begin for row in rows]
        shown = Decimal(0 if meter.installed else 1234)
        for row, start, end in zip(rows, starts, [*starts[1:], LAST], strict=True):
            if start < day:
                shown += self.counted(channel, zone, start, min(end, day)) / (1000 * row.ratio)
        parts = 2 if zone == "T0" and not meter.installed else 1
        shown += 1234 * (parts - 1)
        return shown.quantize(Decimal("0.01"), "ROUND_DOWN")

    def read_on(self, day: date) -> list[Series]:
        """The readings of every meter that is at the point at a midnight."""
        return [
            reading(
                str(self.on_display(meter, channel, zone, day)),
                meter.number,
                self.point.code,
                channel,
                zone,
                midnight(day),
            )
            for meter in self.point.meters
            if (meter.installed or FIRST) <= day <= (meter.removed or LAST)
            for channel in self.energy
            for zone in ("T0", *meter.zones)
        ]

    @property
    def is_changed(self) -> bool:
        """Whether something was exchanged, or somebody came, on a day of its own."""
        return bool(self.point.rows or len(self.point.meters) > 1 or self.point.meters[0].rows)

    def reading_days(self) -> list[date]:
        return sorted({*months(), *([CHANGED] if self.is_changed else [])})

    def holder(self, day: date) -> str:
        return self.point.holder(midnight(day)) or OWN

    def profile_findings(self, day: date) -> list[Finding]:
        """What is told of the profile that covers a day, beside the days before it."""
        first, end = day, day + DAY
        if self.layout == "52005":
            first = day.replace(day=1)
            end = (first + 31 * DAY).replace(day=1)
        area, since = self.point.area, max(FIRST, first - REPEAT_DAYS * DAY)
        series = [
            profile(self.of(c, first, end), self.point.code, c, area, midnight(first), self.step)
            for c in self.energy
        ]
        make = monthly if self.layout == "52005" else daily
        about = {"period_start": midnight(first), "period_end": midnight(end)}
        document = make(*series, created=midnight(end, 8), **about)
        history = {
            (area, self.point.code, c): past(
                [self._hours(c, since + n * DAY) for n in range((first - since).days)],
                midnight(first),
                highest_w=max(self.of(c, since, first), default=0) * 60 // self.step,
            )
            for c in self.energy
        }
        beside = known(self.point, at=midnight(end, 9), code=self.holder(first), history=history)
        return list(judged(document, beside).findings)

    def _hours(self, channel: str, day: date) -> list[int]:
        values = self.of(channel, day, day + DAY)
        if self.step == 60:
            return values
        return [a + b for a, b in zip(values[::2], values[1::2], strict=True)]

    def reading_findings(
        self, day: date, mend: Callable[[list[Series]], list[Series]] = list
    ) -> list[Finding]:
        """What is told of the readings of a day, beside the earlier ones and the profile."""
        days = [at for at in self.reading_days() if at <= day]
        own = [day]
        if len(self.point.meters) > 1 or self.point.meters[0].rows:
            own += [at for at in days[-2:-1] if at == CHANGED and day > at]
        series = mend([item for at in sorted(own) for item in self.read_on(at)])
        holder = self.holder(day - DAY)
        document = readings(*series, created=midnight(day, 8), sender_code=holder)
        registers: dict = {}
        numbers = {meter.number: meter for meter in self.point.meters}
        for at in days:
            for item in self.read_on(at) if at not in own else ():
                key = meter_key(self.point, numbers[item.meter]), item.channel, item.zone
                registers.setdefault(key, []).append((epoch(midnight(at)), item.reading))
        profiles = {
            (self.point.area, self.point.code, c): [
                ProfileSum(
                    epoch(midnight(a)),
                    epoch(midnight(b)),
                    self.counted(c, "T0", a, b),
                    (b - a).days * 86400,
                )
                for a, b in pairwise(days[-3:])
            ]
            for c in self.energy
        }
        more = {"registers": registers, "profiles": profiles}
        beside = known(self.point, at=midnight(day, 9), code=holder, **more)
        return list(judged(document, beside).findings)


def _drawn(load: Load, channel: str) -> list[int]:
    """Two years of one channel; no two days are alike."""
    chance = random.Random(f"{load.name}{channel}")
    values: list[int] = []
    shape, step = load.shapes[channel], load.step
    for n in range((LAST - FIRST).days):
        day, level = FIRST + n * DAY, load.size * 1000 * chance.uniform(0.95, 1.05)
        for hour in range(24):
            mean = level * shape(day, hour, chance) * step / 60
            values += [int(mean * chance.uniform(0.95, 1.05)) for _ in range(60 // step)]
    return values


def load(number: int, name: str, layout: str, size: int, **shapes: Shape) -> Load:
    """A point of which one in two has zones, and one in three a permitted power."""
    channels = {"plus": "A+", "reactive": "R+", "back": "A-"}
    about: dict = {"zones": ("T1", "T2") if number % 2 else ()}
    ratio = Decimal(20 if size > 50 else 1)
    meters = [Meter(f"{number:08}", 6, 2, ratio, **about)]
    rows: tuple[PointRow, ...] = ()
    if name.startswith("new transformers"):
        two = [MeterRow(None, f"{number:08}", ratio, 6, 2)]
        two += [MeterRow(CHANGED, f"{number:08}", 2 * ratio, 6, 2)]
        meters = [Meter(f"{number:08}", 6, 2, 2 * ratio, rows=tuple(two), **about)]
    if name.startswith("new meter"):
        new = Meter(f"{number + 50:08}", 6, 2, ratio, installed=CHANGED, **about)
        meters = [replace(meters[0], removed=CHANGED), new]
    area = INN if layout == "80020" else None
    if name.startswith("changes hands"):
        rows = (PointRow(None, OWN, area), PointRow(CHANGED, OTHER, area))
    point = MeteringPoint(
        OWN if layout == "52005" else f"P{number}",
        area=area,
        max_power_kw=Decimal(2 * size) if number % 3 == 0 and not rows else None,
        meters=tuple(meters),
        rows=rows,
    )
    made = Load(name, layout, size, {channels[key]: s for key, s in shapes.items()}, point)
    for channel in made.shapes:
        made.energy[channel] = _drawn(made, channel)
    return made


def all_loads() -> list[Load]:
    """The thirty points."""
    kinds: list[tuple[str, dict[str, Shape]]] = [
        ("plant", {"plus": plant, "reactive": plant}),
        ("bakery", {"plus": bakery}),
        ("school", {"plus": school}),
        ("shop", {"plus": shop}),
        ("farm", {"plus": farm}),
        ("clinic", {"plus": clinic}),
        ("lighting", {"plus": lighting}),
        ("office", {"plus": office, "reactive": office}),
        ("solar", {"plus": solar, "back": sun}),
        ("pump house", {"plus": pump}),
        ("open on Saturdays", {"plus": saturdays}),
        ("new transformers", {"plus": plant}),
        ("new meter", {"plus": shop}),
        ("changes hands", {"plus": clinic}),
    ]
    wanted = [(name, shapes, layout) for layout in ("52005", "80020") for name, shapes in kinds]
    wanted = [
        (name, shapes, "80020" if name == "changes hands" else layout)
        for name, shapes, layout in wanted
    ]
    wanted += [("dairy", {"plus": farm}, "80020"), ("workshop", {"plus": office}, "52005")]
    return [
        load(number, f"{name} {number}", layout, 25 + 37 * number % 300, **shapes)
        for number, (name, shapes, layout) in enumerate(wanted, 1)
    ]
