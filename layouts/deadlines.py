"""The moments before which documents have to be received."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from layouts.document import Series
from layouts.known import Receipt
from layouts.layout import Layout
from layouts.months import following
from layouts.parameters import Parameters


def deadlines(
    layouts: Mapping[str, Layout], parameters: Parameters
) -> Callable[[Receipt], datetime | None]:
    """What tells the moment before which a document had to be received.

    Of several series the earliest deadline counts; a document of which no series
    could be read has none.
    """

    def deadline_of(receipt: Receipt) -> datetime | None:
        parsed = receipt.parsed
        layout = layouts.get(parsed.layout or "")
        if layout is None:
            return None
        return deadline([item for item in parsed.series if item.values], layout, parameters)

    return deadline_of


def deadline(series: Sequence[Series], layout: Layout, parameters: Parameters) -> datetime | None:
    """The first moment by which one of the series had to be received; None without any."""
    ends = {item.end for item in series}
    return min((due_at(end, layout, parameters) for end in ends), default=None)


def due_at(end: datetime, layout: Layout, parameters: Parameters) -> datetime:
    """The midnight before which a series that ends then had to be received.

    Registers: the end of a day of the month after the reading's own. A monthly
    profile: the same, after the month of its last interval. A daily one: the
    end of a working day after its day.
    """
    zone = ZoneInfo(layout.zone)
    last = last_day(end, zone)
    if layout.deadline == "daily":
        day = parameters.calendar.after(last, parameters.daily_deadline_working_days)
    elif layout.deadline == "register":
        day = following(last) + timedelta(days=parameters.register_deadline_day - 1)
    else:
        day = following(last) + timedelta(days=parameters.profile_deadline_day - 1)
    return datetime.combine(day + timedelta(days=1), time(), zone)


def last_day(end: datetime, zone: ZoneInfo) -> date:
    """The day that a moment ends or lies in: midnight is the end of the day before."""
    return (end.astimezone(zone) - timedelta(microseconds=1)).date()
