"""Closing a month: a snapshot of its numbers, unless something is missing or suspect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from ingest.operations.periods import MissingSeries, lacking, series_of
from ingest.operations.ports import Ledger
from ingest.operations.refused import Refused
from ingest.operations.told import Keys
from layouts.months import bounds
from storage.records.billing import NumberChange, Snapshot, Suspect


class NotEnded(Refused):
    """A month is to be closed that is not over."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The result of closing a month.

    Attributes:
        month: Its first day.
        lacks: Each series that has not come whole.
        suspects: Open suspicions over its values.
        snapshot: Its numbers as they are kept now; None: it stays as it was.
        was_closed: Whether it was closed before.
        differences: From the numbers of the last closing to these.
    """

    KEYS: ClassVar[Keys] = {
        "period": lambda closing: f"{closing.month:%Y-%m}",
        "closed": "is_closed",
        "snapshot": "snapshot.id",
        "numbers": "snapshot.row_count",
        "sha256": "snapshot.sha256",
        "missing": "lacks",
        "suspects": "suspects",
        "differences": "differences",
    }

    month: date
    lacks: tuple[MissingSeries, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    snapshot: Snapshot | None = None
    was_closed: bool = False
    differences: tuple[NumberChange, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether it is closed now, by this or from before."""
        return self.snapshot is not None or self.was_closed


def close(ledger: Ledger, month: date, who: str, now: datetime, *, anyway: bool) -> Closing:
    """Freeze a month, unless something is missing or suspect and it is not to be closed anyway.

    Args:
        ledger: The database.
        month: Its first day.
        who: The operator, as the audit names it.
        now: The moment of it, aware.
        anyway: Although something is missing or suspect.

    Raises:
        NotEnded: the month is not over: what it lacks is not known yet.
    """
    if now < bounds(month)[1]:
        raise NotEnded(f"{month:%Y-%m} has not ended: a month is closed when it is over")
    with ledger.reading() as store:
        if month in store.periods.closed():
            return Closing(month, was_closed=True)
        suspects = tuple(store.suspicions.find(month))
    lacks = tuple(row for one in lacking(ledger, month, now) for row in series_of(one))
    if (lacks or suspects) and not anyway:
        return Closing(month, lacks, suspects)
    with ledger.transaction() as store:
        last = store.periods.snapshot(month)
        taken = store.periods.close(month, who, now)
        if taken is None:
            return Closing(month, was_closed=True)
        differences = store.periods.differences(last.id, taken.id) if last else []
    return Closing(month, lacks, suspects, taken, differences=tuple(differences))
