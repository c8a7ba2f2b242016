"""What billing takes of a month: now, as it was known then, or only what is different."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any

from ingest.operations.export import (
    COLUMNS,
    ExportError,
    Sheet,
    check_path,
    readings_sheet,
    write_file,
)
from ingest.operations.output import private_file
from ingest.operations.ports import Ledger
from ingest.operations.refused import Refused, check_entity
from ingest.operations.told import as_json
from layouts.terms import quantity_of
from storage.billed.billing import BillingRow, PointPlace
from storage.billed.billing import Grain as ValueGrain
from storage.billed.periods import changed_numbers
from storage.records.billing import Number, Snapshot
from storage.store import Store

NUMBER_COLUMNS = (
    "period", "entity", "area", "point", "channel", "zone", "unit", "consumption", "quality",
    "suspicions", "completeness", "missing", "late", "source", "receipt",
)  # fmt: skip
"""Of `--grain billing`, in this order; docs/readings.md tells of each."""

_NOT_COMPARED = frozenset({"receipt", "letter", "received_at", "quality", "suspicions", "late"})
"""How a value came, and what is thought of it: no difference of the value."""


class Grain(StrEnum):
    """How finely a month is told."""

    INTERVAL = "interval"
    DAY = "day"
    MONTH = "month"
    BILLING = "billing"


@dataclass(frozen=True, slots=True)
class Asked:
    """What billing wants of a month.

    Attributes:
        month: Its first day.
        entity: Only of the legal entity with this user code.
        history: Also what was replaced; of single values only.
        as_of: As it was known then; None: now.
        changed_since: Only what is different from then, or from the export of this number.

    Raises:
        Refused: history goes with neither sums nor other moments.
    """

    month: date
    grain: Grain = Grain.INTERVAL
    entity: str | None = None
    history: bool = False
    as_of: datetime | None = None
    changed_since: datetime | int | None = None

    def __post_init__(self) -> None:
        if self.history and self.grain is not Grain.INTERVAL:
            raise Refused("--history tells single values: leave out --grain")
        if self.history and (self.as_of is not None or self.changed_since is not None):
            raise Refused("--history tells everything: leave out --as-of and --changed-since")


@contextmanager
def readings(ledger: Ledger, asked: Asked) -> Iterator[Sheet]:
    """What is asked for; one steady look at the database is held until the end.

    Raises:
        Refused: the register has no such user code, or there is no such export.
    """
    with ledger.reading() as store:
        check_entity(store, asked.entity)
        yield sheet(store, asked)


def sheet(store: Store, asked: Asked) -> Sheet:
    """What is asked for; its rows are read from the store while they are taken.

    Raises:
        ExportError: there is no export of that number, or of that month.
    """
    since = asked.changed_since
    if asked.grain is Grain.BILLING:
        return _numbers_sheet(store, asked)
    if since is None:
        return readings_sheet(_values(store, asked), history=asked.history)
    then = since if isinstance(since, datetime) else _export(store, asked, since).at
    before = _values(store, replace(asked, as_of=then))
    rows = _changed(before, _values(store, asked))
    return Sheet(("change", *COLUMNS), ((c, *row[: len(COLUMNS)]) for c, row in rows))


def numbers(store: Store, asked: Asked) -> list[Number]:
    """One number for each point, channel and zone; of a closed month those of its closing."""
    closing = _closing(store, asked.month, asked.as_of)
    if closing is None:
        return store.numbers.of(asked.month, entity=asked.entity, as_of=asked.as_of)
    return _only(asked.entity, store.periods.rows(closing.id))


def _closing(store: Store, month: date, as_of: datetime | None) -> Snapshot | None:
    """The snapshot of a month that is closed, or was at that moment."""
    told = [
        entry.after["closed"]
        for entry in store.audit.of("period", f"{month:%Y-%m}")
        if entry.after and (as_of is None or entry.at <= as_of)
    ]
    if not told or not told[-1]:
        return None
    taken = [one for one in store.periods.snapshots(month) if one.kind != "export"]
    if as_of is not None:
        # One that was closed before snapshots were taken has its first one later.
        taken = [one for one in taken if one.at <= as_of or one.kind == "migrated"]
    return taken[-1] if taken else None


def _only(entity: str | None, found: Iterable[Number]) -> list[Number]:
    return [number for number in found if entity in {None, number.entity}]


def _export(store: Store, asked: Asked, number: int) -> Snapshot:
    taken = store.periods.taken(number)
    if taken is None or taken.month != asked.month:
        raise ExportError(f"{number}: {asked.month:%Y-%m} has no export of this number")
    return taken


def _numbers_sheet(store: Store, asked: Asked) -> Sheet:
    since, now = asked.changed_since, numbers(store, asked)
    if since is None:
        return Sheet(NUMBER_COLUMNS, [_number_row(asked.month, one) for one in now])
    if isinstance(since, datetime):
        before = numbers(store, replace(asked, as_of=since))
    else:
        before = _only(asked.entity, store.periods.rows(_export(store, asked, since).id))
    rows = [
        (told, *_number_row(asked.month, one))
        for change in changed_numbers(before, now)
        for told, one in (("old", change.before), ("new", change.after))
        if one is not None
    ]
    return Sheet(("change", *NUMBER_COLUMNS), rows)


def _number_row(month: date, one: Number) -> tuple[Any, ...]:
    whole = one.values + one.missing
    return (
        f"{month:%Y-%m}", one.entity, one.area, one.point, one.channel, one.zone,
        quantity_of(one.channel).interval_unit, one.energy, one.quality.value,
        ",".join(one.codes) or None, 100 * one.values // whole if whole else 0, one.missing,
        one.late, one.source, one.receipt,
    )  # fmt: skip


def _values(store: Store, asked: Asked) -> Iterator[BillingRow]:
    grain = ValueGrain(asked.grain.value)
    return store.billing.values(
        asked.month, grain, asked.entity, history=asked.history, as_of=asked.as_of
    )


def _changed(
    before: Iterable[BillingRow], after: Iterable[BillingRow]
) -> Iterator[tuple[str, BillingRow]]:
    """Rows that differ, old and new; both come point by point in one order."""
    olds, news = groupby(before, _of_point), groupby(after, _of_point)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        is_old = old is not None and (new is None or old[0] <= new[0])
        is_new = new is not None and (old is None or new[0] <= old[0])
        was = {_row_key(row): row for row in old[1]} if old and is_old else {}
        now = {_row_key(row): row for row in new[1]} if new and is_new else {}
        for key in sorted(was.keys() | now.keys()):
            pair = was.get(key), now.get(key)
            if _compared(pair[0]) != _compared(pair[1]):
                told = zip(("old", "new"), pair, strict=True)
                yield from ((name, row) for name, row in told if row is not None)
        old = next(olds, None) if is_old else old
        new = next(news, None) if is_new else new


def _of_point(row: BillingRow) -> tuple[str, PointPlace]:
    # `interval` comes before `register`, in both.
    return row.kind, row.place_in_order


def _row_key(row: BillingRow) -> tuple[Any, ...]:
    return row.channel, row.step_minutes or 0, row.meter or "", row.zone or "", row.end


def _compared(row: BillingRow | None) -> tuple[Any, ...] | None:
    if row is None:
        return None
    return tuple(
        value for name, value in zip(COLUMNS, row, strict=False) if name not in _NOT_COMPARED
    )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export's file holds; its fields are the keys of the manifest.

    Attributes:
        period: The month: `2026-11`.
        changed_since: The moment, or the number of the export, that it differs from.
        columns: In the file's order.
        sums: Of each column of energies, by unit.
        sha256: Of the file.
        numbers_sha256: Of the month's numbers, kept under the export's number.
    """

    export: int
    period: str
    grain: Grain
    entity: str | None
    as_of: datetime | None
    changed_since: datetime | int | None
    made_at: datetime
    made_by: str
    file: str
    format: str
    columns: tuple[str, ...]
    rows: int
    sums: Mapping[str, int]
    sha256: str
    numbers_sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A month that billing took.

    Attributes:
        number: The export's; a later one can be the difference to it.
        path: The file; its manifest lies beside it.
    """

    number: int
    path: Path
    manifest: Manifest


def export(
    ledger: Ledger,
    asked: Asked,
    folder: Path,
    kind: str,
    who: str,
    now: datetime,
    counted: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Exported:
    """Write a month with a manifest, and keep what was taken under a number.

    Args:
        ledger: The database.
        asked: What is taken.
        folder: Where file and manifest go.
        kind: csv, xlsx or parquet.
        who: The operator.
        now: When.
        counted: Sees the rows pass.

    Raises:
        ExportError: the folder or a library is missing, or the file cannot hold that much.
        Refused: the register has no such user code.
    """
    check_path(folder / f"readings.{kind}")
    unnumbered = folder / f".readings-{asked.month:%Y-%m}-{os.getpid()}.{kind}"
    tally = _Tally()
    with ledger.reading() as store:
        check_entity(store, asked.entity)
        taken = numbers(store, Asked(asked.month, Grain.BILLING, as_of=asked.as_of))
        told = sheet(store, asked)
        write_file(Sheet(told.names, tally.of(told.names, counted(told.rows))), unnumbered)
    try:
        with ledger.transaction() as store:
            kept = store.periods.export(asked.month, taken, who, now)
        path = folder / f"readings-{asked.month:%Y-%m}-{kept.id}.{kind}"
        unnumbered.replace(path)
    finally:
        unnumbered.unlink(missing_ok=True)
    manifest = Manifest(
        export=kept.id,
        period=f"{asked.month:%Y-%m}",
        grain=asked.grain,
        entity=asked.entity,
        as_of=asked.as_of,
        changed_since=asked.changed_since,
        made_at=now,
        made_by=who,
        file=path.name,
        format=kind,
        columns=tuple(told.names),
        rows=tally.rows,
        sums=dict(sorted(tally.sums.items())),
        sha256=_sha256(path),
        numbers_sha256=kept.sha256,
    )
    with private_file(path.with_suffix(".manifest.json")) as unfinished:
        text = json.dumps(as_json(manifest), ensure_ascii=False, indent=2)
        unfinished.write_text(f"{text}\n", encoding="utf-8")
    return Exported(kept.id, path, manifest)


def exports_of(ledger: Ledger, month: date) -> list[Snapshot]:
    """What was taken of a month, the latest first.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        return [one for one in reversed(store.periods.snapshots(month)) if one.kind == "export"]


class _Tally:
    """Counts rows and adds up energies while they pass."""

    def __init__(self) -> None:
        self.rows = 0
        self.sums: dict[str, int] = {}

    def of(self, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Yield the rows unchanged."""
        unit = names.index("unit")
        change = names.index("change") if "change" in names else None
        summed = [(i, n) for i, n in enumerate(names) if n in {"energy", "billed", "consumption"}]
        for row in rows:
            self.rows += 1
            side = "" if change is None else f"{row[change]}_"
            for index, name in summed:
                key = f"{side}{name}_{row[unit]}"
                self.sums[key] = self.sums.get(key, 0) + (row[index] or 0)
            yield row


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
