"""Rules about when: readings from the future, closed months, age and deadlines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from layouts.deadlines import due_at, last_day
from layouts.document import UNDATED, Series
from layouts.findings import Code, Finding, finding
from layouts.known import Assigned
from layouts.months import following
from layouts.rules.case import Case, about, about_run, epoch, instant
from layouts.rules.versions import starts_of
from layouts.sequences import runs
from layouts.terms import Kind


def without_padding(case: Case) -> list[Series]:
    """The document's series without the zeros that fill up hours to come.

    Those with a format mistake are among them: other rules can judge them all the same.
    A reader that knows when the document was made has left them out already; a
    workbook does not tell, so that the moment of receipt decides.
    """
    limit = _now(case)
    spoilt = (one for one in case.parsed.spoilt if one.kind is Kind.INTERVAL)
    told = (*case.parsed.series, *spoilt)
    if limit is None or not case.layout.future_zero:
        return [series for series in told if series.values]
    return [kept for series in told if (kept := _cut(series, limit)).values]


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

    Source: decided here.
    """
    limit = _now(case)
    if limit is None:
        return
    for item in case.held:
        if item.series.end <= limit:
            continue
        if item.series.kind is Kind.REGISTER:
            yield _about_its_time(item, Code.READING_IN_FUTURE, case, limit=_told(limit, case))
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


def _about_its_time(item: Assigned, code: Code, case: Case, **detail: object) -> Finding:
    """A finding at the date of a reading, which is what has to be mended; of a series, at it."""
    if item.series.kind is Kind.REGISTER:
        local = item.series.start.astimezone(case.zone)
        detail["seen"] = local.strftime("%d.%m.%Y %H:%M").removesuffix(" 00:00")
    return about(item, code, "instant", **detail)


def _told(moment: datetime, case: Case) -> str:
    return moment.astimezone(case.zone).isoformat()


def period_closed(case: Case) -> Iterator[Finding]:
    """What would change a month that the operator has closed.

    That is a value of it, or its consumption, which the reading before its first one
    decides as well. A value equal to the one on record changes nothing.

    Source: decided here; a closed month is kept as it was billed.
    """
    if not case.known.closed:
        return
    for item in case.held:
        months = _closed_values(item, case) | _closed_consumption(item, case)
        for month in sorted(months):
            yield about(item, Code.PERIOD_CLOSED, month=month.strftime("%Y-%m"))


def _closed_values(item: Assigned, case: Case) -> set[date]:
    """The closed months in which a series adds or replaces values."""
    series, change = item.series, item.change
    if change is None or not (change.added or change.replaced):
        return set()
    months = set(months_of(series, case.zone)) & case.known.closed
    if series.kind is Kind.REGISTER or not months:
        return months
    starts = starts_of(series)
    changed = {starts[index] for part in (change.added, change.replaced) for index in part}
    return {month for month in months if _any_in(changed, month, case)}


def _any_in(moments: Collection[int], month: date, case: Case) -> bool:
    first, last = (
        epoch(datetime.combine(day, time(), case.zone)) for day in (month, following(month))
    )
    return any(first <= moment < last for moment in moments)


def _closed_consumption(item: Assigned, case: Case) -> set[date]:
    """The closed month whose first consumption begins with a reading that changes."""
    change = item.change
    if item.key is None or change is None or not (change.added or change.replaced):
        return set()
    *_, at = item.key
    recorded = case.known.registers.get(item.key[:3], ())
    following = next((moment for moment, _ in recorded if moment > at), None)
    if following is None:
        return set()
    return {last_day(instant(following), case.zone).replace(day=1)} & case.known.closed


def reading_before_its_moment(case: Case) -> Iterator[Finding]:
    """Register readings of an instant that had not come when the document was made.

    Source: decided here.
    """
    created = case.parsed.header.created
    if created is None:
        return
    ahead: dict[datetime, list[Assigned]] = defaultdict(list)
    for item in case.registers:
        if created < item.series.start:
            ahead[item.series.start].append(item)
    for start, items in sorted(ahead.items()):
        yield finding(
            Code.READING_BEFORE_ITS_MOMENT,
            items[0].series.place(0),
            start=start,
            end=start,
            count=len(items),
            created=_told(created, case),
        )


def too_old(case: Case) -> Iterator[Finding]:
    """A series whose last value is older than anything that can still be billed.

    Source: decided here; the bound is a parameter.
    """
    received, days = case.received_at, case.parameters.oldest_days
    if received is None:
        return
    limit = received - timedelta(days=days)
    for item in case.held:
        if item.series.start != UNDATED and item.series.end < limit:
            yield _about_its_time(item, Code.TOO_OLD, case, limit=days)


def late_submission(case: Case) -> Iterator[Finding]:
    """What came after its deadline; one warning for each deadline that was missed.

    Source: the layouts, which name their deadlines.
    """
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


def months_of(series: Series, zone: ZoneInfo) -> Iterator[date]:
    """First day of each month that a series has values in.

    A reading belongs to the month in whose `(start, end]` it lies: that of the
    first of November, midnight, closes October.
    """
    last = last_day(series.end, zone).replace(day=1)
    month = last
    if series.kind is Kind.INTERVAL:
        month = series.span(0)[0].astimezone(zone).date().replace(day=1)
    yield month
    while month < last:
        month = following(month)
        yield month
