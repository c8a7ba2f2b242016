"""Billing months: Moscow calendar months, and which of them a value belongs to.

An interval belongs to the month in whose `[start, end)` it begins; a register
reading to the one in whose `(start, end]` it was read: that of the first of
November, midnight, closes October.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")

_MONTH = re.compile(r"([1-9]\d{3})-(0[1-9]|1[0-2])", re.ASCII)
_DAY = timedelta(days=1)


def parse_month(text: str) -> date:
    """The first day of a month written like `2026-11`.

    Raises:
        ValueError: it is not written so.
    """
    match = _MONTH.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not a month like 2026-11")
    return date(int(match[1]), int(match[2]), 1)


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Moscow."""
    return datetime.combine(day, time(), MOSCOW)


@lru_cache(maxsize=256)
def bounds(month: date) -> tuple[datetime, datetime]:
    """The moments at which a month begins and ends."""
    return midnight(month.replace(day=1)), midnight(following(month))


def following(month: date) -> date:
    """The first day of the month after that of a day."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def preceding(month: date) -> date:
    """The first day of the month before that of a day."""
    return (month.replace(day=1) - _DAY).replace(day=1)


def month_at(moment: datetime) -> date:
    """The first day of the month that a moment lies in."""
    return moment.astimezone(MOSCOW).date().replace(day=1)


def last_midnight(moment: datetime) -> datetime:
    """The Moscow midnight at or before a moment."""
    return midnight(moment.astimezone(MOSCOW).date())
