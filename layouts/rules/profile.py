"""Rules about whether an interval series is plausible: by its point and by its history.

What a rule calls enough history is said with the rule; with less it says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import gcd
from typing import NamedTuple
from zoneinfo import ZoneInfo

from layouts.adjoining import merge_adjoining
from layouts.document import Series
from layouts.findings import Code, Finding
from layouts.known import Assigned
from layouts.rules.case import Case, about, about_run, epoch, present
from layouts.rules.past import Past, all_of, past_of
from layouts.sequences import runs, sums
from layouts.terms import ACTIVE_CHANNELS, STEADY_CHANNELS

REPEAT_DAYS = 35
"""Days before a document that one of its own may repeat: also those of the month before."""

FLAT_DAYS = 1
"""Days before a document in which a flat run may have begun."""


REGULAR_LOADS = ("constant", "timed")
"""What the register of points calls a load that repeats by its nature."""


class Day(NamedTuple):
    """The values of one local day of a series, from index `first` up to `last`."""

    date: date
    first: int
    last: int
    is_whole: bool


def _fit(case: Case) -> Iterator[Assigned]:
    """The series held, without the values that are not fit for billing anyway."""
    for item in case.intervals:
        flagged = item.series.not_commercial
        if not flagged:
            yield item
            continue
        values = [None if i in flagged else v for i, v in enumerate(item.series.values)]
        fit = replace(item.series, values=values)  # type: ignore[arg-type]
        yield replace(item, series=fit)


def above_power(case: Case) -> Iterator[Finding]:
    """Active energy over the point's permitted power: a warning, far over it an error.

    Real overruns are billed, so that only what no line could carry is refused.

    Source: decided here, from the permitted power in the register of points.
    """
    for item in _fit(case):
        power = _power(item)
        values = present(item.series)
        if power is None or not values or item.series.channel not in ACTIVE_CHANNELS:
            continue
        energy = power * 1000 * item.series.step_minutes / 60
        permitted = int(energy * case.parameters.permitted_power_factor)
        if max(values) > permitted:
            yield from _overruns(
                item, permitted, int(energy * case.parameters.maximum_power_factor)
            )


def _power(item: Assigned) -> Decimal | None:
    """The permitted power at the point when the series began."""
    return item.point.at(item.series.start).max_power_kw if item.point else None


def _overruns(item: Assigned, permitted: int, maximum: int) -> Iterator[Finding]:
    over: list[int] = []
    far_over: list[int] = []
    for index, value in enumerate(item.series.values):
        if value is not None and value > permitted:
            (far_over if value > maximum else over).append(index)
    for code, found, limit in (
        (Code.ABOVE_MAXIMUM_POWER, far_over, maximum),
        (Code.ABOVE_PERMITTED_POWER, over, permitted),
    ):
        for first, last in runs(found):
            highest = max(v for v in item.series.values[first : last + 1] if v is not None)
            yield about_run(item, code, first, last, seen=str(highest), limit=limit)


def flat_profile(case: Case) -> Iterator[Finding]:
    """Hours of equal values in a row, as a broken link or an estimate gives them.

    Zeros and coarse values are silent: they repeat without any fault. Hours of the day
    before count as well; told are those of the document.

    Source: a Moscow retailer's contract annex on anomalous consumption.
    """
    for item in _fit(case):
        least = case.parameters.flat_hours * 60 // item.series.step_minutes
        if item.series.spans is not None or least < 2:
            continue
        before = _right_before(item, case)
        values = [*before, *item.series.values]
        for first, last in _equal_runs(values, least):
            value, end = int(values[first] or 0), last - len(before)
            if end >= 0 and _is_fine(value, item.series, case):
                start = max(0, first - len(before))
                yield about_run(item, Code.FLAT_PROFILE, start, end, seen=str(value))


def _right_before(item: Assigned, case: Case) -> Sequence[int]:
    """The first value as often as the day before the document ends with it, by its hours."""
    past, series = past_of(item, case), item.series
    if past is None or past.end != epoch(series.start) or 60 % series.step_minutes:
        return ()
    value, each = series.values[0], 60 // series.step_minutes
    return (
        [int(value)] * each * past.equal_hours(int(value) * each, 24 * FLAT_DAYS) if value else ()
    )


def _equal_runs(values: Sequence[int | Decimal | None], least: int) -> Iterator[tuple[int, int]]:
    """Runs of at least `least` equal values.

    Each window is read from its far end: the first difference shows that no run
    begins before it, so that most windows cost one comparison.
    """
    start, count = 0, len(values)
    while start + least <= count:
        value, at = values[start + least - 1], start + least - 1
        while at > start and values[at - 1] == value:
            at -= 1
        if at > start:
            start = at
            continue
        end = start + least
        while end < count and values[end] == value:
            end += 1
        yield start, end - 1
        start = end


def _is_fine(value: int, series: Series, case: Case) -> bool:
    """Whether a value is many of the smallest steps that the series shows."""
    return value >= case.parameters.resolution_units * _resolution(series)


def _resolution(series: Series) -> int:
    """The smallest step between values, at most a kilowatt-hour."""
    return gcd(1000, *present(series))


def repeated_day(case: Case) -> Iterator[Finding]:
    """Two days, or one weekday of two weeks, with the same values: one of them was copied.

    Told whenever enough different values stand in them, however small. A load that the
    register of points calls constant or timed repeats by its nature and is not asked.
    Days before the document count by the sums of their hours.

    Source: a Moscow retailer's contract annex on anomalous consumption.
    """
    for item in _fit(case):
        series = item.series
        past = all_of(item, case)
        if item.point is not None and item.point.load in REGULAR_LOADS:
            continue
        if series.spans is not None:
            continue
        seen: dict[tuple[object, ...], date] = {}
        for day in days_of(series, case.zone):
            values = tuple(series.values[day.first : day.last])
            if not day.is_whole:
                continue
            # Almost no day repeats: only one that does is looked at closely.
            other = seen.get(values)
            if other is None and past is not None:
                other = past.last_like(_hour_sums(series, day), REPEAT_DAYS)
            if other is not None and _is_telling(values, case):
                told = {"repeats": other.isoformat()}
                yield about_run(item, Code.REPEATED_DAY, day.first, day.last - 1, **told)
            seen.setdefault(values, day.date)


def _hour_sums(series: Series, day: Day) -> list[int]:
    """The energy of each hour of a day; nothing when they cannot be told."""
    values = series.values[day.first : day.last]
    if 60 % series.step_minutes or None in values:
        return []
    return sums(values, 60 // series.step_minutes)  # type: ignore[arg-type]


def _is_telling(values: tuple[object, ...], case: Case) -> bool:
    return len(set(values)) >= case.parameters.repeat_values


def unit_suspect(case: Case) -> Iterator[Finding]:
    """A total a thousand times its history, or a thousandth: kWh told as MWh, or the reverse.

    Enough: a week of history, and six hours in the document that it knows as well.

    Source: decided here.
    """
    for item, known in _with_history(case):
        if _is_other_unit(item.series, known, case):
            total = int(item.series.total)
            yield about(
                item, Code.UNIT_SUSPECT, seen=str(total), expected=_usual(item.series, known)
            )


def _is_other_unit(series: Series, known: Past, case: Case) -> bool:
    if not _is_thousandfold(sum(present(series)), _usual(series, known)):
        return False
    # History may lack just the hours of work: what it has must differ as well.
    return _is_thousandfold(*_like_for_like(series, known, case))


def _is_thousandfold(total: int, usual: int) -> bool:
    low, high = sorted((total, usual))
    return 0 < 500 * low <= high <= 2000 * low


def _like_for_like(series: Series, known: Past, case: Case) -> tuple[int, int]:
    """The energy of those hours that history knows, and what it has for them.

    A day off by decree is put beside a Sunday, a Saturday that is worked beside a Friday.
    Both are 0 when these are fewer than six hours.
    """
    total = usual = covered = 0
    energy, counted = known.by_hour_of_week
    calendar = case.parameters.calendar
    for index, value in enumerate(series.values):
        local = series.span(index)[0].astimezone(case.zone)
        weekday = local.weekday()
        if not calendar.is_ordinary(local.date()):
            weekday = 4 if calendar.is_working(local.date()) else 6
        slot = weekday * 24 + local.hour
        dates = counted[slot]
        if value is not None and dates:
            total += int(value)
            usual += energy[slot] * series.step_minutes // (60 * dates)
            covered += series.step_minutes
    return (total, usual) if covered >= 6 * 60 else (0, 0)


def _usual(series: Series, known: Past) -> int:
    """What history would give for as many hours as the series has."""
    return known.total_wh * _hours_of(series) // known.hours


def _hours_of(series: Series) -> int:
    return len(series.values) * series.step_minutes // 60


def _with_history(case: Case) -> Iterator[tuple[Assigned, Past]]:
    """The series with a history of at least a week; a shorter one says nothing."""
    if not case.known.history:
        return
    for item in _fit(case):
        past = past_of(item, case)
        if past is not None and past.is_enough:
            yield item, past


def spike(case: Case) -> Iterator[Finding]:
    """Single intervals far over the series itself, and over all of its history.

    Enough: a week of history, and 20 values, of which the 95th percentile can
    be told from the largest. A wrong unit is told as such and not as spikes, and
    what is little beside the point's power is none.

    Source: the validation manuals of California and of the IESO (Ontario).
    """
    for item, known in _with_history(case):
        values = present(item.series)
        if len(values) < 20:
            continue
        most = known.highest_w * item.series.step_minutes // 60
        if max(values) <= most or _is_other_unit(item.series, known, case):
            continue
        usual = sorted(values)[-(-len(values) * 95 // 100) - 1]
        limit = max(most, case.parameters.spike_factor * usual, _least_spike(item, case))
        over = (i for i, v in enumerate(item.series.values) if v is not None and v > limit)
        for first, last in runs(over):
            seen = str(item.series.values[first])
            yield about_run(item, Code.SPIKE, first, last, seen=seen, limit=limit)


def _least_spike(item: Assigned, case: Case) -> int:
    """What an interval must exceed to be called a spike, in Wh or varh."""
    power, step = _power(item), item.series.step_minutes
    if power is None:
        return int(case.parameters.spike_least_kwh * 1000)
    return int(power * case.parameters.spike_power_share * 1000 * step / 60)


def days_out_of_line(case: Case) -> Iterator[Finding]:
    """Days without any energy, or far under or over their weekday's history.

    Enough: three whole days of that weekday. A weekend day that is a working day by
    decree is judged as one; public holidays and moved days off are like no weekday and
    are left out, and so are days that the document does not carry in whole. What the
    weekday has been before is in line. A wrong unit is told as such.

    Source: the list of validation rules of Oracle Utilities Meter Data Management.
    """
    for item, known in _with_history(case):
        if item.series.channel not in STEADY_CHANNELS or item.series.spans is not None:
            continue
        if not _is_other_unit(item.series, known, case):
            yield from merge_adjoining(_odd_days(item, _Totals(known, case), case))


class _Totals:
    """The energy of whole days before a document, by what kind of day they were."""

    def __init__(self, past: Past, case: Case) -> None:
        self._past = past
        self._calendar = case.parameters.calendar
        self._by_weekday: dict[int, list[int]] = {}

    def _of(self, weekday: int) -> list[int]:
        """Those of ordinary days; of the weekdays alone that a document asks for."""
        if weekday not in self._by_weekday:
            days = (day for day in self._past.days if day.date.weekday() == weekday)
            ordinary = (day for day in days if self._calendar.is_ordinary(day.date))
            hours = (self._past.values(day) for day in ordinary)
            self._by_weekday[weekday] = [sum(one) for one in hours if one is not None]
        return self._by_weekday[weekday]

    @property
    def _working(self) -> list[int]:
        return [total for weekday in range(5) for total in self._of(weekday)]

    def like(self, day: date) -> list[int]:
        """Those of days that this one should be like; none when there are too few."""
        if self._calendar.is_ordinary(day):
            same = self._of(day.weekday())
        else:
            same = self._working if self._calendar.is_working(day) else []
        return same if len(same) >= 3 else []

    def working(self, day: date) -> int:
        """What working days usually have, for a day off: people may work on it; else 0."""
        working = self._working if day.weekday() >= 5 else []
        return sum(working) // len(working) if working else 0


def _odd_days(item: Assigned, known: _Totals, case: Case) -> Iterator[Finding]:
    low, high = case.parameters.low_factor, case.parameters.high_factor
    for day in days_of(item.series, case.zone):
        values = item.series.values[day.first : day.last]
        same = known.like(day.date)
        if not day.is_whole or None in values or not any(same):
            continue
        total, usual = int(sum(values)), sum(same) // len(same)  # type: ignore[arg-type]
        if min(same) <= total <= max(same):
            continue
        if not total:
            yield about_run(item, Code.ALL_ZERO, day.first, day.last - 1)
        elif not low * usual <= total <= high * max(usual, known.working(day.date)):
            told = {"seen": str(total), "expected": usual}
            yield about_run(item, Code.HIGH_LOW, day.first, day.last - 1, **told)


PEAK_DAYS = 5
"""Working days on record, the document's last ones among them, that are judged as one."""


