"""What an import of the register of points wants, compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Table

from layouts.months import midnight
from layouts.terms import LegalEntity, Meter, MeteringPoint, MeterRow, PointRow
from storage.columns import epoch

_Facts = dict[str, Any]
_Row = TypeVar("_Row", bound=MeterRow | PointRow)


@dataclass(slots=True)
class Wanted:
    """A row as an import wants it, beside the one that is stored.

    Attributes:
        key: What the audit calls it.
        concerns: User codes of the entities that a change of it concerns.
        number: Its id, None until it has one.
        owner: The row that it belongs to, with the name of the column for that.
        new_rows: What is to be true from a date and is not stored so.
        reason: Why it was wrong before, when this corrects it.
    """

    key: str
    concerns: set[str]
    number: int | None
    before: _Facts | None
    after: _Facts
    owner: tuple[str, Wanted] | None = None
    new_rows: Sequence[Any] = ()
    reason: str | None = None

    @property
    def differs(self) -> bool:
        """Whether it has to be made or changed."""
        return self.before != self.after or bool(self.new_rows)

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
    """Finds the stored row of each one that an import names.

    Attributes:
        renumbered: Point, old and new number of meters that only got another number.
    """

    def __init__(
        self, stored: Iterable[LegalEntity], since: date | None = None, reason: str | None = None
    ) -> None:
        self._since = since
        self._reason = reason
        self.renumbered: list[tuple[str, str, str]] = []
        self._entities = {entity.user_code: entity for entity in stored}
        self._points = {
            (point.code, point.area): (entity.user_code, point)
            for entity in self._entities.values()
            for point in entity.points
        }
        self._by_code: dict[str, list[tuple[str, MeteringPoint]]] = {}
        for found in self._points.values():
            self._by_code.setdefault(found[1].code, []).append(found)

    def entity(self, entity: LegalEntity) -> Wanted:
        """An entity without its points."""
        code, old = entity.user_code, self._entities.get(entity.user_code)
        before = _entity_facts(old) if old else None
        return Wanted(code, {code}, old.id if old else None, before, _entity_facts(entity))

    def point(self, point: MeteringPoint, entity: Wanted) -> Wanted:
        """A point of an entity, which another one may have had before."""
        before_owner, old = self._stored_point(point) or (entity.key, None)
        known = _point_rows(old, before_owner) if old else ()
        rows = self._rows_after(known, _point_rows(point, entity.key), stated=bool(point.rows))
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
            [row for row in rows if row not in known],
            self._reason,
        )

    def meter(self, meter: Meter, point: MeteringPoint, row: Wanted) -> Wanted:
        """A meter at a point, beside the one that is stored."""
        old = self.stored_meter(meter, point)
        if old is not None and old.number != meter.number:
            self.renumbered.append((point.code, old.number, meter.number))
        known = _meter_rows(old) if old else ()
        rows = self._rows_after(known, _meter_rows(meter), stated=bool(meter.rows))
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
            [one for one in rows if one not in known],
            self._reason,
        )

    def _rows_after(
        self, known: Sequence[_Row], wanted: Sequence[_Row], *, stated: bool
    ) -> list[_Row]:
        """All that is true from a date afterwards, the oldest first.

        Args:
            known: As stored; empty for what is new.
            wanted: As the import has it.
            stated: Whether the import itself says what is true from when.
        """
        if not known or stated:
            by_day: dict[date | None, _Row] = {row.valid_from: row for row in (*known, *wanted)}
            return sorted(by_day.values(), key=_first_day)
        newest, said = known[-1], wanted[0]
        if replace(said, valid_from=newest.valid_from) == newest:
            return list(known)
        begun = newest.valid_from or date.min
        if self._since is None or self._since <= begun:
            return [*known[:-1], replace(said, valid_from=newest.valid_from)]
        return [*known, replace(said, valid_from=self._since)]

    def _stored_point(self, point: MeteringPoint) -> tuple[str, MeteringPoint] | None:
        """Its holder and the point as stored; a new area makes no second point."""
        found = self._points.get((point.code, point.area))
        if found is not None:
            return found
        same = self._by_code.get(point.code, [])
        # Where one of both has no area, they cannot be two points.
        is_one = len(same) == 1 and (point.area is None or same[0][1].area is None)
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
        moved = [m for m in meters if m.installed not in stated and _together(m, meter)]
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


def _numbers(meter: Meter) -> tuple[str, ...]:
    return (meter.number, *(row.number for row in meter.rows))


def _together(one: Meter, other: Meter) -> bool:
    """Whether both say that they were there on one day; a meter may move within a day."""
    return (one.installed or date.min) < (other.removed or date.max) and (
        other.installed or date.min
    ) < (one.removed or date.max)


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
