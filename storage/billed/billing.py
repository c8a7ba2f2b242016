"""Accepted values for billing, read piece by piece: a month may hold millions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from layouts.consumed import consumed_wh, is_rollover
from layouts.exact import decimal
from layouts.months import bounds, midnight
from layouts.sequences import pieces
from layouts.terms import quantity_of
from storage.billed import selected
from storage.billed.selected import grouped, register_of, row_of_step
from storage.columns import epoch
from storage.readings.places import place_at
from storage.records.billing import Quality
from storage.session import Part
from storage.tables.letters import LETTER, SUBMISSION
from storage.tables.points import ENTITY, METER, POINT
from storage.tables.values import CARRIED, SERIES

_SERIES_AT_ONCE = 50
"""Fifty months of half-hours are 74,400 values: all that is held at any time."""

_SUMS_AT_ONCE = 1000


class Grain(StrEnum):
    """How finely profiles are told."""

    INTERVAL = "interval"
    DAY = "day"
    MONTH = "month"


class Remark(StrEnum):
    """Why a register reading's consumption is none, or not the plain difference."""

    FIRST = "first"
    ROLLOVER = "rollover"
    WENT_BACK = "went-back"


PointNames = tuple[str, str | None, str]
"""User code of the holder, area and code, as they are today."""

PointPlace = tuple[str, str, str]
"""User code of the holder, code and area: by which points are put in order."""


class BillingRow(NamedTuple):
    """One accepted value, or one that was; docs/readings.md tells of every column.

    Instants are epoch seconds. `energy` and `billed` are in Wh or varh, the readings
    in kWh or kvarh as on the meter's face. `placed` is where a point stands in billing's
    order when its names are not those of its rows: by its names of the month's beginning.
    """

    kind: str
    entity: str
    area: str | None
    point: str
    meter: str | None
    channel: str
    zone: str | None
    start: int | None
    end: int
    step_minutes: int | None
    unit: str
    energy: int | None
    billed: int | None
    value_count: int
    not_commercial_count: int
    missing_count: int
    reading: Decimal | None
    previous_reading: Decimal | None
    ratio: Decimal | None
    remark: str | None
    receipt: int
    letter: int
    received_at: int
    quality: str = Quality.VALID
    suspicions: str | None = None
    late: bool = False
    place: str | None = None
    state: str | None = None
    replaced_at: int | None = None
    replaced_by: int | None = None
    replaced_by_letter: int | None = None
    replaced_who: str | None = None
    placed: PointPlace | None = None

    @property
    def place_in_order(self) -> PointPlace:
        """By which rows of a kind are in order."""
        return self.placed or (self.entity, self.point, self.area or "")


@dataclass(frozen=True, slots=True)
class _Series:
    """An interval series by its names."""

    id: int
    entity: str
    area: str | None
    point: str
    channel: str
    step_minutes: int

    @property
    def names(self) -> tuple[str, str, str | None, str, None, str, None]:
        """The first columns of its rows."""
        return "interval", self.entity, self.area, self.point, None, self.channel, None

    @property
    def unit(self) -> str:
        """What its energy is counted in."""
        return quantity_of(self.channel).interval_unit


class _Came(NamedTuple):
    """How a value came: the submission's letter, moment and sender.

    Attributes:
        late: Whether it came after its deadline.
        withdraws: Whether it is an operator's withdrawal.
    """

    letter: int
    received_at: int
    sender: str
    late: bool
    withdraws: bool


