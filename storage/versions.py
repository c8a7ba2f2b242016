"""What is in force, and which documents carry it: the values' side of a context."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select

from layouts.terms import (
    Assigned,
    ReadingKey,
    RecordedIntervals,
    RecordedReading,
    SeriesKey,
    Verdict,
    Version,
    Wants,
)
from storage.columns import epoch
from storage.in_force import InForce
from storage.prepared import Prepared, among
from storage.session import Part, Session
from storage.tables import (
    CARRIED,
    READING_HISTORY,
    SPAN,
    SUBMISSION,
    VALUE,
    VALUE_HISTORY,
)

_VERSION = (
    SUBMISSION.c.version_first,
    SUBMISSION.c.version_second,
    SUBMISSION.c.received_at,
    SUBMISSION.c.id.label("submission"),
)

_FIRST: BindParameter[int] = bindparam("first")
_LAST: BindParameter[int] = bindparam("last")
_VALUES_IN = Prepared(
    select(VALUE.c.series_id, VALUE.c.start, VALUE.c.energy_wh, VALUE.c.not_commercial)
    .where(among(VALUE.c.series_id), VALUE.c.start >= _FIRST, VALUE.c.start < _LAST)
    .order_by(VALUE.c.start)
)
_SPANS_IN = Prepared(
    select(SPAN.c.series_id, SPAN.c.start, SPAN.c.end, SUBMISSION.c.layout, *_VERSION)
    .join_from(SPAN, SUBMISSION)
    .where(among(SPAN.c.series_id), SPAN.c.end > _FIRST, SPAN.c.start < _LAST)
)
_CARRIED_IN = Prepared(
    select(CARRIED.c.meter_id, CARRIED.c.channel, CARRIED.c.zone, CARRIED.c.instant, *_VERSION)
    .join_from(CARRIED, SUBMISSION)
    .where(
        among(CARRIED.c.meter_id),
        CARRIED.c.instant.between(_FIRST, _LAST),
        SUBMISSION.c.layout == bindparam("layout"),
    )
)
_SAME = Prepared(
    select(SUBMISSION.c.id, SUBMISSION.c.received_at)
    .where(
        SUBMISSION.c.sha256 == bindparam("sha256"),
        SUBMISSION.c.entity_id == bindparam("entity"),
        SUBMISSION.c.layout == bindparam("layout"),
        SUBMISSION.c.part.is_not_distinct_from(bindparam("part")),
        SUBMISSION.c.verdict == Verdict.ACCEPTED,
    )
    .order_by(SUBMISSION.c.id.desc())
    .limit(1)
)
_INTERVAL_REPLACED = (
    select(VALUE_HISTORY.c.start)
    .join_from(
        SPAN,
        VALUE_HISTORY,
        (VALUE_HISTORY.c.series_id == SPAN.c.series_id)
        & (VALUE_HISTORY.c.start >= SPAN.c.start)
        & (VALUE_HISTORY.c.start < SPAN.c.end),
    )
    .where(
        SPAN.c.submission_id == bindparam("submission"),
        VALUE_HISTORY.c.replaced_by > bindparam("submission"),
    )
)
_READING_REPLACED = (
    select(READING_HISTORY.c.instant)
    .join_from(
        CARRIED,
        READING_HISTORY,
        (READING_HISTORY.c.meter_id == CARRIED.c.meter_id)
        & (READING_HISTORY.c.channel == CARRIED.c.channel)
        & (READING_HISTORY.c.zone == CARRIED.c.zone)
        & (READING_HISTORY.c.instant == CARRIED.c.instant),
    )
    .where(
        CARRIED.c.submission_id == bindparam("submission"),
        READING_HISTORY.c.replaced_by > bindparam("submission"),
    )
)
_REPLACED_SINCE = Prepared(
    select((_INTERVAL_REPLACED.exists() | _READING_REPLACED.exists()).label("replaced"))
)


@dataclass(slots=True)
class _Found:
    """What the database has for one point and channel over a span."""

    starts: list[int] = field(default_factory=list)
    values: list[int | None] = field(default_factory=list)
    not_commercial: set[int] = field(default_factory=set)
    newer: list[tuple[int, int]] = field(default_factory=list)
    elsewhere: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    steps: set[int] = field(default_factory=set)

    def recorded(self, step_minutes: int) -> RecordedIntervals:
        """As the rules see it; a step other than the document's own is the one told."""
        other = self.steps - {step_minutes}
        return RecordedIntervals(
            starts=self.starts,
            values=self.values,
            not_commercial=frozenset(self.not_commercial),
            newer=merged(self.newer),
            elsewhere=[
                (start, end, layout)
                for layout, spans in sorted(self.elsewhere.items())
                for start, end in merged(spans)
            ],
            step_minutes=min(other or self.steps, default=0),
        )


