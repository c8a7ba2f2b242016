"""Interval series, cached for a transaction, and register readings in force."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from storage.session import Part, Session

SeriesName = tuple[int, str, int]
"""Point, channel and step: what an interval series is known by."""


class SeriesRow(NamedTuple):
    """One point's channel at one step."""

    id: int
    point_id: int
    channel: str
    step_minutes: int


class InForce(Part):
    """A cache of series, which several parts ask for several times a document."""

    matter = "in_force"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._series_known: dict[int, list[SeriesRow]] = {}

    def forget(self) -> None:
        """Empty the cache."""
        self._series_known.clear()

    def series_at(self, points: Collection[int]) -> list[SeriesRow]:
        """Every series of these points."""
        asked = sorted(set(points) - self._series_known.keys())
        if asked:
            found: dict[int, list[SeriesRow]] = defaultdict(list)
            for keys in self._pieces(asked):
                for row in self._sql.tuples("series_at", keys=keys):
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
            new = self._sql.value("new_series", point=point, channel=channel, step_minutes=step)
            number = int(new or 0)
            known[point, channel, step] = number
            self._series_known[point].append(SeriesRow(number, point, channel, step))
        return known

    def readings_in(self, meters: Sequence[int], first: int, last: int) -> list[Any]:
        """Readings of some meters from one instant through another, in epoch seconds.

        A row has the layout of its submission beside the columns of the reading, its value
        in millionths.
        """
        return self._listed("readings_in", meters, first=first, last=last)
