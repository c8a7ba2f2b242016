"""What the days of an interval series sum up to, packed into a row each.

The plausibility of a document is judged by the four weeks before it: for each of its
series 1,344 half-hours, which would be read and added up anew for every document.
Their sums by hour are kept instead, 24 to a row, and a document reads 28 rows.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add
from typing import Self

from layouts.document import Series
from layouts.sequences import columns, sums
from storage.columns import epoch

HOUR = 3600
DAY_HOURS = 24

SHIFT = 3 * HOUR
"""Days are those of UTC+3, so that the rows of a Moscow day are just one; other zones
begin theirs at another hour of a row."""


def hour_of(moment: int) -> int:
    """The number of the hour that an instant (epoch seconds) lies in; 24 make a day."""
    return (moment + SHIFT) // HOUR


def day_of(moment: int) -> int:
    """The number of the day that an instant (epoch seconds) lies in."""
    return hour_of(moment) // DAY_HOURS


def days_between(first: int, last: int) -> range:
    """The numbers of the days from one instant up to another, in epoch seconds."""
    return range(day_of(first), day_of(last - 1) + 1)


def start_of(day: int) -> int:
    """The instant at which a day begins, in epoch seconds."""
    return day * DAY_HOURS * HOUR - SHIFT


@dataclass(slots=True)
class Day:
    """Commercial values of one series on one day, by the hour they begin in.

    Attributes:
        energy: 24 sums in Wh or varh.
        highest: Beside it, the largest single value of each; 0 without any.
        counts: Beside it, how many values each of them is of.
    """

    energy: list[int] = field(default_factory=lambda: [0] * DAY_HOURS)
    highest: list[int] = field(default_factory=lambda: [0] * DAY_HOURS)
    counts: list[int] = field(default_factory=lambda: [0] * DAY_HOURS)

    @classmethod
    def unpacked(cls, row: Packed) -> Self:
        """As a row has it."""
        energy, highest, counts = row
        return cls(list(_numbers(energy)), list(_numbers(highest)), list(counts))

    def packed(self) -> Packed:
        """As a row has it."""
        return _bytes(self.energy), _bytes(self.highest), bytes(self.counts)

    def add(self, other: Day) -> None:
        """Take in the values of another document's day; no interval is in both."""
        self.energy = list(map(add, self.energy, other.energy))
        self.highest = list(map(max, self.highest, other.highest))
        self.counts = list(map(add, self.counts, other.counts))

    def put(self, hour: int, count: int, energy: int, highest: int) -> None:
        """Take in so many values of one hour.

        Args:
            hour: Of the day, from 0.
            count: How many values.
            energy: Their sum, in Wh or varh.
            highest: The highest of them.
        """
        self.energy[hour] += energy
        self.highest[hour] = max(self.highest[hour], highest)
        self.counts[hour] += count


Packed = tuple[bytes, bytes, bytes]
"""Energy, highest values and counts of a day, as a row has them."""


def _bytes(numbers: Sequence[int]) -> bytes:
    """Four bytes a number, eight where four are too few."""
    return array("I" if max(numbers) < 1 << 32 else "q", numbers).tobytes()


def energy_of(rows: Sequence[Packed]) -> int:
    """The sum of whole days, in Wh or varh."""
    return sum(_joined([energy for energy, _, _ in rows]))


def _numbers(packed: bytes) -> array[int]:
    return array("I" if len(packed) == 4 * DAY_HOURS else "q", packed)


def summed_by_day(series: Series, indexes: Sequence[int]) -> Mapping[int, Day]:
    """The days that some values of a series sum up to, by their numbers.

    Args:
        series: Of intervals; what is not fit for billing is left out.
        indexes: Of the values.
    """
    quick = _whole_hours(series, indexes)
    return _one_by_one(series, indexes) if quick is None else quick


