"""Working days and peak hours: what the law and the market publish for each year."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"
_DAY = timedelta(days=1)


class CalendarError(ValueError):
    """A data file with a mistake: names the file, the key and what was expected."""

    def __init__(self, file: Path, key: str, expected: str) -> None:
        super().__init__(f"{file}: {key}: expected {expected}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are working days.

    Attributes:
        holidays: Month and day of every public holiday.
        moved: Days off that an order makes working days, unless they are
            holidays, and the days off that they become.
    """

    holidays: frozenset[tuple[int, int]]
    moved: Mapping[date, date]
    _off: dict[int, frozenset[date]] = field(default_factory=dict, repr=False, compare=False)

    def is_working(self, day: date) -> bool:
        """Whether people work on that day in a five-day week."""
        if day in self._days_off(day.year):
            return False
        return day.weekday() < 5 or (day in self.moved and not self._is_holiday(day))

    def is_ordinary(self, day: date) -> bool:
        """Whether the day is what its weekday promises: no holiday, no moved day off."""
        return self.is_working(day) == (day.weekday() < 5)

    def after(self, day: date, working_days: int) -> date:
        """The working day that comes as the given one after `day`."""
        while working_days:
            day += _DAY
            working_days -= self.is_working(day)
        return day

    def _is_holiday(self, day: date) -> bool:
        return (day.month, day.day) in self.holidays

    def _days_off(self, year: int) -> frozenset[date]:
        """Holidays of a year and the days off that were moved; weekends are not in it."""
        if year not in self._off:
            self._off[year] = frozenset(self._holidays_of(year))
        return self._off[year]

    def _holidays_of(self, year: int) -> set[date]:
        off = {date(year, month, day) for month, day in self.holidays}
        off |= {day for day in self.moved.values() if day.year == year}
        for month, day in sorted(self.holidays):
            holiday = date(year, month, day)
            if month == 1 or holiday.weekday() < 5 or holiday in self.moved:
                continue
            following = holiday + _DAY
            while following in off or following.weekday() >= 5:
                following += _DAY
            off.add(following)
        return off


@dataclass(frozen=True, slots=True)
class PeakHours:
    """The hours in which the market's load peaks, by the hour that they begin with.

    Attributes:
        months: By number of the month.
        exact: By year and month; these come first.
    """

    months: Mapping[int, frozenset[int]]
    exact: Mapping[tuple[int, int], frozenset[int]]

    def of(self, day: date) -> frozenset[int]:
        """The peak hours of that day's month; none when they are not known."""
        by_month = self.months.get(day.month, frozenset())
        return self.exact.get((day.year, day.month), by_month)


@cache
def load_calendar(file: Path = _DATA / "holidays.toml") -> Calendar:
    """The calendar that a data file describes.

    Raises:
        CalendarError: the file cannot be read, or a key has the wrong form.
    """
    data = _read(file)
    try:
        holidays = frozenset(_month_day(text) for text in data["holidays"])
    except (KeyError, TypeError, ValueError) as error:
        raise CalendarError(file, "holidays", 'a list of "MM-DD"') from error
    try:
        moved = {item["from"]: item["to"] for item in data.get("moved", [])}
    except (KeyError, TypeError, AttributeError) as error:
        raise CalendarError(file, "moved", "a list of { from = date, to = date }") from error
    if not all(type(day) is date for pair in moved.items() for day in pair):
        raise CalendarError(file, "moved", "dates without a time")
    return Calendar(holidays, moved)


@cache
def load_peak_hours(file: Path = _DATA / "peak_hours.toml") -> PeakHours:
    """The peak hours that a data file lists.

    Raises:
        CalendarError: the file cannot be read, or a key has the wrong form.
    """
    data = _read(file)
    try:
        months = {int(month): _hours(hours) for month, hours in data["months"].items()}
        exact = {_year_month(text): _hours(h) for text, h in data.get("exact", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        expected = "a list of hours from 0 to 23 for each month"
        raise CalendarError(file, "months", expected) from error
    return PeakHours(months, exact)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CalendarError(file, "file", f"readable TOML ({error})") from error


def _month_day(text: str) -> tuple[int, int]:
    day = date.fromisoformat(f"2000-{text}")
    return day.month, day.day


def _year_month(text: str) -> tuple[int, int]:
    day = date.fromisoformat(f"{text}-01")
    return day.year, day.month


def _hours(hours: list[int]) -> frozenset[int]:
    if not all(type(hour) is int and 0 <= hour <= 23 for hour in hours):
        raise ValueError(hours)
    return frozenset(hours)
