"""The register of points: legal entities, their points, the meters at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, func, select

from layouts.months import midnight
from layouts.terms import LegalEntity, Meter, MeteringPoint
from storage.audit import Audit
from storage.columns import clean, instant
from storage.prepared import Prepared, among
from storage.records import ImportReport
from storage.session import Part, Session
from storage.tables import ENTITY, METER, POINT, READING

_BY_CODE = Prepared(
    select(ENTITY).where(ENTITY.c.user_code == bindparam("user_code")).order_by(ENTITY.c.user_code)
)
_POINTS_OF = Prepared(select(POINT).where(among(POINT.c.entity_id)))
_METERS_AT = Prepared(select(METER).where(among(METER.c.point_id)))
_OTHERS_POINTS = Prepared(
    select(POINT.c.code).where(among(POINT.c.code), POINT.c.entity_id != bindparam("entity"))
)
_OTHERS_METERS = Prepared(
    select(METER.c.number)
    .join_from(METER, POINT)
    .where(among(METER.c.number), POINT.c.entity_id != bindparam("entity"))
)

_READ = Prepared(
    select(
        READING.c.meter_id,
        func.min(READING.c.instant).label("first"),
        func.max(READING.c.instant).label("last"),
    )
    .where(among(READING.c.meter_id))
    .group_by(READING.c.meter_id)
)


class Registry(Part):
    """Entities whole; and what an import changes, with its audit."""

    def __init__(self, session: Session, audit: Audit) -> None:
        super().__init__(session)
        self._audit = audit

    def entity(self, user_code: str) -> LegalEntity | None:
        """The legal entity with its points and meters, also an inactive one."""
        rows = _BY_CODE.rows(self._driver, {"user_code": user_code})
        return next(iter(self._whole(rows)), None)

    def entity_without_zeros(self, user_code: str) -> LegalEntity | None:
        """The one entity whose code is this one before it lost its leading zeros."""
        bare = func.ltrim(ENTITY.c.user_code, "0") == clean(user_code.lstrip("0"))
        return self._only(bare)

    def entities_by_inn(self, inn: str) -> list[LegalEntity]:
        """Every active entity with this taxpayer number."""
        return self._entities(ENTITY.c.inn == inn, ENTITY.c.active)

    def entities(self) -> list[LegalEntity]:
        """Every legal entity, by user code."""
        return self._entities()

    def _only(self, condition: Any) -> LegalEntity | None:
        found = self._entities(condition)
        return found[0] if len(found) == 1 else None

    def _entities(self, *conditions: Any) -> list[LegalEntity]:
        rows = self._connection.execute(
            select(ENTITY).where(*conditions).order_by(ENTITY.c.user_code)
        ).all()
        return self._whole(rows)

    def _whole(self, rows: Sequence[Any]) -> list[LegalEntity]:
        points = self._points([row.id for row in rows])
        return [_entity(row, points[row.id]) for row in rows]

    def _points(self, entities: Sequence[int]) -> Mapping[int, list[MeteringPoint]]:
        rows = list(self._each(entities, _POINTS_OF))
        meters = self._meters([row.id for row in rows])
        points: dict[int, list[MeteringPoint]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (row.code, row.area)):
            points[row.entity_id].append(_point(row, meters[row.id]))
        return points

    def _meters(self, points: Sequence[int]) -> Mapping[int, list[Meter]]:
        rows = self._each(points, _METERS_AT)
        meters: dict[int, list[Meter]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (str(row.installed or ""), row.number)):
            meters[row.point_id].append(_meter(row))
        return meters

    def foreign(self, entity_id: int, names: Sequence[str]) -> frozenset[str]:
        """Those of the point codes and meter numbers that belong to another entity."""
        codes = self._each(names, _OTHERS_POINTS, entity=entity_id)
        numbers = self._each(names, _OTHERS_METERS, entity=entity_id)
        return frozenset(row[0] for rows in (codes, numbers) for row in rows)

    def set_password(self, user_code: str, password_hash: str, who: str, now: datetime) -> bool:
        """Give an entity another password, by its hash; False when there is no such entity."""
        changed = self._connection.execute(
            ENTITY.update().where(ENTITY.c.user_code == user_code),
            {"password_hash": password_hash},
        )
        if not changed.rowcount:
            return False
        # The hash is nobody's business, an auditor's neither.
        self._audit.add(now, who, "password", user_code, before=None, after={"changed": True})
        return True

    def import_entities(
        self,
        entities: Sequence[LegalEntity],
        who: str,
        now: datetime,
    ) -> ImportReport:
        """Add and change what the entities say; what they do not mention is left alone.

        A point that another entity had moves to the one that names it now. An
        entity's `password_hash` is kept when it is None. Rolling back the
        transaction makes it a dry run.
        """
        stored = self.entities()
        before = {entity.user_code for entity in stored}
        facing = _Facing(stored)
        changed = self._import(facing, entities, who, now)
        for entity in entities:
            if entity.password_hash is not None:
                self.set_password(entity.user_code, entity.password_hash, who, now)
        mentioned = {entity.user_code for entity in entities}
        return ImportReport(
            added=tuple(sorted(mentioned - before)),
            changed=tuple(sorted(changed & before)),
            untouched=tuple(sorted(before - mentioned - changed)),
        )

    def read_outside(
        self, entities: Sequence[LegalEntity]
    ) -> list[tuple[MeteringPoint, Meter, datetime]]:
        """Meters that were read when, by these entities, they were not there.

        Args:
            entities: As a registry file has them, without ids.

        Returns:
            Point and meter with the moment of the last reading, or of the first one.
        """
        facing = _Facing(self.entities())
        stated = [
            (point, meter, facing.stored(meter, point))
            for entity in entities
            for point in entity.points
            for meter in point.meters
        ]
        numbers = [old.id for _, _, old in stated if old is not None]
        spans = {row.meter_id: (row.first, row.last) for row in self._each(numbers, _READ)}
        found = []
        for point, meter, old in stated:
            if old is None or old.id not in spans:
                continue
            first, last = (instant(seconds) for seconds in spans[old.id])
            if meter.removed and last > midnight(meter.removed + timedelta(days=1)):
                found.append((point, meter, last))
            elif meter.installed and first < midnight(meter.installed):
                found.append((point, meter, first))
        return found

    def _import(
        self, facing: _Facing, entities: Sequence[LegalEntity], who: str, now: datetime
    ) -> set[str]:
        """User codes of all that had to be made or changed."""
        rows = [facing.entity(entity) for entity in entities]
        self._put(ENTITY, "entity", rows, who, now)
        at_points = [
            (facing.point(point, row), point)
            for row, entity in zip(rows, entities, strict=True)
            for point in entity.points
        ]
        points = [row for row, _ in at_points]
        self._put(POINT, "point", points, who, now)
        meters = [
            facing.meter(meter, point, row) for row, point in at_points for meter in point.meters
        ]
        self._put(METER, "meter", meters, who, now)
        return {code for row in (*rows, *points, *meters) if row.differs for code in row.concerns}

    def _put(
        self, table: Table, what: str, rows: Sequence[_Wanted], who: str, now: datetime
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
        changes = [(row.key, row.before, row.after) for row in rows if row.differs]
        self._audit.add_all(now, who, what, changes)


@dataclass(slots=True)
class _Wanted:
    """A row as an import wants it, beside the one that is stored.

    Attributes:
        key: What the audit calls it.
        concerns: User codes of the entities that a change of it concerns.
        number: Its id, None until it has one.
        owner: The row that it belongs to, with the name of the column for that.
    """

    key: str
    concerns: set[str]
    number: int | None
    before: dict[str, Any] | None
    after: dict[str, Any]
    owner: tuple[str, _Wanted] | None = None

    @property
    def differs(self) -> bool:
        """Whether it has to be made or changed."""
        return self.before != self.after

    def values(self, table: Table) -> dict[str, Any]:
        """Its columns."""
        values = {name: value for name, value in self.after.items() if name in table.c}
        if self.owner is not None:
            values[self.owner[0]] = self.owner[1].number
        return values


class _Facing:
    """What an import wants, face to face with what is stored."""

    def __init__(self, stored: Iterable[LegalEntity]) -> None:
        self._entities = {entity.user_code: entity for entity in stored}
        self._points = {
            (point.code, point.area): (entity.user_code, point)
            for entity in self._entities.values()
            for point in entity.points
        }

    def entity(self, entity: LegalEntity) -> _Wanted:
        """An entity without its points."""
        code, old = entity.user_code, self._entities.get(entity.user_code)
        before = _entity_facts(old) if old else None
        return _Wanted(code, {code}, old.id if old else None, before, _entity_facts(entity))

    def point(self, point: MeteringPoint, entity: _Wanted) -> _Wanted:
        """A point of an entity, which another one may have had before."""
        before_owner, old = self._points.get((point.code, point.area), (entity.key, None))
        return _Wanted(
            point.code,
            {entity.key, before_owner},
            old.id if old else None,
            _point_facts(old) | {"entity": before_owner} if old else None,
            _point_facts(point) | {"entity": entity.key},
            ("entity_id", entity),
        )

    def meter(self, meter: Meter, point: MeteringPoint, row: _Wanted) -> _Wanted:
        """A meter at a point, beside the one that is stored."""
        old = self.stored(meter, point)
        at_point = {"point": point.code}
        return _Wanted(
            meter.number,
            row.concerns,
            old.id if old else None,
            _meter_facts(old) | at_point if old else None,
            _meter_facts(meter) | at_point,
            ("point_id", row),
        )

    def stored(self, meter: Meter, point: MeteringPoint) -> Meter | None:
        """The stored meter that a meter of a file is.

        The same number installed another day is another one, unless both could not
        have been there: then the day was corrected.
        """
        _, known = self._points.get((point.code, point.area), ("", None))
        meters = [m for m in known.meters if m.number == meter.number] if known else []
        stated = {m.installed for m in point.meters if m.number == meter.number}
        same = [m for m in meters if m.installed == meter.installed]
        moved = [m for m in meters if m.installed not in stated and _together(m, meter)]
        return next(iter(same or moved), None)


def _together(one: Meter, other: Meter) -> bool:
    """Whether both say that they were there on one day; a meter may move within a day."""
    return (one.installed or date.min) < (other.removed or date.max) and (
        other.installed or date.min
    ) < (one.removed or date.max)


def _entity(row: Any, points: Sequence[MeteringPoint]) -> LegalEntity:
    return LegalEntity(
        user_code=row.user_code,
        name=row.name,
        inn=row.inn,
        addresses=row.addresses,
        active=row.active,
        points=tuple(points),
        password_hash=row.password_hash,
        id=row.id,
    )


def _point(row: Any, meters: Sequence[Meter]) -> MeteringPoint:
    return MeteringPoint(
        code=row.code,
        name=row.name,
        area=row.area or None,
        max_power_kw=row.max_power_kw,
        channels=row.channels,
        meters=tuple(meters),
        id=row.id,
    )


def _meter(row: Any) -> Meter:
    return Meter(
        number=row.number,
        digits=row.digits,
        decimals=row.decimals,
        ratio=row.ratio,
        installed=row.installed,
        removed=row.removed,
        channels=row.channels,
        zones=row.zones,
        id=row.id,
    )


def _entity_facts(entity: LegalEntity) -> dict[str, Any]:
    names = ("user_code", "name", "inn", "addresses", "active")
    return {name: getattr(entity, name) for name in names}


def _point_facts(point: MeteringPoint) -> dict[str, Any]:
    names = ("code", "name", "max_power_kw", "channels")
    return {name: getattr(point, name) for name in names} | {"area": point.area or ""}


def _meter_facts(meter: Meter) -> dict[str, Any]:
    names = ("number", "digits", "decimals", "ratio", "installed", "removed", "channels", "zones")
    return {name: getattr(meter, name) for name in names}
