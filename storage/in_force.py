"""Series and register readings, each read once in a transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from storage.prepared import Prepared, among
from storage.session import Part, Session
from storage.tables import READING, SERIES, SUBMISSION

SeriesName = tuple[int, str, int]
"""Point, channel and step: what an interval series is known by."""

_AT = Prepared(
    select(SERIES.c.id, SERIES.c.point_id, SERIES.c.channel, SERIES.c.step_minutes).where(
        among(SERIES.c.point_id)
    )
)
_NEW = Prepared(SERIES.insert().returning(SERIES.c.id))
_READ_IN = Prepared(
    select(READING, SUBMISSION.c.layout)
    .join_from(READING, SUBMISSION)
    .where(
        among(READING.c.meter_id), READING.c.instant.between(bindparam("first"), bindparam("last"))
    )
)


class SeriesRow(NamedTuple):
    """One point's channel at one step."""

    id: int
    point_id: int
    channel: str
    step_minutes: int


class InForce(Part):
    """What several parts ask for, each of them several times a document."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._series_known: dict[int, list[SeriesRow]] = {}
        self._last_asked: tuple[list[int], int, int] | None = None
        self._rows_asked: list[Any] = []

    def series_at(self, points: Collection[int]) -> list[SeriesRow]:
        """Every series of these points."""
        asked = sorted(set(points) - self._series_known.keys())
        if asked:
            found: dict[int, list[SeriesRow]] = defaultdict(list)
            for keys in self._pieces(asked):
                for row in _AT.tuples(self._driver, {"keys": keys}):
                    found[row[1]].append(SeriesRow(*row))
            self._series_known |= {point: found[point] for point in asked}
        return [row for point in sorted(set(points)) for row in self._series_known[point]]

    def made_series(self, names: Collection[SeriesName]) -> dict[SeriesName, int]:
        """The number of each series; made for those met for the first time."""
        known = {
            (row.point_id, row.channel, row.step_minutes): row.id
            for row in self.series_at({point for point, _, _ in names})
        }
        for point, channel, step in sorted(set(names) - known.keys()):
            new = {"point_id": point, "channel": channel, "step_minutes": step}
            number = int(_NEW.scalar(self._driver, new) or 0)
            known[point, channel, step] = number
            self._series_known[point].append(SeriesRow(number, point, channel, step))
        return known

    def readings_in(self, meters: Sequence[int], first: int, last: int) -> list[Any]:
        """Readings of some meters from one instant through another, in epoch seconds.

        A row has the layout of its submission beside the columns of the reading.
        """
        asked = (sorted(meters), first, last)
        if self._last_asked != asked:
            self._rows_asked = self._each(asked[0], _READ_IN, first=first, last=last)
            self._last_asked = asked
        return self._rows_asked

    def forget_readings(self) -> None:
        """What was read is no longer so: a letter may have several documents."""
        self._last_asked = None
