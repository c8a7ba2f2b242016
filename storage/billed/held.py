"""Values as billing reads them, under the holder and the area of the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import text

from storage.billed.billing import Billing, BillingRow, Grain, PointNames

_DAY = 86400
# Points with more than one row, each row beside what the point is called by its newest one.
_CHANGED = text("""
SELECT p.code, p.area AS area_now, e.user_code AS entity_now, f.begins, f.area, f.user_code
FROM point_in_force AS f
JOIN metering_point AS p ON p.id = f.point_id
JOIN legal_entity AS e ON e.id = p.entity_id
WHERE f.point_id IN (SELECT point_id FROM point_row GROUP BY point_id HAVING count(*) > 1)
ORDER BY f.begins
""")


class Held(Billing):
    """The same values, each under the entity that held its point at the time."""

    def values(
        self, month: date, grain: Grain, entity: str | None = None, **options: Any
    ) -> Iterator[BillingRow]:
        """Values as `Billing.values` has them, with the point's row in force at the time.

        A profile's sum over a month in which the holder or the area changes is two.
        """
        changed: dict[PointNames, list[Any]] = defaultdict(list)
        for row in self._connection.execute(_CHANGED):
            changed[row.entity_now, row.area_now or None, row.code].append(row)
        options["cuts"] = {named: _changes(rows) for named, rows in changed.items()}
        owners = [entity]
        if entity is not None:
            # Also the holders of points that were this entity's.
            held = {
                named[0]
                for named, rows in changed.items()
                if any(row.user_code == entity for row in rows)
            }
            owners += sorted(held - {entity})
        for owner in owners:
            for value in super().values(month, grain, owner, **options):
                rows = changed.get((value.entity, value.area, value.point))
                told = value if rows is None else _as_then(value, rows)
                if entity in {None, told.entity}:
                    yield told


def _changes(rows: Sequence[Any]) -> list[int]:
    """When a point came to another holder or area."""
    return [
        row.begins
        for before, row in pairwise(rows)
        if (before.user_code, before.area) != (row.user_code, row.area)
    ]


def _as_then(value: BillingRow, rows: list[Any]) -> BillingRow:
    # The reading of the day on which a row begins still belongs to the one before.
    moment = value.end - (_DAY if value.kind == "register" else 1)
    begun = [row for row in rows if row.begins <= moment]
    row = begun[-1] if begun else rows[0]
    return value._replace(entity=row.user_code, area=row.area or None)
