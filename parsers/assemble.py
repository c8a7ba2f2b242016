"""Columns as read to `Series`: what both readers do once they know where things stand."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from layouts.document import UNDATED, Header, Parsed, Places, Series
from layouts.figures import Figure
from layouts.findings import Code, Finding, Findings, Place, finding
from layouts.layout import UNITS, Layout
from layouts.sequences import runs
from layouts.terms import Kind
from parsers.clock import clock
from parsers.fields import (
    REGISTER_DIGITS,
    Fault,
    Number,
    energies_at_once,
    energy,
    fitting,
    is_blank,
    is_zero,
    read_number,
    shown,
)
from parsers.grid import Cell
from parsers.grid_draft import TooCostlyError

_Row = TypeVar("_Row")

MOST_SERIES = 5_000
"""A document with more interval series, or register readings, than this is `too-costly`."""

MOST_MISTAKES = 5_000
"""A document with more wrong values is `too-costly`: each is read a second time, alone."""

MOST_IDLE = 3_000
"""So is a sheet with more rows in its tables that hold no value to be read, as totals do."""


@dataclass(slots=True)
class Column:
    """One interval series as read, before its texts are numbers.

    Attributes:
        named: Whether the document itself names the point.
        starts: Epoch seconds; None where a time could not be read, which a
            finding has already told.
        ends: Beside `starts`; None when the form has no ends.
        places: Lines or packed cells, as in `Places.at`.
        flagged: Indexes of values not fit for billing.
        empty: Cells left empty, packed, by the starts of their intervals.
    """

    area: str | None
    point: str | None
    channel: str
    named: bool
    starts: list[int | None]
    ends: list[int | None] | None
    values: list[Cell]
    places: list[int]
    flagged: set[int] = field(default_factory=set)
    empty: dict[int, int] = field(default_factory=dict)

    def extend(self, other: Column) -> None:
        """Take in more values of the same series."""
        offset = len(self.values)
        self.starts.extend(other.starts)
        if self.ends is not None:
            self.ends.extend(other.ends or ())
        self.values.extend(other.values)
        self.places.extend(other.places)
        self.flagged.update(offset + index for index in other.flagged)
        self.empty.update(other.empty)

    def keep(self, kept: Sequence[int]) -> None:
        """Leave out all values but those of these indexes."""
        self.starts = [self.starts[index] for index in kept]
        if self.ends is not None:
            self.ends = [self.ends[index] for index in kept]
        self.values = [self.values[index] for index in kept]
        self.flagged = {new for new, old in enumerate(kept) if old in self.flagged}
        self.places = [self.places[index] for index in kept]

    def leave_out_skipped(self, skipped: Sequence[int]) -> list[int]:
        """Leave out the zeros of hours that clocks skip, as systems of 24 hours write them.

        Returns:
            Those of the indexes that hold something else, as they were before.
        """
        zeros = {index for index in skipped if is_zero(self.values[index])}
        if zeros:
            self.keep([index for index in range(len(self.values)) if index not in zeros])
        return [index for index in skipped if index not in zeros]


@dataclass(frozen=True, slots=True)
class Reading:
    """One register reading as read.

    Attributes:
        zone: None where it could not be read, which a finding has told.
        instant: Likewise.
        unit: That of its column; None for the document's.
        dated: As in `Places.dated`.
    """

    point: str | None
    meter: str
    channel: str
    zone: str | None
    instant: int | None
    value: Cell
    place: int
    unit: str | None = None
    dated: int = 0


@dataclass(slots=True)
class Draft:
    """What a reader has found in one document so far.

    Attributes:
        sheet: Name of the sheet, None for XML.
        unit: Of the values; the layout's own unless the document states one.
        month: Start and end of the month the document says it is for, in epoch
            seconds; None when it says none.
        keys: Rows and columns of each table, with its `Places.keys`.
        figures: As in `Parsed.figures`.
        spoilt: As in `Parsed.spoilt`.
        mistakes: Values that were found wrong so far.
        added: How often a series was begun or went on.
        idle: Rows that held no value.
    """

    layout: Layout
    sheet: str | None
    unit: str
    header: Header = field(default_factory=Header)
    month: tuple[int, int] | None = None
    columns: dict[tuple[str | None, str | None, str], Column] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    points: set[tuple[str | None, str | None]] = field(default_factory=set)
    keys: list[tuple[range, range, Mapping[str, int]]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    spoilt: list[Series] = field(default_factory=list)
    mistakes: int = 0
    added: int = 0
    idle: int = 0

    def counted(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """The rows of a table, each counted after its turn.

        Raises:
            TooCostlyError: more of them than in any form are wrong, or hold no value.
        """
        for row in rows:
            before = self.added + len(self.readings)
            yield row
            self.idle += self.added + len(self.readings) == before
            counts = (
                (self.idle, MOST_IDLE),
                (len(self.readings), MOST_SERIES),
                (self.findings.total, MOST_MISTAKES),
            )
            for count, most in counts:
                if count > most:
                    raise TooCostlyError(str(most))

    def add_column(self, column: Column) -> None:
        """Keep a series, or add to the one of the same area, point and channel.

        Raises:
            TooCostlyError: they are more than any document has.
        """
        self.added += 1
        key = (column.area, column.point, column.channel)
        if key in self.columns:
            self.columns[key].extend(column)
        else:
            self.columns[key] = column
            if len(self.columns) > MOST_SERIES:
                raise TooCostlyError(str(MOST_SERIES))

    def places(
        self, at: Sequence[int], empty: Mapping[int, int] | None = None, dated: int = 0
    ) -> Places:
        """Places of this document."""
        row, column = Places.spot(at[0]) if at else (0, 0)
        tables = (keys for rows, columns, keys in self.keys if row in rows and column in columns)
        return Places(self.sheet, at, next(tables, {}), empty or {}, dated)


def assemble(draft: Draft) -> tuple[Series, ...]:
    """The series without a format mistake; the mistakes go to the draft's findings.

    Series with one are kept as the draft's `spoilt`.

    Raises:
        TooCostlyError: there are more mistakes than any document has.
    """
    made: list[Series] = []
    if draft.layout.kind is Kind.REGISTER:
        for reading in draft.readings:
            series, spoilt = _register(draft, reading)
            (draft.spoilt if spoilt else made).append(series)
    else:
        month = draft.month or _month(draft)
        if month is not None:
            start, end = instant(month[0]), instant(month[1])
            draft.header = replace(draft.header, period_start=start, period_end=end)
        for column in draft.columns.values():
            one, spoilt = _Interval(draft, column, month).series()
            if one is not None:
                (draft.spoilt if spoilt else made).append(one)
    if not made and not any(item.is_error for item in draft.findings):
        draft.findings.add(finding(Code.NOTHING_TO_RECORD))
    return tuple(made)


def _month(draft: Draft) -> tuple[int, int] | None:
    """The local month in which most of the document's intervals begin."""
    if draft.layout.period != "month":
        return None
    time = clock(draft.layout.zone)
    starts = [at for column in draft.columns.values() for at in column.starts if at is not None]
    if not starts:
        return None
    first = time.month(time.local(min(starts)).date())
    if first is not None and max(starts) < first[1]:
        return first
    months = Counter(time.month(time.local(start).date()) for start in starts)
    best = max(months.values())
    return next(month for month, count in months.items() if count == best)