class Billing(Part):
    """The values in force in a month, and those that were, in billing's order."""

    def _of_today(
        self,
        month: date,
        grain: Grain,
        holders: Collection[str] | None,
        cuts: Mapping[PointNames, Sequence[int]],
        places: Mapping[PointNames, PointPlace],
        *,
        history: bool = False,
        as_of: datetime | None = None,
        point: int | None = None,
    ) -> Iterator[BillingRow]:
        """Accepted values: profiles by point, channel and time, then register readings.

        Each is told under its point's names of today.

        Args:
            month: Any day of it; a Moscow month.
            grain: Of profiles; register readings are always told one by one.
            holders: Only of points that entities of these user codes hold today.
            cuts: Moments at which a point's sums over a month are divided, in their order.
            places: Of points that stand elsewhere than by their names of today.
            history: Also what was replaced, before what replaced it; only with
                `Grain.INTERVAL`.
            as_of: Values as they were in force then, by the register of points and the
                suspicions of today; not with `history`.
            point: Only of the point with this id.
        """
        came = _Submissions(self._came)
        then = None if as_of is None else epoch(as_of)
        series = self._series(holders, point, places)
        if grain is Grain.INTERVAL:
            yield from self._intervals(series, month, came, then, history=history)
        else:
            for spans, several in groupby(series, partial(_spans, month, grain, cuts)):
                yield from self._sums_by(list(several), spans, came, then)
        meters = self._meters_named(holders, point, places)
        yield from self._registers_of(month, meters, came, then, history=history)

    def _came(self, numbers: Sequence[int]) -> Iterator[tuple[int, _Came]]:
        rows = self._each(
            numbers,
            lambda ids: (
                select(
                    SUBMISSION.c.id, SUBMISSION.c.letter_id, SUBMISSION.c.received_at,
                    SUBMISSION.c.withdraws, LETTER.c.sender, selected.IS_LATE.label("late"),
                )
                .join_from(SUBMISSION, LETTER)
                .where(SUBMISSION.c.id.in_(ids))
            ),
        )  # fmt: skip
        for row in rows:
            how = row.letter_id, epoch(row.received_at), row.sender
            yield row.id, _Came(*how, late=bool(row.late), withdraws=row.withdraws is not None)

    def _series(
        self,
        holders: Collection[str] | None,
        point: int | None,
        places: Mapping[PointNames, PointPlace],
    ) -> list[_Series]:
        statement = (
            select(
                SERIES.c.id, SERIES.c.channel, SERIES.c.step_minutes,
                POINT.c.code, POINT.c.area, ENTITY.c.user_code,
            )
            .join_from(SERIES, POINT)
            .join(ENTITY, ENTITY.c.id == POINT.c.entity_id)
        )  # fmt: skip
        if holders is not None:
            statement = statement.where(ENTITY.c.user_code.in_(holders))
        if point is not None:
            statement = statement.where(POINT.c.id == point)
        found = [
            _Series(r.id, r.user_code, r.area or None, r.code, r.channel, r.step_minutes)
            for r in self._connection.execute(statement)
        ]
        # Databases sort text each in its own way.
        return sorted(
            found,
            key=lambda s: (*_place(places, s.entity, s.area, s.point), s.channel, s.step_minutes),
        )

    def _intervals(
        self,
        series: Sequence[_Series],
        month: date,
        came: _Submissions,
        then: int | None,
        *,
        history: bool,
    ) -> Iterator[BillingRow]:
        start, end = (epoch(moment) for moment in bounds(month))
        for piece in pieces(series, _SERIES_AT_ONCE):
            numbers = [one.id for one in piece]
            values = self._by_series(selected.values(numbers, start, end, then))
            was = self._by_series(selected.replaced(numbers, start, end)) if history else {}
            spans = self._by_series(selected.spans(numbers, start, end)) if history else {}
            suspect = self._suspect_values(numbers, start, end)
            came.learn(row.submission_id for rows in values.values() for row in rows)
            came.learn(n for rows in was.values() for r in rows for n in _both(r))
            for one in piece:
                rows = _intervals_of(one, values[one.id], came, suspect.get(one.id))
                if not history:
                    yield from rows
                    continue
                now = [row._replace(state="in-force") for row in rows]
                told = _intervals_of(one, was[one.id], came)
                before = [_was(*pair, came) for pair in zip(told, was[one.id], strict=True)]
                every = sorted([*now, *before], key=_in_time)
                yield from (_placed(row, spans[one.id]) for row in every)

    def _by_series(self, statement: Select[Any]) -> Mapping[int, list[Any]]:
        return grouped(self._connection.execute(statement), "series_id")

    def _sums_by(
        self,
        series: Sequence[_Series],
        spans: Sequence[tuple[int, int]],
        came: _Submissions,
        then: int | None,
    ) -> Iterator[BillingRow]:
        for piece in pieces(series, _SUMS_AT_ONCE):
            numbers = [one.id for one in piece]
            sums: dict[int, dict[int, Any]] = defaultdict(dict)
            for first, last, length in _stretches(spans):
                for row in self._connection.execute(
                    selected.sums(numbers, first, last, length, then)
                ):
                    sums[row.series_id][first + row.bucket * length] = row
            came.learn(row.submission_id for rows in sums.values() for row in rows.values())
            suspect = self._suspect_values(numbers, spans[0][0], spans[-1][1])
            late = self._late_values(numbers, spans[0][0], spans[-1][1])
            for one in piece:
                for start, end in spans:
                    if start in sums[one.id]:
                        told = _sum(one, sums[one.id][start], start, end, came)
                        of_span = (
                            codes
                            for at, codes in suspect.get(one.id, {}).items()
                            if start <= at < end
                        )
                        flagged = told.not_commercial_count > 0
                        quality = _quality(set().union(*of_span))
                        if flagged and quality[1] is None:
                            quality = _quality(None, flagged=True)
                        yield told._replace(
                            quality=quality[0],
                            suspicions=quality[1],
                            late=any(start <= at < end for at in late[one.id]),
                        )

    def _registers_of(
        self,
        month: date,
        meters: Sequence[Any],
        came: _Submissions,
        then: int | None,
        *,
        history: bool,
    ) -> Iterator[BillingRow]:
        start, end = (epoch(moment) for moment in bounds(month))
        numbers = [meter.id for meter in meters]
        before, inside = self._read_in(numbers, start, end, then)
        replaced = self._each(numbers, selected.was_read(start, end)) if history else ()
        was = grouped(replaced, "meter_id")
        came.learn(row.submission_id for rows in inside.values() for row in rows)
        came.learn(n for rows in was.values() for r in rows for n in _both(r))
        suspect = self._suspect_readings(numbers, start, end)
        true_from = grouped(self._asked(selected.METERS_IN_FORCE, numbers), "meter_id")
        at = self._places_read(numbers, start, end) if history else {}
        for meter in meters:
            rows: list[BillingRow] = []
            previous = before
            for row in sorted(inside[meter.id], key=lambda row: row.instant):
                counted, key = row_of_step(true_from[meter.id], row.instant), register_of(row)
                told = _reading(meter, counted, row, previous.get(key), came)
                if codes := suspect.get((*key, row.instant)):
                    quality, suspicions = _quality(codes)
                    told = told._replace(quality=quality, suspicions=suspicions)
                rows.append(told._replace(state="in-force") if history else told)
                previous[key] = row
            rows += [
                _was_reading(meter, row_of_step(true_from[meter.id], row.instant), row, came)
                for row in was[meter.id]
            ]
            if at:
                keys = ((meter.id, row.channel, row.zone, row.end, row.receipt) for row in rows)
                rows = [r._replace(place=at.get(key)) for r, key in zip(rows, keys, strict=True)]
            yield from sorted(rows, key=lambda row: (row.channel, row.zone, *_in_time(row)))

    def _read_in(
        self, numbers: Sequence[int], start: int, end: int, then: int | None
    ) -> tuple[dict[tuple[int, str, str], Any], Mapping[int, list[Any]]]:
        """The last reading of each register before a month, and by meter those within it."""
        if then is None:
            before = self._each(numbers, selected.last_until(start))
            inside = self._each(numbers, selected.read_within(start, end))
        else:
            known = self._asked(selected.READ_THEN, numbers, last=end, as_of=then)
            before = [row for row in known if row.instant <= start]
            inside = [row for row in known if row.instant > start]
        return {register_of(row): row for row in before}, grouped(inside, "meter_id")

    def _asked(self, statement: Any, keys: Sequence[int], **more: int) -> list[Any]:
        return [
            row
            for piece in self._pieces(list(keys))
            for row in self._connection.execute(statement, {"keys": piece, **more})
        ]

    def _suspect_values(
        self, series: Sequence[int], start: int, end: int
    ) -> dict[int, dict[int, set[str]]]:
        """Codes of open suspicions, by series and start of the value."""
        found: dict[int, dict[int, set[str]]] = {}
        for row in self._asked(selected.SUSPECT_VALUES, series, first=start, last=end):
            found.setdefault(row.series_id, {}).setdefault(row.start, set()).add(row.code)
        return found

    def _late_values(self, series: Sequence[int], start: int, end: int) -> Mapping[int, list[int]]:
        """By series: the first start of each day's late values."""
        found: dict[int, list[int]] = defaultdict(list)
        for row in self._asked(selected.LATE_VALUES, series, first=start, last=end):
            found[row.series_id].append(row.start)
        return found

    def _suspect_readings(
        self, meters: Sequence[int], start: int, end: int
    ) -> dict[tuple[int, str, str, int], set[str]]:
        """The same, by register and instant."""
        found: dict[tuple[int, str, str, int], set[str]] = defaultdict(set)
        for row in self._asked(selected.SUSPECT_READINGS, meters, first=start, last=end):
            found[(*register_of(row), row.instant)].add(row.code)
        return found

    def _places_read(
        self, meters: Sequence[int], start: int, end: int
    ) -> dict[tuple[int, str, str | None, int, int], str]:
        """By meter, channel, zone, instant and submission: the line or cell of a reading."""
        rows = self._each(
            meters,
            lambda ids: select(CARRIED).where(
                CARRIED.c.meter_id.in_(ids), CARRIED.c.instant > start, CARRIED.c.instant <= end
            ),
        )
        return {
            (row.meter_id, row.channel, row.zone, row.instant, row.submission_id): str(
                place_at(row.places, 0)
            )
            for row in rows
            if row.places
        }

    def _meters_named(
        self,
        holders: Collection[str] | None,
        point: int | None,
        places: Mapping[PointNames, PointPlace],
    ) -> list[Any]:
        statement = (
            select(METER, POINT.c.code, POINT.c.area, ENTITY.c.user_code)
            .join_from(METER, POINT)
            .join(ENTITY, ENTITY.c.id == POINT.c.entity_id)
        )
        if holders is not None:
            statement = statement.where(ENTITY.c.user_code.in_(holders))
        if point is not None:
            statement = statement.where(POINT.c.id == point)
        return sorted(
            self._connection.execute(statement),
            key=lambda r: (
                *_place(places, r.user_code, r.area or None, r.code),
                str(r.installed or ""),
                r.number,
            ),
        )


