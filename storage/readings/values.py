"""Values written in bulk: added, replaced with their history, carried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from layouts.document import Series
from layouts.known import Change
from layouts.terms import Kind
from storage.columns import epoch
from storage.readings.bulk import Run, Value, add_values, replace_values
from storage.readings.day_sums import DaySums
from storage.readings.days import days_between
from storage.readings.in_force import InForce, SeriesName
from storage.readings.places import carried, packed
from storage.session import Part, Session


class Values(Part):
    """Applies what a document changes; nothing else is touched."""

    matter = "values"

    def __init__(self, session: Session, in_force: InForce, days: DaySums) -> None:
        super().__init__(session)
        self._in_force = in_force
        self._days = days

    def apply(self, changes: Sequence[Change], submission: int, now: datetime) -> None:
        """Write what a submission adds and replaces, and which spans it carries."""
        intervals = [c for c in changes if c.series.kind is Kind.INTERVAL]
        if intervals:
            self._apply_intervals(intervals, submission, now)
        registers = [c for c in changes if c.series.kind is Kind.REGISTER]
        if registers:
            self._apply_readings(registers, submission, now)

    def _apply_intervals(self, changes: Sequence[Change], submission: int, now: datetime) -> None:
        self._displace(changes, submission, now)
        numbers = self._in_force.made_series({_name(change) for change in changes})
        runs: list[Run] = []
        added: list[Value] = []
        replaced: list[Value] = []
        spans: list[tuple[Any, ...]] = []
        for change in changes:
            number = numbers[_name(change)]
            run = _run(change.series, change.added, number, submission)
            if run is not None:
                runs.append(run)
            else:
                added += _values(change.series, change.added, number, submission)
            replaced += _values(change.series, change.replaced, number, submission)
            spans += ((number, submission, *span) for span in carried(change.series))
        self._sql.each("carry_spans", spans)
        add_values(self._sql, runs, added)
        if replaced:
            replace_values(self._sql, replaced, submission, epoch(now))
        self._days.follow((numbers[_name(change)], change) for change in changes)

    def _displace(self, changes: Sequence[Change], submission: int, now: datetime) -> None:
        """Take what came in another step out of force, where its day comes anew."""
        rows: list[tuple[int, int, int]] = []
        for change in changes:
            if not change.displaced or change.point is None or change.point.id is None:
                continue
            steps = {(end - start) // 60 for start, end, _ in change.displaced}
            first = min(start for start, _, _ in change.displaced)
            last = max(end for _, end, _ in change.displaced)
            rows += [
                (series.id, first, last)
                for series in self._in_force.series_at({change.point.id})
                if series.channel == change.series.channel and series.step_minutes in steps
            ]
        if not rows:
            return
        for number, first, last in rows:
            span = {"series": number, "first": first, "last": last}
            self._sql.change("keep_displaced", by=submission, at=epoch(now), **span)
            self._sql.change("drop_displaced", **span)
        self._days.resum({(number, at) for number, *span in rows for at in days_between(*span)})

    def _apply_readings(self, changes: Sequence[Change], submission: int, now: datetime) -> None:
        # A document may say the same reading twice; once is enough.
        once = {_key(change): change for change in reversed(changes)}
        self._sql.each(
            "carry_readings",
            [(*key, submission, packed(c.series.places)) for key, c in once.items()],
        )
        self._sql.each(
            "add_readings",
            [(*key, submission, c.series.reading) for key, c in once.items() if c.added],
        )
        replaced = [
            dict(zip(("meter", "channel", "zone", "instant"), key, strict=True))
            | {"value": c.series.reading, "by": submission, "at": now}
            for key, c in once.items()
            if c.replaced
        ]
        self._sql.each_named("keep_old_reading", replaced)
        self._sql.each_named("replace_reading", replaced)


def _run(series: Series, indexes: Sequence[int], number: int, submission: int) -> Run | None:
    """A range of values as a run; None for others, and where one is not commercial."""
    is_range = isinstance(indexes, range) and indexes.step == 1 and indexes
    if not is_range or series.spans is not None or series.not_commercial:
        return None
    step, values = series.step_minutes * 60, series.values[indexes[0] : indexes[-1] + 1]
    return Run(number, epoch(series.start) + step * indexes[0], step, values, submission)  # type: ignore[arg-type]


def _values(series: Series, indexes: Iterable[int], number: int, submission: int) -> list[Value]:
    values: Sequence[Any] = series.values
    flagged = series.not_commercial
    starts: Sequence[int]
    if series.spans is None:
        first, step = epoch(series.start), series.step_minutes * 60
        starts = range(first, first + step * len(values), step)
    else:
        starts = [start for start, _ in series.spans]
    return [(number, starts[i], values[i], i in flagged, submission) for i in indexes]


def _name(change: Change) -> SeriesName:
    if change.point is None or change.point.id is None:
        raise ValueError("an interval series can only be kept for a registered point")
    return change.point.id, change.series.channel, change.series.step_minutes


def _key(change: Change) -> tuple[int, str, str, int]:
    """A reading's own key: meter, channel, zone and instant."""
    if change.meter is None or change.meter.id is None:
        raise ValueError("a register reading can only be kept for a registered meter")
    series = change.series
    return change.meter.id, series.channel, series.zone or "T0", epoch(series.start)