class _Interval:
    """Makes one interval series; every mistake becomes a finding."""

    def __init__(self, draft: Draft, column: Column, month: tuple[int, int] | None) -> None:
        self._draft = draft
        self._column = column
        self._month = month
        self._step = draft.layout.step_minutes[0] * 60
        self._spoilt = None in column.starts or None in (column.ends or ())
        self._places = draft.places(column.places, column.empty)
        self._commas: list[int] = []

    def series(self) -> tuple[Series | None, bool]:
        """The series, and whether a format mistake keeps it from being recorded."""
        values = self._numbers()
        self._outside_month()
        kept = self._happened(values)
        if self._spoilt:
            ends = self._ends()
            kept = [i for i in kept if None not in (self._column.starts[i], ends[i])]
            for index in sorted({*range(len(values))} - {*kept}):
                # No rule sees what has no time.
                if (values[index] or 0) < 0:
                    self._wrong(Code.NEGATIVE_VALUE, index, index)
        if not kept:
            return self._undated() if self._spoilt else None, self._spoilt
        if len(kept) < len(values):
            values = [values[index] for index in kept]
            self._keep(kept)
        return self._made(values), self._spoilt

    def _tell(
        self,
        code: Code,
        first: int,
        last: int,
        *,
        place: Place | None = None,
        seen: str | None = None,
        **about: object,
    ) -> None:
        if self._draft.findings.is_counted(code):
            return
        column = self._column
        starts, ends = column.starts, self._ends()
        self._draft.findings.add(
            finding(
                code,
                place or self._places.place(first),
                seen=shown(column.values[first]) if seen is None else seen,
                area=column.area,
                point=column.point if column.named else None,
                channel=column.channel,
                start=instant(starts[first]),
                end=instant(ends[last]),
                count=last - first + 1,
                **about,
            )
        )

    def _wrong(self, code: Code, first: int, last: int, **about: Any) -> None:
        self._tell(code, first, last, **about)
        self._spoilt = True
        self._draft.mistakes += 1
        if self._draft.mistakes > MOST_MISTAKES:
            raise TooCostlyError(str(MOST_MISTAKES))

    def _ends(self) -> list[int | None]:
        column = self._column
        if column.ends is None:
            column.ends = [None if start is None else start + self._step for start in column.starts]
        return column.ends

    def _numbers(self) -> list[int | None]:
        column, layout = self._column, self._draft.layout
        power = UNITS[self._draft.unit]
        decimals = _decimals(layout, power)
        quick = energies_at_once(column.values, power, decimals)  # type: ignore[arg-type]
        if quick is not None:
            return list(quick)
        values = [self._number(i, cell, power, decimals) for i, cell in enumerate(column.values)]
        for first, last in runs(self._commas):
            self._tell(Code.DECIMAL_COMMA, first, last)
        return values

    def _number(self, index: int, cell: Cell, power: int, decimals: int) -> int | None:
        """One value in Wh; None, with a finding, when it is none."""
        if is_blank(cell):
            if index not in self._column.flagged:
                self._wrong(Code.MISSING_FIELD, index, index, field="value")
            return None
        number = read_number(cell, exponents=self._draft.sheet is not None)
        exact = energy(number.value, power, decimals) if isinstance(number, Number) else number
        if isinstance(exact, Fault):
            self._wrong(exact.code, index, index, **exact.about())
            return None
        if isinstance(number, Number) and number.comma:
            self._commas.append(index)
        return exact

    def _outside_month(self) -> None:
        if self._month is None:
            return
        first, end = self._month
        starts = self._column.starts
        outside = [i for i, at in enumerate(starts) if at is not None and not first <= at < end]
        time = clock(self._draft.layout.zone)
        about: dict[str, Any] = {"field": "date", "expected": time.local(first).strftime("%Y-%m")}
        if self._draft.month is not None:
            about["reason"] = "other-month"
        for start, last in runs(outside):
            # What is wrong is the date, whatever value stands beside it.
            day = time.local(starts[start] or 0).strftime("%d.%m.%Y")
            place = self._places.place_of("date", start)
            self._wrong(Code.INVALID_DATE, start, last, place=place, seen=day, **about)

    def _happened(self, values: list[int | None]) -> list[int]:
        """Indexes of values whose intervals had ended when the document was made."""
        created = self._draft.header.created
        everything = list(range(len(values)))
        if created is None or not self._draft.layout.future_zero:
            return everything
        now = int(created.timestamp())
        later = [i for i, end in enumerate(self._ends()) if end is not None and end > now]
        if not later:
            return everything
        for first, last in runs(index for index in later if values[index]):
            self._wrong(Code.READING_IN_FUTURE, first, last)
        gone = set(later)
        return [index for index in everything if index not in gone]

    def _keep(self, kept: Sequence[int]) -> None:
        column = self._column
        column.keep(kept)
        self._places = self._draft.places(column.places, column.empty)

    def _made(self, values: list[int | None]) -> Series:
        column = self._column
        starts = [start for start in column.starts if start is not None]
        ends = [end for end in self._ends() if end is not None]
        first, step = starts[0], ends[0] - starts[0]
        plain = starts == list(range(first, first + step * len(starts), step)) and (
            ends == list(range(first + step, first + step * (len(starts) + 1), step))
        )
        if not plain:
            step = _step(starts, ends)
        return Series(
            kind=Kind.INTERVAL,
            area=column.area,
            point=column.point,
            meter=None,
            channel=column.channel,
            zone=None,
            start=datetime.fromtimestamp(min(starts), UTC),
            step_minutes=step // 60,
            values=values,
            spans=None if plain else list(zip(starts, ends, strict=True)),
            not_commercial=frozenset(column.flagged),
            places=self._places,
            power=UNITS[self._draft.unit],
        )

    def _undated(self) -> Series:
        """The series without its values: what point and channel it is of is judged all the same."""
        column = self._column
        return Series(
            kind=Kind.INTERVAL,
            area=column.area,
            point=column.point,
            meter=None,
            channel=column.channel,
            zone=None,
            start=UNDATED,
            step_minutes=self._step // 60,
            values=(),
            places=self._draft.places(column.places[:1]),
        )


