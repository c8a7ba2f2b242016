"""Rules about the object itself: the structure and the signs of interval series.

A series whose intervals follow one another at its step (`spans` is None) costs
these rules a few comparisons, whatever its length.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from layouts.findings import Code, Finding, Place
from layouts.known import Assigned, RecordedIntervals, SeriesKey
from layouts.rules.case import Case, about, about_run, about_value, epoch, instant, present
from layouts.sequences import runs

_Span = tuple[int, int, Assigned, int]
"""Start and end in epoch seconds, and whose value it is."""


def recorded(item: Assigned, case: Case) -> RecordedIntervals | None:
    """What is in force for a series."""
    return case.known.intervals.get(item.owner)


def wrong_step(case: Case) -> Iterator[Finding]:
    """Intervals of a length that the layout, or the series itself, does not have.

    Source: the layouts, which name their steps.
    """
    permitted = case.layout.step_minutes
    expected = " ".join(map(str, permitted))
    for item in case.intervals:
        series = item.series
        if series.step_minutes not in permitted:
            seen = str(series.step_minutes)
            yield about(
                item, Code.WRONG_STEP, seen=seen, expected=expected, count=len(series.values)
            )
            continue
        if series.spans is not None:
            yield from _odd_lengths(item)
        known = recorded(item, case)
        # Beside another layout's values `overlap` is told: no step would be right.
        if known and not known.elsewhere and (others := _not_whole(item, known, case)):
            start, end, _ = others[0]
            seen, known_step = str(series.step_minutes), (end - start) // 60
            yield about(item, Code.WRONG_STEP, seen=seen, expected=known_step)


def _not_whole(
    item: Assigned, known: RecordedIntervals, case: Case
) -> list[tuple[int, int, int | None]]:
    """The values in another step whose day the document does not bring as a whole.

    A newer document that brings the whole day in its own step replaces them.
    """
    series = item.series
    if not known.other or series.spans is not None:
        return list(known.other)
    first, last = epoch(series.start), epoch(series.end)
    days = {day: _day_at(day, case) for day in {start for start, _, _ in known.other}}
    return [
        value
        for value in known.other
        if not (first <= days[value[0]][0] and days[value[0]][1] <= last)
        or any(start < value[1] and value[0] < end for start, end in known.newer)
    ]


def _day_at(moment: int, case: Case) -> tuple[int, int]:
    """The local day that an instant lies in, in epoch seconds."""
    local = instant(moment).astimezone(case.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return epoch(midnight), epoch(midnight + timedelta(days=1))


def _odd_lengths(item: Assigned) -> Iterator[Finding]:
    step = item.series.step_minutes
    for index, (start, end) in enumerate(item.series.spans or ()):
        if end - start != step * 60:
            seen = str((end - start) // 60)
            yield about_value(item, Code.WRONG_STEP, index, seen=seen, expected=step)


def timeline(case: Case) -> Iterator[Finding]:
    """Intervals told twice, overlapping ones, and gaps between them.

    Source: the list of validation rules of Oracle Utilities Meter Data Management.
    """
    unread = [_row(item.place) for item in case.parsed.findings if item.code in _WITHOUT_TIME]
    for items in _by_series(case).values():
        if len(items) == 1 and items[0].series.spans is None:
            series = items[0].series
            first = (epoch(series.start), epoch(series.end), items[0], 0)
            last = (*first[:3], len(series.values) - 1)
        else:
            spans = sorted(_spans(items), key=lambda span: span[:2])
            yield from _steps_of(spans, unread)
            first, last = spans[0], max(spans, key=lambda span: span[1])
        yield from _incomplete(first, last, case)


def _by_series(case: Case) -> dict[SeriesKey, list[Assigned]]:
    grouped: dict[SeriesKey, list[Assigned]] = defaultdict(list)
    for item in case.intervals:
        if item.series.values:
            grouped[item.owner].append(item)
    return grouped


def _spans(items: list[Assigned]) -> Iterator[_Span]:
    for item in items:
        series = item.series
        if series.spans is not None:
            for index, (start, end) in enumerate(series.spans):
                yield start, end, item, index
            continue
        step = series.step_minutes * 60
        for index, start in enumerate(range(epoch(series.start), epoch(series.end), step)):
            yield start, start + step, item, index


_WITHOUT_TIME = frozenset({Code.INVALID_DATE, Code.INVALID_TIME, Code.MISSING_FIELD})
"""Found where a line or row has no time that could be read: it is no gap."""


def _row(place: Place) -> int:
    """The line, or the row of the cell; 0 where none is known."""
    if place.line is not None:
        return place.line
    digits = (place.cell or "").lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").partition(":")[0]
    return int(digits) if digits.isdecimal() else 0


def _steps_of(spans: list[_Span], unread: Sequence[int]) -> Iterator[Finding]:
    """What is wrong between each interval and the one before it.

    `unread` are the rows whose time could not be read: where one of them stands between
    two intervals, what seems to be missing there is told as what it is.
    """
    reached, before = spans[0][1], spans[0]
    is_told = False
    last = _row(spans[0][2].series.place(spans[0][3]))
    for start, end, item, index in spans[1:]:
        row = _row(item.series.place(index)) if unread else 0
        is_again = (start, end) == before[:2]
        if is_again and not is_told:
            yield about_value(before[2], Code.DUPLICATE_INTERVAL, before[3])
        is_told = is_again
        if is_again:
            yield about_value(item, Code.DUPLICATE_INTERVAL, index)
        elif start < reached:
            yield about_value(item, Code.OVERLAP, index)
        elif start > reached and not any(min(last, row) < at < max(last, row) for at in unread):
            yield _missing(item, reached, start, item.series.gap(index, reached))
        reached, before, last = max(reached, end), (start, end, item, index), row


def _incomplete(first: _Span, last: _Span, case: Case) -> Iterator[Finding]:
    """A daily document carries its whole day; a month's may begin late and stop early.

    What is missing at an edge is told at the value that stands nearest to it.
    """
    header = case.parsed.header
    if case.layout.period != "day" or not (header.period_start and header.period_end):
        return
    start, end = epoch(header.period_start), epoch(header.period_end)
    begins, _, item, index = first
    if start < begins:
        yield _missing(item, start, min(begins, end), item.series.gap(index, start))
    _, ends, item, index = last
    if ends < end:
        yield _missing(item, max(ends, start), end, item.series.gap(index + 1, ends))


def _missing(item: Assigned, start: int, end: int, place: Place) -> Finding:
    step = item.series.step_minutes * 60
    count = max(1, -(-(end - start) // step)) if step else 1
    told = about(item, Code.MISSING_INTERVAL, start=instant(start), end=instant(end), count=count)
    return replace(told, place=place)


def recorded_elsewhere(case: Case) -> Iterator[Finding]:
    """Spans that another layout has already brought: they would be billed twice.

    Source: decided here.
    """
    for item in case.intervals:
        known = recorded(item, case)
        if known is None or not known.elsewhere:
            continue
        first, last = epoch(item.series.start), epoch(item.series.end)
        if item.series.spans:
            first = min(start for start, _ in item.series.spans)
        for start, end, layout in known.elsewhere:
            if start < last and first < end:
                where = {"start": instant(max(start, first)), "end": instant(min(end, last))}
                yield about(item, Code.OVERLAP, layout=layout, **where)


def negative_value(case: Case) -> Iterator[Finding]:
    """Energy below zero: what flows back belongs to the channel of the other direction.

    Source: a Moscow retailer's contract annex on anomalous consumption.
    """
    for item in case.intervals:
        values = present(item.series)
        if not values or min(values) >= 0:
            continue
        for index, value in enumerate(item.series.values):
            if value is not None and value < 0:
                seen = item.series.as_written(index)
                yield about_value(item, Code.NEGATIVE_VALUE, index, seen=seen)


def not_commercial(case: Case) -> Iterator[Finding]:
    """Values that the sender itself calls unfit for billing.

    Source: 80020, whose status 1 says so of a value.
    """
    for item in case.intervals:
        for first, last in runs(sorted(item.series.not_commercial)):
            yield about_run(item, Code.NOT_COMMERCIAL, first, last)
