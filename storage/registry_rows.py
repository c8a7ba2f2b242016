"""The register of points: legal entities, their points, the meters at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, bindparam, func, select

from layouts.terms import LegalEntity, Meter, MeteringPoint
from storage.audit_rows import AuditRows
from storage.columns import clean
from storage.records import ImportReport
from storage.rows import KEYS
from storage.tables import ENTITY, METER, POINT

_BY_CODE = (
    select(ENTITY).where(ENTITY.c.user_code == bindparam("user_code")).order_by(ENTITY.c.user_code)
)
_POINTS_OF = select(POINT).where(POINT.c.entity_id.in_(KEYS))
_METERS_AT = select(METER).where(METER.c.point_id.in_(KEYS))
_OTHERS_POINTS = select(POINT.c.code).where(
    POINT.c.code.in_(KEYS), POINT.c.entity_id != bindparam("entity")
)
_OTHERS_METERS = (
    select(METER.c.number)
    .join_from(METER, POINT)
    .where(METER.c.number.in_(KEYS), POINT.c.entity_id != bindparam("entity"))
)


class RegistryRows(AuditRows):
    """Entities whole; and what an import changes, with its audit."""

    def entity(self, user_code: str) -> LegalEntity | None:
        """The legal entity with its points and meters, also an inactive one."""
        rows = self._connection.execute(_BY_CODE, {"user_code": user_code}).all()
        return next(iter(self._whole(rows)), None)

    def entity_without_zeros(self, user_code: str) -> LegalEntity | None:
        """The one entity whose code is this one before it lost its leading zeros."""
        bare = func.ltrim(ENTITY.c.user_code, "0") == clean(user_code.lstrip("0"))
        return self._only(bare)

    def entities_by_inn(self, inn: str) -> list[LegalEntity]:
        """Every active entity with this taxpayer number."""
        return self._entities(ENTITY.c.inn == inn, ENTITY.c.active)

    def registry(self) -> list[LegalEntity]:
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

    def _whole(self, rows: Sequence[Row[Any]]) -> list[LegalEntity]:
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

    def _foreign(self, entity_id: int, names: Sequence[str]) -> frozenset[str]:
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
        self._audit(now, who, "password", user_code, before=None, after={"changed": True})
        return True

    def import_registry(
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
        known = {entity.user_code: entity for entity in self.registry()}
        owners = {
            (point.code, point.area): (entity.user_code, point)
            for entity in known.values()
            for point in entity.points
        }
        changed: set[str] = set()
        for entity in entities:
            stored = known.get(entity.user_code)
            number, is_changed = self._import_entity(entity, stored, who, now)
            for point in entity.points:
                owner, old = owners.get((point.code, point.area), (None, None))
                if self._import_point(point, number, entity.user_code, owner, old, who, now):
                    is_changed = True
                    changed |= {owner} - {None, entity.user_code}  # type: ignore[arg-type]
            if is_changed and stored is not None:
                changed.add(entity.user_code)
        mentioned = {entity.user_code for entity in entities}
        return ImportReport(
            added=tuple(sorted(mentioned - known.keys())),
            changed=tuple(sorted(changed)),
            untouched=tuple(sorted(known.keys() - mentioned - changed)),
        )

    def _import_entity(
        self, entity: LegalEntity, stored: LegalEntity | None, who: str, now: datetime
    ) -> tuple[int, bool]:
        before = _entity_facts(stored) if stored else None
        number, changed = self._put(
            ENTITY, stored.id if stored else None, before, _entity_facts(entity), {}
        )
        if changed:
            self._audit(
                now, who, "entity", entity.user_code, before=before, after=_entity_facts(entity)
            )
        if entity.password_hash is not None:
            self.set_password(entity.user_code, entity.password_hash, who, now)
        return number, changed

    def _import_point(
        self,
        point: MeteringPoint,
        entity_id: int,
        user_code: str,
        owner: str | None,
        old: MeteringPoint | None,
        who: str,
        now: datetime,
    ) -> bool:
        before = {**_point_facts(old), "entity": owner} if old else None
        after = {**_point_facts(point), "entity": user_code}
        number, changed = self._put(
            POINT, old.id if old else None, before, after, {"entity_id": entity_id}
        )
        if changed:
            self._audit(now, who, "point", point.code, before=before, after=after)
        meters = {(m.number, m.installed): m for m in (old.meters if old else ())}
        for meter in point.meters:
            stored = meters.get((meter.number, meter.installed))
            changed |= self._import_meter(meter, stored, point, number, who, now)
        return changed

    def _import_meter(
        self,
        meter: Meter,
        stored: Meter | None,
        point: MeteringPoint,
        point_id: int,
        who: str,
        now: datetime,
    ) -> bool:
        before = {**_meter_facts(stored), "point": point.code} if stored else None
        after = {**_meter_facts(meter), "point": point.code}
        _, changed = self._put(
            METER, stored.id if stored else None, before, after, {"point_id": point_id}
        )
        if changed:
            self._audit(now, who, "meter", meter.number, before=before, after=after)
        return changed

    def _put(
        self,
        table: Table,
        number: int | None,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        owner: Mapping[str, int],
    ) -> tuple[int, bool]:
        """The row's number, and whether it had to be made or changed."""
        values = {name: value for name, value in after.items() if name in table.c}
        values.update(owner)
        if number is None:
            made = table.insert().returning(table.c.id)
            return int(self._connection.scalars(made, [values]).one()), True
        if before == after:
            return number, False
        self._connection.execute(table.update().where(table.c.id == number), values)
        return number, True


def _entity(row: Row[Any], points: Sequence[MeteringPoint]) -> LegalEntity:
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


def _point(row: Row[Any], meters: Sequence[Meter]) -> MeteringPoint:
    return MeteringPoint(
        code=row.code,
        name=row.name,
        area=row.area or None,
        max_power_kw=row.max_power_kw,
        channels=row.channels,
        meters=tuple(meters),
        id=row.id,
    )


def _meter(row: Row[Any]) -> Meter:
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