def peak_drop(case: Case) -> Iterator[Finding]:
    """A share of the peak hours well under the point's own: capacity is paid by them.

    Judged are the last five working days on record, however many documents brought
    them, and the ones before these as far as the document goes back. Night and
    lighting loads are ordinary, which is why only a point's own history counts, and a
    load that is off for eight hours of the day is not asked. A load whose days differ by
    chance, such as a pump that switches itself, must drop by more than that. A point that
    gives energy back is not asked: what its own sun gives at noon it need not draw.

    Enough: two dates of each weekday from Monday to Friday in it.

    Source: a Moscow retailer's contract annex on anomalous consumption.
    """
    giving = {i.owner[:2] for i in case.intervals if i.series.channel == "A-" and i.series.total}
    for item, known in _with_history(case):
        if item.series.channel != "A+" or item.series.spans is not None:
            continue
        if 60 % item.series.step_minutes or item.owner[:2] in giving:
            continue
        own = [d for d in days_of(item.series, case.zone) if _is_working(d, item.series, case)]
        if not own:
            continue
        usual = _UsualHours(known, case)
        days = [
            *usual.working,
            *((d.date, _hour_sums(item.series, d), d) for d in own),
        ]
        for last in range(len(days), len(usual.working), -PEAK_DAYS):
            if last >= PEAK_DAYS:
                yield from _drop(item, days[last - PEAK_DAYS : last], usual, case)