class Versions(Part):
    """Values in force beside the versions of the documents that carry them."""

    def __init__(self, session: Session, in_force: InForce) -> None:
        super().__init__(session)
        self._in_force = in_force

    def recorded_intervals(
        self, items: Iterable[Assigned], layout: str, version: Version
    ) -> dict[SeriesKey, RecordedIntervals]:
        """By the owners of the series."""
        by_owner: dict[tuple[int, str], list[Assigned]] = defaultdict(list)
        for item in items:
            if item.point is not None:
                by_owner[_owner(item)].append(item)
        # A document may name one series twice, as two parts of its span.
        wanted: dict[tuple[int, int], list[Assigned]] = defaultdict(list)
        for parts in by_owner.values():
            start = min(epoch(item.series.start) for item in parts)
            wanted[start, max(epoch(item.series.end) for item in parts)] += parts
        recorded: dict[SeriesKey, RecordedIntervals] = {}
        for (start, end), group in wanted.items():
            found = self._found(group, start, end, layout, version)
            for item in group:
                series = item.series
                told = found[_owner(item)].recorded(series.step_minutes)
                recorded[item.owner] = told
        return recorded

    def _found(
        self, group: Sequence[Assigned], start: int, end: int, layout: str, version: Version
    ) -> Mapping[tuple[int, str], _Found]:
        found = {_owner(item): _Found() for item in group}
        owners = {
            row.id: (found[row.point_id, row.channel], row.step_minutes)
            for row in self._in_force.series_at({point for point, _ in found})
            if (row.point_id, row.channel) in found
        }
        for keys in self._pieces(list(owners)):
            given = {"keys": keys, "first": start, "last": end}
            for series, moment, energy, flagged in _VALUES_IN.tuples(self._driver, given):
                owner, step_minutes = owners[series]
                owner.starts.append(moment)
                owner.values.append(energy)
                if flagged:
                    owner.not_commercial.add(moment)
                owner.steps.add(step_minutes)
        for row in self._each(list(owners), _SPANS_IN, first=start, last=end):
            owner, _ = owners[row.series_id]
            if row.layout != layout:
                owner.elsewhere.setdefault(row.layout, []).append((row.start, row.end))
            elif _version(row) > version.as_tuple():
                owner.newer.append((row.start, row.end))
        return found

    def recorded_readings(
        self, items: Sequence[Assigned], layout: str, version: Version
    ) -> dict[ReadingKey, RecordedReading]:
        """Of each register and instant that the document reads."""
        meters = sorted({item.meter.id or 0 for item in items if item.meter is not None})
        instants = [epoch(item.series.start) for item in items]
        if not meters:
            return {}
        first, last = min(instants), max(instants)
        found = self._in_force.readings_in(meters, first, last)
        if not found:
            # What any document carries is in force, or was replaced by what is.
            return {}
        newer = {
            _register(row)
            for row in self._each(meters, _CARRIED_IN, first=first, last=last, layout=layout)
            if _version(row) > version.as_tuple()
        }
        in_force = {
            _register(row): RecordedReading(row.value, _register(row) in newer, row.layout)
            for row in found
        }
        recorded: dict[ReadingKey, RecordedReading] = {}
        for item in items:
            key = item.key
            if key is None or item.meter is None:
                continue
            _, channel, zone, at = key
            if (row_key := (item.meter.id, channel, zone, at)) in in_force:
                recorded[key] = in_force[row_key]
        return recorded

    def duplicate_of(self, entity_id: int, wants: Wants) -> tuple[int, datetime] | None:
        """Receipt and moment of the same bytes, accepted whole and still in force."""
        same = {
            "sha256": wants.sha256,
            "entity": entity_id,
            "layout": wants.layout,
            "part": wants.part,
        }
        row = _SAME.row(self._driver, same)
        if row is None or self._replaced_since(row.id):
            return None
        return row.id, row.received_at

    def _replaced_since(self, submission: int) -> bool:
        """Whether anything that a submission carried was replaced after it.

        Its values may have come by an earlier submission that carried the same ones,
        so the spans are asked, not the values' own submission.
        """
        return bool(_REPLACED_SINCE.scalar(self._driver, {"submission": submission}))


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same stretch of time in as few spans as it takes, ascending."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _owner(item: Assigned) -> tuple[int, str]:
    return (item.point.id or 0) if item.point else 0, item.series.channel


def _version(row: Any) -> tuple[int, int, int, int]:
    return row.version_first, row.version_second, epoch(row.received_at), row.submission


def _register(row: Any) -> tuple[int | None, str, str, int]:
    return row.meter_id, row.channel, row.zone, row.instant
