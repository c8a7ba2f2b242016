"""Interval series by their points, read once in a transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, select

from storage.prepared import Prepared, among
from storage.rows import Rows
from storage.tables import SERIES

SeriesName = tuple[int, str, int]
"""Point, channel and step: what an interval series is known by."""

_AT = Prepared(
    select(SERIES.c.id, SERIES.c.point_id, SERIES.c.channel, SERIES.c.step_minutes).where(
        among(SERIES.c.point_id)
    )
)
_NEW = Prepared(SERIES.insert().returning(SERIES.c.id))


class SeriesRow(NamedTuple):
    """One point's channel at one step."""

    id: int
    point_id: int
    channel: str
    step_minutes: int


class SeriesRows(Rows):
    """What context and record ask for, each of them several times a document."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._series_known: dict[int, list[SeriesRow]] = {}

    def _series_at(self, points: Collection[int]) -> list[SeriesRow]:
        """Every series of these points."""
        asked = sorted(set(points) - self._series_known.keys())
        if asked:
            found: dict[int, list[SeriesRow]] = defaultdict(list)
            for keys in self._pieces(asked):
                for row in _AT.tuples(self._driver, {"keys": keys}):
                    found[row[1]].append(SeriesRow(*row))
            self._series_known |= {point: found[point] for point in asked}
        return [row for point in sorted(set(points)) for row in self._series_known[point]]

    def _made_series(self, names: Collection[SeriesName]) -> dict[SeriesName, int]:
        """The number of each series; made for those met for the first time."""
        known = {
            (row.point_id, row.channel, row.step_minutes): row.id
            for row in self._series_at({point for point, _, _ in names})
        }
        for point, channel, step in sorted(set(names) - known.keys()):
            new = {"point_id": point, "channel": channel, "step_minutes": step}
            number = int(_NEW.scalar(self._driver, new) or 0)
            known[point, channel, step] = number
            self._series_known[point].append(SeriesRow(number, point, channel, step))
        return known
