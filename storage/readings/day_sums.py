"""The sums of days: kept beside the values they are of, and read instead of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from layouts.known import Change
from storage.readings.days import DAY_HOURS, Day, Packed, day_of, start_of, summed_by_day
from storage.session import Part

_Key = tuple[int, int]
"""Series and the number of the day."""


class DaySums(Part):
    """Sums of days, which follow the values in force in the same transaction."""

    matter = "day_sums"

    def of(self, series: Sequence[int], first: int, last: int) -> dict[int, dict[int, Packed]]:
        """Rows by series and the number of the day, from `first` up to `last`."""
        found: dict[int, dict[int, Packed]] = defaultdict(dict)
        for keys in self._pieces(series):
            rows = self._sql.tuples("days", keys=keys, first=first, last=last)
            for number, day, energy, highest, counts in rows:
                found[number][day] = energy, highest, counts
        return found

    def follow(self, changes: Iterable[tuple[int, Change]]) -> None:
        """Follow changes that were made to the values in force.

        What was only added is added to the sums; a day with a value that was replaced
        is summed up anew.

        Args:
            changes: Each with the number of its series.
        """
        added: dict[_Key, list[Day]] = defaultdict(list)
        replaced: set[_Key] = set()
        for number, change in changes:
            for day, sums in summed_by_day(change.series, change.added).items():
                added[number, day].append(sums)
            starts = (change.series.span(index)[0] for index in change.replaced)
            replaced |= {(number, day_of(int(start.timestamp()))) for start in starts}
        made = self._with(
            {key: parts for key, parts in added.items() if key not in replaced}
        ) | self._anew(replaced)
        self._put([(*key, *day.packed()) for key, day in sorted(made.items())])

    def _put(self, rows: Sequence[tuple[int, int, bytes, bytes, bytes]]) -> None:
        """Write sums of days, over those that are there."""
        if not self._on_postgresql:
            self._sql.each("put", rows)
        elif rows:
            names = ("series", "days", "energy", "highest", "counts")
            columns = (list(column) for column in zip(*rows, strict=True))
            self._sql.change("put", **dict(zip(names, columns, strict=True)))

    def resum(self, keys: Collection[_Key]) -> None:
        """Sum up days anew, each a series and the number of the day."""
        made = self._anew(keys)
        self._put([(*key, *day.packed()) for key, day in sorted(made.items())])

    def _lock(self, series: Sequence[int]) -> None:
        """Let nobody else sum up these series meanwhile.

        The lock on an entity does not: a point may have gone to another one just now.
        """
        if self._on_postgresql:
            for keys in self._pieces(series):
                self._sql.tuples("lock_series", keys=keys)

    def _with(self, added: Mapping[_Key, Sequence[Day]]) -> dict[_Key, Day]:
        """The days in force, with what is added to them."""
        if not added:
            return {}
        series, days = (sorted(set(part)) for part in zip(*added, strict=True))
        self._lock(series)
        known = self.of(series, days[0], days[-1] + 1)
        made: dict[_Key, Day] = {}
        for (number, day), parts in added.items():
            row = known.get(number, {}).get(day)
            first, *others = (Day.unpacked(row), *parts) if row else parts
            for other in others:
                first.add(other)
            made[number, day] = first
        return made

    def _anew(self, keys: Iterable[_Key]) -> dict[_Key, Day]:
        """Days as their values in force sum up."""
        made = {key: Day() for key in keys}
        if not made:
            return {}
        series, days = (sorted(set(part)) for part in zip(*made, strict=True))
        self._lock(series)
        first, last = start_of(days[0]), start_of(days[-1] + 1)
        for piece in self._pieces(series):
            rows = self._sql.tuples("hours", keys=piece, first=first, last=last)
            for number, hour, count, energy, highest in rows:
                day, of_day = divmod(hour, DAY_HOURS)
                if (number, day) in made:
                    made[number, day].put(of_day, count, int(energy), highest)
        return made