class _Submissions:
    """How values came, each submission asked for once."""

    def __init__(self, ask: Callable[[Sequence[int]], Iterable[tuple[int, _Came]]]) -> None:
        self._ask = ask
        self._known: dict[int, _Came] = {}

    def learn(self, numbers: Iterable[int]) -> None:
        """Ask for those that are not known yet."""
        new = set(numbers) - self._known.keys()
        self._known.update(self._ask(sorted(new)))

    def __getitem__(self, number: int) -> _Came:
        return self._known[number]


def _both(row: Any) -> tuple[int, int]:
    return row.submission_id, row.replaced_by


def _in_time(row: BillingRow) -> tuple[int, float]:
    """By the value's own time; what was replaced stands before what replaced it."""
    replaced = float("inf") if row.replaced_by is None else row.replaced_by
    return row.end, replaced


def _intervals_of(
    one: _Series,
    rows: Iterable[Any],
    came: _Submissions,
    suspect: Mapping[int, set[str]] | None = None,
) -> Iterator[BillingRow]:
    names, unit, step, seconds = one.names, one.unit, one.step_minutes, one.step_minutes * 60
    for row in rows:
        # By position, and what they share made once: a month has millions of them.
        _, start, energy, flagged, receipt = row[:5]
        by = came[receipt]
        yield BillingRow(
            *names, start, start + seconds, step, unit, energy, None if flagged else energy,
            int(energy is not None), int(flagged), int(energy is None), None, None, None, None,
            receipt, by.letter, by.received_at,
            *_quality(suspect.get(start) if suspect else None, flagged=flagged), by.late,
        )  # fmt: skip