def _decimals(layout: Layout, power: int) -> int:
    """Most decimals in the document's unit: as exact as the layout's own one allows."""
    return max(0, layout.decimals + power - UNITS[layout.unit])


def _step(starts: list[int], ends: list[int]) -> int:
    """The most frequent length of an interval, in seconds."""
    lengths = Counter(end - start for start, end in zip(starts, ends, strict=True))
    return max(lengths, key=lambda length: lengths[length])


def instant(epoch: int | None) -> datetime | None:
    """A moment from its epoch seconds; None for none."""
    return None if epoch is None else datetime.fromtimestamp(epoch, UTC)


def _register(draft: Draft, reading: Reading) -> tuple[Series, bool]:
    """The series of a reading, and whether a format mistake keeps it from being recorded."""
    value = _on_the_face(draft, reading)
    unit = reading.unit or draft.unit
    series = Series(
        kind=Kind.REGISTER,
        area=None,
        point=reading.point,
        meter=reading.meter,
        channel=reading.channel,
        zone=reading.zone,
        start=instant(reading.instant) or UNDATED,
        step_minutes=0,
        values=() if value is None else (in_kwh(value, unit),),
        places=draft.places([reading.place], dated=reading.dated),
        power=UNITS[unit] - UNITS["kWh"],
    )
    return series, None in (value, reading.instant, reading.zone)


