"""Closing a month: its numbers are kept, and what speaks against closing is told first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ingest.operations.periods import lacking, missing_json
from ingest.operations.ports import Ledger
from ingest.operations.suspects import suspects_json
from layouts.months import bounds
from storage.records import Number, NumberChange, Snapshot, Suspect

DIFFERENCE_COLUMNS = {
    "entity": "entity",
    "point": "point",
    "channel": "channel",
    "zone": "zone",
    "energy_before": "before",
    "energy_after": "after",
    "quality_before": "quality before",
    "quality_after": "quality after",
}


@dataclass(frozen=True, slots=True)
class Closing:
    """What became of the wish to close a month.

    Attributes:
        lacks: Lines of `missing`, one for each series that has not come whole.
        suspects: Open suspicions over its values.
        snapshot: Its numbers as they are kept now; None: it stays as it was.
        was_closed: Whether it was closed before.
        differences: From the numbers of the last closing to these.
        has_ended: Whether the month was over.
    """

    lacks: tuple[dict[str, Any], ...] = ()
    suspects: tuple[Suspect, ...] = ()
    snapshot: Snapshot | None = None
    was_closed: bool = False
    differences: tuple[NumberChange, ...] = ()
    has_ended: bool = True


def close(ledger: Ledger, month: date, who: str, now: datetime, *, anyway: bool) -> Closing:
    """Freeze a month, unless something is missing or suspect and it is not to be closed anyway."""
    with ledger.reading() as store:
        if month in store.periods.closed():
            return Closing(was_closed=True)
        suspects = tuple(store.suspicions.find(month))
    lacks = tuple(row for one in lacking(ledger, month, now) for row in missing_json(one))
    ended = now >= bounds(month)[1]
    if (lacks or suspects) and not anyway:
        return Closing(lacks, suspects, has_ended=ended)
    with ledger.transaction() as store:
        last = store.periods.snapshot(month)
        taken = store.periods.close(month, who, now)
        if taken is None:
            return Closing(was_closed=True)
        differences = store.periods.differences(last.id, taken.id) if last else []
    return Closing(lacks, suspects, taken, differences=tuple(differences), has_ended=ended)


def differences_json(changes: Sequence[NumberChange]) -> Iterator[dict[str, Any]]:
    """Numbers that differ, one a line: what was and what is; null where there is none."""
    for change in changes:
        named = change.after or change.before
        if named is None:
            continue
        yield {
            "entity": named.entity,
            "area": named.area,
            "point": named.point,
            "channel": named.channel,
            "zone": named.zone,
            **_side(change.before, "before"),
            **_side(change.after, "after"),
        }


def _side(number: Number | None, when: str) -> dict[str, Any]:
    return {
        f"energy_{when}": number.energy if number else None,
        f"quality_{when}": number.quality.value if number else None,
        f"suspicions_{when}": list(number.codes) if number else [],
        f"source_{when}": number.source if number else None,
        f"missing_{when}": number.missing if number else None,
        f"late_{when}": number.late if number else None,
    }


def closing_json(month: date, closing: Closing) -> dict[str, Any]:
    """The object of `period close --json`."""
    taken = closing.snapshot
    return {
        "period": f"{month:%Y-%m}",
        "closed": taken is not None or closing.was_closed,
        "snapshot": taken.id if taken else None,
        "numbers": taken.row_count if taken else None,
        "sha256": taken.sha256 if taken else None,
        "missing": [dict(row) for row in closing.lacks],
        "suspects": list(suspects_json(closing.suspects)),
        "differences": list(differences_json(closing.differences)),
    }