def _quality(codes: set[str] | None, *, flagged: bool = False) -> tuple[Quality, str | None]:
    told = ",".join(sorted(codes)) if codes else None
    if flagged:
        return Quality.NOT_COMMERCIAL, told
    return (Quality.SUSPECT if told else Quality.VALID), told


def _was(told: BillingRow, row: Any, came: _Submissions) -> BillingRow:
    """A value that is no longer in force: never billed, with who ended it and when."""
    by = came[row.replaced_by]
    return told._replace(
        billed=None,
        state="withdrawn" if by.withdraws else "replaced",
        replaced_at=epoch(row.replaced_at),
        replaced_by=row.replaced_by,
        replaced_by_letter=by.letter,
        replaced_who=by.sender,
    )


def _placed(told: BillingRow, spans: Sequence[Any]) -> BillingRow:
    """The value with its line or cell in the document that brought it."""
    start, seconds = told.start or 0, (told.step_minutes or 0) * 60
    for span in spans:
        if span.submission_id == told.receipt and span.start <= start < span.end:
            place = place_at(span.places, (start - span.start) // seconds)
            return told._replace(place=str(place) or None)
    return told


def _place(
    places: Mapping[PointNames, PointPlace], holder: str, area: str | None, code: str
) -> PointPlace:
    return places.get((holder, area, code), (holder, code, area or ""))


def _spans(
    month: date, grain: Grain, cuts: Mapping[PointNames, Sequence[int]], one: _Series
) -> list[tuple[int, int]]:
    """What a series is summed over: days, or the month, divided where it is to be."""
    if grain is Grain.DAY:
        return _days(month)
    start, end = _span(*bounds(month))
    within = [at for at in cuts.get((one.entity, one.area, one.point), ()) if start < at < end]
    return list(pairwise([start, *within, end]))


def _sum(one: _Series, row: Any, start: int, end: int, came: _Submissions) -> BillingRow:
    by = came[row.submission_id]
    return BillingRow(
        *one.names,
        start=start,
        end=end,
        step_minutes=one.step_minutes,
        unit=one.unit,
        energy=int(row.energy),
        billed=int(row.billed),
        value_count=row.present,
        not_commercial_count=int(row.flagged),
        missing_count=(end - start) // (one.step_minutes * 60) - row.present,
        reading=None,
        previous_reading=None,
        ratio=None,
        remark=None,
        receipt=row.submission_id,
        letter=by.letter,
        received_at=by.received_at,
    )


def _reading(meter: Any, counted: Any, row: Any, before: Any, came: _Submissions) -> BillingRow:
    ratio = decimal(counted.ratio)
    energy, remark = None, Remark.FIRST
    if before is not None:
        energy = consumed_wh(before.value, row.value, ratio, counted.digits)
        rolled = is_rollover(before.value, row.value, counted.digits)
        remark = Remark.ROLLOVER if rolled else Remark.WENT_BACK
    by = came[row.submission_id]
    plain = before is not None and row.value >= before.value
    return BillingRow(
        "register",
        meter.user_code,
        meter.area or None,
        meter.code,
        counted.number,
        row.channel,
        row.zone,
        start=before.instant if before is not None else None,
        end=row.instant,
        step_minutes=None,
        unit=quantity_of(row.channel).interval_unit,
        energy=energy,
        billed=energy,
        value_count=1,
        not_commercial_count=0,
        missing_count=0,
        reading=row.value,
        previous_reading=before.value if before is not None else None,
        ratio=ratio,
        remark=None if plain else remark.value,
        receipt=row.submission_id,
        letter=by.letter,
        received_at=by.received_at,
        late=by.late,
    )


def _was_reading(meter: Any, counted: Any, row: Any, came: _Submissions) -> BillingRow:
    # The consumption of a replaced reading was never billed.
    told = _reading(meter, counted, row, None, came)._replace(remark=None)
    return _was(told, row, came)


def _span(start: datetime, end: datetime) -> tuple[int, int]:
    return epoch(start), epoch(end)


def _days(month: date) -> list[tuple[int, int]]:
    """The Moscow days of a month; those of the changeovers before 2014 are 23 or 25 hours."""
    first, last = (moment.date() for moment in bounds(month))
    days = [first + timedelta(days=n) for n in range((last - first).days)]
    return [_span(midnight(day), midnight(day + timedelta(days=1))) for day in days]


def _stretches(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Spans that follow one another at one length, as (start, end, length)."""
    start = 0
    for index in range(1, len(spans) + 1):
        length = spans[start][1] - spans[start][0]
        if index == len(spans) or spans[index][1] - spans[index][0] != length:
            yield spans[start][0], spans[index - 1][1], length
            start = index