def _on_the_face(draft: Draft, reading: Reading) -> Decimal | None:
    """The number that a reading is; None, with a finding, when it is none."""
    if is_blank(reading.value):
        _tell_reading(draft, reading, Code.MISSING_FIELD, field="value")
        return None
    number = read_number(reading.value, exponents=draft.sheet is not None)
    if isinstance(number, Fault):
        _tell_reading(draft, reading, number.code, **number.about())
        return None
    fault = fitting(number.value, REGISTER_DIGITS, draft.layout.decimals)
    if fault is not None:
        _tell_reading(draft, reading, fault.code, **fault.about())
        return None
    if number.comma:
        _tell_reading(draft, reading, Code.DECIMAL_COMMA)
    return number.value


def _tell_reading(draft: Draft, reading: Reading, code: Code, **about: object) -> None:
    draft.findings.add(
        finding(
            code,
            draft.places([reading.place]).place(0),
            seen=shown(reading.value),
            point=reading.point,
            meter=reading.meter,
            channel=reading.channel,
            zone=reading.zone,
            start=instant(reading.instant),
            **about,
        )
    )


def in_kwh(value: Decimal, unit: str) -> Decimal:
    """A number of a unit in kWh or kvarh."""
    return value * Decimal(10) ** (UNITS[unit] - UNITS["kWh"])


def finished(draft: Draft, about: Parsed, series: tuple[Series, ...]) -> Parsed:
    """The document with all that the draft holds."""
    return Parsed(
        name=about.name,
        sha256=about.sha256,
        size=about.size,
        container=about.container,
        part=about.part,
        layout=draft.layout.number,
        header=draft.header,
        series=series,
        findings=(*about.findings, *sorted(draft.findings, key=_by_place)),
        points=frozenset(draft.points),
        figures=tuple(draft.figures),
        spoilt=tuple(draft.spoilt),
    )


_CELL = re.compile(r"([A-Z]+)(\d+)")


def _by_place(found: Finding) -> tuple[int, int, str]:
    """Where a finding stands among those of its document; those of no place come last."""
    cell = _CELL.match(found.place.cell or "")
    if cell is not None:
        return int(cell[2]), len(cell[1]), cell[1]
    if found.place.line is not None:
        return found.place.line, 0, ""
    return (sys.maxsize if found.place.sheet is None else 0), 0, ""
