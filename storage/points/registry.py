"""The register of points: legal entities, their points, the meters at them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Table, select

from layouts.exact import decimal
from layouts.months import midnight
from layouts.points import LegalEntity, Meter, MeteringPoint, MeterRow, PointRow
from storage.audit import Audit
from storage.columns import epoch, instant
from storage.points.import_plan import Plan, Wanted, in_force, row_values
from storage.records.access import mark_of
from storage.records.registry import ImportReport
from storage.session import Part, Session
from storage.tables.points import ENTITY, METER, METER_ROW, POINT, POINT_ROW

_Row = TypeVar("_Row", bound=MeterRow | PointRow)


class Registry(Part):
    """Entities whole; and what an import changes, with its audit."""

    matter = "registry"

    def __init__(self, session: Session, audit: Audit) -> None:
        super().__init__(session)
        self._audit = audit

    def entity(self, user_code: str) -> LegalEntity | None:
        """The legal entity with its points and meters, also an inactive one."""
        return next(iter(self._single(self._sql.rows("entity", user_code=user_code))), None)

    def bare(self, user_code: str) -> LegalEntity | None:
        """The same without its points: cheap where name, addresses and password are enough."""
        row = self._sql.row("entity", user_code=user_code)
        return None if row is None else _entity(row, ())

    def entity_without_zeros(self, user_code: str) -> LegalEntity | None:
        """The one entity whose code is this one before it lost its leading zeros."""
        rows = self._sql.rows("entities_without_zeros", bare=user_code.lstrip("0"))
        return self._single(rows)[0] if len(rows) == 1 else None

    def entities_by_inn(self, inn: str) -> list[LegalEntity]:
        """Every active entity with this taxpayer number."""
        return self._single(self._sql.rows("entities_by_inn", inn=inn))

    def lists(self, address: str) -> bool:
        """Whether it is an address of an active entity; the case of letters is no matter."""
        # Addresses are kept as words with one blank between them.
        is_word = bool(address) and not re.search(r"\s", address)
        return is_word and self._sql.value("listed", address=f" {address.lower()} ") is not None

    def entities(self) -> list[LegalEntity]:
        """Every legal entity, by user code."""
        return self._whole(self._sql.rows("entities"))

    def named(self) -> list[LegalEntity]:
        """Every legal entity by user code, without its points."""
        return [_entity(row, ()) for row in self._sql.rows("entities")]

    def active_after(self, user_code: str, most: int) -> list[str]:
        """User codes of active entities behind one, so many of them."""
        rows = self._sql.tuples("active_after", after=user_code, most=most)
        return [code for (code,) in rows]

    def these(self, user_codes: Sequence[str]) -> list[LegalEntity]:
        """Legal entities with these user codes, with the points that they have now."""
        return self._whole(self._listed("entities_of", user_codes))

    def shared(self) -> frozenset[int]:
        """Ids of entities that hold or held a point which another one held at some time."""
        return frozenset(row.entity_id for row in self._sql.rows("sharing"))

    def _single(self, rows: Sequence[Any]) -> list[LegalEntity]:
        """Entities also with the points that they held at other times."""
        found = self._listed("points_ever_of", [row.id for row in rows])
        found.sort(key=lambda row: (row.code, row.area))
        points: dict[int, list[MeteringPoint]] = defaultdict(list)
        held: dict[int, list[MeteringPoint]] = defaultdict(list)
        for row, point in zip(found, self._made(found), strict=True):
            (points if row.holder == row.entity_id else held)[row.holder].append(point)
        return [
            replace(_entity(row, points[row.id]), held_at_times=tuple(held[row.id])) for row in rows
        ]

    def _whole(self, rows: Sequence[Any]) -> list[LegalEntity]:
        found = self._listed("points_of", [row.id for row in rows])
        found.sort(key=lambda row: (row.code, row.area))
        points: dict[int, list[MeteringPoint]] = defaultdict(list)
        for row, point in zip(found, self._made(found), strict=True):
            points[row.entity_id].append(point)
        return [_entity(row, points[row.id]) for row in rows]

    def _made(self, rows: Sequence[Any]) -> list[MeteringPoint]:
        """Points of these rows, in their order, with all that belongs to them."""
        keys = [row.id for row in rows]
        meters = self._meters(keys)
        true_from: dict[int, list[Any]] = defaultdict(list)
        for row in self._listed("point_rows", keys):
            true_from[row.point_id].append(row)
        return [_point(row, meters[row.id], true_from[row.id]) for row in rows]

    def _meters(self, points: Sequence[int]) -> Mapping[int, list[Meter]]:
        rows = self._listed("meters_at", points)
        true_from: dict[int, list[Any]] = defaultdict(list)
        for row in self._listed("meter_rows", points):
            true_from[row.meter_id].append(row)
        meters: dict[int, list[Meter]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (str(_date(row.installed) or ""), row.number)):
            meters[row.point_id].append(_meter(row, true_from[row.id]))
        return meters

    def foreign(self, entity_id: int, names: Sequence[str]) -> frozenset[str]:
        """Those of the point codes and meter numbers that belong to another entity."""
        codes = self._listed("others_points", names, entity=entity_id)
        numbers = self._listed("others_meters", names, entity=entity_id)
        return frozenset(row[0] for rows in (codes, numbers) for row in rows)

    def set_password(self, user_code: str, password_hash: str, who: str, now: datetime) -> bool:
        """Give an entity another password, by its hash; False when there is no such entity.

        Args:
            user_code: The entity's.
            password_hash: As argon2 gives it.
            who: The operator, as the audit names it.
            now: The moment of it, aware.
        """
        changed = self._connection.execute(
            ENTITY.update().where(ENTITY.c.user_code == user_code),
            {"password_hash": password_hash},
        )
        if not changed.rowcount:
            return False
        # Never the hash.
        self._audit.add(now, who, "password", user_code, before=None, after={"changed": True})
        return True

    def renew_hash(self, user_code: str, before: str, after: str) -> None:
        """Keep another hash of the same password; a no-op when the password has changed.

        Not audited, as the password is the same; sessions of the account go on.
        """
        self._sql.change("renew_hash", user_code=user_code, before=before, after=after)
        marks = {"before": mark_of(before), "after": mark_of(after)}
        self._sql.change("renew_marks", user_code=user_code, **marks)

    def plan(
        self,
        entities: Sequence[LegalEntity],
        *,
        since: date | None = None,
        correct: str | None = None,
        silent: Collection[str] = (),
    ) -> Plan:
        """What an import of these entities would make of what is stored.

        Args:
            entities: Points and meters with `rows` say themselves what is true from when.
            since: From when a difference is true that says nothing of it itself; None:
                the newest row was wrong from its beginning.
            correct: Why it was wrong; kept in the audit.
            silent: Of `source` and `load`, what the import does not tell and stays.
        """
        begins = None if correct else since
        return Plan(self.entities(), entities, since=begins, reason=correct, silent=silent)

    def apply(
        self, plan: Plan, entities: Sequence[LegalEntity], who: str, now: datetime
    ) -> ImportReport:
        """Add and change what a plan says; what it does not mention is left alone.

        A point that another entity had moves to the one that names it now. An
        entity's `password_hash` is kept when it is None. Rolling back the
        transaction makes it a dry run.

        Args:
            plan: Made in this transaction.
            entities: What it was made of.
            who: Kept in the audit.
            now: Beside it.
        """
        changed = self._import(plan, who, now)
        for entity in entities:
            if entity.password_hash is not None:
                self.set_password(entity.user_code, entity.password_hash, who, now)
        mentioned = {entity.user_code for entity in entities}
        before = set(plan.stored)
        return ImportReport(
            added=tuple(sorted(mentioned - before)),
            changed=tuple(sorted(changed & before)),
            untouched=tuple(sorted(before - mentioned - changed)),
            renumbered=tuple(plan.renumbered),
            differences=plan.differences(),
        )

    def read_spans(self, meters: Sequence[int]) -> dict[int | None, tuple[datetime, datetime]]:
        """Moments of the first and the last reading in force of each meter that has one."""
        return {
            row.meter_id: (instant(row.first), instant(row.last))
            for row in self._listed("read_between", meters)
        }

    def with_profile(self, points: Sequence[int]) -> frozenset[int]:
        """Those of some points, by their ids, that have a profile."""
        return frozenset(row.point_id for row in self._listed("with_profile", points))

    def read_outside(self, plan: Plan) -> list[tuple[MeteringPoint, Meter, datetime]]:
        """Meters that were read when, by a plan, they were not there.

        Returns:
            Point and meter with the moment of the last reading, or of the first one.
        """
        stated = [
            (point, meter, row.number)
            for row, point, meter in plan.meters
            if row.number is not None and row.differs
        ]
        spans = self.read_spans([number for _, _, number in stated])
        found = []
        for point, meter, number in stated:
            if number not in spans:
                continue
            first, last = spans[number]
            if meter.removed and last > midnight(meter.removed + timedelta(days=1)):
                found.append((point, meter, last))
            elif meter.installed and first < midnight(meter.installed):
                found.append((point, meter, first))
        return found

    def too_narrow(self, plan: Plan) -> list[tuple[MeteringPoint, Meter, MeterRow, Decimal]]:
        """Meters with fewer digits or decimals in a plan than a recorded reading shows.

        Returns:
            Point, meter and the row that says so, with such a reading.
        """
        narrowed = [
            (point, meter, row.number, new)
            for row, point, meter in plan.meters
            if row.number is not None
            for new in row.new_rows
            if _face(new) != _face(in_force(row.known_rows, new.valid_from))
        ]
        found = []
        for point, meter, number, new in narrowed:
            begins = 0 if new.valid_from is None else epoch(midnight(new.valid_from))
            largest = self._sql.row("largest_reading", meter=number, begins=begins)
            finest = self._sql.row(
                "finest_reading", meter=number, begins=begins, unit=10 ** (6 - (new.decimals or 0))
            )
            if new.digits is not None and largest and decimal(largest.value) >= 10**new.digits:
                found.append((point, meter, new, decimal(largest.value)))
            elif new.decimals is not None and finest:
                found.append((point, meter, new, decimal(finest.value)))
        return found

    def _import(self, plan: Plan, who: str, now: datetime) -> set[str]:
        """User codes of all that had to be made or changed."""
        self._put(ENTITY, "entity", plan.entities, who, now)
        points = [row for row, _ in plan.points]
        self._put(POINT, "point", points, who, now)
        self._put_point_rows(points)
        meters = [row for row, _, _ in plan.meters]
        self._put(METER, "meter", meters, who, now)
        self._put_rows(METER_ROW, "meter_id", meters)
        every = (*plan.entities, *points, *meters)
        return {code for row in every if row.differs for code in row.concerns}

    def _put_point_rows(self, points: Sequence[Wanted]) -> None:
        holders = {row.holder for point in points for row in point.new_rows}
        found = self._connection.execute(
            select(ENTITY.c.user_code, ENTITY.c.id).where(ENTITY.c.user_code.in_(holders))
        )
        numbers = {row.user_code: row.id for row in found}
        self._put_rows(POINT_ROW, "point_id", points, numbers)

    def _put_rows(
        self,
        table: Table,
        key: str,
        wanted: Sequence[Wanted],
        holders: Mapping[str, int] | None = None,
    ) -> None:
        """Write what is true from a date; a row of the same day is corrected."""
        rows = [
            {key: one.number, **row_values(row, holders)} for one in wanted for row in one.new_rows
        ]
        if not rows:
            return
        statement = self._insert(table)
        changed = {
            name: statement.excluded[name] for name in rows[0] if name not in {key, "begins"}
        }
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=[key, "begins"], set_=changed), rows
        )

    def _put(
        self, table: Table, what: str, rows: Sequence[Wanted], who: str, now: datetime
    ) -> None:
        """Write what is new in the rows, and its audit; each row knows its number then."""
        made = [row for row in rows if row.number is None]
        if made:
            statement = table.insert().returning(table.c.id, sort_by_parameter_order=True)
            numbers = self._connection.scalars(statement, [row.values(table) for row in made])
            for row, number in zip(made, numbers, strict=True):
                row.number = number
        for row in rows:
            if row.before is not None and row.differs:
                self._connection.execute(
                    table.update().where(table.c.id == row.number), row.values(table)
                )
        changes = [(row.key, row.before, row.told) for row in rows if row.differs]
        self._audit.add_all(now, who, what, changes)


def _entity(row: Any, points: Sequence[MeteringPoint]) -> LegalEntity:
    return LegalEntity(
        user_code=row.user_code,
        name=row.name,
        inn=row.inn,
        addresses=_words(row.addresses),
        active=bool(row.active),
        points=tuple(points),
        password_hash=row.password_hash,
        id=row.id,
    )


def _point(row: Any, meters: Sequence[Meter], rows: Sequence[Any]) -> MeteringPoint:
    return MeteringPoint(
        code=row.code,
        name=row.name,
        area=row.area or None,
        max_power_kw=_decimal(row.max_power_kw),
        channels=_words(row.channels),
        meters=tuple(meters),
        id=row.id,
        active=bool(row.active),
        source=row.source,
        load=row.load,
        rows=_changes(_point_row, rows),
    )


def _meter(row: Any, rows: Sequence[Any]) -> Meter:
    return Meter(
        number=row.number,
        digits=row.digits,
        decimals=row.decimals,
        ratio=decimal(row.ratio),
        installed=_date(row.installed),
        removed=_date(row.removed),
        channels=_words(row.channels),
        zones=_words(row.zones),
        id=row.id,
        rows=_changes(_meter_row, rows),
    )


def _changes(made: Callable[[Any], _Row], rows: Sequence[Any]) -> tuple[_Row, ...]:
    """No rows for what was so from the beginning."""
    if len(rows) > 1 or any(_date(row.valid_from) for row in rows):
        return tuple(map(made, rows))
    return ()


def _point_row(row: Any) -> PointRow:
    return PointRow(
        valid_from=_date(row.valid_from),
        holder=row.user_code,
        area=row.area or None,
        max_power_kw=_decimal(row.max_power_kw),
        active=bool(row.active),
        source=row.source,
    )


def _meter_row(row: Any) -> MeterRow:
    return MeterRow(_date(row.valid_from), row.number, decimal(row.ratio), row.digits, row.decimals)


def _face(row: MeterRow) -> tuple[int | None, int | None]:
    return row.digits, row.decimals


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _decimal(units: int | None) -> Decimal | None:
    return None if units is None else decimal(units)


def _date(value: date | str | None) -> date | None:
    """SQLite keeps dates as text; the first day there is stands for "not known"."""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return None if found == date.min else found
