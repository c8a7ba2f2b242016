"""What an import of the register of points wants, compared with what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Table

from layouts.months import midnight
from layouts.points import LegalEntity, Meter, MeteringPoint, MeterRow, PointRow
from storage.columns import epoch
from storage.records.registry import RowDifference, Steps, Touched

_Facts = dict[str, Any]
_Row = TypeVar("_Row", bound=MeterRow | PointRow)


_Effect = tuple[int | None, date | None, Steps]
"""Id of a point, from which day its consumption may change, and where."""


@dataclass(slots=True)
class Wanted:
    """A row as an import wants it, beside the one that is stored.

    Attributes:
        key: What the audit calls it.
        concerns: User codes of the entities that a change of it concerns.
        number: Its id, None until it has one.
        owner: The row that it belongs to, with the name of the column for that.
        known_rows: What was true when, as stored; empty for what is new.
        new_rows: What is to be true from a date and is not stored so.
        reason: Why it was wrong before, when this corrects it.
    """

    key: str
    concerns: set[str]
    number: int | None
    before: _Facts | None
    after: _Facts
    owner: tuple[str, Wanted] | None = None
    known_rows: Sequence[Any] = ()
    new_rows: Sequence[Any] = ()
    reason: str | None = None

    @property
    def differs(self) -> bool:
        """Whether it has to be made or changed."""
        return self.before != self.after or bool(self.new_rows)

    def differences(self, point: str) -> Iterator[RowDifference]:
        """What each new row says otherwise than the row that was in force on its day.

        Args:
            point: Code of the point that it is about.
        """
        if not self.known_rows:
            return
        for row in self.new_rows:
            was = in_force(self.known_rows, row.valid_from)
            names = [one.name for one in fields(row) if one.name != "valid_from"]
            facts = tuple(
                (name, getattr(was, name), getattr(row, name))
                for name in names
                if getattr(was, name) != getattr(row, name)
            )
            is_meter = isinstance(row, MeterRow)
            yield RowDifference(
                point, row.number if is_meter else None, row.valid_from, facts,
                is_correction=was.valid_from == row.valid_from,
            )  # fmt: skip

    @property
    def told(self) -> _Facts:
        """What the audit keeps of it afterwards."""
        dates = [str(row.valid_from) for row in self.new_rows if row.valid_from is not None]
        more: _Facts = {"valid_from": dates} if dates else {}
        if self.reason and self.before is not None:
            more["reason"] = self.reason
        return self.after | more

    def values(self, table: Table) -> _Facts:
        """Its columns."""
        values = {name: value for name, value in self.after.items() if name in table.c}
        if self.owner is not None:
            values[self.owner[0]] = self.owner[1].number
        return values


class Plan:
    """What an import makes of the stored register of points; nothing is written yet.

    Attributes:
        entities: Rows of entities, in the order of the import.
        points: Those of their points, each with the point as the import has it.
        meters: Those of the meters at these, each with point and meter.
        renumbered: Point, old and new number of meters that only got another number.
        unclear: Points, and meters at them, of which the import says another beginning
            without saying that what is on record was wrong.
        twins: Points that could be one that is stored, and another of the import as well.
    """

    def __init__(
        self,
        stored: Iterable[LegalEntity],
        wanted: Sequence[LegalEntity] = (),
        *,
        since: date | None = None,
        reason: str | None = None,
        silent: Collection[str] = (),
    ) -> None:
        self._since = since
        self._reason = reason
        self._silent = silent
        self.renumbered: list[tuple[str, str, str]] = []
        self.unclear: list[tuple[MeteringPoint, Meter | None]] = []
        self.twins: list[MeteringPoint] = []
        self._named = Counter(point.code for entity in wanted for point in entity.points)
        self._taken: dict[int | None, MeteringPoint] = {}
        self._entities = {entity.user_code: entity for entity in stored}
        self._points: dict[tuple[str, str | None], tuple[str, MeteringPoint]] = {}
        self._by_code: dict[str, list[tuple[str, MeteringPoint]]] = {}
        for entity in self._entities.values():
            for point in entity.points:
                for area in [row.area for row in point.rows]:
                    self._points.setdefault((point.code, area), (entity.user_code, point))
                self._by_code.setdefault(point.code, []).append((entity.user_code, point))
        for code, found in self._by_code.items():
            self._points |= {(code, point.area): (holder, point) for holder, point in found}
        self.stored = list(self._entities)
        self.entities = [self._entity(entity) for entity in wanted]
        self.points = [
            (self._point(point, row), point)
            for row, entity in zip(self.entities, wanted, strict=True)
            for point in entity.points
        ]
        self.meters = [
            (self._meter(meter, point, row), point, meter)
            for row, point in self.points
            for meter in point.meters
        ]

    def differences(self) -> tuple[RowDifference, ...]:
        """What it says otherwise than the rows that are stored."""
        found = [one for row, point in self.points for one in row.differences(point.code)]
        found += [one for row, point, _ in self.meters for one in row.differences(point.code)]
        return tuple(found)

    def dated(self) -> list[tuple[MeteringPoint, Meter | None, date]]:
        """Points and meters with each day from which the import itself has something new."""
        every: list[tuple[Wanted, MeteringPoint, Meter | None, Sequence[Any]]] = [
            *((row, point, None, point.rows) for row, point in self.points),
            *((row, point, meter, meter.rows) for row, point, meter in self.meters),
        ]
        return [
            (point, meter, new.valid_from)
            for row, point, meter, rows in every
            for new in row.new_rows
            if new.valid_from is not None
            and row.known_rows
            and any(one.valid_from == new.valid_from for one in rows)
            and not (self._reason and any(o.valid_from == new.valid_from for o in row.known_rows))
        ]

    def touched(self) -> dict[int, Touched]:
        """Stored points whose consumption may change.

        Holder, source, ratio and digits are what consumption is worked out with; a
        point's first meter may make the registers its source.
        """
        found: dict[int, Touched] = {}
        for number, day, steps in (*self._points_touched(), *self._meters_touched()):
            if number is not None:
                known = found.get(number, Touched(date.max, steps))
                found[number] = Touched(min(day or date.min, known.day), max(steps, known.steps))
        return found

    def _points_touched(self) -> Iterator[_Effect]:
        for row, _ in self.points:
            for one in row.differences(""):
                if {name for name, _, _ in one.facts} & {"holder", "source"}:
                    yield row.number, one.valid_from, Steps.ALL

    def _meters_touched(self) -> Iterator[_Effect]:
        stored = (point for entity in self._entities.values() for point in entity.points)
        metered = {point.id for point in stored if point.meters}
        points = {id(row): row.number for row, _ in self.points}
        for row, _, _ in self.meters:
            number = points.get(id(row.owner[1])) if row.owner else None
            for one in row.differences("") if number is not None else ():
                facts = {name for name, _, _ in one.facts}
                if facts & {"ratio", "digits"}:
                    steps = Steps.CONSUMING if "ratio" in facts else Steps.BACKWARD
                    yield number, one.valid_from, steps
            if row.before is None and number not in metered:
                yield number, None, Steps.ALL

    def _entity(self, entity: LegalEntity) -> Wanted:
        """An entity without its points."""
        code, old = entity.user_code, self._entities.get(entity.user_code)
        before = _entity_facts(old) if old else None
        return Wanted(code, {code}, old.id if old else None, before, _entity_facts(entity))

    def _point(self, point: MeteringPoint, entity: Wanted) -> Wanted:
        """A point of an entity, which another one may have had before."""
        before_owner, old = self._stored_point(point) or (entity.key, None)
        if old is None and self._by_code.get(point.code) and point.area is None:
            self.twins.append(point)
        if old is not None and self._taken.setdefault(old.id, point) is not point:
            self.twins.append(point)
        if old is not None:
            point = _silently(point, old, self._silent)
        known = _point_rows(old, before_owner) if old else ()
        rows = self._rows_after(known, _point_rows(point, entity.key), stated=bool(point.rows))
        if rows is None:
            self.unclear.append((point, None))
            rows = list(known)
        newest = rows[-1]
        after = _point_facts(point) | {
            "area": newest.area or "",
            "max_power_kw": newest.max_power_kw,
            "active": newest.active,
            "source": newest.source,
            "entity": newest.holder,
        }
        return Wanted(
            point.code,
            {entity.key, before_owner},
            old.id if old else None,
            _point_facts(old) | {"entity": before_owner} if old else None,
            after,
            ("entity_id", entity),
            known,
            [row for row in rows if row not in known],
            self._reason,
        )

    def _meter(self, meter: Meter, point: MeteringPoint, row: Wanted) -> Wanted:
        """A meter at a point, beside the one that is stored."""
        old = self.stored_meter(meter, point)
        if old is not None and meter.number not in _numbers(old):
            self.renumbered.append((point.code, old.number, meter.number))
        known = _meter_rows(old) if old else ()
        # One that is named by two of its numbers is told row by row as well.
        stated = bool(meter.rows) or any(
            old is not None and other is not meter and self.stored_meter(other, point) is old
            for other in point.meters
        )
        rows = self._rows_after(known, _meter_rows(meter), stated=stated)
        if rows is None:
            self.unclear.append((point, meter))
            rows = list(known)
        newest = rows[-1]
        at_point = {"point": point.code}
        after = _meter_facts(meter) | {
            "number": newest.number,
            "digits": newest.digits,
            "decimals": newest.decimals,
            "ratio": newest.ratio,
        }
        return Wanted(
            meter.number,
            row.concerns,
            old.id if old else None,
            _meter_facts(old) | at_point if old else None,
            after | at_point,
            ("point_id", row),
            known,
            [one for one in rows if one not in known],
            self._reason,
        )

    def _rows_after(
        self, known: Sequence[_Row], wanted: Sequence[_Row], *, stated: bool
    ) -> list[_Row] | None:
        """All that is true from a date afterwards, the oldest first.

        Args:
            known: As stored; empty for what is new.
            wanted: As the import has it, the oldest first.
            stated: Whether the import itself says what is true from when.

        Returns:
            None where it says another beginning and not that this was wrong.
        """
        if not known:
            # What is known first is so from the beginning.
            return [replace(wanted[0], valid_from=None), *wanted[1:]]
        if stated:
            return self._stated(known, wanted)
        newest, said = known[-1], wanted[0]
        if replace(said, valid_from=newest.valid_from) == newest:
            return list(known)
        begun = newest.valid_from or date.min
        if self._since is None or self._since <= begun:
            return [*known[:-1], replace(said, valid_from=newest.valid_from)]
        return [*known, replace(said, valid_from=self._since)]

    def _stated(self, known: Sequence[_Row], wanted: Sequence[_Row]) -> list[_Row] | None:
        by_day: dict[date | None, _Row] = {row.valid_from: row for row in known}
        for row in wanted:
            after = sorted(by_day.values(), key=_first_day)
            if row.valid_from is None and None not in by_day:
                row = replace(row, valid_from=after[0].valid_from)  # noqa: PLW2901
            is_new = row.valid_from not in by_day
            if is_new and replace(in_force(after, row.valid_from), valid_from=None) == replace(
                row, valid_from=None
            ):
                continue
            if _first_day(row) == _first_day(known[0]) and row != known[0]:
                if replace(row, valid_from=known[-1].valid_from) == known[-1]:
                    continue
                if self._reason is None:
                    return None
            by_day[row.valid_from] = row
        return sorted(by_day.values(), key=_first_day)

    def _stored_point(self, point: MeteringPoint) -> tuple[str, MeteringPoint] | None:
        """Its holder and the point as stored; a new area makes no second point."""
        for area in [point.area, *(row.area for row in reversed(point.rows))]:
            if (found := self._points.get((point.code, area))) is not None:
                return found
        same = self._by_code.get(point.code, [])
        if len(same) != 1:
            return None
        # Where one of both has no area, or both have one meter, they cannot be two points.
        old = same[0][1]
        is_one = point.area is None or old.area is None
        if self._named[point.code] == 1:
            is_one = is_one or bool(_devices(old) & _devices(point))
        return same[0] if is_one else None

    def stored_meter(self, meter: Meter, point: MeteringPoint) -> Meter | None:
        """The stored meter that a meter of a file is.

        The same number installed another day is another one, unless both could not
        have been there: then the day was corrected. A new number in the place of one
        that the file no longer has, installed the same day, is the same meter.
        """
        found = self._stored_point(point)
        stored = found[1].meters if found else ()
        meters = [m for m in stored if meter.number in _numbers(m)]
        stated = {m.installed for m in point.meters if m.number == meter.number}
        same = [m for m in meters if m.installed == meter.installed]
        moved = [m for m in meters if m.installed not in stated and m.overlaps(meter)]
        if same or moved:
            return (same or moved)[0]
        mentioned = {number for m in point.meters for number in _numbers(m)}
        gone = [
            m for m in stored if m.installed == meter.installed and not mentioned & set(_numbers(m))
        ]
        new = [
            m
            for m in point.meters
            if m.installed == meter.installed
            and not any(set(_numbers(m)) & set(_numbers(known)) for known in stored)
        ]
        return gone[0] if len(gone) == 1 and len(new) == 1 else None


def _first_day(row: MeterRow | PointRow) -> date:
    return row.valid_from or date.min


def in_force(rows: Sequence[_Row], day: date | None) -> _Row:
    """The last row that has begun on a day; before the first one, that one."""
    begun = [row for row in rows if _first_day(row) <= (day or date.min)]
    return begun[-1] if begun else rows[0]


def _devices(point: MeteringPoint) -> set[tuple[str, date | None]]:
    return {(number, meter.installed) for meter in point.meters for number in _numbers(meter)}


def _silently(point: MeteringPoint, old: MeteringPoint, silent: Collection[str]) -> MeteringPoint:
    """The point with what the import has no column for as it is stored."""
    for name in {"source", "load"} & set(silent):
        point = replace(point, **{name: getattr(old, name)})
    if "source" in silent and point.rows:
        known = old.rows or (PointRow(None, source=old.source),)
        rows = [replace(r, source=in_force(known, r.valid_from).source) for r in point.rows]
        point = replace(point, rows=tuple(rows))
    return point


def _numbers(meter: Meter) -> tuple[str, ...]:
    return (meter.number, *(row.number for row in meter.rows))


def _point_rows(point: MeteringPoint, holder: str) -> tuple[PointRow, ...]:
    if point.rows:
        return tuple(replace(row, holder=row.holder or holder) for row in point.rows)
    return (PointRow(None, holder, point.area, point.max_power_kw, point.active, point.source),)


def _meter_rows(meter: Meter) -> tuple[MeterRow, ...]:
    plain = MeterRow(None, meter.number, meter.ratio, meter.digits, meter.decimals)
    return meter.rows or (plain,)


def row_values(row: MeterRow | PointRow, holders: Mapping[str, int] | None) -> _Facts:
    """The columns of a row that is true from a date."""
    begins = 0 if row.valid_from is None else epoch(midnight(row.valid_from))
    if isinstance(row, MeterRow):
        names = ("number", "ratio", "digits", "decimals")
        facts = {name: getattr(row, name) for name in names}
    else:
        facts = {
            "entity_id": (holders or {})[row.holder],
            "area": row.area or "",
            "max_power_kw": row.max_power_kw,
            "active": row.active,
            "source": row.source,
        }
    return {"begins": begins, "valid_from": row.valid_from, **facts}


def _entity_facts(entity: LegalEntity) -> _Facts:
    names = ("user_code", "name", "inn", "addresses", "active")
    return {name: getattr(entity, name) for name in names}


def _point_facts(point: MeteringPoint) -> _Facts:
    names = ("code", "name", "max_power_kw", "channels", "active", "source", "load")
    return {name: getattr(point, name) for name in names} | {"area": point.area or ""}


def _meter_facts(meter: Meter) -> _Facts:
    names = ("number", "digits", "decimals", "ratio", "installed", "removed", "channels", "zones")
    return {name: getattr(meter, name) for name in names}
