"""Register readings in force, read once in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from storage.prepared import Prepared, among
from storage.rows import Rows
from storage.tables import READING, SUBMISSION

_IN = Prepared(
    select(READING, SUBMISSION.c.layout)
    .join_from(READING, SUBMISSION)
    .where(
        among(READING.c.meter_id), READING.c.instant.between(bindparam("first"), bindparam("last"))
    )
)


class InForceRows(Rows):
    """What versions and history both ask for."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._last_asked: tuple[list[int], int, int] | None = None
        self._rows_asked: list[Any] = []

    def _readings_in(self, meters: Sequence[int], first: int, last: int) -> list[Any]:
        """Readings of some meters from one instant through another, in epoch seconds.

        A row has the layout of its submission beside the columns of the reading.
        """
        asked = (sorted(meters), first, last)
        if self._last_asked != asked:
            self._rows_asked = self._each(asked[0], _IN, first=first, last=last)
            self._last_asked = asked
        return self._rows_asked

    def _forget_readings(self) -> None:
        """What was read is no longer so: a letter may have several documents."""
        self._last_asked = None