def _whole_hours(series: Series, indexes: Sequence[int]) -> Mapping[int, Day] | None:
    """The same for a range of values that fills its hours; None for any other."""
    step, start = series.step_minutes * 60, epoch(series.start)
    is_range = isinstance(indexes, range) and indexes.step == 1 and indexes
    if not is_range or series.spans is not None or series.not_commercial or not step:
        return None
    values: Sequence[int | None] = series.values[indexes[0] : indexes[-1] + 1]  # type: ignore[assignment]
    each, rest = divmod(HOUR, step)
    first = start + step * indexes[0]
    if rest or not each or (first + SHIFT) % HOUR or len(values) % each or None in values:
        return None
    energy: list[int] = list(values)  # type: ignore[arg-type]
    highest = energy
    if each > 1:
        highest = list(map(max, *columns(energy, each)))
        energy = sums(energy, each)
    days: dict[int, Day] = {}
    hour, at = hour_of(first), 0
    while at < len(energy):
        number, begins = divmod(hour, DAY_HOURS)
        taken = min(DAY_HOURS - begins, len(energy) - at)
        ends = DAY_HOURS - begins - taken
        days[number] = Day(
            [0] * begins + energy[at : at + taken] + [0] * ends,
            [0] * begins + highest[at : at + taken] + [0] * ends,
            [0] * begins + [each] * taken + [0] * ends,
        )
        hour, at = hour + taken, at + taken
    return days


def _one_by_one(series: Series, indexes: Iterable[int]) -> Mapping[int, Day]:
    days: defaultdict[int, Day] = defaultdict(Day)
    first, step = epoch(series.start), series.step_minutes * 60
    for index in indexes:
        value = series.values[index]
        if value is None or index in series.not_commercial:
            continue
        start = series.spans[index][0] if series.spans else first + step * index
        number, hour = divmod(hour_of(start), DAY_HOURS)
        days[number].put(hour, 1, int(value), int(value))
    return days


class Weeks:
    """Hours of one series over some days, one after the other.

    Attributes:
        energy: Sums of the hours that are whole, 0 for any other.
        whole: Beside it, 1 for an hour that is whole.
        highest: The largest single value.
        is_known: Whether there is any value at all.
    """

    def __init__(
        self, rows: Mapping[int, Packed], first: int, last: int, step_minutes: int
    ) -> None:
        """Sums of the hours in [first, last).

        Args:
            rows: Packed, by the numbers of their days.
            first: Number of an hour.
            last: Number of the hour behind the last one.
            step_minutes: Of the series: by it an hour is whole or not.
        """
        days = range(first // DAY_HOURS, -(-last // DAY_HOURS))
        cut = slice(first - days[0] * DAY_HOURS, last - days[0] * DAY_HOURS)
        each = 60 // step_minutes if step_minutes and not 60 % step_minutes else 0
        parts = [rows.get(day, _NOTHING) for day in days]
        counts = b"".join([counts for _, _, counts in parts])[cut]
        energy = _joined([energy for energy, _, _ in parts])[cut]
        self.whole = counts.translate(_ARE[each]) if each else bytes(len(counts))
        if counts.count(0) + self.whole.count(1) < len(counts):
            energy = [e if w else 0 for e, w in zip(energy, self.whole, strict=True)]
        self.energy: Sequence[int] = energy
        self.highest = max(_joined([highest for _, highest, _ in parts])[cut])
        self.is_known = counts.count(0) < len(counts)


def _joined(parts: Sequence[bytes]) -> Sequence[int]:
    """The numbers of several rows, one after the other."""
    joined = b"".join(parts)
    # A row of eight bytes a number is longer, and no other has another length.
    if len(joined) == 4 * DAY_HOURS * len(parts):
        return array("I", joined)
    return [number for part in parts for number in _numbers(part)]


_NOTHING = (bytes(4 * DAY_HOURS), bytes(4 * DAY_HOURS), bytes(DAY_HOURS))
_ARE = {each: bytes(int(n == each) for n in range(256)) for each in range(1, 61)}
"""For each number of values that make an hour, what turns counts into 1 and 0."""
