"""Values as billing reads them, under the holder and the area of the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import text

from layouts.months import bounds
from storage.billed.billing import Billing, BillingRow, Grain, PointNames, PointPlace
from storage.columns import epoch

_DAY = 86400
# Points with more than one row, each row beside what the point is called by its newest one.
_CHANGED = """
SELECT p.code, p.area AS area_now, e.user_code AS entity_now, f.begins, f.area, f.user_code
FROM point_in_force AS f
JOIN metering_point AS p ON p.id = f.point_id
JOIN legal_entity AS e ON e.id = p.entity_id
WHERE f.point_id IN (
    SELECT point_id FROM point_row {which} GROUP BY point_id HAVING count(*) > 1
)
ORDER BY f.begins
"""
_CHANGED_OF_ALL = text(_CHANGED.format(which=""))
_CHANGED_OF_ONE = text(
    _CHANGED.format(
        which="""WHERE point_id IN (
        SELECT h.point_id FROM point_row AS h JOIN legal_entity AS e ON e.id = h.entity_id
        WHERE e.user_code = :entity
    )"""
    )
)


class Held(Billing):
    """The same values, each under the entity that held its point at the time."""

    def values(
        self, month: date, grain: Grain, entity: str | None = None, **options: Any
    ) -> Iterator[BillingRow]:
        """Values as `Billing.values` has them, with the point's row in force at the time.

        A profile's sum over a month in which the holder or the area changes is two. Points
        are in order by their names at the month's beginning, which no later change moves.
        """
        changed: dict[PointNames, list[Any]] = defaultdict(list)
        asked = _CHANGED_OF_ALL if entity is None else _CHANGED_OF_ONE.bindparams(entity=entity)
        for row in self._connection.execute(asked):
            changed[row.entity_now, row.area_now or None, row.code].append(row)
        cuts = {named: _changes(rows) for named, rows in changed.items()}
        first = epoch(bounds(month)[0])
        places = {named: _place(rows, first) for named, rows in changed.items()}
        holders = None
        if entity is not None:
            # Also the holders of points that were this entity's.
            holders = {entity} | {
                named[0]
                for named, rows in changed.items()
                if any(row.user_code == entity for row in rows)
            }
        for value in self._of_today(month, grain, holders, cuts, places, **options):
            named = value.entity, value.area, value.point
            rows = changed.get(named)
            told = value if rows is None else _as_then(value, rows, places[named])
            if entity in {None, told.entity}:
                yield told


def _changes(rows: Sequence[Any]) -> list[int]:
    """When a point came to another holder or area."""
    return [
        row.begins
        for before, row in pairwise(rows)
        if (before.user_code, before.area) != (row.user_code, row.area)
    ]


def _place(rows: Sequence[Any], first: int) -> PointPlace:
    row = _row_at(rows, first)
    return row.user_code, row.code, row.area or ""


def _as_then(value: BillingRow, rows: Sequence[Any], placed: PointPlace) -> BillingRow:
    # The reading of the day on which a row begins still belongs to the one before.
    row = _row_at(rows, value.end - (_DAY if value.kind == "register" else 1))
    return value._replace(entity=row.user_code, area=row.area or None, placed=placed)


def _row_at(rows: Sequence[Any], moment: int) -> Any:
    begun = [row for row in rows if row.begins <= moment]
    return begun[-1] if begun else rows[0]