_Hours = tuple[date, Sequence[int], Day | None]
"""A working day, its 24 hours, and where the document has it."""


class _UsualHours:
    """The working days before a document, hour by hour."""

    def __init__(self, past: Past, case: Case) -> None:
        self.working: list[_Hours] = []
        for day in past.days:
            values = past.values(day)
            ordinary = day.date.weekday() < 5 and case.parameters.calendar.is_working(day.date)
            if ordinary and values is not None and len(values) == 24:
                self.working.append((day.date, values, None))

    def of(self, weekday: int, without: Collection[date]) -> list[int] | None:
        """What each hour of such a day usually has; None with fewer than two of them."""
        same = [h for d, h, _ in self.working if d.weekday() == weekday and d not in without]
        if len(same) < 2:
            return None
        return [sum(hours) // len(same) for hours in zip(*same, strict=True)]

    def chance_of(self, judged: Collection[date], case: Case) -> Decimal:
        """By how much a mean share of the peak hours may differ by chance.

        Four times its error: a year has 250 such weeks, and of each weekday few are known.
        """
        # Late: it brings fractions and random numbers, and few documents get here.
        from statistics import pstdev

        hours = case.parameters.peak_hours.of(max(judged))
        days = [day for date, day, _ in self.working if date not in judged and any(day)]
        shares = [sum(day[hour] for hour in hours) / sum(day) for day in days]
        error = (1 / len(judged) + 1 / len(shares)) ** 0.5
        return Decimal(4 * pstdev(shares) * error)


def _is_working(day: Day, series: Series, case: Case) -> bool:
    hours = (day.last - day.first) * series.step_minutes
    ordinary = day.date.weekday() < 5 and case.parameters.calendar.is_working(day.date)
    # A changeover day has no twenty-four hours to compare with.
    if not (day.is_whole and ordinary and hours == 24 * 60):
        return False
    return None not in series.values[day.first : day.last]


def _drop(
    item: Assigned, days: Sequence[_Hours], known: _UsualHours, case: Case
) -> Iterator[Finding]:
    peak = whole = 0
    usual_peak = Decimal(0)
    judged = {day for day, _, _ in days}
    by_weekday = [known.of(weekday, judged) for weekday in range(5)]
    for day, by_hour, _ in days:
        hours, usual = case.parameters.peak_hours.of(day), by_weekday[day.weekday()]
        if usual is None:
            return
        peak += sum(by_hour[hour] for hour in hours)
        whole += sum(by_hour)
        # Each day by its own weight: the months have other peak hours, and other levels.
        usual_share = Decimal(sum(usual[hour] for hour in hours)) / (sum(usual) or 1)
        usual_peak += usual_share * sum(by_hour)
    # What is off for a third of the day is switched, and by the season: no peak is spared.
    off = [sum(not hour for hour in usual) for usual in by_weekday if usual is not None]
    if not whole or not usual_peak or min(off) >= 8:
        return
    share, expected = Decimal(peak) / whole, usual_peak / whole
    own = [place for _, _, place in days if place is not None]
    if (
        own
        and share < expected * (1 - case.parameters.peak_drop_share)
        and expected - share > known.chance_of(judged, case)
    ):
        told = {"seen": f"{share:.1%}", "expected": f"{expected:.1%}"}
        yield about_run(item, Code.PEAK_DROP, own[0].first, own[-1].last - 1, **told)


def days_of(series: Series, zone: ZoneInfo) -> Iterator[Day]:
    """The local days of a series whose intervals follow one another."""
    step, count = series.step_minutes * 60, len(series.values)
    start, first = epoch(series.start), 0
    day = series.start.astimezone(zone).date()
    midnight = _midnight(day, zone)
    while first < count:
        following = _midnight(day + timedelta(days=1), zone)
        last = min(count, -(-(following - start) // step))
        is_whole = start + first * step == midnight and start + last * step == following
        yield Day(day, first, last, is_whole)
        first, midnight, day = last, following, day + timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return epoch(datetime.combine(day, time(), zone))
