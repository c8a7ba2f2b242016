"""What the hours before a document say of an interval series, by local day and weekday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import islice, pairwise, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from layouts.known import Assigned, SeriesHistory
from layouts.rules.case import Case, epoch

USUAL_DAYS = 28
"""Days before a document by which its level, its weekdays and its peak hours are judged."""

WEEK_HOURS = 168
"""A whole week of hours: the least history by which a level is known."""


class PastDay(NamedTuple):
    """One local day: the hours from `first` up to `last` of the history."""

    date: date
    first: int
    last: int


class Past:
    """The history of one series, with what several rules ask of it."""

    def __init__(self, known: SeriesHistory, zone: ZoneInfo) -> None:
        self._known = known
        self._zone = zone
        self.highest_w = known.highest_w

    @cached_property
    def hours(self) -> int:
        """How many hours are covered in whole."""
        return self._known.whole.count(1)

    @cached_property
    def total_wh(self) -> int:
        """The energy of these hours."""
        return sum(self._known.energy)

    @property
    def end(self) -> int:
        """The instant at which it ends, in epoch seconds."""
        return self._known.start + 3600 * len(self._known.energy)

    @property
    def is_enough(self) -> bool:
        """Whether a level is known: at least a week of hours."""
        return self.hours >= WEEK_HOURS

    @cached_property
    def days(self) -> tuple[PastDay, ...]:
        """Its local days, ascending; 23 or 25 hours on a changeover."""
        return _days(self._known.start, len(self._known.energy), self._zone)

    def last(self, days: int) -> Past:
        """So many of its last days; the highest interval stays that of all of them."""
        if len(self.days) <= days:
            return self
        first = self.days[-days].first
        return Past(
            SeriesHistory(
                self._known.start + 3600 * first,
                self._known.energy[first:],
                self._known.whole[first:],
                self.highest_w,
            ),
            self._zone,
        )

    def values(self, day: PastDay) -> Sequence[int] | None:
        """The energy of each hour of a day; None where one is not covered in whole."""
        if 0 in self._known.whole[day.first : day.last]:
            return None
        return self._known.energy[day.first : day.last]

    def last_like(self, hours: Sequence[int], days: int) -> date | None:
        """The latest of so many of its last days that has just these hours, all in whole."""
        # Hardly a day begins like another.
        if not hours or hours[0] not in self._first_hours:
            return None
        for day in reversed(self.days[-days:]):
            values = self.values(day)
            if values is not None and list(values) == hours:
                return day.date
        return None

    @cached_property
    def _first_hours(self) -> list[int]:
        return [self._known.energy[day.first] for day in self.days]

    @cached_property
    def by_hour_of_week(self) -> tuple[list[int], list[int]]:
        """168 sums from Monday's first hour on, and over how many hours each of them runs."""
        energy, dates = [0] * WEEK_HOURS, [0] * WEEK_HOURS
        for day in self.days:
            if day.last - day.first == 24:
                slots: Sequence[int] = range(24)
            else:
                slots = [
                    datetime.fromtimestamp(self._known.start + 3600 * at, self._zone).hour
                    for at in range(day.first, day.last)
                ]
            monday = day.date.weekday() * 24
            for slot, at in zip(slots, range(day.first, day.last), strict=True):
                energy[monday + slot] += self._known.energy[at]
                dates[monday + slot] += self._known.whole[at]
        return energy, dates

    def equal_hours(self, energy: int, most: int) -> int:
        """How many of the last hours, at most so many, have this energy without a break."""
        last = zip(reversed(self._known.energy), reversed(self._known.whole), strict=True)
        equal = takewhile(lambda hour: hour == (energy, 1), islice(last, most))
        return sum(1 for _ in equal)


@lru_cache(maxsize=256)
def _days(start: int, count: int, zone: ZoneInfo) -> tuple[PastDay, ...]:
    local = datetime.fromtimestamp(start, zone)
    dates, firsts = [local.date()], [0]
    while firsts[-1] < count:
        # Aware arithmetic within one zone counts in local days.
        local += timedelta(days=1)
        dates.append(local.date())
        firsts.append((epoch(local) - start) // 3600)
    spans = zip(dates, pairwise(firsts), strict=False)
    return tuple(PastDay(day, first, last) for day, (first, last) in spans)


def past_of(item: Assigned, case: Case) -> Past | None:
    """The last `USUAL_DAYS` days before a series; None where nothing is known of them."""
    known: dict[object, Past] = case.once(_usual)
    return known.get(item.owner)


def all_of(item: Assigned, case: Case) -> Past | None:
    """The history of a series as far as any rule looks back; None where it has none."""
    known: dict[object, Past] = case.once(_pasts)
    return known.get(item.owner)


def _usual(case: Case) -> dict[object, Past]:
    known: dict[object, Past] = case.once(_pasts)
    return {owner: past.last(USUAL_DAYS) for owner, past in known.items()}


def _pasts(case: Case) -> dict[object, Past]:
    history = case.known.history
    return {owner: Past(known, case.zone) for owner, known in history.items() if known.energy}
