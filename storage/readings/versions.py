"""The values in force beside a document, and the documents that carry them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import compress
from typing import Any

from layouts.exact import decimal
from layouts.known import (
    Assigned,
    ReadingKey,
    RecordedIntervals,
    RecordedReading,
    SeriesKey,
    Version,
    Wants,
)
from layouts.months import MOSCOW
from storage.columns import INTEGER_MOST, epoch, instant
from storage.readings.in_force import InForce
from storage.session import Part, Session

_Register = tuple[int | None, str, str, int]
"""Meter, channel, zone and instant of a reading."""

_DAY = 86400


@dataclass(slots=True)
class _Found:
    """What the database has for one point and channel over a span."""

    starts: list[int] = field(default_factory=list)
    values: list[int | None] = field(default_factory=list)
    not_commercial: set[int] = field(default_factory=set)
    newer: list[tuple[int, int]] = field(default_factory=list)
    elsewhere: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    steps: list[int] = field(default_factory=list)
    held: list[tuple[int, int]] = field(default_factory=list)

    def recorded(self, step_minutes: int) -> RecordedIntervals:
        """As the rules see it: what is in the document's own step, and the rest beside it."""
        mine = [step == step_minutes for step in self.steps]
        return RecordedIntervals(
            starts=list(compress(self.starts, mine)),
            values=list(compress(self.values, mine)),
            not_commercial=frozenset(self.not_commercial),
            newer=merged(self.newer),
            elsewhere=[
                (start, end, layout)
                for layout, spans in sorted(self.elsewhere.items())
                for start, end in merged(spans)
            ],
            step_minutes=step_minutes if any(mine) else 0,
            held=merged(self.held),
            other=[
                (start, start + step * 60, value)
                for start, value, step in zip(self.starts, self.values, self.steps, strict=True)
                if step != step_minutes
            ],
        )


class Versions(Part):
    """Values in force beside the versions of the documents that carry them."""

    matter = "versions"

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
            rows = self._sql.tuples("values_in", keys=keys, first=start, last=end)
            for series, moment, energy, flagged in rows:
                owner, step_minutes = owners[series]
                owner.starts.append(moment)
                owner.values.append(energy)
                if flagged:
                    owner.not_commercial.add(moment)
                owner.steps.append(step_minutes)
        for row in self._listed("spans_in", list(owners), first=start, last=end):
            owner, _ = owners[row.series_id]
            if row.operator is not None:
                owner.held.append((row.start, row.end))
            if row.withdraws is not None:
                continue
            if row.layout != layout:
                owner.elsewhere.setdefault(row.layout, []).append((row.start, row.end))
            elif _version(row) > version:
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
        if any(item.point is not None and item.point.rows for item in items):
            first, last = first - _DAY, last + _DAY
        carried = self._listed("carried_in", meters, first=first, last=last, layout=layout)
        held = {_register(row) for row in carried if row.operator is not None}
        newer = {
            _register(row)
            for row in carried
            if row.withdraws is None and row.layout == layout and _version(row) > version
        }
        holders: dict[_Register, set[str]] = defaultdict(set)
        for row in carried:
            if row.operator is None and row.withdraws is None and row.user_code is not None:
                holders[_register(row)].add(row.user_code)
        in_force = {key: RecordedReading(None, newer=False, layout="", held=True) for key in held}
        for row in self._in_force.readings_in(meters, first, last):
            one = _register(row)
            in_force[one] = RecordedReading(
                decimal(row.value),
                one in newer,
                row.layout,
                one in held,
                frozenset(holders.get(one, ())),
            )
        recorded: dict[ReadingKey, RecordedReading] = {}
        for item in items:
            key = item.key
            if key is None or item.meter is None:
                continue
            _, channel, zone, at = key
            if (row_key := (item.meter.id, channel, zone, at)) in in_force:
                recorded[key] = in_force[row_key]
            elif item.point is not None and item.point.rows:
                recorded |= _of_the_day(key, row_key, in_force)
        return recorded

    def duplicate_of(self, entity_id: int, wants: Wants) -> tuple[int, datetime] | None:
        """Receipt and moment of the same bytes, accepted whole and still in force."""
        row = self._sql.row(
            "same", sha256=wants.sha256, entity=entity_id, layout=wants.layout, part=wants.part
        )
        if row is None or self._replaced_since(row.id):
            return None
        return row.id, instant(row.received_at)

    def highest(self, entity_id: int, wants: Wants) -> int | None:
        """The highest first key so far, where none has been high enough."""
        if wants.high_enough is None:
            return None
        # A document may claim any number; the column holds 64 bits.
        least = max(-INTEGER_MOST, min(wants.high_enough, INTEGER_MOST))
        asked = {"entity": entity_id, "layout": wants.layout}
        if self._sql.row("high_enough", least=least, **asked) is not None:
            return None
        highest: int | None = self._sql.value("highest", **asked)
        return highest

    def _replaced_since(self, submission: int) -> bool:
        """Whether anything that a submission carried was replaced after it.

        Its values may have come by an earlier submission that carried the same ones,
        so the spans are asked, not the values' own submission.
        """
        return bool(self._sql.value("replaced_since", submission=submission))


def _of_the_day(
    key: ReadingKey, wanted: _Register, in_force: Mapping[_Register, RecordedReading]
) -> dict[ReadingKey, RecordedReading]:
    """What other entities have handed in of a register on a day, at another hour."""
    day = _day(wanted[3])
    for register, known in in_force.items():
        is_of_it = register[:3] == wanted[:3] and _day(register[3]) == day
        if is_of_it and known.holders and known.value is not None:
            return {key: replace(known, newer=False, held=False, elsewhen=True)}
    return {}


def _day(seconds: int) -> date:
    return instant(seconds).astimezone(MOSCOW).date()


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
    return row.version_first, row.version_second, row.received_at, row.submission


def _register(row: Any) -> _Register:
    return row.meter_id, row.channel, row.zone, row.instant
