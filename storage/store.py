"""Rows to terms and back, inside one transaction: claim, record, owe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, func, select

from layouts.layout import Layout
from layouts.rules import spans_to_compare, version_of
from layouts.rules.assign import assign, meter_key
from layouts.terms import (
    Assigned,
    Checked,
    Context,
    Kind,
    LegalEntity,
    MeterKey,
    Parsed,
    Receipt,
    Verdict,
    Version,
)
from storage.columns import INTEGER_MOST, epoch
from storage.history_rows import HistoryRows
from storage.letter_rows import LetterRows
from storage.outbox_rows import OutboxRows
from storage.prepared import Prepared
from storage.reading_rows import ReadingRows
from storage.registry_rows import RegistryRows
from storage.tables import ENTITY, SUBMISSION
from storage.value_rows import ValueRows
from storage.version_rows import VersionRows
from storage.watch_rows import WatchRows

_LOCK = Prepared(
    select(ENTITY.c.id).where(ENTITY.c.id == bindparam("entity")).with_for_update(key_share=True)
)
_BEFORE = select(func.count()).where(SUBMISSION.c.letter_id == bindparam("letter_id"))
_HAND_IN = Prepared(
    SUBMISSION.insert()
    .values(position=_BEFORE.scalar_subquery(), letter_id=bindparam("letter_id"))
    .returning(SUBMISSION.c.id)
)


class Store(
    LetterRows,
    RegistryRows,
    VersionRows,
    HistoryRows,
    ValueRows,
    ReadingRows,
    OutboxRows,
    WatchRows,
):
    """The database inside one transaction; made by `Ledger`.

    Each base is one matter: letters, the register of points, versions, history,
    values, months, the outbox, the service's own state. Here is what needs several of them.
    """

    def __init__(self, connection: Connection, layouts: Mapping[str, Layout]) -> None:
        super().__init__(connection)
        self._layouts = layouts

    def context(self, entity: LegalEntity, parsed: Parsed, received_at: datetime) -> Context:
        """What the rules may know about this document.

        On PostgreSQL other documents of the entity wait until this transaction ends:
        what the context tells must still be so when the document is recorded.
        """
        if entity.id is None:
            raise ValueError("a context is made for a stored entity")
        known = Context(entity=entity, points=entity.points, received_at=received_at)
        layout = self._layouts.get(parsed.layout or "")
        if layout is None:
            return known
        self._hold_back_others(entity.id)
        duplicate = self._duplicate_of(entity.id, parsed)
        if duplicate is not None:
            return replace(known, duplicate_of=duplicate)
        items = assign(parsed.series, known, ZoneInfo(layout.zone))
        return replace(
            known,
            foreign=self._foreign(entity.id, _unassigned(items)),
            closed=self.closed_periods(),
            assigned=items,
            **self._values_around(items, parsed, layout, received_at),
        )

    def _values_around(
        self,
        items: Sequence[Assigned],
        parsed: Parsed,
        layout: Layout,
        received_at: datetime,
    ) -> dict[str, Any]:
        """A context's fields about what is in force for a document's series, and around them."""
        if not any(item.point for item in items):
            return {}
        version = self._version(parsed, received_at, INTEGER_MOST)
        intervals = [item for item in items if item.series.kind is Kind.INTERVAL]
        registers = [item for item in items if item.series.kind is Kind.REGISTER]
        around = self._registers(*_meters_around(items))
        fields = {
            "intervals": self._recorded_intervals(intervals, layout.number, version),
            "readings": self._recorded_readings(registers, layout.number, version),
            "history": self._history(intervals, ZoneInfo(layout.zone)),
            "registers": around,
        }
        if self._may_be_compared(around, registers):
            wanted = spans_to_compare(items, layout, Context(registers=around))
            fields["profiles"] = self._profiles(wanted, items)
        return fields

    def _may_be_compared(self, around: Sized, registers: Sequence[Assigned]) -> bool:
        """Whether a document's points may have both a profile and registers."""
        if not registers:
            return bool(around)
        points = {item.point.id or 0 for item in registers if item.point is not None}
        return bool(self._series_at(points))

    def _hold_back_others(self, entity_id: int) -> None:
        if not self._connection.get_execution_options().get("writes"):
            return
        # SQLite has one writer at a time, and needs no lock.
        if self._on_postgresql:
            _LOCK.row(self._driver, {"entity": entity_id})

    def _version(self, parsed: Parsed, received_at: datetime, submission: int) -> Version:
        layout = self._layouts.get(parsed.layout or "")
        if layout is None:
            return Version(0, 0, epoch(received_at), submission)
        version = version_of(parsed, layout, received_at, submission)
        # A document may claim any number; the columns hold 64 bits.
        return replace(version, first=_bounded(version.first), second=_bounded(version.second))

    def record(
        self,
        letter: int,
        parsed: Parsed,
        checked: Checked,
        entity: LegalEntity,
        received_at: datetime,
        now: datetime,
    ) -> Receipt:
        """Keep a submission, its findings and the values its changes carry.

        Of a duplicate only the fact is kept; its receipt is the first one.
        """
        number = self._insert_submission(letter, parsed, checked, entity, received_at, now)
        self._keep_findings(checked.findings, submission_id=number)
        if checked.verdict is Verdict.DUPLICATE and checked.duplicate_of is not None:
            return Receipt(checked.duplicate_of[0], received_at, parsed, checked)
        self._apply(checked.changes, number, now)
        return Receipt(number, received_at, parsed, checked)

    def _insert_submission(
        self,
        letter: int,
        parsed: Parsed,
        checked: Checked,
        entity: LegalEntity,
        received_at: datetime,
        now: datetime,
    ) -> int:
        version = self._version(parsed, received_at, 0)
        facts = {
            "letter_id": letter,
            "entity_id": entity.id,
            "name": parsed.name,
            "container": parsed.container,
            "part": parsed.part,
            "sha256": parsed.sha256,
            "size": parsed.size,
            "layout": parsed.layout,
            "form_version": parsed.header.version,
            "created_at": parsed.header.created,
            "version_first": version.first,
            "version_second": version.second,
            "received_at": received_at,
            "recorded_at": now,
            "verdict": checked.verdict,
            "status": int(checked.status),
            "accepted_values": checked.values,
            "duplicate_of": checked.duplicate_of[0] if checked.duplicate_of else None,
        }
        return int(_HAND_IN.scalar(self._driver, facts) or 0)


def _meters_around(items: Sequence[Assigned]) -> tuple[dict[int, MeterKey], int, int]:
    """The meters whose readings concern a document, and its first and last instant."""
    held = [(item, item.point) for item in items if item.point is not None]
    meters: dict[int, MeterKey] = {}
    for item, point in held:
        own = (item.meter,) if item.meter else ()
        of_profile = item.series.kind is Kind.INTERVAL
        for meter in point.meters if of_profile else own:
            if meter.id is not None:
                meters[meter.id] = meter_key(point, meter)
    first = min(epoch(item.series.start) for item, _ in held)
    last = max(epoch(item.series.end) for item, _ in held)
    return meters, first, last


def _unassigned(items: Sequence[Assigned]) -> list[str]:
    """Codes and numbers in the document that are not this entity's."""
    lost = (item.original for item in items if item.point is None)
    return sorted({name for series in lost for name in (series.point, series.meter) if name})


def _bounded(key: int) -> int:
    return max(-INTEGER_MOST, min(key, INTEGER_MOST))
