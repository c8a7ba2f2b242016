"""Rules about when: readings from the future, closed months, age and deadlines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from layouts.findings import Code, Finding, finding
from layouts.layout import Layout
from layouts.rules.case import Case, about, about_run, epoch, runs
from layouts.rules.parameters import Parameters
from layouts.terms import Assigned, Kind, Series


def without_padding(case: Case) -> list[Series]:
    """The document's series without the zeros that fill up hours to come.

    A reader that knows when the document was made has left them out already; a
    workbook does not tell, so that the moment of receipt decides.
    """
    limit = _now(case)
    if limit is None or not case.layout.future_zero:
        return [series for series in case.parsed.series if series.values]
    return [kept for s in case.parsed.series if (kept := _cut(s, limit)).values]


def _cut(series: Series, limit: datetime) -> Series:
    if series.kind is not Kind.INTERVAL or series.end <= limit:
        return series
    last = epoch(limit)
    keep = [
        index
        for index, end in enumerate(_ends(series))
        if end <= last or series.values[index] not in {0, None}
    ]
    # Zeros before a later value that is none stay: the whole point is wrong anyway.
    if series.spans is None:
        keep = list(range(keep[-1] + 1)) if keep else []
    if len(keep) == len(series.values):
        return series
    return _only(series, keep)


def _only(series: Series, keep: Sequence[int]) -> Series:
    new = {old: index for index, old in enumerate(keep)}
    return replace(
        series,
        values=[series.values[i] for i in keep],  # type: ignore[arg-type]
        spans=None if series.spans is None else tuple(series.spans[i] for i in keep),
        not_commercial=frozenset(new[i] for i in series.not_commercial if i in new),
        places=series.places
        and replace(series.places, at=tuple(series.places.at[i] for i in keep)),
    )


def _ends(series: Series) -> Sequence[int]:
    if series.spans is not None:
        return [end for _, end in series.spans]
    step = series.step_minutes * 60
    first = epoch(series.start) + step
    return range(first, first + step * len(series.values), step)


def reading_in_future(case: Case) -> Iterator[Finding]:
    """Values of a time that had not come when the document was received.

    Offline the moment at which the document was made stands for the receipt. A
    layout that pads its month is judged by `created`, as its reader does, even
    when the sender's clock is ahead of ours.
    """
    limit = _now(case)
    if limit is None:
        return
    for item in case.held:
        if item.series.end <= limit:
            continue
        if item.series.kind is Kind.REGISTER:
            yield about(item, Code.READING_IN_FUTURE, limit=_told(limit, case))
        else:
            yield from _future_intervals(item, limit, case)


def _now(case: Case) -> datetime | None:
    received, created = case.received_at, case.parsed.header.created
    if received is None or created is None:
        return received or created
    return max(received, created) if case.layout.future_zero else received


def _future_intervals(item: Assigned, limit: datetime, case: Case) -> Iterator[Finding]:
    last, values = epoch(limit), item.series.values
    ends = enumerate(_ends(item.series))
    ahead = [i for i, end in ends if end > last and values[i] is not None]
    for first, final in runs(ahead):
        yield about_run(item, Code.READING_IN_FUTURE, first, final, limit=_told(limit, case))


def _told(moment: datetime, case: Case) -> str:
    return moment.astimezone(case.zone).isoformat()


def period_closed(case: Case) -> Iterator[Finding]:
    """Values of a month that the operator has closed."""
    closed = case.known.closed
    if not closed:
        return
    for item in case.held:
        for month in months_of(item.series, case.zone):
            if month in closed:
                yield about(item, Code.PERIOD_CLOSED, month=month.strftime("%Y-%m"))


def too_old(case: Case) -> Iterator[Finding]:
    """A series whose last value is older than anything that can still be billed."""
    received, days = case.received_at, case.parameters.oldest_days
    if received is None:
        return
    limit = received - timedelta(days=days)
    for item in case.held:
        if item.series.end < limit:
            yield about(item, Code.TOO_OLD, limit=days)


def late_submission(case: Case) -> Iterator[Finding]:
    """What came after its deadline; one warning for each deadline that was missed."""
    received = case.received_at
    if received is None:
        return
    by_end: dict[datetime, list[Series]] = defaultdict(list)
    for item in case.held:
        by_end[item.series.end].append(item.series)
    missed: dict[datetime, list[Series]] = defaultdict(list)
    for end, several in by_end.items():
        due = due_at(end, case.layout, case.parameters)
        if received >= due:
            missed[due] += several
    for due, late in sorted(missed.items()):
        yield finding(
            Code.LATE_SUBMISSION,
            start=min(series.start for series in late),
            end=max(series.end for series in late),
            count=len(late),
            deadline=_told(due, case),
        )


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
    last = _last_day(end, zone)
    if layout.deadline == "daily":
        day = parameters.calendar.after(last, parameters.daily_deadline_working_days)
    elif layout.deadline == "register":
        day = next_month(last) + timedelta(days=parameters.register_deadline_day - 1)
    else:
        day = next_month(last) + timedelta(days=parameters.profile_deadline_day - 1)
    return datetime.combine(day + timedelta(days=1), time(), zone)


def months_of(series: Series, zone: ZoneInfo) -> Iterator[date]:
    """First day of each month that a series has values in.

    A reading belongs to the month in whose `(start, end]` it lies: that of the
    first of November, midnight, closes October.
    """
    last = _last_day(series.end, zone).replace(day=1)
    month = last
    if series.kind is Kind.INTERVAL:
        month = series.span(0)[0].astimezone(zone).date().replace(day=1)
    yield month
    while month < last:
        month = next_month(month)
        yield month


def _last_day(end: datetime, zone: ZoneInfo) -> date:
    return (end.astimezone(zone) - timedelta(microseconds=1)).date()


def next_month(day: date) -> date:
    """The first day of the month after that of `day`."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
